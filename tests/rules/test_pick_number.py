"""Selection, the draw and the result, of one game at a time."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from fsm import draw
from fsm.kind import Command, Event, NotNow, TooLate
from fsm.lobby import (
    MAX_WAIT,
    Cancel,
    DeadlineExtended,
    DeadlinePassed,
    Extend,
    GameCancelled,
    GameCompleted,
    Join,
    Leave,
    NotInGame,
    PlayerRemoved,
    Remove,
    Standing,
    StartNow,
)
from fsm.pick_number import (
    KIND,
    LONGEST_PAUSE,
    AlreadyYours,
    Beacon,
    BeaconSignal,
    DrawSealed,
    NumberOutOfRange,
    NumberPicked,
    NumbersDrawn,
    NumbersShown,
    NumberTaken,
    PickNumber,
    PickNumberGame,
    PickNumberRules,
    PublishBeacon,
    SelectionClosed,
    SelectionOpened,
    is_void,
    prove,
)
from tests.rules.given_when_then import (
    CLOSING,
    OPENED,
    REVEAL,
    SELECTING,
    SELECTION,
    given,
    last_call,
    play,
    selecting,
    total,
    waiting,
)
from tests.support.games import GAME
from tests.support.spec import SEED

NOW = SELECTING + 1_000
CHAIN = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
BEACON = Beacon(
    CHAIN, genesis_at=SELECTING - 10_000, period_ms=3_000, wait_ms=10_000, public_key="ab" * 96, lead_ms=15_000
)
ROUND = BEACON.round_for(NOW)
DUE = BEACON.due(ROUND)


def signal(round_: int, chain: str = CHAIN) -> BeaconSignal:
    signature = hashlib.sha256(f"{chain} {round_}".encode()).hexdigest() * 2
    return BeaconSignal(chain, round_, hashlib.sha256(bytes.fromhex(signature)).hexdigest(), signature)


def shown_to_the_end(state: PickNumberGame) -> PickNumberGame:
    """Return the state after all ticks of the show."""
    for _ in range(50):
        if state.deadline is None:
            return state
        state = play(state, DeadlinePassed(state.deadline), state.deadline)
    raise AssertionError("a show has few frames")


# -- the range


@pytest.mark.parametrize(
    ("players", "rules", "highest"),
    [
        (2, {}, 10),
        (3, {}, 15),
        (2, {"range_multiplier": Decimal(1)}, 7),
        (5, {"range_multiplier": Decimal(2)}, 10),
        (6, {"range_multiplier": Decimal(2)}, 12),
        (5, {"range_multiplier": Decimal("2.01")}, 11),
        (3, {"range_multiplier": Decimal("2.7")}, 9),
        (100, {}, 500),
        (100, {"max_number": 200}, 200),
        (4, {"max_number": 4}, 4),
        (3, {"numbers": 3}, 3),
        (3, {"numbers": 5000, "max_number": 10}, 5000),
    ],
)
def test_the_range_is_players_times_the_multiplier_but_at_least_five_more_than_players(
    players: int, rules: dict[str, object], highest: int
) -> None:
    assert PickNumberRules(**rules).highest(players) == highest  # type: ignore[arg-type]


def test_the_range_is_fixed_when_selection_opens_and_the_draw_is_committed_to() -> None:
    now = OPENED + 100
    state = given(last_call(1, 2, 3)).when(StartNow(900), now).then_these(SelectionOpened)
    assert (state.highest, state.seed, state.deadline) == (15, SEED, now + SELECTION)
    assert state.commitment == hashlib.sha256(state.statement.encode()).hexdigest()
    assert KIND.view(state, 1).seed is None
    assert KIND.view(state, 1).statement == state.statement


# -- picking


@pytest.mark.parametrize("number", [1, 10])
def test_a_player_takes_a_free_number_of_the_range(number: int) -> None:
    state = given(selecting(2)).when(PickNumber(1, number), NOW).then(NumberPicked(1, number))
    assert (dict(state.owners), dict(state.picks)) == ({number: 1}, {1: number})


@pytest.mark.parametrize("number", [0, -1, 11, 10**30])
def test_a_number_outside_the_range_is_refused(number: int) -> None:
    given(selecting(2)).when(PickNumber(1, number), NOW).refused(NumberOutOfRange(number=number, highest=10))


def test_a_number_belongs_to_one_player_at_most() -> None:
    given(selecting(2, {1: 7})).when(PickNumber(2, 7), NOW).refused(NumberTaken(number=7))


def test_ones_own_number_is_not_taken_again() -> None:
    given(selecting(2, {1: 7})).when(PickNumber(1, 7), NOW).refused(AlreadyYours(number=7))


def test_a_player_moves_and_the_number_left_is_free_for_others() -> None:
    state = given(selecting(3, {1: 7})).when(PickNumber(1, 8), NOW).then(NumberPicked(1, 8))
    assert (dict(state.owners), dict(state.picks)) == ({8: 1}, {1: 8})
    assert play(state, PickNumber(2, 7), NOW).owners == {8: 1, 7: 2}


def test_only_players_pick() -> None:
    given(selecting(2)).when(PickNumber(9, 7), NOW).refused(NotInGame())
    given(selecting(3), PlayerRemoved(3, 900)).when(PickNumber(3, 7), NOW).refused(NotInGame())


@pytest.mark.parametrize(
    ("events", "phase"), [(waiting(1), "waiting_for_players"), (last_call(1, 2), "players_joining")]
)
def test_nobody_picks_before_selection(events: tuple[Event, ...], phase: str) -> None:
    given(events).when(PickNumber(1, 1), OPENED + 5).refused(NotNow("pick-number", phase))


def test_a_pick_received_at_the_deadline_is_too_late_even_where_the_timer_is_late() -> None:
    given(selecting(2)).when(PickNumber(1, 7), CLOSING - 1).then(NumberPicked(1, 7))
    given(selecting(2)).when(PickNumber(1, 7), CLOSING).refused(TooLate())
    given(selecting(2, {2: 3})).when(PickNumber(1, 7), CLOSING + 60_000).refused(TooLate())


def test_a_pick_within_an_extension_is_in_time() -> None:
    extended = given(selecting(2), DeadlineExtended(CLOSING + 5_000, 900))
    extended.when(PickNumber(1, 7), CLOSING + 4_999).then(NumberPicked(1, 7))
    extended.when(PickNumber(1, 7), CLOSING + 5_000).refused(TooLate())


def test_the_last_pick_closes_selection_and_draws_at_once() -> None:
    state = (
        given(selecting(2, {1: 7})).when(PickNumber(2, 8), NOW).then_these(NumberPicked, SelectionClosed, NumbersDrawn)
    )
    assert (state.phase, state.deadline, state.absent) == ("drawing", NOW + REVEAL, ())


def test_a_player_who_moves_does_not_close_selection_for_those_who_have_not_picked() -> None:
    given(selecting(3, {1: 7, 2: 8})).when(PickNumber(1, 9), NOW).then(NumberPicked(1, 9))


# -- removing while selecting


def test_a_removed_players_number_is_free_again() -> None:
    state = given(selecting(3, {1: 7})).when(Remove(1, 900), NOW).then(PlayerRemoved(1, 900))
    assert (dict(state.owners), dict(state.picks), list(state.players)) == ({}, {}, [2, 3])
    assert play(state, PickNumber(2, 7), NOW).owners == {7: 2}


def test_removing_the_only_one_who_had_not_picked_closes_selection() -> None:
    state = (
        given(selecting(3, {1: 7, 2: 8}))
        .when(Remove(3, 900), NOW)
        .then_these(PlayerRemoved, SelectionClosed, NumbersDrawn)
    )
    assert (state.phase, dict(state.owners)) == ("drawing", {7: 1, 8: 2})


def test_the_range_does_not_shrink_with_the_players() -> None:
    state = given(selecting(3)).when(Remove(3, 900), NOW).state
    assert state.highest == 15


def test_removing_everybody_cancels_the_game_as_nobody_has_picked() -> None:
    given(selecting(2), PlayerRemoved(1, 900)).when(Remove(2, 900), NOW).then(
        PlayerRemoved(2, 900), GameCancelled("nobody_picked", None, NOW)
    )


def test_only_a_player_is_removed_and_only_in_time() -> None:
    given(selecting(2)).when(Remove(9, 900), NOW).refused(NotInGame())
    given(selecting(2)).when(Remove(1, 900), CLOSING).refused(TooLate())
    drawing = given(selecting(2, {1: 7})).when(PickNumber(2, 8), NOW).state
    replace(given(), past=drawing).when(Remove(1, 900), NOW + 1).refused(NotNow("remove", "drawing"))


# -- selection runs out


def test_nobody_picked_and_the_game_is_cancelled() -> None:
    given(selecting(2)).when(DeadlinePassed(CLOSING), CLOSING).then(GameCancelled("nobody_picked", None, CLOSING))


def test_the_absent_are_dropped() -> None:
    state = given(selecting(3, {2: 8})).when(DeadlinePassed(CLOSING), CLOSING).then_these(SelectionClosed, NumbersDrawn)
    assert (state.absent, dict(state.assigned), dict(state.owners)) == ((1, 3), {}, {8: 2})
    ended = shown_to_the_end(state)
    assert ended.standings == (
        Standing(2, "P2", place=1, prize=Decimal("0.00"), number=8),
        Standing(1, "P1"),
        Standing(3, "P3"),
    )


@pytest.mark.parametrize("picks", [{2: 8}, {}])
def test_the_absent_get_random_free_numbers(picks: dict[int, int]) -> None:
    events = selecting(3, picks, absent="auto", winners=3)
    state = given(events).when(DeadlinePassed(CLOSING), CLOSING).then_these(SelectionClosed, NumbersDrawn)
    assert state.absent == tuple(player for player in (1, 2, 3) if player not in picks)
    assert set(state.assigned) == set(state.absent)
    assert len(state.owners) == 3
    assert {number: player for player, number in state.picks.items()} == state.owners
    assert all(1 <= number <= 15 for number in state.owners)
    assert sorted(s.place or 0 for s in shown_to_the_end(state).standings) == [1, 2, 3]


def test_the_absent_get_numbers_even_where_the_range_has_just_enough() -> None:
    events = selecting(3, {2: 2}, absent="auto", numbers=3)
    state = given(events).when(DeadlinePassed(CLOSING), CLOSING).state
    assert sorted(state.owners) == [1, 2, 3]


def test_those_who_picked_are_never_absent() -> None:
    events = selecting(2, {1: 7}, absent="auto")
    state = given(events).when(PickNumber(2, 8), NOW).state
    assert (state.absent, dict(state.assigned)) == ((), {})


# -- the draw and its show


def test_normal_mode_draws_until_the_winners_numbers_have_come_in_the_order_of_the_places() -> None:
    picks = {player: player * 3 for player in range(1, 6)}
    events = selecting(5, picks, winners=3, prize_pool=Decimal(100), split="equal", absent="drop")
    state = given(events, PlayerRemoved(5, 900)).when(PickNumber(4, 20), NOW).state
    drawn = state.drawn
    assert drawn is not None
    hits = [number for number in drawn if number in state.owners]
    assert (len(hits), drawn[-1]) == (3, hits[-1])
    full = draw.order(GAME, 25, state.owners, SEED)
    assert drawn == full[: len(drawn)]
    ended = shown_to_the_end(state)
    assert [(s.number, s.place) for s in ended.standings[:3]] == list(zip(hits, (1, 2, 3), strict=True))
    assert [s.prize for s in ended.standings] == [Decimal("33.34"), Decimal("33.33"), Decimal("33.33"), Decimal(0)]


def test_reverse_mode_eliminates_and_the_last_standing_is_first() -> None:
    state = given(selecting(4, {1: 3, 2: 6, 3: 9}, mode="reverse", winners=3)).when(PickNumber(4, 12), NOW).state
    drawn = state.drawn
    assert drawn is not None
    eliminated = [state.owners[number] for number in drawn if number in state.owners]
    assert len(eliminated) == 3
    standing = ({1, 2, 3, 4} - set(eliminated)).pop()
    ended = shown_to_the_end(state)
    assert [s.player_id for s in ended.standings] == [standing, *reversed(eliminated)]
    assert [s.place for s in ended.standings] == [1, 2, 3, None]


@pytest.mark.parametrize("mode", ["normal", "reverse"])
@pytest.mark.parametrize("entries", [1, 2, 3, 10, 12])
@pytest.mark.parametrize("winners", range(1, 11))
def test_the_draw_always_produces_the_winners_that_there_can_be(mode: str, entries: int, winners: int) -> None:
    picks = {player: player for player in range(1, entries + 1)}
    events = selecting(13, picks, mode=mode, winners=winners, prize_pool=Decimal("77.77"))
    ended = shown_to_the_end(given(events).when(DeadlinePassed(CLOSING), CLOSING).state)
    places = [standing.place for standing in ended.standings if standing.place is not None]
    assert places == list(range(1, min(entries, winners) + 1))
    assert len(ended.standings) == 13
    assert total(standing.prize for standing in ended.standings) == Decimal("77.77")


def test_the_show_goes_on_frame_by_frame_and_then_the_result_comes() -> None:
    now = NOW
    state = given(selecting(4, {1: 3, 2: 6, 3: 9}, mode="reverse")).when(PickNumber(4, 12), now).state
    shown = []
    while state.phase == "drawing":
        deadline = state.deadline
        assert deadline == now + REVEAL
        now = deadline
        given_now = replace(given(), past=state)
        given_now.when(DeadlinePassed(deadline - 1), now).nothing()
        given_now.when(DeadlinePassed(deadline), now - 1).nothing()
        state = given_now.when(DeadlinePassed(deadline), now).state
        shown.append(state.shown)
    assert shown[:-1] == sorted(set(shown))
    assert shown[-2:] == [len(state.drawn or ())] * 2
    assert (state.phase, state.ended_at, state.deadline) == ("completed", now, None)


def test_a_repeated_tick_of_the_show_does_nothing() -> None:
    state = given(selecting(3, {1: 3, 2: 6}, mode="reverse")).when(PickNumber(3, 9), NOW).state
    assert state.deadline is not None
    tick = DeadlinePassed(state.deadline)
    after = replace(given(), past=state).when(tick, state.deadline).then_these(NumbersShown)
    replace(given(), past=after).when(tick, state.deadline + 10 * REVEAL).nothing()


def test_a_show_without_pauses_still_ends() -> None:
    state = given(selecting(3, {1: 3, 2: 6}, mode="reverse", reveal_ms=0)).when(PickNumber(3, 9), NOW).state
    assert shown_to_the_end(state).ended_at == NOW


def test_a_lone_entry_wins_without_a_draw_in_reverse_mode() -> None:
    events = selecting(2, {1: 3}, mode="reverse", winners=2, prize_pool=Decimal(5))
    state = given(events).when(DeadlinePassed(CLOSING), CLOSING).then_these(SelectionClosed, NumbersDrawn)
    assert state.drawn == ()
    ended = (
        replace(given(), past=state).when(DeadlinePassed(CLOSING + REVEAL), CLOSING + REVEAL).then_these(GameCompleted)
    )
    assert ended.standings[0] == Standing(1, "P1", place=1, prize=Decimal("5.00"), number=3)


@pytest.mark.parametrize("reason", ["host", "operator", "bot_removed"])
def test_nobody_stops_a_draw_whose_numbers_are_drawn(reason: str) -> None:
    state = given(selecting(2, {1: 7})).when(PickNumber(2, 8), NOW).state
    replace(given(), past=state).when(Cancel(None, reason), NOW + 5).refused(DrawSealed())


def test_nothing_happens_in_a_completed_game() -> None:
    ended = shown_to_the_end(given(selecting(2, {1: 7})).when(PickNumber(2, 8), NOW).state)
    over = replace(given(), past=ended)
    over.when(DeadlinePassed(NOW), NOW + 10 * REVEAL).nothing()
    over.when(PickNumber(1, 9), NOW).refused(NotNow("pick-number", "completed"))
    over.when(Cancel(900, "host"), NOW).refused(NotNow("cancel", "completed"))
    over.when(PublishBeacon(signal(1)), NOW).refused(NotNow("publish-beacon", "completed"))


# -- views


def test_a_view_has_neither_seed_nor_the_draws_to_come_until_the_game_is_over() -> None:
    state = given(selecting(4, {1: 3, 2: 6, 3: 9}, mode="reverse")).when(PickNumber(4, 12), NOW).state
    while state.phase == "drawing":
        seen = KIND.view(state, 1)
        assert seen.seed is None
        assert seen.drawn == (state.drawn or ())[: state.shown]
        assert seen.standings == ()
        assert state.deadline is not None
        state = play(state, DeadlinePassed(state.deadline), state.deadline)
    assert KIND.view(state, None) == state
    assert state.seed == SEED


def test_what_was_not_drawn_stays_undrawn_in_a_view() -> None:
    assert KIND.view(given(selecting(2)).state, None).drawn is None


# -- the beacon


def beaconed(picks: dict[int, int], **rules: object) -> PickNumberGame:
    """Return two players' game whose selection closed at ``NOW`` and which waits for the beacon."""
    events = selecting(2, picks, beacon=BEACON, **rules)
    return given(events).when(PickNumber(2, 8), NOW).then_these(NumberPicked, SelectionClosed)


