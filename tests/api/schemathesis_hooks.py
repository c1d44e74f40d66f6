"""Hooks of schemathesis: most generated requests name things that exist, so that they reach the handlers.

The command in ``run_schemathesis.py`` loads this module, and passes the known things in an environment variable.
"""

import json
import os
import random
import secrets
from http import HTTPStatus
from typing import Any

import schemathesis

LIMITS = {"query-too-long", "query-too-deep", "too-many-aliases", "query-too-costly", "invalid-request"}
"""Codes of the refusals of a whole query that fits the schema."""
KNOWN: dict[str, list[Any]] = json.loads(os.environ["SCHEMATHESIS_KNOWN"])
"""Name of a parameter or field -> values that exist."""
GRAPHQL = "/api/graphql"
SHARE = 0.8
"""Share of the generated values that are replaced."""


def _chosen(name: str, value: Any) -> Any:
    return random.choice(KNOWN[name]) if name in KNOWN and random.random() < SHARE else value


def _name_known_query(case: Any) -> None:
    """Put valid texts into a request of GraphQL: its schema can't tell which texts are queries and JSON."""
    if case.query:
        case.query["variables"] = json.dumps({"game": KNOWN["game"][0], "chat": KNOWN["chat"][0], "old": 0, "new": 0})
    if isinstance(case.body, dict) and random.random() < SHARE:
        case.body = {"query": "query($game: String!) { game(game: $game) { id players } }"} | {
            "variables": {"game": KNOWN["game"][0]}
        }


@schemathesis.hook
def map_case(_context: Any, case: Any) -> Any:
    """Name known things in a case with valid data, and give a write a key of its own."""
    if case.meta is None or case.meta.generation.mode.is_negative:
        return case
    for given in (case.path_parameters, case.query):
        for name in given or {}:
            given[name] = _chosen(name, given[name])
    if case.path == GRAPHQL:
        _name_known_query(case)
    if case.query:
        case.query.pop("cursor", None)  # a cursor comes from the page before; no schema can tell which are valid
    if isinstance(case.body, dict):
        for name in case.body:
            case.body[name] = _chosen(name, case.body[name])
    if case.headers and "Idempotency-Key" in case.headers and random.random() < SHARE:
        case.headers["Idempotency-Key"] = secrets.token_hex(8)
    return case


@schemathesis.check
def valid_request_is_not_called_invalid(_context: Any, response: Any, case: Any) -> None:
    """Check that a request that fits the schema is refused only for reasons that no schema can tell."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code not in {400, 415, 422}:
        return
    problem = response.json()
    if case.path == GRAPHQL or not hasattr(case.operation, "responses"):
        return  # see `graphql_answers_every_field`
    # Names of kinds, rules, settings and languages differ between deployments.
    if problem["code"] == "invalid-request" and problem["errors"][0]["detail"].startswith(("Unknown ", "Unreadable ")):
        return
    wrong = {"bad-request", "invalid-request", "unsupported-media-type", "bad-title", "bad-name"}
    assert problem["code"] not in wrong, problem


@schemathesis.check
def graphql_answers_every_field(_context: Any, response: Any, case: Any) -> None:
    """Check that a query that fits the schema of GraphQL is answered, or beyond a limit; and that no field is a bug."""
    if not case.path.endswith(GRAPHQL) or hasattr(case.operation, "responses"):
        return
    told = response.json()
    assert response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, told
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if response.status_code != HTTPStatus.OK:
        assert told["code"] in LIMITS, told
    for error in told.get("errors", ()):
        assert error["extensions"]["code"] not in {"bug", "away", "bad-query"}, error
