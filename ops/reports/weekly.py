"""Weekly review: what is off, what was changed and why, what tests show, and what is to be tested next."""

import datetime as dt
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from functions.domain.campaigns import next_occurrence
from functions.measure.days import day_begins
from functions.measure.experiment_results import ExperimentResult
from functions.measure.kpis import overlaps
from ops.reports.changes import changes_in
from ops.reports.content import Cell, Column, Figures, Item, Items, Section, Table, Tone
from ops.reports.diagnosis import diagnosis
from ops.reports.parts import OPERATIONAL, alert_items, by_source, figures, sends_by_day
from ops.reports.source import Source
from ops.reports.spans import WEEK, Span
from ops.reports.tested import (
    days_left,
    experiment_results,
    experiments_chart,
    experiments_table,
    lifts_chart,
    lifts_of,
    lifts_table,
)
from ops.reports.words import changed, number

DAYS_SHOWN = 28
LIFT_DAYS = 90
OVERLAPS_SHOWN = 12
TOO_LONG_DAYS = 120
TEN_PERCENT = 0.1
WEEK_OF = (
    *OPERATIONAL,
    "conversions_first_touch",
    "overlap_rate",
    "attributed_profit",
    "cost_per_conversion",
)
WATCHED = ("block_rate", "click_rate", "conversion_rate", "failed", "unknown", "link_rate", "overlap_rate")


def weekly(source: Source, span: Span) -> tuple[list[Item], list[Section]]:
    """The headline and the sections."""
    alerts = alert_items(source, span.first, span.last)
    week = figures("week", source, span, WEEK_OF)
    changes = changes_in(source, span.first, span.last)
    tests = experiment_results(source, span.first, span.last)
    lifts = lifts_of(source, span.last - dt.timedelta(days=LIFT_DAYS - 1), span.last)
    sections = [
        Section("warnings", "警告値", "", [alerts, _watched(source, span)]),
        Section(
            "week",
            "今週の数字",
            "前の7日間とくらべています。",
            [week, sends_by_day(source, span.last, DAYS_SHOWN), by_source(source, span)],
        ),
        Section(
            "changes",
            "今週変えたことと、その理由",
            "数字が動いた理由を、変えたことと並べて読みます。",
            [changes],
        ),
        Section("experiments", "実験", "", [experiments_table(source, tests), experiments_chart(tests)]),
        Section(
            "holdout",
            "対照群との差",
            f"直近{LIFT_DAYS}日に対象となった方で見ています。",
            [lifts_chart(lifts), lifts_table(lifts)],
        ),
        Section(
            "overlaps",
            "重なり",
            "同じ成果に、いくつものシナリオ・キャンペーンが触れていないかを見ます。",
            [_overlaps(source, span)],
        ),
        Section("diagnosis", "診断", "", [diagnosis(source, span)]),
        Section("plan", "来週のテスト計画", "", [_plan(source, span, tests)]),
    ]
    return _headline(week, alerts, changes), sections


def _headline(week: Figures, alerts: Items, changes: Items) -> list[Item]:
    named = {one.id: one for one in week.figures}
    accepted, conversions = named["accepted"], named["conversions"]
    moved = f"(前の週から{changed(accepted)})" if accepted.previous else ""
    return [
        Item(
            f"{number(accepted.value, 'count')}通を届け{moved}、{number(conversions.value, 'count')}件の成果につながりました。"
        ),
        Item(
            f"プレイブックを{len(changes.items)}回変えました。"
            if changes.items
            else "プレイブックは変えていません。"
        ),
        Item(
            f"警告が{len(alerts.items)}件あります。" if alerts.items else "警告はありません。",
            tone="bad" if alerts.items else "good",
        ),
    ]


