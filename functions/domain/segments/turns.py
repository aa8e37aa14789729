"""When one condition of a segment changes its answer: at the end of a window, at an age, at a local midnight."""

import datetime as dt
import math
from collections.abc import Callable, Iterable, Iterator

from functions.domain.context import Context
from functions.domain.instants import EARLIEST, LATEST, Instant
from functions.domain.profiles import Profile
from functions.domain.segments.dates import anniversary, beginnings, date_of, local_date
from functions.domain.segments.evaluation import compile_predicate
from functions.domain.segments.tree import AGES, Tree
from functions.domain.segments.values import (
    UNITS,
    Predicate,
    Reader,
    age_above,
    age_at_least,
    first_within,
    reader,
)

NextChange = Callable[[Profile, Instant], Instant | None]
Turns = Callable[[Profile, Instant, float], Iterable[Instant]]
"""The instants at which an age comes to be >= a number, or > it; others may be among them."""
Steps = Callable[[Profile, Instant], list[Instant]]
"""All instants after now at which a value changes by time alone, where there are so few that they can be listed."""

_YEARS_AHEAD = 10
"""A day of the year that only leap years have comes again after at most eight years."""


def leaf_change(tree: Tree, context: Context) -> NextChange | None:
    """`next_change` of a condition without and, or, not; None where time alone never changes it."""
    holds = compile_predicate(tree, context)
    match tree:
        case ["cmp", _, left, right]:
            return _comparison(holds, left, right, context)
        case ["had_in", alias, names, value, seconds]:
            return _at_age(holds, reader(["last_with", alias, names, value], context), seconds)
        case ["unfollowed", alias, _, seconds]:
            return _at_age(holds, reader(["last_at", alias], context), seconds)
        case ["month_of", ["date", inner]]:
            return _in_month(holds, reader(inner, context))
    return None


def _first(holds: Predicate, profile: Profile, now: Instant, candidates: Iterable[Instant]) -> Instant | None:
    """The first of the candidates, which come in order, at which the answer is not now's."""
    before = holds(profile, now)
    return next((at for at in candidates if at > now and holds(profile, at) != before), None)


def _after(since: Instant, span: dt.timedelta) -> Iterator[Instant]:
    """The instant at which something is so old; none beyond the calendar."""
    if (LATEST - since if span > dt.timedelta() else since - EARLIEST) >= abs(span):
        yield since + span


def _at_age(holds: Predicate, since: Reader, seconds: int) -> NextChange:
    span = dt.timedelta(seconds=seconds)

    def change(profile: Profile, now: Instant) -> Instant | None:
        start = since(profile, now)
        return None if start is None else _first(holds, profile, now, _after(start, span))

    return change


def _in_month(holds: Predicate, date: Reader) -> NextChange:
    def change(profile: Profile, now: Instant) -> Instant | None:
        zone = profile.zone
        day, today = date_of(date(profile, now), zone), local_date(now, zone)
        if day is None or today is None:
            return None
        firsts = (
            dt.date(year, month, 1).toordinal()
            for year in range(today.year, min(today.year + 2, dt.MAXYEAR + 1))
            for month in sorted({day.month, day.month % 12 + 1})
        )
        return _first(holds, profile, now, beginnings(now, zone, _from(today, firsts)))

    return change


def _from(today: dt.date, ordinals: Iterable[int]) -> Iterator[int]:
    """Today, which a clock that is set back may leave and enter again, and what comes after it."""
    yield today.toordinal()
    yield from (ordinal for ordinal in ordinals if ordinal > today.toordinal())


def _comparison(holds: Predicate, left: Tree, right: Tree, context: Context) -> NextChange | None:
    if left[0] in AGES and right[0] in AGES:
        raise ValueError(f"{left!r} and {right!r} both move with time; a segment compares one of them")
    age, other = (right, left) if right[0] in AGES else (left, right)
    turns = _turns(age, context)
    steps = [step for step in (_steps(left, context), _steps(right, context)) if step]
    if turns is None and not steps:
        return None
    limit = reader(other, context)

    def change(profile: Profile, now: Instant) -> Instant | None:
        before, at = holds(profile, now), now
        for step in [*sorted({one for listed in steps for one in listed(profile, now)}), None]:
            number = limit(profile, at)
            if turns is not None and type(number) in (int, float) and math.isfinite(number):
                for turn in turns(profile, at, number):
                    if step is not None and turn >= step:
                        break
                    if turn > at and holds(profile, turn) != before:
                        return turn
            if step is not None and holds(profile, step) != before:
                return step
            at = step or at
        return None

    return change


def _turns(tree: Tree, context: Context) -> Turns | None:
    match tree:
        case ["days_since" | "hours_since" | "minutes_since" as word, inner]:
            return _elapsed(reader(inner, context), UNITS[word])
        case ["days_until", ["date", inner]]:
            return _days_until(reader(inner, context))
        case ["days_until_anniversary", ["date", inner]]:
            return _anniversaries(reader(inner, context))
    return None


def _elapsed(since: Reader, unit: dt.timedelta) -> Turns:
    def turns(profile: Profile, now: Instant, number: float) -> Iterator[Instant]:
        start = since(profile, now)
        if start is not None:
            yield from _after(start, age_at_least(number, unit))
            yield from _after(start, age_above(number, unit))

    return turns


def _days_until(date: Reader) -> Turns:
    def turns(profile: Profile, now: Instant, number: float) -> Iterator[Instant]:
        zone = profile.zone
        day, today = date_of(date(profile, now), zone), local_date(now, zone)
        if day is not None and today is not None:
            yield from beginnings(now, zone, _from(today, _passings(day, number)))

    return turns


def _passings(day: dt.date, number: float) -> list[int]:
    """The days from which there are no longer so many, or more, days until a day; in order."""
    ordinal = day.toordinal()
    return sorted({ordinal - math.ceil(number) + 1, ordinal - math.floor(number)})


def _anniversaries(date: Reader) -> Turns:
    def turns(profile: Profile, now: Instant, number: float) -> Iterator[Instant]:
        zone = profile.zone
        day, today = date_of(date(profile, now), zone), local_date(now, zone)
        if day is None or today is None:
            return
        years = range(today.year, min(today.year + _YEARS_AHEAD, dt.MAXYEAR + 1))
        kept = [anniversary(day, year) for year in years]
        days = {ordinal for one in kept for ordinal in (one.toordinal() + 1, *_passings(one, number))}
        yield from beginnings(now, zone, _from(today, sorted(days)))

    return turns


def _steps(tree: Tree, context: Context) -> Steps | None:
    match tree:
        case ["count_in", alias, seconds] | ["sum_in", alias, _, seconds]:
            return _window_ends(alias, dt.timedelta(seconds=seconds))
        case ["context", name, key]:
            return _fact_ends(name, reader(key, context), context)
    return None


def _window_ends(alias: str, span: dt.timedelta) -> Steps:
    def steps(profile: Profile, now: Instant) -> list[Instant]:
        tally = profile.tallies.get(alias)
        if tally is None:
            return []
        within = tally.kept[first_within(tally, span, now) :]
        return [at for one in within for at in _after(one.at, span)]

    return steps


def _fact_ends(name: str, key: Reader, context: Context) -> Steps:
    def steps(profile: Profile, now: Instant) -> list[Instant]:
        at = key(profile, now)
        fact = context.get(name, {}).get(at) if isinstance(at, str) else None
        ends = (fact.since, fact.until) if fact else ()
        return [end for end in ends if end is not None and end > now]

    return steps
