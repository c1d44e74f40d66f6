"""The engine over a store with faults on command."""

import asyncio
import gc
import weakref
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from fsm import pick_number
from fsm.engine import (
    MAX_BATCH,
    MAX_CONFLICTS,
    SEEN_AT_LEAST,
    SEEN_FOR,
    CommitResult,
    Committed,
    Engine,
    Outcome,
    Unavailable,
)
from fsm.kind import ChatTopic, Command, Event, Host, Kind, NotNow, UnknownGame
from fsm.lobby import (
    AlreadyJoined,
    BadRule,
    Cancel,
    DeadlinePassed,
    Join,
    Leave,
    OpenGame,
    PlaceTaken,
    StartNow,
)
from fsm.pick_number import KIND, NumberTaken, PickNumber, PickNumberRules
from tests.engine.memory import CountedSeeds, Fault, MemoryGames, Shelf, state_of
from tests.support.clock import TurnedClock

NOW = 1_700_000_000_000
ONE, TWO, THREE = "07aaaaaaaaaaaa", "07bbbbbbbbbbbb", "07cccccccccccc"


@dataclass
class Replica:
    """An engine and its access to the store."""

    engine: Engine
    store: MemoryGames
    clock: TurnedClock
    told: list[tuple[str, str]]
    """Notifications to the engine's observer."""

    async def do(self, game_id: str, command: Command, command_id: str | None = None) -> Outcome:
        """Execute a command, with a new id unless one is given."""
        name = command_id or f"{command}"
        return await self.engine.execute(game_id, command, command_id=name)

    def start(self, game_id: str, command: Command, command_id: str | None = None) -> "asyncio.Task[Outcome]":
        """Start to execute a command in a task."""
        return asyncio.get_running_loop().create_task(self.do(game_id, command, command_id))


def replica(shelf: Shelf, **options: Any) -> Replica:
    store, clock, told = MemoryGames(shelf), TurnedClock(NOW), list[tuple[str, str]]()
    engine = Engine(
        shelf.codec._kinds, store, clock, CountedSeeds(), observe=lambda *heard: told.append(heard), **options
    )
    return Replica(engine, store, clock, told)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf({KIND.name: KIND})


@pytest.fixture
def a(shelf: Shelf) -> Replica:
    return replica(shelf)


@pytest.fixture
def b(shelf: Shelf) -> Replica:
    return replica(shelf)


def opening(game_id: str, chat: int = -1, **fields: Any) -> OpenGame:
    rules = PickNumberRules(**fields.pop("rules", {}))
    return OpenGame("pick_number", game_id, ChatTopic(chat), Host(1, "Hana"), "x", rules, **fields)


async def selecting(one: Replica, game_id: str, players: int, chat: int = -1) -> None:
    """Open a game in which these players may pick."""
    await one.do(game_id, opening(game_id, chat))
    for player in range(1, players + 1):
        await one.do(game_id, Join(player, f"P{player}"))
    await one.do(game_id, StartNow(1))


async def refused(call: Awaitable[object], error: type[Exception]) -> Any:
    """Return the refusal or error of that type that ends a call."""
    with pytest.raises(error) as caught:
        await call
    return caught.value


# -- order and group commit


async def test_commands_of_a_game_are_executed_in_the_order_in_which_they_came(a: Replica, shelf: Shelf) -> None:
    await a.do(ONE, opening(ONE))
    outcomes = await asyncio.gather(*(a.do(ONE, Join(player, "x")) for player in range(50, 0, -1)))
    assert list(state_of(shelf, ONE).players) == list(range(50, 0, -1))
    assert [outcome.version for outcome in outcomes] == sorted({outcome.version for outcome in outcomes})
    assert outcomes[0].version == 2


async def test_what_waits_is_committed_together(a: Replica) -> None:
    games = [f"07{index:012d}" for index in range(200)]
    await asyncio.gather(*(a.do(game, opening(game, -index)) for index, game in enumerate(games)))
    assert len(a.store.flights) == 1
    assert a.store.flights[0] == tuple(games)
    await asyncio.gather(*(a.do(game, Join(player, "x")) for player in range(1, 6) for game in games))
    assert len(a.store.flights) == 2
    assert len(a.store.loads) == 200


