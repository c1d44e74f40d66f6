"""Dispatch of a request: token, rate, parameters, permission, idempotency, handler, response."""

import asyncio
import hashlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from loguru import logger
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from api import problems
from api.addresses import client_address, rate_group
from api.cookies import secret_in_cookie
from api.cursors import Cursors
from api.endpoint import PATH_TYPES, About, Call, Endpoint, Page, Reply, Stream, where_of
from api.problems import (
    Away,
    BadRequest,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    RequestInProgress,
    RequestTimeout,
    TokensOnly,
    TooLarge,
    TooManyRequests,
    UnsupportedMediaType,
)
from api.services import Services
from api.values import FoundGame
from fsm.kind import Game, Rejected, UnknownGame
from play.access import Actor, Elsewhere, NeedsAPerson, NotAHost, NotAMember, NotAnOperator
from play.flags import API_WRITES, FlagOff
from play.sessions import MARK, Session
from play.tokens import PREFIX_LETTERS, NotAuthenticated, actor_of
from storage.api_requests import KeyReused, StoredResponse, fingerprint
from storage.api_requests import RequestInProgress as InProgress
from storage.api_tokens import ApiToken
from storage.audit import API, AuditEntry

JSON: Final = "application/json"
KEY_HEADER: Final = "idempotency-key"
LONGEST_KEY: Final = 128
NUL_REFUSED: Final = "Unexpected NUL"
WEIGHT: Final = re.compile(r"q=([01](?:\.[0-9]{0,3})?)", re.IGNORECASE)
FORMS: Final[Mapping[type[msgspec.inspect.Type], str]] = MappingProxyType(
    {
        msgspec.inspect.IntType: r"-?\d+$",
        msgspec.inspect.BoolType: r"true$|false$",
        msgspec.inspect.DateTimeType: r"\d{4}-\d\d-\d\dT",
        msgspec.inspect.LiteralType: r"(?!(?i:null)$)",
    }
)
"""Type of a parameter that is no plain text -> the beginning of its texts."""
STRANGERS_A_SECOND: Final = 5.0
STRANGERS_BURST: Final = 50
"""Rate of the requests of one address that have no valid token."""
PEOPLE_A_SECOND: Final = 10.0
PEOPLE_BURST: Final = 60
"""Rate of the requests of one person's sessions."""
TRACE: Final = "trace"
"""Key of the trace id in the state of a request's scope."""
READS: Final = frozenset({"GET", "HEAD"})
COMMAND: Final = "command"
"""Key of the id of a write's command there, from which `bot.observe.tracing` computes the trace of its effects."""
NOBODY: Final = Actor(0)
"""The actor of a request without a token. It may do nothing that needs a permission."""

ACCESS_REFUSED: Final = (NotAuthenticated, Elsewhere, NotAHost, NotAnOperator, NeedsAPerson, NotAMember, TokensOnly)
"""Refusals that are recorded for reads too."""

encode = msgspec.json.Encoder(enc_hook=str).encode
"""Return a value as JSON."""


@dataclass(slots=True)
class Load:
    """The load of a process.

    Attributes:
        reads: the reads that it is answering.
    """

    reads: int = 0


