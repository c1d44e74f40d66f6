"""Helpers of the methods: finding the chat, checking rights, formatting text, reply targets."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from aiogram.client.default import Default
from aiogram.types import MessageEntity, ReplyParameters
from pydantic import BaseModel

from sandbox.entities import parse_html, tidy, utf16_length
from sandbox.errors import ApiError, bad, forbidden, refused
from sandbox.markup import plain
from sandbox.render import user_json
from sandbox.state import Chat, Json, Member, Message, User
from sandbox.world import World

RAW_BYTES = 32 * 1024
TEXT_CHARACTERS = 4096
CAPTION_CHARACTERS = 1024
RIGHT_TO_SEND = {
    "text messages": "can_send_messages",
    "photos": "can_send_photos",
    "documents": "can_send_documents",
    "polls": "can_send_polls",
    "dice": "can_send_other_messages",
}
GIVEN_ENTITIES = {
    "bold",
    "italic",
    "underline",
    "strikethrough",
    "spoiler",
    "blockquote",
    "expandable_blockquote",
    "code",
    "pre",
    "text_link",
    "text_mention",
    "custom_emoji",
    "date_time",
}


def given(value: Any) -> Any:
    """Return a parameter's value; None if the client left it to a default."""
    return None if isinstance(value, Default) else value


def unix(value: dt.datetime | dt.timedelta | int | None, now: float) -> int | None:
    """Return a date parameter in unix seconds."""
    if isinstance(value, dt.datetime):
        return int(value.timestamp())
    if isinstance(value, dt.timedelta):
        return int(now + value.total_seconds())
    return value


def find_chat(world: World, chat_id: int | str) -> Chat:
    """Return the chat with an id or @username. Raises `chat not found`."""
    if isinstance(chat_id, str) and chat_id.startswith("@"):
        name = chat_id[1:].lower()
        named = [chat for chat in world.chats.values() if chat.username.lower() == name]
        if named:
            return named[0]
        raise bad("chat not found")
    try:
        number = int(chat_id)
    except ValueError:
        raise bad("chat not found") from None
    if number in world.users and number != world.bot_id:
        return world.private_chat(world.users[number])
    if number not in world.chats:
        if number == world.bot_id:
            raise forbidden("the bot can't send messages to the bot")
        raise bad("chat not found")
    return world.chats[number]


def open_chat(world: World, chat_id: int | str) -> Chat:
    """Return a chat that the bot has access to. Raises 400 or 403 as the server does."""
    chat = find_chat(world, chat_id)
    if chat.type == "private":
        user = world.users[chat.id]
        if user.deactivated:
            raise forbidden("user is deactivated")
        if user.blocked:
            raise forbidden("bot was blocked by the user")
        if not user.started:
            raise forbidden("bot can't initiate conversation with a user")
        return chat
    if chat.migrated_to is not None:
        text = "group chat was upgraded to a supergroup chat"
        raise ApiError(400, text, wrong=False, migrate_to=chat.migrated_to)
    if chat.deleted:
        raise forbidden("the group chat was deleted")
    member = chat.members.get(world.bot_id)
    if member is None or member.status == "left":
        raise forbidden(f"bot is not a member of the {chat.type} chat")
    if member.status == "kicked":
        raise forbidden(f"bot was kicked from the {chat.type} chat")
    return chat


def may_send(chat: Chat, member: Member, what: str) -> bool:
    """Return whether a member may send `what` (a key of RIGHT_TO_SEND)."""
    if chat.type == "private" or member.is_admin:
        return True
    rights = member.rights if member.status == "restricted" else chat.permissions
    return rights.get(RIGHT_TO_SEND[what], False)


def writable_chat(world: World, chat_id: int | str, what: str) -> Chat:
    """Return a chat to which the bot may send `what`."""
    chat = open_chat(world, chat_id)
    if not may_send(chat, world.member(chat, world.bot_id), what):
        raise refused(f"not enough rights to send {what} to the chat")
    return chat


def checked_thread(world: World, chat: Chat, thread_id: int | None) -> int | None:
    """Return the topic to send to; None outside forums and for the general topic."""
    if thread_id is None or not chat.is_forum or thread_id == 1:
        return None
    topic = chat.topics.get(thread_id)
    if topic is None:
        raise refused("message thread not found")
    if topic.closed and not world.member(chat, world.bot_id).may("can_manage_topics"):
        raise refused("TOPIC_CLOSED")
    return thread_id


