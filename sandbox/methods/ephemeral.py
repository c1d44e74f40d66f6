"""Ephemeral messages, which only one person in a group sees.

They are sent after a tap or by an administrator, and have separate ids.
"""

from typing import Any

from aiogram.methods import (
    DeleteEphemeralMessage,
    EditEphemeralMessageCaption,
    EditEphemeralMessageReplyMarkup,
    EditEphemeralMessageText,
)
from aiogram.types import EphemeralMessageParameters, ReplyKeyboardMarkup

from sandbox.calls import handles
from sandbox.errors import NOT_MODIFIED, OLD_QUERY, ApiError, bad, refused
from sandbox.markup import checked_markup
from sandbox.methods.common import caption_text, checked_thread, message_text, open_chat, same
from sandbox.render import message_json
from sandbox.state import Chat, Json, Message
from sandbox.world import QUERY_SECONDS, World


def ephemeral_asked(call: Any) -> EphemeralMessageParameters | None:
    """Return the parameters of an ephemeral send, also if they use their older names on the method itself."""
    asked: EphemeralMessageParameters | None = getattr(call, "ephemeral_message_parameters", None)
    if asked is None and getattr(call, "receiver_user_id", None) is not None:
        asked = EphemeralMessageParameters(
            receiver_user_id=call.receiver_user_id, callback_query_id=call.callback_query_id
        )
    return asked


def send_ephemeral(
    world: World, chat: Chat, call: Any, asked: EphemeralMessageParameters, *, content: Json, markup: Json | None
) -> Json:
    """Send to one member of a group.

    A bot without administrator rights needs a tap or command of the last 15 seconds.
    """
    if not chat.is_group:
        raise bad("ephemeral messages can be sent only in groups and supergroups")
    receiver = world.users.get(asked.receiver_user_id)
    if receiver is None or receiver.is_bot:
        raise bad("invalid receiver_user_id specified")
    if not world.member(chat, receiver.id).is_present:
        raise refused("USER_NOT_PARTICIPANT")
    if isinstance(call.reply_markup, ReplyKeyboardMarkup):
        raise bad("inline keyboard expected")
    replaces = _occasion(world, chat, call, asked)
    thread_id = checked_thread(world, chat, call.message_thread_id)
    world.limits.spend(chat.id, group=True)
    message = world.post_ephemeral(
        chat,
        world.bot_id,
        content,
        markup=markup,
        receiver=receiver.id,
        replaces=replaces,
        thread_id=thread_id,
    )
    return message_json(world, message)


def _occasion(world: World, chat: Chat, call: Any, asked: EphemeralMessageParameters) -> int | None:
    """Check that the bot may send now. Returns the id of the message to replace, or None."""
    replied = call.reply_parameters.ephemeral_message_id if call.reply_parameters else None
    if replied is not None:
        _check_command(world, chat, replied, asked.receiver_user_id)
    elif asked.callback_query_id is not None:
        return _check_query(world, chat, asked)
    elif not world.member(chat, world.bot_id).is_admin:
        raise bad("not enough rights to send ephemeral messages to the chat")
    if asked.replace_callback_query_message:
        raise bad(OLD_QUERY)
    return None


def _check_command(world: World, chat: Chat, ephemeral_id: int, receiver: int) -> None:
    command = chat.ephemeral.get(ephemeral_id)
    if command is None or command.sender != receiver:
        raise refused("message to be replied not found")
    if world.now() - command.date > QUERY_SECONDS:
        raise refused("message to be replied not found")


def _check_query(world: World, chat: Chat, asked: EphemeralMessageParameters) -> int | None:
    query = world.queries.get(asked.callback_query_id or "")
    if query is None or query.user_id != asked.receiver_user_id or query.chat_id != chat.id:
        raise bad(OLD_QUERY)
    if world.now() - query.date > QUERY_SECONDS:
        raise refused(OLD_QUERY)
    if not asked.replace_callback_query_message:
        return None
    if query.message.ephemeral_id is not None:
        raise bad("MESSAGE_EPHEMERAL_INVALID")
    return query.message.id


def _found(world: World, call: Any, what: str) -> tuple[Chat, Message]:
    chat = open_chat(world, call.chat_id)
    message = chat.ephemeral.get(call.ephemeral_message_id)
    if message is None or message.receiver != call.receiver_user_id or message.sender != world.bot_id:
        known = 0 < call.ephemeral_message_id <= chat.last_ephemeral_id
        raise ApiError(400, f"message to {what} not found", wrong=not known)
    return chat, message


def _change(world: World, message: Message, content: Json, markup: Json | None) -> bool:
    if same(message, content, markup):
        raise bad(NOT_MODIFIED)
    world.limits.spend(message.chat_id, group=True)
    message.content, message.markup = content, markup
    world.edited(message)
    return True


@handles(EditEphemeralMessageText)
async def edit_ephemeral_message_text(world: World, call: EditEphemeralMessageText) -> bool:
    """Replace the text, and the keyboard (None removes it)."""
    if call.rich_message is not None:
        raise bad("rich messages are not played in the sandbox")
    text = message_text(world, call, editing=True)
    chat, message = _found(world, call, "edit")
    return _change(world, message, text.fields(), checked_markup(call.reply_markup, chat))


@handles(EditEphemeralMessageCaption)
async def edit_ephemeral_message_caption(world: World, call: EditEphemeralMessageCaption) -> bool:
    """Replace the caption."""
    caption = caption_text(world, call, editing=True)
    chat, message = _found(world, call, "edit")
    media = {key: value for key, value in message.content.items() if key in ("photo", "document")}
    if not media:
        raise bad("there is no caption in the message to edit")
    content = media | caption.fields("caption", "caption_entities")
    return _change(world, message, content, checked_markup(call.reply_markup, chat))


@handles(EditEphemeralMessageReplyMarkup)
async def edit_ephemeral_message_reply_markup(world: World, call: EditEphemeralMessageReplyMarkup) -> bool:
    """Replace the keyboard."""
    chat, message = _found(world, call, "edit")
    return _change(world, message, message.content, checked_markup(call.reply_markup, chat))


@handles(DeleteEphemeralMessage)
async def delete_ephemeral_message(world: World, call: DeleteEphemeralMessage) -> bool:
    """Delete a message for its receiver. The message that it replaced becomes visible again."""
    _, message = _found(world, call, "delete")
    world.remove(message)
    return True