async def test_what_comes_while_two_flights_are_in_the_air_waits_for_one_to_land(a: Replica) -> None:
    games = [f"07{index:012d}" for index in range(52)]
    await asyncio.gather(*(a.do(game, opening(game, -index)) for index, game in enumerate(games)))
    a.store.flights.clear()
    a.store.hold()
    first = a.start(games[0], Join(1, "x"))
    await a.store.held(1)
    second = a.start(games[1], Join(1, "x"))
    await a.store.held(2)
    rest = [a.start(game, Join(1, "x")) for game in games[2:]]
    again = a.start(games[0], Join(2, "x"))
    await asyncio.sleep(0)
    a.store.release()
    await asyncio.gather(first, second, *rest, again)
    sizes = [len(flight) for flight in a.store.flights]
    assert sizes[:2] == [1, 1]
    assert sum(sizes) == 53
    assert len(sizes) <= 4


async def test_a_game_is_on_one_flight_at_a_time(a: Replica) -> None:
    await a.do(ONE, opening(ONE))
    a.store.hold()
    first = a.start(ONE, Join(1, "x"))
    await a.store.held(1)
    others = [a.start(ONE, Join(player, "x")) for player in range(2, 30)]
    await asyncio.sleep(0)
    assert a.store.flights[-1] == (ONE,)
    flights = len(a.store.flights)
    a.store.release()
    await asyncio.gather(first, *others)
    assert len(a.store.flights) == flights + 1


def late(one: Replica, game_id: str) -> "asyncio.Future[Committed]":
    """Delay the answer to the game's next commit until the future's result is set."""
    one.store.late[game_id] = asyncio.get_running_loop().create_future()
    return one.store.late[game_id]


async def test_a_commit_that_takes_longer_holds_back_its_own_game_alone(a: Replica, shelf: Shelf) -> None:
    await asyncio.gather(a.do(ONE, opening(ONE)), a.do(TWO, opening(TWO, -2)))
    arrives = late(a, ONE)
    slow, quick = a.start(ONE, Join(1, "x")), a.start(TWO, Join(1, "x"))
    assert (await quick).version == 2
    behind = a.start(ONE, Join(2, "x"))
    for player in range(2, 6):
        assert (await a.do(TWO, Join(player, "x"))).events
    assert not slow.done()
    assert not behind.done()
    assert [flight.count(ONE) for flight in a.store.flights[1:]] == [1, 0, 0, 0, 0]
    arrives.set_result(CommitResult.COMMITTED)
    assert (await slow).version < (await behind).version
    assert list(state_of(shelf, ONE).players) == [1, 2]


async def test_what_comes_late_may_be_a_failure_too(a: Replica) -> None:
    await a.do(ONE, opening(ONE))
    arrives = late(a, ONE)
    slow = a.start(ONE, Join(1, "x"), "tg:1")
    await a.do(TWO, opening(TWO, -2))
    arrives.set_result(Unavailable("not confirmed"))
    await refused(slow, Unavailable)
    assert (await a.do(ONE, Join(1, "x"), "tg:1")).duplicate  # the first attempt may have been committed, and was


async def test_closing_waits_for_what_comes_late(a: Replica) -> None:
    await a.do(ONE, opening(ONE))
    arrives = late(a, ONE)
    slow = a.start(ONE, Join(1, "x"))
    await a.do(TWO, opening(TWO, -2))
    behind = a.start(ONE, Join(2, "x"))
    await asyncio.sleep(0)
    given_up = asyncio.get_running_loop().create_task(a.engine.close())
    await asyncio.sleep(0)
    given_up.cancel()
    closing = asyncio.get_running_loop().create_task(a.engine.close())
    await asyncio.sleep(0)
    assert not closing.done()
    arrives.set_result(CommitResult.COMMITTED)
    await closing
    assert (await slow).version < (await behind).version


async def test_a_refusal_is_gone_with_who_asked_and_leaves_the_collector_nothing(a: Replica) -> None:
    await selecting(a, ONE, 3)
    await a.do(ONE, PickNumber(1, 7))
    gc.collect()
    gc.disable()
    try:
        with pytest.raises(NumberTaken) as caught:
            await a.do(ONE, PickNumber(2, 7))
        gone = weakref.ref(caught.value)
        del caught
        await asyncio.sleep(0)  # the loop itself refers to it in the turn in which it was told
        assert gone() is None
    finally:
        gc.enable()


