"""The Bot API over HTTP: `/bot<token>/<method>` and `/file/bot<token>/<path>`."""

import re
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

import sandbox.methods  # noqa: F401 -- registers the methods
from sandbox.calls import HANDLERS, MODELS, Files, Upload, read_call
from sandbox.errors import ApiError, bad
from sandbox.faults import Fault
from sandbox.methods.files import UPLOAD_BYTES
from sandbox.state import Json
from sandbox.world import World

TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]+")
OVERHEAD_BYTES = 1024 * 1024
SHOWN_CHARACTERS = 1000
LONGEST_HANG = 600.0


class CutOff(Response):
    """Truncated answer, after which the client's connection breaks."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Announce a thousand bytes, send a few, and return."""
        headers = [(b"content-length", b"1000"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"ok":', "more_body": True})


class BotApi:
    """Bot API of one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def execute(self, method: str, raw: Json, files: Files | None = None) -> Any:
        """Check, carry out and record one call. Raises ApiError."""
        shown = {name: _shown(value) for name, value in raw.items()}
        known = MODELS.get(method.lower())
        name = known.__api_method__ if known else method
        try:
            call, strange = read_call(method, raw, files or {})
            for text in strange:
                self.world.record_violation(name, "schema", text, shown)
            handler = HANDLERS.get(type(call))
            if handler is None:
                raise bad(f"the sandbox doesn't play {name}")
            # No call may see a poll open past its time, even if the timer is late.
            self.world.close_due_polls()
            result = await handler(self.world, call, files or {})
        except ApiError as problem:
            self.world.record_call(name, shown, problem)
            raise
        self.world.record_call(name, shown, None)
        return result

    async def endpoint(self, request: Request) -> Response:
        """Serve `/bot<token>/<method>`."""
        token, method = request.path_params["token"], request.path_params["method"]
        if not TOKEN.fullmatch(token):
            return _answer(ApiError(401, "invalid token specified"))
        if token != self.world.token:
            return _answer(ApiError(401))
        fault = self.world.faults.take(method.lower())
        if fault is not None and fault.kind != "lost":
            return await self._fail(fault)
        try:
            raw, files = await read_parameters(request)
            result = await self.execute(method, raw, files)
        except ApiError as problem:
            return _answer(problem)
        # A "lost" fault: the call was carried out, but its answer does not arrive.
        if fault is not None:
            return CutOff()
        return Response(msgspec.json.encode({"ok": True, "result": result}), media_type="application/json")

    async def file(self, request: Request) -> Response:
        """Serve `/file/bot<token>/<path>`."""
        path = request.path_params["path"]
        file = next((file for file in self.world.files.values() if file.path == path), None)
        if request.path_params["token"] != self.world.token or file is None:
            return _answer(ApiError(404))
        return Response(file.content, media_type="application/octet-stream")

    async def _fail(self, fault: Fault) -> Response:
        self.world.statistics[f"fault {fault.kind}", 0] += 1
        if fault.kind == "hang":
            await self.world.changes.closing(min(fault.seconds, LONGEST_HANG))
            return CutOff()
        if fault.kind == "drop":
            return CutOff()
        if fault.kind == "garbage":
            return Response("<html><body>It works!</body></html>", media_type="text/html")
        if fault.kind == "429":
            seconds = max(1, round(fault.seconds))
            return _answer(ApiError(429, f"retry after {seconds}", retry_after=seconds))
        return _answer(ApiError(int(fault.kind)))


def _shown(value: Any) -> Any:
    """Return a parameter for the page and the list of violations, cut to a readable length."""
    if isinstance(value, str) and len(value) > SHOWN_CHARACTERS:
        return value[:SHOWN_CHARACTERS] + "…"
    return value


def _answer(problem: ApiError) -> Response:
    headers = {"Retry-After": str(problem.retry_after)} if problem.retry_after is not None else None
    body = msgspec.json.encode(problem.body())
    return Response(body, status_code=problem.code, headers=headers, media_type="application/json")


async def read_parameters(request: Request) -> tuple[Json, Files]:
    """Read the parameters of the query and of the body: urlencoded, multipart or JSON. Raises ApiError 400 or 413."""
    raw: Json = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > UPLOAD_BYTES + OVERHEAD_BYTES:
        raise ApiError(413)
    if kind == "multipart/form-data":
        return await _read_multipart(request, raw)
    body = await request.body()
    if kind == "application/json" and body:
        try:
            raw |= msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise bad("can't parse JSON object") from None
    elif kind == "application/x-www-form-urlencoded":
        try:
            raw |= parse_qsl(body.decode(), keep_blank_values=True)
        except UnicodeError:
            raise bad("strings must be encoded in UTF-8") from None
    return raw, {}


async def _read_multipart(request: Request, raw: Json) -> tuple[Json, Files]:
    files: Files = {}
    async with request.form(max_part_size=OVERHEAD_BYTES) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                content = await value.read()
                files[name] = Upload(value.filename or name, value.content_type or "application/octet-stream", content)
            else:
                raw[name] = value
    return raw, files


async def not_found(_: Request) -> Response:
    """Answer any other path under `/bot`."""
    return _answer(ApiError(404))
