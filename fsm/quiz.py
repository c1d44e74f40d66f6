"""Quiz: all players answer the same questions against the clock, and points decide.

waiting_for_players -> players_joining -> for each question (question_open -> question_reveal) -> completed, or
cancelled from any of them. The questions come with the opening, so that a lobby can always begin. Until then
``SetQuestions`` may replace them, so that a model may write while people join. A question is secret until it is asked,
and its right answer until it is revealed: ``view`` removes whatever a viewer may not know.

If the rules allow it, people also join during the quiz, and answer from the next question on. Questions that need more
than one tap are drafted: ``Draft`` changes a player's draft, ``Confirm`` makes it their final answer.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from fsm import draw, lobby, prizes, scoring, showing
from fsm.kind import (
    HIDDEN,
    SECRET,
    ChatTopic,
    Command,
    Edge,
    Event,
    Game,
    Host,
    Instant,
    Kind,
    NotNow,
    PhaseMachine,
    PlayerId,
    Rejected,
    UnknownGame,
    changed,
    empty,
)
from fsm.lobby import (
    CANCELLED,
    COMPLETED,
    PLAYERS_JOINING,
    WAITING_FOR_PLAYERS,
    AlreadyJoined,
    DeadlinePassed,
    GameCancelled,
    GameCompleted,
    GameFull,
    Join,
    Leave,
    LobbyCommand,
    NotInGame,
    OpenGame,
    Remove,
    Standing,
    check_bounds,
)
from fsm.question import NUMBER, ORDER, POLLED, SEVERAL, TRUE_FALSE, Choice, Question, who_is_right
from fsm.showing import BoardShown, TimeBegun

QUESTION_OPEN = "question_open"
QUESTION_REVEAL = "question_reveal"

NORMAL, ACCURACY = "normal", "accuracy"
"""Modes: with and without the speed bonus."""

MAX_QUESTIONS = 100
MAX_CATEGORIES, MAX_TOPIC = 50, 100
"""Maximum number of chosen categories, and maximum length of a topic in characters."""
PAUSE_MS = 900_000
"""Longest pause, in milliseconds; then the quiz continues by itself."""
NONE = -1
"""Index that stands for "no answer"; see ``gave``."""
ANSWERS = b"tombola/answers/1"
NATIVE_POLLS = "native-polls"
"""Feature flag: quizzes may ask by Telegram's own polls. If it is off, the rules of a new game have no polls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuizRules:
    """The rules that a host may set. Times in milliseconds."""

    mode: str = NORMAL
    questions: int = 10
    question_ms: int = 15_000
    reveal_ms: int = 3_000
    pace_ms: int = field(default=0, metadata=HIDDEN)
    """Least time of a question and its reveal together: showing them takes calls, which Telegram limits."""
    show_wait_ms: int = field(default=0, metadata=HIDDEN)
    """Longest wait for the chat to see a phase before its time begins; 0 for no wait."""
    polls: bool = False
    """Ask by Telegram's own quiz poll instead of by buttons, if the place allows it and the question's type does."""
    late_join: bool = True
    """Let people join during the quiz. They answer from the next question on."""
    pack: int | None = field(default=None, metadata=empty("bank"))
    """Pack of the questions; None for the built-in bank."""
    categories: tuple[str, ...] = field(default=(), metadata=empty("any"))
    """Categories of the questions; empty for all."""
    difficulty: str = field(default="", metadata=empty("any"))
    """Difficulty of the questions; empty for all."""
    topic: str = field(default="", metadata=empty("none"))
    """Topic for a model to write the questions about; empty if no model writes them."""
    winners: int = 3
    prize_pool: Decimal = Decimal(0)
    split: str = prizes.AUTO
    percentages: tuple[Decimal, ...] = ()
    amounts: tuple[Decimal, ...] = ()
    """Amount of each place, which add up to the pool; empty if the pool is split."""
    currency: str = ""
    prizes: tuple[str, ...] = ()
    """Prize of each place in words; empty if prizes are amounts."""
    min_players: int = 2
    max_players: int = 100
    lobby_ms: int = 900_000
    join_ms: int = 60_000
    channel: str = field(default="", metadata=empty("none"))
    known_days: int = 0
    booster: bool = False
    premium: bool = False
    """The conditions to join, see ``lobby.Conditions``."""
    earlier_winners: tuple[PlayerId, ...] = field(default=(), metadata=HIDDEN)
    """The winners of the games of which this one is a rematch, the oldest first."""
    without_winners: bool = field(default=False, metadata=HIDDEN)
    """True if the earlier winners may not join."""

    @property
    def capacity(self) -> int:
        """Return the most players that can take part."""
        return self.max_players

    def check(self) -> None:
        """Raise ``BadRule`` at the first rule outside its bounds."""
        lobby.check_choice("mode", self.mode, (NORMAL, ACCURACY))
        check_bounds("questions", self.questions, 1, MAX_QUESTIONS)
        lobby.check_lobby(self, fewest=1)
        lobby.check_wait("question_seconds", self.question_ms)
        lobby.check_reveal(self.reveal_ms)
        lobby.check_show_wait(self.show_wait_ms)
        check_bounds("pace_seconds", Decimal(self.pace_ms) / 1000, 0, 60)
        lobby.check_choice("difficulty", self.difficulty, ("", *scoring.BASE))
        check_bounds("categories", len(self.categories), 0, MAX_CATEGORIES)
        check_bounds("topic", len(self.topic), 0, MAX_TOPIC)
        prizes.check(self)
        lobby.check_barred(self)
        lobby.check_conditions(self)


