"""Machine that plays random games of any kind through its face, and checks the invariants that all kinds share.

A kind may have a subclass with strategies, actions and invariants of its own, see ``test_every_kind.py``.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any, get_type_hints

import msgspec
from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.settings import SECTIONS
from fsm import lobby
from fsm.engine import Record
from fsm.kind import ChatTopic, Command, Event, Host, Instant, Rejected, kebab, secrets_of
from fsm.question import Choice
from fsm.registry import KINDS
from fsm.showing import BoardShown
from handlers.kinds.registry import FACES
from handlers.kinds.verb import Tap
from play.texts import Texts
from storage.codec import Codec
from tests.support.spec import check_edges, spec

OPENED = 1_700_000_000_000
HOST = Host(900, "Hana")
PLAYERS = st.integers(1, 6)
MOST_TICKS = 500
CODEC = Codec(KINDS)
TEXTS = Texts()
GARBAGE = {
    int: st.integers(-2, 40),
    str: st.sampled_from(["", "heads", "x" * 50, "0", "1", "9", "-", "."]),
    Choice: st.one_of(
        st.integers(-2, 9),
        st.lists(st.integers(-1, 8), max_size=9).map(tuple),
        st.decimals(allow_nan=True, allow_infinity=True),
    ),
}
"""Values for the fields of a kind's own commands, by type.

