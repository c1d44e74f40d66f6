"""The commands of operators and auditors for the public log."""

import argparse

import msgspec

from bot.clock import SystemClock
from bot.operator_commands import HEAD, say, told
from bot.settings import Settings
from fsm.registry import KINDS
from storage.codec import Codec
from storage.connections import postgres_pool
from storage.embedded import stores
from storage.public_log import PublicLog

MOST_LEAVES = 10_000
"""Limit of leaves that one call prints."""
MOST_TROUBLES = 5
"""Limit of faults that a command prints which was not asked for them; `log check` prints all."""


async def run(settings: Settings, given: argparse.Namespace) -> int:
    """Run the subcommand that was given. Return the exit status."""
    return await told(_run(settings, given))


async def _run(settings: Settings, given: argparse.Namespace) -> int:
    dsns = stores(settings.data_dir, settings.database.dsn.get_secret_value(), "redis://unused")
    async with dsns as (dsn, _), postgres_pool(dsn) as pool:
        log = PublicLog(pool, Codec(KINDS))
        match given.what:
            case "check":
                return await _check(log, given.head)
            case "proof":
                return await _proof(log, given.game)
            case "leaves":
                return await _leaves(log, given.first, given.count)
            case "forget":
                return await _forget(log, given.player)
            case "consistency":
                return await _consistency(log, given.old, given.new)
            case _:
                return await _head(log)


async def _check(log: PublicLog, heads: list[str]) -> int:
    kept = [found for head in heads if (found := HEAD.fullmatch(head))]
    if len(kept) != len(heads):
        say("a head is written SIZE:ROOT, the root as 64 hex digits")
        return 1
    troubles = await log.check([(int(head[1]), head[2]) for head in kept])
    seeds = await log.seeds()
    troubles += seeds.troubles
    for trouble in troubles:
        say(trouble)
    for root, number in seeds.gaps():
        say(f"note: seed {number} of the tree {root} has no draw: its game is in its lobby, or missing")
    if not troubles:
        head = await log.sign(SystemClock().now())
        say(f"the log is whole: {head.size} leaves, root {head.root}")
    return 1 if troubles else 0


async def _is_whole(log: PublicLog) -> bool:
    """Return whether the log is whole; else print the faults: a proof from a damaged log would mislead its reader."""
    troubles = await log.check()
    for trouble in troubles[:MOST_TROUBLES]:
        say(f"the log is damaged: {trouble}")
    return not troubles


async def _head(log: PublicLog) -> int:
    if not await _is_whole(log):
        return 1
    say(msgspec.json.encode(await log.sign(SystemClock().now())).decode())
    return 0


async def _proof(log: PublicLog, game_id: str) -> int:
    if not await _is_whole(log):
        return 1
    found = await log.proof_of(game_id, SystemClock().now())
    if found is None:
        say(f"the log does not hold the whole of game {game_id}")
        return 1
    say(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    return 0


async def _leaves(log: PublicLog, first: int, count: int) -> int:
    """Print leaves as they are hashed, each as its index and its JSON on one line."""
    for index, _, leaf in await log.leaves(first, min(count, MOST_LEAVES)):
        say(f"{index} {msgspec.json.encode(msgspec.json.decode(leaf)).decode()}")
    return 0


async def _forget(log: PublicLog, player: int) -> int:
    if not abs(player) < 1 << 63:
        say("that is no user id")
        return 1
    say(f"ended games whose keys were deleted: {await log.forget(player)}")
    return 0


async def _consistency(log: PublicLog, old: int, new: int) -> int:
    if not await _is_whole(log):
        return 1
    try:
        path = await log.consistency(old, new)
    except ValueError as error:
        say(str(error))
        return 1
    say(msgspec.json.encode({"old": old, "new": new, "path": path}).decode())
    return 0
