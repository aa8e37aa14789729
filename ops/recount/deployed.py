"""A deployment's reports and KPIs, held against its own tables and what the CRM told."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from functions.domain.compiled import Compiled
from functions.measure.days import day_begins
from functions.measure.experiments import lifts, results
from functions.measure.kpis import KPIS
from ops.recount.by_pandas import ByPandas
from ops.recount.kpis import Recount, hold_values
from ops.recount.ledger import Ledger
from ops.recount.reports import hold_report
from ops.recount.tables import Raw, assigned, happened_of, history_of, members_of, with_ids_of
from ops.recount.tested import (
    hold_experiments,
    hold_experiments_shown,
    hold_lifts,
    hold_lifts_shown,
)
from ops.recount.trials import Trials
from ops.reports.monthly import LIFT_MONTHS_DAYS
from ops.reports.source import Source
from ops.reports.weekly import LIFT_DAYS

LOOKED_BACK = {"weekly": LIFT_DAYS, "monthly": LIFT_MONTHS_DAYS}
Report = Mapping[str, Any]


def recounted(source: Source, raw: Raw, compiled: Compiled, reports: Sequence[Report]) -> Ledger:
    """Each figure of the reports (as their JSON has them), of all KPIs in the reports' periods for every kind of scope, and
    of the experiments and lifts in them. When somebody entered a segment or came to an experiment the tables do not keep:
    that is the facts', whose ends are held against the tables."""
    ledger, last = Ledger(), source.measured_until()
    assert last is not None
    memberships, exposures = (
        with_ids_of(raw.customers, _facts(source, name, last)) for name in ("memberships", "exposures")
    )
    happened = happened_of(raw, compiled, memberships).until(last, compiled.playbook.zone)
    known = ByPandas(happened, compiled.playbook)
    recount = Recount(known, min(source.views.days("customers")), history_of(raw))
    _hold_ends(ledger, raw, compiled, known, exposures, last)
    trials, shown = Trials(known, exposures, last), set()
    for report in reports:
        shown |= hold_report(ledger, report, recount)
        first, until = (dt.date.fromisoformat(report[name]) for name in ("first", "last"))
        hold_values(ledger, source, recount, first, until)
        _hold_trials(ledger, source, report, trials, (first, until))
    for kpi in sorted(KPIS.keys() - shown):
        ledger.hold(f"{kpi} stands in a report", told=False, counted=True)
    return ledger


def _facts(source: Source, table: str, last: dt.date) -> pd.DataFrame:
    """The facts of a table up to a day, the newest last."""
    source.views.view(table, [day for day in source.views.days(table) if day <= last])
    return source.connection.execute(f"SELECT * FROM {table} ORDER BY seen_at").df()  # noqa: S608 — a name of ours


def _hold_ends(
    ledger: Ledger, raw: Raw, compiled: Compiled, known: ByPandas, exposures: pd.DataFrame, last: dt.date
) -> None:
    """Who is in which segment and arm by the facts is who is by the tables."""
    end = day_begins(last + dt.timedelta(days=1), compiled.playbook.zone)
    said = known.happened.memberships
    latest = said.groupby(["customer_id", "segment"]).last().reset_index()
    inside = latest[latest["change"] == "entered"].groupby("customer_id")["segment"].agg(set)
    for customer, segments in sorted(members_of(raw.customers, compiled, end).items()):
        ledger.hold(f"segments of {customer}", inside.get(customer, set()), segments)
    given = assigned(raw)
    arms = {(who, name): arm for who, name, arm in given.itertuples(index=False)}
    for who, name, arm in exposures[["customer_id", "experiment", "variant"]].itertuples(index=False):
        ledger.hold(f"arm of {who}", arm, arms.get((known.owner.get(who, who), name)))


def _hold_trials(
    ledger: Ledger, source: Source, report: Report, trials: Trials, days: tuple[dt.date, dt.date]
) -> None:
    blocks = {block["id"]: block for section in report["sections"] for block in section["blocks"]}
    if "experiments" in blocks:
        hold_experiments(ledger, results(source.views, source.playbook, *days), trials, *days)
        hold_experiments_shown(ledger, blocks["experiments"], trials, *days)
    if "lifts" in blocks:
        begin = days[1] - dt.timedelta(days=LOOKED_BACK[report["kind"]] - 1)
        hold_lifts(ledger, lifts(source.views, source.playbook, begin, days[1]), trials, begin, days[1])
        hold_lifts_shown(ledger, blocks["lifts"], trials, begin, days[1])
