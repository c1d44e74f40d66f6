"""World of the sandbox: people, chats, their messages, and the resulting updates for the bot.

Bounded: old messages, queries, polls, files and call records are pruned. All times come from the injected clock.
"""

import asyncio
import random
import string
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sandbox.changes import Changes
from sandbox.errors import ApiError
from sandbox.faults import Faults
from sandbox.limits import Limits
from sandbox.render import chat_json, member_json, message_json, poll_json, user_json
from sandbox.state import (
    ADMIN_RIGHTS,
    Chat,
    ChatType,
    File,
    Json,
    Member,
    Message,
    Poll,
    Query,
    Records,
    Status,
    Topic,
    User,
)
from sandbox.updates import Updates

if TYPE_CHECKING:
    from sandbox.webhooks import Delivery  # brings an HTTP client along

KEPT_MESSAGES = 500
KEPT_EPHEMERAL = 500
KEPT_QUERIES = 5000
KEPT_POLLS = 2000
KEPT_FILES = 200
KEPT_CALLS = 500
KEPT_VIOLATIONS = 1000
QUERY_SECONDS = 15.0
BOT_ID = 42
BOT_NAME = "tombola_bot"


@dataclass(slots=True)
class CallRecord:
    """One call of the bot and its outcome. `at` in unix seconds; `code` is 200 or the error's."""

    at: float
    method: str
    params: Json
    code: int
    description: str = ""


@dataclass(slots=True)
class Violation:
    """A call that a careful bot would not have made. `kind`: schema, refused or limit."""

    at: float
    method: str
    kind: str
    description: str
    params: Json = field(default_factory=dict)


@dataclass(slots=True)
class BotProfile:
    """The bot's profile texts by language code ("" is the default), and its commands by (scope, language)."""

    names: dict[str, str] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    short_descriptions: dict[str, str] = field(default_factory=dict)
    commands: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    menu_button: Json = field(default_factory=lambda: {"type": "commands"})
    default_rights: dict[bool, Json] = field(default_factory=dict)


_AHEAD = time.time() - time.monotonic()


def steady() -> float:
    """Return the seconds since the epoch, unaffected by changes of the machine's clock.

    With the machine's clock, limits and expiries would stop for as long as it is set back.
    """
    return _AHEAD + time.monotonic()


