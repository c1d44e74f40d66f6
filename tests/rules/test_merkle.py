"""Merkle trees, compared with a literal implementation of the definitions of RFC 9162 (section 2.1)."""

import hashlib
from collections.abc import Sequence

import pytest

from fsm import merkle

LEAVES = [merkle.leaf_hash(str(number).encode()) for number in range(70)]


def defined_root(leaves: Sequence[bytes]) -> bytes:
    """Return the RFC's MTH."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + defined_root(leaves[:split]) + defined_root(leaves[split:])).digest()


def defined_consistency(old: int, leaves: Sequence[bytes], *, known: bool = True) -> list[bytes]:
    """Return the RFC's SUBPROOF."""
    if old == len(leaves):
        return [] if known else [defined_root(leaves)]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if old <= split:
        return [*defined_consistency(old, leaves[:split], known=known), defined_root(leaves[split:])]
    return [*defined_consistency(old - split, leaves[split:], known=False), defined_root(leaves[:split])]


@pytest.mark.parametrize("size", range(70))
def test_the_root_is_as_defined_and_grows_with_the_frontier(size: int) -> None:
    assert merkle.root(LEAVES[:size]) == defined_root(LEAVES[:size])
    subtrees = merkle.subtrees_of(size)
    roots = [defined_root(LEAVES[position << level : (position + 1) << level]) for level, position in subtrees]
    assert merkle.Frontier(size, roots).root() == defined_root(LEAVES[:size])


def test_a_leaf_is_found_at_its_index_and_nowhere_else() -> None:
    for size in (1, 2, 3, 7, 8, 9, 33):
        root = defined_root(LEAVES[:size])
        for index in range(size):
            path = merkle.inclusion_path(LEAVES[:size], index)
            for other in range(-1, size + 1):
                assert merkle.is_included(LEAVES[index], other, size, path, root) == (other == index)
            assert not merkle.is_included(LEAVES[40], index, size, path, root)
            assert not merkle.is_included(LEAVES[index], index, size, [*path, LEAVES[0]], root)
            assert not path or not merkle.is_included(LEAVES[index], index, size, path[:-1], root)


def test_a_tree_that_grew_is_consistent_and_a_rewritten_one_is_not() -> None:
    for new in range(1, 35):
        root = defined_root(LEAVES[:new])
        for old in range(new + 1):
            path = defined_consistency(old, LEAVES[:new]) if old else []
            before = defined_root(LEAVES[:old])
            assert merkle.is_consistent(old, before, new, root, path)
            assert not merkle.is_consistent(old, LEAVES[69], new, root, path)
            assert not merkle.is_consistent(old, before, new, LEAVES[69], path) or old == 0
            assert not merkle.is_consistent(old, before, new, root, [*path, LEAVES[69]])


def test_the_frontier_tells_every_node_that_becomes_complete() -> None:
    frontier = merkle.Frontier()
    nodes: dict[tuple[int, int], bytes] = {}
    for leaf in LEAVES:
        nodes |= {(level, position): node for level, position, node in frontier.append(leaf)}
    for (level, position), node in nodes.items():
        assert node == defined_root(LEAVES[position << level : (position + 1) << level])
    assert len(nodes) == sum(len(LEAVES) >> level for level in range(7))
