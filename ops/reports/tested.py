"""Experiments and lifts as blocks: what is known, how surely, and what may be decided by it."""

import datetime as dt
from collections.abc import Sequence

from functions.measure.experiment_results import Comparison, ExperimentResult, Lift
from functions.measure.experiments import lifts, results
from ops.reports.content import Cell, Chart, Column, Table, Tone
from ops.reports.source import Source
from ops.reports.words import NONE

NOT_ENOUGH = "データ不足"
_VERDICTS: dict[str, tuple[str, Tone]] = {
    "extend": ("続ける・広げる", "good"),
    "archive": ("やめる", "bad"),
    "fix": ("直す", "warn"),
    "wait": ("待つ", ""),
}
_CHANGES = {
    "frequency": "回数",
    "appeal": "訴求",
    "offer": "特典",
    "timing": "時刻",
    "preview_text": "プレビュー文",
    "format": "形式",
}


def experiment_results(source: Source, first: dt.date, last: dt.date) -> list[ExperimentResult]:
    """Experiments to which anybody came."""
    return results(source.views, source.playbook, first, last)


def lifts_of(source: Source, first: dt.date, last: dt.date, *, by_segment: bool = False) -> list[Lift]:
    """Lifts of whom it was meant for."""
    return lifts(source.views, source.playbook, first, last, by_segment=by_segment)


def experiments_table(source: Source, found: Sequence[ExperimentResult]) -> Table:
    """A row for each arm, with the difference to the first of them."""
    rows: list[list[Cell]] = []
    tones: list[Tone] = []
    for one in found:
        for place, arm in enumerate(one.arms):
            against = next(
                (c for c in one.comparisons if c.arm == arm.name and c.metric == "conversion"), None
            )
            weights = source.playbook.experiments[one.experiment].variants
            share = weights[arm.name] / sum(weights.values())
            rows.append(
                [
                    one.experiment if place == 0 else "",
                    f"{arm.name}{'(くらべる元)' if against is None else ''}",
                    share,
                    arm.people,
                    arm.conversions,
                    arm.conversion_rate,
                    interval(against) if against else NONE,
                    verdict_of_experiment(one) if place == 0 else "",
                ]
            )
            tones.append("bad" if any(lack.code == "ratio" for lack in one.lacks) else "")
    return Table(
        id="experiments",
        title="動いている実験",
        columns=[
            Column("experiment", "実験"),
            Column("arm", "群"),
            Column("share", "決めた割合", "ratio"),
            Column("people", "人数", "count"),
            Column("conversions", "成果", "count"),
            Column("rate", "率", "ratio"),
            Column("difference", "差(95%区間)"),
            Column("verdict", "判断"),
        ],
        rows=rows,
        empty="動いている実験はありません。次に確かめたい1つの違いを experiments.yaml に書いてください。",
        note="人数は、成果を数える期間が終わった方だけです。区間は毎日見ても正しいもの(always-valid)で、0をまたぐあいだは差があるとは言えません。",
        tones=tones,
    )


def experiments_chart(found: Sequence[ExperimentResult]) -> Chart:
    """Differences with their intervals."""
    rows = [
        _interval_row(f"{one.experiment}: {c.arm} − {c.control}", one.experiment, c)
        for one in found
        for c in one.comparisons
        if c.metric == "conversion" and c.low is not None
    ]
    return Chart(
        id="experiment_differences",
        title="実験の差(成果の率、ポイント)",
        kind="intervals",
        rows=rows,
        told="線は95%区間です。0の線をまたぐものは、まだ差があるとは言えません。",
        empty="区間を示せる実験はまだありません(どの群にも一定の人数と成果が必要です)。",
        unit="ratio",
    )


def verdict_of_experiment(one: ExperimentResult) -> str:
    """What may be decided by an experiment today; else what is lacking, and for how long."""
    if not one.enough:
        lacks = "。".join(lack.in_words("ja") for lack in one.lacks)
        return f"{NOT_ENOUGH}: {lacks}{left_in_words(one)}"
    sure = [c for c in one.comparisons if c.metric == "conversion" and c.is_sure]
    if not sure:
        return "差は見つかりませんでした。安い方、手間の少ない方にしてください"
    best = max(sure, key=lambda c: c.difference)
    if best.difference > 0:
        return f"{best.arm} に決められます"
    return f"{best.control} のままにします"