@pytest.mark.parametrize(
    ("moment", "round_"),
    [
        (BEACON.genesis_at - 50_000, 1),
        (BEACON.genesis_at - 1, 1),
        (BEACON.genesis_at, 2),
        (BEACON.genesis_at + 2_999, 2),
        (BEACON.genesis_at + 3_000, 3),
    ],
)
def test_the_round_awaited_is_the_first_that_is_published_after_the_moment(moment: int, round_: int) -> None:
    assert BEACON.round_after(moment) == round_
    published = BEACON.genesis_at + (round_ - 1) * BEACON.period_ms
    assert published > moment


@pytest.mark.parametrize("period", [1, 3_000, 30_000])
@pytest.mark.parametrize("lead", [0, 1, 15_000, 60_000])
@pytest.mark.parametrize("moment", range(NOW, NOW + 31_000, 777))
def test_the_round_lies_ahead_by_the_lead_and_by_a_period_at_least(moment: int, lead: int, period: int) -> None:
    beacon = replace(BEACON, period_ms=period, lead_ms=lead)
    ahead = beacon.due(beacon.round_for(moment)) - moment
    assert max(lead, period) < ahead <= max(lead, period) + period


def test_with_a_beacon_the_draw_waits_from_when_the_round_is_due() -> None:
    state = beaconed({1: 7})
    assert (state.phase, state.drawn, state.deadline) == ("drawing", None, DUE + BEACON.wait_ms)
    assert (state.beacon_round, state.closed_at) == (ROUND, NOW)
    assert KIND.view(state, None).seed is None


