"""Local days: when each begins, worked out in the account's zone, so that SQL needs no zones."""

import datetime as dt
from zoneinfo import ZoneInfo

from functions.domain.instants import Instant


def day_begins(day: dt.date, zone: str) -> Instant:
    """The first instant (UTC) of a local day."""
    return dt.datetime.combine(day, dt.time(), ZoneInfo(zone)).astimezone(dt.UTC)


def local_day(instant: Instant, zone: str) -> dt.date:
    """The local day that an instant is in."""
    return instant.astimezone(ZoneInfo(zone)).date()


def last_day_over(now: Instant, zone: str) -> dt.date:
    """The last local day that is over."""
    return local_day(now, zone) - dt.timedelta(days=1)