Commands with fields of other types do not come from players.
"""


class AnyKind(RuleBasedStateMachine):
    """One game of a kind, and every action of people and timers on it."""

    name = ""

    def __init__(self) -> None:
        super().__init__()
        self.kind, self.face = KINDS[self.name], FACES[self.name]
        self.now = OPENED
        self.log: list[tuple[Instant, Event]] = []
        self.done: list[Command] = []
        self.deadlines: set[Instant] = {OPENED}
        self.secrets: set[str] = set()
        self.refusals: list[Rejected] = []
        self.state: Any = None

    def draw_rules(self, data: st.DataObject) -> Any:
        """Draw rules that a host may set."""
        return replace(SECTIONS[self.name]().rules(None), max_players=data.draw(st.integers(2, 6)))

    def draw_content(self, rules: Any, data: st.DataObject) -> Any:  # noqa: ARG002 -- for subclasses
        """Draw the content of a game; None for kinds without any."""
        return self.face.sample(rules) if self.face.sample is not None else None

    @initialize(data=st.data(), joined=st.integers(0, 6), title=st.sampled_from(["", "Friday"]))
    def open(self, data: st.DataObject, joined: int, title: str) -> None:
        rules = self.draw_rules(data)
        content = self.draw_content(rules, data)
        self.do(lobby.OpenGame(self.name, "07abcdefghijkl", ChatTopic(-1001), HOST, title, rules, 1, content))
        for player in range(1, joined + 1):
            self.do(lobby.Join(player, f"P{player}"))

    @property
    def events(self) -> tuple[Event, ...]:
        """All events of the game."""
        return tuple(event for _, event in self.log)

    def calm(self, every: int) -> bool:
        """Return True at one step in ``every``: actions that end most games early are allowed only then."""
        return len(self.done) % every == every - 1

    def do(self, command: Command) -> bool:
        """Execute a command now. Returns whether it was accepted."""
        self.done.append(command)
        seed = hashlib.sha256(f"{self.now} {len(self.done)}".encode()).hexdigest()
        try:
            events = self.kind.decide(self.state, command, self.now, seed)
        except Rejected as refusal:
            self.refusals.append(refusal)
            return False
        if self.state is not None:
            check_edges(self.kind, self.state, command, events)
        for each in events:
            self.check_event(each)
            self.state = self.kind.fold(self.state, [each])
            values = [getattr(each, name) for name in secrets_of(each)]
            self.secrets |= {value for value in values if isinstance(value, str) and len(value) >= 32}
        self.log += [(self.now, each) for each in events]
        if self.state.deadline is not None:
            self.deadlines.add(self.state.deadline)
        return True

    def recheck(self) -> Sequence[str]:
        """Compute the result again without the rules, from the events as they are stored. Returns the mistakes."""
        if self.face.recheck is None:
            return ()
        (record,) = msgspec.json.decode(CODEC.encode_records(self.kind, [Record("id", 5, self.events)]))
        return self.face.recheck(record["e"])

    def check_event(self, event: Event) -> None:
        """Check an event against the state before it."""

    def check_end(self) -> None:
        """Check a game that is over."""

    # -- actions of people and timers ---------------------------------------------------------------------------

    @rule(player=PLAYERS)
    def join(self, player: int) -> None:
        self.do(lobby.Join(player, f"P{player}"))

    @precondition(lambda self: self.calm(2))
    @rule(player=PLAYERS)
    def leave(self, player: int) -> None:
        self.do(lobby.Leave(player))

    @precondition(lambda self: self.calm(3))
    @rule(player=PLAYERS)
    def remove(self, player: int) -> None:
        self.do(lobby.Remove(player, HOST.id))

    @rule()
    def start_now(self) -> None:
        self.do(lobby.StartNow(HOST.id))

    @rule(milliseconds=st.sampled_from([-1, 0, 1, 60_000, 3_600_001]))
    def extend(self, milliseconds: int) -> None:
        self.do(lobby.Extend(HOST.id, milliseconds))

    @rule(chat=st.integers(-3, -1))
    def move_chat(self, chat: int) -> None:
        self.do(lobby.MoveChat(chat))

    @precondition(lambda self: len(self.done) > 40 or self.calm(17))
    @rule(reason=st.sampled_from(["host", "operator", "bot_removed"]))
    def cancel(self, reason: str) -> None:
        self.do(lobby.Cancel(HOST.id, reason))

    @rule(milliseconds=st.sampled_from([1, 1_000, 30_000]))
    def time_passes(self, milliseconds: int) -> None:
        self.now += milliseconds

    @rule(late=st.sampled_from([-1, 0, 1, 5_000]))
    def the_timer_fires(self, late: int) -> None:
        if self.state.deadline is not None:
            self.now = max(self.now, self.state.deadline + late)
            self.do(lobby.DeadlinePassed(self.state.deadline))

    @rule(data=st.data())
    def an_old_timer_fires(self, data: st.DataObject) -> None:
        before = self.state
        deadline = data.draw(st.sampled_from(sorted(self.deadlines))) + data.draw(st.sampled_from([0, 0, 0, -1, 1]))
        self.do(lobby.DeadlinePassed(deadline))
        assert self.state == before or deadline == before.deadline

    @rule(seconds=st.integers(-1_000, 1_000))
    def the_board_is_shown(self, seconds: int) -> None:
        if self.state.deadline is not None and self.state.to_run is not None:
            to_run, opened = self.state.to_run, self.state.deadline - self.state.rules.show_wait_ms
            self.do(BoardShown(self.state.deadline, self.now + to_run + 1_000 * seconds))
            assert opened + to_run <= (self.state.deadline or 0) <= max(self.now, opened) + to_run

    @rule(data=st.data())
    def a_command_comes_again(self, data: st.DataObject) -> None:
        self.do(data.draw(st.sampled_from(self.done[-10:])))

    @rule(player=PLAYERS, data=st.data())
    def a_player_taps_a_move(self, player: int, data: st.DataObject) -> None:
        self.tap(player, data)

    @rule(data=st.data())
    def all_players_tap_a_move(self, data: st.DataObject) -> None:
        for player in self.state.players:
            self.tap(player, data)

    def tap(self, player: int, data: st.DataObject) -> None:
        board = self.face.board(self.state, TEXTS, "en", bot_username="bot")
        labels = {button.data: button.text for row in board.keyboard for button in row if button.data is not None}
        moves = self.face.moves(labels)
        if not moves:
            return
        tapped = data.draw(st.sampled_from([move[0] for move in moves]))
        verb, _, rest = tapped.partition(":")
        tap = Tap(
            update_id=1, query_id="", user_id=player, user_name=f"P{player}", chat_id=-1001, chat_type="group",
            data=tapped, received=self.now,
        )  # fmt: skip
        command = self.face.verbs[verb].command(tap, rest.partition(":")[2])
        assert command is not None, f"no verb makes a command of {tapped}"
        self.do(command)

    @rule(data=st.data(), player=PLAYERS)
    def a_command_of_the_kind_comes_with_garbage(self, data: st.DataObject, player: int) -> None:
        commands = {name: command for name, command in _own_commands(self.name).items() if _from_a_player(command)}
        command = commands[data.draw(st.sampled_from(sorted(commands)))]
        hints = get_type_hints(command)
        drawn: dict[str, Any] = {each.name: data.draw(GARBAGE[hints[each.name]]) for each in fields(command)}
        drawn |= {name: player for name in ("player_id", "by") if name in drawn}
        self.do(command(**drawn))

    # -- invariants ---------------------------------------------------------------------------------------------

    @invariant()
    def the_events_give_the_state_also_when_stored(self) -> None:
        assert spec(self.kind).given(self.events).state == self.state
        record = Record("id", 5, self.events)
        (read,) = CODEC.decode_records(self.kind, CODEC.encode_records(self.kind, [record]))
        assert read == record
        snapshot, _ = CODEC.decode_snapshot(self.kind, CODEC.encode_snapshot(self.state, {}))
        assert snapshot == self.state

    @invariant()
    def a_game_that_is_over_waits_for_nothing_and_any_other_does(self) -> None:
        final = self.kind.machine.is_final(self.state.phase)
        assert final == (self.state.deadline is None) == (self.state.ended_at is not None)
        assert len(self.state.players) <= self.state.rules.capacity

    @invariant()
    def no_view_shows_a_secret_of_a_live_game(self) -> None:
        if self.kind.machine.is_final(self.state.phase):
            return
        for viewer in (None, 1, 900):
            stored = CODEC.encode_snapshot(self.kind.view(self.state, viewer), {})
            assert not [secret for secret in self.secrets if secret.encode() in stored]

    @invariant()
    def a_result_has_everybody_once_and_the_whole_pool(self) -> None:
        if self.state.phase != lobby.COMPLETED:
            return
        rows = self.state.standings
        assert sorted(row.player_id for row in rows) == sorted(self.state.players)
        places = [row.place for row in rows if row.place is not None]
        assert places == sorted(places)
        assert not places or places[0] == 1
        pool = getattr(self.state.rules, "prize_pool", Decimal(0))
        assert sum((row.prize for row in rows), Decimal(0)) == (pool if places else 0)

    def teardown(self) -> None:
        if self.state is None:
            return
        left = self.state.phase
        for _ in range(MOST_TICKS):
            if self.state.deadline is None:
                break
            self.now = max(self.now, self.state.deadline)
            length = len(self.log)
            self.do(lobby.DeadlinePassed(self.state.deadline))
            assert len(self.log) > length, "a deadline that has come leads on"
        assert self.kind.machine.is_final(self.state.phase), "the game does not end"
        self.the_events_give_the_state_also_when_stored()
        for refusal in self.refusals:
            assert all(TEXTS.refusal(locale, refusal) for locale in TEXTS.LOCALES)
        assert not TEXTS.missing
        assert not self.recheck()
        self.check_end()
        event(f"left in {left}, ended {self.state.phase}")


def _own_commands(name: str) -> dict[str, Any]:
    """Return the commands that the kind's file defines, by code."""
    module = __import__(f"fsm.{name}", fromlist=[name])
    own = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, Command)]
    return {kebab(each.__name__): each for each in own if each.__module__ == module.__name__}


def _from_a_player(command: Any) -> bool:
    hints = get_type_hints(command)
    return all(hints[each.name] in GARBAGE for each in fields(command))
