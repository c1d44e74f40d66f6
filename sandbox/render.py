"""Conversion of records to Bot API objects: plain dictionaries, ready for JSON."""

from sandbox.state import ADMIN_RIGHTS, MEMBER_RIGHTS, Chat, File, Json, Member, Message, Poll, Records, Topic, User

ANONYMOUS_ADMIN = User(1087968824, "Group", username="GroupAnonymousBot", is_bot=True)


def user_json(user: User) -> Json:
    """Return a User."""
    result: Json = {"id": user.id, "is_bot": user.is_bot, "first_name": user.first_name}
    if user.last_name:
        result["last_name"] = user.last_name
    if user.username:
        result["username"] = user.username
    if not user.is_bot:
        result["language_code"] = user.language_code
    if user.premium:
        result["is_premium"] = True
    return result


def chat_json(records: Records, chat: Chat) -> Json:
    """Return a Chat."""
    result: Json = {"id": chat.id, "type": chat.type}
    if chat.type == "private":
        user = records.users[chat.id]
        names = {"first_name": user.first_name, "last_name": user.last_name, "username": user.username}
        return result | {key: value for key, value in names.items() if value}
    result["title"] = chat.title
    if chat.username:
        result["username"] = chat.username
    if chat.is_forum:
        result["is_forum"] = True
    return result


def member_json(records: Records, member: Member) -> Json:
    """Return a ChatMember with the fields of its status."""
    result: Json = {"status": member.status, "user": user_json(records.users[member.user_id])}
    if member.status == "creator":
        result["is_anonymous"] = member.is_anonymous
    elif member.status == "administrator":
        result |= {"can_be_edited": False, "is_anonymous": member.is_anonymous}
        result |= {right: member.rights.get(right, False) for right in ADMIN_RIGHTS}
    elif member.status == "restricted":
        result |= {"is_member": True, "until_date": member.until}
        result |= {right: member.rights.get(right, False) for right in MEMBER_RIGHTS}
    elif member.status == "kicked":
        result["until_date"] = member.until
    if member.title:
        result["custom_title"] = member.title
    return result


def message_json(records: Records, message: Message, *, with_reply: bool = True) -> Json:
    """Return a Message as the bot receives it."""
    chat = records.chats[message.chat_id]
    result: Json = {"message_id": message.id, "date": message.date, "chat": chat_json(records, chat)}
    if message.anonymous:
        result |= {"from": user_json(ANONYMOUS_ADMIN), "sender_chat": chat_json(records, chat)}
    else:
        result["from"] = user_json(records.users[message.sender])
    if message.thread_id is not None:
        result |= {"message_thread_id": message.thread_id, "is_topic_message": True}
    if message.ephemeral_id is not None:
        result["ephemeral_message_id"] = message.ephemeral_id
        if message.receiver is not None:
            result["receiver_user"] = user_json(records.users[message.receiver])
    if message.edit_date is not None:
        result["edit_date"] = message.edit_date
    # in a forum topic, Telegram reports every plain message as a reply to the topic's creation notice
    reply_to = message.reply_to or (message.thread_id if message.thread_id != message.id else None)
    if with_reply and reply_to in chat.messages:
        result["reply_to_message"] = message_json(records, chat.messages[reply_to], with_reply=False)
    result |= message.content
    if message.poll_id is not None:
        result["poll"] = poll_json(records.polls[message.poll_id])
    if message.markup and "inline_keyboard" in message.markup:
        result["reply_markup"] = message.markup
    return result


def poll_json(poll: Poll, *, for_voters: bool = False) -> Json:
    """Return a Poll as its sender sees it; `for_voters` hides the right answer and the counts while they are secret."""
    secret = for_voters and not poll.is_closed
    counts = [sum(index in vote for vote in poll.votes.values()) for index in range(len(poll.options))]
    if secret and poll.hide_results:
        counts = [0] * len(counts)
    result: Json = {
        "id": poll.id,
        **poll.question,
        "options": [option | {"voter_count": count} for option, count in zip(poll.options, counts, strict=True)],
        "total_voter_count": sum(1 for vote in poll.votes.values() if vote),
        "is_closed": poll.is_closed,
        "is_anonymous": poll.is_anonymous,
        "type": poll.type,
        "allows_multiple_answers": poll.allows_multiple_answers,
        "allows_revoting": poll.allows_revoting,
        "members_only": False,
        **poll.description,
    }
    if poll.type == "quiz" and not secret:
        result["correct_option_ids"] = poll.correct
        result |= poll.explanation
    if poll.open_period:
        result["open_period"] = poll.open_period
    if poll.close_at:
        result["close_date"] = poll.close_at
    return result


def file_json(file: File) -> Json:
    """Return a PhotoSize or Document, by the file's kind."""
    result: Json = {"file_id": file.id, "file_unique_id": file.unique_id, "file_size": len(file.content)}
    if file.kind == "photo":
        return result | {"width": file.width, "height": file.height}
    return result | {"file_name": file.name, "mime_type": file.mime}


def topic_json(topic: Topic) -> Json:
    """Return a ForumTopic."""
    return {"message_thread_id": topic.id, "name": topic.name, "icon_color": 0x6FB9F0}
