"""An endpoint: a method at a path, with the permission that it needs, its types, and its handler.

The table of all endpoints (``api.table``) serves three purposes: requests are dispatched by it, the OpenAPI document is
made from it, and the tests of access go through it.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from starlette.requests import Request

from api.services import Services
from api.values import FoundGame
from fsm.kind import ChatTopic, Game, Instant, Rejected
from fsm.lobby import MAX_TITLE
from play.access import Actor, Needs
from play.sessions import Session
from storage.api_tokens import ApiToken

HIGHEST_ID: Final = 2**52 - 1
"""Largest id of Telegram."""
ChatId = Annotated[int, Meta(ge=-HIGHEST_ID, le=HIGHEST_ID)]
"""Id of a chat: negative for groups."""
PersonId = Annotated[int, Meta(ge=1, le=HIGHEST_ID)]
"""Id of a person in Telegram."""
Count = Annotated[int, Meta(ge=1, le=100)]
"""Number of items on a page."""
Position = Annotated[int, Meta(ge=0, le=2**53)]
Cursor = Annotated[str, Meta(max_length=512)]
_ONE_LINE: Final = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$"
Title = Annotated[str, Meta(extra_json_schema={"maxLength": MAX_TITLE, "pattern": _ONE_LINE})]
"""Title of a game. Only the schema has the bounds, so that the refusal is that of Telegram's face.

A ``max_length`` of the type would take the place of the schema's ``maxLength``.
"""

WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
GAME_ID: Final = r"[0-9a-z]{14,22}"


class About(Enum):
    """The place in a request that names the chat about which it is, for the decision on access."""

    GAME = "game"
    """The game in the path: its chat."""
    CHAT = "chat"
    """The chat in the path."""
    QUERY = "query"
    """The parameter `chat`; without it, all chats."""
    BODY = "body"
    """The field `chat_id` of the body."""
    EVERYWHERE = "everywhere"
    """No chat: a token that is limited to chats may not."""
    NOTHING = "nothing"
    """No chat, and any token may."""


class NoParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


@dataclass(slots=True, kw_only=True)
class Call:
    """A request that has passed all checks, as its handler gets it.

    Attributes:
        services: the services of the process.
        request: the HTTP request.
        actor: the actor that the token or the session stands for.
        token: the token; None for a session, and for a public endpoint.
        session: the session of a person; None for a token, and for a public endpoint.
        path: the parameters of the path, converted.
        query: the parameters, as the endpoint's struct.
        body: the body: the endpoint's struct, or bytes for a file.
        key: the idempotency key; empty for a read.
        received: time of receipt.
        trace: the trace id.
        game: the game in the path, for endpoints about a game.
    """

    services: Services
    request: Request
    actor: Actor
    token: ApiToken | None
    path: Mapping[str, Any]
    query: Any
    body: Any
    key: str
    received: Instant
    trace: str
    game: FoundGame | None = None
    session: Session | None = None

    @property
    def viewer(self) -> int | None:
        """The player whose own choices the response may show; None for a token."""
        return None if self.session is None else self.actor.id

    @property
    def command_id(self) -> str:
        """The id of the command that a write makes, the same for every repeat. Keys belong to tokens, or to people.

        A person's next session may so repeat a write whose response the page has lost.
        """
        if self.session is not None:
            return f"app:{self.actor.id}:{self.key}"
        assert self.token is not None, "a write has a token"
        return f"api:{self.token.prefix}:{self.key}"

    @property
    def found(self) -> FoundGame:
        """The game in the path."""
        assert self.game is not None, "only for endpoints about a game"
        return self.game


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A response other than a plain 200 with JSON.

    Attributes:
        body: the value to encode as JSON, or bytes.
        status: the status; None for that of the endpoint.
        headers: additional headers.
        stored: the value that a repeat of a write gets instead of ``body``, if that must not be stored.
        changed: False if a write found everything as it should be, so that the audit log gets no row.
    """

    body: Any = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    stored: Any = None
    changed: bool = True


