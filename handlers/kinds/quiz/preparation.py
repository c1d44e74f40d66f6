"""The saga that opens a quiz: hold questions, open the game, have a model write, hold those, replace, release the rest.

The first two steps are made by the process that receives the host's command. Its transaction that marks questions as
asked also enqueues this saga, so that a crash in between, or at any later point, leaks no question: the saga looks
whether the game was opened, and at the end the chat has as asked exactly the questions of its game.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from loguru import logger

from fsm.kind import Game, Instant, Rejected, UnknownGame
from fsm.question import Question
from fsm.quiz import QuizGame, SetQuestions
from handlers.kinds.consumer import ConsumerContext
from handlers.kinds.quiz.content import PREPARATION, locale_of
from handlers.views.message import Message, send_params
from play.sagas import Notes, Saga, Step
from play.texts import Markup, name_html
from storage.job_runner import GiveUp, Run
from storage.jobs import Job
from telegram.limits import Priority
from telegram.outbox import Outgoing

if TYPE_CHECKING:
    from questions.language_model import QuestionWriter  # imports an HTTP client, which most processes do not need

TO_WRITE_MS = 90_000
"""Time after the opening until which a model is asked for questions. Later, the lobby is probably over."""
ATTEMPTS = 5
AT_ONCE = 8


class Preparation:
    """Prepares quizzes. ``writer`` is None if no model is configured."""

    def __init__(self, context: ConsumerContext, writer: "QuestionWriter | None" = None) -> None:
        self._context = context
        self._writer = writer
        self.saga = Saga(
            PREPARATION,
            (
                Step("open", self._look, self._release_all),
                Step("write", self._write),
                Step("hold", self._hold),
                Step("replace", self._replace),
                Step("release", self._release_others),
                Step("tell", self._tell),
            ),
            at_once=AT_ONCE,
            attempts=ATTEMPTS,
        )

    # -- steps --------------------------------------------------------------------------------------------------

    async def _look(self, run: Run, _: Notes) -> None:
        """Look whether the game was opened. Raises ``GiveUp`` if it was not."""
        if await self._game(run.job) is None and not await self._context.questions.knows_game(run.job.key):
            raise GiveUp("the quiz was not opened")

    async def _release_all(self, run: Run, _: Notes) -> None:
        """Release the questions of a quiz that was not opened; otherwise those that it does not ask."""
        if await self._game(run.job) is not None:
            return await self._release_others(run, {})
        if await self._context.questions.knows_game(run.job.key):
            return None  # it is over, and the consumer has released what it did not ask
        return await self._context.questions.release(_chat_of(run.job), run.job.key, ())

    async def _write(self, run: Run, _: Notes) -> dict[str, Any] | None:
        """Have a model write the questions while people join. The note keeps them, so the model is asked once."""
        game, writer = await self._game(run.job), self._writer
        if game is None or writer is None or not game.rules.topic or _late(game, self._context.clock.now()):
            return None
        from questions.language_model import Order  # noqa: PLC0415 -- imports an HTTP client

        chat_id, rules = game.place.chat_id, game.rules
        order = Order(
            rules.topic, await locale_of(self._context.people, chat_id), rules.questions, rules.difficulty or None
        )
        written = await writer.write(order, await self._context.questions.asked(chat_id))
        fresh = tuple(written.questions)[: rules.questions]
        return {"questions": msgspec.to_builtins(fresh), "reason": written.text_id}

    async def _hold(self, run: Run, notes: Notes) -> None:
        """Mark the model's questions as asked, before the game may ask them."""
        fresh = _written(notes)
        if fresh:
            now = self._context.clock.now()
            await self._context.questions.note_asked(_chat_of(run.job), fresh, now, run.job.key)

    async def _replace(self, run: Run, notes: Notes) -> bool:
        """Give the game the model's questions, and the bank's for the rest. Returns False if the quiz has begun."""
        fresh, game = _written(notes), await self._game(run.job)
        if game is None:
            return False
        if not fresh:
            return True
        questions = (*fresh, *game.questions[: game.rules.questions - len(fresh)])
        try:
            await self._context.engine.execute(game.id, SetQuestions(questions), command_id=f"written:{game.id}")
        except Rejected as problem:
            logger.bind(game=game.id).info("the model's questions came too late: {}", problem)
            return False
        return True

    async def _release_others(self, run: Run, _: Notes) -> None:
        """Release the questions that are held for the game, but are not its questions."""
        game = await self._game(run.job)
        if game is not None:
            ended = game.deadline is None
            keep = game.questions[: game.index + 1] if ended else game.questions
            await self._context.questions.release(game.place.chat_id, game.id, keep)

    async def _tell(self, run: Run, notes: Notes) -> None:
        """Tell the chat whether the questions are about the topic, and if not, the reason."""
        game = await self._game(run.job)
        if game is None or "write" not in notes or not notes.get("replace"):
            return
        texts, reason, written = self._context.texts, notes["write"]["reason"], len(notes["write"]["questions"])
        locale = await locale_of(self._context.people, game.place.chat_id)
        if reason is None:
            html = texts.html(locale, "quiz-written", topic=game.rules.topic)
        else:
            why = Markup(texts.html(locale, reason))
            told = "quiz-bank-partly" if written else "quiz-bank-instead"
            html = texts.html(locale, told, reason=why, host=name_html(game.host.name), written=written)
        await self._context.outbox.put(
            Outgoing(
                id=f"written:{game.id}",
                chat_id=game.place.chat_id,
                topic_id=game.place.topic_id or None,
                method="sendMessage",
                params=send_params(Message(html)),
                priority=Priority.NORMAL,
                created_at=self._context.clock.now(),
                game_id=game.id,
            )
        )

    # -- the game -----------------------------------------------------------------------------------------------

    async def _game(self, job: Job) -> QuizGame | None:
        try:
            state: Game = (await self._context.engine.look(job.key)).state
        except UnknownGame:
            return None
        return state if isinstance(state, QuizGame) else None


def _chat_of(job: Job) -> int:
    assert job.chat_id is not None
    return job.chat_id


def _written(notes: Notes) -> Sequence[Question]:
    """Return the questions that the model wrote; empty if it wrote none."""
    return msgspec.convert(notes.get("write", {}).get("questions", []), tuple[Question, ...])


def _late(game: QuizGame, now: Instant) -> bool:
    return game.index >= 0 or now - game.opened_at > TO_WRITE_MS
