"""Every figure of every report equals what pandas computes of the same facts."""

import datetime as dt
from functools import cache
from typing import Any

import pandas as pd
import pytest

from functions.domain import playbook as pb
from functions.measure.kpis import KPIS
from ops.recount.by_pandas import ByPandas
from ops.recount.happened import day_of as day_in
from ops.reports.content import Chart, Figure, PeriodKind, Report, Table
from ops.reports.page import figures_in
from ops.reports.source import LIFETIME, NOW_ONLY
from tests.ops.reports import shop

KINDS: tuple[PeriodKind, ...] = ("daily", "weekly", "monthly")
GIVEN = {"advertising_cost": 200_000, "labour_cost": 350_000}


@cache
def oracle() -> ByPandas:
    return ByPandas(shop.facts().happened(), shop.book())


def day_of(at: "pd.Series[Any]") -> "pd.Series[Any]":
    return day_in(at, shop.book().zone)


def by_pandas(kpi: str, first: dt.date, last: dt.date, kind: str = "all", scope: str = "") -> float | None:
    then = oracle().as_of(last) if kpi in LIFETIME else oracle()
    found = then.kpi(kpi, first, last, kind)
    top, under = found.get(scope, (0.0, None))
    if under is None:
        return top if scope in found or not _divides(kpi) else None
    return top / under if under else None


def _divides(kpi: str) -> bool:
    return KPIS[kpi].divides


def blocks(report: Report, kind: Any) -> dict[str, Any]:
    return {one.id: one for section in report.sections for one in section.blocks if isinstance(one, kind)}


def figures(report: Report) -> list[Figure]:
    return [one for section in report.sections for block in section.blocks for one in figures_in(block)]


@pytest.mark.parametrize("kind", KINDS)
def test_each_figure_and_the_one_before_are_what_pandas_computes(
    reports: dict[PeriodKind, Report], kind: PeriodKind
) -> None:
    report = reports[kind]
    told = {one.id: one for one in figures(report)}
    assert len(told) >= 10
    for name, one in told.items():
        if name in GIVEN:
            assert one.value == GIVEN[name]
        elif name == "profit_after_all":
            net = by_pandas("net_profit", report.first, report.last)
            assert one.value == pytest.approx((net or 0) - sum(GIVEN.values()))
        else:
            now = by_pandas(name, report.first, report.last)
            before = (
                None if name in NOW_ONLY else by_pandas(name, report.previous_first, report.previous_last)
            )
            assert [one.value, one.previous] == [_near(now), _near(before)], name


def _near(value: float | None) -> Any:
    return None if value is None else pytest.approx(value)


@pytest.mark.parametrize("kind", KINDS)
def test_each_cell_of_the_table_by_source_is_what_pandas_computes(
    reports: dict[PeriodKind, Report], kind: PeriodKind
) -> None:
    report = reports[kind]
    table: Table = blocks(report, Table)["by_source"]
    words = {"シナリオ": "scenario", "キャンペーン": "campaign"}
    assert len(table.rows) >= 5
    for name, word, *cells in table.rows:
        for column, cell in zip(table.columns[2:], cells, strict=True):
            expected = by_pandas(column.id, report.first, report.last, words[str(word)], str(name))
            assert cell == _near(expected), (name, column.id)


def test_the_picture_of_a_month_of_sends_adds_up_to_what_pandas_counts(
    reports: dict[PeriodKind, Report],
) -> None:
    chart: Chart = blocks(reports["daily"], Chart)["sends_by_day"]
    sent = shop.facts().tables["sends"]
    sent = sent[sent["status"] == "sent"].assign(day=lambda frame: day_of(frame["at"]))
    sent = sent[sent["day"] > shop.LAST - dt.timedelta(days=28)]
    source = sent["campaign"].where(sent["campaign"] != "", sent["scenario"])
    counts = sent.groupby(["day", source]).size().reset_index()
    expected = {(str(day), name): count for day, name, count in counts.to_numpy()}
    assert {(row["day"], row["source"]): row["value"] for row in chart.rows} == expected


def test_reasons_are_counted(reports: dict[PeriodKind, Report]) -> None:
    chart: Chart = blocks(reports["daily"], Chart)["suppressed_by_reason"]
    sends = shop.facts().tables["sends"]
    today = sends[(sends["status"] == "suppressed") & (day_of(sends["at"]) == shop.LAST)]
    assert {row["id"]: row["value"] for row in chart.rows} == today.groupby("reason").size().to_dict()


