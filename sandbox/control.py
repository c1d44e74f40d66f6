"""Actions of people in the sandbox, as methods: the controls of tests, of the page and of simulated players."""

# ruff: noqa: ASYNC109  a waiting test reads best with the time it has written beside it

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sandbox.entities import tidy
from sandbox.faults import FaultKind
from sandbox.methods.common import may_send
from sandbox.state import Chat, ChatType, Json, Message, Poll, Query, Status, User
from sandbox.world import Violation, World

T = TypeVar("T")
PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")
GENERAL_LANGUAGE = ""


class Refused(Exception):
    """Error for an action that a Telegram client would not allow; the text says why."""


@dataclass(slots=True, frozen=True)
class Answer:
    """Answer to a tap: a toast (`text`), an alert if `show_alert`, or an address to open."""

    text: str
    show_alert: bool
    url: str | None


@dataclass(slots=True)
class Press:
    """A tap that the bot has not yet answered. `await press.answer()` returns the answer."""

    query: Query

    async def answer(self, timeout: float = 10.0) -> Answer:
        """Wait for the bot's answer. Raises TimeoutError after `timeout` seconds without one."""
        async with asyncio.timeout(timeout):  # before Python 3.12, wait_for sometimes swallowed a cancellation
            return Answer(**await asyncio.shield(self.query.answer))


