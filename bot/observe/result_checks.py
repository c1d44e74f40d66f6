"""Rechecks of the results of ended games, in every worker, and counts of how games end.

Each worker of each version checks every result, so that two versions side by side also check each other. Taps do not
wait for this: the events are read from PostgreSQL after the game has ended.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, get_args

import asyncpg
import msgspec
from loguru import logger

from fsm.kind import Instant
from fsm.registry import KINDS
from handlers.kinds.recheck import Facts, standings_of
from handlers.kinds.registry import FACES
from storage.archive import Archive, Result
from storage.connections import POSTGRES_GONE
from storage.leases import jitter
from storage.set_aside import SetAside

EVERY_SECONDS = 5.0
AGAIN_MS = 60_000
"""Time before the latest end that is read again: games are not stored in the order of their ends."""
MOST_ENDED = 1000
"""Games that one look reads at most, the latest ones."""
MOST_CHECKED = 50
"""Games that one look checks at most; all are counted. Telegram's limits allow far fewer to end in five seconds."""
MOST_EVENTS = 20_000
"""Events of a game beyond which its result is not checked."""
AWAY = (*POSTGRES_GONE, asyncpg.PostgresError)

Verdict = Literal["right", "wrong", "unchecked"]
Recheck = Callable[[Facts], Sequence[str]]
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class ResultChecks:
    """The checks of one process.

    Args:
        archive: PostgreSQL.
        since: the time from which games are checked.
        aside: records games that cannot be checked.
        rechecks: kind -> its recheck; by default those of all kinds.
    """

    def __init__(
        self, archive: Archive, since: Instant, aside: SetAside, rechecks: Mapping[str, Recheck] | None = None
    ) -> None:
        self.checked: Counter[tuple[str, Verdict]] = Counter()
        """Checked results by kind and verdict."""
        self.ended: Counter[tuple[str, str]] = Counter()
        """Ended games by kind and outcome."""
        self.wrong: list[str] = []
        """The games with wrong results, the first ``MOST_ENDED`` of them."""
        self._archive = archive
        self._aside = aside
        self._rechecks = _of_faces() if rechecks is None else rechecks
        # Prometheus sees no increase in a counter whose first value is 1.
        self.checked.update(dict.fromkeys(((kind, verdict) for kind in KINDS for verdict in get_args(Verdict)), 0))
        self._latest = since
        self._seen: OrderedDict[str, None] = OrderedDict()

    async def keep(self) -> None:
        """Check the games that end, until cancelled."""
        while True:
            try:
                await self.look()
            except AWAY as problem:
                logger.debug("cannot check results yet: {}", type(problem).__name__)
            except Exception as bug:  # noqa: BLE001 -- a bug in a check must not stop the process
                self._aside.add("result checks", "all", bug)
            await asyncio.sleep(jitter(EVERY_SECONDS))

    async def look(self) -> None:
        """Count and check the games that have ended since the last look. Raises one of ``AWAY``."""
        ended = await self._archive.ended_since(self._latest - AGAIN_MS, MOST_ENDED)
        fresh = [game for game in ended if game[1] not in self._seen]
        for number, (at, game_id, kind, outcome) in enumerate(fresh):
            self._latest = max(self._latest, at)
            self._seen[game_id] = None
            self.ended[kind, outcome] += 1
            if number < MOST_CHECKED:
                self.checked[kind, await self._checked(game_id, kind)] += 1
        while len(self._seen) > 2 * MOST_ENDED:
            self._seen.popitem(last=False)

    async def _checked(self, game_id: str, kind: str) -> Verdict:
        recheck = self._rechecks.get(kind)
        events = await self._archive.timeline(game_id, MOST_EVENTS)
        if recheck is None or not events or len(events) == MOST_EVENTS:
            return "unchecked"
        results = await self._archive.results([game_id])
        try:
            # In a thread, because a game of many players takes longer than a tap may wait.
            mistakes = await asyncio.to_thread(_mistakes, recheck, [(each.name, each.data) for each in events], results)
        except Exception as bug:  # noqa: BLE001 -- events of another version may have another form
            self._aside.add("result checks", game_id, bug)
            return "unchecked"
        if mistakes:
            if len(self.wrong) < MOST_ENDED:
                self.wrong.append(game_id)
            logger.bind(game=game_id).error("the result of a game is wrong: {}", "; ".join(mistakes[:5]))
        return "wrong" if mistakes else "right"


def _of_faces() -> dict[str, Recheck]:
    return {kind: face.recheck for kind, face in FACES.items() if face.recheck is not None}


def _mistakes(recheck: Recheck, events: Sequence[tuple[str, bytes]], results: Sequence[Result]) -> list[str]:
    facts = [(name, _decode(data)) for name, data in events]
    versions_of_end = [index for index, (name, _) in enumerate(facts) if name in {"game_completed", "game_cancelled"}]
    mistakes = [] if versions_of_end == [len(facts) - 1] else ["the game does not end once, with its last event"]
    return [*mistakes, *recheck(facts), *_stored(standings_of(facts) or [], results)]


def _stored(standings: Sequence[Mapping[str, Any]], results: Sequence[Result]) -> list[str]:
    """Compare the rows of the results with the standings.

    Erased people have aliases, below zero, in the rows. People who left a quiz without points have no place, and no
    row.
    """
    due = {
        each["player_id"]: (
            each.get("place"), Decimal(each.get("prize", 0)), each.get("number"), each.get("points", 0),
        )
        for each in standings
    }  # fmt: skip
    have = {each.player_id: (each.place, each.prize, each.number, each.points) for each in results}
    wrong = [player for player in due.keys() & have.keys() if due[player] != have[player]]
    erased = any(player < 0 for player in have)
    if not erased and standings:
        wrong += have.keys() - due.keys()
        wrong += [player for player in due.keys() - have.keys() if due[player][0] is not None]
    return [f"the stored results of players {sorted(wrong)}"] if wrong else []
