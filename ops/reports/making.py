"""A report from a source: what each kind is made of."""

import datetime as dt

from ops.reports.colours import colours_of
from ops.reports.content import PeriodKind, Report
from ops.reports.daily import daily
from ops.reports.monthly import NO_COSTS, Costs, monthly
from ops.reports.source import Source
from ops.reports.spans import default_day, span_of
from ops.reports.weekly import weekly
from ops.reports.words import TITLES


def made(source: Source, kind: PeriodKind, day: dt.date | None, costs: Costs = NO_COSTS) -> Report:
    """The report of the period that `day` is in; by default, of the last one that is measured."""
    measured = source.measured_until()
    assert measured is not None
    span = span_of(kind, day or default_day(kind, measured))
    if kind == "daily":
        headline, sections = daily(source, span)
    elif kind == "weekly":
        headline, sections = weekly(source, span)
    else:
        headline, sections = monthly(source, span, costs)
    return Report(
        kind=kind,
        title=TITLES[kind],
        account=source.playbook.name,
        zone=source.playbook.zone,
        first=span.first,
        last=span.last,
        previous_first=span.previous_first,
        previous_last=span.previous_last,
        made_at=source.around.now,
        measured_until=measured,
        headline=headline,
        sections=sections,
        colours=colours_of(source.playbook),
    )
