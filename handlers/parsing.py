"""The first step of handling an update: build its context, or drop it if it is not meant for the bot.

Ordinary conversation, commands of other bots, messages from bots and channels, forwards, notices and edits are dropped
here, before any store is asked.
"""

from collections.abc import Awaitable, Callable, Collection
from typing import Any

from aiogram import BaseMiddleware
from aiogram.enums import ContentType
from aiogram.types import CallbackQuery, Chat, Message, TelegramObject, Update, User
from loguru import logger

from fsm.kind import ChatTopic
from handlers.context import ParsedCommand, Person, UpdateContext, answered, asked
from handlers.deps import Deps
from handlers.flood_control import Verdict
from play.access import ANONYMOUS
from storage.audit import TELEGRAM, Trail, acting

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]
WRITTEN = frozenset({
    ContentType.TEXT, ContentType.PHOTO, ContentType.DOCUMENT, ContentType.STICKER, ContentType.VOICE,
    ContentType.VIDEO, ContentType.VIDEO_NOTE, ContentType.AUDIO, ContentType.ANIMATION, ContentType.CONTACT,
    ContentType.LOCATION, ContentType.VENUE, ContentType.DICE, ContentType.POLL, ContentType.STORY, ContentType.GAME,
})  # fmt: skip
"""Types of messages that people write. All other types are notices of Telegram: a pinned message, a gift, and so on."""