def _watched(source: Source, span: Span) -> Table:
    """Rates that are watched, and whether they have got worse by a tenth or more."""
    rows: list[list[Cell]] = []
    tones: list[Tone] = []
    for one in figures("watched", source, span, WATCHED).figures:
        worse = one.relative is not None and one.relative * (1 if one.better == "down" else -1) >= TEN_PERCENT
        state = (
            "悪くなった" if worse else "くらべられない" if one.change is None else "変わりない・良くなった"
        )
        rows.append(
            [
                one.name,
                number(one.value, one.unit),
                number(one.previous, one.unit),
                changed(one) or "—",
                state,
            ]
        )
        tones.append("warn" if worse else "")
    return Table(
        id="watched",
        title="見張っている値",
        columns=[
            Column("name", "値"),
            Column("now", "今週"),
            Column("before", "前の週"),
            Column("change", "変化"),
            Column("state", "見立て"),
        ],
        rows=rows,
        empty="",
        note="前の週より1割以上悪くなったものに印をつけています。偶然のゆれを除いた警告は、上の一覧です。",
        tones=tones,
    )


def _overlaps(source: Source, span: Span) -> Table:
    first_goal = next(iter(source.playbook.measure.goals), "")
    found = [one for one in overlaps(source.views, span.first, span.last) if one.goal == first_goal]
    rows: list[list[Cell]] = [
        [
            _plain(one.source),
            "、".join(_plain(name) for name in one.touched_by),
            one.conversions,
            one.value_yen,
        ]
        for one in found[:OVERLAPS_SHOWN]
    ]
    return Table(
        id="overlaps",
        title="成果の重なり(1つ目の目標)",
        columns=[
            Column("source", "成果がついた配信元(最後)"),
            Column("touched_by", "触れていた配信元"),
            Column("conversions", "成果", "count"),
            Column("value", "金額", "yen"),
        ],
        rows=rows,
        empty="重なりはありません。どの成果にも、1つの配信元だけが触れていました。",
        note="重なりが多いほど、配信元ごとの成果は取り合いです。増えた分は対照群との差で見ます。",
        coloured=True,
    )


def _plain(named: str) -> str:
    return named.partition(":")[2]


def _plan(source: Source, span: Span, tests: Sequence[ExperimentResult]) -> Items:
    """What ends, goes on and begins in the coming week."""
    items = [*_tests_ahead(source, tests), *_campaigns_ahead(source, span)]
    return Items(
        "plan",
        "来週すること",
        items,
        "来週に始まる・終わる実験はありません。診断表のいちばん上の弱点から、変えることを1つだけ選んで実験にしてください。",
    )


def _tests_ahead(source: Source, tests: Sequence[ExperimentResult]) -> Iterator[Item]:
    for one in tests:
        left = days_left(one)
        if one.enough:
            yield Item(
                f"実験 {one.experiment}: データがそろいました。結果を決めて、終わらせます。",
                [f"責任者: {one.owner or '未定'}"],
                "good",
            )
        elif left is not None and left <= WEEK.days:
            yield Item(
                f"実験 {one.experiment}: あと約{left}日で、予定の人数と日数に届きます(来週に終わる見込み)。",
                [f"責任者: {one.owner or '未定'}"],
            )
        else:
            yield _goes_on(one, left)
    begun = {one.experiment for one in tests}
    for name, experiment in sorted(source.playbook.experiments.items()):
        if name not in begun:
            yield Item(
                f"実験 {name}: まだだれも入っていません(これから始まります)。",
                [
                    f"入口のシナリオが on かを確かめます。目標: {experiment.goal or experiment.measures or '未定'}"
                ],
                "warn",
            )


def _goes_on(one: ExperimentResult, left: int | None) -> Item:
    if left is not None and left > TOO_LONG_DAYS:
        return Item(
            f"実験 {one.experiment}: いまの人数では、あと約{left}日かかります。",
            ["もっと大きな違いを試すか、入口を広げるか、やめるかを決めます。"],
            "warn",
        )
    told = f"あと約{left}日" if left is not None else "いつまでかは、成果が出はじめてから分かります"
    return Item(f"実験 {one.experiment}: 続けます({told})。")


def _campaigns_ahead(source: Source, span: Span) -> Iterator[Item]:
    zone = source.playbook.zone
    begin = day_begins(span.last + dt.timedelta(days=1), zone)
    for name, campaign in sorted(source.playbook.campaigns.items()):
        at = next_occurrence(campaign, zone, begin)
        if at is not None and at < begin + WEEK:
            local = at.astimezone(ZoneInfo(zone))
            yield Item(
                f"キャンペーン {name}: {local.month}月{local.day}日 {local:%H:%M} に「{campaign.segment}」へ送ります。"
            )
