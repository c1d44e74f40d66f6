"""Quizzes told as: given these events, when this command comes, then these events (or that refusal)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from fsm.kind import ChatTopic, Command, Event, Host, Instant, PlayerId, Rejected, kebab
from fsm.lobby import JoiningStarted, OpenGame, PlayerJoined
from fsm.quiz import (
    KIND,
    AnswerGiven,
    GameOpened,
    Question,
    QuestionOpened,
    QuestionsSet,
    QuizGame,
    QuizPaused,
    QuizResumed,
    QuizRules,
)
from fsm.showing import TimeBegun

GAME = "07abcdefghijkl"
PLACE = ChatTopic(-1001, 5)
HOST = Host(900, "Hana")
SEED = "5eed" * 16
OPENED = 1_700_000_000_000
LOBBY, JOINING, QUESTION, REVEAL = 900_000, 60_000, 15_000, 3_000
ASKED = OPENED + 70_000
"""When the first question is asked in ``asking``."""
DUE = ASKED + QUESTION

BASE = {"easy": 100, "medium": 200, "hard": 300}


def some_rules(**changes: Any) -> QuizRules:
    """Three questions; else the default rules, but for ``changes``."""
    return QuizRules(**{"questions": 3, **changes})


def some_questions(count: int = 3, difficulty: str = "medium") -> tuple[Question, ...]:
    """Questions whose first answer is right."""
    return tuple(
        Question(
            id=f"q{index}",
            text=f"Which answer of question {index} is right?",
            answers=(f"right {index}", f"wrong {index}a", f"wrong {index}b", f"wrong {index}c"),
            difficulty=difficulty,
        )
        for index in range(count)
    )


def opening(**changes: Any) -> OpenGame:
    """The command that opens the quiz of these tests."""
    rules = changes.pop("rules", some_rules())
    fields = {"rules": rules, "title": "Friday", "content": some_questions(rules.questions), **changes}
    return OpenGame("quiz", GAME, PLACE, HOST, **fields)


def opened(difficulty: str = "medium", **rules: Any) -> tuple[Event, ...]:
    """A quiz that waits for players; the right answers stand first, as if no seed had moved them."""
    chosen = some_rules(**rules)
    return (
        GameOpened(GAME, PLACE, HOST, "Friday", chosen, OPENED),
        QuestionsSet(some_questions(chosen.questions, difficulty)),
    )


def lobby(players: int, difficulty: str = "medium", **rules: Any) -> tuple[Event, ...]:
    """Players 1 to ``players`` have joined, a millisecond after each other."""
    joined = [PlayerJoined(player, f"P{player}", OPENED + player) for player in range(1, players + 1)]
    return (*opened(difficulty, **rules), *joined, JoiningStarted(OPENED + JOINING))


def asking(players: int, difficulty: str = "medium", **rules: Any) -> tuple[Event, ...]:
    """The first question is open since ``ASKED``, until ``DUE``."""
    return (*lobby(players, difficulty, **rules), QuestionOpened(0, ASKED, ASKED + some_rules(**rules).question_ms))


@dataclass(frozen=True)
class Then:
    """What a command led to."""

    before: QuizGame | None
    events: tuple[Event, ...]
    refusal: Rejected | None

    @property
    def state(self) -> QuizGame:
        """The state afterwards."""
        return KIND.fold(self.before, self.events)

    def then(self, *expected: Event) -> QuizGame:
        """Exactly these events; gives the state after them."""
        assert self.refusal is None
        assert self.events == expected
        return self.state

    def then_these(self, *types: type[Event]) -> QuizGame:
        """Events of exactly these types; gives the state after them."""
        assert self.refusal is None
        assert tuple(type(event) for event in self.events) == types
        return self.state

    def nothing(self) -> None:
        """Neither events nor a refusal."""
        self.then()

    def refused(self, refusal: Rejected) -> None:
        """This refusal, with these parameters."""
        assert (type(self.refusal), self.refusal) == (type(refusal), refusal)


@dataclass(frozen=True)
class Given:
    """A quiz with a past."""

    past: QuizGame | None

    @property
    def state(self) -> QuizGame:
        """The quiz, where there is one."""
        assert self.past is not None
        return self.past

    def when(self, command: Command, at: Instant, seed: str = SEED) -> Then:
        """What ``command``, received at ``at``, leads to. A phase change that the machine doesn't know is an error."""
        try:
            events = KIND.decide(self.past, command, at, seed)
        except Rejected as refusal:
            return Then(self.past, (), refusal)
        if self.past is not None and events:
            last = KIND.fold(self.past, events).phase
            assert (self.past.phase, kebab(type(command).__name__), last) in KIND.machine.edges
        return Then(self.past, events, None)


def given(*events: Event | Iterable[Event] | QuizGame) -> Given:
    """A quiz to which this has happened; nothing: one that doesn't exist. A state may come first."""
    state: QuizGame | None = None
    for event in events:
        if isinstance(event, QuizGame):
            state = event
        else:
            state = KIND.fold(state, [event] if isinstance(event, Event) else event)
    return Given(state)


def play(state: QuizGame, command: Command, at: Instant) -> QuizGame:
    """The state after ``command``, which must be accepted."""
    return KIND.fold(state, KIND.decide(state, command, at, SEED))


def recompute(log: Iterable[tuple[Instant, Event]]) -> Mapping[PlayerId, tuple[int, int]]:
    """Points and longest streak of everybody who has answered, from the facts alone: who chose what, and when.

    Written apart from the rules: it reads when each event was received, not what the rules made of it.
    """
    rules = QuizRules()
    questions: tuple[Question, ...] = ()
    points: dict[PlayerId, int] = {}
    runs: dict[PlayerId, list[bool]] = {}
    left = 0  # of the question's time, when its clock was started or stopped last
    since: Instant | None = None  # when its clock was started, if it runs
    for at, event in log:
        match event:
            case GameOpened():
                rules = event.rules
            case QuestionsSet():
                questions = event.questions
            case QuestionOpened():
                left, since = rules.question_ms, at if event.to_run is None else None
            case TimeBegun():
                since = event.deadline - left
            case QuizPaused():
                left, since = left - (0 if since is None else max(0, at - since)), None
            case QuizResumed():
                since = at if event.to_run is None else None
            case AnswerGiven():
                used = rules.question_ms - left + (0 if since is None else max(0, at - since))
                question = questions[event.question]
                run = runs.setdefault(event.player_id, [])
                run += [False] * (event.question - len(run))
                streak = next((n for n, hit in enumerate(reversed(run)) if not hit), len(run))
                run.append(event.choice == question.right)
                if run[-1]:
                    base = BASE[question.difficulty]
                    speed = Fraction(base, 2) * Fraction(rules.question_ms - used, rules.question_ms)
                    earned = base + (int(speed) if rules.mode == "normal" else 0) + min(20 * streak, 100)
                    points[event.player_id] = points.get(event.player_id, 0) + earned
    return {player: (points.get(player, 0), _longest(run)) for player, run in runs.items()}


def _longest(run: list[bool]) -> int:
    best = current = 0
    for hit in run:
        current = current + 1 if hit else 0
        best = max(best, current)
    return best
