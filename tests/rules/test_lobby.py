"""Opening, joining, leaving, starting, extending, cancelling."""

from dataclasses import replace
from decimal import Decimal

import pytest

from fsm.kind import ChatTopic, Command, Event, NotNow, Player, TooLate, UnknownGame
from fsm.lobby import (
    AlreadyJoined,
    BadExtension,
    BadRule,
    BadTitle,
    Cancel,
    ChatMoved,
    DeadlineExtended,
    DeadlinePassed,
    Extend,
    GameCancelled,
    GameFull,
    Join,
    JoiningStarted,
    Leave,
    LobbyReopened,
    MoveChat,
    NotEnoughPlayers,
    NotInGame,
    PlayerJoined,
    PlayerLeft,
    PlayerRemoved,
    Remove,
    StartNow,
)
from fsm.pick_number import KIND, GameOpened, SelectionOpened
from tests.rules.given_when_then import (
    CLOSING,
    JOINING,
    LOBBY,
    OPENED,
    PLACE,
    SELECTING,
    SELECTION,
    given,
    joined,
    last_call,
    opened,
    opening,
    refused_rules,
    selecting,
    some_rules,
    waiting,
)
from tests.support.games import GAME, HOST
from tests.support.spec import SEED

DAY = 86_400_000
HOUR = 3_600_000


# -- opening


def test_a_game_opens_and_waits_for_players_until_the_lobby_expires() -> None:
    state = (
        given().when(opening(), OPENED).then(GameOpened(GAME, PLACE, HOST, "Friday", some_rules(), OPENED, format=2))
    )
    assert (state.phase, state.deadline, dict(state.players)) == ("waiting_for_players", OPENED + LOBBY, {})
    assert (state.place, state.host, state.title, state.seed) == (PLACE, HOST, "Friday", None)


@pytest.mark.parametrize(
    "command", [Join(1, "Ann"), Leave(1), Cancel(1, "host"), DeadlinePassed(OPENED), MoveChat(-5), StartNow(1)]
)
def test_a_game_that_was_never_opened_is_unknown(command: Command) -> None:
    given().when(command, OPENED).refused(UnknownGame())


def test_rules_of_another_kind_open_nothing() -> None:
    given().when(opening(rules=object()), OPENED).refused(UnknownGame())


def test_a_game_is_not_opened_twice() -> None:
    given(opened()).when(opening(), OPENED).refused(NotNow("open-game", "waiting_for_players"))


@pytest.mark.parametrize(
    "title", ["x" * 64, "  " + "x" * 64 + "  ", "", "<b>", "שלום", "Eve <3 & co", "👨‍👩‍👧‍👦", "_x_"]
)
def test_any_title_of_64_characters_is_good(title: str) -> None:
    state = given().when(opening(title=title), OPENED).then_these(GameOpened)
    assert state.title == title.strip()


@pytest.mark.parametrize("title", ["x" * 65, "two\nlines", "a\x00b", "a\x7fb", "a\x85b", "a\u2028b", "a\ud83db"])
def test_a_title_too_long_or_with_what_is_no_character_of_a_line_is_refused(title: str) -> None:
    given().when(opening(title=title), OPENED).refused(BadTitle(limit=64))


