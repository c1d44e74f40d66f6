"""The requests and answers of GraphQL over HTTP, and its refusals. This module needs no library of GraphQL."""

from importlib.resources import files
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from api.problems import (
    BadQuery,
    BadRequest,
    InvalidRequest,
    QueryTooCostly,
    QueryTooDeep,
    QueryTooLong,
    QueryTooSlow,
    TooLarge,
    TooManyAliases,
    TooManyRequests,
    UnknownQuery,
    UnsupportedMediaType,
)
from play.tokens import NotAuthenticated

LONGEST_QUERY: Final = 20_000
SUFFIX: Final = ".graphql"
PERSISTED: Final = tuple(
    sorted(
        file.name.removesuffix(SUFFIX)
        for file in (files("api.graphql") / "persisted").iterdir()
        if file.name.endswith(SUFFIX)
    )
)
"""The ids of the persisted queries."""


class GraphQLBody(msgspec.Struct, frozen=True):
    """A query with its variables. Several queries in a list are refused.

    Attributes:
        query: the query; without it, `id` names a persisted one.
        id: the id of a persisted query.
        variables: the values of its variables.
        operationName: the operation to execute, if the query has several.
    """

    query: Annotated[str, Meta(max_length=LONGEST_QUERY)] | None = None
    id: Annotated[str, Meta(max_length=64)] | None = None
    variables: dict[str, Any] | None = None
    operationName: Annotated[str, Meta(max_length=128)] | None = None  # noqa: N815 -- the name is GraphQL's


class PersistedQuery(msgspec.Struct, frozen=True):
    """The parameters of a persisted query.

    Attributes:
        id: the id of the query.
        variables: the values of its variables, as an object in JSON.
    """

    id: Annotated[str, Meta(extra_json_schema={"enum": list(PERSISTED)})]
    variables: str | None = None


class GraphQLError(msgspec.Struct, frozen=True):
    """The refusal of a field, which is null in `data`.

    Attributes:
        message: the refusal in words.
        path: the names and indices that lead to the field.
        extensions: the problem that REST would answer with, such as its `code` and `status`.
    """

    message: str
    path: list[str | int] | None
    extensions: dict[str, Any]


class GraphQLAnswer(msgspec.Struct, frozen=True):
    """The answer to a query.

    Attributes:
        data: the values of the fields.
        errors: the refusals of fields; absent without any.
    """

    data: dict[str, Any] | None
    errors: list[GraphQLError] = []


OF_READ: Final = (
    *(NotAuthenticated, UnknownQuery, BadQuery, InvalidRequest),
    *(QueryTooLong, QueryTooDeep, TooManyAliases, QueryTooCostly, QueryTooSlow, TooManyRequests),
)
"""The refusals of a whole persisted query by GET, beyond those of every request."""
OF_POST: Final = (*OF_READ, BadRequest, TooLarge, UnsupportedMediaType)
"""The refusals of a whole query by POST, beyond those of every request."""
