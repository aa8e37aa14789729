"""Tree → predicate: plain closures, chosen once, so that a segment costs a fraction of a microsecond a profile."""

import datetime as dt
from collections.abc import Callable

from functions.domain.context import EMPTY, Context
from functions.domain.events import Scalar
from functions.domain.instants import Instant
from functions.domain.profiles import Profile
from functions.domain.segments.dates import date_of, local_date
from functions.domain.segments.tree import Tree
from functions.domain.segments.values import (
    COMPARE,
    MIRRORED,
    UNITS,
    age_above,
    age_at_least,
    comparable,
    reader,
    types_like,
)

Predicate = Callable[[Profile, Instant], bool]


def compile_predicate(tree: Tree, context: Context = EMPTY) -> Predicate:
    """The predicate of an inlined tree, with the context facts known now.

    ValueError for what is no tree, or still refers to another segment.
    """
    match tree:
        case ["and", *parts]:
            return _all([compile_predicate(part, context) for part in parts])
        case ["or", *parts]:
            return _any([compile_predicate(part, context) for part in parts])
        case ["not", part]:
            return _not(compile_predicate(part, context))
        case ["cmp", sign, left, right]:
            return _comparison(sign, left, right, context)
        case ["const", bool() as answer]:
            return lambda _profile, _now: answer
    return _fact(tree)


def _fact(tree: Tree) -> Predicate:
    """A condition that the profile answers without a comparison."""
    match tree:
        case ["tagged", tag]:
            return lambda profile, _now: profile.has_tag(tag)
        case ["indexed", alias, name, value]:
            return _had(alias, [name], value)
        case ["had", alias, names, value]:
            return _had(alias, names, value)
        case ["had_in", alias, names, value, seconds]:
            return _had_in(alias, names, value, dt.timedelta(seconds=seconds))
        case ["unfollowed", alias, other, seconds]:
            return _unfollowed(alias, other, dt.timedelta(seconds=seconds))
        case ["month_of", ["date", ["attribute", name]]]:
            return _month_of(name)
        case ["linked"]:
            return lambda profile, _now: profile.linked
        case ["blocked"]:
            return lambda profile, _now: profile.blocked
        case ["consented", purpose]:
            return lambda profile, _now: profile.consented(purpose)
    raise ValueError(f"{tree!r} is no condition of an inlined segment")


def _all(parts: list[Predicate]) -> Predicate:
    if len(parts) == 2:  # noqa: PLR2004 — the commonest case, without a loop
        first, second = parts
        return lambda profile, now: first(profile, now) and second(profile, now)

    def holds(profile: Profile, now: Instant) -> bool:
        for part in parts:  # noqa: SIM110 — a generator costs as much as the parts
            if not part(profile, now):
                return False
        return True

    return holds


def _any(parts: list[Predicate]) -> Predicate:
    def holds(profile: Profile, now: Instant) -> bool:
        for part in parts:  # noqa: SIM110 — a generator costs as much as the parts
            if part(profile, now):
                return True
        return False

    return holds


def _not(part: Predicate) -> Predicate:
    return lambda profile, now: not part(profile, now)


def _had(alias: str, names: list[str], value: str) -> Predicate:
    def holds(profile: Profile, _now: Instant) -> bool:
        tally = profile.tallies.get(alias)
        return tally is not None and any(value in tally.by.get(name, ()) for name in names)

    return holds


def _had_in(alias: str, names: list[str], value: str, span: dt.timedelta) -> Predicate:
    def holds(profile: Profile, now: Instant) -> bool:
        tally = profile.tallies.get(alias)
        last = tally.last_with(names, value) if tally is not None else None
        return last is not None and now - last < span

    return holds


def _unfollowed(alias: str, other: str, span: dt.timedelta) -> Predicate:
    def holds(profile: Profile, now: Instant) -> bool:
        tally = profile.tallies.get(alias)
        if tally is None or now - tally.last_at < span:
            return False
        follower = profile.tallies.get(other)
        return follower is None or follower.last_at < tally.last_at

    return holds


def _month_of(name: str) -> Predicate:
    def holds(profile: Profile, now: Instant) -> bool:
        zone = profile.zone
        date, today = date_of(profile.attribute(name), zone), local_date(now, zone)
        return date is not None and today is not None and date.month == today.month

    return holds


def _comparison(sign: str, left: Tree, right: Tree, context: Context) -> Predicate:
    if left[0] == "const" and right[0] != "const":
        return _comparison(MIRRORED[sign], right, left, context)
    if right[0] == "const" and type(right[1]) in (int, float):
        match left:
            case ["count", alias]:
                return _count(sign, alias, right[1])
            case [
                "days_since" | "hours_since" | "minutes_since" as word,
                ["first_at" | "last_at" as moment, alias],
            ]:
                return _age(sign, UNITS[word], moment, alias, right[1])
    if left[0] == "attribute" and right[0] == "const":
        return _attribute(sign, left[1], right[1])
    return _compared(sign, left, right, context)


def _count(sign: str, alias: str, number: float) -> Predicate:
    compare = COMPARE[sign]

    def holds(profile: Profile, _now: Instant) -> bool:
        tally = profile.tallies.get(alias)
        return compare(tally.count if tally is not None else 0, number)

    return holds


def _attribute(sign: str, name: str, value: Scalar) -> Predicate:
    compare, types = COMPARE[sign], types_like(value)
    if not comparable(value, value, sign):
        return lambda _profile, _now: False

    def holds(profile: Profile, _now: Instant) -> bool:
        register = profile.attributes.get(name)
        return register is not None and type(register.value) in types and compare(register.value, value)

    return holds


def _age(sign: str, unit: dt.timedelta, moment: str, alias: str, number: float) -> Predicate:
    """Whole units compared with a number, as spans of time compared with its bounds: no division a profile."""
    at_least, above = age_at_least(number, unit), age_above(number, unit)
    read = reader([moment, alias], EMPTY)

    def within(profile: Profile, now: Instant) -> bool:
        since = read(profile, now)
        return since is not None and at_least <= now - since < above

    def without(profile: Profile, now: Instant) -> bool:
        since = read(profile, now)
        return since is not None and not at_least <= now - since < above

    if sign in ("==", "!="):
        return within if sign == "==" else without
    bound = at_least if sign in (">=", "<") else above
    compare = COMPARE[">=" if sign in (">=", ">") else "<"]
    last = moment == "last_at"

    def holds(profile: Profile, now: Instant) -> bool:
        tally = profile.tallies.get(alias)
        return tally is not None and compare(now - (tally.last_at if last else tally.first_at), bound)

    return holds


def _compared(sign: str, left: Tree, right: Tree, context: Context) -> Predicate:
    compare = COMPARE[sign]
    read_left, read_right = reader(left, context), reader(right, context)

    def holds(profile: Profile, now: Instant) -> bool:
        one, other = read_left(profile, now), read_right(profile, now)
        return comparable(one, other, sign) and compare(one, other)

    return holds
