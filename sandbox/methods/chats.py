"""Methods on chats, their members and topics."""

import datetime as dt
from typing import Any

from aiogram.methods import (
    BanChatMember,
    CloseForumTopic,
    CreateForumTopic,
    DeleteForumTopic,
    EditForumTopic,
    GetChat,
    GetChatAdministrators,
    GetChatMember,
    GetChatMemberCount,
    GetUserChatBoosts,
    GetUserProfilePhotos,
    LeaveChat,
    PromoteChatMember,
    ReopenForumTopic,
    RestrictChatMember,
    SetChatPermissions,
    SetChatTitle,
    UnbanChatMember,
)

from sandbox.calls import handles
from sandbox.errors import ApiError, bad, refused
from sandbox.markup import plain
from sandbox.methods.common import open_chat, unix, user_of
from sandbox.render import chat_json, member_json, message_json, topic_json, user_json
from sandbox.state import ADMIN_RIGHTS, Chat, Json, Member, Status, Topic, User
from sandbox.world import World

BOOST_SECONDS = 30 * 86_400
GIFT_TYPES = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")


@handles(GetChat)
async def get_chat(world: World, call: GetChat) -> Json:
    """Return ChatFullInfo."""
    chat = open_chat(world, call.chat_id)
    result = chat_json(world, chat) | {
        "accent_color_id": abs(chat.id) % 7,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(GIFT_TYPES, False),
    }
    if chat.is_group:
        result["permissions"] = chat.permissions
    if chat.pinned and (pinned := chat.messages.get(chat.pinned[-1])):
        result["pinned_message"] = message_json(world, pinned, with_reply=False)
    return result


def group(world: World, chat_id: int | str, text: str) -> Chat:
    """Return a group that the bot is in; `text` is the refusal for a private chat."""
    chat = open_chat(world, chat_id)
    if not chat.is_group:
        raise bad(text)
    return chat


@handles(GetChatMember)
async def get_chat_member(world: World, call: GetChatMember) -> Json:
    """Return one member; `left` if the user is known but not in the chat."""
    chat = open_chat(world, call.chat_id)
    user = user_of(world, call.user_id)
    if chat.type == "channel" and not world.member(chat, world.bot_id).is_admin and user.id != world.bot_id:
        raise bad("member list is inaccessible")
    if chat.is_group:
        return member_json(world, world.member(chat, user.id))
    if user.id not in (chat.id, world.bot_id):
        raise refused("member not found")
    return member_json(world, Member(user.id))


@handles(GetUserChatBoosts)
async def get_user_chat_boosts(world: World, call: GetUserChatBoosts) -> Json:
    """Return the boosts that a person has given to a chat; the bot must be an administrator there."""
    chat = group(world, call.chat_id, "there are no boosts in the private chat")
    user = user_of(world, call.user_id)
    if not world.member(chat, world.bot_id).is_admin:
        raise refused("CHAT_ADMIN_REQUIRED")
    since = chat.boosts.get(user.id)
    if since is None:
        return {"boosts": []}
    source = {"source": "premium", "user": user_json(user)}
    boost = {"boost_id": f"{abs(chat.id):x}{user.id:x}", "add_date": since, "expiration_date": since + BOOST_SECONDS}
    return {"boosts": [{**boost, "source": source}]}


@handles(GetChatAdministrators)
async def get_chat_administrators(world: World, call: GetChatAdministrators) -> list[Json]:
    """Return the administrators, without other bots."""
    chat = group(world, call.chat_id, "there are no administrators in the private chat")
    return [member_json(world, member) for member in chat.members.values() if member.is_admin]


@handles(GetChatMemberCount)
async def get_chat_member_count(world: World, call: GetChatMemberCount) -> int:
    """Return the number of members."""
    chat = open_chat(world, call.chat_id)
    return sum(member.is_present for member in chat.members.values()) if chat.is_group else 2


@handles(GetUserProfilePhotos)
async def get_user_profile_photos(world: World, call: GetUserProfilePhotos) -> Json:
    """Return no photos: nobody in the sandbox has one."""
    user_of(world, call.user_id)
    return {"total_count": 0, "photos": []}


@handles(LeaveChat)
async def leave_chat(world: World, call: LeaveChat) -> bool:
    """Remove the bot from the chat."""
    chat = group(world, call.chat_id, "chat member status can't be changed in private chats")
    world.set_member(chat, world.bot, "left")
    return True


def _restrictable(world: World, call: Any) -> tuple[Chat, User]:
    """Return the chat and the member, if the bot may restrict or ban that member."""
    chat = group(world, call.chat_id, "chat member status can't be changed in private chats")
    user = user_of(world, call.user_id)
    if not world.member(chat, world.bot_id).may("can_restrict_members"):
        raise refused("not enough rights to restrict/unrestrict chat member")
    member = world.member(chat, user.id)
    if member.status == "creator":
        raise refused("can't remove chat owner")
    if member.is_admin:
        raise refused("user is an administrator of the chat")
    return chat, user


def _until(world: World, value: dt.datetime | dt.timedelta | int | None) -> int:
    """Return the end of a restriction; less than 30 seconds or more than 366 days from now means for ever."""
    until = unix(value, world.now()) or 0
    return until if 30 <= until - world.now() <= 366 * 86400 else 0


