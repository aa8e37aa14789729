"""Tree → predicate: plain closures, chosen once, so that a segment costs a fraction of a microsecond a profile."""

import datetime as dt
import math

from functions.domain.context import EMPTY, Context
from functions.domain.events import Scalar
from functions.domain.instants import Instant
from functions.domain.profiles import Profile
from functions.domain.segments.facts import compile_fact
from functions.domain.segments.tree import Tree
from functions.domain.segments.values import (
    COMPARE,
    MIRRORED,
    UNITS,
    Predicate,
    age_above,
    age_at_least,
    comparable,
    reader,
    types_like,
)
from functions.domain.tallies import in_units


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
    return compile_fact(tree)


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


def _comparison(sign: str, left: Tree, right: Tree, context: Context) -> Predicate:
    if left[0] == "const" and right[0] != "const":
        return _comparison(MIRRORED[sign], right, left, context)
    if right[0] == "const" and type(right[1]) in (int, float):
        match left:
            case ["count", alias]:
                return _count(sign, alias, right[1])
            case ["sum", alias, name]:
                return _sum(sign, alias, name, right[1])
            case ["count_in", alias, seconds]:
                return _count_in(sign, alias, dt.timedelta(seconds=seconds), right[1])
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


def _sum(sign: str, alias: str, name: str, number: float) -> Predicate:
    compare = COMPARE[sign]

    def holds(profile: Profile, _now: Instant) -> bool:
        tally = profile.tallies.get(alias)
        millionths = tally.sums.get(name) if tally is not None else None
        return millionths is not None and compare(in_units(millionths), number)

    return holds


def _count_in(sign: str, alias: str, span: dt.timedelta, number: float) -> Predicate:
    """A count within a window is at least n where the n-th newest occurrence is within: nothing is counted."""
    at_least, above = math.ceil(number), math.floor(number) + 1

    def reaches(profile: Profile, now: Instant, count: int) -> bool:
        if count <= 0:
            return True
        tally = profile.tallies.get(alias)
        return tally is not None and len(tally.kept) >= count and now - tally.kept[-count].at < span

    predicates: dict[str, Predicate] = {
        ">=": lambda profile, now: reaches(profile, now, at_least),
        "<": lambda profile, now: not reaches(profile, now, at_least),
        ">": lambda profile, now: reaches(profile, now, above),
        "<=": lambda profile, now: not reaches(profile, now, above),
        "==": lambda profile, now: reaches(profile, now, at_least) and not reaches(profile, now, above),
        "!=": lambda profile, now: not reaches(profile, now, at_least) or reaches(profile, now, above),
    }
    return predicates[sign]


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
