"""Daily health: did everything that was to go out go out, to whom did it not and why, and what does that cost."""

import datetime as dt

from functions.measure.days import day_begins
from functions.measure.periods import days_between
from ops.reports.content import Block, Column, Figure, Item, Items, Section, Table, Tone
from ops.reports.money import budget, nearly_used
from ops.reports.parts import (
    OPERATIONAL,
    accounts_close,
    alert_items,
    by_source,
    figures,
    sends_by_day,
    suppressed_by_reason,
)
from ops.reports.source import Source
from ops.reports.spans import Span
from ops.reports.words import changed, number

DAYS_SHOWN = 28
FRESH_LOOK_DAYS = 8
ENDS = ("targeted", "accepted", "suppressed", "failed", "unknown", "held_out")


def daily(source: Source, span: Span) -> tuple[list[Item], list[Section]]:
    """The headline and the sections."""
    ends, reactions = figures("ends", source, span, ENDS), figures("reactions", source, span, OPERATIONAL)
    named = {one.id: one for one in (*ends.figures, *reactions.figures)}
    alerts = alert_items(source, span.first, span.last)
    sections = [
        Section(
            "watch",
            "気をつけること",
            "",
            [
                alerts,
                Items(
                    "money_watch",
                    "費用",
                    nearly_used(source, span.last),
                    "通数の上限と予算には余裕があります。",
                ),
            ],
        ),
        Section(
            "delivery",
            "配信",
            "対象になった通は、配信・停止・失敗・不明のどれかで必ず終わります。",
            [
                Items("accounts", "会計", [accounts_close(named)], ""),
                ends,
                sends_by_day(source, span.last, DAYS_SHOWN),
                suppressed_by_reason(source, span),
            ],
        ),
        Section(
            "reactions",
            "反応と成果",
            "同じ曜日どうしでくらべています。",
            [reactions, by_source(source, span)],
        ),
        Section("money", "費用と予算", "", [budget(source, span.last)]),
        Section("health", "データと仕組み", "", _machinery(source, span.last)),
    ]
    return _headline(named, alerts), sections


def _headline(named: dict[str, Figure], alerts: Items) -> list[Item]:
    accepted, blocks = named["accepted"], named["block_rate"]
    sent = f"{number(accepted.value, 'count')}通が{number(named['reach'].value, 'count')}人に届きました"
    compared = f"(前の週の同じ曜日から{changed(accepted)})" if accepted.previous else ""
    found = [Item(sent + compared + "。" if accepted.value else "この日に届いた通はありません。")]
    if blocks.value is not None:
        found.append(
            Item(
                f"ブロック率は{number(blocks.value, 'ratio')}、費用は{number(named['message_cost'].value, 'yen')}です。"
            )
        )
    count = len(alerts.items)
    found.append(
        Item(f"警告が{count}件あります。" if count else "警告はありません。", tone="bad" if count else "good")
    )
    return found


def _machinery(source: Source, day: dt.date) -> list[Block]:
    return [_freshness(source, day), _dead_letters(source)]


def _freshness(source: Source, day: dt.date) -> Table:
    """When each source last told of anything, as far as the facts know, against how old its data may be."""
    end = day_begins(day + dt.timedelta(days=1), source.playbook.zone)
    found = source.rows(
        "SELECT source, max(events.at), count(*) FROM events WHERE NOT imported AND source <> '' GROUP BY 1 ORDER BY 1",
        {"events": days_between(day - dt.timedelta(days=FRESH_LOOK_DAYS - 1), day)},
    )
    heard = {name: (at, count) for name, at, count in found}
    rows: list[list[str | float | int | None]] = []
    tones: list[Tone] = []
    for name in sorted(heard.keys() | source.playbook.sources.keys()):
        limit = (
            source.playbook.sources[name].fresh_seconds / 3600 if name in source.playbook.sources else None
        )
        at, count = heard.get(name, (None, 0))
        hours = (end - at.replace(tzinfo=dt.UTC)).total_seconds() / 3600 if at else None
        is_old = limit is not None and (hours is None or hours > limit)
        rows.append(
            [
                name,
                hours and round(hours, 1),
                limit,
                count,
                "古い" if is_old else "新しい" if limit else "決まりなし",
            ]
        )
        tones.append("bad" if is_old else "")
    return Table(
        id="freshness",
        title="データの新しさ",
        columns=[
            Column("source", "データ源"),
            Column("hours", "最後の出来事から(時間)", "count"),
            Column("hours_max", "許す古さ(時間)", "count"),
            Column("events", f"{FRESH_LOOK_DAYS}日間の件数", "count"),
            Column("state", "状態"),
        ],
        rows=rows,
        empty="データ源からの出来事は、まだありません(playbook.yaml の sources で名前と許す古さを決めます)。",
        note="この日の終わりの時点です。古いデータ源を needs に持つシナリオは、新しくなるまで送りません。",
        tones=tones,
    )


def _dead_letters(source: Source) -> Table:
    known = source.around.dead_letters
    rows: list[list[str | float | int | None]] = [
        [name, count] for name, count in sorted((known or {}).items()) if count
    ]
    return Table(
        id="dead_letters",
        title="処理できずに残っているもの(デッドレター)",
        columns=[Column("queue", "どこで"), Column("letters", "件数", "count")],
        rows=rows,
        empty="ありません。"
        if known is not None
        else "この報告はファイルから作ったため、確かめていません(`musubi dlq list`)。",
        note="`musubi dlq list` で原因を、`musubi dlq replay` で安全な戻し方を確かめられます。"
        if rows
        else "",
        tones=["bad"] * len(rows),
    )