class World(Records):
    """All state of one sandbox. Used from one event loop."""

    def __init__(
        self,
        now: Callable[[], float] = steady,
        *,
        rng: random.Random | None = None,
        token: str | None = None,
        username: str = BOT_NAME,
        privacy: bool = True,
    ) -> None:
        self.now = now
        self.app_url = ""
        """Address of the bot's Mini App; empty without one."""
        self.rng = rng or random.Random()  # noqa: S311 -- ids and dice need no secure randomness
        self.token = token or f"{BOT_ID}:sandbox-token-{'0' * 21}"
        self.privacy = privacy
        bot_id = int(self.token.partition(":")[0])
        self.bot = User(bot_id, "Tombola", username=username, is_bot=True)
        super().__init__()
        self.users[bot_id] = self.bot
        self.queries: OrderedDict[str, Query] = OrderedDict()
        self.files: OrderedDict[str, File] = OrderedDict()
        self.profile = BotProfile()
        self.limits = Limits(now)
        self.faults = Faults()
        self.changes = Changes()
        self.updates = Updates(now, self.rng, self.changes.tell)
        self.calls: deque[CallRecord] = deque(maxlen=KEPT_CALLS)
        self.violations: deque[Violation] = deque(maxlen=KEPT_VIOLATIONS)
        self.statistics: Counter[tuple[str, int]] = Counter()
        self.taps: Counter[str] = Counter()
        self.webhook_set_at: float | None = None
        self.delivery: Delivery | None = None
        self._timed_polls: dict[str, Poll] = {}
        self._order = 0
        self._last_user_id = 1000
        self._last_chat_id = 0

    # People and chats

    def add_user(
        self, first_name: str, last_name: str = "", *, username: str = "", language: str = "en", simulated: bool = False
    ) -> User:
        """Create a person."""
        self._last_user_id += 1
        user = User(self._last_user_id, first_name, last_name, username, language, simulated=simulated)
        self.users[user.id] = user
        self.changes.tell("user", user=user.id)
        return user

    def add_chat(self, kind: ChatType, title: str, creator: User, *, forum: bool = False) -> Chat:
        """Create a group, supergroup or channel with its creator in it."""
        self._last_chat_id += 1
        base = 0 if kind == "group" else -1_000_000_000_000
        chat = Chat(base - 100_000 - self._last_chat_id, kind, title, is_forum=forum)
        chat.members[creator.id] = Member(creator.id, "creator")
        self.chats[chat.id] = chat
        self.changes.tell("chat", chat=chat.id)
        return chat

    def private_chat(self, user: User) -> Chat:
        """Return the person's chat with the bot, created on first use."""
        if user.id not in self.chats:
            self.chats[user.id] = Chat(user.id, "private")
        return self.chats[user.id]

    def member(self, chat: Chat, user_id: int) -> Member:
        """Return a user's membership of a group; its status is `left` if there is none."""
        return chat.members.get(user_id) or Member(user_id, "left")

    @property
    def bot_id(self) -> int:
        """Return the bot's user id."""
        return self.bot.id

    def set_member(self, chat: Chat, user: User, status: Status, *, by: User | None = None, **changes: Any) -> Member:
        """Change a user's status in a group and send the bot a service message, my_chat_member or chat_member."""
        old = self.member(chat, user.id)
        new = replace(old, status=status, **changes)
        if status == "administrator" and not new.rights:
            new.rights = {right: right != "can_promote_members" for right in ADMIN_RIGHTS}
        chat.members[user.id] = new
        actor = by or user
        if old.is_present != new.is_present:
            person = user_json(user)
            content = {"new_chat_members": [person]} if new.is_present else {"left_chat_member": person}
            # A removed bot cannot see the message about its removal.
            if chat.type != "channel" and (user is not self.bot or new.is_present):
                self.hear(self.post(chat, actor.id, content))
        self._tell_member(chat, actor, old, new)
        self.changes.tell("member", chat=chat.id, user=user.id)
        return new

    def _tell_member(self, chat: Chat, actor: User, old: Member, new: Member) -> None:
        mine = new.user_id == self.bot_id
        if not mine and not self.member(chat, self.bot_id).is_admin:
            return
        change = {
            "chat": chat_json(self, chat),
            "from": user_json(actor),
            "date": int(self.now()),
            "old_chat_member": member_json(self, old),
            "new_chat_member": member_json(self, new),
        }
        self.updates.add("my_chat_member" if mine else "chat_member", chat.id, change)

    def set_blocked(self, user: User, *, blocked: bool) -> None:
        """Block or unblock the bot as this person."""
        if user.blocked == blocked:
            return
        user.blocked = blocked
        chat = self.private_chat(user)
        statuses: list[Status] = ["member", "kicked"] if blocked else ["kicked", "member"]
        old, new = (Member(self.bot_id, status) for status in statuses)
        change = {
            "chat": chat_json(self, chat),
            "from": user_json(user),
            "date": int(self.now()),
            "old_chat_member": member_json(self, old),
            "new_chat_member": member_json(self, new),
        }
        self.updates.add("my_chat_member", chat.id, change)
        self.changes.tell("user", user=user.id)

    def migrate(self, chat: Chat, by: User) -> Chat:
        """Turn a group into a supergroup with a new id. Both chats get their service messages."""
        new = self.add_chat("supergroup", chat.title, by)
        new.members = {user_id: replace(member) for user_id, member in chat.members.items()}
        new.permissions = dict(chat.permissions)
        # Posted before `migrated_to` is set, because the bot hears nothing from a migrated chat.
        self.hear(self.post(chat, by.id, {"migrate_to_chat_id": new.id}))
        chat.migrated_to = new.id
        self.hear(self.post(new, by.id, {"migrate_from_chat_id": chat.id}))
        self.changes.tell("chat", chat=new.id)
        return new

    def add_topic(self, chat: Chat, name: str, by: User) -> Topic:
        """Create a topic in a forum. Its service message has the topic's id."""
        topic = Topic(chat.last_message_id + 1, name)
        chat.topics[topic.id] = topic
        created = {"forum_topic_created": {"name": name, "icon_color": 0x6FB9F0}}
        self.hear(self.post(chat, by.id, created, thread_id=topic.id))
        return topic

    def close_topic(self, chat: Chat, topic: Topic, by: User, *, closed: bool) -> None:
        """Close or reopen a topic, with the service message."""
        topic.closed = closed
        notice: Json = {"forum_topic_closed" if closed else "forum_topic_reopened": {}}
        self.hear(self.post(chat, by.id, notice, thread_id=topic.id))

    # Messages

    def post(self, chat: Chat, sender: int, content: Json, **fields: Any) -> Message:
        """Add a message to a chat. `fields` are those of Message. Old messages are pruned."""
        self._order += 1
        chat.last_message_id += 1
        message = Message(chat.id, chat.last_message_id, int(self.now()), sender, content, order=self._order, **fields)
        chat.messages[message.id] = message
        if len(chat.messages) > KEPT_MESSAGES:
            del chat.messages[next(iter(chat.messages))]
        self.changes.tell("message", chat=chat.id, message=message.id)
        return message

    def post_ephemeral(self, chat: Chat, sender: int, content: Json, **fields: Any) -> Message:
        """Add a message that only its receiver (or the bot, for a command) and its sender see."""
        self._order += 1
        chat.last_ephemeral_id += 1
        message = Message(
            chat.id,
            0,
            int(self.now()),
            sender,
            content,
            ephemeral_id=chat.last_ephemeral_id,
            order=self._order,
            **fields,
        )
        chat.ephemeral[chat.last_ephemeral_id] = message
        if len(chat.ephemeral) > KEPT_EPHEMERAL:
            del chat.ephemeral[next(iter(chat.ephemeral))]
        self.changes.tell("ephemeral", chat=chat.id, user=fields.get("receiver") or sender)
        return message

    def hear(self, message: Message) -> None:
        """Send the bot a message, if membership and privacy mode let the bot see it."""
        chat = self.chats[message.chat_id]
        if chat.is_group and not self._may_hear(chat, message):
            return
        self.updates.add("message", chat.id, message_json(self, message))

    def _may_hear(self, chat: Chat, message: Message) -> bool:
        member = self.member(chat, self.bot_id)
        if not member.is_present or chat.migrated_to:
            return False
        if not self.privacy or member.is_admin or message.is_service or message.ephemeral_id is not None:
            return True
        original = chat.messages.get(message.reply_to or 0)
        if original and original.sender == self.bot_id:
            return True
        # In privacy mode the bot sees only commands, replies to its messages and service messages.
        text = message.content.get("text") or message.content.get("caption") or ""
        command, _, addressee = text.split()[0].partition("@") if text.startswith("/") else ("", "", "")
        return bool(command) and addressee.lower() in ("", self.bot.username.lower())

    def edited(self, message: Message) -> None:
        """Mark a message as edited by the bot."""
        message.edit_date = int(self.now())
        self.changes.tell("edit", chat=message.chat_id, message=message.id)

    def remove(self, message: Message) -> None:
        """Delete a message for everyone."""
        chat = self.chats[message.chat_id]
        if message.ephemeral_id is not None:
            chat.ephemeral.pop(message.ephemeral_id, None)
        else:
            chat.messages.pop(message.id, None)
            chat.pinned = [pinned for pinned in chat.pinned if pinned != message.id]
        self.changes.tell("delete", chat=chat.id, message=message.id)

    def seen_by(self, user: User, chat: Chat) -> list[Message]:
        """Return the chat's messages as one person sees them, oldest first, including that person's ephemeral ones."""
        own = [m for m in chat.ephemeral.values() if user.id in (m.receiver, m.sender)]
        replaced = {m.replaces: m for m in own if m.replaces in chat.messages}
        shown = [(m.order, replaced.get(m.id, m)) for m in chat.messages.values()]
        shown += [(m.order, m) for m in own if m.replaces not in replaced]
        return [message for _, message in sorted(shown, key=lambda pair: pair[0])]

    # Queries

    def press(self, user: User, message: Message, data: str) -> Query:
        """Press a callback button: the bot gets a callback_query."""
        query = Query(
            id="".join(self.rng.choices(string.digits, k=18)),
            user_id=user.id,
            chat_id=message.chat_id,
            message=message,
            data=data,
            date=self.now(),
            answer=asyncio.get_running_loop().create_future(),
        )
        self.queries[query.id] = query
        if len(self.queries) > KEPT_QUERIES:
            _, oldest = self.queries.popitem(last=False)
            oldest.answer.cancel()
        self.taps["pressed"] += 1
        update = {
            "id": query.id,
            "from": user_json(user),
            "message": message_json(self, message),
            "chat_instance": str(abs(message.chat_id) * 7919),
            "data": data,
        }
        self.updates.add("callback_query", message.chat_id, update)
        self.changes.tell("press", chat=message.chat_id, user=user.id)
        return query

    def unanswered(self) -> list[Query]:
        """Return the taps that got no answer in time."""
        before = self.now() - QUERY_SECONDS
        return [query for query in self.queries.values() if not query.answered and query.date < before]

    # Polls

    def add_poll(self, poll: Poll) -> None:
        """Store a poll. If there are too many, the oldest is dropped, provided that it is closed."""
        self.polls[poll.id] = poll
        if poll.close_at is not None and not poll.is_closed:
            self._timed_polls[poll.id] = poll
        if len(self.polls) > KEPT_POLLS and (oldest := next(iter(self.polls.values()))).is_closed:
            del self.polls[oldest.id]
            if (message := self.chats[oldest.chat_id].messages.get(oldest.message_id)) is not None:
                message.poll_id = None

    def forget_poll(self, poll: Poll) -> None:
        """Remove a poll that was never sent."""
        self.polls.pop(poll.id, None)
        self._timed_polls.pop(poll.id, None)

    def vote(self, user: User, poll: Poll, options: list[int]) -> None:
        """Vote in a poll; an empty list retracts. Raises ValueError if the poll doesn't allow it."""
        # A vote must not be accepted just because the timer is late.
        self.close_due_polls()
        if poll.is_closed:
            raise ValueError("the poll is closed")
        if user.id in poll.votes and not poll.allows_revoting:
            raise ValueError("the vote is final")
        if any(not 0 <= index < len(poll.options) for index in options):
            raise ValueError("no such option")
        if len(options) > 1 and not poll.allows_multiple_answers:
            raise ValueError("one option only")
        poll.votes[user.id] = sorted(set(options))
        if not poll.is_anonymous:
            answer = {
                "poll_id": poll.id,
                "user": user_json(user),
                "option_ids": poll.votes[user.id],
                "option_persistent_ids": [poll.options[index]["persistent_id"] for index in poll.votes[user.id]],
            }
            self.updates.add("poll_answer", user.id, answer)
        self.updates.add("poll", poll.chat_id, poll_json(poll))
        self.changes.tell("poll", chat=poll.chat_id)

    def close_poll(self, poll: Poll) -> None:
        """Close a poll and send the bot its final state."""
        poll.is_closed = True
        self._timed_polls.pop(poll.id, None)
        self.updates.add("poll", poll.chat_id, poll_json(poll))
        self.changes.tell("poll", chat=poll.chat_id)

    def close_due_polls(self) -> None:
        """Close the polls whose time is up."""
        now = self.now()
        for poll in [poll for poll in self._timed_polls.values() if (poll.close_at or 0) <= now]:
            self.close_poll(poll)

    def next_deadline(self) -> float | None:
        """Return the time of the world's next spontaneous change, in unix seconds, or None."""
        return min((poll.close_at or 0 for poll in self._timed_polls.values()), default=None)

    # Files

    def add_file(self, kind: str, name: str, mime: str, content: bytes, size: tuple[int, int] = (0, 0)) -> File:
        """Store a file. If there are too many, the oldest is dropped."""
        number = "".join(self.rng.choices(string.ascii_letters, k=12))
        file = File(f"SB{kind[0]}AAg{number}", f"AQ{number}", kind, name, mime, content, *size)
        self.files[file.id] = file
        if len(self.files) > KEPT_FILES:
            self.files.popitem(last=False)
        return file

    # Records of calls

    def record_call(self, method: str, params: Json, error: ApiError | None) -> None:
        """Record a call's outcome; a wrong call is also a violation."""
        code, description = (error.code, error.description) if error else (200, "")
        self.statistics[method, code] += 1
        # Successful polls would push all other calls out of the bounded record.
        if error or method != "getUpdates":
            self.calls.append(CallRecord(self.now(), method, params, code, description))
        if error and error.wrong:
            self.record_violation(method, "limit" if code == 429 else "refused", description, params)
        self.changes.tell("call", method=method, code=code)

    def record_violation(self, method: str, kind: str, description: str, params: Json) -> None:
        """Record a call that a careful bot would not have made."""
        self.violations.append(Violation(self.now(), method, kind, description, params))
        self.changes.tell("violation", method=method, description=description)

    def close(self) -> None:
        """Wake everybody who waits."""
        self.updates.release()
        self.changes.close()
        for query in self.queries.values():
            query.answer.cancel()
