"""Instants are aware and in UTC; local rules are worked out in an IANA zone."""

import datetime as dt
from zoneinfo import ZoneInfo

Instant = dt.datetime

MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
EARLIEST = dt.datetime.min.replace(tzinfo=dt.UTC)
LATEST = dt.datetime.max.replace(tzinfo=dt.UTC)


class InstantError(ValueError):
    """A text that is no instant; the message says what is expected, `why` the same without the text."""

    def __init__(self, text: object, why: str) -> None:
        super().__init__(f"{text!r} {why}")
        self.why = why


def parse_instant(text: str) -> Instant:
    """An RFC 3339 text with a zone (`2026-11-01T03:04:05Z`) as an aware UTC datetime; InstantError otherwise."""
    try:
        instant = dt.datetime.fromisoformat(text)
    except (ValueError, TypeError):
        raise InstantError(text, "is no instant; write it like 2026-11-01T03:04:05Z.") from None
    if instant.tzinfo is None:
        raise InstantError(text, "has no zone; add Z or an offset such as +09:00.")
    try:
        return instant.astimezone(dt.UTC)
    except OverflowError:
        raise InstantError(text, "lies outside the calendar.") from None


def format_instant(instant: Instant) -> str:
    """RFC 3339 in UTC, `Z`, microseconds only where there are any. Sorts as time does within one precision."""
    return instant.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def from_milliseconds(milliseconds: float) -> Instant:
    """The instant of a LINE webhook's `timestamp` (milliseconds since 1970)."""
    return dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)


def local_day_at(start: Instant, days: int, at: dt.time, zone: str) -> Instant:
    """The instant at which the local clock shows `at`, `days` calendar days after `start`'s local date.

    A time that a change to summer time skips moves on by the gap; one that happens twice is the first of the two.
    """
    tz = ZoneInfo(zone)
    day = start.astimezone(tz).date() + dt.timedelta(days=days)
    return dt.datetime.combine(day, at, tz).astimezone(dt.UTC)


def next_local_time(now: Instant, at: dt.time, zone: str) -> Instant:
    """The first instant after `now` at which the local clock shows `at`; a time that comes twice a day counts twice."""
    candidates = (local_day_at(now, days, at.replace(fold=fold), zone) for days in (0, 1) for fold in (0, 1))
    return next(instant for instant in candidates if instant > now)


def in_daily_window(now: Instant, start: dt.time, end: dt.time, zone: str) -> bool:
    """Whether the local clock is within [start, end); a window may pass midnight; start == end is empty."""
    local = now.astimezone(ZoneInfo(zone)).time()
    if start <= end:
        return start <= local < end
    return local >= start or local < end


def whole_days(since: Instant, now: Instant) -> int:
    """Whole elapsed 24-hour days from `since` to `now`; negative where `since` lies ahead."""
    return (now - since) // DAY


def next_multiple(instant: Instant, step: dt.timedelta) -> Instant:
    """The first instant after this one that is a whole number of steps from 1970: whoever waits so, waits together."""
    return EPOCH + ((instant - EPOCH) // step + 1) * step


def minute_of(instant: Instant) -> Instant:
    """The instant with its seconds cut off: the name of a timer's bucket."""
    return instant.replace(second=0, microsecond=0)