@dataclass(frozen=True, slots=True)
class Reply:
    """A player's answer to the current question."""

    choice: Choice | None
    """The answer; None in a view for somebody who may not know it."""
    remaining: int
    """Time left for the question when the server received the answer, in ms."""


def gave(choice: Choice) -> bool:
    """Return whether an element of ``Score.choices`` is an answer. The number -1 is one, the index -1 is not."""
    return not (isinstance(choice, int) and choice == NONE)


@dataclass(frozen=True, slots=True)
class Score:
    """A player's score so far, without the current question."""

    points: int = 0
    right: int = 0
    streak: int = 0
    """Right answers in a row, up to the last revealed question."""
    best_streak: int = 0
    choices: tuple[Choice, ...] = ()
    """Answer to each revealed question, or ``NONE``. A view shows each viewer only their own."""
    hits: tuple[int, ...] = ()
    """Indices of the questions answered right. A view shows each viewer only their own."""


@dataclass(frozen=True, kw_only=True)
class QuizGame(Game):
    """The state of a quiz, with secrets; ``view`` removes them."""

    rules: QuizRules
    questions: tuple[Question, ...] = ()
    """All questions, in the order of asking; in a view, those asked so far."""
    index: int = -1
    """Index of the current question, which is open or just revealed; -1 before the first."""
    revealed: int = 0
    """Number of questions whose right answer was shown."""
    replies: Mapping[PlayerId, Reply] = field(default_factory=dict)
    """Answers to the current question, by player."""
    scores: Mapping[PlayerId, Score] = field(default_factory=dict)
    """Scores by player; a player without an entry has ``Score()``."""
    drafts: Mapping[PlayerId, str] = field(default_factory=dict)
    """Answers to the current question that are not final yet. A view shows each viewer only their own."""
    gained: Mapping[PlayerId, int] = field(default_factory=dict)
    """Points for the last revealed question, by player; only players who were right."""
    tally: tuple[int, ...] = ()
    """Number of players who chose each answer of the last revealed question.

    For a number or an order: the number of right answers, and of wrong ones.
    """
    gone: tuple[PlayerId, ...] = ()
    """Players who left during the quiz: they keep their points, and nobody waits for their answers."""
    late: tuple[PlayerId, ...] = ()
    """Players who joined while the current question was open: they answer from the next one on."""
    remaining: int | None = None
    """Time left of the phase when a host paused it, in ms; None if it is not paused."""
    standings: tuple[Standing, ...] = ()

    @property
    def question(self) -> Question | None:
        """Return the current question, or None before the first."""
        return self.questions[self.index] if self.index >= 0 else None

    @property
    def polled(self) -> bool:
        """Return True if a native poll asks the current question."""
        return self.rules.polls and self.question is not None and self.question.type in POLLED

    @property
    def active(self) -> tuple[PlayerId, ...]:
        """Return the players who may answer the current question, in joining order."""
        return tuple(player for player in self.players if player not in self.gone and player not in self.late)

    @property
    def joinable(self) -> bool:
        """Return True if people may join during the quiz: there is room, and a next question to answer."""
        room = len(self.players) < self.rules.capacity
        return self.rules.late_join and room and 0 <= self.index < self.rules.questions - 1

    def score(self, player: PlayerId) -> Score:
        """Return a player's score so far."""
        return self.scores.get(player, Score())


