"""Alerts: each where something is off, none where it is as it usually is, each told once."""

import datetime as dt
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from functions.domain import playbook as pb
from functions.domain.alerts import FEED, Alert, AlertKind, decode_noted
from functions.domain.events import EventType
from functions.domain.facts import TABLES as FACTS
from functions.measure.alerts import Looked, look
from functions.measure.flow import Measured
from functions.measure.folder_lake import FolderLake
from functions.measure.tables import TABLES as DERIVED
from functions.measure.usual import Count, surely_above, unusually_high, unusually_low
from functions.measure.views import WorkspaceViews
from functions.measure.watch import Watch
from functions.measure.workspace import opened
from tests.measure.playbooks import shop

SUNDAY = dt.date(2026, 5, 31)
AT = dt.datetime(2026, 5, 31, 19, tzinfo=dt.UTC)
Row = Mapping[str, Any]


def playbook(**more: Any) -> pb.Playbook:
    settings: dict[str, Any] = {"sources": {}, "experiments": {}, **more}
    return msgspec.structs.replace(shop(), **settings)


def daily(
    days: Mapping[dt.date, Mapping[str, float]], kind: str = "scenario", scope: str = "care"
) -> list[Row]:
    return [
        {"day": day, "part": part, "goal": "", "scope_kind": kind, "scope": scope, "value": value}
        for day, parts in days.items()
        for part, value in parts.items()
    ]


def weeks(usual: Mapping[str, float], today: Mapping[str, float]) -> dict[dt.date, Mapping[str, float]]:
    before = {SUNDAY - dt.timedelta(weeks=number): usual for number in range(1, 5)}
    return {**before, SUNDAY: today}


class Lake:
    """A lake in a folder with rows written as partitions."""

    def __init__(self, root: Path) -> None:
        self.lake = FolderLake(root)

    def put(self, name: str, rows: Sequence[Row]) -> None:
        table = {**FACTS, **DERIVED}[name]
        with opened(self.lake) as workspace:
            for day in sorted({row["day"] for row in rows}):
                mine = [row for row in rows if row["day"] == day]
                selects = []
                for row in mine:
                    cells = [
                        f'CAST({_sql(row.get(one.name))} AS {one.type}) AS "{one.name}"'
                        for one in table.columns
                    ]
                    selects.append("SELECT " + ", ".join(cells))
                workspace.publish(table, day, " UNION ALL ".join(selects))

    def look(self, book: pb.Playbook, day: dt.date = SUNDAY) -> list[Alert]:
        with opened(self.lake) as workspace:
            return look(Looked(WorkspaceViews(workspace), day, book, AT))

    def watch(self, watch: Watch, book: pb.Playbook) -> None:
        with opened(self.lake) as workspace:
            watch(Measured(SUNDAY, frozenset(), workspace, book, "Asia/Tokyo", AT, self.lake))


def _sql(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(f"DATE '{one}'" for one in value) + "]"
    if value is None or isinstance(value, bool | int | float):
        return "NULL" if value is None else str(value)
    return "'" + str(value).replace("'", "''") + "'"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def kinds(found: Sequence[Alert]) -> list[tuple[AlertKind, str, str]]:
    return [(one.kind, one.scope, one.beyond) for one in found]


USUAL = {
    "targeted": 1_100.0,
    "accepted": 1_000.0,
    "blocked": 3.0,
    "clicked": 150.0,
    "failed": 2.0,
    "unknown": 1.0,
}


def test_a_usual_day_rings_for_nothing(lake: Lake) -> None:
    lake.put("daily", daily(weeks(USUAL, {**USUAL, "clicked": 140.0, "blocked": 5.0})))
    assert lake.look(playbook()) == []


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        ({"blocked": 40.0}, ("block_rate", "care", "limit")),
        ({"blocked": 14.0}, ("block_rate", "care", "band")),
        ({"clicked": 60.0}, ("response_low", "care", "band")),
        ({"failed": 30.0, "unknown": 25.0}, ("failures", "care", "limit")),
        ({"unknown": 16.0}, ("failures", "care", "band")),
    ],
)
def test_what_is_past_a_limit_or_out_of_its_range_rings(
    lake: Lake, today: dict[str, float], expected: tuple[str, str, str]
) -> None:
    lake.put("daily", daily(weeks(USUAL, {**USUAL, **today})))
    assert kinds(lake.look(playbook())) == [expected]


def test_of_few_messages_nothing_is_said(lake: Lake) -> None:
    lake.put("daily", daily(weeks(USUAL, {"targeted": 49, "accepted": 49, "blocked": 20, "failed": 9})))
    assert lake.look(playbook()) == []
    lake.put("daily", daily(weeks(USUAL, {"targeted": 50, "accepted": 50, "blocked": 20})))
    assert kinds(lake.look(playbook())) == [("block_rate", "care", "limit"), ("response_low", "care", "band")]


