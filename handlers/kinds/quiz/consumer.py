"""The consumer of quizzes: sends photos, native polls and players' summaries, and has a model write questions."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from importlib import import_module
from typing import Any, cast

from loguru import logger

from fsm.engine import Unavailable
from fsm.kind import Game, Instant, PlayerId, UnknownGame
from fsm.lobby import CANCELLED, COMPLETED
from fsm.question import POLLED, SEVERAL, Question
from fsm.quiz import KIND, QUESTION_OPEN, QuizGame
from handlers.kinds.begins import begins_of
from handlers.kinds.consumer import ConsumerContext, KindConsumer
from handlers.kinds.quiz import view
from handlers.kinds.quiz.answers import poll_explanation
from handlers.kinds.quiz.content import PREPARATION, locale_of
from handlers.kinds.quiz.preparation import Preparation
from handlers.kinds.quiz.settings import QuizSection
from handlers.views.message import Message, send_params
from play.texts import Texts
from storage.connections import POSTGRES_GONE
from storage.feed import Entry
from telegram.limits import Priority
from telegram.outbox import Outgoing
from telegram.sender import Outcome, Settled

REFUSED = frozenset({Settled.REFUSED, Settled.NO_RIGHTS})
"""Results of a poll or photo that Telegram does not accept."""
UNSHOWN = REFUSED | {Settled.EXPIRED, Settled.GAVE_UP}
"""Results of a poll that the chat does not see: its question is asked by buttons."""
QUESTION_LIMIT = 300
"""Longest question of a poll that Telegram accepts, in characters."""
REMEMBERED = 10_000
"""Number of games whose last shown phase and deadline are kept in memory."""


class QuizConsumer:
    """Sends the messages that a quiz has beside its board. ``writes`` is True if a model is configured."""

    def __init__(self, context: ConsumerContext, *, writes: bool = False) -> None:
        self._context = context
        self._writes = writes
        self._shown: OrderedDict[str, tuple[str, Instant | None]] = OrderedDict()
        """Game -> its phase and deadline when its messages were last brought up to date."""

    async def handle(self, entries: Sequence[Entry]) -> None:
        """Bring the messages beside the board up to date. If this raises ``Unavailable``, the batch comes again."""
        latest = {entry.game_id: entry for entry in entries if entry.kind == KIND.name}
        for entry in entries:
            # Version 1 is the opening. The model is asked by a job, which otherwise begins a minute later.
            if entry.kind == KIND.name and entry.first_version == 1 and self._writes:
                await self._hasten(entry.game_id)
        for game_id, entry in latest.items():
            scene = (entry.phase, entry.deadline)
            if entry.phase in _SHOWN and self._shown.get(game_id) != scene:
                await self._bring(game_id, entry.first_version)
                self._note_shown(game_id, scene)

    async def before_board(self, entries: Sequence[Entry]) -> None:
        """Send the photos of questions, so that each stands above its question. Raises ``Unavailable``."""
        latest = {entry.game_id: entry for entry in entries if entry.kind == KIND.name}
        for game_id, entry in latest.items():
            if entry.phase != QUESTION_OPEN or self._shown.get(game_id) == (entry.phase, entry.deadline):
                continue
            game = await self._game(game_id, entry.first_version)
            if game is not None and game.phase == QUESTION_OPEN and game.remaining is None:
                await self._context.outbox.put_many(self._photo(game))

    async def _hasten(self, game_id: str) -> None:
        try:
            await self._context.jobs.hasten(PREPARATION, game_id)
        except POSTGRES_GONE as problem:
            logger.bind(game=game_id).info("the model is asked a minute later: {}", problem)

    def _note_shown(self, game_id: str, scene: tuple[str, Instant | None]) -> None:
        self._shown[game_id] = scene
        self._shown.move_to_end(game_id)
        if len(self._shown) > REMEMBERED:
            self._shown.popitem(last=False)

    async def _bring(self, game_id: str, version: int) -> None:
        try:
            outcome = await self._context.engine.at_least(game_id, version)
        except UnknownGame:
            logger.bind(game=game_id).warning("a quiz expired before its message was sent")
        else:
            await self._show(outcome.state)

    async def _show(self, state: Game) -> None:
        game = cast("QuizGame", state)
        if game.phase == QUESTION_OPEN and game.remaining is None:
            await self._ask(game)
        elif game.phase != QUESTION_OPEN:
            await self._close(game)
        if game.phase == COMPLETED:
            await self._sum_up(game)
        if game.phase in {COMPLETED, CANCELLED}:
            await self._give_back(game)

    # -- photos and polls ----------------------------------------------------------------------------------------

    async def _ask(self, game: QuizGame) -> None:
        """Send the question's photo and poll, and clean up those of the last question."""
        await self._close(game, before=game.index)
        wanted = self._photo(game)
        if game.polled:
            locale = await locale_of(self._context.people, game.place.chat_id)
            poll = _poll(game, self._context.texts, locale)
            wanted.append(self._outgoing(game, f"poll:{game.id}:{game.index}", "sendPoll", poll))
        if wanted:
            await self._context.outbox.put_many(wanted)

    def _photo(self, game: QuizGame) -> list[Outgoing]:
        """Return the call that sends the photo of the open question; nothing if it has none."""
        photo = _in_hand(game).photo
        params = {"photo": photo, "disable_notification": True}
        return [self._outgoing(game, f"photo:{game.id}:{game.index}", "sendPhoto", params)] if photo else []

    async def _close(self, game: QuizGame, *, before: int | None = None) -> None:
        """Stop the poll of a finished question, and delete its photo once the next question or the end is shown.

        The question is the current one; if ``before`` is given, the one before that index.
        """
        index = game.index if before is None else before - 1
        if index < 0:
            return
        question = game.questions[index]
        over: list[Outgoing] = []
        polled = game.rules.polls and question.type in POLLED
        if polled and (message_id := await self._context.polls.message(game.id, index)) is not None:
            over.append(self._outgoing(game, f"stop:{game.id}:{index}", "stopPoll", {"message_id": message_id}))
        gone = before is not None or game.phase in {COMPLETED, CANCELLED}
        if gone and question.photo:
            message = await self._context.polls.message(game.id, _photo_of(index))
            if message is not None:
                over.append(self._outgoing(game, f"away:{game.id}:{index}", "deleteMessage", {"message_id": message}))
        if over:
            await self._context.outbox.put_many(over)

    async def settled(self, outgoing: Outgoing, outcome: Outcome) -> None:
        """Store the message id of a sent poll or photo. If Telegram has refused it, send a replacement or a notice."""
        what, _, rest = outgoing.id.partition(":")
        if outgoing.method not in {"sendPoll", "sendPhoto"} or what not in {"poll", "photo"}:
            return
        game_id, _, index = rest.partition(":")
        if outcome.settled is Settled.SENT and outcome.message_id is not None:
            await self._sent(outgoing.method, game_id, int(index), outcome)
        elif outcome.settled in (REFUSED if outgoing.method == "sendPhoto" else UNSHOWN):
            await self._refused(outgoing.method, game_id, int(index))

    async def _sent(self, method: str, game_id: str, index: int, outcome: Outcome) -> None:
        assert outcome.message_id is not None
        if method == "sendPoll":
            await self._context.polls.sent(outcome.result["poll"]["id"], game_id, index, outcome.message_id)
        else:
            await self._context.polls.sent(f"photo:{game_id}:{index}", game_id, _photo_of(index), outcome.message_id)
        game = await self._game(game_id)
        if game is None:
            return
        if game.index > index:  # sent late: the question is already over
            await self._close(game, before=index + 1)
        elif game.phase != QUESTION_OPEN:
            await self._close(game)

    async def _refused(self, method: str, game_id: str, index: int) -> None:
        """Replace the refused poll of the open question by buttons; for a refused photo, send a notice."""
        game = await self._game(game_id)
        if game is None or game.index != index or game.phase != QUESTION_OPEN:
            return
        locale, texts = await locale_of(self._context.people, game.place.chat_id), self._context.texts
        if method == "sendPhoto":
            message, id_ = Message(texts.html(locale, "quiz-photo-missing")), f"unseen:{game.id}:{index}"
        else:
            question = view.instead_of_poll(game, texts, locale)
            note = texts.html(locale, "quiz-polls-refused")
            message, id_ = Message(f"{note}\n\n{question.text}", question.keyboard), f"instead:{game.id}:{index}"
        await self._context.outbox.put(self._outgoing(game, id_, "sendMessage", send_params(message)))

    async def _game(self, game_id: str, version: int | None = None) -> QuizGame | None:
        """Return a quiz at ``version`` or later; None if it is no longer kept, or the store is away.

        Without a version the store is asked: the sender may run in a process whose memory has an old state.
        """
        engine = self._context.engine
        try:
            looking = engine.look(game_id) if version is None else engine.at_least(game_id, version)
            state: Game = (await looking).state
        except (UnknownGame, Unavailable):
            return None
        return state if isinstance(state, QuizGame) else None

    def _outgoing(
        self, game: QuizGame, id_: str, method: str, params: dict[str, Any], *, chat_id: int | None = None
    ) -> Outgoing:
        sending = method.startswith("send")
        asking = method in {"sendPoll", "sendPhoto"} or id_.startswith(("instead:", "unseen:"))
        return Outgoing(
            id=id_,
            chat_id=game.place.chat_id if chat_id is None else chat_id,
            topic_id=(game.place.topic_id or None) if sending and chat_id is None else None,
            method=method,
            params=params,
            priority=Priority.NORMAL if chat_id is None else Priority.COSMETIC,
            created_at=self._context.clock.now(),
            expires_at=game.deadline if asking else None,
            begins=begins_of(game) if method == "sendPoll" or id_.startswith("instead:") else None,
            game_id=game.id if chat_id is None else None,
        )

    # -- the end -------------------------------------------------------------------------------------------------

    async def _sum_up(self, game: QuizGame) -> None:
        """Send each player with an active private chat their summary, with a priority below that of games."""
        summaries = [await self._summary(game, player) for player in game.players]
        await self._context.outbox.put_many([each for each in summaries if each is not None])

    async def _summary(self, game: QuizGame, player: PlayerId) -> Outgoing | None:
        people = self._context.people
        private = await people.chat(player)
        if private is None or not private.active:
            return None
        locale = await people.locale_of_player(player) or await locale_of(people, game.place.chat_id)
        params = send_params(view.own_board(game, player, self._context.texts, locale))
        return self._outgoing(game, f"summary:{game.id}:{player}", "sendMessage", params, chat_id=player)

    async def _give_back(self, game: QuizGame) -> None:
        """Release the questions that were not asked, so that the chat can have them in another quiz."""
        left = game.questions[game.index + 1 :]
        if left:
            try:
                await self._context.questions.give_back(game.place.chat_id, left, game.id)
            except POSTGRES_GONE as problem:
                logger.bind(game=game.id).warning("unused questions remain recorded as asked: {}", problem)


