"""Limits on queries: tokens, depth, aliases, cost. All are checked before anything is read.

Fragments count as often as they are used. Their figures are computed once each, so a small query whose fragments double
with each level is refused without being expanded.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_object_type,
    parse,
    validate,
)

from api.graphql.schema import MOST_ON_PAGE, Graph, Weight
from api.problems import BadQuery, InvalidRequest, QueryTooCostly, QueryTooDeep, QueryTooLong, TooManyAliases

MOST_TOKENS: Final = 1000
MOST_LEVELS: Final = 6
MOST_ALIASES: Final = 15
MOST_COST: Final = 2000
"""Limit of the cost: one for each object, and ``QUERY_COST`` for each query of PostgreSQL or Redis."""
QUERY_COST: Final = 10
LONGEST_DETAIL: Final = 300
CACHED: Final = 256
NOTHING: Final = Weight()
INTROSPECTION: Final = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a query.

    Attributes:
        total: the cost.
        queries: the number of queries of PostgreSQL or Redis that it makes at most.
    """

    total: int = 0
    queries: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.total + other.total, self.queries + other.queries)


class Limits:
    """Checks queries against a schema. Checked documents are kept.

    Args:
        graph: the schema with its weights.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._schema: GraphQLSchema = graph.schema._schema  # noqa: SLF001 -- Strawberry has no other way to it
        self.checked = lru_cache(CACHED)(self._checked)

    def _checked(self, query: str) -> DocumentNode:
        """Return the document of a valid query. Raises the refusals of the limits, and ``BadQuery``."""
        try:
            document = parse(query, max_tokens=MOST_TOKENS, no_location=True)
        except GraphQLError as error:
            if "tokens" in error.message:
                raise QueryTooLong(MOST_TOKENS) from None
            if "nested" in error.message:
                raise QueryTooDeep(MOST_LEVELS) from None
            raise BadQuery(error.message[:LONGEST_DETAIL]) from None
        _Shape(document).check()
        errors = validate(self._schema, document, max_errors=1)
        if errors:
            raise BadQuery(errors[0].message[:LONGEST_DETAIL])
        return document

    def cost(self, document: DocumentNode, variables: Mapping[str, Any], operation: str | None) -> Cost:
        """Return the cost of a checked document. Raises ``BadQuery`` and ``QueryTooCostly``."""
        chosen = _operation(document, operation)
        values = {
            each.variable.name.value: int(each.default_value.value)
            for each in chosen.variable_definitions or ()
            if isinstance(each.default_value, IntValueNode)
        }
        # GraphQL takes 7.0 for the integer 7.
        values |= {name: int(value) for name, value in variables.items() if _is_whole(value)}
        found = _Pricing(document, self._graph.weights, values).of(chosen.selection_set, self._schema.query_type)
        if found.total > MOST_COST:
            raise QueryTooCostly(found.total, MOST_COST)
        return found


INTROSPECTION_COST: Final = Cost(20 * QUERY_COST, 20)
"""Cost of the schema: it makes no query, but its 56 kB take as much processor time as twenty reads."""


def fields_of(document: DocumentNode) -> set[str]:
    """Return the names of the fields of ``Query`` that a document without fragments at its top asks for."""
    selected = _operation(document, None).selection_set.selections
    return {each.name.value for each in selected if isinstance(each, FieldNode)}


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    for each in operations:
        if (name is None and len(operations) == 1) or (each.name is not None and each.name.value == name):
            return each
    raise BadQuery("The query has several operations or none; operationName must name one.")


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def _flat(selections: SelectionSetNode | None) -> Iterator[FieldNode | FragmentSpreadNode]:
    """Return the fields and spreads of a selection, those in inline fragments included."""
    for each in () if selections is None else selections.selections:
        if isinstance(each, InlineFragmentNode):
            yield from _flat(each.selection_set)
        elif isinstance(each, FieldNode | FragmentSpreadNode):
            yield each


class _Shape:
    """Depth and number of aliases of a document, which may have any mistake.

    A field that a selection repeats counts as an alias. The rules of GraphQL compare all repetitions with each other,
    which took half a second for a thousand tokens. Introspection may have no alias, because its cost is fixed: each
    would show the whole schema once more.
    """

    def __init__(self, document: DocumentNode) -> None:
        self._document = document
        self._fragments = _fragments(document)
        self._known: dict[str, tuple[int, int]] = {}

    def check(self) -> None:
        """Raise ``QueryTooDeep`` and ``TooManyAliases``."""
        for each in self._document.definitions:
            if isinstance(each, OperationDefinitionNode):
                levels, aliases = self._of(each.selection_set)
                if levels > MOST_LEVELS:
                    raise QueryTooDeep(MOST_LEVELS)
                if aliases > MOST_ALIASES:
                    raise TooManyAliases(MOST_ALIASES)

    def _of(self, selections: SelectionSetNode | None) -> tuple[int, int]:
        """Return the number of levels and of aliases."""
        levels, aliases, names = 0, 0, set[str]()
        for each in _flat(selections):
            if isinstance(each, FragmentSpreadNode):
                below, inside = self._fragment(each.name.value)
            else:
                below, inside = self._field(each)
                name = (each.alias or each.name).value
                inside += name in names
                names.add(name)
            levels, aliases = max(levels, below), aliases + inside
        return levels, aliases

    def _field(self, node: FieldNode) -> tuple[int, int]:
        levels, aliases = self._of(node.selection_set)
        aliases += node.alias is not None
        if node.name.value in INTROSPECTION:
            return 1, MOST_ALIASES + 1 if aliases else 0  # the rules of GraphQL bound its levels
        return levels + 1, aliases

    def _fragment(self, name: str) -> tuple[int, int]:
        if name not in self._known:
            self._known[name] = (0, 0)  # of a circle; the rules of GraphQL refuse it
            found = self._fragments.get(name)
            self._known[name] = (0, 0) if found is None else self._of(found.selection_set)
        return self._known[name]


class _Pricing:
    """The cost of a valid document. That of a selection is for one object; a list multiplies it."""

    def __init__(
        self, document: DocumentNode, weights: Mapping[tuple[str, str], Weight], values: Mapping[str, int]
    ) -> None:
        self._fragments = _fragments(document)
        self._weights = weights
        self._values = values
        self._known: dict[str, tuple[Cost, Cost]] = {}

    def of(self, selections: SelectionSetNode | None, parent: Any) -> Cost:
        """Return the cost of a selection at the top."""
        each, together = self._of(selections, parent)
        return each + together

    def _of(self, selections: SelectionSetNode | None, parent: Any) -> tuple[Cost, Cost]:
        """Return the cost for each object, and that for all objects of a list together."""
        each, together = Cost(), Cost()
        for node in () if selections is None else selections.selections:
            more = self._one(node, parent)
            each, together = each + more[0], together + more[1]
        return each, together

    def _one(self, node: Any, parent: Any) -> tuple[Cost, Cost]:
        match node:
            case FieldNode():
                return self._field(node, parent)
            case InlineFragmentNode():
                return self._of(node.selection_set, parent)
            case FragmentSpreadNode():
                name = node.name.value
                if name not in self._known:
                    self._known[name] = self._of(self._fragments[name].selection_set, parent)
                return self._known[name]
            case _:
                return Cost(), Cost()

    def _field(self, node: FieldNode, parent: Any) -> tuple[Cost, Cost]:
        known = parent.fields.get(node.name.value)
        if known is None:
            return INTROSPECTION_COST if node.name.value in INTROSPECTION else Cost(1), Cost()
        weight = self._weights.get((parent.name, node.name.value), NOTHING)
        target = get_named_type(known.type)
        count = self._count(node, weight)
        each, together = self._of(node.selection_set, target) if is_object_type(target) else (Cost(), Cost())
        asks = Cost(QUERY_COST * weight.queries, weight.queries)
        objects = Cost(count * (each.total + (weight.counts and is_object_type(target))), count * each.queries)
        if weight.batched:
            return objects, together + asks
        if weight.on_page is None:
            return objects + asks, together
        return objects + together + asks, Cost()

    def _count(self, node: FieldNode, weight: Weight) -> int:
        """Return the number of objects that a field has at most. Raises ``InvalidRequest``."""
        if weight.on_page is None:
            return 1
        given = next((each.value for each in node.arguments or () if each.name.value == weight.argument), None)
        count: Any = weight.on_page
        if isinstance(given, IntValueNode):
            count = int(given.value)
        elif isinstance(given, VariableNode):
            count = self._values.get(given.name.value, weight.on_page)
        if not 1 <= count <= MOST_ON_PAGE:
            raise InvalidRequest(f"Expected `int` from 1 to {MOST_ON_PAGE} - at `$.{weight.argument}`")
        return int(count)
