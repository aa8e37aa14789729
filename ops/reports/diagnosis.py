"""What is weak, and what to look at first: by what people did not do."""

import datetime as dt
from collections.abc import Mapping

from scipy import stats

from functions.domain import playbook as pb
from functions.measure.kpis import KpiValue
from functions.measure.periods import days_between
from ops.reports.content import Cell, Column, Table, Tone
from ops.reports.source import Source
from ops.reports.spans import Span

OPENS_MIN = 0.30
LEAST = 30
"""Of fewer messages nothing is said."""
SURE = 0.95
WEAK = 0.5
"""A rate is low where it is surely below half of the account's own."""
ADVICE = {
    "opens": ("開封が30%未満", "プレビュー文と送る時刻を見直す"),
    "clicks": ("クリックが低い", "プレビュー文・時刻・行動の呼びかけ(1通1行動)を見直す"),
    "purchases": ("クリックはあるのに購入が低い", "オファーか、安心できる情報(送料・返品・口コミ)を足す"),
    "segment": ("セグメントの反応が低い", "そのセグメントに入れているシナリオと条件を見直す"),
    "landing": (
        "反応は普通なのに成果が前より下がった",
        "リンク先のページ(表示・在庫・価格・言葉の一致)を見直す",
    ),
    "fine": ("弱いところは見つかりません", "そのまま続ける"),
    "few": (f"{LEAST}通未満", "判断しない"),
}
_TONES: Mapping[str, Tone] = {
    "opens": "warn",
    "clicks": "warn",
    "purchases": "warn",
    "segment": "warn",
    "landing": "warn",
}
LATE = dt.timedelta(days=8)
"""LINE tells of a day later, within so long."""
_Found = Mapping[tuple[str, str], KpiValue]


def diagnosis(source: Source, span: Span) -> Table:
    """A row for each scenario, campaign and segment that was written to."""
    rows: list[list[Cell]] = []
    tones: list[Tone] = []
    opened = _opened(source, span)
    ids = ("accepted", "click_rate", "conversion_rate")
    overall = source.values(span.first, span.last, "all", ids)
    for kind in ("scenario", "campaign", "segment"):
        now = source.values(span.first, span.last, kind, ids)
        before = source.values(span.previous_first, span.previous_last, kind, ids)
        for scope in sorted({scope for (_, scope), one in now.items() if one.numerator}):
            accepted = _number(now, "accepted", scope)
            if not accepted:
                continue
            rate = opened.get((kind, scope))
            code = _code(kind, scope, now, before, overall, rate)
            seen, look = ADVICE[code]
            if code == "segment":
                look += _feeding(source.playbook, scope)
            rows.append(
                [
                    f"{_WORDS[kind]} {scope}",
                    accepted,
                    rate[0] / rate[1] if rate and rate[1] else None,
                    _value(now, "click_rate", scope),
                    _value(now, "conversion_rate", scope),
                    seen,
                    look,
                ]
            )
            tones.append(_TONES.get(code, ""))
    return Table(
        id="diagnosis",
        title="どこから直すか(診断表)",
        columns=[
            Column("scope", "範囲"),
            Column("accepted", "配信数", "count"),
            Column("open_rate", "開封率", "ratio"),
            Column("click_rate", "クリック率", "ratio"),
            Column("conversion_rate", "コンバージョン率", "ratio"),
            Column("seen", "見えたこと"),
            Column("look", "まず見るところ"),
        ],
        rows=rows,
        empty="この週に届いた通がないため、診断できません。",
        note="開封率は LINE が集計で教える値だけを使います(20人未満は公開されず「—」)。"
        f"「低い」は、アカウント全体の率の半分を、{SURE:.0%}の確かさで下回ることです。",
        tones=tones,
    )


_WORDS = {"scenario": "シナリオ", "campaign": "キャンペーン", "segment": "セグメント"}


def _code(
    kind: str,
    scope: str,
    now: _Found,
    before: _Found,
    overall: _Found,
    opened: tuple[int, int] | None,
) -> str:
    """The first weakness on the way from opening to buying."""
    accepted = int(_number(now, "accepted", scope))
    if accepted < LEAST:
        return "few"
    if opened and opened[1] >= LEAST and opened[0] / opened[1] < OPENS_MIN:
        return "opens"
    clicks, buys = _number(now, "click_rate", scope), _number(now, "conversion_rate", scope)
    if is_low(clicks, accepted, _value(overall, "click_rate")):
        return "segment" if kind == "segment" else "clicks"
    if is_low(buys, accepted, _value(overall, "conversion_rate")):
        return "segment" if kind == "segment" else "purchases"
    earlier = _number(before, "accepted", scope)
    if earlier >= LEAST and is_low(buys, accepted, _value(before, "conversion_rate", scope)):
        return "landing"
    return "fine"


def is_low(successes: float, of: int, usual: float | None) -> bool:
    """Whether a rate is below a part of what is usual, by the upper end of its exact interval."""
    if not usual:
        return False
    highest = stats.beta.ppf(SURE, successes + 1, of - successes) if successes < of else 1.0
    return bool(highest < usual * WEAK)


def _number(found: _Found, kpi: str, scope: str) -> float:
    one = found.get((kpi, scope))
    return (one.numerator or 0.0) if one else 0.0


def _value(found: _Found, kpi: str, scope: str = "") -> float | None:
    one = found.get((kpi, scope))
    return one.value if one else None


def _opened(source: Source, span: Span) -> dict[tuple[str, str], tuple[int, int]]:
    """Opened and delivered, by LINE's own figures, of each scenario and campaign; units that LINE is silent about aside."""
    days = f"day_of BETWEEN '{span.first}' AND '{span.last}'"
    rows = source.rows(
        "SELECT scenario, campaign, sum(opened), sum(delivered) FROM insight "  # noqa: S608 — days of our own
        f"WHERE opened IS NOT NULL AND delivered IS NOT NULL AND {days} GROUP BY 1, 2",
        {"insight": days_between(span.first, span.last + LATE)},
    )
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for scenario, campaign, opened, delivered in rows:
        key = ("campaign", campaign) if campaign else ("scenario", scenario)
        found[key] = (int(opened), int(delivered))
    return found


def _feeding(playbook: pb.Playbook, segment: str) -> str:
    """Which scenarios and campaigns write to a segment."""
    names = [name for name, one in playbook.scenarios.items() if one.entry.segment == segment]
    names += [name for name, one in playbook.campaigns.items() if one.segment == segment]
    return f"({'、'.join(sorted(names))})" if names else ""