async def test_more_than_a_batch_waits_and_all_of_it_is_answered(a: Replica, shelf: Shelf) -> None:
    await a.do(ONE, opening(ONE, rules={"max_players": 1000, "numbers": 2000}))
    count = MAX_BATCH + 100
    outcomes = await asyncio.gather(*(a.do(ONE, Join(player, "x")) for player in range(1, count + 1)))
    assert len(outcomes) == len(state_of(shelf, ONE).players) == count
    assert len(a.store.flights) == 3


# -- replicas


async def test_the_loser_of_a_race_for_a_number_is_told_and_the_number_has_one_owner(
    a: Replica, b: Replica, shelf: Shelf
) -> None:
    await selecting(a, ONE, 3)
    await b.engine.look(ONE)
    b.store.hold()
    late = b.start(ONE, PickNumber(2, 7))
    await b.store.held(1)
    await a.do(ONE, PickNumber(1, 7))
    b.store.release()
    assert (await refused(late, NumberTaken)).number == 7
    state = state_of(shelf, ONE)
    assert isinstance(state, pick_number.PickNumberGame)
    assert state.owners == {7: 1}


async def test_a_refusal_decided_on_an_old_state_is_decided_again(a: Replica, b: Replica) -> None:
    await selecting(a, ONE, 3)
    await a.do(ONE, PickNumber(1, 7))
    await b.engine.look(ONE)
    await a.do(ONE, PickNumber(1, 8))  # b still believes that 7 is taken
    outcome = await b.do(ONE, PickNumber(2, 7))
    assert isinstance(outcome.state, pick_number.PickNumberGame)
    assert outcome.state.owners == {8: 1, 7: 2}


async def test_a_command_that_leads_to_nothing_is_decided_again_too(a: Replica, b: Replica) -> None:
    await a.do(ONE, opening(ONE, rules={"lobby_ms": 1000}))
    await b.engine.look(ONE)
    await a.do(ONE, Join(1, "x"))
    await a.do(ONE, Join(2, "x"))
    b.clock.at = NOW + 60_000
    outcome = await b.do(ONE, DeadlinePassed(NOW + 60_000))  # b's state has another deadline
    assert outcome.state.phase == "number_selection"


async def test_an_order_among_commands_survives_a_conflict(a: Replica, b: Replica, shelf: Shelf) -> None:
    await a.do(ONE, opening(ONE))
    await b.engine.look(ONE)
    await a.do(ONE, Join(99, "x"))
    await asyncio.gather(*(b.do(ONE, Join(player, "x")) for player in (5, 3, 4)))
    assert list(state_of(shelf, ONE).players) == [99, 5, 3, 4]


async def test_endless_conflicts_are_given_up(a: Replica) -> None:
    await a.do(ONE, opening(ONE))
    a.store.conflicts[ONE] = 10**6
    await refused(a.do(ONE, Join(1, "x")), Unavailable)
    assert len(a.store.flights) == 1 + MAX_CONFLICTS + 1
    a.store.conflicts[ONE] = MAX_CONFLICTS
    assert 2 in (await a.do(ONE, Join(2, "x"))).state.players


async def test_a_game_opened_elsewhere_is_found_even_by_who_asked_for_it_before(a: Replica, b: Replica) -> None:
    await a.do(ONE, opening(ONE))
    b.store.hold()
    busy = b.start(ONE, Join(1, "x"))
    early = b.start(TWO, Join(1, "x"))  # it learns from the other one's flight that there is no such game
    await b.store.held(2)
    await a.do(TWO, opening(TWO, -2))
    b.store.release()
    b.store.hold()
    await refused(early, UnknownGame)
    await b.store.held(1)
    late = b.start(TWO, Join(2, "x"))
    await asyncio.sleep(0)
    b.store.release()
    assert 2 in (await late).state.players
    assert 1 in (await busy).state.players


# -- duplicates


