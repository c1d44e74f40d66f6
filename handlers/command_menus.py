"""Publishing of the command menus, for every scope and language, and of the bot's descriptions."""

from collections.abc import Iterator, Mapping
from typing import Any

from loguru import logger

from handlers.commands import hosts, players, recurring
from handlers.deps import Deps
from handlers.dialogs.commands import OPERATOR_COMMANDS
from handlers.kinds import commands as kinds
from handlers.kinds.registry import FACES
from play.texts import Markup
from telegram.client import BadCall, ChatGone, NoRights

PLAYERS = tuple(players.COMMANDS)
HOSTS = ("newgame", *kinds.COMMANDS, *hosts.COMMANDS, *recurring.COMMANDS, "settings")
OPERATORS = tuple(OPERATOR_COMMANDS)
ALL = frozenset({*PLAYERS, *HOSTS, *kinds.DIALOG_COMMANDS, *OPERATORS})
"""The names of all commands of the bot."""

IN_PRIVATE = (
    "start",
    "help",
    "status",
    "games",
    "stats",
    "leaderboard",
    "history",
    "fair",
    "nextgame",
    "verify",
    *kinds.DIALOG_COMMANDS,
    "language",
    "privacy",
)
IN_GROUPS = tuple(name for name in PLAYERS if name != "start")
EPHEMERAL = frozenset(
    {
        *("help", "join", "leave", "status", "stats", "verify", "privacy", "newgame", "settings", "recurring"),
        *("nextgame", "create_game", "start_quiz"),
    }
)
"""Commands that are ephemeral in groups: Telegram shows the command and its answer to their author alone.

A command that opens a game is answered by the game's board, which everybody sees; only a refusal is for its author."""


def _menu(deps: Deps, locale: str, names: tuple[str, ...], *, group: bool) -> list[dict[str, Any]]:
    return [
        {
            "command": name,
            "description": deps.play.texts.plain(locale, f"cmd-about-{name}"),
            **({"is_ephemeral": True} if group and name in EPHEMERAL else {}),
        }
        for name in names
    ]


def _scopes() -> Iterator[tuple[Mapping[str, Any], tuple[str, ...], bool]]:
    """Yield each scope, its commands, and whether it is a scope of groups."""
    yield {"type": "default"}, IN_PRIVATE, False
    yield {"type": "all_private_chats"}, IN_PRIVATE, False
    yield {"type": "all_group_chats"}, IN_GROUPS, True
    yield {"type": "all_chat_administrators"}, (*HOSTS, *IN_GROUPS), True


def calls(deps: Deps) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the calls that publish the menus and descriptions: method and parameters.

    The default locale is published without a language code, so that it also serves languages without a locale.
    """
    for number, locale in enumerate(deps.play.texts.LOCALES):
        language = {} if number == 0 else {"language_code": locale}
        for scope, names, group in _scopes():
            yield "setMyCommands", {"scope": scope, "commands": _menu(deps, locale, names, group=group), **language}
        pitches = Markup(" ".join(deps.play.texts.plain(locale, f"{face.kind.slug}-pitch") for face in FACES.values()))
        description = deps.play.texts.html(locale, "cmd-description", kinds=pitches)
        yield "setMyDescription", {"description": str(description), **language}
        short = deps.play.texts.plain(locale, "cmd-description-short")
        yield "setMyShortDescription", {"short_description": short, **language}


async def publish(deps: Deps) -> None:
    """Publish the menus and descriptions. Raises the Bot API client's errors; calls made before the error stay."""
    for method, params in calls(deps):
        await deps.telegram.api.call(method, params)
    for operator in sorted(deps.play.access.operators):
        try:
            await _for_operator(deps, operator)
        except (BadCall, ChatGone, NoRights) as refused:
            logger.info("operator {} has closed the private chat: {}", operator, refused)


async def _for_operator(deps: Deps, operator: int) -> None:
    """Publish the menu of an operator's private chat. Telegram accepts it only if the operator has started the bot."""
    private = await deps.stores.people.chat(operator)
    if private is None or not private.active:
        return
    locale = await deps.stores.people.locale_of_player(operator) or deps.play.texts.LOCALES[0]
    menu = _menu(deps, locale, (*IN_PRIVATE, *OPERATORS), group=False)
    await deps.telegram.api.call("setMyCommands", {"scope": {"type": "chat", "chat_id": operator}, "commands": menu})