# -- commands ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SetQuestions(Command):
    """Replace the questions of a quiz that has not begun."""

    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Answer(Command):
    """Answer a question, finally. ``question`` is its index, which exposes an outdated button."""

    player_id: PlayerId
    question: int
    choice: Choice


@dataclass(frozen=True, slots=True)
class Draft(Command):
    """Change a player's draft of an answer by a key: the digit of an answer's index, or a key of a number.

    In an order, the key of the last item makes the answer final.
    """

    player_id: PlayerId
    question: int
    key: str


@dataclass(frozen=True, slots=True)
class Confirm(Command):
    """Make a player's draft their final answer."""

    player_id: PlayerId
    question: int


@dataclass(frozen=True, slots=True)
class Pause(Command):
    """Stop the clock, by a host's decision."""

    by: PlayerId


@dataclass(frozen=True, slots=True)
class Resume(Command):
    """Start the clock again, by a host's decision."""

    by: PlayerId


# -- events -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GameOpened(Event):
    """A quiz has opened its lobby."""

    game_id: str
    place: ChatTopic
    host: Host
    title: str
    rules: QuizRules
    at: Instant


@dataclass(frozen=True, slots=True)
class QuestionsSet(Event):
    """The questions were set. They are secret; their answers are in the order in which they will be shown."""

    questions: tuple[Question, ...] = field(metadata=SECRET)


@dataclass(frozen=True, slots=True)
class QuestionOpened(Event):
    """A question was asked and may be answered until ``deadline``."""

    question: int
    at: Instant
    deadline: Instant
    to_run: int | None = None
    """Length of a phase that waits to be seen, see ``Game``."""


@dataclass(frozen=True, slots=True)
class AnswerGiven(Event):
    """A player has answered, with ``remaining`` ms of the question's time left."""

    player_id: PlayerId
    question: int
    choice: Choice = field(metadata=SECRET)
    remaining: int
    at: Instant


@dataclass(frozen=True, slots=True)
class AnswerDrafted(Event):
    """A player has changed the draft of their answer."""

    player_id: PlayerId
    question: int
    draft: str = field(metadata=SECRET)


@dataclass(frozen=True, slots=True)
class QuestionRevealed(Event):
    """The right answer was revealed and is shown until ``deadline``.

    ``gained``: points of the players who were right.
    """

    question: int
    gained: Mapping[PlayerId, int]
    deadline: Instant
    to_run: int | None = None
    """Length of a phase that waits to be seen, see ``Game``."""


@dataclass(frozen=True, slots=True)
class QuizPaused(Event):
    """The clock was stopped ``remaining`` ms before the end of the phase. It starts again by ``deadline``."""

    remaining: int
    by: PlayerId
    deadline: Instant


@dataclass(frozen=True, slots=True)
class QuizResumed(Event):
    """The clock was started again and runs until ``deadline``. ``by`` is None if the pause took too long."""

    by: PlayerId | None
    deadline: Instant
    to_run: int | None = None
    """Length of a phase that waits to be seen, see ``Game``."""


# -- refusals ---------------------------------------------------------------------------------------------------


@dataclass(unsafe_hash=True)
class AlreadyAnswered(Rejected):
    """A refusal: the player's answer to this question is final. ``choice`` is the answer."""

    choice: Choice

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the answer: an index as it is, others as text."""
        return {"choice": self.choice if isinstance(self.choice, int) else str(self.choice)}


@dataclass(unsafe_hash=True)
class QuestionClosed(Rejected):
    """A refusal: the question is no longer open. ``number`` counts from one."""

    number: int


@dataclass(unsafe_hash=True)
class NoSuchAnswer(Rejected):
    """A refusal: the question can't be answered like this."""


@dataclass(unsafe_hash=True)
class AnswerIncomplete(Rejected):
    """A refusal: the draft is not a whole answer yet."""


