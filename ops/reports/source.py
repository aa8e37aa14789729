"""What reports are made from: the lake of a deployment or a folder, and the versions of the playbook that were in force."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb

from functions.domain.alerts import Alert
from functions.domain.instants import Instant
from functions.domain.playbook import Playbook
from functions.measure import kpis
from functions.measure.kpis import KPIS, KpiValue, ScopeKind
from functions.measure.views import WorkspaceViews
from functions.measure.workspace import Workspace, opened
from functions.ports.facts import Lake
from ops.errors import UserError
from ops.reports.content import Figure
from ops.versions import Version

LIFETIME = frozenset({"ltv", "ltv_gross_profit", "ltv_coupon_cost", "ltv_message_cost"})
"""KPIs of everybody since ever: their value then is asked of the snapshot of then."""
NOW_ONLY = frozenset({"friends", "link_rate"})
"""KPIs of which but the state of now is kept: there is no value of before."""
LESS_IS_BETTER = frozenset(
    {
        "failed",
        "unknown",
        "blocks",
        "block_rate",
        "cancel_rate",
        "cost_per_conversion",
        "overlap_rate",
        "purchase_interval",
    }
)
NEITHER = frozenset(
    {
        "targeted",
        "suppressed",
        "held_out",
        "message_cost",
        "coupon_cost",
        "ltv_message_cost",
        "ltv_coupon_cost",
    }
)


@dataclass(frozen=True)
class Surroundings:
    """What is known beside the lake. `dead_letters`: by queue, None where nobody could be asked (files in a folder)."""

    playbook: Playbook
    now: Instant
    versions: list[Version] = field(default_factory=list)
    playbook_of: Callable[[str], Playbook | None] = lambda _version: None
    dead_letters: Mapping[str, int] | None = None
    alerts: list[Alert] = field(default_factory=list)


class Source:
    """The lake, opened, and what is around it."""

    def __init__(self, workspace: Workspace, around: Surroundings) -> None:
        self._workspace = workspace
        self.views = WorkspaceViews(workspace)
        self.around = around
        self.playbook = around.playbook

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """DuckDB, with the views that were made."""
        return self.views.connection

    def measured_until(self) -> dt.date | None:
        """The last measured day; None where nothing was measured yet."""
        return max(self.views.days("customers"), default=None)

    def values(
        self, first: dt.date, last: dt.date, scope_kind: ScopeKind = "all", only: Iterable[str] = ()
    ) -> dict[tuple[str, str], KpiValue]:
        """KPIs by id and scope. What counts whole lifetimes is as of `last`, where a snapshot of then is kept."""
        asked = set(only) or {kpi.id for kpi in KPIS.values() if scope_kind in kpi.scopes}
        found: list[KpiValue] = []
        if asked - LIFETIME:
            found += kpis.values(self.views, first, last, scope_kind, only=asked - LIFETIME)
        if asked & LIFETIME:
            found += kpis.values(_AsOf(self._workspace, last), first, last, scope_kind, only=asked & LIFETIME)
        return {(one.kpi, one.scope): one for one in found}

    def rows(self, sql: str, tables: Mapping[str, Iterable[dt.date]]) -> list[tuple[Any, ...]]:
        """A query over views of these days."""
        for table, days in tables.items():
            self.views.view(table, days)
        return self.connection.execute(sql).fetchall()


class _AsOf(WorkspaceViews):
    """Views that know no snapshot of customers taken after a day."""

    def __init__(self, workspace: Workspace, day: dt.date) -> None:
        super().__init__(workspace)
        self._day = day

    def days(self, table: str) -> list[dt.date]:
        """Every day that has a partition, but for customers after the day."""
        days = super().days(table)
        return [day for day in days if day <= self._day] if table == "customers" else days


@contextmanager
def opened_source(lake: Lake, around: Surroundings) -> Iterator[Source]:
    """A source, while it is needed. UserError where nothing was measured yet."""
    with opened(lake) as workspace:
        source = Source(workspace, around)
        if source.measured_until() is None:
            raise UserError(
                "Nothing was measured yet: wait for the night's run, or call it with `musubi measure`."
            )
        yield source


def figure_of(
    kpi_id: str,
    now: Mapping[tuple[str, str], KpiValue],
    before: Mapping[tuple[str, str], KpiValue],
    scope: str = "",
) -> Figure:
    """A KPI of a scope in both periods; counts of nothing are 0, and what divides by nothing has no value."""
    kpi = KPIS[kpi_id]
    value, previous = _value(kpi_id, now, scope), _value(kpi_id, before, scope)
    if kpi_id in NOW_ONLY:
        previous = None
    return Figure(
        id=kpi_id,
        name=kpi.name,
        unit=kpi.unit,
        value=value,
        previous=previous,
        meaning=kpi.meaning,
        better="" if kpi_id in NEITHER else "down" if kpi_id in LESS_IS_BETTER else "up",
        note="データ不足(分母が0です)" if value is None else "",
    )


def _value(kpi_id: str, found: Mapping[tuple[str, str], KpiValue], scope: str) -> float | None:
    one = found.get((kpi_id, scope))
    if one is not None:
        return one.value
    return None if KPIS[kpi_id].divides else 0.0
