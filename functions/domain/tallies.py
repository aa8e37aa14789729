"""Tallies: what one kind of event adds up to for one customer, and the single occurrences that windows look at."""

import datetime as dt
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from functions.domain.events import Event, EventType
from functions.domain.instants import EARLIEST, Instant

MILLIONTHS = 1_000_000
KEPT_MAX = 1_000
"""So many of the newest single occurrences are remembered of one kind of event."""
KEPT_LONGER_DAYS = 2
"""An event may lie a day ahead of now: windows are still whole when they end at its instant or a little later."""


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """How often, and when last, one value of an indexed property occurred."""

    count: int
    last_at: Instant


class Occurrence(msgspec.Struct, frozen=True, array_like=True):
    """One event in a window's reach: when, and its summed properties in millionths."""

    at: Instant
    sums: dict[str, int] = {}


class Tally(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one kind of event adds up to.

    `sums` are kept in millionths, as integers, so that they add up the same in whatever order; `by` counts each value
    of each indexed property; `kept` are the newest single occurrences, oldest first, of the last `keep_days` days.
    """

    count: int
    first_at: Instant
    last_at: Instant
    sums: dict[str, int] = {}
    by: dict[str, dict[str, Seen]] = {}
    kept: list[Occurrence] = []
    keep_days: int = 0

    def sum_of(self, name: str) -> int | float | None:
        """The sum of a property in its own unit; whole sums are integers; None where the property never occurred."""
        millionths = self.sums.get(name)
        return None if millionths is None else in_units(millionths)

    def last_with(self, names: Sequence[str], value: str) -> Instant | None:
        """When one of these indexed properties last had the value; None if never."""
        last = None
        for name in names:
            seen = self.by.get(name, {}).get(value)
            if seen is not None and (last is None or seen.last_at > last):
                last = seen.last_at
        return last

    def since(self, cut: Instant) -> int:
        """The index of the first kept occurrence after an instant."""
        return bisect_right(self.kept, cut, key=_instant_of)


def _instant_of(occurrence: Occurrence) -> Instant:
    return occurrence.at


def in_units(millionths: int) -> int | float:
    """Millionths in their own unit; what is whole is an integer."""
    whole, rest = divmod(millionths, MILLIONTHS)
    return whole if not rest else millionths / MILLIONTHS


def in_millionths(value: Any) -> int:
    """A number of an event as an integer that adds up exactly."""
    return value * MILLIONTHS if isinstance(value, int) else round(value * MILLIONTHS)


def counted(old: Tally | None, event: Event, event_type: EventType, less: Mapping[str, int]) -> Tally:
    """The tally with one more event in it, whose sums are lessened by so many millionths."""
    at = event.occurred_at
    own = {
        name: in_millionths(event.properties[name]) - less.get(name, 0)
        for name, kind in event_type.properties.items()
        if kind.sum and event.properties.get(name) is not None
    }
    by = {
        name: {str(event.properties[name]): Seen(1, at)}
        for name, kind in event_type.properties.items()
        if kind.index and event.properties.get(name) is not None
    }
    kept = [Occurrence(at, own)] if event_type.keep_days else []
    return tally_union(old, Tally(1, at, at, own, by, kept, event_type.keep_days))


def tally_union(left: Tally | None, right: Tally) -> Tally:
    """The tally of two disjoint sets of events."""
    if left is None:
        return right
    last_at = max(left.last_at, right.last_at)
    keep_days = max(left.keep_days, right.keep_days)
    return Tally(
        left.count + right.count,
        min(left.first_at, right.first_at),
        last_at,
        {**left.sums, **{name: left.sums.get(name, 0) + value for name, value in right.sums.items()}},
        _by_union(left.by, right.by),
        _remembered(left.kept, right.kept, last_at, keep_days),
        keep_days,
    )


def as_read(tally: Tally, event_type: EventType) -> Tally:
    """The tally as this dictionary reads it, of one that holds more sums and values than it asks for."""
    kinds = event_type.properties
    summed = {name for name, kind in kinds.items() if kind.sum}
    kept = [
        Occurrence(one.at, {name: value for name, value in one.sums.items() if name in summed})
        for one in tally.kept
    ]
    return Tally(
        tally.count,
        tally.first_at,
        tally.last_at,
        {name: value for name, value in tally.sums.items() if name in summed},
        {name: values for name, values in tally.by.items() if name in kinds and kinds[name].index},
        _remembered([], kept, tally.last_at, event_type.keep_days) if event_type.keep_days else [],
        event_type.keep_days,
    )


def _by_union(
    left: dict[str, dict[str, Seen]], right: dict[str, dict[str, Seen]]
) -> dict[str, dict[str, Seen]]:
    by = dict(left)
    for name, values in right.items():
        mine = dict(by.get(name, {}))
        for value, seen in values.items():
            known = mine.get(value)
            mine[value] = (
                seen if known is None else Seen(known.count + seen.count, max(known.last_at, seen.last_at))
            )
        by[name] = mine
    return by


def _remembered(
    left: list[Occurrence], right: list[Occurrence], last_at: Instant, keep_days: int
) -> list[Occurrence]:
    """The newest occurrences of both sides. Of one instant they go by content, so that no order of arrival shows."""
    if not left and not right:
        return []
    reach = dt.timedelta(days=keep_days + KEPT_LONGER_DAYS)
    cut = last_at - reach if last_at - EARLIEST > reach else None
    kept = [one for one in (*left, *right) if cut is None or one.at > cut]
    return sorted(kept, key=lambda one: (one.at, sorted(one.sums.items())))[-KEPT_MAX:]