def test_a_round_of_a_slow_chain_is_waited_for_although_its_period_is_longer_than_the_wait() -> None:
    slow = replace(BEACON, period_ms=30_000)
    events = selecting(2, {1: 7}, beacon=slow)
    state = given(events).when(PickNumber(2, 8), NOW).state
    right = signal(slow.round_for(NOW))
    due = slow.due(right.round)
    assert due - NOW > 30_000
    replace(given(), past=state).when(DeadlinePassed(due), due).nothing()
    replace(given(), past=state).when(PublishBeacon(right), due + 500).then_these(NumbersDrawn)


def test_the_awaited_round_is_mixed_into_the_draw() -> None:
    state = beaconed({1: 7})
    right = signal(ROUND)
    drawn = replace(given(), past=state).when(PublishBeacon(right), DUE).then_these(NumbersDrawn)
    assert (drawn.beacon, drawn.deadline) == (right, DUE + REVEAL)
    full = draw.order(GAME, 10, state.owners, SEED, right.randomness)
    assert drawn.drawn == full[: len(drawn.drawn or ())]


def unlike(change: Callable[[BeaconSignal], BeaconSignal]) -> BeaconSignal:
    return change(signal(ROUND))


@pytest.mark.parametrize(
    "wrong",
    [
        signal(ROUND - 1),
        signal(ROUND + 1),
        signal(ROUND, chain="ab" * 32),
        unlike(lambda right: replace(right, randomness="00" * 32)),
        unlike(lambda right: replace(right, randomness="not hex")),
        unlike(lambda right: replace(right, signature="")),
        unlike(lambda right: replace(right, randomness=hashlib.sha256(b"").hexdigest(), signature="")),
        unlike(lambda right: replace(right, signature="not hex")),
        unlike(lambda right: replace(right, randomness=right.randomness.upper())),
    ],
    ids=["early", "late", "other chain", "forged", "garbage", "unsigned", "empty", "garbage signature", "upper case"],
)
def test_another_round_another_chain_or_a_forgery_draws_nothing(wrong: BeaconSignal) -> None:
    replace(given(), past=beaconed({1: 7})).when(PublishBeacon(wrong), DUE).nothing()


