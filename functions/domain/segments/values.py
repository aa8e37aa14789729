"""How a tree's values are read from a profile, and when two of them may be compared."""

import datetime as dt
import math
import operator
from collections.abc import Callable
from typing import Any

from functions.domain.context import Context, fact_value
from functions.domain.instants import DAY, EARLIEST, MINUTE, Instant, InstantError, parse_instant
from functions.domain.profiles import Profile
from functions.domain.segments.dates import date_of, days_until_anniversary, local_date
from functions.domain.segments.tree import AGES, Tree
from functions.domain.tallies import Tally, in_units

Predicate = Callable[[Profile, Instant], bool]
Reader = Callable[[Profile, Instant], Any]
"""Gives a scalar, an instant or a date; None where the profile does not say."""

Compare = Callable[[Any, Any], bool]

COMPARE: dict[str, Compare] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
UNITS = {"days_since": DAY, "hours_since": 60 * MINUTE, "minutes_since": MINUTE}

_SPAN_MAX = 4_000_000 * DAY  # more than lies between any two instants, and a timedelta still holds it


def types_like(value: object) -> tuple[type, ...]:
    """The types that a value may be compared with: numbers with numbers, else only its own."""
    return (int, float) if type(value) in (int, float) else (type(value),)


def comparable(left: object, right: object, sign: str) -> bool:
    """Whether the comparison means anything: neither missing, both of one kind, and no order among booleans."""
    if type(left) not in (int, float, str, bool, dt.datetime) or type(right) not in types_like(left):
        return False
    return type(left) is not bool or sign in ("==", "!=")


def _drawn_in(number: float, unit: dt.timedelta) -> float:
    """The number, drawn in to what a span of units can hold; comparisons with real ages stay the same."""
    most = _SPAN_MAX // unit
    return max(-most, min(most, number))


def age_at_least(number: float, unit: dt.timedelta) -> dt.timedelta:
    """The age from which whole units are >= the number."""
    return math.ceil(_drawn_in(number, unit)) * unit


def age_above(number: float, unit: dt.timedelta) -> dt.timedelta:
    """The age from which whole units are > the number."""
    return (math.floor(_drawn_in(number, unit)) + 1) * unit


def first_within(tally: Tally, span: dt.timedelta, now: Instant) -> int:
    """The index of the first kept occurrence whose age is less than the span."""
    return tally.since(now - span) if now - EARLIEST >= span else 0


def reader(tree: Tree, context: Context) -> Reader:
    """How to read one value of a tree."""
    match tree:
        case ["const", value]:
            return lambda _profile, _now: value
        case ["attribute", name]:
            return lambda profile, _now: profile.attribute(name)
        case ["context", name, key]:
            return _context(name, reader(key, context), context)
        case ["instant", inner]:
            return _instant(reader(inner, context))
        case [word, *_] if word in AGES:
            return _age(tree, context)
    return _of_tally(tree)


def _of_tally(tree: Tree) -> Reader:
    match tree:
        case ["count", alias]:
            return lambda profile, _now: tally.count if (tally := profile.tallies.get(alias)) else 0
        case ["first_at" | "last_at" as moment, alias]:
            return _moment(moment, alias)
        case ["sum", alias, name]:
            return lambda profile, _now: tally.sum_of(name) if (tally := profile.tallies.get(alias)) else None
        case ["count_in", alias, seconds]:
            return _count_in(alias, dt.timedelta(seconds=seconds))
        case ["sum_in", alias, name, seconds]:
            return _sum_in(alias, name, dt.timedelta(seconds=seconds))
        case ["last_with", alias, names, value]:
            return lambda profile, _now: (
                tally.last_with(names, value) if (tally := profile.tallies.get(alias)) else None
            )
    raise ValueError(f"{tree!r} is no value of a segment")


def _age(tree: Tree, context: Context) -> Reader:
    match tree:
        case ["days_since" | "hours_since" | "minutes_since" as word, inner]:
            return _elapsed(reader(inner, context), UNITS[word])
        case ["days_until", ["date", inner]]:
            return _days_until(reader(inner, context))
        case ["days_until_anniversary", ["date", inner]]:
            return _days_until_anniversary(reader(inner, context))
    raise ValueError(f"{tree!r} is no value of a segment")


def _moment(moment: str, alias: str) -> Reader:
    if moment == "first_at":
        return lambda profile, _now: tally.first_at if (tally := profile.tallies.get(alias)) else None
    return lambda profile, _now: tally.last_at if (tally := profile.tallies.get(alias)) else None


def _count_in(alias: str, span: dt.timedelta) -> Reader:
    def read(profile: Profile, now: Instant) -> int:
        tally = profile.tallies.get(alias)
        return len(tally.kept) - first_within(tally, span, now) if tally is not None else 0

    return read


def _sum_in(alias: str, name: str, span: dt.timedelta) -> Reader:
    # The last answer: who follows one customer through time takes off what leaves the window, and adds up nothing anew.
    last: tuple[Tally, int, int] | None = None

    def read(profile: Profile, now: Instant) -> int | float | None:
        nonlocal last
        tally = profile.tallies.get(alias)
        if tally is None or name not in tally.sums:
            return None
        start, known = first_within(tally, span, now), last
        if known is not None and known[0] is tally and known[1] <= start:
            total = known[2] - _added_up(tally, name, known[1], start)
        else:
            total = _added_up(tally, name, start, len(tally.kept))
        last = (tally, start, total)
        return in_units(total)

    return read


def _added_up(tally: Tally, name: str, start: int, end: int) -> int:
    return sum(occurrence.sums.get(name, 0) for occurrence in tally.kept[start:end])


def _context(name: str, key: Reader, context: Context) -> Reader:
    def read(profile: Profile, now: Instant) -> Any:
        at = key(profile, now)
        return fact_value(context, name, at, now) if isinstance(at, str) else None

    return read


def _instant(inner: Reader) -> Reader:
    """An attribute as an instant; anything else counts as missing."""

    def read(profile: Profile, now: Instant) -> Instant | None:
        value = inner(profile, now)
        if not isinstance(value, str):
            return None
        try:
            return parse_instant(value)
        except InstantError:
            return None

    return read


def _elapsed(inner: Reader, unit: dt.timedelta) -> Reader:
    def read(profile: Profile, now: Instant) -> int | None:
        since = inner(profile, now)
        return None if since is None else (now - since) // unit

    return read


def _days_until(inner: Reader) -> Reader:
    def read(profile: Profile, now: Instant) -> int | None:
        zone = profile.zone
        date, today = date_of(inner(profile, now), zone), local_date(now, zone)
        return None if date is None or today is None else (date - today).days

    return read


def _days_until_anniversary(inner: Reader) -> Reader:
    def read(profile: Profile, now: Instant) -> int | None:
        zone = profile.zone
        date, today = date_of(inner(profile, now), zone), local_date(now, zone)
        return None if date is None or today is None else days_until_anniversary(date, today)

    return read
