"""The language once more, as slowly and plainly as it can be said, to hold the fast readings against."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from functions.domain.context import Context
from functions.domain.profiles import Profile, Tally
from functions.domain.segments import Tree

_KINDS = {bool: "boolean", int: "number", float: "number", str: "text", dt.datetime: "time"}
_SECONDS = {"days_since": 86_400, "hours_since": 3_600, "minutes_since": 60}


def plain(tree: Tree, profile: Profile, now: dt.datetime, context: Context) -> bool:
    """What a condition says."""
    match tree:
        case ["and", *parts]:
            return all(plain(part, profile, now, context) for part in parts)
        case ["or", *parts]:
            return any(plain(part, profile, now, context) for part in parts)
        case ["not", part]:
            return not plain(part, profile, now, context)
        case ["cmp", sign, left, right]:
            return _compared(sign, _value(left, profile, now, context), _value(right, profile, now, context))
        case ["const", bool() as answer]:
            return answer
    return _fact(tree, profile, now)


def _fact(tree: Tree, profile: Profile, now: dt.datetime) -> bool:
    match tree:
        case ["tagged", tag]:
            return tag in profile.tag_names
        case ["linked"]:
            return profile.linked
        case ["blocked"]:
            return profile.friend is not None and profile.friend.value is False
        case ["consented", purpose]:
            return purpose in profile.consent and profile.consent[purpose].value is True
        case ["had", alias, names, value]:
            return _last_with(profile, alias, names, value) is not None
        case ["indexed", alias, name, value]:
            return _last_with(profile, alias, [name], value) is not None
        case ["had_in", alias, names, value, seconds]:
            last = _last_with(profile, alias, names, value)
            return last is not None and (now - last).total_seconds() < seconds
        case ["unfollowed", alias, other, seconds]:
            one, follower = profile.tallies.get(alias), profile.tallies.get(other)
            old = one is not None and (now - one.last_at).total_seconds() >= seconds
            return old and not (one and follower and follower.last_at >= one.last_at)
        case ["month_of", ["date", ["attribute", name]]]:
            date, today = _date(profile, name), _today(profile, now)
            return date is not None and date.strftime("%m") == today.strftime("%m")
    raise AssertionError(tree)


def _value(tree: Tree, profile: Profile, now: dt.datetime, context: Context) -> Any:
    match tree:
        case ["const", value]:
            return value
        case ["attribute", name]:
            return profile.attribute(name)
        case ["instant", ["attribute", name]]:
            return _instant(profile.attribute(name))
        case ["context", name, key]:
            at = _value(key, profile, now, context)
            fact = context.get(name, {}).get(at) if isinstance(at, str) else None
            current = fact is not None and fact.since <= now and (fact.until is None or fact.until > now)
            return fact.value if fact and current else None
        case ["days_since" | "hours_since" | "minutes_since" as word, inner]:
            since = _value(inner, profile, now, context)
            return None if since is None else (now - since) // dt.timedelta(seconds=_SECONDS[word])
        case ["days_until", ["date", ["attribute", name]]]:
            date = _date(profile, name)
            return None if date is None else date.toordinal() - _today(profile, now).toordinal()
        case ["days_until_anniversary", ["date", ["attribute", name]]]:
            date = _date(profile, name)
            return None if date is None else _days_to_the_day(date, _today(profile, now))
        case ["last_with", alias, names, value]:
            return _last_with(profile, alias, names, value)
    return _of_tally(tree, profile.tallies.get(tree[1]), now)


def _of_tally(tree: Tree, tally: Tally | None, now: dt.datetime) -> Any:
    if tally is None:
        return 0 if tree[0] in ("count", "count_in") else None
    within = (
        [one for one in tally.kept if (now - one.at).total_seconds() < tree[-1]] if "_in" in tree[0] else []
    )
    match tree:
        case ["count_in", _, _]:
            return len(within)
        case ["sum_in", _, name, _]:
            millionths = [one.sums[name] for one in within if name in one.sums]
            return sum(millionths) / 1_000_000 if name in tally.sums else None
        case ["sum", _, name]:
            return tally.sums[name] / 1_000_000 if name in tally.sums else None
    return getattr(tally, tree[0])


def _last_with(profile: Profile, alias: str, names: list[str], value: str) -> dt.datetime | None:
    tally = profile.tallies.get(alias)
    found = (
        [tally.by[name][value].last_at for name in names if value in tally.by.get(name, {})] if tally else []
    )
    return max(found, default=None)


def _instant(value: Any) -> dt.datetime | None:
    try:
        instant = dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return instant if instant.tzinfo else None


def _today(profile: Profile, now: dt.datetime) -> dt.date:
    return now.astimezone(ZoneInfo(profile.zone)).date()


def _date(profile: Profile, name: str) -> dt.date | None:
    value = profile.attribute(name)
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        year, month, day = map(int, value.split("-"))
        return dt.date(year, month, day)
    instant = _instant(value)
    return None if instant is None else _today(profile, instant)


def _days_to_the_day(date: dt.date, today: dt.date) -> int:
    """By asking day after day."""
    for days in range(367):
        day = today + dt.timedelta(days=days)
        leap = (day + dt.timedelta(days=1)).strftime("%m-%d") == "02-29"
        if date.strftime("%m-%d") == day.strftime("%m-%d"):
            return days
        if date.strftime("%m-%d") == "02-29" and day.strftime("%m-%d") == "02-28" and not leap:
            return days
    raise AssertionError(date)


def _compared(sign: str, left: Any, right: Any) -> bool:
    if left is None or right is None or _KINDS[type(left)] != _KINDS[type(right)]:
        return False
    if isinstance(left, bool) and sign not in ("==", "!="):
        return False
    answers: dict[str, Callable[[], bool]] = {
        "==": lambda: left == right,
        "!=": lambda: left != right,
        "<": lambda: left < right,
        "<=": lambda: left <= right,
        ">": lambda: left > right,
        ">=": lambda: left >= right,
    }
    return answers[sign]()
