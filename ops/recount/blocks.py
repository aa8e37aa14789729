"""The tables and charts of reports, held against the recount: what is told and what was counted, block by block."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from functions.measure.kpis import KPIS
from ops.recount.by_pandas import ByPandas
from ops.recount.kpis import Recount
from ops.reports.source import NOW_ONLY
from ops.reports.words import number

Block = dict[str, Any]
KINDS = {"シナリオ": "scenario", "キャンペーン": "campaign", "セグメント": "segment"}
DAYS_OF_SENDS = 28
LOOKED_DAYS = 8
HOUR_SECONDS = 3_600
ROWS_MAX = 12
"""Of overlaps, and of months."""


class About(NamedTuple):
    """A report's periods, and what is known."""

    recount: Recount
    first: dt.date
    last: dt.date
    previous_first: dt.date
    previous_last: dt.date

    def now(self, kpi: str, kind: str = "all", scope: str = "") -> float | None:
        """Of the period."""
        return self.recount.value_of(kpi, self.first, self.last, kind, scope)

    def before(self, kpi: str) -> float | None:
        """Of the one before."""
        return (
            None if kpi in NOW_ONLY else self.recount.value_of(kpi, self.previous_first, self.previous_last)
        )

    @property
    def known(self) -> ByPandas:
        """All rows."""
        return self.recount.known


Held = Iterator[tuple[str, Any, Any]]
"""What, as it is told, and as it was counted."""


def _by_source(block: Block, about: About) -> Held:
    for name, word, *cells in block["rows"]:
        for column, cell in zip(block["columns"][2:], cells, strict=True):
            yield f"{name}, {column['id']}", cell, about.now(column["id"], KINDS[word], name)
    targeted = about.known.sends
    mine = targeted[(targeted["day"] >= about.first) & (targeted["day"] <= about.last)]
    yield "rows", {row[0] for row in block["rows"]} >= set(_source(mine)), True


def _sends_by_day(block: Block, about: About) -> Held:
    sent = about.known.contacts
    begin = about.last - dt.timedelta(days=DAYS_OF_SENDS - 1)
    sent = sent[(sent["day"] >= begin) & (sent["day"] <= about.last)]
    shown = {row["source"] for row in block["rows"]}
    named = [name if name in shown else "その他" for name in _source(sent)]
    counts = Counter(zip((str(day) for day in sent["day"]), named, strict=True))
    told = {(row["day"], row["source"]): row["value"] for row in block["rows"]}
    for key in sorted(counts.keys() | told.keys()):
        yield " ".join(key), told.get(key, 0), counts.get(key, 0)


def _source(sends: pd.DataFrame) -> "pd.Series[Any]":
    return sends["campaign"].where(sends["campaign"] != "", sends["scenario"])


def _suppressed(block: Block, about: About) -> Held:
    sends = about.known.sends
    mine = sends[
        (sends["day"] >= about.first) & (sends["day"] <= about.last) & (sends["status"] == "suppressed")
    ]
    counts = Counter(mine["reason"])
    told = {row["id"]: row["value"] for row in block["rows"]}
    for reason in sorted(counts.keys() | told.keys()):
        yield reason, told.get(reason, 0), counts.get(reason, 0)


def _profit_steps(block: Block, about: About) -> Held:
    signs = {"gross_profit": 1, "coupon_cost": -1, "message_cost": -1, "net_profit": 1}
    for row, (kpi, sign) in zip(block["rows"], signs.items(), strict=True):
        yield kpi, row["value"], sign * (about.now(kpi) or 0.0)


def _ltv_line(block: Block, about: About) -> Held:
    for row in block["rows"]:
        for column, cell in zip(block["columns"][1:], row[1:], strict=True):
            yield column["id"], cell, about.now(column["id"])


def _by_month(block: Block, about: About) -> Held:
    orders = about.known.orders_kept
    orders = orders[orders["day"] <= about.last]
    months = pd.to_datetime(orders["day"]).dt.strftime("%Y-%m")
    sums = orders.groupby(months)[["amount", "profit"]].sum()
    columns = {"revenue": "amount", "gross_profit": "profit"}
    for row in block["rows"]:
        yield f"{row['month']}, {row['id']}", row["value"], float(sums[columns[row["id"]]][row["month"]])
    yield "months", len({row["month"] for row in block["rows"]}), min(ROWS_MAX, len(sums))