def days_left(one: ExperimentResult) -> int | None:
    """Days until it has run as long as planned; None where nobody can say."""
    return None if one.needed is None or one.needed.days is None else max(0, one.needed.days - one.days)


def left_in_words(one: ExperimentResult) -> str:
    """For how long it goes on."""
    left = days_left(one)
    return f"。あと約{left}日" if left else ""


def lifts_table(found: Sequence[Lift], *, decides: bool = False) -> Table:
    """Those who were to get messages against those held out. `decides`: with what follows from it."""
    rows: list[list[Cell]] = []
    tones: list[Tone] = []
    for one in found:
        code = decision(one)
        told, tone = _VERDICTS[code]
        why = "。".join(lack.in_words("ja") for lack in one.lacks)
        rows.append(
            [
                scope_in_words(one),
                one.treated.people,
                one.held_out.people,
                one.treated.conversion_rate,
                one.held_out.conversion_rate,
                interval(one.conversion),
                one.incremental_gross_profit if one.gross_profit.low is not None else None,
                (f"{told}({why})" if why else told)
                if decides
                else (f"{NOT_ENOUGH}: {why}" if why else "十分"),
            ]
        )
        tones.append(tone if decides else "")
    last = Column("decision", "判断") if decides else Column("enough", "データ")
    return Table(
        id="lifts",
        title="送ったことで増えた分(対照群との差)",
        columns=[
            Column("scope", "範囲"),
            Column("treated", "送る群の人数", "count"),
            Column("held_out", "対照群の人数", "count"),
            Column("treated_rate", "送る群の率", "ratio"),
            Column("held_out_rate", "対照群の率", "ratio"),
            Column("difference", "差(95%区間)"),
            Column("incremental_profit", "増えた粗利(費用を引いた後)", "yen"),
            last,
        ],
        rows=rows,
        empty="対照群がいないか、対象になった方がいません。playbook.yaml の holdout で、送らない方の割合を決めると測れます。",
        note="送れたかどうかにかかわらず、送ろうとした全員と、はじめから送らないと決めた方をくらべています(ITT)。"
        "増えた粗利は、粗利からクーポンと配信の費用を引いた額の差に、送る群の人数を掛けたものです。",
        tones=tones,
    )


def lifts_chart(found: Sequence[Lift]) -> Chart:
    """Lifts with their intervals."""
    rows = [
        _interval_row(scope_in_words(one), one.scope, one.conversion)
        for one in found
        if one.conversion.low is not None
    ]
    return Chart(
        id="lift_intervals",
        title="対照群との差(成果の率、ポイント)",
        kind="intervals",
        rows=rows,
        told="線は95%区間です。0の線より右にあるものは、送ったことで成果が増えています。",
        empty="区間を示せるほど人数と成果がそろった範囲は、まだありません。",
        unit="ratio",
    )


def decision(one: Lift) -> str:
    """Extend what surely brings something, archive what surely harms, fix what surely brings too little, else wait."""
    if not one.enough:
        return "wait"
    profit, rate = one.gross_profit, one.conversion
    if (profit.high is not None and profit.high < 0) or (rate.high is not None and rate.high < 0):
        return "archive"
    if rate.is_sure and one.incremental_gross_profit >= 0:
        return "extend"
    return "fix"


def scope_in_words(one: Lift) -> str:
    """The whole account, a scenario or a campaign; within it a segment."""
    scope = one.scope if one.scope_kind != "all" else "全体"
    return f"{scope} / {one.segment}" if one.segment else scope


def interval(one: Comparison) -> str:
    """A difference of rates with its interval, in points."""
    if one.low is None or one.high is None:
        return NONE
    difference, low, high = (f"{bound * 100:+.1f}" for bound in (one.difference, one.low, one.high))
    return f"{difference}({low}〜{high})ポイント".replace("-", "−")


def _interval_row(label: str, source: str, one: Comparison) -> dict[str, str | float | None]:
    return {
        "label": label,
        "source": source,
        "difference": one.difference,
        "low": one.low,
        "high": one.high,
        "told": interval(one),
    }
