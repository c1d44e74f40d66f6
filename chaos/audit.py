"""Invariants after the failures, checked from outside: PostgreSQL, Redis, and the chats' messages."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from redis.asyncio import Redis

from chaos.people import BROKEN, UNAVAILABLE, Diary, Tap, games_of, shows_end
from fsm.registry import KINDS
from sandbox.control import Control
from storage import keys
from storage.archive import Archive
from storage.codec import Codec
from storage.connections import postgres_pool
from storage.feed import Feed

BOUND_MS = 2000
"""Longest delay of a deadline, unless a component that it needs was unavailable."""
KEYS_FOR_EVER = (
    ":deadlines", ":feed", "tombola:{send}:seq", "tombola:{send}:turn", "tombola:{send}:dropped",
    "tombola:{send}:inflight", "tombola:{send}:ready", "tombola:{send}:delayed",
)  # fmt: skip
"""Keys without a TTL: the index of deadlines, the feed, the outbox's queues and counters.

Each is pruned by its owner, see docs/operations.md.
"""


@dataclass(slots=True)
class Findings:
    """Breaches by invariant, and figures."""

    breaches: dict[str, list[str]] = field(default_factory=dict)
    figures: dict[str, float | int | str] = field(default_factory=dict)

    def breach(self, what: str, detail: str) -> None:
        """Record a breach."""
        self.breaches.setdefault(what, []).append(detail)


@dataclass(frozen=True, slots=True)
class Window:
    """A period in unix ms in which a process or store that deadlines need was unavailable."""

    begin: int
    end: int
    why: str


async def audited(
    diary: Diary,
    control: Control,
    postgres_dsn: str,
    redis: Redis,
    windows: Sequence[Window],
    shards: int,
    *,
    losses: int = 0,
) -> Findings:
    """Check every invariant. `losses` is the number of times that Redis has lost its data."""
    found = Findings()
    async with postgres_pool(postgres_dsn) as pool:
        rows = await pool.fetch("SELECT game_id, version, name, at, command_id, data FROM game_events ORDER BY 1, 2")
        games = await pool.fetch("SELECT id, kind, status, version, ended_at, summary, prize_pool FROM games")
        _acknowledged(found, diary, rows)
        _commands(found, rows)
        _replies(found, rows)
        _deadlines(found, rows, windows)
        _ended(found, games, diary)
        await _figures(found, pool, await _results(found, pool, games))
    _messages(found, control, games, again=losses > 0)
    _answers(found, diary)
    await _left_over(found, redis, shards)
    return found


# -- acknowledged actions ---------------------------------------------------------------------------------------


def _acknowledged(found: Findings, diary: Diary, rows: Sequence[Any]) -> None:
    """Check that every acknowledged action is an event."""
    stored = {(row["game_id"], row["command_id"]) for row in rows}
    done = [tap for tap in diary.taps if tap.done]
    for tap in done:
        if (tap.game_id, f"tg:{tap.update_id}") not in stored:
            found.breach("acknowledged and lost", f"{tap}")
    opened = [(game_id, update_id) for update_id, game_id in diary.opened.items()]
    for game_id, update_id in opened:
        if (game_id, f"tg:{update_id}") not in stored:
            found.breach("opened and lost", f"{game_id} by update {update_id}")
    found.figures |= {
        "taps": len(diary.taps),
        "acknowledged taps, each in PostgreSQL": len(done),
        "taps told to try again": diary.texts[UNAVAILABLE],
        "taps without an answer": diary.unanswered(),
    }


def _commands(found: Findings, rows: Sequence[Any]) -> None:
    """Check that no command has two effects and no version is missing."""
    versions: dict[str, list[int]] = {}
    spans: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        versions.setdefault(row["game_id"], []).append(row["version"])
        spans.setdefault((row["game_id"], row["command_id"]), []).append(row["version"])
    for game_id, have in versions.items():
        if have != list(range(1, len(have) + 1)):
            found.breach("versions missing", f"{game_id}: {have}")
    for (game_id, command_id), have in spans.items():
        # The events of one command are adjacent; a gap means that it was decided twice.
        if have != list(range(have[0], have[0] + len(have))):
            found.breach("handled twice", f"{game_id}: {command_id} at {have}")
    by_id = Counter(command_id for _, command_id in spans if command_id.startswith(("tg:", "api:")))
    for command_id, count in by_id.items():
        if count > 1:
            found.breach("handled twice", f"{command_id} in {count} games")
    found.figures["events"] = len(rows)


def _replies(found: Findings, rows: Iterable[Any]) -> None:
    """Check that a player has at most one answer to a question of a quiz."""
    given = [(row["game_id"], json.loads(row["data"])) for row in rows if row["name"] == "answer_given"]
    counts = Counter((game_id, reply["player_id"], reply["question"]) for game_id, reply in given)
    for reply, count in counts.items():
        if count > 1:
            found.breach("answered twice", f"{reply}: {count} times")
    found.figures["answers in quizzes"] = len(counts)


def _deadlines(found: Findings, rows: Iterable[Any], windows: Sequence[Window]) -> None:
    """Check that each deadline has one effect, in time unless a component that it needs was unavailable."""
    effects: dict[tuple[str, str], set[str]] = {}
    late: list[int] = []
    late_at_all: list[int] = []
    for row in rows:
        if not row["command_id"].startswith("deadline:"):
            continue
        deadline = row["command_id"].split(":")[1]
        fired = effects.setdefault((row["game_id"], deadline), set())
        if not fired:
            at = round(row["at"].timestamp() * 1000)
            late_at_all.append(at - int(deadline))
            late.append(max(0, at - excused(int(deadline), windows)))
            if late[-1] > BOUND_MS:
                found.breach("deadline missed", f"{row['game_id']}: {deadline}, {late[-1]} ms after the last trouble")
        fired.add(row["command_id"])
    for (game_id, deadline), fired in effects.items():
        if len(fired) > 1:
            found.breach("deadline with two effects", f"{game_id}: {deadline} by {sorted(fired)}")
    late.sort()
    found.figures |= {
        "deadlines": len(effects),
        "deadlines late, ms, p50 outside of outages": late[len(late) // 2] if late else 0,
        "deadlines late, ms, worst outside of outages": max(late, default=0),
        "deadlines late, ms, worst of all": max(late_at_all, default=0),
    }


def excused(deadline: int, windows: Sequence[Window]) -> int:
    """Return the time from which a deadline could be met: the end of the windows that it fell into."""
    moved = True
    # Windows may overlap or touch: the end of one can lie within the next.
    while moved:
        moved = False
        for window in windows:
            if window.begin <= deadline < window.end:
                deadline, moved = window.end, True
    return deadline


# -- results of games -------------------------------------------------------------------------------------------


def _ended(found: Findings, games: Sequence[Any], diary: Diary) -> None:
    known = {row["id"] for row in games}
    for row in games:
        if row["status"] not in ("completed", "cancelled") or row["ended_at"] is None:
            found.breach("game without an end", f"{row['id']} is {row['status']} at version {row['version']}")
        elif row["status"] == "cancelled" and b"reason" not in (row["summary"] or b""):
            found.breach("cancelled without a reason", row["id"])
    for game_id in {tap.game_id for tap in diary.taps} | set(diary.opened.values()):
        if game_id not in known:
            found.breach("game unknown to PostgreSQL", game_id)
    for detail in diary.stuck:
        found.breach("stuck", detail)
    found.figures |= {
        "games": len(games),
        "games completed": sum(1 for row in games if row["status"] == "completed"),
        "quizzes among them": sum(1 for row in games if (row["status"], row["kind"]) == ("completed", "quiz")),
        "games cancelled": sum(1 for row in games if row["status"] == "cancelled"),
    }


async def _results(found: Findings, pool: Any, games: Sequence[Any]) -> Mapping[int, tuple[int, int, Any]]:
    """Check that each game's stored result equals the result of its events, and that prizes add up.

    Returns each player's games, wins and prizes by those events.
    """
    archive = Archive(pool, Codec(KINDS))
    sums: dict[int, tuple[int, int, Any]] = {}
    prizes: dict[str, dict[int, Any]] = {}
    for row in await pool.fetch("SELECT game_id, player_id, place, amount FROM prizes"):
        prizes.setdefault(row["game_id"], {})[row["player_id"]] = (row["place"], row["amount"])
    participants: dict[str, dict[int, Any]] = {}
    for row in await pool.fetch("SELECT game_id, player_id, place, prize, number, points FROM game_participants"):
        participants.setdefault(row["game_id"], {})[row["player_id"]] = tuple(row)[2:]
    for game in games:
        stored = await archive.folded(game["id"], game["kind"])
        if stored is None or stored.version != game["version"] or stored.state.phase != game["status"]:
            found.breach("row and events differ", game["id"])
            continue
        standings, rules = getattr(stored.state, "standings", ()), getattr(stored.state, "rules", None)
        due = {each.player_id: (each.place, each.prize) for each in standings if each.place and each.prize > 0}
        if prizes.get(game["id"], {}) != due:
            found.breach("prizes differ", f"{game['id']}: {prizes.get(game['id'])} for {due}")
        # a quiz without a correct answer pays nothing
        paid = game["prize_pool"] if any(each.place for each in standings) else 0
        if game["status"] == "completed" and sum((prize for _, prize in due.values()), 0) != paid:
            found.breach("prizes do not add up", f"{game['id']}: {due} of {paid}")
        for each in standings:
            participant = participants.get(game["id"], {}).get(each.player_id)
            if participant != (each.place, each.prize, each.number, each.points):
                found.breach("standings differ", f"{game['id']}: {participant} for {each}")
            won = rules is not None and each.place is not None and each.place <= rules.winners
            before = sums.get(each.player_id, (0, 0, 0))
            sums[each.player_id] = (before[0] + 1, before[1] + won, before[2] + each.prize)
    found.figures["prizes"] = sum(len(each) for each in prizes.values())
    return sums


async def _figures(found: Findings, pool: Any, due: Mapping[int, tuple[int, int, Any]]) -> None:
    """Check that each player's figures count each completed game once."""
    kept = await pool.fetch("SELECT player_id, games, wins, prizes FROM player_stats WHERE chat_id = 0 AND kind = ''")
    have = {row["player_id"]: (row["games"], row["wins"], row["prizes"]) for row in kept}
    for player_id in have.keys() | due.keys():
        if have.get(player_id) != due.get(player_id):
            found.breach("figures differ", f"player {player_id}: {have.get(player_id)} for {due.get(player_id)}")


