"""insight: what LINE tells of each aggregation unit, once a day, as rows of the facts.

LINE answers 60 times an hour, and a day may have more units than that: it is called each hour, and goes on where it was.
The hour's calls are noted before they are made, and a batch of rows is kept before it is noted as done: whatever happens in
between, LINE is not asked too often, and a row is at worst written again as it was.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from functions.domain.aggregation_units import Unit
from functions.domain.facts import Insight
from functions.domain.insight import (
    Figures,
    Progress,
    asked_on,
    calls_left,
    day_in_japan,
    days_of,
    months_asked,
    row_of,
    with_calls,
    with_done,
)
from functions.domain.instants import Instant
from functions.ports.errors import Conflict, RateLimited
from functions.ports.line import AggregationUnits

logger = logging.getLogger(__name__)

BATCH = 10


class LineInsight(Protocol):
    """What LINE tells of its units."""

    def figures(self, unit: str, first: date, last: date) -> Figures:
        """The figures of one unit over these days. Raises RateLimited, Rejected, AccountRefused or Retryable."""


class InsightFacts(Protocol):
    """The rows, and how far each day has come."""

    def progress(self, day: date) -> tuple[Progress, str]:
        """How far the day has come, and the tag of that word."""

    def note(self, day: date, progress: Progress, tag: str) -> str | None:
        """Note it on condition that nobody has since; the new tag, or None."""

    def keep(self, name: str, rows: Sequence[Insight]) -> None:
        """Keep rows under a name, whatever was there."""


@dataclass(frozen=True, slots=True)
class Gather:
    """The ports of this flow."""

    units: AggregationUnits
    line: LineInsight
    facts: InsightFacts
    now: Callable[[], Instant]

    def run(self) -> int:
        """Go on with today; how many units are still to be asked for. Raises Conflict where somebody else is at it."""
        day = day_in_japan(self.now())
        progress, tag = self.facts.progress(day)
        every = [unit for month in months_asked(day) for unit in self.units.of_month(month)]
        for _ in range(len(every)):
            batch = asked_on(every, day, progress)[: min(BATCH, calls_left(progress, self.now()))]
            if not batch:
                break
            progress, tag = self._noted(day, with_calls(progress, self.now(), len(batch)), tag)
            told = self._told(batch, day)
            if told:
                self.facts.keep(f"{day.isoformat()}-{told[0].unit}", told)
                done = [unit for unit in batch if unit.name in {row.unit for row in told}]
                progress, tag = self._noted(day, with_done(progress, done), tag)
            if len(told) < len(batch):
                break
        return len(asked_on(every, day, progress))

    def _noted(self, day: date, progress: Progress, tag: str) -> tuple[Progress, str]:
        noted = self.facts.note(day, progress, tag)
        if noted is None:
            raise Conflict("another worker asks LINE for the same figures")
        return progress, noted

    def _told(self, batch: Sequence[Unit], day: date) -> list[Insight]:
        """A row of each unit, up to where LINE has had enough of us for this hour."""
        rows = []
        for unit in batch:
            try:
                figures = self.line.figures(unit.name, *days_of(unit, day))
            except RateLimited:
                logger.info("LINE tells no more figures this hour")
                break
            rows.append(row_of(unit, figures, day, self.now()))
        return rows
