"""Tree → predicate: plain closures, chosen once, so that a segment costs a fraction of a microsecond a profile."""

from collections.abc import Callable

from functions.domain.events import Scalar
from functions.domain.instants import Instant
from functions.domain.profiles import Profile
from functions.domain.segments.tree import Tree
from functions.domain.segments.values import (
    COMPARE,
    MIRRORED,
    comparable,
    days_above,
    days_at_least,
    reader,
    types_like,
)

Predicate = Callable[[Profile, Instant], bool]


def compile_predicate(tree: Tree) -> Predicate:
    """The predicate of an inlined tree. ValueError for what is no tree, or still refers to another segment."""
    match tree:
        case ["and", *parts]:
            return _all([compile_predicate(part) for part in parts])
        case ["or", *parts]:
            return _any([compile_predicate(part) for part in parts])
        case ["not", part]:
            return _not(compile_predicate(part))
        case ["cmp", sign, left, right]:
            return _comparison(sign, left, right)
        case ["tagged", tag]:
            return lambda profile, _now: profile.has_tag(tag)
        case ["indexed", alias, name, value]:
            return _indexed(alias, name, value)
        case ["const", bool() as answer]:
            return lambda _profile, _now: answer
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


def _indexed(alias: str, name: str, value: str) -> Predicate:
    def holds(profile: Profile, _now: Instant) -> bool:
        tally = profile.tallies.get(alias)
        return tally is not None and value in tally.by.get(name, ())

    return holds


def _comparison(sign: str, left: Tree, right: Tree) -> Predicate:
    if left[0] == "const" and right[0] != "const":
        return _comparison(MIRRORED[sign], right, left)
    if right[0] == "const" and type(right[1]) in (int, float):
        match left:
            case ["count", alias]:
                return _count(sign, alias, right[1])
            case ["days_since", ["first_at" | "last_at" as moment, alias]]:
                return _age(sign, moment, alias, right[1])
    if left[0] == "attribute" and right[0] == "const":
        return _attribute(sign, left[1], right[1])
    return _compared(sign, left, right)


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


def _age(sign: str, moment: str, alias: str, number: float) -> Predicate:
    """Whole days compared with a number, as spans of time compared with its bounds: no division a profile."""
    at_least, above = days_at_least(number), days_above(number)
    read = reader([moment, alias])

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


def _compared(sign: str, left: Tree, right: Tree) -> Predicate:
    compare = COMPARE[sign]
    read_left, read_right = reader(left), reader(right)

    def holds(profile: Profile, now: Instant) -> bool:
        one, other = read_left(profile, now), read_right(profile, now)
        return comparable(one, other, sign) and compare(one, other)

    return holds