def test_the_limit_is_the_playbooks_and_all_may_be_switched_off(lake: Lake) -> None:
    lake.put("daily", daily(weeks({**USUAL, "blocked": 40.0}, {**USUAL, "blocked": 40.0})))
    assert kinds(lake.look(playbook())) == [("block_rate", "care", "limit")]
    assert lake.look(playbook(alerts=pb.Alerts(block_rate_percent=5))) == []
    assert lake.look(playbook(alerts=pb.Alerts(on=False))) == []


def test_one_odd_day_before_does_not_widen_the_range() -> None:
    usual = [Count(3, 1_000)] * 3
    assert unusually_high(Count(14, 1_000), [*usual, Count(400, 1_000)]) is not None
    assert unusually_high(Count(14, 1_000), usual[:2]) is None
    assert unusually_low(Count(0, 20), [Count(5, 100)] * 4) is None


def test_the_range_holds_what_it_says() -> None:
    """A year of usual days, whose rate itself moves by a tenth from day to day, rings about never."""
    draw = random.Random(4)

    def day() -> Count:
        rate = 0.12 * draw.uniform(0.9, 1.1)
        return Count(sum(draw.random() < rate for _ in range(400)), 400)

    rung = 0
    for _ in range(365):
        before, today = [day() for _ in range(4)], day()
        rung += (unusually_high(today, before) is not None) + (unusually_low(today, before) is not None)
    assert rung <= 2


def test_a_limit_is_passed_only_surely() -> None:
    assert not surely_above(Count(2, 60), 0.02)
    assert surely_above(Count(5, 60), 0.02)
    assert not surely_above(Count(0, 60), 0.0)


def test_a_source_that_is_silent_for_too_long_rings(lake: Lake) -> None:
    told = {
        "event_id": "e",
        "customer_id": "c",
        "name": "purchase",
        "status": "confirmed",
        "imported": False,
        "seen_at": AT,
    }
    rows = [
        {**told, "day": dt.date(2026, 5, 30), "source": "shop", "at": "2026-05-30 05:00", "properties": "{}"},
        {
            **told,
            "event_id": "f",
            "day": SUNDAY,
            "source": "crm",
            "at": "2026-05-31 14:00",
            "properties": "{}",
        },
    ]
    lake.put("events", rows)
    sources = {"shop": pb.Source(26 * 3600), "crm": pb.Source(26 * 3600), "dwh": pb.Source(24 * 3600)}
    found = lake.look(playbook(sources=sources))
    assert [(one.scope, one.value, one.usual) for one in found] == [
        ("dwh", 192.0, 24.0),
        ("shop", 34.0, 26.0),
    ]


def people(away: Mapping[dt.date, tuple[int, int]]) -> list[Row]:
    """Buyers of the day 30 days before each of these: so many who never came back, and so many who did."""
    rows: list[Row] = []
    for until, (gone, back) in away.items():
        bought = until - dt.timedelta(days=30)
        for number in range(gone + back):
            days = [bought] if number < gone else [bought, until - dt.timedelta(days=5)]
            rows.append(
                {"day": SUNDAY, "customer_id": f"{until}-{number}", "orders": len(days), "days": days}
            )
    return rows


@pytest.mark.parametrize(("today", "rings"), [((62, 58), False), ((95, 25), True)])
def test_buyers_who_do_not_come_back_ring(lake: Lake, today: tuple[int, int], rings: bool) -> None:
    usual = {SUNDAY - dt.timedelta(weeks=number): (60, 60) for number in range(1, 5)}
    lake.put("customers", people({**usual, SUNDAY: today}))
    assert [one.kind for one in lake.look(playbook())] == (["silent"] if rings else [])


def exposed(first: int, second: int) -> list[Row]:
    return [
        {"day": SUNDAY, "unit": f"u{n}", "customer_id": f"c{n}", "experiment": "perk", "at": "2026-05-31 03:00",
         "variant": "a" if n < first else "b", "playbook": "p", "seen_at": AT}
        for n in range(first + second)
    ]  # fmt: skip


@pytest.mark.parametrize(("arms", "rings"), [((510, 490), False), ((600, 400), True)])
def test_arms_that_are_not_as_large_as_said_ring_once_for_good(
    lake: Lake, arms: tuple[int, int], rings: bool
) -> None:
    lake.put("exposures", exposed(*arms))
    book = playbook(experiments={"perk": pb.Experiment("offer", {"a": 50, "b": 50})})
    found = lake.look(book)
    assert [(one.kind, one.count) for one in found] == ([("sample_ratio", 1_000)] if rings else [])
    assert all(str(SUNDAY) not in one.alert_id for one in found)


