"""Random games by Hypothesis, with all invariants checked after each step."""

import hashlib
from decimal import Decimal
from typing import Any

from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from fsm.kind import Command, Event, Rejected
from fsm.lobby import Cancel, DeadlinePassed, Extend, Join, Leave, MoveChat, OpenGame, Remove, StartNow
from fsm.pick_number import (
    KIND,
    Beacon,
    BeaconSignal,
    PickNumber,
    PickNumberGame,
    PickNumberRules,
    PublishBeacon,
    is_void,
)
from fsm.showing import BoardShown
from tests.rules.given_when_then import GAME, HOST, OPENED, PLACE
from tests.rules.invariants import check_proof, check_replay, check_result, check_state, end_by_itself
from tests.support.spec import SEED, check_edges

CHAIN = "cd" * 32
BEACON = Beacon(CHAIN, genesis_at=OPENED, period_ms=3_000, wait_ms=10_000, public_key="ab" * 96, lead_ms=15_000)
PLAYERS = st.integers(1, 8)


@st.composite
def any_rules(draw: st.DrawFn) -> PickNumberRules:
    """Draw rules that a host may set, preferring small ones."""
    least = draw(st.integers(2, 4))
    winners = draw(st.integers(1, 10))
    split = draw(st.sampled_from(["auto", "equal", "percentages"]))
    rules = PickNumberRules(
        mode=draw(st.sampled_from(["normal", "reverse"])),
        winners=winners,
        prize_pool=draw(st.decimals(0, 10**6, places=draw(st.integers(0, 8)))),
        split=split,
        percentages=tuple([Decimal(1)] * (winners - 1) + [Decimal(101 - winners)]) if split == "percentages" else (),
        absent=draw(st.sampled_from(["drop", "auto"])),
        min_players=least,
        max_players=draw(st.integers(least, 8)),
        reveal_ms=draw(st.sampled_from([0, 1, 2_000])),
        show_wait_ms=draw(st.sampled_from([0, 1, 90_000])),
        range_multiplier=draw(st.sampled_from([Decimal(1), Decimal("1.3"), Decimal(5)])),
        max_number=draw(st.integers(least, 30)),
        numbers=draw(st.none() | st.integers(least, 30)),
        beacon=draw(st.none() | st.just(BEACON)),
        beacon_policy=draw(st.sampled_from(["wait", "void"])),
    )
    rules.check()
    return rules


