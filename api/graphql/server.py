"""GraphQL over HTTP: queries by POST with a token, persisted queries by GET, the same decisions as REST."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated, Any, Final

import msgspec
from graphql import DocumentNode, ExecutionResult, GraphQLError, execute
from msgspec import Meta
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.dispatch import (
    ACCESS_REFUSED,
    JSON,
    TRACE,
    caller,
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
from api.graphql.schema import build
from api.problems import (
    BadQuery,
    BadRequest,
    InvalidRequest,
    MethodNotAllowed,
    QueryTooSlow,
    UnknownQuery,
    UnsupportedMediaType,
)
from api.services import Services
from play.access import Actor
from storage.api_tokens import ApiToken

ALLOW: Final = "GET, HEAD, OPTIONS, POST"
MOST_BYTES: Final = 65_536
LONGEST_QUERY: Final = 20_000
SECONDS: Final = 10.0
"""Time limit of a query."""
PUBLIC_SECONDS: Final = 30
"""Time for which caches may keep the answer to a public persisted query."""
SUFFIX: Final = ".graphql"
ACTION: Final = "graphql"
"""Name in the audit log of requests that were refused as a whole."""


class GraphQLBody(msgspec.Struct, frozen=True):
    """A request by POST. Several operations in a list are refused."""

    query: Annotated[str, Meta(max_length=LONGEST_QUERY)] | None = None
    id: Annotated[str, Meta(max_length=64)] | None = None
    variables: dict[str, Any] | None = None
    operationName: Annotated[str, Meta(max_length=128)] | None = None  # noqa: N815 -- the name is GraphQL's


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
            async with asyncio.timeout(SECONDS):
                response = await self._respond(request, trace)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 -- every error has a response; a bug is logged there
            told = QueryTooSlow(round(SECONDS)) if isinstance(error, TimeoutError) else error
            response = failure(told, self._services, request, trace)
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
                body = await _read_body(request)
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
        result: Any = made if isinstance(made, ExecutionResult) else await made
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
        cause = error.original_error or BadQuery(error.message)
        problem, _ = problem_of(cause, self._services, request, trace)
        extensions = {name: value for name, value in msgspec.to_builtins(problem).items() if name != "detail"}
        return {"message": problem.detail, "path": error.path, "extensions": extensions}


async def _read_body(request: Request) -> GraphQLBody:
    raw = await raw_body(request, MOST_BYTES)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise UnsupportedMediaType
    try:
        return _body.decode(raw)
    except msgspec.ValidationError as error:
        raise InvalidRequest(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequest from None