@pytest.mark.parametrize(
    ("rule", "change", "low", "high"),
    [
        ("mode", {"mode": "sideways"}, "normal", "reverse"),
        ("split", {"split": "mine"}, "auto", "percentages"),
        ("absent", {"absent": "kick"}, "drop", "auto"),
        ("winners", {"winners": 0}, "1", "10"),
        ("winners", {"winners": 11}, "1", "10"),
        ("min_players", {"min_players": 1}, "2", "1000"),
        ("min_players", {"min_players": 1001, "max_players": 1001}, "2", "1000"),
        ("max_players", {"min_players": 5, "max_players": 4}, "5", "1000"),
        ("max_players", {"max_players": 1001}, "2", "1000"),
        ("max_number", {"max_number": 1}, "2", "10000"),
        ("max_number", {"max_number": 10_001}, "2", "10000"),
        ("numbers", {"numbers": 1}, "2", "10000"),
        ("numbers", {"numbers": 6, "min_players": 7}, "7", "10000"),
        ("numbers", {"numbers": 10_001}, "2", "10000"),
        ("range_multiplier", {"range_multiplier": Decimal("0.9")}, "1", "100"),
        ("range_multiplier", {"range_multiplier": Decimal("100.1")}, "1", "100"),
        ("range_multiplier", {"range_multiplier": Decimal("NaN")}, "1", "100"),
        ("lobby_seconds", {"lobby_ms": 0}, "0.001", "86400"),
        ("lobby_seconds", {"lobby_ms": DAY + 1}, "0.001", "86400"),
        ("join_seconds", {"join_ms": 0}, "0.001", "86400"),
        ("selection_seconds", {"selection_ms": -1}, "0.001", "86400"),
        ("reveal_seconds", {"reveal_ms": -1}, "0", "60"),
        ("reveal_seconds", {"reveal_ms": 60_001}, "0", "60"),
        ("prize_pool", {"prize_pool": Decimal(-1)}, "0", "1000000000000"),
        ("prize_pool", {"prize_pool": Decimal("1000000000000.01")}, "0", "1000000000000"),
        ("prize_pool", {"prize_pool": Decimal("0.000000001")}, "0", "1000000000000"),
        ("prize_pool", {"prize_pool": Decimal("Infinity")}, "0", "1000000000000"),
        ("prize_pool", {"prize_pool": Decimal("NaN")}, "0", "1000000000000"),
        ("prize_pool", {"prize_pool": Decimal("sNaN")}, "0", "1000000000000"),
    ],
)
def test_a_rule_outside_its_bounds_is_refused_by_its_name(
    rule: str, change: dict[str, object], low: str, high: str
) -> None:
    refusal = refused_rules(**change)
    assert isinstance(refusal, BadRule)
    assert (refusal.rule, refusal.low, refusal.high) == (rule, low, high)


@pytest.mark.parametrize(
    "change",
    [
        {"winners": 10},
        {"min_players": 1000, "max_players": 1000},
        {"max_number": 10_000},
        {"max_number": 2},
        {"numbers": 10_000, "max_number": 5},
        {"range_multiplier": Decimal(1)},
        {"range_multiplier": Decimal(100)},
        {"lobby_ms": 1, "join_ms": 1, "selection_ms": 1, "reveal_ms": 0},
        {"lobby_ms": DAY, "join_ms": DAY, "selection_ms": DAY, "reveal_ms": 60_000},
        {"prize_pool": Decimal(10) ** 12},
        {"prize_pool": Decimal("0.00000001")},
        {"split": "percentages", "winners": 2, "percentages": (Decimal("99.99999999"), Decimal("0.00000001"))},
    ],
)
def test_a_rule_on_its_bound_is_good(change: dict[str, object]) -> None:
    given().when(opening(rules=some_rules(**change)), OPENED).then_these(GameOpened)


@pytest.mark.parametrize(
    "percentages",
    [
        (),
        (Decimal(100),),
        (Decimal(50), Decimal("49.99")),
        (Decimal(50), Decimal("50.01")),
        (Decimal(100), Decimal(0)),
        (Decimal(110), Decimal(-10)),
        (Decimal(50), Decimal(25), Decimal(25)),
        (Decimal("NaN"), Decimal(50)),
        (Decimal("sNaN"), Decimal(50)),
        (Decimal("Infinity"), Decimal("-Infinity")),
        (Decimal(100), Decimal("1E-999999")),
        (Decimal("50.000000001"), Decimal("49.999999999")),
    ],
)
def test_percentages_are_one_a_winner_positive_exact_and_a_hundred_together(percentages: tuple[Decimal, ...]) -> None:
    refusal = refused_rules(split="percentages", winners=2, percentages=percentages)
    assert isinstance(refusal, BadRule)
    assert refusal.rule == "percentages"


# -- joining


def test_the_first_player_waits_for_more() -> None:
    state = given(opened()).when(Join(1, "Ann"), OPENED + 1).then(PlayerJoined(1, "Ann", OPENED + 1))
    assert state.players[1] == Player(1, "Ann", OPENED + 1)
    assert (state.phase, state.deadline) == ("waiting_for_players", OPENED + LOBBY)