async def test_a_command_sent_twice_is_done_once(a: Replica, b: Replica, shelf: Shelf) -> None:
    await a.do(ONE, opening(ONE))
    first, second = await asyncio.gather(a.do(ONE, Join(1, "x"), "tg:1"), a.do(ONE, Join(1, "x"), "tg:1"))
    third = await a.do(ONE, Join(1, "x"), "tg:1")
    fourth = await b.do(ONE, Join(1, "x"), "tg:1")
    assert [outcome.duplicate for outcome in (first, second, third, fourth)] == [False, True, True, True]
    assert all(outcome.state == first.state for outcome in (second, third, fourth))
    assert [outcome.events for outcome in (second, third, fourth)] == [(), (), ()]
    await refused(a.do(ONE, Join(1, "x"), "tg:2"), AlreadyJoined)
    assert len(shelf.records(ONE)) == 2


async def test_a_duplicate_delivered_to_two_replicas_at_once_is_done_once(a: Replica, b: Replica, shelf: Shelf) -> None:
    await a.do(ONE, opening(ONE))
    await b.engine.look(ONE)
    outcomes = await asyncio.gather(a.do(ONE, Join(1, "x"), "tg:1"), b.do(ONE, Join(1, "x"), "tg:1"))
    assert sorted(outcome.duplicate for outcome in outcomes) == [False, True]
    assert len(shelf.records(ONE)) == 2


async def test_a_commit_whose_answer_was_lost_is_not_done_twice(a: Replica, shelf: Shelf) -> None:
    await a.do(ONE, opening(ONE))
    a.store.commit_faults.append(Fault(Unavailable("cut off"), after=True))
    await refused(a.do(ONE, Join(1, "x"), "tg:1"), Unavailable)
    again = await a.do(ONE, Join(1, "x"), "tg:1")
    assert again.duplicate
    assert list(again.state.players) == [1]
    assert len(shelf.records(ONE)) == 2


async def test_a_commit_that_did_not_reach_the_store_is_done_when_sent_again(a: Replica, shelf: Shelf) -> None:
    await a.do(ONE, opening(ONE))
    a.store.commit_faults.append(Fault(Unavailable("cut off")))
    await refused(a.do(ONE, Join(1, "x"), "tg:1"), Unavailable)
    again = await a.do(ONE, Join(1, "x"), "tg:1")
    assert not again.duplicate
    assert len(shelf.records(ONE)) == 2


async def test_command_ids_are_forgotten_when_they_can_no_longer_come_again(a: Replica) -> None:
    await selecting(a, ONE, 3)
    most = 0
    for turn in range(3000):
        a.clock.at += SEEN_FOR // 100
        rules_time = NOW + turn % 1000
        await a.engine.execute(ONE, PickNumber(1, 1 + turn % 2), command_id=f"tg:{turn}", received=rules_time)
        most = max(most, len(a.engine._games[ONE].seen))
    assert most < 4096
    duplicate = await a.engine.execute(ONE, PickNumber(1, 2), command_id="tg:2999", received=NOW)
    assert duplicate.duplicate


async def test_old_command_ids_are_pruned_by_age_and_number(a: Replica) -> None:
    await a.do(
        ONE, opening(ONE, rules={"min_players": 500, "max_players": 1000, "max_number": 1000, "lobby_ms": 86_400_000})
    )
    for turn in range(1000):
        a.clock.at += SEEN_FOR // 100
        await a.do(ONE, Join(turn // 2, "x") if turn % 2 == 0 else Leave(turn // 2), f"tg:{turn}")
    assert len(a.engine._games[ONE].seen) <= 2 * max(100, SEEN_AT_LEAST) + 56


# -- cancelled callers


async def test_a_command_whose_asker_went_away_before_it_was_decided_is_not_done(a: Replica, shelf: Shelf) -> None:
    await a.do(ONE, opening(ONE))
    a.store.hold()
    first = a.start(ONE, Join(1, "x"))
    await a.store.held(1)
    gone, stays = a.start(ONE, Join(2, "x")), a.start(ONE, Join(3, "x"))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    a.store.release()
    await asyncio.gather(first, stays)
    assert gone.cancelled()
    assert list(state_of(shelf, ONE).players) == [1, 3]


async def test_a_command_whose_asker_goes_away_while_it_is_committed_is_done(a: Replica, shelf: Shelf) -> None:
    await a.do(ONE, opening(ONE))
    a.store.hold()
    gone = a.start(ONE, Join(1, "x"))
    await a.store.held(1)
    gone.cancel()
    a.store.release()
    await a.do(ONE, Join(2, "x"))
    assert list(state_of(shelf, ONE).players) == [1, 2]


# -- failures


@pytest.mark.parametrize("error", [Unavailable("down"), RuntimeError("a bug"), asyncio.CancelledError()])
async def test_a_failed_flight_leaves_nobody_unanswered_and_the_next_one_flies(
    a: Replica, error: BaseException
) -> None:
    await asyncio.gather(*(a.do(game, opening(game, -index)) for index, game in enumerate((ONE, TWO, THREE))))
    a.store.commit_faults.append(Fault(error))
    tasks = [a.start(game, Join(player, "x")) for player in range(1, 6) for game in (ONE, TWO, THREE)]
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, Exception) for result in results)
    outcomes = await asyncio.gather(*(a.do(game, Join(9, "x")) for game in (ONE, TWO, THREE)))
    assert all(list(outcome.state.players) == [9] for outcome in outcomes)


