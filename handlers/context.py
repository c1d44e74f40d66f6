"""One update that is for the bot: who, where, in which language, received when; and how to answer it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aiogram.types import CallbackQuery, Message
from loguru import logger

from fsm.kind import ChatTopic, Game, Host, Instant
from handlers.deps import Deps
from handlers.kinds.registry import FACES, of_state
from handlers.views.message import Button, send_params
from handlers.views.message import Message as View
from play.access import Actor, Needs
from play.texts import Markup
from telegram.answers import call_again
from telegram.limits import Priority
from telegram.outbox import Outgoing

ANONYMOUS = 1087968824
"""GroupAnonymousBot: administrators who write as their group."""
EPHEMERAL_MS = 14_000
"""A message that only its sender and the bot see can be answered for 15 seconds."""
IN_GROUP_MS = 60_000
"""An answer in a group that has not been sent for this long is not sent: slow mode, for one, holds it for minutes."""
COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@(\w+))?(?:\s+(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """A command as it was written: ``/name@mention arguments``."""

    name: str
    arguments: str = ""
    mention: str | None = None


def asked(text: str | None) -> ParsedCommand | None:
    """The command that a text is, if it is one."""
    found = COMMAND.fullmatch(text.strip()) if text else None
    if found is None:
        return None
    name, mention, arguments = found.groups()
    return ParsedCommand(name.lower(), (arguments or "").strip(), mention)


def answered(message: Message | None) -> Message | None:
    """The message that somebody chose to answer.

    In a topic of a forum, Telegram calls what answers nothing a reply to the notice that the topic began with. Whoever
    made the topic is not meant by that.
    """
    reply = message.reply_to_message if message is not None else None
    if message is None or reply is None:
        return None
    return None if message.is_topic_message and reply.message_id == message.message_thread_id else reply


@dataclass(frozen=True, slots=True)
class Person:
    """Who wrote or tapped."""

    id: int
    name: str
    username: str | None = None
    language: str | None = None

    @property
    def anonymous(self) -> bool:
        """An administrator who writes as the group: a host, but nobody who could play."""
        return self.id == ANONYMOUS


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateContext:
    """A message or a tap. Answers to it wait in the outbox, under ids of its own: the same update answers once."""

    deps: Deps
    update_id: int
    received: Instant
    trace: str
    person: Person
    place: ChatTopic
    private: bool
    chat_type: str
    chat_title: str
    locale: str
    """Of what is written here: the group's, or the person's own where nobody else reads it."""
    own_locale: str
    """The person's own: of toasts, which they alone see."""
    message: Message | None = None
    query: CallbackQuery | None = None
    command: ParsedCommand | None = None
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    """Of the answers."""
    toasts: list[str | None] = field(default_factory=list)
    """What the tap has been answered with."""

    @property
    def command_id(self) -> str:
        """The id of the command that this update is to a game."""
        return f"tg:{self.update_id}"

    @property
    def arguments(self) -> str:
        """What follows the command."""
        return self.command.arguments if self.command else ""

    @property
    def actor(self) -> Actor:
        """The person who wrote or tapped, for `play.access`; an anonymous administrator acts as the group."""
        if self.person.anonymous:
            sender = self.message.sender_chat if self.message else None
            return Actor(self.person.id, self.chat_title, self.place.chat_id, sender.id if sender else None)
        return Actor(self.person.id, self.person.name, self.place.chat_id)

    @property
    def host(self) -> Host:
        """The person as the host of a game; an anonymous administrator hosts as the group."""
        return self.actor.host

    async def authorise(self, needs: Needs, where: Game | ChatTopic | None = None) -> None:
        """Return if the person may do here, or in that game, what has these needs. Raises the refusals of `Access`."""
        await self.deps.access.authorise(self.actor, where or self.place, needs)

    # -- answers ------------------------------------------------------------------------------------------------

    def text(self, text_id: str, **arguments: Any) -> Markup:
        """A text of a message, in the language of who reads it."""
        return self.deps.texts.html(self.locale, text_id, **arguments)

    def label(self, text_id: str, **arguments: Any) -> str:
        """A text of a button."""
        return self.deps.texts.plain(self.locale, text_id, **arguments)

    def word(self, text_id: str, **arguments: Any) -> str:
        """A text of a toast."""
        return self.deps.texts.plain(self.own_locale, text_id, **arguments)

    def title(self, title: str, kind: str) -> str:
        """The title of a game, or the name of its kind if its host gave it none."""
        return title or self.label(FACES[kind].title)

    def phase(self, kind: str, phase: str) -> Markup:
        """The phase of a game in words: the kind's own, or those that every kind has."""
        own = f"{FACES[kind].kind.slug}-phase-{phase}"
        return self.text(own) if self.deps.texts.has(own) else self.text("cmd-phase", phase=phase)

    def title_of(self, game: Game) -> str:
        """The same, of a game."""
        return self.title(game.title, of_state(game).kind.name)

    async def reply(self, text_id: str, **arguments: Any) -> None:
        """Answer with a text."""
        await self.answer(self.text(text_id, **arguments))

    async def answer(self, html: str, keyboard: Sequence[Sequence[Button]] = ()) -> None:
        """Answer with a message: as a reply where others write too."""
        await self.show(View(str(html), tuple(tuple(row) for row in keyboard)))

    async def answer_to_file(self, html: str, keyboard: Sequence[Sequence[Button]]) -> None:
        """Answer in private with a message that is a reply, so that a tap on it brings the file along."""
        assert self.message is not None
        reply = {"message_id": self.message.message_id, "allow_sending_without_reply": True}
        view = View(str(html), tuple(tuple(row) for row in keyboard))
        await self._put("sendMessage", {**send_params(view), "reply_parameters": reply})

    async def show(self, view: View) -> None:
        """Answer with a view."""
        await self._put("sendMessage", {**send_params(view), **self.addressed()})

    async def edit(self, html: str, keyboard: Sequence[Sequence[Button]] = ()) -> None:
        """Change the message that was tapped."""
        if self.query is None or self.query.message is None:
            return
        view = send_params(View(str(html), tuple(tuple(row) for row in keyboard)))
        message_id = self.query.message.message_id
        slot = f"edit:{self.place.chat_id}:{message_id}"  # two who tap the same at once would edit it twice to the same
        await self._put("editMessageText", {"message_id": message_id, **view}, slot=slot)

    async def toast(self, text: str | None = None, *, alert: bool = False, url: str | None = None) -> None:
        """Answer a tap: once, as Telegram takes one answer."""
        if self.query is None or self.toasts:
            return
        self.toasts.append(text)
        params = {"callback_query_id": self.query.id, "text": text, "show_alert": alert or None, "url": url}
        try:
            await call_again(self.deps.api, "answerCallbackQuery", {k: v for k, v in params.items() if v is not None})
        except Exception as error:  # noqa: BLE001 - too late, or Telegram is away: what the answer says is true anyway
            logger.info("a tap could not be answered: {}", error)

    async def tell(self, chat_id: int, html: str) -> None:
        """Write to somebody else."""
        await self._put("sendMessage", send_params(View(str(html))), chat_id=chat_id)

    def addressed(self) -> dict[str, Any]:
        """The parameters that make a message an answer to this one, seen by whom this one is seen by."""
        message = self.message
        if message is None:
            return {}
        if message.ephemeral_message_id is not None:
            return {
                "reply_parameters": {"ephemeral_message_id": message.ephemeral_message_id},
                "ephemeral_message_parameters": {"receiver_user_id": self.person.id},
            }
        if self.private:
            return {}
        return {"reply_parameters": {"message_id": message.message_id, "allow_sending_without_reply": True}}

    def _expiry(self, *, ephemeral: bool, private: bool) -> int | None:
        """The moment from which an answer is of no use: a group has gone on meanwhile, a private chat has not."""
        if ephemeral:
            return self.received + EPHEMERAL_MS
        return None if private else self.received + IN_GROUP_MS

    async def _put(
        self, method: str, params: Mapping[str, Any], *, chat_id: int | None = None, slot: str | None = None
    ) -> None:
        ephemeral = "ephemeral_message_parameters" in params
        topic = self.place.topic_id if method.startswith("send") and chat_id is None else 0
        await self.deps.outbox.put(
            Outgoing(
                id=f"{self.command_id}:{next(self.numbers)}",
                chat_id=self.place.chat_id if chat_id is None else chat_id,
                topic_id=topic or None,
                method=method,
                params=dict(params),
                priority=Priority.ANSWER,
                person=self.person.id if method.startswith("send") else None,
                slot=slot,
                created_at=self.received,
                expires_at=self._expiry(ephemeral=ephemeral, private=chat_id is not None or self.private),
                trace=self.trace,
            )
        )