def test_without_its_beacon_a_draw_is_void_if_the_rules_say_so() -> None:
    late = DUE + BEACON.wait_ms
    waiting_for_it = replace(given(), past=beaconed({1: 7}, beacon_policy="void"))
    waiting_for_it.when(DeadlinePassed(late), late - 1).nothing()
    void = waiting_for_it.when(DeadlinePassed(late), late).then(GameCancelled("void_beacon", None, late))
    assert is_void(void)
    assert KIND.view(void, None).seed == SEED
    replace(given(), past=void).when(PublishBeacon(signal(ROUND)), late + 1).refused(
        NotNow("publish-beacon", "cancelled")
    )


def test_without_its_beacon_a_draw_waits_a_day_and_is_void_then() -> None:
    state, now, misses = beaconed({1: 7}, beacon_policy="wait"), 0, 0
    while state.deadline is not None:
        assert state.drawn is None
        now = state.deadline
        state = play(state, DeadlinePassed(now), now)
        misses += 1
    assert is_void(state)
    assert DUE + MAX_WAIT <= now <= DUE + MAX_WAIT + LONGEST_PAUSE
    assert misses < 50


def test_a_beacon_that_comes_late_still_draws_while_the_game_waits() -> None:
    state = beaconed({1: 7}, beacon_policy="wait")
    missed = play(state, DeadlinePassed(DUE + BEACON.wait_ms), DUE + BEACON.wait_ms)
    drawn = replace(given(), past=missed).when(PublishBeacon(signal(ROUND)), DUE + 15_000).then_these(NumbersDrawn)
    assert shown_to_the_end(drawn).phase == "completed"