async def test_a_store_that_answers_too_little_is_an_error_for_all_on_the_flight(
    a: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.gather(*(a.do(game, opening(game, -index)) for index, game in enumerate((ONE, TWO))))
    answers: list[list[CommitResult]] = [[CommitResult.COMMITTED]]
    whole = a.store.commit

    async def short(commits: Any) -> Any:
        return answers.pop() if answers else await whole(commits)

    monkeypatch.setattr(a.store, "commit", short)
    results = await asyncio.gather(a.do(ONE, Join(1, "x")), a.do(TWO, Join(1, "x")), return_exceptions=True)
    assert isinstance(results[1], Exception)
    assert list((await a.do(TWO, Join(2, "x"))).state.players) == [2]


@pytest.mark.parametrize("error", [Unavailable("down"), ValueError("unreadable"), asyncio.CancelledError()])
async def test_a_game_that_can_not_be_read_is_its_askers_trouble_alone(
    a: Replica, b: Replica, error: BaseException
) -> None:
    await asyncio.gather(*(a.do(game, opening(game, -index)) for index, game in enumerate((ONE, TWO))))
    b.store.load_faults.append(Fault(error))
    results = await asyncio.gather(
        b.do(ONE, Join(1, "x")), b.do(ONE, Join(2, "x")), b.do(TWO, Join(1, "x")), return_exceptions=True
    )
    assert [isinstance(result, Exception) for result in results] == [True, True, False]
    assert not any(isinstance(result, UnknownGame) for result in results)
    assert list((await b.do(ONE, Join(3, "x"))).state.players) == [3]


async def test_a_commit_refused_for_one_game_is_told_to_that_game_alone(a: Replica) -> None:
    await asyncio.gather(*(a.do(game, opening(game, -index)) for index, game in enumerate((ONE, TWO))))
    a.store.refusals[ONE] = Unavailable("full")
    results = await asyncio.gather(
        a.do(ONE, Join(1, "x")), a.do(ONE, Join(2, "x")), a.do(TWO, Join(1, "x")), return_exceptions=True
    )
    assert [isinstance(result, Unavailable) for result in results] == [True, True, False]
    assert len(a.store.flights) == 2
    assert list((await a.do(ONE, Join(3, "x"))).state.players) == [3]


def decide_badly(state: Any, command: Any, now: int, seed: str) -> tuple[Event, ...]:
    if isinstance(command, Leave):
        raise KeyError("a bug in a rule")
    return KIND.decide(state, command, now, seed)


def evolve_badly(state: Any, event: Any) -> Any:
    if type(event).__name__ == "PlayerLeft":
        raise KeyError("a bug in a rule")
    return KIND.evolve(state, event)


def stop_badly(state: Any, command: Any, now: int, seed: str) -> tuple[Event, ...]:
    if isinstance(command, Leave):
        raise StopIteration  # an exception that no future accepts
    return KIND.decide(state, command, now, seed)


@pytest.mark.parametrize(
    "kind",
    [replace(KIND, decide=decide_badly), replace(KIND, evolve=evolve_badly), replace(KIND, decide=stop_badly)],
    ids=["decide", "evolve", "stop"],
)
async def test_one_commands_bug_touches_nobody_else(kind: Kind[Any]) -> None:
    shelf = Shelf({kind.name: kind})
    a = replica(shelf)
    await asyncio.gather(*(a.do(game, opening(game, -index)) for index, game in enumerate((ONE, TWO, THREE))))
    await asyncio.gather(*(a.do(game, Join(1, "x")) for game in (ONE, TWO, THREE)))
    results = await asyncio.gather(
        a.do(ONE, Join(2, "x")),
        a.do(TWO, Join(2, "x")),
        a.do(TWO, Leave(1)),
        a.do(TWO, Join(3, "x")),
        a.do(THREE, Join(2, "x")),
        return_exceptions=True,
    )
    assert [isinstance(result, Exception) for result in results] == [False, False, True, False, False]
    assert list(state_of(shelf, TWO).players) == [1, 2, 3]
    assert ("Leave", "error") in a.told


async def test_a_cancelled_flight_answers_everybody_and_the_next_one_flies(a: Replica, shelf: Shelf) -> None:
    await a.do(ONE, opening(ONE))
    a.store.hold()
    inside = a.start(ONE, Join(1, "x"))
    await a.store.held(1)
    behind = a.start(ONE, Join(2, "x"))
    await asyncio.sleep(0)
    for flight in tuple(a.engine._flights):
        flight.cancel()
    a.store.release()
    await refused(inside, Unavailable)
    await refused(behind, Unavailable)
    assert list((await a.do(ONE, Join(3, "x"))).state.players) == [3]
    assert list(state_of(shelf, ONE).players) == [3]


async def test_an_observer_hears_of_every_answer(a: Replica) -> None:
    await a.do(ONE, opening(ONE))
    await a.do(ONE, Join(1, "x"), "tg:1")
    await a.do(ONE, Join(1, "x"), "tg:1")
    await refused(a.do(ONE, Join(1, "x")), AlreadyJoined)
    await refused(a.do(TWO, Join(1, "x")), UnknownGame)
    await a.do(ONE, DeadlinePassed(5))
    await a.engine.look(ONE)
    a.store.commit_faults.append(Fault(Unavailable("down")))
    await refused(a.do(ONE, Join(2, "x")), Unavailable)
    assert a.told == [
        ("OpenGame", "done"),
        ("Join", "done"),
        ("Join", "duplicate"),
        ("Join", "already-joined"),
        ("Join", "unknown-game"),
        ("DeadlinePassed", "nothing"),
        ("Join", "unavailable"),
    ]


# -- opening


async def test_a_game_opened_twice_by_one_command_is_one_game(a: Replica, b: Replica, shelf: Shelf) -> None:
    outcomes = await asyncio.gather(a.do(ONE, opening(ONE), "tg:1"), b.do(ONE, opening(ONE), "tg:1"))
    assert sorted(outcome.duplicate for outcome in outcomes) == [False, True]
    assert len(shelf.events(ONE)) == 1


async def test_two_games_for_one_place_and_one_gets_it(a: Replica, b: Replica, shelf: Shelf) -> None:
    results = await asyncio.gather(a.do(ONE, opening(ONE)), b.do(TWO, opening(TWO)), return_exceptions=True)
    taken = [result for result in results if isinstance(result, PlaceTaken)]
    assert taken == [PlaceTaken(limit=1)]
    assert len(shelf.rows) == 1
    (live,) = shelf.rows
    await a.do(live, Cancel(None, "operator"))
    other = TWO if live == ONE else ONE
    assert (await a.do(other, opening(other))).version == 1


async def test_a_place_may_hold_several_games(a: Replica) -> None:
    await a.do(ONE, opening(ONE, max_live=2))
    await a.do(TWO, opening(TWO, max_live=2))
    assert (await refused(a.do(THREE, opening(THREE, max_live=2)), PlaceTaken)).limit == 2


async def test_who_waits_behind_an_opening_that_found_no_place_is_told_that_there_is_no_game(a: Replica) -> None:
    await a.do(ONE, opening(ONE))
    results = await asyncio.gather(
        a.do(TWO, opening(TWO)), a.do(TWO, Join(1, "x")), a.engine.look(TWO), return_exceptions=True
    )
    assert [type(result) for result in results] == [PlaceTaken, UnknownGame, UnknownGame]


async def test_an_opening_that_the_rules_refuse_claims_nothing(a: Replica, shelf: Shelf) -> None:
    results = await asyncio.gather(
        a.do(ONE, opening(ONE, rules={"winners": 99})), a.do(ONE, Join(1, "x")), return_exceptions=True
    )
    assert [type(result) for result in results] == [BadRule, UnknownGame]
    assert (shelf.rows, a.store.flights, a.engine.games_in_memory) == ({}, [], 0)
    assert (await a.do(ONE, opening(ONE))).version == 1


async def test_a_refused_and_an_accepted_opening_in_one_flight(a: Replica) -> None:
    results = await asyncio.gather(
        a.do(ONE, opening(ONE, rules={"winners": 99})), a.do(ONE, opening(ONE)), return_exceptions=True
    )
    assert isinstance(results[0], BadRule)
    assert isinstance(results[1], Outcome)


async def test_a_kind_that_nobody_knows_opens_no_game(a: Replica) -> None:
    await refused(a.do(ONE, replace(opening(ONE), kind="chess")), UnknownGame)
    assert a.engine.games_in_memory == 0


async def test_a_game_that_is_there_is_not_opened_by_another_command(a: Replica) -> None:
    await a.do(ONE, opening(ONE), "tg:1")
    await refused(a.do(ONE, opening(ONE), "tg:2"), NotNow)


# -- looking


async def test_a_look_sees_what_another_replica_did(a: Replica, b: Replica) -> None:
    await a.do(ONE, opening(ONE))
    await b.engine.look(ONE)
    await a.do(ONE, Join(1, "x"))
    outcome = await b.engine.look(ONE)
    assert (outcome.version, list(outcome.state.players)) == (2, [1])
    await refused(a.engine.look(TWO), UnknownGame)


async def test_a_look_is_answered_while_another_replica_never_stops_writing(a: Replica, b: Replica) -> None:
    await a.do(ONE, opening(ONE))
    await b.engine.look(ONE)
    b.store.conflicts[ONE] = 10**6  # at every comparison there is a later version
    await a.do(ONE, Join(1, "x"))
    outcome = await b.engine.look(ONE)
    assert (outcome.version, list(outcome.state.players)) == (2, [1])
    assert b.store.loads == [ONE]  # the first time; then only the new records were read
    assert b.store.reads == [ONE]


async def test_a_look_that_came_while_its_game_was_read_is_compared_with_the_store(a: Replica, b: Replica) -> None:
    await a.do(ONE, opening(ONE))
    b.store.hold()
    early = asyncio.ensure_future(b.engine.look(ONE))
    await b.store.held(1)
    await a.do(ONE, Join(1, "x"))
    late = asyncio.ensure_future(b.engine.look(ONE))
    await asyncio.sleep(0)
    b.store.release()
    assert (await early).version == 1  # read before the join, which had not been made when this look began
    assert (await late).version == 2


async def test_a_look_of_a_strict_engine_waits_until_the_store_has_confirmed(a: Replica, shelf: Shelf) -> None:
    strict = replica(shelf, strict=True)
    await a.do(ONE, opening(ONE))
    confirmed: asyncio.Future[Committed] = asyncio.get_running_loop().create_future()
    strict.store.late[ONE] = confirmed
    look = asyncio.ensure_future(strict.engine.look(ONE))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not look.done()
    confirmed.set_result(CommitResult.COMMITTED)
    assert (await look).version == 1


async def test_a_known_version_is_given_from_memory_and_a_later_one_is_read(a: Replica, b: Replica) -> None:
    await a.do(ONE, opening(ONE))
    await b.engine.look(ONE)
    calls = (len(b.store.loads), len(b.store.flights))
    assert (await b.engine.at_least(ONE, 1)).version == 1
    assert (len(b.store.loads), len(b.store.flights)) == calls
    await a.do(ONE, Join(1, "x"))
    outcome = await b.engine.at_least(ONE, 2)
    assert (outcome.version, list(outcome.state.players)) == (2, [1])
    await refused(b.engine.at_least(TWO, 1), UnknownGame)


async def test_a_version_asked_for_while_its_commit_is_in_the_air_is_waited_for(a: Replica) -> None:
    await a.do(ONE, opening(ONE))
    a.store.hold()
    joining = a.start(ONE, Join(1, "x"))
    await a.store.held(1)
    asked = asyncio.get_running_loop().create_task(a.engine.at_least(ONE, 2))
    await asyncio.sleep(0)
    a.store.release()
    assert (await asked).version == 2
    assert (await joining).version == 2


# -- memory and the end


async def test_idle_games_are_dropped_from_memory_the_longest_idle_first_and_read_again(shelf: Shelf) -> None:
    a = replica(shelf, capacity=3)
    games = [f"07{index:012d}" for index in range(10)]
    for index, game in enumerate(games):
        await a.do(game, opening(game, -index))
    assert a.engine.games_in_memory == 3
    assert list(a.engine._games) == games[-3:]
    assert (await a.do(games[0], Join(1, "x"))).version == 2
    assert a.engine.games_in_memory == 3


async def test_busy_games_are_not_dropped(shelf: Shelf) -> None:
    a = replica(shelf, capacity=2)
    games = [f"07{index:012d}" for index in range(20)]
    a.store.hold()
    tasks = [a.start(game, opening(game, -index)) for index, game in enumerate(games)]
    await a.store.held(20)
    joins = [a.start(game, Join(1, "x")) for game in games]
    await asyncio.sleep(0)
    assert a.engine.games_in_memory == 20
    a.store.release()
    await asyncio.gather(*tasks, *joins)
    for game in games:
        assert len(shelf.events(game)) == 2
    await a.do(ONE, opening(ONE, -99))
    assert a.engine.games_in_memory == 2


async def test_ended_and_unknown_games_leave_the_memory_and_an_ended_one_can_still_be_seen(a: Replica) -> None:
    await a.do(ONE, opening(ONE))
    await a.do(ONE, Cancel(None, "operator"))
    await refused(a.do(TWO, Join(1, "x")), UnknownGame)
    assert a.engine.games_in_memory == 0
    assert (await a.engine.look(ONE)).state.phase == "cancelled"
    await refused(a.do(ONE, Join(1, "x")), NotNow)
    assert a.engine.games_in_memory == 0


async def test_closing_answers_everybody_and_then_nobody_is_let_in(a: Replica, shelf: Shelf) -> None:
    await a.do(ONE, opening(ONE))
    a.store.hold()
    flying = a.start(ONE, Join(1, "x"))
    await a.store.held(1)
    waiting = [a.start(ONE, Join(player, "x")) for player in range(2, 10)]
    other = a.start(TWO, opening(TWO, -2))
    await asyncio.sleep(0)
    closing = asyncio.get_running_loop().create_task(a.engine.close())
    await asyncio.sleep(0)
    await refused(a.do(ONE, Join(99, "x")), Unavailable)
    a.store.release()
    await closing
    assert all(task.done() and task.exception() is None for task in (flying, *waiting, other))
    assert list(state_of(shelf, ONE).players) == list(range(1, 10))
    await refused(a.engine.look(ONE), Unavailable)


async def test_an_idle_engine_closes_at_once_and_twice(a: Replica) -> None:
    await a.engine.close()
    await a.engine.close()


async def test_closing_in_the_turn_in_which_commands_came_answers_them(a: Replica) -> None:
    task = a.start(ONE, opening(ONE))
    await asyncio.sleep(0)
    await a.engine.close()
    assert task.done()
    assert (await task).version == 1


async def test_a_closing_that_is_given_up_leaves_nobody_unanswered(a: Replica) -> None:
    await a.do(ONE, opening(ONE))
    a.store.hold()
    flying = a.start(ONE, Join(1, "x"))
    await a.store.held(1)
    behind = a.start(ONE, Join(2, "x"))
    elsewhere = a.start(TWO, opening(TWO, -2))
    await a.store.held(2)
    closing = asyncio.get_running_loop().create_task(a.engine.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    results = await asyncio.gather(flying, behind, elsewhere, return_exceptions=True)
    assert all(isinstance(result, Unavailable) for result in results)
