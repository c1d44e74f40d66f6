"""Methods that send, edit, delete and pin messages."""

from typing import Any

from aiogram.methods import (
    CopyMessage,
    DeleteMessage,
    DeleteMessages,
    EditMessageCaption,
    EditMessageReplyMarkup,
    EditMessageText,
    ForwardMessage,
    PinChatMessage,
    SendChatAction,
    SendDice,
    SendMessage,
    SetMessageReaction,
    UnpinAllChatMessages,
    UnpinChatMessage,
)

from sandbox.calls import handles
from sandbox.errors import NOT_MODIFIED, bad, refused
from sandbox.markup import checked_markup, plain
from sandbox.methods.common import (
    caption_text,
    checked_thread,
    find_chat,
    message_text,
    missing,
    open_chat,
    reply_target,
    same,
    writable_chat,
)
from sandbox.methods.ephemeral import ephemeral_asked, send_ephemeral
from sandbox.render import message_json
from sandbox.state import Chat, Json, Message
from sandbox.world import World

DELETABLE_SECONDS = 48 * 3600
CHAT_ACTIONS = {
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
}
DICE_SIDES = {"🎲": 6, "🎯": 6, "🏀": 5, "⚽": 5, "🎳": 6, "🎰": 64}
UNDELETABLE = ("migrate_to_chat_id", "migrate_from_chat_id", "group_chat_created")


def send(world: World, chat: Chat, call: Any, content: Json, **fields: Any) -> Json:
    """Store a checked message in a chat, as the last step of every send method."""
    markup = checked_markup(call.reply_markup, chat)
    if (asked := ephemeral_asked(call)) is not None:
        return send_ephemeral(world, chat, call, asked, content=content, markup=markup)
    thread_id = checked_thread(world, chat, call.message_thread_id)
    reply_to = reply_target(chat, call)
    if thread_id is None and reply_to is not None and chat.is_forum:
        thread_id = chat.messages[reply_to].thread_id
    world.limits.spend(chat.id, group=chat.is_group)
    message = world.post(chat, world.bot_id, content, markup=markup, thread_id=thread_id, reply_to=reply_to, **fields)
    return message_json(world, message)


@handles(SendMessage)
async def send_message(world: World, call: SendMessage) -> Json:
    """Send a text."""
    chat = writable_chat(world, call.chat_id, "text messages")
    return send(world, chat, call, message_text(world, call).fields())


@handles(SendDice)
async def send_dice(world: World, call: SendDice) -> Json:
    """Send an animated emoji with a random value."""
    emoji = call.emoji or "🎲"
    if emoji not in DICE_SIDES:
        raise bad("wrong parameter emoji in request")
    chat = writable_chat(world, call.chat_id, "dice")
    value = world.rng.randint(1, DICE_SIDES[emoji])
    return send(world, chat, call, {"dice": {"emoji": emoji, "value": value}})


def editable(world: World, call: Any) -> tuple[Chat, Message]:
    """Return the bot's own message that an edit names."""
    if call.inline_message_id is not None:
        raise bad("message to edit not found")
    if call.chat_id is None:
        raise bad("chat_id is empty")
    if call.message_id is None:
        raise bad("message identifier is not specified")
    chat = open_chat(world, call.chat_id)
    message = chat.messages.get(call.message_id)
    if message is None:
        raise missing(chat, call.message_id, "message to edit not found")
    reply_keyboard = message.markup and "inline_keyboard" not in message.markup
    if message.sender != world.bot_id or message.is_service or reply_keyboard:
        raise bad("message can't be edited")
    return chat, message


def change(world: World, chat: Chat, message: Message, content: Json, markup: Json | None) -> Json:
    """Apply an edit that changes something; it counts as a message for the limits."""
    if same(message, content, markup):
        raise bad(NOT_MODIFIED)
    world.limits.spend(chat.id, group=chat.is_group)
    message.content, message.markup = content, markup
    world.edited(message)
    return message_json(world, message)


@handles(EditMessageText)
async def edit_message_text(world: World, call: EditMessageText) -> Json:
    """Replace the text, and the keyboard (None removes it)."""
    if call.rich_message is not None:
        raise bad("rich messages are not played in the sandbox")
    text = message_text(world, call, editing=True)
    chat, message = editable(world, call)
    if "text" not in message.content:
        raise bad("there is no text in the message to edit")
    return change(world, chat, message, text.fields(), checked_markup(call.reply_markup, chat))


@handles(EditMessageCaption)
async def edit_message_caption(world: World, call: EditMessageCaption) -> Json:
    """Replace the caption of a photo or document."""
    caption = caption_text(world, call, editing=True)
    chat, message = editable(world, call)
    media = {key: value for key, value in message.content.items() if key in ("photo", "document")}
    if not media:
        raise bad("there is no caption in the message to edit")
    content = media | caption.fields("caption", "caption_entities")
    return change(world, chat, message, content, checked_markup(call.reply_markup, chat))


@handles(EditMessageReplyMarkup)
async def edit_message_reply_markup(world: World, call: EditMessageReplyMarkup) -> Json:
    """Replace the keyboard."""
    chat, message = editable(world, call)
    return change(world, chat, message, message.content, checked_markup(call.reply_markup, chat))


