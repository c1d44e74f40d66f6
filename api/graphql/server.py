"""GraphQL over HTTP: queries by POST with a token, persisted queries by GET, the same decisions as REST."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import msgspec
from graphql import DocumentNode, ExecutionResult, GraphQLError, execute
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.dispatch import (
    ACCESS_REFUSED,
    JSON,
    TRACE,
    caller,
    check_encoding,
    count,
    encode,
    etag,
    failure,
    matches,
    problem_of,
    raw_body,
    refused,
)
from api.endpoint import Endpoint
from api.graphql.context import Context
from api.graphql.limits import Cost, Limits, fields_of
from api.graphql.links import LINKS
from api.graphql.messages import SUFFIX, GraphQLBody
from api.graphql.schema import build
from api.problems import (
    BadQuery,
    BadRequest,
    FieldError,
    InvalidRequest,
    MethodNotAllowed,
    Problem,
    QueryTooSlow,
    UnknownQuery,
    UnsupportedMediaType,
)
from api.services import Services
from play.access import Actor
from storage.api_tokens import ApiToken

ALLOW: Final = "GET, HEAD, OPTIONS, POST"
MOST_BYTES: Final = 65_536
SECONDS: Final = 10.0
"""Time limit of a query."""
PUBLIC_SECONDS: Final = 30
"""Time for which caches may keep the answer to a public persisted query."""
ACTION: Final = "graphql"
"""Name in the audit log of requests that were refused as a whole."""


_body = msgspec.json.Decoder(GraphQLBody)
_variables = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class Persisted:
    """A query of the allow-list.

    Attributes:
        document: the checked document.
        public: True if all its fields are public, so that no token is needed.
    """

    document: DocumentNode
    public: bool


class Server:
    """GraphQL as an ASGI application.

    Args:
        endpoints: the table of endpoints.
        services: the services of the process.
    """

    def __init__(self, endpoints: Sequence[Endpoint], services: Services) -> None:
        self._services = services
        self._table = {endpoint.name: endpoint for endpoint in endpoints}
        self.graph = build(endpoints, LINKS)
        self._schema = self.graph.schema._schema  # noqa: SLF001 -- Strawberry has no other way to it
        self._limits = Limits(self.graph)
        self.persisted = {
            file.name.removesuffix(SUFFIX): self._persist(file.read_text())
            for file in (files("api.graphql") / "persisted").iterdir()
            if file.name.endswith(SUFFIX)
        }

    def _persist(self, query: str) -> Persisted:
        document = self._limits.checked(query)
        return Persisted(document, all(self.graph.fields[name].public for name in fields_of(document)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request, trace = Request(scope, receive), scope["state"][TRACE]
        response: Response
        try:
            response = await self._respond(request, trace)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 -- every error has a response; a bug is logged there
            response = failure(error, self._services, request, trace, _with_errors)
            if isinstance(error, MethodNotAllowed):
                response.headers["allow"] = ALLOW
            elif isinstance(error, ACCESS_REFUSED):
                self._services.stores.audit.note(refused(ACTION, self._services, request, error, trace))
        await response(scope, receive, send)

    async def _respond(self, request: Request, trace: str) -> Response:
        match request.method:
            case "OPTIONS":
                return Response(status_code=204, headers={"allow": ALLOW})
            case "GET" | "HEAD":
                return await self._get(request, trace)
            case "POST":
                token, actor = await caller(self._services, request, public=False)
                body = await self._read(request)
                document = self._document(body)
                content = await self._answer(
                    request, trace, token, actor, document, body.variables or {}, body.operationName
                )
                return Response(content, media_type=JSON)
            case _:
                raise MethodNotAllowed

    async def _get(self, request: Request, trace: str) -> Response:
        """Answer a persisted query. Caches may keep the answer to a public one."""
        parameters = request.query_params
        persisted = self.persisted.get(parameters.get("id", ""))
        public = persisted is not None and persisted.public and "authorization" not in request.headers
        token, actor = await caller(self._services, request, public=public)
        if persisted is None:
            raise UnknownQuery
        try:
            variables = _variables.decode(parameters.get("variables", "{}"))
        except (msgspec.DecodeError, RecursionError):
            raise InvalidRequest("Expected an object - at `$.variables`") from None
        content = await self._answer(request, trace, token, actor, persisted.document, variables, None)
        tag = etag(content)
        cached = f"public, max-age={PUBLIC_SECONDS}" if public else "private, no-cache"
        headers = {"etag": tag, "cache-control": cached, "vary": "Authorization, Accept-Language"}
        if matches(request.headers.get("if-none-match", ""), tag):
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=JSON)

    async def _read(self, request: Request) -> GraphQLBody:
        check_encoding(request)
        raw = await raw_body(request, MOST_BYTES, self._services.limits.body_seconds)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
            raise UnsupportedMediaType
        try:
            return _body.decode(raw)
        except msgspec.ValidationError as error:
            raise InvalidRequest(str(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise BadRequest from None

    def _document(self, body: GraphQLBody) -> DocumentNode:
        if body.id is not None:
            persisted = self.persisted.get(body.id)
            if persisted is None:
                raise UnknownQuery
            return persisted.document
        if body.query is None:
            raise InvalidRequest("Object missing required field `query` - at `$`")
        return self._limits.checked(body.query)

    async def _answer(
        self,
        request: Request,
        trace: str,
        token: ApiToken | None,
        actor: Actor,
        document: DocumentNode,
        variables: Mapping[str, Any],
        operation: str | None,
    ) -> bytes:
        """Execute a checked document and return the response's body. Raises the refusals of the whole query."""
        cost = self._limits.cost(document, variables, operation)
        await self._count(token, cost)
        context = Context(
            services=self._services, request=request, token=token, actor=actor, trace=trace, table=self._table
        )
        made = execute(
            self._schema,
            document,
            context_value=context,
            variable_values=dict(variables),
            operation_name=operation,
        )
        result: Any = made if isinstance(made, ExecutionResult) else await _in_time(made)
        if result.data is None and result.errors and result.errors[0].path is None:  # a variable of another type
            raise BadQuery(result.errors[0].message)
        told: dict[str, Any] = {"data": result.data}
        if result.errors:
            told["errors"] = [self._error(request, trace, error) for error in result.errors]
        return encode(told)

    async def _count(self, token: ApiToken | None, cost: Cost) -> None:
        """Count a request that makes several queries as that many requests; the first one is counted already."""
        if token is not None and cost.queries > 1:
            limits = self._services.limits
            await count(self._services, token.prefix, limits.a_second, limits.burst, cost.queries - 1)

    def _error(self, request: Request, trace: str, error: GraphQLError) -> dict[str, Any]:
        """Return the error of a field: the problem that REST would answer with. A bug is logged, and shown as such."""
        cause = error.original_error
        if cause is None or isinstance(cause, GraphQLError):  # such as null in a variable of an argument that needs one
            cause = BadQuery(error.message)
        problem, _ = problem_of(cause, self._services, request, trace)
        extensions = {name: value for name, value in msgspec.to_builtins(problem).items() if name != "detail"}
        return {"message": problem.detail, "path": error.path, "extensions": extensions}


def _with_errors(problem: Problem) -> dict[str, Any]:
    """Return a problem whose ``errors`` clients of GraphQL can read: they look for messages there in every response."""
    told: dict[str, Any] = msgspec.to_builtins(problem)
    wrong = problem.errors or [FieldError("$", problem.detail)]
    extensions = {"code": problem.code, "status": problem.status, "trace": problem.trace}
    told["errors"] = [{**msgspec.to_builtins(each), "message": each.detail, "extensions": extensions} for each in wrong]
    return told


async def _in_time(result: Awaitable[Any]) -> Any:
    """Return the result of a query. Raises ``QueryTooSlow``."""
    try:
        async with asyncio.timeout(SECONDS):
            return await result
    except TimeoutError:
        raise QueryTooSlow(round(SECONDS)) from None