@dataclass(unsafe_hash=True)
class FromNextQuestion(Rejected):
    """A refusal: somebody who joined during this question answers from the next one on."""


@dataclass(unsafe_hash=True)
class LastQuestion(Rejected):
    """A refusal: no question is left for somebody who joins now."""


@dataclass(unsafe_hash=True)
class Paused(Rejected):
    """A refusal: a paused quiz takes no answers and can't be paused again."""


@dataclass(unsafe_hash=True)
class NotPaused(Rejected):
    """A refusal: the quiz is not paused."""


@dataclass(unsafe_hash=True)
class PollRuns(Rejected):
    """A refusal: an open native poll can't be paused, because Telegram would keep taking votes."""


@dataclass(unsafe_hash=True)
class WrongQuestionCount(Rejected):
    """A refusal: the number of questions differs from the rules'."""

    have: int
    need: int


@dataclass(unsafe_hash=True)
class BadQuestion(Rejected):
    """A refusal: a question can't be asked, or occurs twice. ``number`` counts from one."""

    number: int


MACHINE = PhaseMachine(
    initial=WAITING_FOR_PLAYERS,
    edges=(
        *lobby.lobby_edges(QUESTION_OPEN, (QUESTION_OPEN, QUESTION_REVEAL)),
        Edge(SetQuestions, WAITING_FOR_PLAYERS, (WAITING_FOR_PLAYERS,)),
        Edge(SetQuestions, PLAYERS_JOINING, (PLAYERS_JOINING,)),
        Edge(Join, QUESTION_OPEN, (QUESTION_OPEN,)),
        Edge(Join, QUESTION_REVEAL, (QUESTION_REVEAL,)),
        Edge(Answer, QUESTION_OPEN, (QUESTION_OPEN, QUESTION_REVEAL)),
        Edge(Draft, QUESTION_OPEN, (QUESTION_OPEN, QUESTION_REVEAL)),
        Edge(Confirm, QUESTION_OPEN, (QUESTION_OPEN, QUESTION_REVEAL)),
        Edge(Leave, QUESTION_OPEN, (QUESTION_OPEN, QUESTION_REVEAL)),
        Edge(Remove, QUESTION_OPEN, (QUESTION_OPEN, QUESTION_REVEAL)),
        Edge(Pause, QUESTION_OPEN, (QUESTION_OPEN,)),
        Edge(Resume, QUESTION_OPEN, (QUESTION_OPEN, QUESTION_REVEAL)),
        Edge(DeadlinePassed, QUESTION_OPEN, (QUESTION_OPEN, QUESTION_REVEAL)),
        Edge(BoardShown, QUESTION_OPEN, (QUESTION_OPEN,)),
        Edge(BoardShown, QUESTION_REVEAL, (QUESTION_REVEAL,)),
        Edge(Leave, QUESTION_REVEAL, (QUESTION_REVEAL,)),
        Edge(Remove, QUESTION_REVEAL, (QUESTION_REVEAL,)),
        Edge(Pause, QUESTION_REVEAL, (QUESTION_REVEAL,)),
        Edge(Resume, QUESTION_REVEAL, (QUESTION_REVEAL,)),
        Edge(DeadlinePassed, QUESTION_REVEAL, (QUESTION_OPEN, QUESTION_REVEAL, COMPLETED, CANCELLED)),
    ),
)


# -- decide -----------------------------------------------------------------------------------------------------

QuizCommand = (
    OpenGame | LobbyCommand | DeadlinePassed | SetQuestions | Answer | Draft | Confirm | Pause | Resume | BoardShown
)


def decide(state: QuizGame | None, command: Any, now: Instant, seed: str) -> tuple[Event, ...]:
    """Decide ``command``, received at ``now``. Raises ``Rejected``; no events mean that there is nothing to do."""
    if state is None:
        return _open(command, now, seed)
    if isinstance(command, DeadlinePassed) and state.deadline is None:
        return ()  # a timer that fired after the end of its game
    if isinstance(command, (Answer, Draft, Confirm)) and state.phase == QUESTION_REVEAL:
        raise QuestionClosed(number=command.question + 1)  # more helpful than NotNow
    MACHINE.check(state.phase, command)
    return _decide(state, command, now, seed)


