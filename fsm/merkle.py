"""Merkle trees as defined in RFC 9162 (Certificate Transparency 2.0), section 2.1, with SHA-256.

The seeds of a chat and the public log use the same trees, so that one function checks both kinds of inclusion proof.
"""

import hashlib
from collections.abc import Iterable, Sequence

EMPTY = hashlib.sha256(b"").digest()
"""Root of the tree without leaves."""
MOST_LEVELS = 64
"""Longest path: a tree has fewer than 2**64 leaves."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf. The prefix byte keeps it apart from an inner node's."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node. The prefix byte keeps it apart from a leaf's."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the inclusion proof of the leaf at ``index``, lowest node first."""
    if len(leaves) == 1:
        return []
    split = split_of(len(leaves))
    if index < split:
        return [*inclusion_path(leaves[:split], index), root(leaves[split:])]
    return [*inclusion_path(leaves[split:], index - split), root(leaves[:split])]


def split_of(size: int) -> int:
    """Return the number of leaves in the left subtree of ``size`` leaves: the largest power of two below ``size``."""
    return 1 << ((size - 1).bit_length() - 1)


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], claimed: bytes) -> bool:
    """Check the inclusion proof (RFC 9162, 2.1.3.2) of ``leaf`` at ``index`` in a tree with root ``claimed``."""
    if not 0 <= index < size:
        return False
    node, last, current = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            current = node_hash(sibling, current)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and current == claimed


def is_consistent(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Check a consistency proof (RFC 9162, 2.1.4.2): the tree of ``new`` leaves begins with the tree of ``old``."""
    if old == new:
        return not path and old_root == new_root
    if old == 0:
        return not path and new > 0 and old_root == EMPTY
    if not 0 < old < new or not path:
        return False
    nodes = list(path)
    if old & (old - 1) == 0:
        nodes.insert(0, old_root)
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = nodes[0]
    for sibling in nodes[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


class Frontier:
    """The complete subtrees of a growing tree, largest first: enough to compute its root and to append a leaf."""

    def __init__(self, size: int = 0, subtrees: Iterable[bytes] = ()) -> None:
        self.size = size
        self.subtrees = list(subtrees)

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf hash. Returns the nodes that this completes: level, position in the level, hash."""
        made = [(0, self.size, leaf)]
        node, level, position = leaf, 0, self.size
        while position & 1:
            node = node_hash(self.subtrees.pop(), node)
            level, position = level + 1, position >> 1
            made.append((level, position, node))
        self.subtrees.append(node)
        self.size += 1
        return made

    def root(self) -> bytes:
        """Return the root of the tree so far."""
        if not self.subtrees:
            return EMPTY
        current = self.subtrees[-1]
        for subtree in reversed(self.subtrees[:-1]):
            current = node_hash(subtree, current)
        return current


def subtrees_of(size: int) -> list[tuple[int, int]]:
    """Return level and position of each complete subtree of a tree of ``size`` leaves, largest first."""
    found, begun = [], 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            found.append((level, begun >> level))
            begun += 1 << level
    return found


def subtrees_of_span(begin: int, end: int) -> list[tuple[int, int]]:
    """Return level and position of the complete subtrees over leaves ``begin`` to ``end``, largest first.

    ``begin`` must be a multiple of the largest subtree's size.
    """
    found = []
    for level, _ in subtrees_of(end - begin):
        found.append((level, begin >> level))
        begin += 1 << level
    return found


def inclusion_spans(index: int, size: int) -> list[tuple[int, int]]:
    """Return the spans of leaves whose hashes form the inclusion proof of a leaf, lowest first."""
    begin, end, spans = 0, size, []
    while end - begin > 1:
        middle = begin + split_of(end - begin)
        if index < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((begin, middle))
            begin = middle
    return spans[::-1]


def consistency_spans(old: int, new: int) -> list[tuple[int, int]]:
    """Return the spans of leaves whose hashes form a consistency proof, lowest first; ``old`` is 1 to ``new - 1``."""
    begin, end, spans = 0, new, []
    while old != end:
        middle = begin + split_of(end - begin)
        if old <= middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((begin, middle))
            begin = middle
    if begin:  # if the old tree is a complete subtree, the verifier has its hash: the old root
        spans.append((begin, end))
    return spans[::-1]
