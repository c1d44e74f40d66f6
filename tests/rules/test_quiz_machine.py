"""Random quizzes: invariants under any actions of people and timers."""

from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fsm.kind import Command, Event, Rejected, kebab
from fsm.lobby import Cancel, DeadlinePassed, Extend, GameCancelled, Join, Leave, MoveChat, PlayerLeft, Remove, StartNow
from fsm.quiz import (
    KIND,
    Answer,
    AnswerGiven,
    Pause,
    QuestionOpened,
    QuestionRevealed,
    QuizGame,
    Resume,
    SetQuestions,
)
from fsm.showing import BoardShown
from storage.codec import Codec
from tests.rules.quizzes import HOST, OPENED, opening, recompute, some_questions, some_rules
from tests.rules.test_quiz import check_view

PLAYERS = st.integers(1, 5)
STEP = st.integers(0, 4_000)
CODEC = Codec({"quiz": KIND})


class Quizzes(RuleBasedStateMachine):
    """One quiz, its whole log, and a clock that only goes forward."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[tuple[int, Event]] = []
        self.state: QuizGame | None = None
        self.now = OPENED

    @initialize(
        questions=st.integers(1, 5),
        mode=st.sampled_from(["normal", "accuracy"]),
        difficulty=st.sampled_from(["easy", "medium", "hard"]),
        winners=st.integers(1, 4),
        split=st.sampled_from(["auto", "equal"]),
        pool=st.decimals(0, 1000, places=2),
        seed=st.binary(min_size=32, max_size=32),
        joined=st.sampled_from([4, 4, 3, 1]),
        show_wait_ms=st.sampled_from([0, 90_000]),
    )
    def open(self, questions: int, difficulty: str, seed: bytes, pool: Decimal, joined: int, **rules: Any) -> None:
        chosen = some_rules(questions=questions, prize_pool=pool, max_players=4, **rules)
        self.seed = seed.hex()
        self._do(opening(rules=chosen, content=some_questions(questions, difficulty)))
        for player in range(1, joined + 1):  # four fill the lobby: the quiz begins
            self._do(Join(player, f"P{player}"))

    def _do(self, command: Command) -> None:
        """Decide a command, fold its events, and check the invariants of any step."""
        before = self.state
        try:
            events = KIND.decide(before, command, self.now, self.seed)
        except Rejected:
            return
        self.log += [(self.now, event) for event in events]
        for event in events:
            self._step(event)
        if before is not None and events:
            assert self.state is not None
            assert (before.phase, kebab(type(command).__name__), self.state.phase) in KIND.machine.edges

    def _step(self, event: Event) -> None:
        if isinstance(event, AnswerGiven):
            assert self.state is not None
            assert event.player_id in self.state.active
            assert event.player_id not in self.state.replies
            assert self.state.remaining is None
            assert self.state.deadline is not None
            assert self.now < self.state.deadline
        self.state = KIND.fold(self.state, [event])

    def calm(self, every: int) -> bool:
        """Return True at one step in ``every``: actions that end most quizzes early are allowed only then."""
        return len(self.log) % every == every - 1

    @rule(step=STEP)
    def the_board_is_shown(self, step: int) -> None:
        assert self.state is not None
        self.now += step
        if self.state.deadline is not None and self.state.to_run is not None:
            self._do(BoardShown(self.state.deadline, self.now + self.state.to_run))
            assert self.state.to_run is None

    # -- actions of people --------------------------------------------------------------------------------------

    @precondition(lambda self: self.state.index < 1)
    @rule(player=PLAYERS, step=STEP)
    def join(self, player: int, step: int) -> None:
        self.now += step
        self._do(Join(player, f"P{player}"))

    @precondition(lambda self: self.state.index >= 0)
    @rule(player=PLAYERS, choice=st.integers(-1, 4), step=STEP, stale=st.integers(0, 9))
    def answer(self, player: int, choice: int, step: int, stale: int) -> None:
        assert self.state is not None
        self.now += step
        self._do(Answer(player, self.state.index - (stale == 0), choice))

    @precondition(lambda self: self.state.phase == "question_open")
    @rule(hits=st.lists(st.booleans(), min_size=5, max_size=5), step=STEP)
    def everybody_answers(self, hits: list[bool], step: int) -> None:
        assert self.state is not None
        assert self.state.question is not None
        assert self.state.question.right is not None
        index, right = self.state.index, self.state.question.right
        for player in self.state.active:
            self.now += step // 4
            self._do(Answer(player, index, right if hits[player - 1] else (right + 1) % 4))

    @precondition(lambda self: self.state.phase == "question_open")
    @rule(player=PLAYERS)
    def answer_right_at_the_last_millisecond(self, player: int) -> None:
        assert self.state is not None
        assert self.state.question is not None
        assert self.state.question.right is not None
        self.now = max(self.now, (self.state.deadline or 0) - 1)
        self._do(Answer(player, self.state.index, self.state.question.right))

    @precondition(lambda self: self.calm(2))
    @rule(player=PLAYERS)
    def leave(self, player: int) -> None:
        self._do(Leave(player))

    @precondition(lambda self: self.calm(3))
    @rule(player=PLAYERS)
    def remove(self, player: int) -> None:
        self._do(Remove(player, HOST.id))

    @precondition(lambda self: self.state.index < 1)
    @rule()
    def start_now(self) -> None:
        self._do(StartNow(HOST.id))

    @precondition(lambda self: self.state.index < 0)
    @rule(milliseconds=st.integers(-1, 100_000))
    def extend(self, milliseconds: int) -> None:
        self._do(Extend(HOST.id, milliseconds))

    @precondition(lambda self: self.calm(4))
    @rule()
    def pause(self) -> None:
        self._do(Pause(HOST.id))

    @rule(step=STEP)
    def resume(self, step: int) -> None:
        self.now += step
        self._do(Resume(HOST.id))

    @precondition(lambda self: self.state.index < 0)
    @rule(count=st.integers(0, 4))
    def other_questions(self, count: int) -> None:
        self._do(SetQuestions(some_questions(count, "hard")))

    @precondition(lambda self: self.calm(6))
    @rule(chat=st.integers(-1003, -1001))
    def move(self, chat: int) -> None:
        self._do(MoveChat(chat))

    @precondition(lambda self: self.calm(17))
    @rule()
    def cancel(self) -> None:
        self._do(Cancel(HOST.id, "host"))

    # -- timers -------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.state.deadline is not None)
    @rule(late=st.integers(0, 500))
    def deadline(self, late: int) -> None:
        assert self.state is not None
        due = self.state.deadline or 0
        self.now = max(self.now, due + late)
        length = len(self.log)
        self._do(DeadlinePassed(due))
        assert len(self.log) > length, "a deadline that is due moves the quiz on"

    @precondition(lambda self: self.calm(5))
    @rule(off=st.sampled_from([-1, 1]))
    def wrong_deadline(self, off: int) -> None:
        assert self.state is not None
        length = len(self.log)
        self._do(DeadlinePassed((self.state.deadline or 0) + off))
        assert len(self.log) == length

    # -- invariants ---------------------------------------------------------------------------------------------

    @invariant()
    def what_was_stored_is_the_state(self) -> None:
        if self.state is None:
            return
        assert KIND.fold(None, [event for _, event in self.log]) == self.state
        snapshot, _ = CODEC.decode_snapshot(KIND, CODEC.encode_snapshot(self.state, {}))
        assert snapshot == self.state

    @invariant()
    def no_view_tells_anything_early(self) -> None:
        if self.state is not None:
            for viewer in (None, 1, 5):
                check_view(self.state, viewer)

    @invariant()
    def a_live_quiz_has_a_deadline_and_one_that_is_over_has_none(self) -> None:
        if self.state is not None:
            assert (self.state.deadline is None) == KIND.machine.is_final(self.state.phase)

    @invariant()
    def points_are_what_the_facts_say(self) -> None:
        if self.state is None:
            return
        shown = next((n for n, (_, e) in reversed([*enumerate(self.log)]) if isinstance(e, QuestionRevealed)), -1)
        facts = recompute(self.log[: shown + 1])
        for player in self.state.players:
            score = self.state.score(player)
            assert (score.points, score.best_streak) == facts.get(player, (0, 0))

    @invariant()
    def every_question_is_asked_once_and_in_order(self) -> None:
        asked = [event.question for _, event in self.log if isinstance(event, QuestionOpened)]
        assert asked == list(range(len(asked)))

    @invariant()
    def the_result_is_right(self) -> None:
        if self.state is None or self.state.phase != "completed":
            return
        rows = self.state.standings
        assert {row.player_id for row in rows} == set(self.state.players)
        assert [row.points for row in rows] == sorted((row.points for row in rows), reverse=True)
        for row in rows:
            place = 1 + sum(other.points > row.points for other in rows)
            assert row.place == (place if row.points else None)
            assert not row.prize or place <= self.state.rules.winners
        won = any(row.place for row in rows)
        assert sum((row.prize for row in rows), Decimal(0)) == (self.state.rules.prize_pool if won else 0)
        by_place: dict[int, set[Decimal]] = {}
        for row in rows:
            if row.place and row.place <= self.state.rules.winners:
                by_place.setdefault(row.place, set()).add(row.prize)
        assert all(max(amounts) - min(amounts) <= Decimal("0.01") for amounts in by_place.values())

    def teardown(self) -> None:
        if self.state is not None:
            left = sum(isinstance(event, PlayerLeft) for _, event in self.log)
            assert len(self.state.gone) <= left
            reasons = {event.reason for _, event in self.log if isinstance(event, GameCancelled)}
            assert reasons <= {"host", "lobby_expired", "everybody_removed"}
            assert len(msgspec.json.encode(self.state)) < 10_000


TestQuizzes = Quizzes.TestCase
TestQuizzes.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
