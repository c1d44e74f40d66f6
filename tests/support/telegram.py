"""The Telegram of the tests: the sandbox's Bot API over HTTP, in the test's own event loop, on the test's clock.

It records calls, and refuses, delays or loses those that a test chooses. Chats, people and taps that a call names come
into being with the call: everybody is a member of every group, unless a test has removed them.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from sandbox.bot_api import BotApi
from sandbox.calls import MODELS, Files, field_kinds
from sandbox.control import Control
from sandbox.errors import ApiError
from sandbox.render import message_json
from sandbox.state import Chat, ChatType, Json, Member, Message, Query, Status, Topic, User
from sandbox.world import BOT_NAME, World
from tests.support.clock import TurnedClock

TOKEN = "4242:very-secret-token"
ANONYMOUS = 1087968824
"""Id of the user in whose name anonymous administrators write."""


class Refusal(ApiError):
    """Error answer in a test's words to a call of `method` that names `chat`; None stands for any."""

    def __init__(
        self,
        text: str,
        code: int = 400,
        *,
        method: str | None = None,
        chat: int | None = None,
        retry_after: int | None = None,
        migrate_to: int | None = None,
    ) -> None:
        super().__init__(code, wrong=False, retry_after=retry_after, migrate_to=migrate_to)
        self.description = text
        self.method = method
        self.chat = chat

    def concerns(self, call: "Call") -> bool:
        """Return whether it answers a call."""
        return self.method in (None, call.method) and self.chat in (None, call.params.get("chat_id"))


