"""Measuring: what has come in is merged, then each day's stages run on what that has touched."""

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from functions.domain.instants import Instant
from functions.domain.lake import days_between
from functions.domain.playbook import Playbook
from functions.measure.days import last_day_over
from functions.measure.merging import Merging
from functions.measure.progress import MeasureProgress
from functions.measure.workspace import Workspace, opened
from functions.ports.facts import Lake
from functions.ports.messages import MeasureDay
from functions.ports.playbooks import Playbooks
from functions.ports.queues import MeasureContinuation
from functions.ports.sending import Together

logger = logging.getLogger(__name__)

DAYS_MADE_UP_MAX = 31
"""So many missed days are made up for by themselves; for more somebody has to ask."""
DAY_SECONDS_MAX = 240.0
"""With less than this left an invocation begins no other day."""


@dataclass(frozen=True)
class Measured:
    """One day's measuring, as a stage sees it. `day` is the account's local day; `touched` the days whose facts have
    changed since they were last measured, of which there may be later ones than `day` too."""

    day: dt.date
    touched: frozenset[dt.date]
    workspace: Workspace
    playbook: Playbook
    zone: str
    now: Instant
    lake: Lake


Stage = Callable[[Measured], None]
"""One step of measuring: idempotent, for it runs again where a later one fails."""


@dataclass(frozen=True)
class Measure:
    """The flow. `stages` run in order, each day after the other."""

    lake: Lake
    playbooks: Playbooks
    stages: Sequence[Stage]
    now: Callable[[], Instant]
    continuation: MeasureContinuation
    together: Together | None = None

    def run(self, order: MeasureDay, time_left: Callable[[], float]) -> list[dt.date]:
        """Carry out an order; the days that were measured. What a crash leaves undone, the next run does; what this one
        has no time for, a new invocation."""
        now, playbook = self.now(), self.playbooks.in_force().playbook
        with opened(self.lake, self.together) as workspace:
            progress = MeasureProgress(self.lake, workspace.scratch)
            Merging(workspace, progress, playbook.zone).merge_all()
            touched = progress.touched()
            days = self._days(order, progress, last_day_over(now, playbook.zone))
            for number, day in enumerate(days):
                # What earlier days were touched is derived with the first; those after it add themselves.
                changed = (touched.days if number == 0 else frozenset()) | {day}
                self._measure(Measured(day, changed, workspace, playbook, playbook.zone, now, self.lake))
                progress.measured(day)
                progress.derived(touched.until(day))
                rest = days[number + 1 :]
                if rest and time_left() < DAY_SECONDS_MAX:
                    self.continuation.again(MeasureDay(rest[-1], rest[0]))
                    return days[: number + 1]
        return days

    def _measure(self, measured: Measured) -> None:
        for stage in self.stages:
            try:
                stage(measured)
            except Exception:
                logger.warning("measuring %s failed in %s", measured.day, name_of(stage))
                raise

    def _days(self, order: MeasureDay, progress: MeasureProgress, over: dt.date) -> list[dt.date]:
        """A day that somebody names is measured alone; the schedule makes up for those that were missed."""
        day = order.measure or over
        if order.first is not None or order.measure is not None:
            return days_between(order.first or day, day)
        last = progress.last_day()
        first = day if last is None else min(day, last + dt.timedelta(days=1))
        return days_between(max(first, day - dt.timedelta(days=DAYS_MADE_UP_MAX - 1)), day)


def name_of(stage: Stage) -> str:
    """What a stage is called in the log."""
    return f"{stage.__module__}.{getattr(stage, '__qualname__', type(stage).__qualname__)}"
