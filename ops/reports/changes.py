"""What somebody changed in the playbook, in sentences that a marketer reads: what is on, caps, words, numbers."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any
from zoneinfo import ZoneInfo

from functions.domain import playbook as pb
from ops.changes import Change, changes_between
from ops.reports.content import Item, Items
from ops.reports.source import Source

_PARTS = {
    "events": "出来事の辞書",
    "segments": "セグメント",
    "scenarios": "シナリオ",
    "campaigns": "キャンペーン",
    "messages": "メッセージ",
    "experiments": "実験",
    "settings": "共通の決まり",
}
_SETTINGS = {
    "caps": "頻度の上限",
    "quiet_hours": "夜間の停止",
    "consent": "同意",
    "exclusions": "除外",
    "exclusion_rules": "除外の条件",
    "holdout": "対照群",
    "sources": "データ源",
    "price": "料金と予算",
    "breaker": "ブロック率の遮断器",
    "approval_above": "承認の要る人数",
    "preferences": "配信の設定ページ",
    "measure": "成果の数え方",
    "links": "リンクの計測",
    "alerts": "警告のしきい値",
    "rich_menus": "リッチメニュー",
    "retention": "保存期間",
    "linking": "連携",
    "surveys": "アンケート",
}
_NAMES_SHOWN = 6
_TEXT_SHOWN = 60
_SECONDS = ((86_400, "日"), (3_600, "時間"), (60, "分"))


def changes_in(source: Source, first: dt.date, last: dt.date) -> Items:
    """Each time that a version was put in force in these days: what differs, why, by whom and when."""
    zone = ZoneInfo(source.playbook.zone)
    versions = source.around.versions
    items = []
    for place, version in enumerate(versions):
        at = version.at.astimezone(zone)
        if not first <= at.date() <= last:
            continue
        new = source.around.playbook_of(version.version)
        old = source.around.playbook_of(versions[place - 1].version) if place else None
        who = version.by.rpartition("/")[2] or "だれが変えたかは残っていません"
        when = f"{at.month}月{at.day}日 {at:%H:%M}・{who}・版 {version.version[:8]}"
        why = f"理由: {version.why}" if version.why else "理由は書かれていません(`musubi apply --why`)"
        items.append(Item("。".join(_told(old, new, first_ever=place == 0)) + "。", [why, when]))
    return Items(
        "playbook_changes",
        "変えたことと、その理由",
        items[::-1],
        "この期間にプレイブックは変えていません。数字が動いたなら、原因はプレイブックの外にあります。",
    )


def _told(old: pb.Playbook | None, new: pb.Playbook | None, *, first_ever: bool) -> list[str]:
    if new is None:
        return ["この版の中身は残っていません"]
    if first_ever or old is None:
        on = sum(one.on for one in new.scenarios.values())
        return [f"最初の版を動かしました(シナリオ{on}本が on、キャンペーン{len(new.campaigns)}本)"]
    return list(sentences(old, new)) or ["前の版と同じ内容です"]


def sentences(old: pb.Playbook, new: pb.Playbook) -> Iterator[str]:
    """What differs, the most consequential first."""
    yield from _switched("シナリオ", old.scenarios, new.scenarios)
    yield from _switched("キャンペーン", old.campaigns, new.campaigns)
    yield from _caps(old.caps, new.caps)
    for change in changes_between(old, new):
        match change.part:
            case "messages":
                yield from _messages(old, new, change)
            case "settings":
                names = [one for one in (*change.added, *change.changed, *change.removed) if one != "caps"]
                told = [_SETTINGS.get(one, one) for one in names if one not in ("name", "zone", "format")]
                if told:
                    yield f"{_PARTS['settings']}を変更: {_some(told)}"
            case _:
                yield from _named(old, new, change)


def _switched(word: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    both = sorted(old.keys() & new.keys())
    on = [name for name in both if new[name].on and not old[name].on]
    off = [name for name in both if old[name].on and not new[name].on]
    if on:
        yield f"{word}を on に: {_some(on)}"
    if off:
        yield f"{word}を off に: {_some(off)}"


def _caps(old: Sequence[pb.Cap], new: Sequence[pb.Cap]) -> Iterator[str]:
    before, after = {cap.id: cap for cap in old}, {cap.id: cap for cap in new}
    for name in sorted(before.keys() | after.keys()):
        one, other = before.get(name), after.get(name)
        if one == other:
            continue
        told = [_cap(cap) if cap else "なし" for cap in (one, other)]
        yield f"頻度の上限 {name}: {told[0]} → {told[1]}"


def _cap(cap: pb.Cap) -> str:
    window = {"day": "1日", "week": "1週", "month": "1か月"}.get(cap.calendar) or _duration(
        cap.window_seconds
    )
    return f"{window}に{cap.limit}通"


def _duration(seconds: int) -> str:
    for size, word in _SECONDS:
        if seconds % size == 0 and seconds >= size:
            return f"{seconds // size}{word}"
    return f"{seconds}秒"


def _messages(old: pb.Playbook, new: pb.Playbook, change: Change) -> Iterator[str]:
    if change.added:
        yield f"メッセージを追加: {_some(change.added)}"
    if change.removed:
        yield f"メッセージを削除: {_some(change.removed)}"
    for name in change.changed[:_NAMES_SHOWN]:
        yield f"メッセージ {name} を変更{_reworded(old.messages[name], new.messages[name])}"
    if len(change.changed) > _NAMES_SHOWN:
        yield f"ほかに{len(change.changed) - _NAMES_SHOWN}通のメッセージを変更"


def _reworded(old: pb.Message, new: pb.Message) -> str:
    """The first text that says something else now."""
    for before, after in zip_longest(_texts(old.content), _texts(new.content), fillvalue=""):
        if before != after:
            return f":「{_short(before)}」→「{_short(after)}」"
    return "(文は同じ。形・リンク・種類など)"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line[:_TEXT_SHOWN] + ("…" if len(line) > _TEXT_SHOWN else "")


def _texts(value: Any) -> Iterator[str]:
    """The texts of a message's objects, in the order in which people read them."""
    if isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        for key in ("text", "altText"):
            if isinstance(value.get(key), str):
                yield value[key]
        for one in value.values():
            if isinstance(one, dict | list):
                yield from _texts(one)


def _named(old: pb.Playbook, new: pb.Playbook, change: Change) -> Iterator[str]:
    word = _PARTS[change.part]
    # What was only switched on or off is told already.
    before, after = getattr(old, change.part), getattr(new, change.part)
    changed = [name for name in change.changed if not _only_switched(before[name], after[name])]
    for told, names in (("追加", change.added), ("変更", changed), ("削除", change.removed)):
        if names:
            yield f"{word}を{told}: {_some(names)}"


def _only_switched(old: Any, new: Any) -> bool:
    if not isinstance(old, pb.Scenario | pb.Campaign):
        return False
    fields = [name for name in old.__struct_fields__ if name != "on"]
    return old.on != new.on and all(getattr(old, name) == getattr(new, name) for name in fields)


def _some(names: Sequence[str]) -> str:
    more = f" ほか{len(names) - _NAMES_SHOWN}件" if len(names) > _NAMES_SHOWN else ""
    return "、".join(names[:_NAMES_SHOWN]) + more
