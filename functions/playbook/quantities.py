"""Durations, clock times and rules as marketers write them: `3h`, `"10:00"`, `after 90d`."""

import datetime as dt
import re
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from functions.domain.instants import InstantError, parse_instant

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DURATION = re.compile(r"([0-9]{1,6})([smhd])")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_LENGTH = {"type": "string", "pattern": f"^{_DURATION.pattern}$"}
_LOCAL_FORMAT = "%Y-%m-%d %H:%M"

DURATION_SECONDS_MAX = 400 * 86_400
EXPIRES_SECONDS_MAX = 8 * 86_400
REENTRY_SECONDS_MIN = 3_600


def seconds_of(value: Any) -> int:
    """A duration such as `3h` in seconds; ValueError otherwise."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is no duration; write it like 90s, 30m, 3h or 7d")
    seconds = int(match[1]) * _SECONDS[match[2]]
    if not 0 < seconds <= DURATION_SECONDS_MAX:
        raise ValueError(
            f"{value!r} is no length of time that is waited for; write more than 0s and at most 400d"
        )
    return seconds


def duration_of(seconds: int) -> str:
    """Seconds as people write them, in the largest unit that leaves no rest: 3600 → 1h."""
    unit = next(one for one in "dhms" if seconds % _SECONDS[one] == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"


def _short(seconds: int) -> int:
    if seconds > EXPIRES_SECONDS_MAX:
        raise ValueError("a message may wait at most 8d to be sent; write 8d or less")
    return seconds


def _clock(value: Any) -> dt.time:
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f'{value!r} is no time of day; write it like "09:30"')
    return dt.time(int(match[1]), int(match[2]))


def _reentry(value: Any) -> int | None:
    if value == "never":
        return None
    if isinstance(value, str) and value.startswith("after "):
        seconds = seconds_of(value.removeprefix("after ").strip())
        if seconds < REENTRY_SECONDS_MIN:
            raise ValueError(f"{value!r} lets people come round and round; write after 1h or more")
        return seconds
    raise ValueError(f"{value!r} is no re-entry rule; write never, or after 90d")


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{value!r} is no time zone; write one like Asia/Tokyo") from None
    return value


def instant_in(text: str, zone: str) -> dt.datetime:
    """`2026-11-27 12:00` on the zone's clock, or an instant with its offset, in UTC; ValueError otherwise."""
    try:
        local = dt.datetime.strptime(text, _LOCAL_FORMAT).replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        try:
            return parse_instant(text)
        except InstantError:
            raise ValueError(f'{text!r} is no instant; write it like "2026-11-27 12:00"') from None
    return local.astimezone(dt.UTC)


def _moment(value: str) -> str:
    instant_in(value, "UTC")
    return value


def _share(value: Any) -> float:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,2}%", value):
        raise ValueError(f"{value!r} is no share; write one like 50%")
    return float(value[:-1])


_KEPT = re.compile(r"([0-9]{1,5})([dy])")
YEAR_DAYS = 365
RETAINED_DAYS_MAX = 50 * YEAR_DAYS


def retained_seconds_of(value: Any) -> int:
    """How long something is kept, such as `400d` or `5y` (years of 365 days), in seconds; ValueError otherwise."""
    match = _KEPT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is no length of time that rows are kept; write it like 400d or 5y")
    days = int(match[1]) * (YEAR_DAYS if match[2] == "y" else 1)
    if not 0 < days <= RETAINED_DAYS_MAX:
        raise ValueError(f"{value!r} is not kept track of; write more than 0d and at most 50y")
    return days * 86_400


Retained = Annotated[
    int,
    BeforeValidator(retained_seconds_of),
    WithJsonSchema({"type": "string", "pattern": f"^{_KEPT.pattern}$"}),
]
Duration = Annotated[int, BeforeValidator(seconds_of), WithJsonSchema(_LENGTH)]
"""Seconds, written like `3h`."""
Expiry = Annotated[int, BeforeValidator(seconds_of), AfterValidator(_short), WithJsonSchema(_LENGTH)]
"""Seconds, at most eight days."""
Clock = Annotated[
    dt.time, BeforeValidator(_clock), WithJsonSchema({"type": "string", "pattern": f"^{_CLOCK.pattern}$"})
]
Reentry = Annotated[
    int | None,
    BeforeValidator(_reentry),
    WithJsonSchema({"type": "string", "pattern": f"^(never|after +{_DURATION.pattern})$"}),
]
Percent = Annotated[float, Field(gt=0, lt=100)]
Share = Annotated[
    float,
    BeforeValidator(_share),
    Field(gt=0, lt=100),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,2}%$"}),
]
"""Percent, written like `50%`."""
Zone = Annotated[str, AfterValidator(_zone)]
Moment = Annotated[str, AfterValidator(_moment)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
