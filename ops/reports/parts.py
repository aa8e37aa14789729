"""Blocks that more than one report has."""

import datetime as dt
from collections.abc import Collection, Sequence

from functions.measure.kpis import KPIS, ScopeKind
from functions.measure.periods import days_between
from ops.reports.content import Chart, Column, Figure, Figures, Item, Items, Table
from ops.reports.source import Source, figure_of
from ops.reports.spans import Span
from ops.reports.words import number, reason_in_words

OPERATIONAL = (
    "accepted",
    "reach",
    "click_rate",
    "conversions",
    "conversion_rate",
    "attributed_revenue",
    "block_rate",
    "blocks",
    "follows",
    "message_cost",
)
BY_SOURCE = (
    "targeted",
    "accepted",
    "reach",
    "click_rate",
    "block_rate",
    "conversions",
    "conversion_rate",
    "attributed_profit",
    "message_cost",
)
SOURCES_SHOWN = 7
"""In a picture; the others are one layer together. The tables have all of them."""
OTHERS = "その他"


def figures(block_id: str, source: Source, span: Span, ids: Sequence[str]) -> Figures:
    """KPIs of everybody, in the period and in the one before."""
    now = source.values(span.first, span.last, "all", ids)
    before = source.values(span.previous_first, span.previous_last, "all", ids)
    return Figures(block_id, [figure_of(one, now, before) for one in ids])


def by_source(source: Source, span: Span) -> Table:
    """A row for each scenario and campaign to which anybody was targeted."""
    rows: list[list[str | float | int | None]] = []
    for kind in ("scenario", "campaign"):
        found = source.values(span.first, span.last, kind, BY_SOURCE)
        scopes = sorted({scope for _, scope in found})
        for scope in scopes:
            values = [figure_of(one, found, {}, scope).value for one in BY_SOURCE]
            if values[0] or values[BY_SOURCE.index("conversions")]:
                rows.append([scope, "シナリオ" if kind == "scenario" else "キャンペーン", *values])
    rows.sort(key=lambda row: (-float(row[3] or 0), str(row[0])))
    columns = [Column("source", "配信元"), Column("source_kind", "種類")]
    columns += [Column(one, KPIS[one].name, KPIS[one].unit) for one in BY_SOURCE]
    return Table(
        id="by_source",
        title="シナリオ・キャンペーン別",
        columns=columns,
        rows=rows,
        empty="この期間に対象となった方はいません。シナリオとキャンペーンが on か、入口の条件に合う方がいるかを確かめてください。",
        note="粗利は、クーポンと配信の費用を引いた後の額です。届いたことと買ったことの因果は、対照群との差で見ます。",
        coloured=True,
    )


def daily_parts(
    source: Source, first: dt.date, last: dt.date, part: str, kinds: Collection[ScopeKind]
) -> list[tuple[dt.date, str, float]]:
    """A part of KPIs day by day and scope, of these kinds of scope."""
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    return source.rows(
        f"SELECT day, scope, sum(value) FROM daily WHERE part = '{part}' AND goal = '' AND scope_kind IN ({listed}) "  # noqa: S608
        "GROUP BY 1, 2 ORDER BY 1, 2",
        {"daily": days_between(first, last)},
    )


def sends_by_day(source: Source, last: dt.date, days: int) -> Chart:
    """Accepted messages each day, in layers by scenario and campaign."""
    first = last - dt.timedelta(days=days - 1)
    found = daily_parts(source, first, last, "accepted", ("scenario", "campaign"))
    totals: dict[str, float] = {}
    for _, scope, value in found:
        totals[scope] = totals.get(scope, 0) + value
    shown = sorted(totals, key=lambda name: (-totals[name], name))[:SOURCES_SHOWN]
    layers: dict[tuple[dt.date, str], float] = {}
    for day, scope, value in found:
        key = (day, scope if scope in shown else OTHERS)
        layers[key] = layers.get(key, 0) + value
    rows = [
        {"day": day.isoformat(), "source": name, "value": value}
        for (day, name), value in sorted(layers.items())
    ]
    total = sum(totals.values())
    return Chart(
        id="sends_by_day",
        title=f"配信数の推移({days}日間)",
        kind="stacked_days",
        rows=rows,
        told=f"{first.month}月{first.day}日から{days}日間に{number(total, 'count')}通が届きました。",
        empty=f"{last.month}月{last.day}日までの{days}日間に、届いた通はありません。",
    )


def suppressed_by_reason(source: Source, span: Span) -> Chart:
    """Why messages were not sent."""
    found = source.values(span.first, span.last, "reason", ["suppressed"])
    counts = {scope: one.value for (_, scope), one in found.items() if one.value}
    ordered = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    rows = [{"label": reason_in_words(scope), "id": scope, "value": count} for scope, count in ordered]
    total = sum(counts.values())
    return Chart(
        id="suppressed_by_reason",
        title="送らなかった理由",
        kind="bars",
        rows=rows,
        told=f"決まりに従って送らなかった{number(total, 'count')}通の内訳です。多くは、送らないことで守れたものです。",
        empty="止められた通はありません。",
    )


def accounts_close(figure: dict[str, Figure]) -> Item:
    """Whether everything that was targeted has ended in exactly one way."""
    targeted = figure["targeted"].value or 0
    ends = [figure[one].value or 0 for one in ("accepted", "suppressed", "failed", "unknown")]
    told = " + ".join(number(one, "count") for one in ends)
    if targeted == sum(ends):
        return Item(
            f"会計は合っています: 対象{number(targeted, 'count')} = 配信 + 停止 + 失敗 + 不明({told})",
            tone="good",
        )
    return Item(
        f"会計が合いません: 対象{number(targeted, 'count')} ≠ {told}",
        ["`musubi sends` で、まだ終わっていない通と見落としを確かめてください。"],
        tone="bad",
    )


def alert_items(source: Source, first: dt.date, last: dt.date) -> Items:
    """What the night's watch has found."""
    found = [one for one in source.around.alerts if first <= one.day <= last]
    items = [
        Item(
            one.in_words("ja"),
            [one.to_do("ja"), f"{one.day.month}月{one.day.day}日・くわしくは {one.page}"],
            "bad" if one.kind in ("block_rate", "failures", "sample_ratio") else "warn",
        )
        for one in sorted(found, key=lambda one: (one.day, one.alert_id), reverse=True)
    ]
    return Items("alerts", "警告", items, "警告はありません。決めた上限も、いつもの範囲も超えていません。")
