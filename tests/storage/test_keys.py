"""Tests of the names of keys: on a Redis Cluster all of them are in one slot."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any, get_args, get_type_hints

import pytest
from redis.crc import key_slot

from fsm.kind import ChatTopic
from storage import keys

KEYS = [
    function
    for name, function in inspect.getmembers(keys, inspect.isfunction)
    if name.endswith(("_key", "_keys", "_base", "_prefix")) and function.__module__ == keys.__name__
]
VALUES = {str: "abcdefghijklmnopqrstuv", int: 7, ChatTopic: ChatTopic(7)}


@pytest.fixture
def cluster() -> Iterator[None]:
    keys.use_one_slot(cluster=True)
    yield
    keys.use_one_slot(cluster=False)


def value_of(kind: Any) -> Any:
    """Return a value of a parameter's type; of a union, one of its first type."""
    first = (get_args(kind) or (kind,))[0]
    return VALUES[getattr(first, "__supertype__", first)]


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("function", KEYS, ids=lambda function: function.__name__)
def test_every_key_is_in_the_one_slot_of_a_cluster(function: Callable[..., Any]) -> None:
    kinds = get_type_hints(function)
    kinds.pop("return")
    made = function(*(value_of(kind) for kind in kinds.values()))
    for key in [made] if isinstance(made, str) else made:
        assert key_slot(key.encode()) == keys.cluster_slot()
