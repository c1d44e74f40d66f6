"""The commands for tokens of the HTTP API."""

import argparse
from datetime import UTC, datetime

from bot.clock import SystemClock
from bot.operator_commands import account, say, told
from bot.settings import Settings
from play.access import Role
from play.tokens import Tokens, UnknownToken
from storage.api_tokens import ApiToken, ApiTokens
from storage.audit import SHELL, Audit, Trail, acting
from storage.connections import postgres_pool, redis_client
from storage.embedded import stores

LISTED = 1000
"""Limit of tokens that `token list` prints."""


async def run(settings: Settings, given: argparse.Namespace) -> int:
    """Run the subcommand that was given. Return the exit status."""
    return await told(_run(settings, given))


async def _run(settings: Settings, given: argparse.Namespace) -> int:
    dsns = stores(settings.data_dir, settings.database.dsn.get_secret_value(), settings.redis.dsn.get_secret_value())
    async with dsns as (postgres, cache), postgres_pool(postgres) as pool, redis_client(cache) as redis:
        key = settings.api.token_key.get_secret_value().encode()
        clock = SystemClock()
        tokens, audit = Tokens(ApiTokens(pool, redis, key), clock), Audit(pool, clock)
        with acting(Trail(audit, SHELL, 0, None, account())):
            status = await _command(tokens, given)
        await audit.flush()
        return status


async def _command(tokens: Tokens, given: argparse.Namespace) -> int:
    match given.what:
        case "create":
            return await _create(tokens, given)
        case "revoke":
            return await _revoke(tokens, given.prefix)
        case _:
            for token in await tokens.listed(LISTED):
                say(_line(token))
            return 0


async def _create(tokens: Tokens, given: argparse.Namespace) -> int:
    """Make a token. The last line is the token alone, for scripts."""
    chats = frozenset(given.chat) if given.chat else None
    token, made = await tokens.issue(Role(given.role), chats, days=given.days, name=given.name)
    say(_line(made))
    say("the token, which is shown this once:")
    say(token)
    return 0


async def _revoke(tokens: Tokens, prefix: str) -> int:
    """Revoke the token with a prefix; a whole token is accepted too."""
    if prefix.startswith("tombola_"):
        prefix = prefix.split("_")[1]
    try:
        say(_line(await tokens.revoke(prefix)))
    except UnknownToken:
        say(f"there is no token with the prefix {prefix}")
        return 1
    return 0


def _line(token: ApiToken) -> str:
    """Describe a token on one line."""
    chats = "all chats" if token.chats is None else f"chats {', '.join(map(str, sorted(token.chats)))}"
    parts = [token.prefix, token.role, chats, f"made {_date(token.created_at)}"]
    for word, at in (("expires", token.expires_at), ("revoked", token.revoked_at), ("used", token.last_used_at)):
        if at is not None:
            parts.append(f"{word} {_date(at)}")
    return "  ".join([*parts, *([token.name] if token.name else [])])


def _date(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(" ", "minutes").removesuffix("+00:00") + "Z"