class AnyGame(RuleBasedStateMachine):
    """One game, and every action of people, timers, beacons and operators on it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = OPENED
        self.events: tuple[Event, ...] = ()
        self.done: list[Command] = [DeadlinePassed(OPENED)]
        self.deadlines = {OPENED}
        self.state: PickNumberGame

    @initialize(rules=any_rules())
    def open(self, rules: PickNumberRules) -> None:
        self.events = KIND.decide(None, OpenGame("pick_number", GAME, PLACE, HOST, "x", rules), self.now, SEED)
        self.state = KIND.fold(None, self.events)

    def do(self, command: Command) -> None:
        """Execute the command now, and check its result."""
        self.done.append(command)
        try:
            events = KIND.decide(self.state, command, self.now, hashlib.sha256(str(self.now).encode()).hexdigest())
        except Rejected:
            return
        check_edges(KIND, self.state, command, events)
        self.state = KIND.fold(self.state, events)
        self.events += events
        if self.state.deadline is not None:
            self.deadlines.add(self.state.deadline)

    @rule(player=PLAYERS)
    def join(self, player: int) -> None:
        self.do(Join(player, f"P{player}"))

    @rule(first=st.integers(1, 3), count=st.integers(2, 6))
    def several_join(self, first: int, count: int) -> None:
        for player in range(first, first + count):
            self.do(Join(player, f"P{player}"))

    @rule(player=PLAYERS)
    def leave(self, player: int) -> None:
        self.do(Leave(player))

    @rule(player=PLAYERS)
    def remove(self, player: int) -> None:
        self.do(Remove(player, HOST.id))

    @rule()
    def start_now(self) -> None:
        self.do(StartNow(HOST.id))

    @rule(milliseconds=st.sampled_from([-1, 0, 1, 60_000, 3_600_000, 3_600_001]))
    def extend(self, milliseconds: int) -> None:
        self.do(Extend(HOST.id, milliseconds))

    @rule(player=PLAYERS, number=st.integers(0, 31))
    def pick(self, player: int, number: int) -> None:
        self.do(PickNumber(player, number))

    @rule(index=st.integers(0, 7), number=st.integers(0, 29))
    def a_player_picks_within_the_range(self, index: int, number: int) -> None:
        players = sorted(self.state.players) or [1]
        self.do(PickNumber(players[index % len(players)], number % max(self.state.highest, 1) + 1))

    @rule(spare=st.integers(0, 2))
    def all_but_some_pick(self, spare: int) -> None:
        free = [number for number in range(1, self.state.highest + 1) if number not in self.state.owners]
        for player, number in zip(list(self.state.players)[spare:], free, strict=False):
            self.do(PickNumber(player, number))

    @rule(chat=st.integers(-3, -1))
    def move_chat(self, chat: int) -> None:
        self.do(MoveChat(chat))

    @rule(reason=st.sampled_from(["host", "operator", "bot_removed"]))
    def cancel(self, reason: str) -> None:
        if len(self.done) > 50:  # otherwise few games would live to be drawn
            self.do(Cancel(HOST.id, reason))

    @rule(milliseconds=st.sampled_from([1, 1_000, 30_000]))
    def time_passes(self, milliseconds: int) -> None:
        self.now += milliseconds

    @rule(late=st.sampled_from([-1, 0, 1, 5_000]))
    def the_timer_fires(self, late: int) -> None:
        if self.state.deadline is not None:
            self.now = max(self.now, self.state.deadline + late)
            self.do(DeadlinePassed(self.state.deadline))

    @rule(seconds=st.integers(-1_000, 1_000))
    def the_board_is_shown(self, seconds: int) -> None:
        if self.state.deadline is not None and self.state.to_run is not None:
            to_run, opened = self.state.to_run, self.state.deadline - self.state.rules.show_wait_ms
            self.do(BoardShown(self.state.deadline, self.now + to_run + 1_000 * seconds))
            assert opened + to_run <= (self.state.deadline or 0) <= max(self.now, opened) + to_run

    @rule(data=st.data())
    def an_old_timer_fires(self, data: st.DataObject) -> None:
        before = self.state
        deadline = data.draw(st.sampled_from(sorted(self.deadlines)))
        self.do(DeadlinePassed(deadline))
        assert self.state == before or deadline == before.deadline

    @rule(off=st.sampled_from([0, 0, 0, 1, -1]), forged=st.booleans())
    def the_beacon_speaks(self, off: int, *, forged: bool) -> None:
        round_ = (self.state.beacon_round or 1) + off
        signature = hashlib.sha384(str(round_).encode()).hexdigest()
        randomness = "00" * 32 if forged else hashlib.sha256(bytes.fromhex(signature)).hexdigest()
        self.do(PublishBeacon(BeaconSignal(CHAIN, round_, randomness, signature)))

    @rule(data=st.data())
    def a_command_comes_again(self, data: st.DataObject) -> None:
        self.do(data.draw(st.sampled_from(self.done[-10:])))

    @invariant()
    def what_must_hold_holds(self) -> None:
        check_state(self.state)

    def teardown(self) -> None:
        if not self.events:
            return
        events = (*self.events, *end_by_itself(self.state))
        ended = KIND.fold(None, events)
        check_replay(events, ended)
        check_replay(self.events, self.state)
        event(f"left in {self.state.phase}, ended {ended.phase}")
        if ended.phase == "completed":
            check_result(ended)
        elif is_void(ended):
            check_proof(ended)


AnyGame.TestCase.settings = settings(max_examples=120, stateful_step_count=50, deadline=None)
TestAnyGame: Any = AnyGame.TestCase