@dataclass(frozen=True, slots=True)
class Stream:
    """A response that is sent while it is made."""

    chunks: AsyncIterator[bytes]
    media_type: str
    filename: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list.

    Attributes:
        items: the items.
        after: the position of the last item, as a tuple of JSON values, if there may be more; else None.
    """

    items: list[Any]
    after: tuple[Any, ...] | None


Handler = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One row of the table.

    Attributes:
        method: the HTTP method.
        path: the path below the root of the API, with `{parameters}`.
        handle: the handler. Its docstring describes the endpoint in the reference.
        tag: the group of the reference.
        needs: the permission.
        about: the place that names the chat of the permission.
        public: True if no token is needed.
        without_flag: True for a write that is accepted while the flag ``api-writes`` is off.
        people: True if the session of a person may call it too; `Access` then decides about the person.
        keyless: True for a write that needs no idempotency key, because a repeat is harmless.
        signed: True if the call is signed in the manner of webhooks, whose id takes the place of an idempotency key.
        query: the struct of the parameters.
        body: the struct of the body; bytes for a file; None for none.
        decoded: the type of the JSON in a body that the handler decodes itself.
        result: the type of the result; for a list that of its items; None for none.
        paged: True if the result is a page of a list.
        status: the status of success.
        headers: the headers of every success beyond those of all responses and an entity tag of a read.
        streamed: True if the result is sent while it is made, so that it has no entity tag.
        if_match: True if the header If-Match makes the write depend on the state that was read.
        forgets: True if the audit log must not name the person that the path names.
        refuses: the refusals that this endpoint may answer with beyond the common ones.
        media_types: the media types of a result other than JSON.
        most: the limit of the body, in bytes.
        example: a body for the reference.
    """

    method: str
    path: str
    handle: Handler
    tag: str
    needs: Needs
    about: About
    public: bool = False
    without_flag: bool = False
    people: bool = False
    keyless: bool = False
    signed: bool = False
    query: type[msgspec.Struct] = NoParameters
    body: Any = None
    decoded: Any = None
    result: Any = None
    paged: bool = False
    status: int = 200
    headers: tuple[str, ...] = ()
    streamed: bool = False
    if_match: bool = False
    forgets: bool = False
    refuses: tuple[type[Rejected], ...] = ()
    media_types: tuple[str, ...] = ()
    most: int = 65_536
    example: Any = None

    @property
    def writes(self) -> bool:
        """True if the endpoint changes something, and so needs an idempotency key."""
        return self.method in WRITES and not self.signed and not self.keyless

    @property
    def is_audited(self) -> bool:
        """True if the audit log gets a row for each call, also for one without an idempotency key."""
        return self.method in WRITES

    def needs_of(self, session: Session | None) -> Needs:
        """Return the permission that a token needs here, or the person of a session.

        A move in one's own name is authorised by its handler, with the game.
        """
        if session is not None and session.is_operator:  # has a token's rights, and `USE` needs a person
            return Needs.NOTHING if self.needs is Needs.USE else self.needs
        if session is None or not (self.needs is Needs.ACT or self.about is About.NOTHING):
            return self.needs
        return Needs.USE

    def allows(self, session: Session) -> bool:
        """Return True if a session may call the endpoint at all. `Access` then decides about its person.

        The dashboard may also call the endpoints of hosts and operators, but makes no moves, neither its person's nor
        another's: these belong to the chat and to the Mini App.
        """
        if not session.dashboard:
            return self.people
        if self.needs in {Needs.ACT, Needs.NOTHING}:
            return False
        return self.people or session.is_operator or self.about is not About.NOTHING

    @property
    def name(self) -> str:
        """The operation's id in the reference."""
        return self.handle.__name__.strip("_")

    @property
    def parameters(self) -> list[str]:
        """The names of the parameters in the path."""
        return re.findall(r"{(\w+)}", self.path)


PATH_TYPES: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "game": Annotated[str, Meta(pattern=f"^{GAME_ID}$")],
        "token": Annotated[str, Meta(pattern="^[a-z0-9]{10}$")],
        "chat": ChatId,
        "page": Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{32}$")],
        "player": PersonId,
        "pack": Annotated[int, Meta(ge=1, le=2**31 - 1)],
        "size": Position,
        "job": Position,
        "endpoint": Annotated[str, Meta(pattern="^[0-9a-z]{1,32}$")],
        "delivery": Position,
        "template": Position,
        "recurring": Position,
        "source": Annotated[str, Meta(pattern="^[0-9a-z]{1,32}$")],
        "flag": Annotated[str, Meta(pattern="^[a-z-]{1,64}$")],
    }
)
"""Name of a parameter in a path -> its type."""


def where_of(endpoint: Endpoint, call: Call) -> Game | ChatTopic | None:
    """Return the game or chat that a request is about; None if it is about neither."""
    match endpoint.about:
        case About.GAME:
            return call.found.state
        case About.CHAT:
            return ChatTopic(call.path["chat"])
        case About.QUERY:
            return None if call.query.chat is None else ChatTopic(call.query.chat)
        case About.BODY:
            return ChatTopic(call.body.chat_id)
        case About.NOTHING if call.actor.token is not None and call.actor.token.chats:
            return ChatTopic(min(call.actor.token.chats))  # the role decides, so any chat of the token will do
        case _:
            return None