def _decide(game: QuizGame, command: QuizCommand, now: Instant, seed: str) -> tuple[Event, ...]:
    def begin(ready: QuizGame) -> tuple[Event, ...]:
        return (_next_question(ready, now),)

    match command:
        case OpenGame():
            raise AssertionError("the phase table lets nobody open a game twice")
        case SetQuestions():
            lobby.in_time(game, now)
            return (_questions(command.questions, game.rules, seed),)
        case Leave() | Remove() if game.index >= 0:
            return _depart(game, command, now)
        case Answer():
            return _answer(game, command, now)
        case Draft():
            return _draft(game, command, now)
        case Confirm():
            return _confirm(game, command, now)
        case Join() if game.index >= 0:
            return _join(game, command, now)
        case Pause():
            return _pause(game, command, now)
        case Resume():
            return _resume(game, command.by, now)
        case BoardShown():
            return showing.shown(game, command, now, game.rules.show_wait_ms)
        case DeadlinePassed():
            return lobby.deadline_passed(game, command, now, lambda due: _phase_over(due, now))
        case _:
            return lobby.decide(game, game.rules, command, now, begin)


def _open(command: Command, now: Instant, seed: str) -> tuple[Event, ...]:
    if not isinstance(command, OpenGame) or not isinstance(command.rules, QuizRules):
        raise UnknownGame
    command.rules.check()
    title = lobby.check_title(command.title)
    opened = GameOpened(command.game_id, command.place, command.host, title, command.rules, now)
    return (opened, _questions(command.content or (), command.rules, seed))


def _questions(questions: tuple[Question, ...], rules: QuizRules, seed: str) -> QuestionsSet:
    """Check the questions and shuffle the answers of each, by the seed alone."""
    if len(questions) != rules.questions:
        raise WrongQuestionCount(have=len(questions), need=rules.questions)
    ids: set[str] = set()
    for number, question in enumerate(questions, start=1):
        if not question.sound or question.id in ids:
            raise BadQuestion(number=number)
        ids.add(question.id)
    return QuestionsSet(tuple(_shuffled(question, seed) for question in questions))


def _shuffled(question: Question, seed: str) -> Question:
    if question.type in {TRUE_FALSE, NUMBER}:
        return question  # "true" comes first, and a number has nothing to shuffle
    digest = hashlib.sha256(question.id.encode()).hexdigest()
    order = draw.shuffle(range(len(question.answers)), seed, ANSWERS, digest)
    answers = tuple(question.answers[index] for index in order)
    right = None if question.right is None else order.index(question.right)
    rights = tuple(order.index(index) for index in question.rights)
    return replace(
        question, answers=answers, right=right, rights=rights if question.type == ORDER else tuple(sorted(rights))
    )


def _next_question(game: QuizGame, now: Instant) -> QuestionOpened:
    return QuestionOpened(game.index + 1, now, *showing.opening(now, game.rules.question_ms, game.rules.show_wait_ms))


def _answer(game: QuizGame, command: Answer, now: Instant) -> tuple[Event, ...]:
    question = _check_answering(game, command, now)
    choice = question.read(command.choice)
    if choice is None:
        raise NoSuchAnswer
    return _given(game, command.player_id, choice, now)


def _check_answering(game: QuizGame, command: Answer | Draft | Confirm, now: Instant) -> Question:
    """Return the open question. Raises a refusal if the player may not answer it now."""
    player, question = command.player_id, game.question
    if player not in game.players or player in game.gone:
        raise NotInGame
    if command.question != game.index or question is None:
        raise QuestionClosed(number=command.question + 1)
    if player in game.late:
        raise FromNextQuestion
    reply = game.replies.get(player)
    if reply is not None:
        raise AlreadyAnswered(choice=_known(reply.choice))
    if game.remaining is not None:
        raise Paused
    lobby.in_time(game, now)
    return question


def _given(game: QuizGame, player: PlayerId, choice: Choice, now: Instant) -> tuple[Event, ...]:
    remaining = game.rules.question_ms  # full time: this player saw the question before the chat was known to
    if game.to_run is None:
        remaining = min(_known(game.deadline) - now, remaining)  # the clocks of two servers may differ
    given = AnswerGiven(player, game.index, choice, remaining, now)
    if len(game.replies) + 1 < len(game.players) - len(game.gone) - len(game.late):
        return (given,)  # the usual case, decided without a search for the missing player
    return (given, *_close_early(evolve(game, given), now))