@pytest.mark.parametrize("reason", ["host", "bot_removed"])
@pytest.mark.parametrize("beacon", [None, BEACON])
def test_once_picking_is_over_neither_a_host_nor_throwing_the_bot_out_stops_the_draw(
    beacon: Beacon | None, reason: str
) -> None:
    state = given(selecting(2, {1: 7}, beacon=beacon)).when(PickNumber(2, 8), NOW).state
    replace(given(), past=state).when(Cancel(900, reason), NOW + 1).refused(DrawSealed())


def test_an_operator_ends_a_draw_that_waits_for_its_beacon_as_void() -> None:
    state = beaconed({1: 7})
    void = (
        replace(given(), past=state)
        .when(Cancel(5, "operator"), NOW + 1)
        .then(GameCancelled("void_operator", 5, NOW + 1))
    )
    assert prove(void)["reason"] == "operator"
    assert prove(void)["seed"] == SEED


def test_nothing_changes_the_entries_once_picking_is_over() -> None:
    over = replace(given(), past=beaconed({1: 7}))
    for command in (PickNumber(1, 3), Join(9, "x"), Leave(1), Remove(1, 900), Extend(900, 1000), StartNow(900)):
        assert isinstance(over.when(command, NOW + 1).refusal, NotNow)


def test_a_beacon_comes_once() -> None:
    right = PublishBeacon(signal(ROUND))
    drawn = replace(given(), past=beaconed({1: 7})).when(right, DUE).state
    replace(given(), past=drawn).when(right, DUE + 1).nothing()


def test_a_game_without_a_beacon_ignores_one() -> None:
    state = given(selecting(2, {1: 7})).when(PickNumber(2, 8), NOW).state
    replace(given(), past=state).when(PublishBeacon(signal(1)), NOW + 1).nothing()


@pytest.mark.parametrize("command", [PublishBeacon(signal(1))])
def test_a_beacon_is_not_awaited_before_selection_has_closed(command: Command) -> None:
    given(selecting(2)).when(command, NOW).refused(NotNow("publish-beacon", "number_selection"))
