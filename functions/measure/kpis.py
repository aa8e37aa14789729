"""KPIs: what each is called, means and is counted in, and its one SQL. Reports, exports and alerts all ask here."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Literal

import msgspec

from functions.measure import kpi_business, kpi_operational
from functions.measure.kpi import Kpi
from functions.measure.periods import bound, days_between, newest, statement
from functions.measure.views import Views

ScopeKind = Literal[
    "all", "scenario", "campaign", "run", "step", "variant", "kind", "segment", "reason", "category", "cohort"
]

KPIS: Mapping[str, Kpi] = {kpi.id: kpi for kpi in (*kpi_operational.KPIS, *kpi_business.KPIS)}

KPI_TREE: Mapping[str, tuple[str, ...]] = {
    "ltv": ("ltv_gross_profit", "ltv_coupon_cost", "ltv_message_cost"),
    "ltv_gross_profit": (
        "average_order_value",
        "second_order_rate",
        "purchase_interval",
        "retention_1",
        "win_back_rate",
    ),
    "ltv_coupon_cost": ("coupon_cost",),
    "ltv_message_cost": ("message_cost",),
    "average_order_value": ("upsell_rate", "cross_sell_rate"),
    "second_order_rate": ("conversion_rate",),
    "purchase_interval": ("conversion_rate",),
    "retention_1": ("later_order_share", "conversion_rate"),
    "win_back_rate": ("conversion_rate",),
    "upsell_rate": ("conversion_rate",),
    "cross_sell_rate": ("conversion_rate",),
    "conversion_rate": ("click_rate", "reach", "overlap_rate"),
    "click_rate": ("accepted",),
    "reach": ("accepted", "link_rate", "block_rate"),
    "accepted": ("targeted", "suppressed", "failed"),
    "link_rate": ("friends",),
    "message_cost": ("accepted",),
}
"""What each KPI is moved by, from business down to operation. A tree read from `ltv`; leaves may hang in several places."""


class KpiValue(msgspec.Struct, frozen=True):
    """A KPI of one scope. `value`: null where there is nothing to divide by; `denominator`: null where nothing divides."""

    kpi: str
    scope: str
    value: float | None
    numerator: float | None
    denominator: float | None


def values(
    workspace: Views,
    first: dt.date,
    last: dt.date,
    scope_kind: ScopeKind = "all",
    *,
    only: Collection[str] = (),
    goal: str = "",
) -> list[KpiValue]:
    """The KPIs of the days from `first` to `last`, both included, for every scope of a kind; sorted as they are defined.

    `only`: these alone; `goal`: another goal than the playbook's first. The snapshots are the newest: what was known of a
    period later counts.
    """
    asked = [kpi for kpi in KPIS.values() if scope_kind in kpi.scopes and (not only or kpi.id in only)]
    _open(workspace, {table for kpi in asked for table in kpi.reads}, first, last)
    given = {"first": first, "last": last, "scope_kind": scope_kind, "goal": goal}
    return [
        _value(kpi, scope, numerator, denominator)
        for kpi in asked
        for scope, numerator, denominator in workspace.connection.execute(bound(kpi.sql, given)).fetchall()
    ]


def _open(workspace: Views, tables: set[str], first: dt.date, last: dt.date) -> None:
    for table in sorted(tables):
        days = days_between(first, last) if table in ("daily", "contacts") else newest(workspace.days(table))
        workspace.view(table, days)


def _value(kpi: Kpi, scope: str, numerator: float | None, denominator: float | None) -> KpiValue:
    if kpi.divides:
        value = numerator / denominator if numerator is not None and denominator else None
    else:
        value = numerator
    return KpiValue(kpi.id, scope, value, numerator, denominator)


class Overlap(msgspec.Struct, frozen=True):
    """Conversions of a goal that `source` got for the last touch, and that all of `touched_by` had part in."""

    goal: str
    source: str
    touched_by: list[str]
    conversions: int
    value_yen: int


def overlaps(workspace: Views, first: dt.date, last: dt.date) -> list[Overlap]:
    """Which scenarios and campaigns (`scenario:a`, `campaign:b`) touched the same conversions, the most frequent first."""
    workspace.view("conversions", days_between(first, last))
    rows = workspace.connection.execute(statement("overlaps", {"first": first, "last": last})).fetchall()
    return [Overlap(goal, source, touched.split(","), *counts) for goal, source, touched, *counts in rows]


class Cohort(msgspec.Struct, frozen=True):
    """Of `customers` whose first order was in the month `cohort` (its first day), `active` ordered `month` months later."""

    cohort: dt.date
    month: int
    customers: int
    active: int


def cohorts(workspace: Views, first: dt.date, last: dt.date) -> list[Cohort]:
    """Retention by month of the first order, for first orders from `first` to `last`; months up to that of `last`."""
    workspace.view("customers", newest(workspace.days("customers")))
    rows = workspace.connection.execute(statement("cohorts", {"first": first, "last": last})).fetchall()
    return [Cohort(*row) for row in rows]
