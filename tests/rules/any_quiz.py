"""Strategies, actions and invariants of random quizzes."""

from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from fsm.kind import Event
from fsm.lobby import GameCancelled, PlayerLeft
from fsm.question import TYPES
from fsm.quiz import Answer, AnswerGiven, Confirm, Draft, Pause, QuestionOpened, QuestionRevealed, Resume, SetQuestions
from tests.rules.any_kind import HOST, PLAYERS, AnyKind
from tests.rules.quizzes import recompute, right_answer, some_questions, some_rules, wrong_answer
from tests.rules.test_quiz import check_view

STEP = st.integers(0, 4_000)
RULES = st.fixed_dictionaries({
    "questions": st.integers(1, 5),
    "mode": st.sampled_from(["normal", "accuracy"]),
    "winners": st.integers(1, 4),
    "split": st.sampled_from(["auto", "equal"]),
    "prize_pool": st.decimals(0, 1000, places=2),
    "show_wait_ms": st.sampled_from([0, 90_000]),
    "max_players": st.just(4),
    "late_join": st.booleans(),
})  # fmt: skip


class AnyQuiz(AnyKind):
    """One quiz, with answers at every moment and a host who pauses it."""

    name = "quiz"

    def draw_rules(self, data: st.DataObject) -> Any:
        return some_rules(**data.draw(RULES))

    def draw_content(self, rules: Any, data: st.DataObject) -> Any:
        types = data.draw(st.lists(st.sampled_from([*TYPES, "closest"]), min_size=1, max_size=3))
        return some_questions(rules.questions, data.draw(st.sampled_from(["easy", "medium", "hard"])), types)

    def check_event(self, event: Event) -> None:
        if isinstance(event, AnswerGiven):
            assert event.player_id in self.state.active
            assert event.player_id not in self.state.late
            assert event.player_id not in self.state.replies
            assert self.state.remaining is None
            assert self.now < self.state.deadline

    # -- actions of people --------------------------------------------------------------------------------------

    @precondition(lambda self: self.state.index >= 0)
    @rule(player=PLAYERS, choice=st.integers(-1, 4), step=STEP, stale=st.integers(0, 9))
    def answer(self, player: int, choice: int, step: int, stale: int) -> None:
        self.now += step
        self.do(Answer(player, self.state.index - (stale == 0), choice))

    @precondition(lambda self: self.state.phase == "question_open")
    @rule(hits=st.lists(st.booleans(), min_size=6, max_size=6), step=STEP)
    def everybody_answers(self, hits: list[bool], step: int) -> None:
        index, question = self.state.index, self.state.question
        for player in self.state.active:
            self.now += step // 4
            self.do(Answer(player, index, (right_answer if hits[player - 1] else wrong_answer)(question)))

    @precondition(lambda self: self.state.phase == "question_open")
    @rule(player=PLAYERS, keys=st.text("0123.-<", max_size=4))
    def draft_and_confirm(self, player: int, keys: str) -> None:
        for key in keys:
            self.do(Draft(player, self.state.index, key))
        self.do(Confirm(player, self.state.index))

    @precondition(lambda self: self.state.phase == "question_open")
    @rule(player=PLAYERS)
    def answer_right_at_the_last_millisecond(self, player: int) -> None:
        self.now = max(self.now, (self.state.deadline or 0) - 1)
        self.do(Answer(player, self.state.index, right_answer(self.state.question)))

    @precondition(lambda self: self.calm(4))
    @rule()
    def pause(self) -> None:
        self.do(Pause(HOST.id))

    @rule(step=STEP)
    def resume(self, step: int) -> None:
        self.now += step
        self.do(Resume(HOST.id))

    @precondition(lambda self: self.state.index < 0)
    @rule(count=st.integers(0, 4))
    def other_questions(self, count: int) -> None:
        self.do(SetQuestions(some_questions(count, "hard")))

    # -- invariants ---------------------------------------------------------------------------------------------

    @invariant()
    def no_view_tells_anything_early(self) -> None:
        for viewer in (None, 1, 5):
            check_view(self.state, viewer)

    @invariant()
    def points_are_what_the_facts_say(self) -> None:
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
        if self.state.phase != "completed":
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

    def check_end(self) -> None:
        left = sum(isinstance(event, PlayerLeft) for event in self.events)
        assert not self.state.late or self.state.phase == "cancelled"
        assert set(self.state.late) <= set(self.state.players) - set(self.state.gone)
        assert len(self.state.gone) <= left
        reasons = {event.reason for event in self.events if isinstance(event, GameCancelled)}
        assert reasons <= {"host", "operator", "bot_removed", "lobby_expired", "everybody_removed"}
        assert len(msgspec.json.encode(self.state)) < 10_000
