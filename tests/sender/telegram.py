"""Minimal Telegram over HTTP, scripted by tests, and a clock that stands still until it is turned."""

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TOKEN = "4242:very-secret-token"
START = 1_800_000_000_000


@dataclass
class Reply:
    """Answer of the server instead of carrying out a call."""

    status: int
    body: dict[str, Any] | bytes
    chat: int | None = None
    """Chat whose calls it answers; None for any."""


def error(text: str, status: int = 400, chat: int | None = None, **parameters: Any) -> Reply:
    """Return Telegram's envelope of an error."""
    body = {"ok": False, "error_code": status, "description": text, "parameters": parameters}
    return Reply(status, body, chat)


@dataclass
class Call:
    """A call that arrived."""

    method: str
    params: dict[str, Any]
    at: int


@dataclass
class Telegram:
    """Server that stores messages, answers as scripted, and records calls."""

    now: Callable[[], int]
    calls: list[Call] = field(default_factory=list)
    messages: dict[tuple[int, int], str] = field(default_factory=dict)
    script: deque[Reply] = field(default_factory=deque)
    stirred: Callable[[], None] = lambda: None
    gate: Callable[[Call], Awaitable[None]] | None = None
    """Coroutine function that is awaited before a call is carried out."""
    down: Reply | None = None
    """Reply to every call, if not None."""
    base: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        if request.content_type.startswith("multipart/"):
            parts = await request.post()
            params = {
                name: (p.filename, p.file.read()) if isinstance(p, web.FileField) else p for name, p in parts.items()
            }
        else:
            params = await request.json()
        call = Call(request.match_info["method"], params, self.now())
        self.calls.append(call)
        self.stirred()
        if self.gate is not None:
            await self.gate(call)
        reply = self.down or self._scripted(call) or self._carry_out(call)
        if isinstance(reply.body, bytes):
            return web.Response(status=reply.status, body=reply.body)
        return web.json_response(reply.body, status=reply.status)

    def _scripted(self, call: Call) -> Reply | None:
        for reply in self.script:
            if reply.chat in (None, call.params.get("chat_id")):
                self.script.remove(reply)
                return reply
        return None

    def _carry_out(self, call: Call) -> Reply:
        chat, text = call.params.get("chat_id", 0), call.params.get("text", "")
        if call.method == "sendMessage":
            message_id = 1000 + len(self.messages)
            self.messages[chat, message_id] = text
            return Reply(200, {"ok": True, "result": {"message_id": message_id, "chat": {"id": chat}}})
        where = (chat, call.params.get("message_id", 0))
        if call.method == "deleteMessage":
            gone = self.messages.pop(where, None) is None
            return (
                error("Bad Request: message to delete not found") if gone else Reply(200, {"ok": True, "result": True})
            )
        if call.method != "editMessageText":
            return Reply(200, {"ok": True, "result": call.params if call.method == "echo" else True})
        if where not in self.messages:
            return error("Bad Request: message to edit not found")
        if self.messages[where] == text:
            return error("Bad Request: message is not modified: specified new message content is the same")
        self.messages[where] = text
        return Reply(200, {"ok": True, "result": {"message_id": where[1], "chat": {"id": chat}}})

    async def serve(self) -> web.AppRunner:
        """Listen on a free port; `base` is the address."""
        app = web.Application()
        app.router.add_route("*", f"/bot{TOKEN}/{{method}}", self.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.base = site.name
        return runner