def test_the_player_who_makes_them_enough_starts_the_last_call() -> None:
    now = OPENED + 500
    state = given(waiting(1)).when(Join(2, "Bob"), now).then(PlayerJoined(2, "Bob", now), JoiningStarted(now + JOINING))
    assert (state.phase, state.deadline) == ("players_joining", now + JOINING)


def test_a_late_player_does_not_move_the_last_call() -> None:
    now = OPENED + JOINING - 1
    state = given(last_call(1, 2)).when(Join(3, "Cid"), now).then(PlayerJoined(3, "Cid", now))
    assert (state.phase, state.deadline) == ("players_joining", OPENED + JOINING)
    assert list(state.players) == [1, 2, 3]


@pytest.mark.parametrize(
    ("lobby", "deadline"), [(waiting(1), OPENED + LOBBY), (last_call(1, 2), OPENED + JOINING)], ids=["waiting", "last"]
)
def test_a_join_received_at_the_deadline_is_too_late_and_one_before_is_not(
    lobby: tuple[Event, ...], deadline: int
) -> None:
    given(lobby).when(Join(9, "Ivy"), deadline).refused(TooLate())
    given(lobby).when(Join(9, "Ivy"), deadline + 1).refused(TooLate())
    assert 9 in given(lobby).when(Join(9, "Ivy"), deadline - 1).state.players


def test_nobody_joins_twice() -> None:
    given(waiting(1)).when(Join(1, "Ann"), OPENED + 2).refused(AlreadyJoined())


def test_the_player_who_fills_the_lobby_starts_selection() -> None:
    now = OPENED + 9
    events = last_call(1, 2, max_players=3)
    state = given(events).when(Join(3, "Cid"), now).then_these(PlayerJoined, SelectionOpened)
    assert (state.phase, state.deadline, state.highest) == ("number_selection", now + SELECTION, 15)


def test_a_lobby_that_is_full_when_it_has_enough_skips_no_phase() -> None:
    now = OPENED + 9
    result = given(waiting(1, max_players=2)).when(Join(2, "Bob"), now)
    state = result.then_these(PlayerJoined, JoiningStarted, SelectionOpened)
    assert (state.phase, state.deadline) == ("number_selection", now + SELECTION)


@pytest.mark.parametrize("rules", [{"max_number": 3}, {"numbers": 3, "max_number": 500}])
def test_the_lobby_is_full_when_there_are_no_more_numbers(rules: dict[str, int]) -> None:
    state = given(last_call(1, 2, **rules)).when(Join(3, "Cid"), OPENED + 9).state
    assert (state.phase, state.highest) == ("number_selection", 3)


def test_a_full_lobby_refuses_whoever_comes_before_selection_has_opened() -> None:
    # The rules never leave a full lobby open; this covers a kind whose capacity shrinks.
    given(last_call(1, 2, max_players=2)).when(Join(3, "Cid"), OPENED + 9).refused(GameFull(limit=2))


@pytest.mark.parametrize("phase_events", [selecting(2), selecting(2, {1: 1})])
def test_nobody_joins_once_selection_has_opened(phase_events: tuple[Event, ...]) -> None:
    given(phase_events).when(Join(9, "Ivy"), SELECTING + 1).refused(NotNow("join", "number_selection"))


# -- leaving and being removed


def test_a_player_leaves_the_waiting_lobby_and_its_deadline_stays() -> None:
    state = given(waiting(1)).when(Leave(1), OPENED + 5).then(PlayerLeft(1))
    assert (dict(state.players), state.deadline) == ({}, OPENED + LOBBY)


def test_who_leaves_may_come_back_at_the_end_of_the_line() -> None:
    state = given(last_call(1, 2, 3), PlayerLeft(1)).when(Join(1, "Ann"), OPENED + 50).state
    assert list(state.players) == [2, 3, 1]


def test_a_player_too_few_takes_the_game_back_to_waiting_with_a_new_lobby_time() -> None:
    now = OPENED + 7
    state = given(last_call(1, 2)).when(Leave(2), now).then(PlayerLeft(2), LobbyReopened(now + LOBBY))
    assert (state.phase, state.deadline) == ("waiting_for_players", now + LOBBY)


