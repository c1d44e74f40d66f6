"""The schema, made from the table of endpoints: one field of ``Query`` for each read, one type for each struct.

A field calls the handler of its endpoint, after the same decision on access, so GraphQL has no rules and no queries of
its own. Fields that lead from one object to another are in ``LINKS``; they load for all objects of a list at once.
"""

import inspect
import types
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, NewType, Union, get_args, get_origin, get_type_hints

import msgspec
import strawberry
from msgspec import NODEFAULT, UNSET, Meta
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info

from api.endpoint import PATH_TYPES, Endpoint, Page
from api.openapi_types import described

MOST_ON_PAGE: Final = 50
DEFAULT_ON_PAGE: Final = 20
LEFT_OUT: Final = frozenset({"reference", "dashboard"})
"""Tags of endpoints that describe the REST API, or that are for sessions of the dashboard alone."""
INT32: Final = 2**31

Long = NewType("Long", int)
Link = Callable[[Any, Any, int], Awaitable[Any]]
"""Loader of a link: from the context, the object and the length of a list to the other object or objects."""


@dataclass(frozen=True, slots=True)
class Weight:
    """The cost of a field.

    Attributes:
        queries: the queries that it makes for each object, or, if it is batched, for all objects of a list together.
        batched: True if it makes them for all objects of a list together.
        on_page: the number of objects that it has by default; None if it has one.
        argument: the argument that sets this number.
        counts: False for the list of a page, whose objects the field with the page has counted.
    """

    queries: int = 0
    batched: bool = False
    on_page: int | None = None
    argument: str = "limit"
    counts: bool = True


@dataclass(slots=True)
class Graph:
    """The schema, and the cost of its fields.

    Attributes:
        schema: the schema.
        weights: (type, field) -> the cost; fields that are not listed cost nothing.
        fields: field of ``Query`` -> its endpoint.
    """

    schema: strawberry.Schema
    weights: Mapping[tuple[str, str], Weight]
    fields: Mapping[str, Endpoint]


def build(endpoints: Sequence[Endpoint], links: Mapping[tuple[type, str], tuple[Link, Any]]) -> Graph:
    """Return the graph of all reads in a table."""
    return _Builder(links).graph([each for each in endpoints if is_field(each)])


def long_scalar() -> Any:
    """Return the scalar of ``Long``."""
    return strawberry.scalar(name="Long", description="A whole number below 2^53.", parse_value=_long)


def is_field(endpoint: Endpoint) -> bool:
    """Return True if an endpoint is a field of ``Query``: a read with a result in JSON."""
    return endpoint.method == "GET" and endpoint.result is not None and endpoint.tag not in LEFT_OUT


def field_names(endpoints: Sequence[Endpoint]) -> dict[str, str]:
    """Return the names of the fields of endpoints: ``list_bans_of_chat`` is ``bansOfChat``.

    Where one thing and a list of them would have the same name, the list keeps its verb: ``listRecurring``.
    """
    short = {each.name: _camel(each.name.removeprefix("get_").removeprefix("list_")) for each in endpoints}
    taken = Counter(short.values())
    listed = {name: _camel(name) for name in short if name.startswith("list_") and taken[short[name]] > 1}
    return short | listed