# -- messages and answers ---------------------------------------------------------------------------------------


def _messages(found: Findings, control: Control, games: Sequence[Any], *, again: bool) -> None:
    """Check that each game shows its end on its board, in one reply to it, or on both; count other messages.

    A board whose result is in a reply folds to a line without buttons, so it is not counted.
    `again`: a repetition is allowed, because the record of shown messages was lost.
    """
    ends: Counter[str] = Counter()
    replies: Counter[str] = Counter()
    boards: Counter[str] = Counter()
    for chat in control.world.chats.values():
        for message in control.bot_messages(chat):
            for game_id in games_of(message):
                boards[game_id] += 1
                (ends if message.reply_to is None else replies)[game_id] += shows_end(message, game_id)
    for row in games:
        told = ends[row["id"]], replies[row["id"]]
        if (not any(told) or max(told) > 1) and not (again and any(told)):
            found.breach("results announced", f"{row['id']} ({row['status']}): boards and replies {told}")
    doubled = {game_id: count for game_id, count in boards.items() if count > 1}
    lost = sum(count for (method, _), count in control.world.statistics.items() if method == "fault lost")
    found.figures |= {
        "games announced once": sum(1 for row in games if max(ends[row["id"]], replies[row["id"]]) == 1),
        "boards sent twice, as the first answer was lost": sum(doubled.values()) - len(doubled),
        "answers that Telegram lost": lost,
    }


