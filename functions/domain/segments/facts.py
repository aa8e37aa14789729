"""Conditions that a profile answers without a comparison: tags, what it has had, consent, the calendar's month."""

import datetime as dt

from functions.domain.instants import Instant
from functions.domain.profiles import Profile
from functions.domain.segments.dates import date_of, local_date
from functions.domain.segments.tree import Tree
from functions.domain.segments.values import Predicate


def compile_fact(tree: Tree) -> Predicate:
    """The predicate of such a condition; ValueError for what is none."""
    match tree:
        case ["tagged", tag]:
            return lambda profile, _now: profile.has_tag(tag)
        case ["indexed", alias, name, value]:
            return _indexed(alias, name, value)
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


def _had(alias: str, names: list[str], value: str) -> Predicate:
    if len(names) == 1:
        return _indexed(alias, names[0], value)

    def holds(profile: Profile, _now: Instant) -> bool:
        tally = profile.tallies.get(alias)
        return tally is not None and any(value in tally.by.get(name, ()) for name in names)

    return holds


def _indexed(alias: str, name: str, value: str) -> Predicate:
    def holds(profile: Profile, _now: Instant) -> bool:
        tally = profile.tallies.get(alias)
        return tally is not None and value in tally.by.get(name, ())

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
