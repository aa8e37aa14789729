"""Monthly management report: what the business gained, what that cost, and which scenarios to extend, fix or archive."""

import datetime as dt
from typing import NamedTuple

from functions.measure.kpis import KPI_TREE, KPIS, cohorts
from functions.measure.periods import days_between
from ops.reports.changes import changes_in
from ops.reports.content import Branch, Cell, Chart, Column, Figure, Figures, Item, Section, Table, Tree
from ops.reports.parts import by_source, figures
from ops.reports.source import Source, figure_of
from ops.reports.spans import DAY, Span
from ops.reports.tested import decision, lifts_chart, lifts_of, lifts_table
from ops.reports.words import changed, number

BUSINESS = (
    "revenue",
    "gross_profit",
    "orders",
    "average_order_value",
    "new_customers",
    "cancel_rate",
)
LOYALTY = (
    "second_order_rate",
    "second_orders",
    "later_orders",
    "later_order_share",
    "purchase_interval",
    "retention_1",
    "retention_3",
    "retention_6",
    "retention_12",
    "win_backs",
    "win_back_rate",
    "win_back_revenue",
    "upsell_rate",
    "cross_sell_rate",
    "friends",
    "link_rate",
)
LTV = ("ltv_gross_profit", "ltv_coupon_cost", "ltv_message_cost", "ltv")
LIFT_MONTHS_DAYS = 92
COHORTS = 12
MONTHS_SHOWN = 12
DEPTH_MAX = 4


class Costs(NamedTuple):
    """What somebody said that the month cost beside coupons and messages, in yen; None: nobody said."""

    advertising: float | None = None
    labour: float | None = None


NO_COSTS = Costs()


def monthly(source: Source, span: Span, costs: Costs) -> tuple[list[Item], list[Section]]:
    """The headline and the sections."""
    business = figures("business", source, span, BUSINESS)
    loyalty = figures("loyalty", source, span, LOYALTY)
    lifetime = figures("lifetime", source, span, LTV)
    profit = _profit(source, span, costs)
    lifts = lifts_of(source, span.last - dt.timedelta(days=LIFT_MONTHS_DAYS - 1), span.last)
    sections = [
        Section("business", "事業の数字", "前の月とくらべています。", [business, _by_month(source, span)]),
        Section(
            "profit",
            "利益と費用",
            "売上ではなく、費用を引いて残った額で見ます。",
            [_profit_steps(profit), _profit_table(profit)],
        ),
        Section(
            "lifetime",
            "お客様1人あたりの粗利(LTV)",
            "クーポンと配信の費用を、同じ行で引きます。",
            [lifetime, _ltv_line(lifetime)],
        ),
        Section("loyalty", "買い続けていただけているか", "", [loyalty, _retention(source, span)]),
        Section(
            "scenarios",
            "シナリオの判断",
            "増えたと確かめられたものを広げ、減らしたものをやめます。",
            [lifts_chart(lifts), lifts_table(lifts, decides=True), by_source(source, span)],
        ),
        Section("tree", "KPIの木", "事業の数字が、どの現場の数字で動くか。", [_tree(source, span)]),
        Section("changes", "この月に変えたことと、その理由", "", [changes_in(source, span.first, span.last)]),
    ]
    named = {one.id: one for one in (*business.figures, *lifetime.figures, *loyalty.figures)}
    extend = [one.scope for one in lifts if one.scope_kind != "all" and decision(one) == "extend"]
    return _headline(named, profit, extend), sections


def _headline(named: dict[str, Figure], profit: list[Figure], extend: list[str]) -> list[Item]:
    revenue, ltv, rest = named["revenue"], named["ltv"], profit[-1]
    moved = f"(前の月から{changed(revenue)})" if revenue.previous else ""
    told = [
        Item(
            f"売上は{number(revenue.value, 'yen')}{moved}、費用を引いた粗利は{number(rest.value, 'yen')}です。"
        ),
        Item(
            f"お客様1人あたりの粗利(費用を引いた後)は{number(ltv.value, 'yen')}です。"
            if ltv.value is not None
            else "LTVは、注文がまだないため計算できません。"
        ),
    ]
    names = "、".join(extend)
    told.append(
        Item(
            f"増えたと確かめられたシナリオ・キャンペーン: {names}。"
            if names
            else "増えたと確かめられたシナリオは、まだありません。",
            tone="good" if names else "",
        )
    )
    return told


def _profit(source: Source, span: Span, costs: Costs) -> list[Figure]:
    """From gross profit to what is left, each cost on the same line."""
    ids = ("gross_profit", "coupon_cost", "message_cost", "net_profit")
    gross, coupons, messages, net = figures("profit", source, span, ids).figures
    given = [
        Figure(
            "advertising_cost", "広告費", "yen", costs.advertising, meaning="`--advertising-yen` で渡された額"
        ),
        Figure("labour_cost", "人件費", "yen", costs.labour, meaning="`--labour-yen` で渡された額"),
    ]
    told = [one for one in given if one.value is not None]
    if not told:
        return [gross, coupons, messages, net]
    rest = (net.value or 0) - sum(one.value or 0 for one in told)
    left = Figure(
        "profit_after_all",
        "すべての費用を引いた粗利",
        "yen",
        rest,
        meaning="粗利 − クーポン − 配信 − 広告 − 人件費",
    )
    return [gross, coupons, messages, *told, left]


