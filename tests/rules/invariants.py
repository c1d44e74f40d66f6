"""Invariants of every game of Pick Your Number, after any actions."""

from collections.abc import Sequence
from decimal import Decimal

from fsm import proof
from fsm.engine import Record
from fsm.kind import Event
from fsm.lobby import DeadlinePassed
from fsm.pick_number import KIND, PickNumberGame, prove
from storage.codec import Codec
from tests.rules.given_when_then import total
from tests.support.spec import SEED

CODEC = Codec({KIND.name: KIND})
MOST_TICKS = 100
"""Lobby, joining, selection, a day of waiting for a beacon, fourteen frames, result; each after a wait to be seen."""


def check_state(state: PickNumberGame) -> None:
    """Check the invariants of any phase."""
    final = KIND.machine.is_final(state.phase)
    assert final == (state.deadline is None) == (state.ended_at is not None)
    assert {player: number for number, player in state.owners.items()} == state.picks
    assert len(state.owners) == len(state.picks)
    assert set(state.picks) <= set(state.players)
    assert all(1 <= number <= state.highest for number in state.owners)
    assert len(state.players) <= state.rules.capacity
    assert state.phase != "players_joining" or len(state.players) >= state.rules.min_players
    assert bool(state.standings) == (state.phase == "completed")
    check_secrets(state)


def check_secrets(state: PickNumberGame) -> None:
    """Check that a view shows neither the seed nor undrawn winners, to anybody."""
    for viewer in (None, *list(state.players)[:1]):
        seen = KIND.view(state, viewer)
        if KIND.machine.is_final(state.phase):
            assert seen == state
            continue
        assert seen.seed is None
        assert seen.reserved is None or seen.reserved.seed == ""
        assert (seen.drawn or ()) == (state.drawn or ())[: state.shown]
        assert state.seed is None or state.seed.encode() not in CODEC.encode_snapshot(seen, {})


def check_result(state: PickNumberGame) -> None:
    """Check a completed game: everybody once, no gap in the places, the whole pool, a valid proof."""
    assert state.phase == "completed"
    assert sorted(s.player_id for s in state.standings) == sorted(state.players)
    winners = [s for s in state.standings if s.place is not None]
    assert [s.place for s in winners] == list(range(1, min(state.rules.winners, len(state.owners)) + 1))
    assert total(s.prize for s in winners) == state.rules.prize_pool
    assert all(s.prize == Decimal(0) for s in state.standings if s.place is None)
    assert all(s.number == state.picks.get(s.player_id) for s in state.standings)
    assert state.shown == len(state.drawn or ())
    check_proof(state)


def check_proof(state: PickNumberGame) -> None:
    """Check that the proof of a finished draw is valid."""
    assert [check.code for check in proof.verify(proof.canonical(prove(state))) if not check.passed] == []


def check_replay(events: Sequence[Event], state: PickNumberGame) -> None:
    """Check that the events give the state, also after encoding and decoding."""
    assert KIND.fold(None, events) == state
    record = Record("id", 5, tuple(events))
    (read,) = CODEC.decode_records(KIND, CODEC.encode_records(KIND, [record]))
    assert read == record
    assert KIND.fold(None, read.events) == state
    again, seen = CODEC.decode_snapshot(KIND, CODEC.encode_snapshot(state, {"id": 5}))
    assert (again, seen) == (state, {"id": 5})


def end_by_itself(state: PickNumberGame) -> tuple[Event, ...]:
    """Return the events if nobody acts any more. Fails unless the game ends within a bounded number of ticks."""
    events: tuple[Event, ...] = ()
    for _ in range(MOST_TICKS + 1):
        if state.deadline is None:
            return events
        more = KIND.decide(state, DeadlinePassed(state.deadline), state.deadline, SEED)
        assert more, "a deadline that has come leads on"
        state, events = KIND.fold(state, more), (*events, *more)
        check_state(state)
    raise AssertionError("the game does not end")
