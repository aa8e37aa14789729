"""The days that a report is about, and those that it compares them with."""

import calendar
import datetime as dt
from typing import NamedTuple

from ops.reports.content import PeriodKind

WEEK = dt.timedelta(days=7)
DAY = dt.timedelta(days=1)


class Span(NamedTuple):
    """Days from `first` to `last`, both included, and the span before that they are held against."""

    kind: PeriodKind
    first: dt.date
    last: dt.date
    previous_first: dt.date
    previous_last: dt.date

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1


def span_of(kind: PeriodKind, day: dt.date) -> Span:
    """The day itself, the week of seven days that ends on it, or the calendar month that it is in, up to its end.

    A day is held against the same weekday of the week before: people write, open and buy otherwise on Sundays.
    """
    if kind == "daily":
        return Span(kind, day, day, day - WEEK, day - WEEK)
    if kind == "weekly":
        return Span(kind, day - WEEK + DAY, day, day - 2 * WEEK + DAY, day - WEEK)
    first = day.replace(day=1)
    before = first - DAY
    last = day.replace(day=calendar.monthrange(day.year, day.month)[1])
    return Span(kind, first, last, before.replace(day=1), before)


def default_day(kind: PeriodKind, measured: dt.date) -> dt.date:
    """The day that is meant where none is named: the last measured one; of a month, the last that is whole."""
    if kind != "monthly":
        return measured
    is_whole = (measured + DAY).month != measured.month
    return measured if is_whole else measured.replace(day=1) - DAY