def _draft(game: QuizGame, command: Draft, now: Instant) -> tuple[Event, ...]:
    question, player = _check_answering(game, command, now), command.player_id
    draft = question.extended(game.drafts.get(player, ""), command.key)
    if draft is None:
        raise NoSuchAnswer
    choice = question.drafted(draft) if question.type == ORDER else None
    if choice is not None:
        return _given(game, player, choice, now)
    return (AnswerDrafted(player, game.index, draft),)


def _confirm(game: QuizGame, command: Confirm, now: Instant) -> tuple[Event, ...]:
    question, player = _check_answering(game, command, now), command.player_id
    choice = question.drafted(game.drafts.get(player, ""))
    if choice is None:
        raise AnswerIncomplete
    return _given(game, player, choice, now)


def _join(game: QuizGame, command: Join, now: Instant) -> tuple[Event, ...]:
    """Add a player during the quiz, also one who has left. They answer from the next question on."""
    player, rules = command.player_id, game.rules
    if player in game.players and player not in game.gone:
        raise AlreadyJoined
    if not rules.late_join:
        raise NotNow(command="join", phase=game.phase)
    if player in lobby.barred(rules):
        raise lobby.WonBefore
    if game.index + 1 == rules.questions:
        raise LastQuestion
    if player not in game.players and len(game.players) >= rules.capacity:
        raise GameFull(limit=rules.capacity)
    return (lobby.PlayerJoined(player, command.name, now),)


def _depart(game: QuizGame, command: Leave | Remove, now: Instant) -> tuple[Event, ...]:
    """Take a player out during the quiz. A player who leaves keeps their points; a removed player loses them."""
    player = command.player_id
    if player not in game.players or (isinstance(command, Leave) and player in game.gone):
        raise NotInGame
    out: Event
    match command:
        case Leave():
            out = lobby.PlayerLeft(player)
        case Remove():
            out = lobby.PlayerRemoved(player, command.by)
    return (out, *_close_early(evolve(game, out), now))


def _close_early(game: QuizGame, now: Instant) -> tuple[Event, ...]:
    """Reveal the answer at once if all active players have answered."""
    if game.phase != QUESTION_OPEN or game.remaining is not None:
        return ()
    return (_reveal(game, now),) if all(player in game.replies for player in game.active) else ()


def _reveal(game: QuizGame, now: Instant) -> QuestionRevealed:
    right = who_is_right(_known(game.question), {p: _known(reply.choice) for p, reply in game.replies.items()})
    gained = {p: _points(game, p, reply) for p, reply in game.replies.items() if p in right}
    rules = game.rules
    begun_at = now if game.to_run is not None else _known(game.deadline) - rules.question_ms
    lasting = max(rules.reveal_ms, begun_at + rules.pace_ms - now)
    return QuestionRevealed(game.index, gained, *showing.opening(now, lasting, rules.show_wait_ms))


def _points(game: QuizGame, player: PlayerId, reply: Reply) -> int:
    """Return the points for a right answer."""
    difficulty = _known(game.question).difficulty
    points = scoring.BASE[difficulty] + scoring.streak_bonus(game.score(player).streak)
    if game.rules.mode == ACCURACY:
        return points
    return points + scoring.speed_bonus(difficulty, reply.remaining, game.rules.question_ms)


def _pause(game: QuizGame, command: Pause, now: Instant) -> tuple[Event, ...]:
    if game.remaining is not None:
        raise Paused
    if game.polled and game.phase == QUESTION_OPEN:
        raise PollRuns
    lobby.in_time(game, now)
    begun = showing.begin_now(game, now)
    remaining = _known(KIND.fold(game, begun).deadline) - now
    return (*begun, QuizPaused(remaining, command.by, now + PAUSE_MS))


def _resume(game: QuizGame, by: PlayerId | None, now: Instant) -> tuple[Event, ...]:
    if game.remaining is None:
        raise NotPaused
    resumed = QuizResumed(by, *showing.opening(now, game.remaining, game.rules.show_wait_ms))
    return (resumed, *_close_early(evolve(game, resumed), now))