def test_a_leaver_who_can_be_spared_changes_nothing_else() -> None:
    state = given(last_call(1, 2, 3)).when(Leave(2), OPENED + 7).then(PlayerLeft(2))
    assert (state.phase, state.deadline) == ("players_joining", OPENED + JOINING)


def test_a_removed_player_is_gone_like_one_who_left() -> None:
    now = OPENED + 7
    state = given(last_call(1, 2)).when(Remove(2, 900), now).then(PlayerRemoved(2, 900), LobbyReopened(now + LOBBY))
    assert list(state.players) == [1]


@pytest.mark.parametrize("command", [Leave(7), Remove(7, 900)])
@pytest.mark.parametrize("lobby", [waiting(1), last_call(1, 2)], ids=["waiting", "last call"])
def test_who_is_not_in_the_game_can_neither_leave_nor_be_removed(lobby: tuple[Event, ...], command: Command) -> None:
    given(lobby).when(command, OPENED + 7).refused(NotInGame())


@pytest.mark.parametrize("command", [Leave(1), Remove(1, 900)])
def test_nobody_leaves_at_the_deadline(command: Command) -> None:
    given(last_call(1, 2)).when(command, OPENED + JOINING).refused(TooLate())


def test_nobody_leaves_once_selection_has_opened() -> None:
    given(selecting(2)).when(Leave(1), SELECTING + 1).refused(NotNow("leave", "number_selection"))


# -- starting


def test_a_host_starts_the_game_without_waiting() -> None:
    now = OPENED + 30
    state = given(last_call(1, 2)).when(StartNow(900), now).then_these(SelectionOpened)
    assert (state.phase, state.deadline, state.seed) == ("number_selection", now + SELECTION, SEED)


@pytest.mark.parametrize(("have", "need"), [(0, 2), (1, 2), (2, 5)])
def test_a_host_can_not_start_without_enough_players(have: int, need: int) -> None:
    events = waiting(*range(1, have + 1), min_players=need)
    given(events).when(StartNow(900), OPENED + 30).refused(NotEnoughPlayers(have=have, need=need))


def test_nobody_starts_a_game_twice() -> None:
    given(selecting(2)).when(StartNow(900), SELECTING + 1).refused(NotNow("start-now", "number_selection"))


# -- time running out


def test_the_lobby_expires_and_the_game_is_cancelled_with_the_reason() -> None:
    deadline = OPENED + LOBBY
    expired = GameCancelled("lobby_expired", None, deadline)
    state = given(waiting(1)).when(DeadlinePassed(deadline), deadline).then(expired)
    assert (state.phase, state.deadline, state.ended_at) == ("cancelled", None, deadline)
    assert state.cancel_reason == "lobby_expired"


def test_the_last_call_ends_and_selection_opens_counted_from_when_the_timer_fired() -> None:
    late = OPENED + JOINING + 4_000
    state = given(last_call(1, 2)).when(DeadlinePassed(OPENED + JOINING), late).then_these(SelectionOpened)
    assert state.deadline == late + SELECTION


@pytest.mark.parametrize(
    ("deadline", "now"),
    [
        (OPENED + JOINING, OPENED + JOINING - 1),  # early
        (OPENED + LOBBY, OPENED + LOBBY),  # the deadline of an earlier phase
        (OPENED + JOINING - 1, OPENED + JOINING + 1),  # the deadline of no phase
    ],
)
def test_a_timer_that_is_early_or_about_another_deadline_does_nothing(deadline: int, now: int) -> None:
    given(last_call(1, 2)).when(DeadlinePassed(deadline), now).nothing()


def test_a_timer_that_outlived_its_game_does_nothing() -> None:
    ended = GameCancelled("host", 900, OPENED + 1)
    given(waiting(1), ended).when(DeadlinePassed(OPENED + LOBBY), OPENED + LOBBY).nothing()


# -- extending


