"""Instants and spans of time as people write them."""

import datetime as dt
import re

from ops.engine.errors import LocalError

UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
SPAN = re.compile(r"(?:\d+[dhms])+")
PART = re.compile(r"(\d+)([dhms])")


def parse_span(text: str) -> dt.timedelta:
    """`7d`, `12h`, `30m`, `90s`, or several in a row as `1d12h`. LocalError for anything else."""
    if not SPAN.fullmatch(text):
        raise LocalError(f"A span of time is written as 7d, 12h, 30m or 90s, not as {text!r}.")
    return sum(
        (dt.timedelta(**{UNITS[unit]: int(count)}) for count, unit in PART.findall(text)), dt.timedelta()
    )


def parse_instant(text: str) -> dt.datetime:
    """An ISO 8601 instant with its offset, in UTC. LocalError where it is none, or names no offset."""
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError:
        raise LocalError(f"An instant is written as 2026-11-22T10:00:00Z, not as {text!r}.") from None
    if instant.tzinfo is None:
        raise LocalError(f"The instant {text!r} names no offset: end it with Z for UTC, or with +09:00.")
    return instant.astimezone(dt.UTC)


def text_of(instant: dt.datetime) -> str:
    """ISO 8601 in UTC, ending in Z; fractions only where there are any."""
    return instant.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
