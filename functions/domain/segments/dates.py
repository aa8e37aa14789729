"""Local calendar days: which day it is where the customer lives, and when the next one begins there."""

import calendar
import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from functions.domain.events import is_date
from functions.domain.instants import DAY, EARLIEST, Instant, InstantError, parse_instant

_ORDINAL_MAX = dt.date.max.toordinal()
_MIDNIGHTS_NEAR = 5
"""More than begin, anywhere, between two days before a date's midnight in UTC and the date's own beginning."""


def local_date(now: Instant, zone: str) -> dt.date | None:
    """The day on the zone's calendar; None beyond the calendar's ends."""
    try:
        return now.astimezone(ZoneInfo(zone)).date()
    except OverflowError:
        return None


def next_local_date(now: Instant, zone: str) -> Instant | None:
    """The first instant after `now` at which the zone's calendar shows another day; None beyond the calendar's end.

    Days without a midnight, days that are skipped and clocks that are set back over midnight are taken as they come.
    """
    tz = ZoneInfo(zone)
    try:
        local = now.astimezone(tz)
        offset = local.utcoffset() or dt.timedelta()
        midnight = dt.datetime.combine(local.date() + DAY, dt.time(), dt.UTC) - offset
        if midnight.astimezone(tz).utcoffset() == offset:
            return midnight
        turn = _offset_change(now, midnight, tz)
        return turn if turn.astimezone(tz).date() != local.date() else next_local_date(turn, zone)
    except OverflowError:
        return None


def _offset_change(low: Instant, high: Instant, tz: ZoneInfo) -> Instant:
    """The first whole second in (low, high] at which the offset is no longer that of `low`."""
    low, before = low.replace(microsecond=0), low.astimezone(tz).utcoffset()
    while (seconds := (high - low) // dt.timedelta(seconds=1)) > 1:
        middle = low + dt.timedelta(seconds=seconds // 2)
        if middle.astimezone(tz).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


def beginnings(now: Instant, zone: str, ordinals: Iterator[int]) -> Iterator[Instant]:
    """Instants after `now` at which a local day begins, among them those at which these days do."""
    for ordinal in ordinals:
        if not 3 <= ordinal <= _ORDINAL_MAX:  # noqa: PLR2004 — two days are stepped back
            continue
        at: Instant | None = max(now, EARLIEST + (ordinal - 3) * DAY)
        for _ in range(_MIDNIGHTS_NEAR):
            at = next_local_date(at, zone) if at is not None else None
            if at is not None:
                yield at


def date_of(value: object, zone: str) -> dt.date | None:
    """The date that a text says; of an instant, its day in the zone; None for anything else."""
    if not isinstance(value, str):
        return None
    if is_date(value):
        return dt.date.fromisoformat(value)
    try:
        return local_date(parse_instant(value), zone)
    except InstantError:
        return None


def anniversary(date: dt.date, year: int) -> dt.date:
    """The day on which a date is kept in a year: 29 February on the 28th where there is no 29th."""
    return date.replace(year=year, day=min(date.day, calendar.monthrange(year, date.month)[1]))


def days_until_anniversary(date: dt.date, today: dt.date) -> int | None:
    """Calendar days to the next anniversary, 0 on the day; None where the calendar ends before."""
    this = anniversary(date, today.year)
    if this < today:
        if today.year == dt.MAXYEAR:
            return None
        this = anniversary(date, today.year + 1)
    return (this - today).days