def test_several_steps_without_a_click_ring_on_sundays(lake: Lake) -> None:
    quiet = {SUNDAY: {"accepted": 30.0}}
    rows = daily({SUNDAY: {"accepted": 200.0, "clicked": 9.0}}, "all", "")
    for step in ("one", "two", "three"):
        rows += daily(quiet, "step", f"care/{step}")
    rows += daily({SUNDAY: {"accepted": 30.0, "clicked": 1.0}}, "step", "care/four")
    rows += daily(quiet, "step", "other/one")
    lake.put("daily", rows)
    found = lake.look(playbook())
    assert [(one.kind, one.scope, one.value, one.count) for one in found] == [
        ("steps_unclicked", "care", 3.0, 90)
    ]
    assert lake.look(playbook(), SUNDAY - dt.timedelta(days=1)) == []
    steps = [row for row in rows if row["scope_kind"] != "all"]
    lake.put("daily", [*steps, *daily({SUNDAY: {"accepted": 200.0}}, "all", "")])
    assert lake.look(playbook()) == [], "where no click is ever told of, links are not tracked"


def coupons(issued: int, used: int) -> list[Row]:
    day = SUNDAY - dt.timedelta(days=16)
    rows: list[Row] = []
    for number in range(issued):
        about = {"customer_id": f"c{number}", "status": "confirmed", "source": "shop", "imported": False, "seen_at": AT,
                 "properties": json.dumps({"coupon_id": f"k{number}"})}  # fmt: skip
        rows.append(
            {**about, "event_id": f"i{number}", "name": "coupon_issued", "day": day, "at": f"{day} 03:00"}
        )
        if number < used:
            later = day + dt.timedelta(days=3)
            rows.append(
                {
                    **about,
                    "event_id": f"u{number}",
                    "name": "coupon_used",
                    "day": later,
                    "at": f"{later} 03:00",
                }
            )
    return rows


@pytest.mark.parametrize(("used", "rings"), [(0, True), (12, False)])
def test_coupons_that_lie_unused_ring(lake: Lake, used: int, rings: bool) -> None:
    lake.put("events", coupons(80, used))
    event = EventType("a coupon")
    book = playbook(events={"coupon_issued": event, "coupon_used": event})
    found = lake.look(book)
    assert [(one.kind, one.count) for one in found] == ([("coupons_unused", 80)] if rings else [])


class Heard:
    """A bell that remembers, and may fail."""

    def __init__(self) -> None:
        self.rung: list[str] = []
        self.fails = False

    def ring(self, alerts: Sequence[Alert]) -> None:
        if self.fails:
            raise RuntimeError("nobody answers")
        self.rung += [one.alert_id for one in alerts]


def test_each_alert_is_kept_and_rung_for_once(lake: Lake) -> None:
    lake.put("daily", daily(weeks(USUAL, {**USUAL, "blocked": 40.0, "clicked": 60.0})))
    bell = Heard()
    for _ in range(3):
        lake.watch(Watch(bell), playbook())
    assert bell.rung == ["block_rate.scenario.care.2026-05-31", "response_low.scenario.care.2026-05-31"]
    assert lake.lake.keys(FEED) == [f"{FEED}day=2026-05-31/{name}.json" for name in bell.rung]


def test_who_could_not_be_told_is_told_by_the_next_run(lake: Lake, tmp_path: Path) -> None:
    lake.put("daily", daily(weeks(USUAL, {**USUAL, "blocked": 40.0})))
    bell = Heard()
    bell.fails = True
    with pytest.raises(RuntimeError):
        lake.watch(Watch(bell), playbook())
    (key,) = lake.lake.keys(FEED)
    lake.lake.fetch(key, tmp_path / "note")
    assert not decode_noted((tmp_path / "note").read_bytes()).told
    bell.fails = False
    lake.watch(Watch(bell), playbook())
    assert len(bell.rung) == 1
    lake.lake.fetch(key, tmp_path / "note")
    assert decode_noted((tmp_path / "note").read_bytes()).told


def test_an_alert_says_what_and_what_to_do_in_both_languages() -> None:
    operations = (Path(__file__).parents[2] / "docs/operations.md").read_text(encoding="utf-8")
    for kind in AlertKind.__args__:  # type: ignore[attr-defined]
        one = Alert(kind, SUNDAY, "scenario", "care", 0.034, 0.02, 118, "limit", AT)
        assert "care" in one.in_words("en") or kind in ("silent", "coupons_unused")
        assert one.in_words("ja") != one.in_words("en")
        assert one.to_do("ja") != one.to_do("en")
        assert f'<a id="{one.page.partition("#")[2]}"></a>' in operations
