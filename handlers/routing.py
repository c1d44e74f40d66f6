"""The aiogram path: routes every update that does not take the fast path from its bytes to its handler.

Routers are asked in order. Those that need no store come first; dialogs, which read their state from Redis, come last.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from aiogram import Dispatcher, Router
from aiogram.client.session.base import BaseSession
from aiogram.types import CallbackQuery, Message, Update
from aiogram.types.update import UpdateTypeLookupError
from loguru import logger
from pydantic import ValidationError

from handlers.buttons import left_over, on_data
from handlers.command_menus import ALL, OPERATORS, calls, publish
from handlers.commands import (
    hosts,
    languages,
    leaderboard,
    lists,
    newgame,
    nextgame,
    players,
    privacy,
    recurring,
    weeks,
)
from handlers.commands.command import commands_router
from handlers.context import UpdateContext
from handlers.deps import Deps
from handlers.dialogs.commands import LINKED_FORMS, dialogs_router
from handlers.dialogs.state_storage import dialog_storage
from handlers.errors import errors_router
from handlers.filters import OfGames, OfNoDialog, Tapped, Unknown
from handlers.kinds import commands as kinds
from handlers.kinds.registry import FACES
from handlers.limited_session import http_session, limited_bot
from handlers.membership_updates import members_router
from handlers.parsing import ContextMiddleware
from handlers.tap_calls import TapCalls
from handlers.taps import Tap
from handlers.views.message import Message as View
from handlers.views.message import send_params
from play.access import Needs
from storage.own_boards import OwnBoardIndex
from telegram.limits import Priority
from telegram.outbox import Outgoing

WHY_CHARACTERS = 200
"""Length of the reason in the log line about an unreadable update."""

__all__ = ["AiogramPath", "Deps", "build_dispatcher", "calls", "publish"]


def build_dispatcher(deps: Deps) -> Dispatcher:
    """Return aiogram's dispatcher with all routers. Its ``feed_update`` returns when the update has been handled."""
    # With its FSM on, aiogram would read a state from Redis for every update. Dialogs read theirs themselves.
    dispatcher = Dispatcher(disable_fsm=True, fsm_storage=dialog_storage(deps.stores))
    dispatcher.update.outer_middleware(ContextMiddleware(deps, ALL))
    dispatcher.include_routers(
        commands_router(
            {**players.COMMANDS, **hosts.COMMANDS, **newgame.COMMANDS, **recurring.COMMANDS, **kinds.COMMANDS},
            but=tuple(LINKED_FORMS),
        ),
        members_router(),
        *(face.imported("router").router() for face in FACES.values() if face.router is not None),
        _buttons_router(),
        _unknown_router(),
        dialogs_router(deps),
        _rest_router(),
        errors_router(),
    )
    return dispatcher


class _Sender(msgspec.Struct):
    language_code: str | None = None


class _Chat(msgspec.Struct):
    id: int
    type: str


class _SentMessage(msgspec.Struct, rename={"sender": "from"}):
    chat: _Chat
    sender: _Sender | None = None


class _Sent(msgspec.Struct):
    update_id: int
    message: _SentMessage | None = None


class AiogramPath:
    """Hands updates to aiogram.

    Args:
        deps: the dependencies of handlers.
        token: the bot's token.
        api_base: URL of the Bot API server, for the messages of dialogs.
        session: aiogram's session; None for one that calls ``api_base`` over HTTP.
    """

    def __init__(self, deps: Deps, token: str, api_base: str, *, session: BaseSession | None = None) -> None:
        self._deps = deps
        self._bot = limited_bot(token, deps.telegram.limits, session or http_session(api_base))
        self._dispatcher = build_dispatcher(deps)

    async def __call__(self, raw: bytes) -> None:
        """Handle one update to its end. Raises if Redis is away; the update then has to come again."""
        members = _without_rights(msgspec.json.decode(raw))
        try:
            update = Update.model_validate(members, context={"bot": self._bot})
            update.event_type  # noqa: B018 -- raises if aiogram knows none of the members
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(each) for each in first["loc"])
            self._leave_out(members, f"{where}: {first['msg']}")
        except UpdateTypeLookupError:
            self._leave_out(members, f"members {', '.join(members)}")
        else:
            await self._dispatcher.feed_update(self._bot, update)

    def _leave_out(self, members: Mapping[str, Any], why: str) -> None:
        """Report an update that aiogram cannot read, in one line; without this, it would be a traceback for each."""
        self._deps.count_error("unreadable update")
        logger.warning("update {} is left out: {}", members.get("update_id"), why[:WHY_CHARACTERS])

    async def tell_left_alone(self, raw: bytes) -> None:
        """Tell the author of a private message that it was not handled. Decodes only its sender and chat."""
        update = msgspec.json.decode(raw, type=_Sent)
        if update.message is None or update.message.chat.type != "private":
            return
        deps, sender = self._deps, update.message.sender
        locale = deps.play.texts.pick(sender.language_code if sender is not None else None)
        await deps.telegram.outbox.put(
            Outgoing(
                id=f"tg:{update.update_id}:left-alone",
                chat_id=update.message.chat.id,
                method="sendMessage",
                params=send_params(View(str(deps.play.texts.html(locale, "cmd-left-alone")))),
                priority=Priority.URGENT,
                created_at=deps.play.clock.now(),
            )
        )

    async def close(self) -> None:
        """Close aiogram's connections to the Bot API server."""
        await self._bot.session.close()