def _phase_over(game: QuizGame, now: Instant) -> tuple[Event, ...]:
    """Return the events that follow when a phase other than the first reaches its deadline."""
    if begun := showing.begin_now(game, now):
        return begun  # the chat has not seen the phase in time, and perhaps never will: its time begins anyway
    if game.phase == PLAYERS_JOINING:
        return (_next_question(game, now),)
    if game.remaining is not None:
        return _resume(game, None, now)
    if game.phase == QUESTION_OPEN:
        return (_reveal(game, now),)
    if not game.players:
        return (GameCancelled("everybody_removed", None, now),)
    if game.revealed == len(game.questions) or not game.active:
        return (GameCompleted(_standings(game), now),)
    return (_next_question(game, now),)


def _standings(game: QuizGame) -> tuple[Standing, ...]:
    """Return all players, best first, equals in joining order. A player without points has no place.

    The first ``winners`` places have prizes; players who share a place share its prizes.
    """
    rules = game.rules
    ranked = sorted(game.players.values(), key=lambda player: -game.score(player.id).points)
    scores = [game.score(player.id) for player in ranked]
    places = scoring.places([score.points for score in scores if score.points])
    paid = [place for place in places if place <= rules.winners]
    awards = prizes.awards(rules, paid)
    return tuple(
        Standing(
            player.id,
            player.name,
            place,
            award.amount,
            points=score.points,
            streak=score.best_streak,
            currency=rules.currency if award.amount else "",
            award=award.text,
        )
        for player, score, place, award in (
            (player, score, place, award or prizes.Award())
            for player, score, place, award in zip_longest(ranked, scores, places, awards)
        )
    )


# -- evolve -----------------------------------------------------------------------------------------------------


def evolve(state: QuizGame | None, event: Any) -> QuizGame:
    """Return the state after ``event``."""
    if state is None:
        return _opened(event)
    match event:
        case AnswerGiven(player, _, choice, remaining):
            return changed(state, replies={**state.replies, player: Reply(choice, remaining)})
        case AnswerDrafted(player, _, draft):
            return changed(state, drafts={**state.drafts, player: draft})
        case QuestionsSet(questions):
            return replace(state, questions=questions)
        case QuestionOpened(question, _, deadline, to_run):
            state = replace(state, phase=QUESTION_OPEN, index=question, deadline=deadline, to_run=to_run)
            return replace(state, replies={}, drafts={}, late=(), gained={}, tally=())
        case QuestionRevealed(_, gained, deadline, to_run):
            return replace(_revealed(state, gained), deadline=deadline, to_run=to_run)
        case QuizPaused(remaining, _, deadline):
            return replace(state, remaining=remaining, deadline=deadline)
        case QuizResumed(_, deadline, to_run):
            return replace(state, remaining=None, deadline=deadline, to_run=to_run)
        case TimeBegun():
            return showing.evolve(state, event)
        case lobby.PlayerJoined() | lobby.PlayerLeft() | lobby.PlayerRemoved() if state.index >= 0:
            return _moved(state, event)
        case GameCompleted(standings):
            return lobby.evolve(replace(state, standings=standings), event)
        case _:
            return lobby.evolve(state, event)


def _opened(event: Event) -> QuizGame:
    if not isinstance(event, GameOpened):
        raise TypeError(f"a game begins by being opened, not by {type(event).__name__}")
    return QuizGame(
        id=event.game_id,
        phase=WAITING_FOR_PLAYERS,
        place=event.place,
        host=event.host,
        title=event.title,
        opened_at=event.at,
        deadline=event.at + event.rules.lobby_ms,
        players={},
        rules=event.rules,
    )


def _moved(state: QuizGame, event: lobby.PlayerJoined | lobby.PlayerLeft | lobby.PlayerRemoved) -> QuizGame:
    """Apply the joining, leaving or removal of a player during the quiz."""
    player = event.player_id
    match event:
        case lobby.PlayerJoined():
            return _joined(state, player, event)
        case lobby.PlayerLeft():
            return replace(state, gone=(*state.gone, player), late=tuple(p for p in state.late if p != player))
        case lobby.PlayerRemoved():
            return lobby.evolve(_without(state, player), event)