def _retention(block: Block, about: About) -> Held:
    orders = about.known.orders_kept
    months = pd.to_datetime(orders["day"]).dt.to_period("M")
    by_person = months.groupby(orders["who"]).agg(set)
    for row in block["rows"]:
        first, after = pd.Period(row["cohort"], "M"), row["month"]
        mine = [active for active in by_person if min(active) == first]
        came = sum(first + after in active for active in mine)
        where = f"{row['cohort']} after {after}"
        yield f"{where}, customers", row["customers"], len(mine)
        yield f"{where}, active", row["active"], came
        yield f"{where}, rate", row["rate"], came / len(mine)


def _overlaps(block: Block, about: About) -> Held:
    credited, by = about.known.overlapping(about.first, about.last)
    found = credited.assign(by=by).groupby(["source", "by"])["amount"].agg(["size", "sum"])
    told = {(row[0], row[1]): (row[2], row[3]) for row in block["rows"]}
    for (source, touched), (count, yen) in told.items():
        there = (source, touched) in found.index
        yield (
            f"{source}, {touched}, conversions",
            count,
            int(found.loc[(source, touched), "size"]) if there else 0,
        )
        yield f"{source}, {touched}, yen", yen, float(found.loc[(source, touched), "sum"]) if there else 0
    yield "rows", len(told), min(ROWS_MAX, len(found))


def _diagnosis(block: Block, about: About) -> Held:
    columns = {1: "accepted", 3: "click_rate", 4: "conversion_rate"}
    for row in block["rows"]:
        word, _, scope = row[0].partition(" ")
        for place, kpi in columns.items():
            yield f"{row[0]}, {kpi}", row[place], about.now(kpi, KINDS[word], scope)


def _watched(block: Block, about: About) -> Held:
    kpis = {one.name: one for one in KPIS.values()}
    for row in block["rows"]:
        kpi = kpis[row[0]]
        yield kpi.id, row[1], number(about.now(kpi.id), kpi.unit)
        yield f"{kpi.id} before", row[2], number(about.before(kpi.id), kpi.unit)


def _budget(block: Block, about: About) -> Held:
    """Messages and yen of the month so far, and of the whole month at this pace."""
    price, sent = about.known.book.price, about.known.contacts
    month = pd.Period(about.last, "M")
    count = int(
        ((pd.to_datetime(sent["day"]).dt.to_period("M") == month) & (sent["day"] <= about.last)).sum()
    )
    ahead = count * month.days_in_month / about.last.day
    yen, yen_ahead = (
        price.plan_yen + max(0, messages - price.free_messages) * price.yen_each
        for messages in (count, ahead)
    )
    *messages, money = block["rows"]
    for name, used, limit, part, told_ahead in messages:
        yield name, (used, told_ahead), (count, round(ahead))
        yield f"{name}, part", part, count / limit if limit else None
    yield money[0], (money[1], money[4]), (number(yen, "yen"), number(round(yen_ahead), "yen"))
    yield f"{money[0]}, part", money[3], yen / price.yen_max if price.yen_max else None


def _freshness(block: Block, about: About) -> Held:
    """What each source told of late, and how long ago it was at the end of the last day."""
    begin = about.last - dt.timedelta(days=LOOKED_DAYS - 1)
    end = pd.Timestamp(about.last + dt.timedelta(days=1), tz=about.known.book.zone)
    for name, hours, _, count, *_ in block["rows"]:
        heard = about.recount.heard(name)
        mine = heard[(heard["day"] >= begin) & (heard["day"] <= about.last)]
        yield f"{name}, events", count, len(mine)
        ago = (
            (end - mine["at"].max().tz_localize("UTC")).total_seconds() / HOUR_SECONDS if len(mine) else None
        )
        yield f"{name}, hours", hours, ago and round(ago, 1)


HOLDING: Mapping[str, Callable[[Block, About], Held]] = {
    "by_source": _by_source,
    "sends_by_day": _sends_by_day,
    "suppressed_by_reason": _suppressed,
    "profit_steps": _profit_steps,
    "ltv_line": _ltv_line,
    "by_month": _by_month,
    "retention": _retention,
    "overlaps": _overlaps,
    "diagnosis": _diagnosis,
    "watched": _watched,
    "budget": _budget,
    "freshness": _freshness,
}