def _without_rights(update: dict[str, Any]) -> dict[str, Any]:
    """Return the update with all administrators in it reduced to plain members. Changes the update in place.

    aiogram refuses to parse an administrator who lacks a right that aiogram's version knows, and a self-hosted Bot API
    server may be of another version. No handler reads those rights.
    """
    for name in ("my_chat_member", "chat_member"):
        for member in ("old_chat_member", "new_chat_member"):
            found = update.get(name, {}).get(member, {})
            if found.get("status") == "administrator":
                update[name][member] = {"status": "member", "user": found["user"]}
    return update


# -- buttons ----------------------------------------------------------------------------------------------------


async def _tap(query: CallbackQuery, context: UpdateContext, deps: Deps) -> None:
    """Answer a tap on a game's button that did not take the fast path."""
    message = query.message
    markup = message.reply_markup if isinstance(message, Message) else None
    assert message is not None
    assert query.data is not None
    tap = Tap(
        update_id=context.update_id,
        query_id=query.id,
        user_id=query.from_user.id,
        user_name=query.from_user.full_name,
        username=query.from_user.username,
        language=query.from_user.language_code,
        premium=bool(query.from_user.is_premium),
        chat_id=message.chat.id,
        chat_type=message.chat.type,
        topic_id=context.chat_topic.topic_id,
        message_id=message.message_id,
        ephemeral_message_id=message.ephemeral_message_id if isinstance(message, Message) else None,
        data=query.data,
        keyboard=markup.model_dump_json(exclude_none=True).encode() if markup is not None else b"",
        received=context.received,
    )
    answer = await deps.taps.answer(tap)
    if answer.error is not None:
        logger.opt(exception=answer.error).error("a tap failed")
        deps.count_error(type(answer.error).__name__)
    if not answer.answered_by_calls:
        await context.toast(answer.text, alert=answer.alert, url=answer.url)
    own_boards = OwnBoardIndex(deps.stores.redis)
    await TapCalls(deps.telegram.api, deps.telegram.limits, deps.telegram.outbox, own_boards).carry_out(
        tap, answer.calls
    )


def _buttons_router() -> Router:
    """Return the router of the buttons of lists, and of games whose taps did not take the fast path."""
    router = Router(name="buttons")
    router.callback_query.register(on_data(leaderboard.tap_best, Needs.LOOK), Tapped(leaderboard.BEST))
    router.callback_query.register(on_data(leaderboard.tap_listed, Needs.USE), Tapped(lists.LISTED))
    router.callback_query.register(on_data(lists.tap_ended, Needs.LOOK), Tapped(lists.ENDED))
    router.callback_query.register(on_data(weeks.tap, Needs.LOOK), Tapped(weeks.CHART))
    router.callback_query.register(on_data(privacy.tap, Needs.NOTHING), Tapped(privacy.CHOICE))
    router.callback_query.register(on_data(languages.tap, Needs.NOTHING), Tapped(languages.CHOICE))
    router.callback_query.register(on_data(newgame.tap, Needs.OPEN), Tapped(newgame.FORM))
    router.callback_query.register(on_data(recurring.tap, Needs.HOST), Tapped(recurring.FORM))
    router.callback_query.register(on_data(nextgame.tap, Needs.NOTHING), Tapped(nextgame.TAP))
    router.callback_query.register(_tap, OfGames())
    router.callback_query.register(left_over, OfNoDialog())
    return router


# -- messages that no handler has taken -------------------------------------------------------------------------


async def _not_understood(_: Message, context: UpdateContext) -> None:
    """Answer a message that no handler has taken, if it is private or mentions the bot. Ignore it otherwise."""
    if context.private or (context.command is not None and context.command.mention is not None):
        await context.reply("cmd-not-understood")


def _unknown_router() -> Router:
    router = Router(name="unknown")
    router.message.register(_not_understood, Unknown(ALL, OPERATORS))
    return router


def _rest_router() -> Router:
    router = Router(name="rest")
    router.message.register(_not_understood)
    return router
