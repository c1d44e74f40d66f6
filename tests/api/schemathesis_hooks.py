"""Hooks of schemathesis: most generated requests name things that exist, so that they reach the handlers.

The command in ``run_schemathesis.py`` loads this module, and passes the known things in an environment variable.
"""

import json
import os
import random
import secrets
from typing import Any

import schemathesis

KNOWN: dict[str, list[Any]] = json.loads(os.environ["SCHEMATHESIS_KNOWN"])
"""Name of a parameter or field -> values that exist."""
SHARE = 0.8
"""Share of the generated values that are replaced."""


def _chosen(name: str, value: Any) -> Any:
    return random.choice(KNOWN[name]) if name in KNOWN and random.random() < SHARE else value


@schemathesis.hook
def map_case(_context: Any, case: Any) -> Any:
    """Name known things in a case with valid data, and give a write a key of its own."""
    if case.meta is None or case.meta.generation.mode.is_negative:
        return case
    for given in (case.path_parameters, case.query):
        for name in given or {}:
            given[name] = _chosen(name, given[name])
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
    # Names of kinds, rules, settings and languages differ between deployments.
    if problem["code"] == "invalid-request" and problem["errors"][0]["detail"].startswith(("Unknown ", "Unreadable ")):
        return
    assert problem["code"] not in {"bad-request", "invalid-request", "unsupported-media-type"}, problem
