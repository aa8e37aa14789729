"""Every KPI of a real shop's year equals what pandas computes of the same facts, for every kind of scope."""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd
import pytest

from functions.domain.facts import TABLES as FACTS
from functions.measure.kpis import KPI_TREE, KPIS, KpiValue, Overlap, cohorts, overlaps, values
from functions.measure.views import WorkspaceViews
from functions.measure.workspace import opened
from ops.recount.by_pandas import ByPandas
from ops.recount.happened import day_of
from ops.recount.scoped import Values
from tests.measure.facts_in_folders import ZONE, Facts, write
from tests.measure.playbooks import year
from tests.measure.real_shop import FIRST, LAST, Shop

PERIODS = [
    (FIRST, LAST),
    (dt.date(2017, 6, 1), dt.date(2017, 6, 30)),
    (dt.date(2017, 11, 17), dt.date(2017, 12, 5)),
]
KINDS = sorted({kind for kpi in KPIS.values() for kind in kpi.scopes})


class Year:
    """The shop's year, derived once, and by pandas."""

    def __init__(self, root: Any) -> None:
        self.shop = Shop()
        self.expected = ByPandas(self.shop.happened(), year())
        facts = Facts(root)
        with opened(facts.lake) as workspace:
            for name, frame in self.shop.tables().items():
                told = FACTS[name]
                full = frame.assign(**{one: None for one in told.names if one not in frame})
                for day, rows in full.groupby(day_of(full["at"], ZONE)):
                    write(workspace, told, day, rows)
        facts.measure(LAST, [], year())
        self.lake = facts.lake


@pytest.fixture(scope="module")
def shop_year(tmp_path_factory: pytest.TempPathFactory) -> Year:
    return Year(tmp_path_factory.mktemp("year"))


@pytest.fixture(scope="module")
def views(shop_year: Year) -> Iterator[WorkspaceViews]:
    with opened(shop_year.lake) as workspace:
        yield WorkspaceViews(workspace)


def shown(found: Values) -> dict[str, Any]:
    """Without scopes in which nothing happened: one side has rows for them and the other none."""
    return {
        scope: (pytest.approx(top), None if under is None else pytest.approx(under))
        for scope, (top, under) in found.items()
        if top or under
    }


def parts(found: Iterable[KpiValue]) -> Values:
    return {
        one.scope: (one.numerator or 0.0, one.denominator)
        for one in found
        if one.numerator or one.denominator
    }


@pytest.mark.parametrize("period", PERIODS, ids=["year", "month", "weeks"])
@pytest.mark.parametrize("kind", KINDS)
def test_kpis_are_what_pandas_computes(
    shop_year: Year, views: WorkspaceViews, kind: Any, period: tuple[dt.date, dt.date]
) -> None:
    first, last = period
    told: dict[str, dict[str, KpiValue]] = {}
    for one in values(views, first, last, kind):
        told.setdefault(one.kpi, {})[one.scope] = one
    for kpi in KPIS.values():
        if kind not in kpi.scopes:
            assert kpi.id not in told
            continue
        got = told.get(kpi.id, {})
        expected = shop_year.expected.kpi(kpi.id, first, last, kind)
        assert parts(got.values()) == shown(expected), kpi.id
        for one in got.values():
            divided = (
                one.numerator / one.denominator if one.numerator is not None and one.denominator else None
            )
            assert one.value == (divided if kpi.divides else one.numerator), kpi.id


def test_the_year_has_something_to_say_of_every_kpi(views: WorkspaceViews) -> None:
    """Two computations agree on nothing easily: so nothing is zero, and no rate is nothing or all."""
    told = {one.kpi: one for one in values(views, FIRST, LAST)}
    assert told.keys() == KPIS.keys() - {"retention_12"}
    silent = {name for name, one in told.items() if not one.numerator or one.value in (None, 0, 1)}
    assert silent == set()