def test_the_month_is_held_against_quota_and_budget(reports: dict[PeriodKind, Report]) -> None:
    table: Table = blocks(reports["daily"], Table)["budget"]
    sends = shop.facts().tables["sends"]
    days = pd.to_datetime(day_of(sends["at"]))
    count = int(((sends["status"] == "sent") & (days.dt.to_period("M") == pd.Period("2026-05"))).sum())
    yen = 15_000 + (count - 2_000) * 3
    free, most, money = table.rows
    assert (free[1:4], most[1:4]) == ([count, 2_000, count / 2_000], [count, 12_000, count / 12_000])
    assert money[1] == f"{yen:,}円"
    assert money[3] == _near(yen / 20_000)


def test_retention_is_counted_person_by_person(reports: dict[PeriodKind, Report]) -> None:
    chart: Chart = blocks(reports["monthly"], Chart)["retention"]
    live = oracle().orders_kept.assign(month=lambda frame: pd.to_datetime(frame["day"]).dt.to_period("M"))
    months = live.groupby("who")["month"].agg(set)
    assert len(chart.rows) == 6
    for row in chart.rows:
        first = pd.Period(row["cohort"], "M")
        mine = [active for active in months if min(active) == first]
        active = sum(first + row["month"] in one for one in mine)
        assert (row["customers"], row["active"], row["rate"]) == (len(mine), active, active / len(mine))


def test_months_of_revenue_add_up(reports: dict[PeriodKind, Report]) -> None:
    chart: Chart = blocks(reports["monthly"], Chart)["by_month"]
    live = oracle().orders_kept.assign(month=lambda frame: pd.to_datetime(frame["day"]).dt.strftime("%Y-%m"))
    sums = live.groupby("month")[["amount", "profit"]].sum()
    told = {(row["month"], row["id"]): row["value"] for row in chart.rows}
    assert told == {
        (month, name): row[column]
        for month, row in sums.iterrows()
        for name, column in (("revenue", "amount"), ("gross_profit", "profit"))
    }


def test_who_was_to_get_messages_is_held_against_who_was_held_out(reports: dict[PeriodKind, Report]) -> None:
    table: Table = blocks(reports["monthly"], Table)["lifts"]
    goal: pb.Goal = next(iter(shop.book().measure.goals.values()))
    begin = shop.LAST - dt.timedelta(days=91)
    sends = shop.facts().tables["sends"].assign(day=lambda frame: day_of(frame["at"]))
    mine = sends[(sends["scenario"] == "win_back") & (sends["day"] >= begin)]
    first = mine.groupby("customer_id").agg(at=("at", "min"), held_out=("held_out", "first"))
    end = pd.Timestamp("2026-05-31T15:00")
    ripe = first[first["at"] + pd.Timedelta(seconds=goal.within_seconds) <= end]
    orders = oracle().orders_kept[["who", "at"]]
    bought = ripe.reset_index().merge(orders, left_on="customer_id", right_on="who", suffixes=("", "_order"))
    apart = (bought["at_order"] - bought["at"]).dt.total_seconds()
    buyers = set(bought[(apart >= 0) & (apart < goal.within_seconds)]["customer_id"])
    row = next(row for row in table.rows if row[0] == "win_back")
    for people, rate, held_out in ((row[1], row[3], False), (row[2], row[4], True)):
        arm = ripe[ripe["held_out"] == held_out]
        assert people == len(arm)
        assert rate == pytest.approx(len(buyers & set(arm.index)) / len(arm))


def test_the_rates_of_the_diagnosis_are_what_pandas_computes(reports: dict[PeriodKind, Report]) -> None:
    report = reports["weekly"]
    table: Table = blocks(report, Table)["diagnosis"]
    told = shop.facts().tables["insight"]
    week = told[(told["day_of"] >= str(report.first)) & (told["day_of"] <= str(report.last))]
    sums = week.groupby("scenario")[["opened", "delivered"]].sum()
    rows = {row[0]: row for row in table.rows}
    for scenario in shop.SOURCES:
        row, line = rows[f"シナリオ {scenario}"], sums.loc[scenario]
        assert row[2] == pytest.approx(line["opened"] / line["delivered"])
        for place, kpi in ((1, "accepted"), (3, "click_rate"), (4, "conversion_rate")):
            assert row[place] == _near(by_pandas(kpi, report.first, report.last, "scenario", scenario))
    assert rows["シナリオ win_back"][5] == "開封が30%未満"
    assert rows["シナリオ churn_prevention"][5] == "クリックが低い"
    assert str(rows["セグメント slowing"][6]).endswith("(churn_prevention)")
