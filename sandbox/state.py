"""Records of the sandbox: people, chats, messages, queries, polls and files."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import asyncio

Json = dict[str, Any]
Status = Literal["creator", "administrator", "member", "restricted", "left", "kicked"]
ChatType = Literal["private", "group", "supergroup", "channel"]

ADMIN_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_pin_messages",
    "can_manage_topics",
    "can_manage_tags",
    "can_send_welcome_messages",
)
MEMBER_RIGHTS = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_react_to_messages",
    "can_edit_tag",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
)
ALLOWED_TO_ALL = {right: not right.startswith(("can_change", "can_pin", "can_manage")) for right in MEMBER_RIGHTS}


@dataclass(slots=True)
class User:
    """A person or the bot.

    `started`: has opened a private chat with the bot; `blocked`: has blocked it; `premium`: has Telegram Premium.
    """

    id: int
    first_name: str
    last_name: str = ""
    username: str = ""
    language_code: str = "en"
    is_bot: bool = False
    started: bool = False
    blocked: bool = False
    deactivated: bool = False
    simulated: bool = False
    premium: bool = False

    @property
    def name(self) -> str:
        """Return first and last name, as a chat shows them."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(slots=True)
class Member:
    """A user's membership of a group.

    `rights`: an administrator's rights, or the permissions of a restricted member.
    """

    user_id: int
    status: Status = "member"
    is_anonymous: bool = False
    rights: dict[str, bool] = field(default_factory=dict)
    until: int = 0
    title: str = ""

    @property
    def is_admin(self) -> bool:
        """Return whether this user is the creator or an administrator."""
        return self.status in ("creator", "administrator")

    @property
    def is_present(self) -> bool:
        """Return whether this user is in the chat now."""
        return self.status not in ("left", "kicked")

    def may(self, right: str) -> bool:
        """Return whether an administrator has `right`; the creator has all."""
        return self.status == "creator" or (self.status == "administrator" and self.rights.get(right, False))


@dataclass(slots=True)
class Topic:
    """A topic of a forum; `id` is its message_thread_id."""

    id: int
    name: str
    closed: bool = False


@dataclass(slots=True)
class Chat:
    """A private chat (its id is the person's), a group, a supergroup or a channel.

    `boosts`: the times at which people began to boost it, by user id.
    """

    id: int
    type: ChatType
    title: str = ""
    username: str = ""
    is_forum: bool = False
    members: dict[int, Member] = field(default_factory=dict)
    permissions: dict[str, bool] = field(default_factory=lambda: dict(ALLOWED_TO_ALL))
    messages: "dict[int, Message]" = field(default_factory=dict)
    ephemeral: "dict[int, Message]" = field(default_factory=dict)
    topics: dict[int, Topic] = field(default_factory=dict)
    pinned: list[int] = field(default_factory=list)
    boosts: dict[int, int] = field(default_factory=dict)
    last_message_id: int = 0
    last_ephemeral_id: int = 0
    migrated_to: int | None = None
    deleted: bool = False
    typing_until: float = 0.0

    @property
    def is_group(self) -> bool:
        """Return whether this has members: a group, a supergroup or a channel."""
        return self.type != "private"


@dataclass(slots=True)
class Message:
    """One message. `content` holds the Bot API fields of its kind (text, entities, photo, poll, service fields).

    An ephemeral message has `id` 0, its own `ephemeral_id`, a `receiver`, and optionally the id of the message that it
    `replaces` in the receiver's view. `order` increases with every message of the world. Times are unix seconds.
    """

    chat_id: int
    id: int
    date: int
    sender: int
    content: Json
    anonymous: bool = False
    thread_id: int | None = None
    reply_to: int | None = None
    markup: Json | None = None
    edit_date: int | None = None
    poll_id: str | None = None
    ephemeral_id: int | None = None
    receiver: int | None = None
    replaces: int | None = None
    order: int = 0
    reactions: dict[int, list[Json]] = field(default_factory=dict)

    @property
    def is_service(self) -> bool:
        """Return whether Telegram wrote it: somebody joined, left, was pinned and so on."""
        return not any(kind in self.content for kind in ("text", "photo", "document", "poll", "dice"))


@dataclass(slots=True)
class Query:
    """A tap that waits for its answer. `answer` gets the parameters of answerCallbackQuery."""

    id: str
    user_id: int
    chat_id: int
    message: Message
    data: str
    date: float
    answer: "asyncio.Future[Json]"
    answered: bool = False


@dataclass(slots=True)
class Poll:
    """A native poll. `votes` maps users to option indexes; `close_at` is in unix seconds."""

    id: str
    chat_id: int
    message_id: int
    question: Json
    options: list[Json]
    type: str
    is_anonymous: bool
    allows_multiple_answers: bool
    allows_revoting: bool
    hide_results: bool
    correct: list[int]
    explanation: Json
    description: Json = field(default_factory=dict)
    shuffled: bool = False
    """True if each person sees the options in an order of their own; votes have the indexes of the original order."""
    open_period: int | None = None
    close_at: int | None = None
    is_closed: bool = False
    votes: dict[int, list[int]] = field(default_factory=dict)


@dataclass(slots=True)
class File:
    """An uploaded file. `kind` is how it was sent: photo or document."""

    id: str
    unique_id: str
    kind: str
    name: str
    mime: str
    content: bytes
    width: int = 0
    height: int = 0

    @property
    def path(self) -> str:
        """Return the `file_path` of getFile."""
        return f"{self.kind}s/{self.unique_id}/{self.name}"


class Records:
    """The records that others refer to by their ids.

    Attributes:
        users: the bot among them.
        chats: groups, and private chats by the id of their person.
        polls: in the order of their sending.
    """

    def __init__(self) -> None:
        self.users: dict[int, User] = {}
        self.chats: dict[int, Chat] = {}
        self.polls: OrderedDict[str, Poll] = OrderedDict()
