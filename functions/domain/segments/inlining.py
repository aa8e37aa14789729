"""Segments that refer to segments, resolved: every reference gives way to what it refers to."""

from collections.abc import Mapping

from functions.domain.segments.tree import SegmentError, Tree, segments_in, subtrees

NODES_MAX = 2_000


def inlined(tree: Tree, segments: Mapping[str, Tree]) -> Tree:
    """The tree without references. SegmentError for an unknown name, a circle, or a result of > 2,000 nodes."""
    _bounded(tree, segments, {}, ())
    return _replaced(tree, segments)


def _bounded(tree: Tree, segments: Mapping[str, Tree], sizes: dict[str, int], path: tuple[str, ...]) -> int:
    """How many nodes the result will have, found without building it: doubling references grow exponentially."""
    size = sum(1 for _ in subtrees(tree))
    for node in subtrees(tree):
        if node[0] == "segment":
            size += _size_of(node[1], segments, sizes, path)
    if size > NODES_MAX:
        raise SegmentError(f"this expands to more than {NODES_MAX} parts; refer to fewer segments", 1)
    return size


def _size_of(name: str, segments: Mapping[str, Tree], sizes: dict[str, int], path: tuple[str, ...]) -> int:
    if name in path:
        circle = " → ".join((*path[path.index(name) :], name))
        raise SegmentError(f"segments refer to each other in a circle: {circle}; take one reference out", 1)
    if name not in segments:
        raise SegmentError(f"there is no segment {name!r}; define it, or write its expression here", 1)
    if name not in sizes:
        sizes[name] = _bounded(segments[name], segments, sizes, (*path, name))
    return sizes[name]


def _replaced(tree: Tree, segments: Mapping[str, Tree]) -> Tree:
    if tree[0] == "segment":
        return _replaced(segments[tree[1]], segments)
    if not segments_in(tree):
        return tree
    return [_replaced(part, segments) if isinstance(part, list) else part for part in tree]