class ContextMiddleware(BaseMiddleware):
    """Adds an ``UpdateContext`` to every message and tap that is meant for the bot, and drops the others.

    Args:
        deps: the dependencies of handlers.
        known: the names of the bot's commands.
    """

    def __init__(self, deps: Deps, known: Collection[str]) -> None:
        self._deps = deps
        self._known = known

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        """Build the context and call the handler. ``data["received"]`` is the time of receipt; now if it is missing."""
        if not isinstance(event, Update):
            return await handler(event, data)
        received = data.setdefault("received", self._deps.play.clock.now())
        trace = data.setdefault("trace", self._deps.trace())
        data["deps"], data["update_id"] = self._deps, event.update_id
        with logger.contextualize(trace=trace, update=event.update_id, chat=_chat_id(event)):
            if event.message is not None and not is_service(event.message):
                if not self._is_for_us(event.message):
                    return None
                data["context"] = context = await self._of_message(event.update_id, event.message, received, trace)
            elif event.callback_query is not None:
                data["context"] = context = await self._of_tap(event.update_id, event.callback_query, received, trace)
            else:
                return await handler(event, data)
            if not await self._is_calm(context):
                return None
            trail = Trail(
                self._deps.stores.audit, TELEGRAM, context.person.id, context.chat_topic.chat_id, context.command_id
            )
            with acting(trail):
                return await handler(event, data)

    # -- selection of updates -----------------------------------------------------------------------------------

    def _is_for_us(self, message: Message) -> bool:
        sender = message.from_user
        if sender is None or message.chat.type == "channel":
            return False
        if message.content_type not in WRITTEN:
            return False
        if message.forward_origin or message.via_bot or message.is_automatic_forward:
            return False
        if sender.id == ANONYMOUS:
            if message.sender_chat is None or message.sender_chat.id != message.chat.id:
                return False
        elif sender.is_bot or message.sender_chat is not None:
            return False
        command = asked(message.text)
        if command is not None:
            return self._is_our_command(command, private=message.chat.type == "private")
        return message.chat.type == "private" or self._answers_us(message)

    def _is_our_command(self, command: ParsedCommand, *, private: bool) -> bool:
        if command.mention is not None:
            return command.mention.lower() == self._deps.bot_username.lower()
        return private or command.name in self._known

    def _answers_us(self, message: Message) -> bool:
        """Return whether a message is a reply to the bot. In a group no other plain message is meant for it."""
        reply = answered(message)
        return reply is not None and reply.from_user is not None and reply.from_user.id == self._deps.bot_id

    async def _is_calm(self, context: UpdateContext) -> bool:
        """Return whether the update passes flood control; warn the person if not.

        All anonymous administrators of a group share one bucket, because Telegram does not tell them apart.
        """
        person = context.person
        flooder = context.chat_topic.chat_id if person.anonymous else person.id
        verdict = self._deps.floods.judge(flooder, self._deps.play.clock.now())
        if verdict is not Verdict.PASS:
            await self._slow_down(context, verdict)
        return verdict is Verdict.PASS

    async def _slow_down(self, context: UpdateContext, verdict: Verdict) -> None:
        if context.query is not None:  # every tap is answered, or the button would seem to hang
            await context.toast(context.word("cmd-slow-down"))
        elif verdict is Verdict.WARN:
            await context.reply("cmd-slow-down")

    # -- contexts -----------------------------------------------------------------------------------------------

    async def _of_message(self, update_id: int, message: Message, received: int, trace: str) -> UpdateContext:
        assert message.from_user is not None
        return UpdateContext(
            **await self._common(message.from_user, message.chat, alone=message.ephemeral_message_id is not None),
            update_id=update_id,
            received=received,
            trace=trace,
            chat_topic=ChatTopic(message.chat.id, topic_of(message)),
            message=message,
            command=asked(message.text),
        )

    async def _of_tap(self, update_id: int, query: CallbackQuery, received: int, trace: str) -> UpdateContext:
        message = query.message
        chat = message.chat if message is not None else Chat(id=query.from_user.id, type="private")
        topic, alone = 0, False
        if isinstance(message, Message):
            topic, alone = topic_of(message), message.ephemeral_message_id is not None
        return UpdateContext(
            **await self._common(query.from_user, chat, alone=alone),
            update_id=update_id,
            received=received,
            trace=trace,
            chat_topic=ChatTopic(chat.id, topic),
            query=query,
        )

    async def _common(self, user: User, chat: Chat, *, alone: bool) -> dict[str, Any]:
        """Return the fields that messages and taps have in common.

        ``alone`` is True for an ephemeral message: nobody else in the group sees it, nor the answer to it.
        """
        person = Person(user.id, user.full_name, user.username, user.language_code, bool(user.is_premium))
        if not person.anonymous:
            self._deps.stores.people.saw_player(person.id, person.name, person.username)
        private = chat.type == "private"
        own = await self._own_locale(person)
        return {
            "deps": self._deps,
            "person": person,
            "private": private,
            "chat_type": chat.type,
            "chat_title": chat.title or chat.full_name or "",
            "locale": own if private or alone else await self._locale_of(chat),
            "own_locale": own,
        }

    async def _own_locale(self, person: Person) -> str:
        """Return the locale that the person has chosen, or the one for the language of their Telegram app."""
        return await self._deps.stores.people.locale_of_player(person.id) or self._deps.play.texts.pick(person.language)

    async def _locale_of(self, chat: Chat) -> str:
        """Return the locale that the group has chosen, or the default; the author's language does not matter."""
        known = await self._deps.stores.people.chat(chat.id)
        return known.locale if known is not None and known.locale else self._deps.play.texts.pick(None)


def topic_of(message: Message) -> int:
    """Return the forum topic of a message; 0 outside forums.

    In ordinary groups replies have a ``message_thread_id`` too, but it names no topic.
    """
    return message.message_thread_id or 0 if message.is_topic_message else 0


def is_service(message: Message) -> bool:
    """Return whether a message is Telegram's own notice that the group has moved, or that somebody came or went."""
    moved = message.migrate_to_chat_id is not None or message.migrate_from_chat_id is not None
    return moved or bool(message.new_chat_members) or message.left_chat_member is not None


def _chat_id(event: Update) -> int | None:
    """Return the chat of a message or tap; None for other updates."""
    about = event.callback_query.message if event.callback_query is not None else event.message
    return about.chat.id if about is not None else None