def check_deletable(world: World, chat: Chat, message: Message) -> None:
    """Raise if the bot may not delete the message.

    Other people's messages need a right; every message must be younger than 48 hours.
    """
    own = message.sender == world.bot_id
    is_admin = world.member(chat, world.bot_id).may("can_delete_messages")
    if any(field in message.content for field in UNDELETABLE) or not (own or is_admin or chat.type == "private"):
        raise refused("message can't be deleted")
    if world.now() - message.date > DELETABLE_SECONDS and not (is_admin and not own):
        raise refused("message can't be deleted for everyone")


@handles(DeleteMessage)
async def delete_message(world: World, call: DeleteMessage) -> bool:
    """Delete one message."""
    chat = open_chat(world, call.chat_id)
    message = chat.messages.get(call.message_id)
    if message is None:
        raise missing(chat, call.message_id, "message to delete not found")
    check_deletable(world, chat, message)
    world.remove(message)
    return True


@handles(DeleteMessages)
async def delete_messages(world: World, call: DeleteMessages) -> bool:
    """Delete 1 to 100 messages; missing ones are skipped."""
    if not 1 <= len(call.message_ids) <= 100:
        raise bad("message identifiers are not specified" if not call.message_ids else "too many message identifiers")
    chat = open_chat(world, call.chat_id)
    found = [chat.messages[number] for number in call.message_ids if number in chat.messages]
    for message in found:
        check_deletable(world, chat, message)
    for message in found:
        world.remove(message)
    return True


def _copied(world: World, call: Any, text: str) -> tuple[Chat, Message]:
    source = open_chat(world, call.from_chat_id)
    message = source.messages.get(call.message_id)
    if message is None or message.is_service:
        raise missing(source, call.message_id, text)
    return writable_chat(world, call.chat_id, "text messages"), message


@handles(ForwardMessage)
async def forward_message(world: World, call: ForwardMessage) -> Json:
    """Send a copy that names the message's origin."""
    chat, message = _copied(world, call, "message to forward not found")
    origin = {"type": "hidden_user", "date": message.date, "sender_user_name": world.users[message.sender].name}
    world.limits.spend(chat.id, group=chat.is_group)
    thread_id = checked_thread(world, chat, call.message_thread_id)
    content = message.content | {"forward_origin": origin}
    return message_json(world, world.post(chat, world.bot_id, content, thread_id=thread_id))


@handles(CopyMessage)
async def copy_message(world: World, call: CopyMessage) -> Json:
    """Send a copy that does not name the message's origin."""
    chat, message = _copied(world, call, "message to copy not found")
    return {"message_id": send(world, chat, call, dict(message.content))["message_id"]}


def _check_pin_right(world: World, chat: Chat) -> None:
    member = world.member(chat, world.bot_id)
    everyone = not member.is_admin and chat.permissions.get("can_pin_messages", False)
    if chat.is_group and not member.may("can_pin_messages") and not everyone:
        raise refused("not enough rights to manage pinned messages in the chat")


@handles(PinChatMessage)
async def pin_chat_message(world: World, call: PinChatMessage) -> bool:
    """Pin a message and post the service message about it."""
    chat = open_chat(world, call.chat_id)
    _check_pin_right(world, chat)
    message = chat.messages.get(call.message_id)
    if message is None:
        raise missing(chat, call.message_id, "message to pin not found")
    if call.message_id not in chat.pinned:
        chat.pinned.append(call.message_id)
        notice = {"pinned_message": message_json(world, message, with_reply=False)}
        world.hear(world.post(chat, world.bot_id, notice, thread_id=message.thread_id))
    return True


@handles(UnpinChatMessage)
async def unpin_chat_message(world: World, call: UnpinChatMessage) -> bool:
    """Unpin one message, by default the newest pinned."""
    chat = open_chat(world, call.chat_id)
    _check_pin_right(world, chat)
    target = call.message_id if call.message_id is not None else (chat.pinned or [0])[-1]
    if target not in chat.pinned:
        raise missing(chat, target, "message to unpin not found")
    chat.pinned.remove(target)
    world.changes.tell("pin", chat=chat.id)
    return True


@handles(UnpinAllChatMessages)
async def unpin_all_chat_messages(world: World, call: UnpinAllChatMessages) -> bool:
    """Unpin all messages."""
    chat = open_chat(world, call.chat_id)
    _check_pin_right(world, chat)
    chat.pinned.clear()
    world.changes.tell("pin", chat=chat.id)
    return True


@handles(SendChatAction)
async def send_chat_action(world: World, call: SendChatAction) -> bool:
    """Show typing or another action for five seconds."""
    if call.action not in CHAT_ACTIONS:
        raise bad("wrong parameter action in request")
    chat = writable_chat(world, call.chat_id, "text messages")
    chat.typing_until = world.now() + 5
    world.changes.tell("typing", chat=chat.id)
    return True


@handles(SetMessageReaction)
async def set_message_reaction(world: World, call: SetMessageReaction) -> bool:
    """Set at most one reaction of the bot on a message."""
    chat = open_chat(world, call.chat_id)
    message = chat.messages.get(call.message_id)
    if message is None:
        raise missing(chat, call.message_id, "message to react not found")
    reactions = [plain(reaction) for reaction in call.reaction or []]
    if len(reactions) > 1:
        raise bad("REACTIONS_TOO_MANY")
    if any(reaction["type"] != "emoji" for reaction in reactions):
        raise bad("REACTION_INVALID")
    message.reactions[world.bot_id] = reactions
    world.changes.tell("reaction", chat=find_chat(world, call.chat_id).id)
    return True
