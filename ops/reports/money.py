"""What the messages of a month cost so far, against quota and budget."""

import calendar
import datetime as dt

from functions.domain.playbook import Price
from functions.measure.periods import newest
from ops.reports.content import Column, Item, Items, Table
from ops.reports.source import Source
from ops.reports.words import number

NEARLY = 0.8


def spent(source: Source, day: dt.date) -> tuple[int, float, Price]:
    """Messages and yen of the month of `day`, by the newest bill, and what the playbook says of both."""
    month = day.replace(day=1)
    rows = source.rows(
        f"SELECT messages, plan_yen + greatest(messages - free_messages, 0) * yen_each FROM bills WHERE month = DATE '{month}'",  # noqa: S608 — a day of our own
        {"bills": newest(source.views.days("bills"))},
    )
    price = source.playbook.price
    messages, yen = rows[0] if rows else (0, float(price.plan_yen))
    return int(messages), float(yen), price


def budget(source: Source, day: dt.date) -> Table:
    """Messages and yen of the month, what is left, and where the month leads at this pace."""
    messages, yen, price = spent(source, day)
    length = calendar.monthrange(day.year, day.month)[1]
    ahead = messages * length / day.day
    ahead_yen = price.plan_yen + max(0.0, ahead - price.free_messages) * price.yen_each
    rows: list[list[str | float | int | None]] = [
        [
            "通数(無料分)",
            messages,
            price.free_messages or None,
            _part(messages, price.free_messages),
            round(ahead),
        ],
        ["通数(上限)", messages, price.messages_max, _part(messages, price.messages_max), round(ahead)],
    ]
    money: list[list[str | float | int | None]] = [
        ["費用(予算)", yen, price.yen_max, _part(yen, price.yen_max), round(ahead_yen)],
    ]
    columns = [
        Column("what", "きょうまで"),
        Column("used", "使った数", "count"),
        Column("limit", "枠", "count"),
        Column("part", "使った割合", "ratio"),
        Column("ahead", "月末の見込み", "count"),
    ]
    told = [row for row in rows if row[2] is not None] or rows[:1]
    for row in money:
        told.append([row[0], number(row[1], "yen"), number(row[2], "yen"), row[3], number(row[4], "yen")])
    return Table(
        id="budget",
        title=f"{day.month}月の通数と費用",
        columns=columns,
        rows=told,
        empty="",
        note=f"見込みは、きょうまでの1日あたりの通数が月末まで続いた場合です。費用は月額{number(price.plan_yen, 'yen')}を含みます。"
        + ("" if price.yen_max is not None else "予算(price の yen_max)は決められていません。"),
    )


def _part(used: float, limit: float | None) -> float | None:
    return used / limit if limit else None


def nearly_used(source: Source, day: dt.date) -> list[Item]:
    """A warning for each limit that is nearly reached, or will be within the month."""
    messages, yen, price = spent(source, day)
    pairs = [("通数の上限", messages, price.messages_max, "count"), ("予算", yen, price.yen_max, "yen")]
    return [
        Item(
            f"{name}の{used / limit:.0%}を使いました({number(used, unit)} / {number(limit, unit)})",  # type: ignore[arg-type]
            ["`musubi quota` で残りと、待っている通を確かめてください。"],
            "bad" if used >= limit else "warn",
        )
        for name, used, limit, unit in pairs
        if limit and used >= NEARLY * limit
    ]


def items_of(found: list[Item]) -> Items:
    """The warnings as a block."""
    return Items("money", "費用の注意", found, "上限と予算には余裕があります。")