@dataclass(slots=True)
class _Builder:
    """Makes types and fields. Each struct becomes one type."""

    links: Mapping[tuple[type, str], tuple[Link, Any]]
    made: dict[type, Any] = field(default_factory=dict)
    weights: dict[tuple[str, str], Weight] = field(default_factory=dict)

    def graph(self, endpoints: Sequence[Endpoint]) -> Graph:
        namespace: dict[str, Any] = {}
        names = field_names(endpoints)
        for endpoint in endpoints:
            name = names[endpoint.name]
            assert name not in namespace, f"two endpoints would be {name}"
            namespace[name] = self._root(name, endpoint)
        query = strawberry.type(type("Query", (), namespace), name="Query", description=inspect.getdoc(_Query))
        schema = strawberry.Schema(query, config=StrawberryConfig(scalar_map={Long: long_scalar()}))
        return Graph(schema, self.weights, {names[endpoint.name]: endpoint for endpoint in endpoints})

    # -- fields -------------------------------------------------------------------------------------------------

    def _root(self, name: str, endpoint: Endpoint) -> Any:
        result = self._type(endpoint.result)
        if endpoint.paged:
            result = self._page(endpoint.result, result)
        arguments = {each: (_argument(PATH_TYPES[each]), inspect.Parameter.empty) for each in endpoint.parameters}
        for each in msgspec.structs.fields(endpoint.query):
            assert each.name not in arguments, f"{name} would have two arguments {each.name}"
            default = inspect.Parameter.empty if each.default in {NODEFAULT, UNSET} else each.default
            arguments[each.name] = (_argument(each.type), default)
        many = endpoint.paged or get_origin(endpoint.result) is list
        self.weights["Query", name] = Weight(queries=1, on_page=DEFAULT_ON_PAGE if many else None)

        async def resolve(_: Any, info: Info[Any, Any], **given: Any) -> Any:
            return await info.context.read(endpoint, given)

        text = _first_line(endpoint.handle)
        # A field that is refused is null, and the others stay.
        return strawberry.field(resolver=_with_arguments(resolve, arguments, result | None), description=text)

    def _page(self, struct: type, item: Any) -> Any:
        name = f"{_name(struct)}Page"
        known = self.made.get((name,))  # type: ignore[call-overload]
        if known is None:
            namespace = {
                "__annotations__": {"items": list[item], "next": str | None},
                "items": strawberry.field(resolver=_with_arguments(_items, {}, list[item])),
                "next": strawberry.field(
                    resolver=_with_arguments(_next, {}, str | None), description=inspect.getdoc(_next)
                ),
            }
            known = strawberry.type(type(name, (), namespace), name=name, description=_first_line(Page))
            self.made[(name,)] = known  # type: ignore[index]
            self.weights[name, "items"] = Weight(counts=False)
        return known

    def _link(self, struct: type, name: str, link: Link, target: Any) -> Any:
        result, many = self._type(target), get_origin(target) is list
        arguments: dict[str, Any] = {"limit": (int, DEFAULT_ON_PAGE)} if many else {}

        async def resolve(root: Any, info: Info[Any, Any], limit: int = 1) -> Any:
            return await link(info.context, root, limit)

        camel = _camel(name)
        self.weights[_name(struct), camel] = Weight(queries=1, batched=True, on_page=DEFAULT_ON_PAGE if many else None)
        return strawberry.field(
            resolver=_with_arguments(resolve, arguments, result | None), description=inspect.getdoc(link), name=camel
        )

    # -- types --------------------------------------------------------------------------------------------------

    def _type(self, type_: Any) -> Any:
        """Return the annotation by which Strawberry knows a type of a result."""
        origin = get_origin(type_)
        if origin is Annotated:
            return _number(type_) or self._type(get_args(type_)[0])
        if origin in {Union, types.UnionType}:
            rest = [each for each in get_args(type_) if each is not type(None)]
            return self._type(rest[0]) | None if len(rest) == 1 else JSON
        if origin is list:
            return list[self._type(get_args(type_)[0])]  # type: ignore[misc]
        if origin is Literal:
            return str
        if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
            return self._object(type_)
        return {int: Long, bool: bool, str: str, float: float, Decimal: Decimal, datetime: datetime}.get(type_, JSON)

    def _object(self, struct: type[msgspec.Struct]) -> Any:
        known = self.made.get(struct)
        if known is not None:
            return known
        summary, texts = described(struct)
        hints = get_type_hints(struct, include_extras=True)
        namespace: dict[str, Any] = {"__annotations__": {}}
        for name in struct.__struct_fields__:
            namespace["__annotations__"][name] = self._type(hints[name])
            namespace[name] = strawberry.field(description=texts.get(name))
        for (source, name), (link, target) in self.links.items():
            if source is struct:
                namespace[name] = self._link(struct, name, link, target)
        made = strawberry.type(type(_name(struct), (), namespace), name=_name(struct), description=summary)
        self.made[struct] = made
        return made


def _argument(type_: Any) -> Any:
    """Return the annotation by which Strawberry knows the type of an argument."""
    origin = get_origin(type_)
    if origin is Annotated:
        return _number(type_) or _argument(get_args(type_)[0])
    if origin in {Union, types.UnionType}:
        rest = [each for each in get_args(type_) if each is not type(None)]
        return _argument(rest[0]) | None
    return {int: Long, bool: bool, float: float, datetime: datetime}.get(type_, str)


def _number(type_: Any) -> Any:
    """Return ``int`` for whole numbers whose bounds fit into GraphQL's 32 bits; None for other types."""
    base, *notes = get_args(type_)
    bounds = [note for note in notes if isinstance(note, Meta)]
    small = any((note.ge or 0) >= -INT32 and note.le is not None and note.le < INT32 for note in bounds)
    return int if base is int and small else None


def _with_arguments(resolve: Any, arguments: Mapping[str, tuple[Any, Any]], result: Any) -> Any:
    """Return a resolver whose signature has these arguments, which Strawberry reads."""
    positional, keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("root", positional, annotation=Any),
        inspect.Parameter("info", positional, annotation=Info),
        *(
            inspect.Parameter(name, keyword, annotation=type_, default=default)
            for name, (type_, default) in arguments.items()
        ),
    ]

    def resolver(root: Any, info: Any, **given: Any) -> Any:
        return resolve(root, info, **given)

    made: Any = resolver
    made.__signature__ = inspect.Signature(parameters, return_annotation=result)
    made.__annotations__ = {each.name: each.annotation for each in parameters} | {"return": result}
    return made


class _Query:
    """All that the token may read."""


def _first_line(thing: Any) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0]


def _items(root: Any, _: Any) -> Any:
    return root["items"]


def _next(root: Any, _: Any) -> Any:
    """The cursor of the next page."""
    return root["next"]


def _long(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 2**53:
        raise ValueError("not a whole number below 2^53")
    return value


def _name(struct: type) -> str:
    return struct.__name__.removesuffix("View")


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
