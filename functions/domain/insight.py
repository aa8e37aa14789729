"""LINE's own figures by aggregation unit: which units to ask for, over which days, and the row that comes of an answer."""

import datetime as dt
from collections.abc import Iterable, Sequence

import msgspec

from functions.domain.aggregation_units import JAPAN, Unit
from functions.domain.facts import Insight
from functions.domain.instants import Instant
from functions.domain.sends import EXPIRES_MAX

UPDATED_FOR = dt.timedelta(days=14)
"""So long after a message was sent its figures still change (Messaging API reference, statistics per unit)."""
DAYS_ASKED_MAX = 30
"""LINE answers for so many days at once. What a unit bears later than that is not in its figures."""
CALLS_AN_HOUR_MAX = 50
"""Of LINE's 60: somebody may look at the same figures by hand."""


class Figures(msgspec.Struct, frozen=True):
    """What LINE tells of one unit; None where it tells nothing: of fewer than 20 people."""

    opened: int | None = None
    clicked: int | None = None


class Progress(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far the asking of one day has come: the units whose figures are kept, and how many calls each hour was given."""

    done: list[str] = []
    calls: dict[str, int] = {}


def day_in_japan(at: Instant) -> dt.date:
    """LINE's calendar day."""
    return at.astimezone(JAPAN).date()


def months_asked(day: dt.date) -> list[str]:
    """The months whose units may still change on a day."""
    earliest = day - UPDATED_FOR - EXPIRES_MAX
    return list(dict.fromkeys(one.strftime("%Y-%m") for one in (earliest.replace(day=1), day.replace(day=1))))


def asked_on(units: Iterable[Unit], day: dt.date, progress: Progress) -> list[Unit]:
    """The units to ask for on a day that were not asked for yet, the same order each time."""
    done = set(progress.done)
    open_units = {unit.name: unit for unit in units if unit.name not in done and day <= _last_change(unit)}
    return [open_units[name] for name in sorted(open_units)]


def _last_change(unit: Unit) -> dt.date:
    """The last day on which a unit's figures may change: a run's messages are made at once, a step's all through the
    month that its name belongs to."""
    made = day_in_japan(unit.made_at)
    last_made = (
        made
        if unit.run
        else (made.replace(day=1) + dt.timedelta(days=32)).replace(day=1) - dt.timedelta(days=1)
    )
    return last_made + EXPIRES_MAX + UPDATED_FOR


def days_of(unit: Unit, day: dt.date) -> tuple[dt.date, dt.date]:
    """The first and last day to ask LINE for: from the unit's first message on."""
    first = min(day_in_japan(unit.made_at), day)
    return first, min(day, first + dt.timedelta(days=DAYS_ASKED_MAX - 1))


def hour_of(now: Instant) -> str:
    """The hour whose calls are counted together."""
    return now.astimezone(dt.UTC).strftime("%Y-%m-%dT%H")


def with_calls(progress: Progress, now: Instant, calls: int) -> Progress:
    """The progress with so many calls more given to this hour."""
    hour = hour_of(now)
    return msgspec.structs.replace(progress, calls={hour: progress.calls.get(hour, 0) + calls})


def calls_left(progress: Progress, now: Instant) -> int:
    """How many calls this hour still has."""
    return CALLS_AN_HOUR_MAX - progress.calls.get(hour_of(now), 0)


def with_done(progress: Progress, units: Sequence[Unit]) -> Progress:
    """The progress with the figures of these kept."""
    return msgspec.structs.replace(progress, done=[*progress.done, *(unit.name for unit in units)])


def row_of(unit: Unit, figures: Figures, day: dt.date, now: Instant) -> Insight:
    """The row of one answer: the figures as they stood on this day. LINE does not tell what it delivered; the send log does."""
    return Insight(
        unit=unit.name,
        scenario=unit.scenario,
        campaign=unit.campaign,
        step=unit.step,
        variant=unit.variant,
        run=unit.run,
        day_of=day.isoformat(),
        delivered=None,
        opened=figures.opened,
        clicked=figures.clicked,
        at=now,
        seen_at=now,
    )