class Resource:
    """One path of the API with its methods, as an ASGI application.

    Args:
        services: the services of the process.
        endpoints: the endpoints at the path.
        load: the load of the process, which all resources share.
    """

    def __init__(self, services: Services, endpoints: Sequence[Endpoint], load: "Load") -> None:
        self._services = services
        self._load = load
        self._endpoints = {endpoint.method: endpoint for endpoint in endpoints}
        if "GET" in self._endpoints:
            self._endpoints["HEAD"] = self._endpoints["GET"]
        self.has_plain_read = any(endpoint.method == "GET" and not endpoint.media_types for endpoint in endpoints)
        """True if GET is answered with one body, instead of a stream."""
        self._allow = ", ".join(sorted({*self._endpoints, "OPTIONS"}))
        self._bodies = {
            each.method: msgspec.json.Decoder(each.body) for each in endpoints if each.body not in {None, bytes}
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        trace: str = scope["state"][TRACE]
        began = time.monotonic()
        response: Response
        if request.method == "OPTIONS":
            response = Response(status_code=204, headers={"allow": self._allow})
        else:
            try:
                async with asyncio.timeout(self._services.limits.seconds):
                    if request.method in READS:
                        response = await self._read_within(request, trace)
                    else:
                        response = await self._respond(request, trace)
            except ClientDisconnect:
                return
            except Exception as error:  # noqa: BLE001 -- every error has a response; a bug is logged there
                response = failure(error, self._services, request, trace)
                if isinstance(error, MethodNotAllowed):
                    response.headers["allow"] = self._allow
                else:
                    await self._record_refusal(request, error, trace)
        endpoint = self._endpoints.get(request.method)
        self._services.observe(
            "" if endpoint is None else endpoint.name, response.status_code, time.monotonic() - began
        )
        await response(scope, receive, send)

    async def _read_within(self, request: Request, trace: str) -> Response:
        """Answer a read, unless the process is answering too many."""
        load = self._load
        if load.reads >= self._services.limits.reads:
            raise Away
        load.reads += 1
        try:
            return await self._respond(request, trace)
        finally:
            load.reads -= 1

    async def _respond(self, request: Request, trace: str) -> Response:
        endpoint = self._endpoints.get(request.method)
        if endpoint is None:
            raise MethodNotAllowed
        session = None if endpoint.public else await session_of(self._services, request)
        if session is None:
            token, actor = await caller(self._services, request, public=endpoint.public)
        else:
            token, actor = None, session.actor
            if not endpoint.allows(session):
                raise TokensOnly
        call = await self._read(request, endpoint, token, actor, trace)
        call.session = session
        if not endpoint.public:
            await self._services.play.access.authorise(actor, where_of(endpoint, call), endpoint.needs_of(session))
        if endpoint.writes:
            flags = self._services.play.flags
            if not endpoint.without_flag and not flags.is_on(API_WRITES, _chat_of(endpoint, call) or 0):
                raise FlagOff(API_WRITES)
            request.scope["state"][COMMAND] = call.command_id
            return await self._write(endpoint, call)
        result = await endpoint.handle(call)
        if endpoint.is_audited:
            await self._record(endpoint, call, "done")
        return await self._made(endpoint, call, result)

    async def _record_refusal(self, request: Request, error: Exception, trace: str) -> None:
        """Record a write that was refused before its handler was called; a read is recorded if access was refused."""
        endpoint = self._endpoints[request.method]
        if not (endpoint.is_audited or isinstance(error, ACCESS_REFUSED)):
            return
        self._services.stores.audit.note(refused(endpoint.name, self._services, request, error, trace))

    async def _record(self, endpoint: Endpoint, call: Call, outcome: str) -> None:
        """Record a write whose handler was called."""
        path = call.path
        await self._services.stores.audit.record(
            AuditEntry(
                at=call.received,
                face=API,
                action=endpoint.name,
                outcome=outcome,
                actor_id=call.actor.id,
                token="" if call.token is None else call.token.prefix,
                chat_id=_chat_of(endpoint, call),
                target=""
                if endpoint.forgets
                else str(
                    path.get("game")
                    or path.get("player")
                    or path.get("pack")
                    or path.get("token")
                    or path.get("source")
                    or path.get("flag")
                    or path.get("recurring")
                    or path.get("template")
                    or ""
                ),
                origin=_origin(self._services, call.request, call.trace),
            )
        )

    # -- the request --------------------------------------------------------------------------------------------

    async def _read(
        self, request: Request, endpoint: Endpoint, token: ApiToken | None, actor: Actor, trace: str
    ) -> Call:
        """Read and check all parts of a request. Raises the refusals of ``api.problems`` and ``UnknownGame``."""
        path = {name: converted(text, PATH_TYPES[name], name) for name, text in request.path_params.items()}
        call = Call(
            services=self._services,
            request=request,
            actor=actor,
            token=token,
            path=path,
            query=_query(request, endpoint),
            body=await self._body(request, endpoint),
            key=_key(request) if endpoint.writes else "",
            received=self._services.play.clock.now(),
            trace=trace,
        )
        if endpoint.about is About.GAME:
            call.game = await found_game(self._services, path["game"])
        return call

    async def _body(self, request: Request, endpoint: Endpoint) -> Any:
        if endpoint.body is not None:
            check_encoding(request)
        raw = await raw_body(request, endpoint.most, self._services.limits.body_seconds)
        if endpoint.body is None:
            return None
        if endpoint.body is bytes:
            return raw
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != JSON:
            raise UnsupportedMediaType
        try:
            return self._decoded(endpoint, raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise BadRequest from None

    def _decoded(self, endpoint: Endpoint, raw: bytes) -> Any:
        if rb"\u0000" in raw and has_nul(msgspec.json.decode(raw)):
            raise InvalidRequest(NUL_REFUSED)
        try:
            return self._bodies[endpoint.method].decode(raw)
        except msgspec.ValidationError as error:
            # It is raised at the first wrong value. The rest of the body may still be no JSON.
            return _with_whole_numbers(raw, endpoint.body, str(error))

    # -- writes -------------------------------------------------------------------------------------------------

    async def _write(self, endpoint: Endpoint, call: Call) -> Response:
        """Make a write once: a repeat with the same key gets the first response."""
        request, store = call.request, self._services.requests
        body = call.body if isinstance(call.body, bytes) else encode(call.body)
        address = f"{request.method} {request.url.path}?{request.url.query}"
        try:
            attempt = await store.begin(call.command_id, fingerprint(address.encode(), body))
        except KeyReused:
            raise IdempotencyKeyReused from None
        except InProgress:
            raise RequestInProgress from None
        if attempt.response is not None:
            known = attempt.response
            return Response(known.body, known.status, {**known.headers, "idempotency-replayed": "true"})
        response, stored = None, None
        try:
            response, stored = await self._attempt(endpoint, call)
        finally:
            await store.end(attempt, stored)
        return response

    async def _attempt(self, endpoint: Endpoint, call: Call) -> tuple[Response, StoredResponse | None]:
        """Return the response of a write, and the one that a repeat gets; None to let a repeat try again."""
        try:
            result = await endpoint.handle(call)
        except Exception as error:  # noqa: BLE001 -- see `failure`
            await self._record(endpoint, call, problems.refusal_of(error, call.trace).code)
            response = failure(error, self._services, call.request, call.trace)
            final = response.status_code < 500 and response.status_code != HTTPStatus.TOO_MANY_REQUESTS
            return response, _stored(response) if final else None
        if not isinstance(result, Reply) or result.changed:
            await self._record(endpoint, call, "done")
        response = await self._made(endpoint, call, result)
        if isinstance(result, Reply) and result.stored is not None:
            kept = Reply(body=result.stored, status=result.status, headers=result.headers)
            again = await self._made(endpoint, call, kept)
            return response, _stored(again)
        return response, _stored(response)

    # -- the response -------------------------------------------------------------------------------------------

    async def _made(self, endpoint: Endpoint, call: Call, result: Any) -> Response:
        """Return the response with a result."""
        reply = result if isinstance(result, Reply) else Reply(body=result)
        status, body = reply.status or endpoint.status, reply.body
        headers = dict(reply.headers)
        if isinstance(body, Stream):
            headers["content-disposition"] = f'attachment; filename="{body.filename}"'
            return StreamingResponse(body.chunks, status, headers, body.media_type)
        if isinstance(body, Page):
            body = await self._page(call, body, headers)
        if body is None:
            return Response(status_code=status, headers=headers)
        content = body if isinstance(body, bytes) else encode(body)
        headers.setdefault("content-type", JSON)
        if endpoint.method != "GET":
            return Response(content, status, headers)
        tag = headers.setdefault("etag", etag(content))
        headers.setdefault("cache-control", "no-cache")
        if matches(call.request.headers.get("if-none-match", ""), tag):
            return Response(status_code=304, headers={"etag": tag, "cache-control": headers["cache-control"]})
        return Response(content, status, headers)

    async def _page(self, call: Call, page: Page, headers: dict[str, str]) -> dict[str, Any]:
        shown = await page_of(call, page)
        if shown["next"] is not None:
            parameters = [*_filters(call.request), ("cursor", shown["next"])]
            headers["link"] = f'<{call.request.url.path}?{urlencode(parameters)}>; rel="next"'
        return shown


async def caller(services: Services, request: Request, *, public: bool) -> tuple[ApiToken | None, Actor]:
    """Return the token and the actor of a request, and count it against its rate.

    Args:
        services: the services of the process.
        request: the request.
        public: True if no token is needed; one that is given is not looked at.

    Raises:
        NotAuthenticated: there is no valid token.
        TooManyRequests: the token or the address makes more requests than it may.
    """
    if public:
        await _count_stranger(services, request)
        return None, NOBODY
    try:
        token = await services.tokens.check(bearer(request.headers))
    except NotAuthenticated:
        await _count_stranger(services, request)
        raise
    await count(services, token.prefix, services.limits.a_second, services.limits.burst)
    return token, actor_of(token)


async def session_of(services: Services, request: Request) -> Session | None:
    """Return the session of a request, and count it against the person's rate; None if it proves none.

    Raises ``NotAuthenticated``, ``Banned``, ``WrongOrigin``, ``TooManyRequests`` and ``Unavailable``.
    """
    in_cookie = secret_in_cookie(request)
    if in_cookie is None:
        secret = request.headers.get("authorization", "").partition(" ")[2].strip()
        if not secret.startswith(MARK):
            return None
        secret = bearer(request.headers)
    else:
        secret = in_cookie
    try:
        session = await services.play.sessions.check(secret, dashboard=in_cookie is not None)
    except NotAuthenticated:
        await _count_stranger(services, request)
        raise
    await count(services, f"app:{session.actor.id}", PEOPLE_A_SECOND, PEOPLE_BURST)
    return session


async def _count_stranger(services: Services, request: Request) -> None:
    address = rate_group(client_address(request, services.proxies))
    await count(services, f"@{address}", STRANGERS_A_SECOND, STRANGERS_BURST)


async def count(services: Services, client: str, a_second: float, burst: int, units: int = 1) -> None:
    """Count a request of a client. Raises ``TooManyRequests``."""
    wait = await services.requests.wait_ms(client, a_second=a_second, burst=burst, units=units)
    if wait:
        raise TooManyRequests(seconds=-(-wait // 1000))


def refused(action: str, services: Services, request: Request, error: Exception, trace: str) -> AuditEntry:
    """Return the entry of the audit log for a request that was refused before its handler was called."""
    return AuditEntry(
        at=services.play.clock.now(),
        face=API,
        action=action,
        outcome=problems.refusal_of(error, trace).code,
        actor_id=0,
        token=_prefix(request.headers),
        target=str(request.path_params.get("game") or request.path_params.get("player") or ""),
        origin=_origin(services, request, trace),
    )


def _chat_of(endpoint: Endpoint, call: Call) -> int | None:
    """Return the chat that a request is about, or None."""
    place = where_of(endpoint, call)
    chat = place.place if isinstance(place, Game) else place
    return None if chat is None or endpoint.about is About.NOTHING else chat.chat_id


def _prefix(headers: Mapping[str, str]) -> str:
    """Return the public part of a token, valid or not; empty if the header has none."""
    parts = headers.get("authorization", "").partition(" ")[2].split("_")
    return parts[1][:PREFIX_LETTERS] if len(parts) == 3 else ""


def _origin(services: Services, request: Request, trace: str) -> str:
    """Return the address of a client and the trace of its request, for the audit log."""
    return f"{client_address(request, services.proxies)} {trace}"


def problem_of(error: Exception, services: Services, request: Request, trace: str) -> tuple[problems.Problem, str]:
    """Return the details of an error and their language. Log it if it is a bug."""
    if isinstance(error, TimeoutError) or not isinstance(error, (Rejected, *problems.AWAY)):
        logger.bind(trace=trace).opt(exception=error).error("{} {} failed", request.method, request.url.path)
    elif not isinstance(error, Rejected):
        logger.bind(trace=trace).warning("{} {}: {}", request.method, request.url.path, error)
    refusal = problems.refusal_of(error, trace)
    texts = services.play.texts
    locale = texts.pick(_language(request))
    return problems.problem_of(refusal, texts, locale, trace), locale


def _language(request: Request) -> str | None:
    """Return the language of Accept-Language with the highest weight, the first of equal ones; None for no language."""
    best, most = None, 0.0
    for part in request.headers.get("accept-language", "").split(","):
        name, _, weight = part.partition(";")
        form = WEIGHT.fullmatch(weight.strip())
        given = float(form[1]) if form else 1.0
        if name.strip() and given > most:
            best, most = name.strip(), given
    return best


def failure(
    error: Exception,
    services: Services,
    request: Request,
    trace: str,
    shown: Callable[[problems.Problem], Any] = lambda problem: problem,
) -> Response:
    """Return the response with the details of an error, as ``shown`` makes them. Log the error if it is a bug."""
    problem, locale = problem_of(error, services, request, trace)
    response = Response(encode(shown(problem)), problem.status, {"content-language": locale}, problems.MEDIA_TYPE)
    seconds = problems.retry_after(problems.refusal_of(error, trace))
    if seconds is not None:
        response.headers["retry-after"] = str(seconds)
    if problem.status == 401:
        response.headers["www-authenticate"] = 'Bearer realm="tombola"'
    if isinstance(error, UnsupportedMediaType):
        response.headers["accept-encoding"] = "identity"  # RFC 9110, 15.5.16
    if isinstance(error, RequestTimeout):
        response.headers["connection"] = "close"  # the rest of the body may still come
    return response


async def position(call: Call) -> tuple[Any, ...] | None:
    """Return the position in the cursor of a request; None without a cursor. Raises ``BadCursor``."""
    if call.query.cursor is None:
        return None
    return (await _cursors(call.services)).read(_listing(call.request), call.query.cursor)


async def page_of(call: Call, page: Page) -> dict[str, Any]:
    """Return a page as a response shows it, with the cursor of the next one."""
    if page.after is None:
        return {"items": page.items, "next": None}
    cursor = (await _cursors(call.services)).write(_listing(call.request), page.after)
    return {"items": page.items, "next": cursor}


async def found_game(services: Services, game_id: str) -> FoundGame:
    """Return a game, live or ended. Raises ``UnknownGame`` and ``Unavailable``."""
    try:
        return FoundGame.of(await services.play.engine.look(game_id))
    except UnknownGame:
        found = await services.stores.archive.ended_game(game_id)
        if found is None:
            raise
        return FoundGame(found.state, found.version)


def bearer(headers: Mapping[str, str]) -> str:
    """Return the token in the header Authorization. Raises ``NotAuthenticated``."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise NotAuthenticated
    return token.strip()


def etag(content: bytes) -> str:
    """Return the entity tag of a response."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def matches(wanted: str, tag: str) -> bool:
    """Return whether a list of entity tags, as in If-Match, has this one. Compression makes a tag a weak one."""
    return wanted.strip() == "*" or any(each.strip().removeprefix("W/") == tag for each in wanted.split(","))


async def _cursors(services: Services) -> Cursors:
    return Cursors(await services.tokens.key())


def _filters(request: Request) -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]


def _listing(request: Request) -> str:
    """Return the address of a list with its filters, for which a cursor is valid. The size of pages may change."""
    filters = sorted((name, value) for name, value in _filters(request) if name != "limit")
    return f"{request.url.path}?{urlencode(filters)}"


def _with_whole_numbers(raw: bytes, type_: Any, complaint: str) -> Any:
    """Return a body in which `5.0` stands for 5, as JSON Schema allows. Raises ``InvalidRequest``."""
    try:
        return msgspec.convert(_whole(msgspec.json.decode(raw)), type_)
    except (msgspec.ValidationError, RecursionError):
        raise InvalidRequest(complaint) from None


def has_nul(value: Any) -> bool:
    """Return True if a text in the value, or a name of a field, has the character NUL."""
    match value:
        case str():
            return "\0" in value
        case list():
            return any(has_nul(each) for each in value)
        case dict():
            return any(has_nul(name) or has_nul(each) for name, each in value.items())
        case _:
            return False


def _whole(value: Any) -> Any:
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_whole(each) for each in value]
        case dict():
            return {name: _whole(each) for name, each in value.items()}
        case _:
            return value


def _query(request: Request, endpoint: Endpoint) -> Any:
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in given:
            raise InvalidRequest(f"Repeated parameter - at `$.{name}`")
        form = _forms(endpoint.query).get(name)
        if form is not None and not form.match(value):
            # Converted from a text, `null` would be None, and a bare number a time.
            raise InvalidRequest(f"Expected another type - at `$.{name}`")
        given[name] = value
    return converted_query(given, endpoint, strict=False)


def converted_query(given: Mapping[str, Any], endpoint: Endpoint, *, strict: bool = True) -> Any:
    """Return the parameters of a query. Raises ``InvalidRequest``; also for NUL, which PostgreSQL refuses in texts."""
    for name, value in given.items():
        if has_nul(value):
            raise InvalidRequest(f"{NUL_REFUSED} - at `$.{name}`")
    try:
        return msgspec.convert(given, endpoint.query, strict=strict)
    except msgspec.ValidationError as error:
        raise InvalidRequest(str(error)) from None


@cache
def _forms(query: type[msgspec.Struct]) -> Mapping[str, re.Pattern[str]]:
    """Return the forms of the parameters that are no plain texts."""
    found = {
        field.name: [FORMS[type(each)] for each in _options(field.type) if type(each) in FORMS]
        for field in msgspec.structs.fields(query)
    }
    return {name: re.compile("|".join(forms)) for name, forms in found.items() if forms}


def _options(type_: Any) -> tuple[msgspec.inspect.Type, ...]:
    """Return the types of a parameter that may have several."""
    known = msgspec.inspect.type_info(type_)
    options = known.types if isinstance(known, msgspec.inspect.UnionType) else (known,)
    return tuple(each.type if isinstance(each, msgspec.inspect.Metadata) else each for each in options)


def converted(text: str, type_: Any, name: str) -> Any:
    """Return a parameter of the path. One that cannot be names nothing."""
    try:
        return msgspec.convert(text, type_, strict=False)
    except msgspec.ValidationError:
        raise (UnknownGame if name == "game" else NotFound) from None


def _key(request: Request) -> str:
    key = request.headers.get(KEY_HEADER, "")
    if not 0 < len(key) <= LONGEST_KEY or not all("!" <= char <= "~" for char in key):
        raise IdempotencyKeyMissing
    return key


def check_encoding(request: Request) -> None:
    """Raise ``UnsupportedMediaType`` if the body is compressed: its size would have no bound."""
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaType


async def raw_body(request: Request, most: int, seconds: float) -> bytes:
    """Return the body. Raises ``TooLarge`` before it is read, if its length is announced.

    Args:
        request: the request.
        most: the limit of the body, in bytes.
        seconds: the time in which the body must arrive.

    Raises:
        TooLarge: the body is too long.
        RequestTimeout: the body did not arrive in time.
    """
    if "content-length" not in request.headers and "transfer-encoding" not in request.headers:
        return b""  # there is no body, so there is nothing to wait for
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > most:
        raise TooLarge(limit=most)
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise TooLarge(limit=most)
    except TimeoutError:
        raise RequestTimeout from None
    return bytes(body)


def _stored(response: Response) -> StoredResponse:
    kept = {"content-type", "content-language", "location", "etag"}
    headers = {name: value for name, value in response.headers.items() if name in kept}
    return StoredResponse(response.status_code, bytes(response.body), headers)