class Control:
    """Controls of all people. Users, chats and messages are the world's own records, and can be read directly."""

    def __init__(self, world: World) -> None:
        self.world = world

    # People and chats

    def add_user(
        self, first_name: str, *, last_name: str = "", username: str = "", language: str = "en", simulated: bool = False
    ) -> User:
        """Create a person without any contact with the bot."""
        return self.world.add_user(
            first_name, last_name=last_name, username=username, language=language, simulated=simulated
        )

    def languages(self) -> list[str]:
        """Return the languages of which the bot has published a description; English is that of all others."""
        return ["en", *sorted(code for code in self.world.profile.descriptions if code)]

    def add_group(
        self,
        title: str,
        creator: User,
        members: list[User] | None = None,
        *,
        kind: ChatType = "group",
        forum: bool = False,
        with_bot: bool = True,
        bot_admin: bool = False,
    ) -> Chat:
        """Create a group (a forum is a supergroup) with its members and, by default, the bot."""
        chat = self.world.add_chat("supergroup" if forum else kind, title, creator, forum=forum)
        for user in members or []:
            self.world.set_member(chat, user, "member", by=creator)
        if with_bot:
            self.world.set_member(chat, self.world.bot, "administrator" if bot_admin else "member", by=creator)
        return chat

    def add_channel(
        self, title: str, username: str, creator: User, members: list[User] | None = None, *, bot_admin: bool = False
    ) -> Chat:
        """Create a public channel with its members; the bot is its administrator or no member at all."""
        chat = self.add_group(title, creator, members, kind="channel", with_bot=bot_admin, bot_admin=bot_admin)
        chat.username = username
        return chat

    def boost(self, chat: Chat, user: User, *, boosts: bool = True) -> None:
        """Let a person boost a chat, or end their boost."""
        if boosts:
            chat.boosts[user.id] = int(self.world.now())
        else:
            chat.boosts.pop(user.id, None)
        self.world.changes.tell("member", chat=chat.id, user=user.id)

    def premium(self, user: User, *, premium: bool = True) -> None:
        """Give a person Telegram Premium, or take it away."""
        user.premium = premium
        self.world.changes.tell("user", user=user.id)

    def add_topic(self, chat: Chat, name: str, by: User) -> int:
        """Create a topic in a forum. Returns its message_thread_id."""
        return self.world.add_topic(chat, name, by).id

    def close_topic(self, chat: Chat, thread_id: int, by: User, *, closed: bool = True) -> None:
        """Close or reopen a topic."""
        self.world.close_topic(chat, chat.topics[thread_id], by, closed=closed)

    def set_status(self, chat: Chat, user: User, status: Status, *, by: User | None = None, **changes: Any) -> None:
        """Promote, demote, restrict or remove a member.

        `changes` sets is_anonymous, rights, until or title of Member.
        """
        self.world.set_member(chat, user, status, by=by, **changes)

    def join(self, chat: Chat, user: User) -> None:
        """Add the person to the group."""
        if not self.world.member(chat, user.id).is_present:
            self.world.set_member(chat, user, "member")

    def leave(self, chat: Chat, user: User) -> None:
        """Remove the person from the group, as by leaving it."""
        self.world.set_member(chat, user, "left")

    def add_bot(self, chat: Chat, by: User, *, admin: bool = False) -> None:
        """Add the bot, or change whether it is an administrator."""
        self.world.set_member(chat, self.world.bot, "administrator" if admin else "member", by=by)

    def remove_bot(self, chat: Chat, by: User) -> None:
        """Remove the bot from the group."""
        self.world.set_member(chat, self.world.bot, "kicked", by=by)

    def mute_bot(self, chat: Chat, by: User) -> None:
        """Take the bot's right to write, but leave it in the group."""
        self.world.set_member(chat, self.world.bot, "restricted", by=by, rights={})

    def migrate(self, chat: Chat, by: User) -> Chat:
        """Turn the group into a supergroup. Returns the new chat."""
        return self.world.migrate(chat, by)

    def delete_group(self, chat: Chat) -> None:
        """Delete the group."""
        chat.deleted = True
        self.world.changes.tell("chat", chat=chat.id)

    def block_bot(self, user: User) -> None:
        """Block the bot as this person."""
        self.world.set_blocked(user, blocked=True)

    def unblock_bot(self, user: User) -> None:
        """Unblock the bot as this person."""
        self.world.set_blocked(user, blocked=False)

    def private(self, user: User) -> Chat:
        """Return the person's chat with the bot."""
        return self.world.private_chat(user)

    # Writing

    def say(
        self,
        user: User,
        chat: Chat,
        text: str,
        *,
        thread_id: int | None = None,
        reply_to: int | None = None,
    ) -> Message:
        """Send a text, in the group's name if the person is an anonymous administrator. Raises Refused."""
        chat = self._writable(user, chat, "text messages")
        clean, entities = tidy(text, [])
        if not clean:
            raise Refused("nothing to send")
        content: Json = {"text": clean} | ({"entities": entities} if entities else {})
        if self._is_ephemeral_command(user, chat, clean):
            message = self.world.post_ephemeral(chat, user.id, content, thread_id=self._thread(chat, thread_id))
        else:
            message = self._post(user, chat, content, thread_id, reply_to)
        self.world.hear(message)
        return message

    def start(self, user: User, payload: str = "") -> Message:
        """Open the private chat with the bot, optionally by a deep link. Raises Refused for a wrong payload."""
        if payload and not PAYLOAD.fullmatch(payload):
            raise Refused("a payload has 1 to 64 letters, digits, _ and -")
        user.started = True
        self.world.set_blocked(user, blocked=False)
        return self.say(user, self.private(user), f"/start {payload}".strip())

    def upload(
        self,
        user: User,
        chat: Chat,
        name: str,
        content: bytes,
        *,
        mime: str = "application/octet-stream",
        caption: str = "",
    ) -> Message:
        """Send a document. Raises Refused."""
        chat = self._writable(user, chat, "documents")
        file = self.world.add_file("document", name, mime, content)
        document = {"file_id": file.id, "file_unique_id": file.unique_id, "file_name": name, "mime_type": mime}
        fields: Json = {"document": document | {"file_size": len(content)}}
        if caption:
            fields["caption"] = caption
        message = self._post(user, chat, fields, None, None)
        self.world.hear(message)
        return message

    def _writable(self, user: User, chat: Chat, what: str) -> Chat:
        if chat.migrated_to is not None:
            chat = self.world.chats[chat.migrated_to]
        if chat.type == "private":
            user.started = True
            return chat
        member = self.world.member(chat, user.id)
        if not member.is_present:
            raise Refused(f"{user.name} is not in {chat.title}")
        if not may_send(chat, member, what):
            raise Refused(f"{user.name} may not send {what} here")
        return chat

    def _thread(self, chat: Chat, thread_id: int | None) -> int | None:
        if thread_id is None or not chat.is_forum:
            return None
        if chat.topics[thread_id].closed:
            raise Refused("the topic is closed")
        return thread_id

    def _post(self, user: User, chat: Chat, content: Json, thread_id: int | None, reply_to: int | None) -> Message:
        return self.world.post(
            chat,
            user.id,
            content,
            anonymous=chat.is_group and self.world.member(chat, user.id).is_anonymous,
            thread_id=self._thread(chat, thread_id),
            reply_to=reply_to if reply_to in chat.messages else None,
        )

    def _is_ephemeral_command(self, user: User, chat: Chat, text: str) -> bool:
        if not chat.is_group or not text.startswith("/"):
            return False
        name = text[1:].split(maxsplit=1)[0].partition("@")[0]
        return any(command["command"] == name and command.get("is_ephemeral") for command in self.commands(user, chat))

    # Buttons and polls

    def press(self, user: User, message: Message, button: str) -> Press:
        """Tap the callback button with this data or this label. Raises Refused if the person can't."""
        found = [b for b in buttons(message) if button in (b.get("callback_data"), b["text"])]
        if not found or "callback_data" not in found[0]:
            raise Refused(f"no callback button {button!r} on this message")
        return self.press_data(user, message, found[0]["callback_data"])

    def press_data(self, user: User, message: Message, data: str) -> Press:
        """Tap with arbitrary data, as an outdated or hostile client can."""
        chat = self.world.chats[message.chat_id]
        if chat.is_group and not self.world.member(chat, user.id).is_present:
            raise Refused(f"{user.name} is not in {chat.title}")
        return Press(self.world.press(user, message, data))

    def vote(self, user: User, message: Message, *options: int) -> None:
        """Vote in the message's poll; no option retracts the vote. Raises Refused."""
        try:
            self.world.vote(user, self._poll(message), list(options))
        except ValueError as problem:
            raise Refused(str(problem)) from None

    def _poll(self, message: Message) -> Poll:
        if message.poll_id is None:
            raise Refused("no poll here")
        return self.world.polls[message.poll_id]

    # Views

    def messages(self, user: User, chat: Chat) -> list[Message]:
        """Return the messages that the person sees in a chat, oldest first, including that person's ephemeral ones."""
        return self.world.seen_by(user, chat)

    def texts(self, user: User, chat: Chat) -> list[str]:
        """Return the texts (or captions) that the person sees, without service messages."""
        contents = (message.content for message in self.messages(user, chat))
        return [text for content in contents if (text := content.get("text") or content.get("caption"))]

    def bot_messages(self, chat: Chat, user: User | None = None) -> list[Message]:
        """Return the bot's messages in a chat, as `user` sees them; for None, those that everybody sees."""
        seen = self.messages(user, chat) if user else list(chat.messages.values())
        return [message for message in seen if message.sender == self.world.bot_id and not message.is_service]

    def commands(self, user: User, chat: Chat) -> list[Json]:
        """Return the person's command menu in this chat, by the narrowest scope and the person's language."""
        member = self.world.member(chat, user.id)
        scopes = [f"chat:{chat.id}", "all_private_chats", "default"]
        if chat.is_group:
            admin = ["chat_administrators:" + str(chat.id), "all_chat_administrators"] if member.is_admin else []
            own = [f"chat_member:{chat.id}:{user.id}"]
            scopes = [*own, *admin[:1], f"chat:{chat.id}", *admin[1:], "all_group_chats", "default"]
        for scope in scopes:
            for language in (user.language_code[:2], GENERAL_LANGUAGE):
                if commands := self.world.profile.commands.get((scope, language)):
                    return commands
        return []

    # Waiting: every change wakes the waiter, nothing is polled

    async def until(self, condition: Callable[[], T | None], timeout: float = 10.0) -> T:
        """Wait for a true `condition()` and return it. Raises TimeoutError."""
        return await self.world.changes.until(condition, timeout)

    async def until_message(
        self, chat: Chat, pattern: str, *, user: User | None = None, after: int = 0, timeout: float = 10.0
    ) -> Message:
        """Wait for the bot's newest message whose text or caption matches a regular expression.

        `after` restricts the search to newer ids.
        """
        return await self.until(lambda: self.find(chat, pattern, user=user, after=after), timeout)

    def find(self, chat: Chat, pattern: str, *, user: User | None = None, after: int = 0) -> Message | None:
        """Return the bot's newest message that matches, or None. Ephemeral ones are found for their `user`."""
        for message in reversed(self.bot_messages(chat, user)):
            text = message.content.get("text") or message.content.get("caption") or ""
            if (message.id > after or message.id == 0) and re.search(pattern, text):
                return message
        return None

    def open_queries(self) -> list[Query]:
        """Return the taps that wait for an answer and can still get one."""
        after = self.world.now() - 15
        return [query for query in self.world.queries.values() if not query.answered and query.date >= after]

    def clock_turned(self) -> None:
        """Announce that the injected clock was moved: polls close, waiting conditions are checked again."""
        self.world.close_due_polls()
        self.world.changes.tell("clock")

    # Faults and records

    def fail(self, kind: FaultKind, times: int = 1, *, method: str = "", seconds: float = 1.0) -> None:
        """Make the next calls (of `method`, or any) fail by 502, 500, 429, hang, garbage, drop or lost."""
        self.world.faults.add(kind, times, method=method, seconds=seconds)

    def duplicate_updates(self, count: int) -> None:
        """Deliver the next `count` updates twice."""
        self.world.updates.duplicates += count

    def reorder_updates(self, count: int) -> None:
        """Deliver the next `count` batches (or queue heads, by webhook) out of order."""
        self.world.updates.reorder += count

    def violations(self) -> list[Violation]:
        """Return the calls that a careful bot would not have made."""
        return list(self.world.violations)

    def statistics(self) -> Json:
        """Return the counts of calls by method and outcome, of taps, limits and violations."""
        calls: dict[str, dict[str, int]] = {}
        for (method, code), count in sorted(self.world.statistics.items()):
            calls.setdefault(method, {})[str(code)] = count
        return {
            "calls": calls,
            "taps": dict(self.world.taps) | {"unanswered": len(self.world.unanswered())},
            "limits": dict(self.world.limits.refused),
            "violations": len(self.world.violations),
            "pending_updates": len(self.world.updates.pending),
            "faults_met": self.world.faults.met,
        }


def buttons(message: Message) -> list[Json]:
    """Return all inline buttons of a message, row by row, without disabled ones."""
    rows = (message.markup or {}).get("inline_keyboard", [])
    return [button for row in rows for button in row if "disabled" not in button]
