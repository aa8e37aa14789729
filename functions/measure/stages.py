"""The stages after the derived tables: scores and recommendations that go back to customers, rankings that all may read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from functions.domain.context import Context
from functions.measure.days import last_day_over
from functions.measure.flow import Measured
from functions.measure.rankings import rankings, with_rankings
from functions.measure.recommendations import recommend
from functions.measure.scores import score
from functions.measure.tables import CUSTOMERS
from functions.measure.views import WorkspaceViews


class ContextFacts(Protocol):
    """The account's context facts."""

    def read(self) -> Context:
        """All facts, those that are over included."""

    def change(self, change: Callable[[Context], Context]) -> Context:
        """Apply a change to the facts as they are now; Conflict where others were faster again and again."""


def scores(measured: Measured) -> None:
    """Score everybody. Where the day has no snapshot of customers (it was measured long ago), nothing is said of anybody."""
    if _has_customers(measured):
        views = WorkspaceViews(measured.workspace)
        score(views, measured.lake, measured.workspace.scratch, measured.day, measured.zone)


@dataclass(frozen=True)
class Recommendations:
    """Suggest to everybody."""

    context: ContextFacts

    def __call__(self, measured: Measured) -> None:
        """Carry out the stage."""
        if _has_customers(measured):
            views, scratch = WorkspaceViews(measured.workspace), measured.workspace.scratch
            known = self.context.read()
            recommend(views, measured.lake, scratch, measured.playbook, known, measured.day, measured.now)


@dataclass(frozen=True)
class Rankings:
    """Say what sells best. Of the last day that is over alone: what sold best some day before is nobody's news."""

    context: ContextFacts

    def __call__(self, measured: Measured) -> None:
        """Carry out the stage."""
        now = measured.now
        if measured.day < last_day_over(now, measured.zone):
            return
        told = rankings(WorkspaceViews(measured.workspace), self.context.read(), measured.day, now)
        self.context.change(lambda facts: with_rankings(facts, told, now))


def _has_customers(measured: Measured) -> bool:
    return bool(measured.workspace.days(CUSTOMERS, [measured.day]))