_SHOWN = frozenset({QUESTION_OPEN, "question_reveal", COMPLETED, CANCELLED})


def _in_hand(game: QuizGame) -> Question:
    assert game.question is not None
    return game.question


def _photo_of(index: int) -> int:
    """Return the index under which `Polls` stores a question's photo: a negative one, as polls have the others."""
    return -1 - index


def _poll(game: QuizGame, texts: Texts, locale: str) -> dict[str, Any]:
    """Return the parameters of a native quiz poll for the open question.

    It has no timer, because a question can end early; `_close` stops it.
    """
    question = _in_hand(game)
    numbered = f"{game.index + 1}/{game.rules.questions}. {question.text}"
    explanation = poll_explanation(question, texts, locale)
    return {
        "question": numbered if len(numbered) <= QUESTION_LIMIT else question.text,
        "options": [{"text": answer} for answer in question.answers],
        "type": "quiz",
        "is_anonymous": False,
        "allows_multiple_answers": question.type == SEVERAL,
        "correct_option_ids": list(question.rights) if question.right is None else [question.right],
        "hide_results_until_closes": True,
        **({"explanation": explanation, "explanation_parse_mode": "HTML"} if explanation else {}),
    }


async def consumer(context: ConsumerContext) -> KindConsumer:
    """Make the consumer of quizzes, and the writer of questions if a model is configured."""
    assert isinstance(context.settings, QuizSection)
    model = context.settings.model
    if not model.base_url:
        quizzes = QuizConsumer(context)
        jobs = (Preparation(context).saga.kind,)
        return KindConsumer(quizzes.handle, quizzes.settled, jobs=jobs, before_board=quizzes.before_board)
    # The import of the HTTP client takes a quarter of a second, so it must not block the event loop.
    writing = await asyncio.to_thread(import_module, "questions.language_model")
    key = model.api_key.get_secret_value()
    writer = writing.QuestionWriter(model.base_url, key, model.name, timeout_seconds=model.timeout_seconds)
    quizzes = QuizConsumer(context, writes=True)
    jobs = (Preparation(context, writer).saga.kind,)
    return KindConsumer(
        quizzes.handle, quizzes.settled, {"model": writer}, writer.aclose, jobs, before_board=quizzes.before_board
    )