def _profit_steps(profit: list[Figure]) -> Chart:
    first, *costs, rest = profit
    rows = [{"label": first.name, "value": first.value or 0.0, "role": "total"}]
    rows += [{"label": f"− {one.name}", "value": -(one.value or 0.0), "role": "cost"} for one in costs]
    rows.append({"label": f"= {rest.name}", "value": rest.value or 0.0, "role": "total"})
    is_empty = not any(row["value"] for row in rows)
    return Chart(
        id="profit_steps",
        title="粗利から費用を引くと",
        kind="steps",
        rows=[] if is_empty else rows,
        told=f"粗利{number(first.value, 'yen')}から費用を引くと、{number(rest.value, 'yen')}が残ります。",
        empty="この月には注文も費用もありません。",
        unit="yen",
    )


def _profit_table(profit: list[Figure]) -> Figures:
    return Figures("profit", profit)


def _ltv_line(lifetime: Figures) -> Table:
    """One line: gross profit, coupons, messages, what is left, and its parts of a hundred."""
    values = {one.id: one.value for one in lifetime.figures}
    whole = values["ltv_gross_profit"]
    row: list[Cell] = ["お客様1人あたり", *(values[one] for one in LTV)]
    rows = [row] if values["ltv"] is not None else []
    columns = [Column("who", "だれの"), *(Column(one, KPIS[one].name, "yen") for one in LTV)]
    parts = "、".join(
        f"{KPIS[one].name.removeprefix('LTVのうち')}は{number((values[one] or 0) / whole, 'ratio')}"
        for one in LTV[1:3]
        if whole
    )
    return Table(
        id="ltv_line",
        title="粗利LTVの内訳(1人あたり)",
        columns=columns,
        rows=rows,
        empty="注文した方がまだいないため、計算できません。",
        note=f"粗利に対して、{parts}です。" if rows and parts else "",
    )


def _by_month(source: Source, span: Span) -> Chart:
    first = span.first
    for _ in range(MONTHS_SHOWN - 1):
        first = (first - DAY).replace(day=1)
    found = source.rows(
        "SELECT CAST(date_trunc('month', day) AS DATE), part, sum(value) FROM daily WHERE scope_kind = 'all' AND goal = '' "
        "AND part IN ('revenue', 'gross_profit') GROUP BY 1, 2 ORDER BY 1, 2",
        {"daily": days_between(first, span.last)},
    )
    rows = [
        {"month": f"{month:%Y-%m}", "source": KPIS[part].name, "id": part, "value": value}
        for month, part, value in found
    ]
    return Chart(
        id="by_month",
        title="月ごとの売上と粗利",
        kind="lines",
        rows=rows,
        told=f"{len({row['month'] for row in rows})}か月分です。返品と取り消しは、注文した月から引いています。",
        empty="注文はまだありません。",
        unit="yen",
    )


def _retention(source: Source, span: Span) -> Chart:
    """Of those whose first order was in a month, the part that ordered in each month after it."""
    first = span.first
    for _ in range(COHORTS):
        first = (first - DAY).replace(day=1)
    found = cohorts(source.views, first, span.last)
    rows = [
        {
            "cohort": f"{one.cohort:%Y-%m}",
            "month": one.month,
            "customers": one.customers,
            "active": one.active,
            "rate": one.active / one.customers,
        }
        for one in found
        if 1 <= one.month <= COHORTS and one.customers
    ]
    return Chart(
        id="retention",
        title="初めて買った月ごとの継続率",
        kind="heat",
        rows=rows,
        told="行は初めて買った月、列はその何か月後か。色が濃いほど、その月にも買った方が多いことを示します。最後の月は途中までの数です。",
        empty="初めての注文から1か月たった方が、まだいません。",
        unit="ratio",
    )


def _tree(source: Source, span: Span) -> Tree:
    now = source.values(span.first, span.last)
    before = source.values(span.previous_first, span.previous_last)
    seen: set[str] = set()

    def branch(kpi: str, depth: int) -> Branch:
        # What hangs in several places is taken apart but once, where it comes first.
        below = KPI_TREE.get(kpi, ()) if kpi not in seen and depth < DEPTH_MAX else ()
        seen.add(kpi)
        return Branch(figure_of(kpi, now, before), [branch(one, depth + 1) for one in below])

    return Tree(
        "kpi_tree",
        "事業から現場へ",
        branch("ltv", 0),
        "同じ数字がいくつもの場所にかかるときは、初めの場所でだけ下を開いています。",
    )
