"""The context of one update that is meant for the bot: person, place, language and time, and methods that answer it."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from aiogram.types import CallbackQuery, Message
from loguru import logger

from fsm.kind import ChatTopic, Game, Host, Instant, PlayerId, Rejected
from handlers.deps import Deps
from handlers.kinds.registry import FACES, of_state
from handlers.own_boards import own_id
from handlers.views.message import Button, send_params
from handlers.views.message import Message as View
from play.access import ANONYMOUS, Actor, Needs
from play.texts import Markup
from storage.audit import TELEGRAM, AuditEntry
from telegram.answers import call_again
from telegram.limits import Priority
from telegram.outbox import Outgoing

EPHEMERAL_MS = 14_000
"""Lifetime of an answer to an ephemeral message. Telegram accepts such answers for 15 seconds."""
IN_GROUP_MS = 60_000
"""Lifetime of an answer in a group. Slow mode, for example, can delay it for minutes; then it would only confuse."""
COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@(\w+))?(?:\s+(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """A command as a person typed it: ``/name@mention arguments``."""

    name: str
    arguments: str = ""
    mention: str | None = None


def asked(text: str | None) -> ParsedCommand | None:
    """Parse a command; return None if the text is not one."""
    found = COMMAND.fullmatch(text.strip()) if text else None
    if found is None:
        return None
    name, mention, arguments = found.groups()
    return ParsedCommand(name.lower(), (arguments or "").strip(), mention)


def answered(message: Message | None) -> Message | None:
    """Return the message that a person deliberately replied to; None if there is none.

    In a forum topic Telegram reports every plain message as a reply to the topic's creation notice; ignore that.
    """
    reply = message.reply_to_message if message is not None else None
    if message is None or reply is None:
        return None
    return None if message.is_topic_message and reply.message_id == message.message_thread_id else reply


@dataclass(frozen=True, slots=True)
class Person:
    """The person who wrote or tapped."""

    id: int
    name: str
    username: str | None = None
    language: str | None = None
    premium: bool = False

    @property
    def anonymous(self) -> bool:
        """True for an administrator who writes as the group. They can host, but not play."""
        return self.id == ANONYMOUS


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateContext:
    """A message or a tap, with methods that answer it.

    Answers go through the outbox, under ids that are made from the update's id. If an update is handled twice, the
    outbox therefore sends its answers once.
    """

    deps: Deps
    update_id: int
    received: Instant
    trace: str
    person: Person
    chat_topic: ChatTopic
    private: bool
    chat_type: str
    chat_title: str
    locale: str
    """Locale of answers: the group's, or the person's own if nobody else reads the answer."""
    own_locale: str
    """The person's own locale, used for toasts, which nobody else sees."""
    message: Message | None = None
    query: CallbackQuery | None = None
    command: ParsedCommand | None = None
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    """Counter that numbers the answers, for their ids in the outbox."""
    toasts: list[str | None] = field(default_factory=list)
    """The answers that the tap has had; Telegram takes one."""

    @property
    def command_id(self) -> str:
        """The id under which this update's command is sent to a game."""
        return f"tg:{self.update_id}"

    def note_refusal(self, refusal: Rejected) -> None:
        """Record in the audit log that the command of this update was refused. Taps and plain text are not recorded.

        Refusals of a game's rules are recorded by the engine, and so a second time here, with the command's name.
        """
        command = asked(self.message.text) if self.message is not None and self.query is None else None
        if command is not None:
            self.deps.stores.audit.note(
                AuditEntry(
                    at=self.received,
                    face=TELEGRAM,
                    action=f"/{command.name}",
                    outcome=refusal.code,
                    actor_id=self.person.id,
                    chat_id=self.chat_topic.chat_id,
                    origin=self.command_id,
                )
            )

    @property
    def arguments(self) -> str:
        """The text after the command; empty if there is none."""
        return self.command.arguments if self.command else ""

    @property
    def actor(self) -> Actor:
        """The person who wrote or tapped, for `play.access`; an anonymous administrator acts as the group."""
        if self.person.anonymous:
            sender = self.message.sender_chat if self.message else None
            return Actor(self.person.id, self.chat_title, self.chat_topic.chat_id, sender.id if sender else None)
        return Actor(self.person.id, self.person.name, self.chat_topic.chat_id, premium=self.person.premium)

    @property
    def host(self) -> Host:
        """The person as the host of a game; an anonymous administrator hosts as the group."""
        return self.actor.host

    async def authorise(
        self, needs: Needs, where: Game | ChatTopic | None = None, *, owners: Collection[PlayerId] = ()
    ) -> None:
        """Raise a refusal of `Access` unless the person has the permission here, or for the given game or chat."""
        await self.deps.play.access.authorise(self.actor, where or self.chat_topic, needs, owners=owners)

    # -- answers ------------------------------------------------------------------------------------------------

    def personal(self) -> "UpdateContext":
        """Return the context with the person's own locale, for a form or an answer that concerns them alone.

        An old app shows the first question of such a form to the whole group; it has the form's language all the same.
        Anonymous administrators keep the group's, because Telegram does not tell theirs.
        """
        return self if self.person.anonymous else replace(self, locale=self.own_locale)

    def text(self, text_id: str, **arguments: Any) -> Markup:
        """Return a text as HTML for a message, in the locale of the answer."""
        return self.deps.play.texts.html(self.locale, text_id, **arguments)

    def has_text(self, text_id: str) -> bool:
        """Return whether the locale of the answer has the text."""
        return self.deps.play.texts.has(self.locale, text_id)

    def label(self, text_id: str, **arguments: Any) -> str:
        """Return a text for a button, in the locale of the answer."""
        return self.deps.play.texts.plain(self.locale, text_id, **arguments)

    def word(self, text_id: str, **arguments: Any) -> str:
        """Return a text for a toast, in the person's own locale."""
        return self.deps.play.texts.plain(self.own_locale, text_id, **arguments)

    def title(self, title: str, kind: str) -> str:
        """Return the title of a game, or the name of its kind if the title is empty."""
        return title or self.label(FACES[kind].title)

    def phase(self, kind: str, phase: str) -> Markup:
        """Return the phase of a game in words: the kind's own text, or the text that all kinds share."""
        own = f"{FACES[kind].kind.slug}-phase-{phase}"
        return self.text(own) if self.has_text(own) else self.text("cmd-phase", phase=phase)

    def title_of(self, game: Game) -> str:
        """Return the title of a game, or the name of its kind if it has no title."""
        return self.title(game.title, of_state(game).kind.name)

    async def reply(self, text_id: str, **arguments: Any) -> None:
        """Answer with the text that has this id."""
        await self.answer(self.text(text_id, **arguments))

    async def answer(self, html: str, keyboard: Sequence[Sequence[Button]] = ()) -> None:
        """Answer with a message; in a group it is a reply to the person's message."""
        await self.show(View(str(html), tuple(tuple(row) for row in keyboard)))

    async def answer_to_file(self, html: str, keyboard: Sequence[Sequence[Button]]) -> None:
        """Answer a file in private with a reply to it. A tap on the reply then brings the file's message along."""
        assert self.message is not None
        reply = {"message_id": self.message.message_id, "allow_sending_without_reply": True}
        view = View(str(html), tuple(tuple(row) for row in keyboard))
        await self._put("sendMessage", {**send_params(view), "reply_parameters": reply})

    async def show(self, view: View) -> None:
        """Answer with a rendered message; in a group it is a reply to the person's message."""
        await self._put("sendMessage", {**send_params(view), **self.addressed()})

    async def show_own_board(self, view: View, game_id: str) -> None:
        """Answer in private with the person's own board of a game, which is edited when the game goes on."""
        await self._put("sendMessage", send_params(view), id_=own_id(game_id, self.command_id))

    async def whisper(self, view: View) -> None:
        """Show a message to the person alone where Telegram can do that, in place of the one that they tapped.

        In private it is an ordinary message. In a group it is ephemeral if the update is a tap or an ephemeral command;
        else, in an old app or from an anonymous administrator, it is an answer that everybody sees.
        """
        tapped = self.query.message if self.query is not None else None
        if self.query is None:
            await self.show(view)
        elif self.private:
            await self.edit(view.text, view.keyboard)
        elif isinstance(tapped, Message) and tapped.ephemeral_message_id is not None:
            receiver = {"receiver_user_id": self.person.id, "ephemeral_message_id": tapped.ephemeral_message_id}
            slot = f"own:{self.chat_topic.chat_id}:e{tapped.ephemeral_message_id}"  # two taps at once become one edit
            await self._put("editEphemeralMessageText", {**receiver, **send_params(view)}, slot=slot)
        else:
            whom = {"receiver_user_id": self.person.id, "callback_query_id": self.query.id}
            await self._put("sendMessage", {**send_params(view), "ephemeral_message_parameters": whom})

    async def whisper_picture(self, picture: bytes | None, html: str) -> None:
        """Answer a tap with a new message, a picture with a caption, for the person alone; without a picture, the text.

        In a group it is ephemeral.
        """
        params: dict[str, Any] = {}
        if not self.private and self.query is not None:
            whom = {"receiver_user_id": self.person.id, "callback_query_id": self.query.id}
            params["ephemeral_message_parameters"] = whom
        if picture is None:
            await self._put("sendMessage", {**send_params(View(str(html))), **params})
        else:
            await self._put("sendPhoto", {"caption": str(html), "parse_mode": "HTML", **params}, photo=picture)

    async def close(self) -> None:
        """Delete the tapped message if only this person sees it."""
        tapped = self.query.message if self.query is not None else None
        if not isinstance(tapped, Message) or (tapped.ephemeral_message_id is None and not self.private):
            return
        params: dict[str, Any] = {"chat_id": self.chat_topic.chat_id}
        if self.private:
            method = "deleteMessage"
            params["message_id"] = tapped.message_id
        else:
            method = "deleteEphemeralMessage"
            params |= {"receiver_user_id": self.person.id, "ephemeral_message_id": tapped.ephemeral_message_id}
        try:
            await call_again(self.deps.telegram.api, method, params)
        except Exception as error:  # noqa: BLE001 - the person has closed it already, or Telegram is away
            logger.info("a message could not be deleted: {}", error)

    async def withdraw(self) -> None:
        """Delete the tapped message, which everybody in the group sees, after its question was answered elsewhere."""
        tapped = self.query.message if self.query is not None else None
        if not isinstance(tapped, Message) or tapped.ephemeral_message_id is not None or self.private:
            return
        try:
            params = {"chat_id": self.chat_topic.chat_id, "message_id": tapped.message_id}
            await call_again(self.deps.telegram.api, "deleteMessage", params)
        except Exception as error:  # noqa: BLE001 - it is gone already, is older than two days, or Telegram is away
            logger.info("a message could not be deleted: {}", error)

    async def edit(self, html: str, keyboard: Sequence[Sequence[Button]] = ()) -> None:
        """Edit the message that was tapped. Does nothing if the update is not a tap."""
        if self.query is None or self.query.message is None:
            return
        view = send_params(View(str(html), tuple(tuple(row) for row in keyboard)))
        message_id = self.query.message.message_id
        slot = f"edit:{self.chat_topic.chat_id}:{message_id}"  # two taps at once become one edit
        await self._put("editMessageText", {"message_id": message_id, **view}, slot=slot)

    async def toast(self, text: str | None = None, *, alert: bool = False, url: str | None = None) -> None:
        """Answer a tap. Further calls do nothing, because Telegram takes one answer only."""
        if self.query is None or self.toasts:
            return
        self.toasts.append(text)
        params = {"callback_query_id": self.query.id, "text": text, "show_alert": alert or None, "url": url}
        try:
            await call_again(
                self.deps.telegram.api, "answerCallbackQuery", {k: v for k, v in params.items() if v is not None}
            )
        except Exception as error:  # noqa: BLE001 - too late, or Telegram is away: what the answer says is true anyway
            logger.info("a tap could not be answered: {}", error)

    async def tell(self, chat_id: int, html: str) -> None:
        """Send a message to another chat."""
        await self._put("sendMessage", send_params(View(str(html))), chat_id=chat_id)

    def addressed(self) -> dict[str, Any]:
        """Return the parameters that make a message a reply to this one, ephemeral if this one is."""
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
        """Return the time after which an answer must not be sent; None for private chats, where it is never stale."""
        if ephemeral:
            return self.received + EPHEMERAL_MS
        return None if private else self.received + IN_GROUP_MS

    async def _put(
        self,
        method: str,
        params: Mapping[str, Any],
        *,
        chat_id: int | None = None,
        slot: str | None = None,
        id_: str = "",
        photo: bytes | None = None,
    ) -> None:
        ephemeral = "ephemeral_message_parameters" in params
        topic = self.chat_topic.topic_id if method.startswith("send") and chat_id is None else 0
        await self.deps.telegram.outbox.put(
            Outgoing(
                id=id_ or f"{self.command_id}:{next(self.numbers)}",
                chat_id=self.chat_topic.chat_id if chat_id is None else chat_id,
                topic_id=topic or None,
                method=method,
                params=dict(params),
                priority=Priority.ANSWER,
                person=self.person.id if method.startswith("send") else None,
                slot=slot,
                created_at=self.received,
                expires_at=self._expiry(ephemeral=ephemeral, private=chat_id is not None or self.private),
                trace=self.trace,
                photo=photo,
            )
        )