def _answers(found: Findings, diary: Diary) -> None:
    """Check that nobody was told of an internal error."""
    for text, count in diary.texts.items():
        if text.startswith(BROKEN):
            found.breach("somebody was told of a bug", f"{count} times: {text}")


# -- leftovers --------------------------------------------------------------------------------------------------


async def _left_over(found: Findings, redis: Redis, shards: int) -> None:
    """Check that no deadline, place, waiting call, unread entry, or unowned key without a TTL is left."""
    names = [keys.shard_name(index) for index in range(shards)]
    for shard in names:
        left: Any = await redis.zrange(keys.deadlines_key(shard), 0, -1, withscores=True)
        for game_id, deadline in left:
            found.breach("deadline left over", f"{game_id!r} at {deadline}")
    for group in ("projector", "boards"):
        lag = await Feed(redis, names, group, owner="audit").lag()
        if lag.entries:
            found.breach("feed not read", f"{group}: {lag.entries} entries, {lag.ms} ms")
    count = 0
    async for key in redis.scan_iter(match="*", count=1000):
        count += 1
        name, ttl = key.decode(), await redis.pttl(key)
        if ttl == -1 and not any(part in name for part in KEYS_FOR_EVER):
            found.breach("key without an end", name)
        if ":place:" in name:
            found.breach("place still taken", f"{name}: {await redis.smembers(key)}")
        if ":aside:" in name:
            found.breach("set aside", f"{name}: {await redis.xlen(key)}")
        if name.endswith(":inflight") or ":ready:" in name:
            found.breach("not sent", name)
    found.figures["Redis keys at the end"] = count


def recovered(taps: Sequence[Tap], moment: float, *, limit: float = 60.0) -> float | None:
    """Return the seconds from a monotonic time to the first "done" after it, or None."""
    after = [tap.answered - moment for tap in taps if tap.done and moment < tap.answered < moment + limit]
    return min(after, default=None)


def as_json(found: Findings) -> Mapping[str, Any]:
    """Return the findings as JSON."""
    return {"figures": found.figures, "breaches": found.breaches}


async def ended_everywhere(dsn: str) -> bool:
    """Return whether every game has an end in PostgreSQL."""
    connection = await asyncpg.connect(dsn)
    try:
        left: int = await connection.fetchval("SELECT count(*) FROM games WHERE ended_at IS NULL")
    finally:
        await connection.close()
    return left == 0