@handles(BanChatMember)
async def ban_chat_member(world: World, call: BanChatMember) -> bool:
    """Remove a member and keep that person out until the ban is lifted."""
    chat, user = _restrictable(world, call)
    world.set_member(chat, user, "kicked", by=world.bot, until=_until(world, call.until_date))
    return True


@handles(UnbanChatMember)
async def unban_chat_member(world: World, call: UnbanChatMember) -> bool:
    """Lift a ban. A member who is not banned is removed unless `only_if_banned`."""
    chat, user = _restrictable(world, call)
    if world.member(chat, user.id).status == "kicked" or not call.only_if_banned:
        world.set_member(chat, user, "left", by=world.bot)
    return True


@handles(RestrictChatMember)
async def restrict_chat_member(world: World, call: RestrictChatMember) -> bool:
    """Limit a member to the given rights."""
    chat, user = _restrictable(world, call)
    if chat.type != "supergroup":
        raise bad("method is available only for supergroups")
    rights = {right: bool(value) for right, value in plain(call.permissions).items()}
    status: Status = "member" if all(rights.get(right) for right in chat.permissions) else "restricted"
    until = _until(world, call.until_date)
    world.set_member(chat, user, status, by=world.bot, rights=rights, until=until)
    return True


@handles(PromoteChatMember)
async def promote_chat_member(world: World, call: PromoteChatMember) -> bool:
    """Make a member an administrator; without any right, an ordinary member."""
    chat = group(world, call.chat_id, "chat member status can't be changed in private chats")
    user = user_of(world, call.user_id)
    if not world.member(chat, world.bot_id).may("can_promote_members"):
        raise refused("not enough rights")
    rights = {right: bool(getattr(call, right, False)) for right in ADMIN_RIGHTS}
    status: Status = "administrator" if any(rights.values()) else "member"
    world.set_member(chat, user, status, by=world.bot, rights=rights)
    return True


def _needs(world: World, chat: Chat, right: str) -> None:
    if not world.member(chat, world.bot_id).may(right):
        raise refused("not enough rights")


@handles(SetChatTitle)
async def set_chat_title(world: World, call: SetChatTitle) -> bool:
    """Set the title, of 1 to 128 characters."""
    chat = group(world, call.chat_id, "can't change private chat title")
    _needs(world, chat, "can_change_info")
    if not 1 <= len(call.title.strip()) <= 128:
        raise bad("title must be non-empty")
    chat.title = call.title.strip()
    world.hear(world.post(chat, world.bot_id, {"new_chat_title": chat.title}))
    return True


@handles(SetChatPermissions)
async def set_chat_permissions(world: World, call: SetChatPermissions) -> bool:
    """Set the rights of ordinary members."""
    chat = group(world, call.chat_id, "can't change private chat permissions")
    _needs(world, chat, "can_restrict_members")
    chat.permissions |= {right: bool(value) for right, value in plain(call.permissions).items()}
    return True


def _forum(world: World, call: Any) -> Chat:
    chat = open_chat(world, call.chat_id)
    if not chat.is_forum:
        raise bad("the chat is not a forum")
    if not world.member(chat, world.bot_id).may("can_manage_topics"):
        raise refused("not enough rights to manage topics in the chat")
    return chat


def _topic(chat: Chat, thread_id: int) -> Topic:
    if thread_id not in chat.topics:
        raise ApiError(400, "message thread not found", wrong=False)
    return chat.topics[thread_id]


@handles(CreateForumTopic)
async def create_forum_topic(world: World, call: CreateForumTopic) -> Json:
    """Create a topic."""
    chat = _forum(world, call)
    if not 1 <= len(call.name.strip()) <= 128:
        raise bad("TOPIC_TITLE_EMPTY")
    return topic_json(world.add_topic(chat, call.name.strip(), world.bot))


@handles(EditForumTopic)
async def edit_forum_topic(world: World, call: EditForumTopic) -> bool:
    """Rename a topic."""
    topic = _topic(_forum(world, call), call.message_thread_id)
    if call.name is None or call.name == topic.name:
        raise bad("TOPIC_NOT_MODIFIED")
    topic.name = call.name
    return True


@handles(CloseForumTopic)
async def close_forum_topic(world: World, call: CloseForumTopic) -> bool:
    """Close a topic to new messages."""
    chat = _forum(world, call)
    topic = _topic(chat, call.message_thread_id)
    if topic.closed:
        raise bad("TOPIC_NOT_MODIFIED")
    world.close_topic(chat, topic, world.bot, closed=True)
    return True


@handles(ReopenForumTopic)
async def reopen_forum_topic(world: World, call: ReopenForumTopic) -> bool:
    """Reopen a topic."""
    chat = _forum(world, call)
    topic = _topic(chat, call.message_thread_id)
    if not topic.closed:
        raise bad("TOPIC_NOT_MODIFIED")
    world.close_topic(chat, topic, world.bot, closed=False)
    return True


@handles(DeleteForumTopic)
async def delete_forum_topic(world: World, call: DeleteForumTopic) -> bool:
    """Delete a topic and all its messages."""
    chat = _forum(world, call)
    topic = _topic(chat, call.message_thread_id)
    for message in [m for m in chat.messages.values() if m.thread_id == topic.id]:
        world.remove(message)
    del chat.topics[topic.id]
    return True
