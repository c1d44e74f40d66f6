"""Games in every phase, played by the rules, with ordinary and hostile names."""

import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from fsm.kind import Host
from fsm.lobby import Cancel
from fsm.pick_number import DRAWING, Beacon, PickNumber, PickNumberGame
from tests.support.games import HOST, OPENED, PICK_NUMBER, Script

HOSTILE = (
    "<b>",
    "Eve <3 & co",
    "_x_",
    "مرحبا بالعالم",
    "\u202eevil\u202c",
    "\u2069\u2069\u2066broken",
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324a\u0363\u0363\u0363\u0363\u0363lgo" * 2,
    "👩‍👩‍👧‍👦" * 6,
    "🇩🇪" * 16,
    "line\nline\r\nline\tline",
    "\u200b\u200b\u2060",
    "ㅤ",
    "@durov",
    "http://spam.example/win",
    "/cancel_game",
    "#hash $USD",
    "&lt;i&gt;",
    "</b></code>",
    "😀" * 32,
    "W" * 64,
    "\ud83d lone",
    "{ $deadline }",
    "Анна-Мария Константинопольская-Задунайская из Нижнего Новгорода",
)


SCRIPT: Script[PickNumberGame] = replace(PICK_NUMBER, defaults={"max_players": 1000, "max_number": 10_000})
do, due, rules = SCRIPT.do, SCRIPT.due, SCRIPT.rules


def opened(title: str = "Friday draw", host: str = "Hana", **changes: Any) -> PickNumberGame:
    """Return a game that waits for players."""
    return do(None, SCRIPT.opening(title=title, host=Host(HOST.id, host), **changes))


def playing(count: int, names: Sequence[str] = ("Ann", "Bob", "Cy", "Dee"), **changes: Any) -> PickNumberGame:
    """Return a game in which ``count`` players, 1 and up, have a board and no number yet."""
    *_, state = SCRIPT.joined(opened(**changes), count, names)
    return SCRIPT.started(state)


def every_phase(
    count: int, names: Sequence[str] = HOSTILE, *, missing: int = 1, **changes: Any
) -> list[PickNumberGame]:
    """Return the states of a whole game, one after each step; all but ``missing`` players pick."""
    state = opened(title=names[0][:64], host=names[1], **changes)
    states = [state]
    for player, state in enumerate(SCRIPT.joined(states[0], count, names), start=1):
        if player in {1, 2, count}:
            states.append(state)
    if (begun := SCRIPT.started(state)) is not state:
        states.append(state := begun)
    states.append(do(state, Cancel(None, "<operator> said so")))
    numbers = random.Random(7).sample(range(1, state.highest + 1), count)
    for player in range(1, count + 1 - missing):
        state = do(state, PickNumber(player, numbers[player - 1]))
        if player in {1, count - missing}:
            states.append(state)
    if state.phase != DRAWING:
        states.append(state := due(state))
    while state.deadline is not None:
        states.append(state := due(state))
    return states


def with_beacon(count: int = 5) -> list[PickNumberGame]:
    """Return the states of a game whose beacon never publishes its round."""
    beacon = Beacon("52db" * 16, OPENED, 3000, 10_000)
    return every_phase(count, beacon=beacon)


def all_games() -> list[PickNumberGame]:
    """Return games small and huge, in both modes, in every phase."""
    prize: dict[str, Any] = {"prize_pool": Decimal("1234567.89"), "winners": 3}
    games = [
        state
        for played in (
            every_phase(3),
            every_phase(5, mode="reverse", **prize),
            every_phase(100, missing=40, winners=10, prize_pool=Decimal("0.00000007")),
            every_phase(100, missing=40, mode="reverse", absent="auto", winners=10, prize_pool=Decimal(10**12)),
            every_phase(1000, missing=300, max_number=10_000, winners=10, split="equal", prize_pool=Decimal("9999.99")),
            every_phase(200, missing=0, numbers=10_000, mode="reverse"),
            with_beacon(),
            [opened(title="")],
        )
        for state in (*played[:-5:3], *played[-5:])
    ]
    return [*games, *(replace(game, cancel_reason="lobby_expired") for game in games if game.phase == "cancelled")]