def test_a_year_later_nobody_has_come_yet(shop_year: Year, views: WorkspaceViews) -> None:
    first, last = dt.date(2018, 1, 1), dt.date(2018, 1, 31)
    expected = shop_year.expected.kpi("retention_12", first, last, "all")
    assert parts(values(views, first, last, only=["retention_12"])) == shown(expected)


@pytest.mark.parametrize("goal", ["second_purchase", "perk_purchase"])
def test_other_goals_are_told_on_demand(shop_year: Year, views: WorkspaceViews, goal: str) -> None:
    for name in ("conversions", "conversion_rate", "attributed_revenue"):
        expected = shop_year.expected.kpi(name, FIRST, LAST, "scenario", goal)
        got = values(views, FIRST, LAST, "scenario", only=[name], goal=goal)
        assert parts(got) == shown(expected)


@pytest.mark.parametrize("model", ["last", "first"])
@pytest.mark.parametrize("goal", list(year().measure.goals))
def test_each_conversion_goes_to_the_message_that_pandas_finds(
    shop_year: Year, views: WorkspaceViews, goal: str, model: str
) -> None:
    views.view("conversions", views.days("conversions"))
    columns = "event_id, send_id, customer_id, value_yen, gross_profit, coupon_yen, sources"
    sql = f"SELECT {columns} FROM conversions WHERE goal = '{goal}' AND model = '{model}' ORDER BY event_id"
    credited = shop_year.expected.credited(goal, last=model == "last").sort_values("event_id")
    wanted = credited[["event_id", "send_id", "who", "amount", "profit", "coupon", "sources"]]
    assert len(wanted) > 100
    assert views.connection.execute(sql).fetchall() == [tuple(row) for row in wanted.itertuples(index=False)]


def test_overlaps_show_who_touched_the_same_conversions(shop_year: Year, views: WorkspaceViews) -> None:
    touches = shop_year.expected.touches("purchase")
    name = ("campaign:" + touches["campaign"]).where(
        touches["campaign"] != "", "scenario:" + touches["scenario"]
    )
    by = touches.assign(name=name).groupby("event_id")["name"].agg(lambda names: ",".join(sorted(set(names))))
    credited = shop_year.expected.credited("purchase", last=True).assign(
        by=lambda rows: rows["event_id"].map(by)
    )
    several = credited[credited["by"].str.contains(",")]
    got = [one for one in overlaps(views, FIRST, LAST) if one.goal == "purchase"]
    assert sum(one.conversions for one in got) == len(several) > 20
    counted = several.groupby("by").size().to_dict()
    together: dict[str, int] = {}
    for one in got:
        assert one.source in one.touched_by
        key = ",".join(one.touched_by)
        together[key] = together.get(key, 0) + one.conversions
    assert together == counted
    assert isinstance(got[0], Overlap)


def test_cohorts_are_counted_month_by_month(shop_year: Year, views: WorkspaceViews) -> None:
    live = shop_year.expected.orders[~shop_year.expected.orders["cancelled"]]
    months = pd.to_datetime(live["day"]).dt.to_period("M")
    live = live.assign(month=months, cohort=months.groupby(live["who"]).transform("min"))
    for one in cohorts(views, FIRST, LAST):
        cohort = pd.Period(one.cohort, "M")
        mine = live[live["cohort"] == cohort]
        assert one.customers == mine["who"].nunique()
        assert one.active == mine[mine["month"] == cohort + one.month]["who"].nunique()
    assert len(cohorts(views, FIRST, LAST)) == 78  # 12 + 11 + … + 1


def test_the_tree_leads_from_profit_to_what_is_sent() -> None:
    below = {child for children in KPI_TREE.values() for child in children}
    assert below | KPI_TREE.keys() <= KPIS.keys()
    assert KPI_TREE.keys() - below == {"ltv"}


def test_a_kpi_is_told_in_both_languages() -> None:
    for kpi in KPIS.values():
        assert all((kpi.name, kpi.name_en, kpi.meaning, kpi.meaning_en))
        assert kpi.unit in ("yen", "ratio", "count", "days")