@dataclass(slots=True)
class Formatted:
    """A text with its entities, ready to be stored in a message."""

    text: str
    entities: list[Json]

    def fields(self, text: str = "text", entities: str = "entities") -> Json:
        """Return the message's fields, without `entities` if there are none."""
        result: Json = {text: self.text} if self.text else {}
        return result | ({entities: self.entities} if self.entities else {})


def formatted(world: World, text: str, parse_mode: Any, entities: list[MessageEntity] | None) -> Formatted:
    """Parse and clean a text. Raises `text is too long`, `can't parse entities: ...`, `unsupported parse_mode`."""
    if len(text.encode("utf-8", "surrogatepass")) > RAW_BYTES:
        raise bad("text is too long")
    mode = (given(parse_mode) or "").lower()
    if mode == "html":
        text, found = parse_html(text)
    elif mode in ("", "none"):
        found = [plain(entity) for entity in entities or []]
        _check_entities(text, found)
    else:
        raise bad("unsupported parse_mode")
    clean, found = tidy(text, found)
    return Formatted(clean, [entity for item in found if (entity := _with_user(world, item))])


def _check_entities(text: str, entities: list[Json]) -> None:
    size = utf16_length(text)
    for entity in list(entities):
        if entity["type"] not in GIVEN_ENTITIES:
            entities.remove(entity)
            continue
        begin, end = entity["offset"], entity["offset"] + entity["length"]
        if begin < 0 or end <= begin or end > size:
            raise bad(f"entity at UTF-16 offset {begin} ends after the end of the text at UTF-16 offset {end}")
        if entity["type"] == "text_mention":
            entity["user_id"] = entity.pop("user", {}).get("id", 0)


def _with_user(world: World, entity: Json) -> Json | None:
    """Add the user to a mention. Returns None for a mention of an unknown user, which is dropped."""
    if entity["type"] != "text_mention":
        return entity
    user = world.users.get(entity.pop("user_id"))
    return entity | {"user": user_json(user)} if user else None


def message_text(world: World, call: Any, *, editing: bool = False) -> Formatted:
    """Return the text of sendMessage and of the edits."""
    result = formatted(world, call.text or "", call.parse_mode, call.entities)
    if not call.text:
        raise bad("message text is empty")
    if not result.text:
        raise bad("text must be non-empty")
    if len(result.text) > TEXT_CHARACTERS:
        raise bad("MESSAGE_TOO_LONG" if editing else "message is too long")
    return result


def caption_text(world: World, call: Any, *, editing: bool = False) -> Formatted:
    """Return the caption of media, which may be empty."""
    result = formatted(world, call.caption or "", call.parse_mode, call.caption_entities)
    if len(result.text) > CAPTION_CHARACTERS:
        raise bad("MEDIA_CAPTION_TOO_LONG" if editing else "message caption is too long")
    return result


def reply_target(chat: Chat, call: Any) -> int | None:
    """Return the id of the message replied to. Raises `message to be replied not found`."""
    parameters: ReplyParameters | None = call.reply_parameters
    target = parameters.message_id if parameters else call.reply_to_message_id
    if parameters and parameters.ephemeral_message_id is not None:
        # only the receiver of an ephemeral message may reply to it, and only ephemerally
        raise bad("message to be replied not found")
    if parameters and target is None:
        raise bad("message identifier is not specified")
    if target is None or target in chat.messages:
        return target
    lenient = (parameters and given(parameters.allow_sending_without_reply)) or call.allow_sending_without_reply
    if lenient:
        return None
    raise missing(chat, target, "message to be replied not found")


def missing(chat: Chat, message_id: int, text: str) -> ApiError:
    """Return the error for a missing message: `wrong` only if the message never existed."""
    return ApiError(400, text, wrong=not 0 < message_id <= chat.last_message_id)


def user_of(world: World, user_id: int) -> User:
    """Return the user. Raises `invalid user_id specified`."""
    if user_id not in world.users:
        raise bad("invalid user_id specified")
    return world.users[user_id]


def same(message: Message, content: Json, markup: Json | None) -> bool:
    """Return whether an edit would change nothing."""
    return message.content == content and message.markup == markup


def dumped(model: BaseModel | None) -> Json | None:
    """Return an optional object parameter as JSON."""
    return plain(model) if model is not None else None