def _joined(state: QuizGame, player: PlayerId, event: lobby.PlayerJoined) -> QuizGame:
    """Add a player during the quiz. One who comes back keeps their score, and an answer given before leaving."""
    late = state.phase == QUESTION_OPEN and player not in state.replies
    score = state.scores.get(player, Score(choices=(NONE,) * state.revealed))
    state = replace(
        state,
        gone=tuple(p for p in state.gone if p != player),
        late=(*state.late, player) if late else state.late,
        scores={**state.scores, player: score},
    )
    return state if player in state.players else lobby.evolve(state, event)


def _revealed(state: QuizGame, gained: Mapping[PlayerId, int]) -> QuizGame:
    return replace(
        state,
        phase=QUESTION_REVEAL,
        revealed=state.index + 1,
        drafts={},
        late=(),
        gained=gained,
        tally=_tally(_known(state.question), [reply.choice for reply in state.replies.values()], len(gained)),
        scores={p: _scored(state, p, gained.get(p)) for p in state.players},
    )


def _tally(question: Question, choices: Sequence[Choice | None], right: int) -> tuple[int, ...]:
    indices = range(len(question.answers))
    if question.type in {NUMBER, ORDER}:
        return right, len(choices) - right
    if question.type == SEVERAL:
        return tuple(sum(index in choice for choice in choices if isinstance(choice, tuple)) for index in indices)
    return tuple(choices.count(index) for index in indices)


def _scored(state: QuizGame, player: PlayerId, gained: int | None) -> Score:
    """Return a player's score with the current question; ``gained`` is None if their answer was not right."""
    score, reply = state.score(player), state.replies.get(player)
    choices = (*score.choices, NONE if reply is None else _known(reply.choice))
    if gained is None:
        return replace(score, streak=0, choices=choices)
    streak = score.streak + 1
    return Score(
        points=score.points + gained,
        right=score.right + 1,
        streak=streak,
        best_streak=max(score.best_streak, streak),
        choices=choices,
        hits=(*score.hits, state.index),
    )


def _without(state: QuizGame, player: PlayerId) -> QuizGame:
    return replace(
        state,
        replies={p: reply for p, reply in state.replies.items() if p != player},
        scores={p: score for p, score in state.scores.items() if p != player},
        gained={p: points for p, points in state.gained.items() if p != player},
        drafts={p: draft for p, draft in state.drafts.items() if p != player},
        gone=tuple(p for p in state.gone if p != player),
        late=tuple(p for p in state.late if p != player),
    )


# -- views ------------------------------------------------------------------------------------------------------


def view(state: QuizGame, viewer: PlayerId | None) -> QuizGame:
    """Return the state without unasked questions, unrevealed right answers, and other people's answers.

    Ids of unrevealed questions are removed too: a pack's question id is a digest that includes the right answer, and
    trying four answers is quick.
    """
    asked = state.questions[: state.index + 1]
    return replace(
        state,
        questions=(*asked[: state.revealed], *map(_unanswered, asked[state.revealed :])),
        replies={p: reply if p == viewer else Reply(None, 0) for p, reply in state.replies.items()},
        drafts={p: draft for p, draft in state.drafts.items() if p == viewer},
        scores={p: score if p == viewer else replace(score, choices=(), hits=()) for p, score in state.scores.items()},
    )


def _unanswered(question: Question) -> Question:
    """Return a question without its right answer and all that tells of it."""
    return replace(question, id="", right=None, rights=(), number=None, tolerance=None, explanation="", source="")


def _known(value: Any) -> Any:
    if value is None:
        raise AssertionError("only a view holds back what a rule needs")
    return value


KIND: Kind[QuizGame] = Kind(
    name="quiz",
    machine=MACHINE,
    state=QuizGame,
    rules=QuizRules,
    events={
        "game_opened": GameOpened,
        "questions_set": QuestionsSet,
        "question_opened": QuestionOpened,
        "answer_given": AnswerGiven,
        "answer_drafted": AnswerDrafted,
        "question_revealed": QuestionRevealed,
        "quiz_paused": QuizPaused,
        "quiz_resumed": QuizResumed,
        "time_begun": TimeBegun,
        **lobby.EVENTS,
    },
    decide=decide,
    evolve=evolve,
    view=view,
)
