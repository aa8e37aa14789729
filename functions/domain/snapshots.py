"""Full snapshots: who is in this one, who was in the one before, and who is missing now. All in order of the ids."""

import heapq
from collections.abc import Iterable, Iterator

import msgspec

from functions.domain.instants import Instant

ROWS_WITHIN = 50.0
"""By so many percent fewer people than before nobody is taken as missing, where the playbook does not say otherwise."""


class Snapshot(msgspec.Struct, frozen=True):
    """The last full snapshot of a source: its load, its day, what attributes it told, and its people in so many pages."""

    load: str
    as_of: Instant
    attributes: list[str]
    people: int
    pages: int


def merged(runs: Iterable[Iterator[str]]) -> Iterator[str]:
    """Sorted runs → all of them in order, each once."""
    last: str | None = None
    for key in heapq.merge(*runs):
        if key != last:
            yield key
            last = key


def compared(new: Iterator[str], old: Iterator[str]) -> Iterator[tuple[str, bool]]:
    """Every id of either, in order, and whether it is still there."""
    key, was = next(new, None), next(old, None)
    while key is not None or was is not None:
        if key is not None and (was is None or key <= was):
            if key == was:
                was = next(old, None)
            yield key, True
            key = next(new, None)
        elif was is not None:
            yield was, False
            was = next(old, None)


def too_few(people: int, before: int, rows_within: float | None) -> bool:
    """Whether a snapshot has so many fewer people than the one before that rather it is broken than they are gone."""
    share = ROWS_WITHIN if rows_within is None else rows_within
    return people < before * (1 - share / 100)
