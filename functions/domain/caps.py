"""Caps: how many messages of which kinds and categories within a rolling window, or a calendar period of the customer.

Windows are half-open: a contact exactly one window ago, or in the period before, no longer counts.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Literal
from zoneinfo import ZoneInfo

from functions.domain.gate import Contact
from functions.domain.instants import Instant, local_day_at
from functions.domain.playbook import Cap, Kind

Period = Literal["day", "week", "month"]

MIDNIGHT = dt.time()
WEEK_DAYS = 7
_LONGEST = {
    "day": dt.timedelta(days=1, hours=1),
    "week": dt.timedelta(days=7, hours=1),
    "month": dt.timedelta(days=31, hours=1),
}
"""A period with the hour that the end of summer time adds."""


def period_end(period: Period, at: Instant, zone: str) -> Instant:
    """The local midnight at which the day, ISO week (from Monday) or month of `at` is over."""
    local = at.astimezone(ZoneInfo(zone))
    match period:
        case "day":
            days = 1
        case "week":
            days = WEEK_DAYS - local.weekday()
        case "month":
            first = local.date().replace(day=1)
            days = ((first + dt.timedelta(days=31)).replace(day=1) - local.date()).days
    return local_day_at(at, days, MIDNIGHT, zone)


def counts(cap: Cap, kind: Kind, category: str) -> bool:
    """Whether messages of this kind and category count against the cap, and are held back by it."""
    return kind in cap.kinds and (not cap.categories or category in cap.categories)


def leaves_at(cap: Cap, at: Instant, zone: str) -> Instant:
    """The first instant at which a message of `at` no longer counts."""
    if cap.calendar:
        return period_end(cap.calendar, at, zone)
    return at + dt.timedelta(seconds=cap.window_seconds)


def counted(cap: Cap, contacts: Iterable[Contact], zone: str, now: Instant) -> list[Contact]:
    """The contacts that count against the cap now, in the order in which they leave."""
    mine = [one for one in contacts if counts(cap, one.kind, one.category)]
    return sorted((one for one in mine if leaves_at(cap, one.at, zone) > now), key=lambda one: one.at)


def opens_at(cap: Cap, contacts: Iterable[Contact], zone: str, now: Instant) -> Instant:
    """When the cap lets one more message pass: now, or when enough of what counts has left."""
    inside = counted(cap, contacts, zone, now)
    return leaves_at(cap, inside[-cap.limit].at, zone) if len(inside) >= cap.limit else now


def first_refusal(
    caps: Iterable[Cap], contacts: Sequence[Contact], kind: Kind, category: str, zone: str, now: Instant
) -> tuple[Cap, Instant] | None:
    """The first cap, in the playbook's order, that lets no such message pass now, and when it opens; None: all do."""
    for cap in caps:
        if counts(cap, kind, category):
            opens = opens_at(cap, contacts, zone, now)
            if opens > now:
                return cap, opens
    return None


def longest_window(cap: Cap) -> dt.timedelta:
    """How long a message may count against the cap."""
    return _LONGEST[cap.calendar] if cap.calendar else dt.timedelta(seconds=cap.window_seconds)
