"""How a tree's values are read from a profile, and when two of them may be compared."""

import datetime as dt
import math
import operator
from collections.abc import Callable
from typing import Any

from functions.domain.instants import DAY, Instant, InstantError, parse_instant, whole_days
from functions.domain.profiles import Profile
from functions.domain.segments.tree import Tree

Reader = Callable[[Profile, Instant], Any]
"""Gives a scalar or an instant; None where the profile does not say."""

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

_DAYS_MAX = 4_000_000  # more than lie between any two instants, and a timedelta still holds it


def types_like(value: object) -> tuple[type, ...]:
    """The types that a value may be compared with: numbers with numbers, else only its own."""
    return (int, float) if type(value) in (int, float) else (type(value),)


def comparable(left: object, right: object, sign: str) -> bool:
    """Whether the comparison means anything: neither missing, both of one kind, and no order among booleans."""
    if type(left) not in (int, float, str, bool, dt.datetime) or type(right) not in types_like(left):
        return False
    return type(left) is not bool or sign in ("==", "!=")


def days_within(number: float) -> float:
    """The number, drawn in to what a span of days can hold; comparisons with real ages stay the same."""
    return max(-_DAYS_MAX, min(_DAYS_MAX, number))


def days_at_least(number: float) -> dt.timedelta:
    """The age from which whole days are >= the number."""
    return math.ceil(days_within(number)) * DAY


def days_above(number: float) -> dt.timedelta:
    """The age from which whole days are > the number."""
    return (math.floor(days_within(number)) + 1) * DAY


def reader(tree: Tree) -> Reader:
    """How to read one value of a tree."""
    match tree:
        case ["const", value]:
            return lambda _profile, _now: value
        case ["count", alias]:
            return lambda profile, _now: tally.count if (tally := profile.tallies.get(alias)) else 0
        case ["first_at" | "last_at" as moment, alias]:
            return _moment(moment, alias)
        case ["sum", alias, name]:
            return lambda profile, _now: tally.sum_of(name) if (tally := profile.tallies.get(alias)) else None
        case ["attribute", name]:
            return lambda profile, _now: profile.attribute(name)
        case ["instant", inner]:
            return _instant(reader(inner))
        case ["days_since", inner]:
            return _days_since(reader(inner))
    raise ValueError(f"{tree!r} is no value of a segment")


def _moment(moment: str, alias: str) -> Reader:
    if moment == "first_at":
        return lambda profile, _now: tally.first_at if (tally := profile.tallies.get(alias)) else None
    return lambda profile, _now: tally.last_at if (tally := profile.tallies.get(alias)) else None


def _instant(inner: Reader) -> Reader:
    """An attribute as an instant; anything else counts as missing."""

    def read(profile: Profile, now: Instant) -> Instant | None:
        value = inner(profile, now)
        if not isinstance(value, str):
            return None
        try:
            return parse_instant(value)
        except (InstantError, OverflowError):
            return None

    return read


def _days_since(inner: Reader) -> Reader:
    def read(profile: Profile, now: Instant) -> int | None:
        since = inner(profile, now)
        return None if since is None else whole_days(since, now)

    return read