@pytest.mark.parametrize(
    ("events", "deadline"),
    [(waiting(1), OPENED + LOBBY), (last_call(1, 2), OPENED + JOINING), (selecting(2), CLOSING)],
    ids=["waiting", "last call", "selection"],
)
def test_a_host_extends_every_phase_that_waits_for_people(events: tuple[Event, ...], deadline: int) -> None:
    state = given(events).when(Extend(900, 30_000), deadline - 1).then(DeadlineExtended(deadline + 30_000, 900))
    assert state.deadline == deadline + 30_000
    given(events).when(Extend(900, 30_000), deadline).refused(TooLate())
    given(events, DeadlineExtended(deadline + 9, 900)).when(DeadlinePassed(deadline), deadline + 10).nothing()


@pytest.mark.parametrize("milliseconds", [1, HOUR])
def test_the_shortest_and_the_longest_extension_are_good(milliseconds: int) -> None:
    given(last_call(1, 2)).when(Extend(900, milliseconds), OPENED + 9).then_these(DeadlineExtended)


@pytest.mark.parametrize("milliseconds", [0, -1, HOUR + 1])
def test_an_extension_of_nothing_or_too_much_is_refused(milliseconds: int) -> None:
    given(last_call(1, 2)).when(Extend(900, milliseconds), OPENED + 9).refused(BadExtension(limit_seconds=3600))


def test_extensions_never_add_up_to_more_than_a_day_and_the_refusal_says_what_is_left() -> None:
    nearly = given(last_call(1, 2), DeadlineExtended(OPENED + DAY - 90_000, 900))
    nearly.when(Extend(900, 90_000), OPENED).then_these(DeadlineExtended)
    nearly.when(Extend(900, 90_001), OPENED).refused(BadExtension(limit_seconds=90))
    given(last_call(1, 2, lobby_ms=DAY), LobbyReopened(OPENED + DAY)).when(Extend(900, 1), OPENED).refused(
        BadExtension(limit_seconds=0)
    )


# -- cancelling and moving


@pytest.mark.parametrize("events", [waiting(1), last_call(1, 2), selecting(2)])
def test_a_game_is_cancelled_in_any_phase_and_then_for_good(events: tuple[Event, ...]) -> None:
    now = OPENED + 9
    state = given(events).when(Cancel(900, "host"), now).then(GameCancelled("host", 900, now))
    assert (state.phase, state.deadline, state.cancel_reason, state.ended_at) == ("cancelled", None, "host", now)
    over = replace(given(events), past=state)
    over.when(Cancel(900, "host"), now).refused(NotNow("cancel", "cancelled"))
    over.when(Join(5, "Eve"), now).refused(NotNow("join", "cancelled"))


@pytest.mark.parametrize("events", [waiting(1), last_call(1, 2), selecting(2)])
def test_a_game_follows_its_chat_and_keeps_its_topic_phase_and_deadline(events: tuple[Event, ...]) -> None:
    before = given(events).state
    assert before is not None
    state = given(events).when(MoveChat(-200), OPENED + 9).then(ChatMoved(-200))
    assert state == replace(before, place=ChatTopic(-200, 5))
    given(events).when(MoveChat(PLACE.chat_id), OPENED + 9).nothing()


def test_a_rematch_is_a_new_game_with_the_same_rules() -> None:
    ended = given(waiting(1), GameCancelled("host", 900, OPENED + 1)).state
    assert ended is not None
    command = replace(opening(rules=ended.rules, title=ended.title), game_id="07otherotherot")
    state = given().when(command, OPENED + 5).then_these(GameOpened)
    assert (state.id, state.phase, dict(state.players)) == ("07otherotherot", "waiting_for_players", {})
    assert state.rules == ended.rules


def test_every_command_is_refused_where_the_table_does_not_have_it() -> None:
    ended = given(joined_and_cancelled())
    for command in (Join(5, "Eve"), Leave(1), Remove(1, 9), StartNow(9), Extend(9, 5), Cancel(9, "host"), MoveChat(-7)):
        assert isinstance(ended.when(command, OPENED + 2).refusal, NotNow)
        assert not KIND.machine.permits("cancelled", type(command))


def joined_and_cancelled() -> tuple[Event, ...]:
    return (*opened(), *joined(1, 2), GameCancelled("operator", None, OPENED + 1))