class Garbage(Exception):
    """Answer to any call that is not in the format of the Bot API."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self.body = body

    def concerns(self, _: "Call") -> bool:
        """Return True."""
        return True


@dataclass(frozen=True, slots=True)
class Call:
    """A received call. The parameters have their types, also if the call was encoded as a form."""

    method: str
    params: Json
    files: Files
    at: int


@dataclass(eq=False)
class Telegram(BotApi):
    """A Telegram that serves the Bot API over HTTP.

    Attributes:
        clock: the time of the chats, of limits and of calls.
        world: the state of the sandbox. Its limits are off.
        control: the people.
        calls: all calls, also those that were refused.
        script: refusals, each for the next call that it concerns.
        down: the answer to every call that it concerns, if not None.
        gate: awaited before a call is carried out.
        stirred: called at each call.
        base: the address.
    """

    clock: TurnedClock
    token: str = TOKEN
    username: str = BOT_NAME
    calls: list[Call] = field(default_factory=list)
    script: deque[Refusal | Garbage] = field(default_factory=deque)
    down: Refusal | Garbage | None = None
    gate: Callable[[Call], Awaitable[None]] | None = None
    stirred: Callable[[], None] = lambda: None
    base: str = ""

    def __post_init__(self) -> None:
        """Create a world without people."""
        super().__init__(World(self.clock.seconds, token=self.token, username=self.username))
        self.world.limits.enabled = False
        self.control = Control(self.world)

    # -- calls --------------------------------------------------------------------------------------------------

    async def endpoint(self, request: Request) -> Response:
        """Serve a call."""
        try:
            return await super().endpoint(request)
        except Garbage as garbage:
            return Response(garbage.body)

    async def execute(self, method: str, raw: Json, files: Files | None = None) -> Any:
        """Record a call, and refuse it or carry it out."""
        call = Call(method, _typed(method, raw), files or {}, self.clock.now())
        self.calls.append(call)
        self.world.changes.tell("call")
        self.stirred()
        if self.gate is not None:
            await self.gate(call)
        scripted = next((refusal for refusal in self.script if refusal.concerns(call)), None)
        if scripted is not None:
            self.script.remove(scripted)
            raise scripted
        if self.down is not None and self.down.concerns(call):
            raise self.down
        self._create_named(call.params)
        return await super().execute(method, raw, files)

    def named(self, *methods: str) -> list[Json]:
        """Return the parameters of the calls of these methods."""
        return [call.params for call in self.calls if call.method in methods]

    @property
    def writes(self) -> list[str]:
        """Methods of the calls that send, change or delete messages."""
        return [call.method for call in self.calls if call.method.startswith(("send", "edit", "delete"))]

    @property
    def uploads(self) -> list[tuple[str, bytes]]:
        """Name and content of the files that the bot has sent."""
        return [(file.name, file.content) for call in self.calls for file in call.files.values()]

    def _create_named(self, params: Json) -> None:
        """Create the chat, the topic, the person and the tap that a call names, unless they exist."""
        chat_id = params.get("chat_id")
        if isinstance(chat_id, int):
            chat = self.chat(chat_id)
            thread_id = params.get("message_thread_id")
            if thread_id is not None:
                chat.topics.setdefault(thread_id, Topic(thread_id, f"Topic {thread_id}"))
            if chat.is_group and "user_id" in params:
                self.person(params["user_id"])
                chat.members.setdefault(params["user_id"], Member(params["user_id"]))
        query_id = params.get("callback_query_id")
        if query_id is not None and query_id not in self.world.queries:
            answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
            message = Message(0, 0, 0, self.world.bot_id, {})
            self.world.queries[query_id] = Query(query_id, 0, 0, message, "", self.world.now(), answer)

    # -- people, chats and messages -----------------------------------------------------------------------------

    def person(self, user_id: int, name: str = "") -> User:
        """Return the person with an id. They have started the bot."""
        if user_id not in self.world.users:
            self.world.users[user_id] = User(user_id, name or f"U{user_id}", username=f"user{user_id}", started=True)
        return self.world.users[user_id]

    def chat(self, chat_id: int, title: str = "Friends <3", kind: ChatType = "supergroup", **fields: Any) -> Chat:
        """Return the chat with an id: a person's, or a group that the bot is in."""
        if chat_id > 0:
            return self.world.private_chat(self.person(chat_id))
        if chat_id not in self.world.chats:
            members = {self.world.bot_id: Member(self.world.bot_id)}
            self.world.chats[chat_id] = Chat(chat_id, kind, title, members=members, **fields)
        return self.world.chats[chat_id]

    def appoint(self, chat_id: int, *user_ids: int) -> None:
        """Make these people the administrators of a group, and nobody else. The bot is not told."""
        members = self.chat(chat_id).members
        for member in [each for each in members.values() if each.is_admin]:
            member.status = "member"
        for user_id in user_ids:
            members[self.person(user_id).id] = Member(user_id, "administrator")

    def remove(self, chat_id: int, user_id: int, status: Status = "left") -> None:
        """Take a person out of a group. The bot is not told."""
        self.chat(chat_id).members[self.person(user_id).id] = Member(user_id, status)

    def messages(self) -> dict[tuple[int, int], str]:
        """Return chat and id -> text of all messages of the bot."""
        return {(message.chat_id, message.id): message.content.get("text", "") for message in self._sent()}

    def windows(self) -> list[Json]:
        """Return the bot's messages as an update would contain them, oldest first."""
        return [message_json(self.world, message) for message in self._sent()]

    def clear_messages(self) -> None:
        """Forget all messages, as if nobody had written yet."""
        for chat in self.world.chats.values():
            chat.messages.clear()

    def _sent(self) -> list[Message]:
        everywhere = [message for chat in self.world.chats.values() for message in chat.messages.values()]
        return sorted((each for each in everywhere if each.sender == self.world.bot_id), key=lambda each: each.order)


def _typed(method: str, raw: Json) -> Json:
    """Return the parameters of a call with their types. A form has all of them as text."""
    model = MODELS.get(method.lower())
    kinds = field_kinds(model) if model is not None else {}
    return {name: _decoded(value, kinds.get(name, set())) for name, value in raw.items()}


def _decoded(value: Any, kinds: set[str]) -> Any:
    if not isinstance(value, str):
        return value
    if ("json" in kinds and value[:1] in "{[") or (kinds == {"other"} and value in ("true", "false")):
        return msgspec.json.decode(value)
    return int(value) if "int" in kinds and value.removeprefix("-").isdecimal() else value


@contextlib.asynccontextmanager
async def serving(telegram: Telegram) -> AsyncIterator[Telegram]:
    """Serve a Telegram on a free port during the block; `base` is the address."""
    endpoint = Route("/bot{token}/{method}", telegram.endpoint, methods=["GET", "POST"])
    app = Router([endpoint, Route("/file/bot{token}/{path:path}", telegram.file)])
    try:
        async with listening(app) as telegram.base:
            yield telegram
    finally:
        telegram.world.close()


@contextlib.asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an application on a free port during the block. Yields its address."""
    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, timeout_keep_alive=600)
    config.load()
    # Uvicorn's protocol without its server: the server looks at its flags ten times a second, and so ends late.
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: HttpToolsProtocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        for task in list(state.tasks):
            task.cancel()
        if state.tasks:
            await asyncio.wait(state.tasks)
