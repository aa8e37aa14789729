"""A day's derivation reads what the day's changes ask for, however much history there is; and a crash half way is no harm."""

import datetime as dt
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from functions.domain import playbook as pb
from functions.measure.deriving import derive
from functions.measure.flow import Measured
from functions.measure.folder_lake import FolderLake
from functions.measure.tables import SNAPSHOTS
from functions.measure.workspace import opened
from tests.measure.facts_in_folders import ZONE, Facts, Row
from tests.measure.playbooks import shop
from tests.measure.test_any_order import derived

NOON = dt.time(3)
TODAY = dt.date(2026, 5, 9)


def at(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, NOON)


def order(number: int, who: str, day: dt.date, **more: Any) -> Row:
    said = {"order_id": f"o{number}", "amount": 1_000 + number, "category": "x"}
    row = {
        "event_id": f"e{number}",
        "customer_id": who,
        "name": "purchase",
        "at": at(day),
        "status": "confirmed",
    }
    return {**row, "properties": json.dumps(said), **more}


def history(root: Path, days: int, last: dt.date) -> Facts:
    """A shop with one order and one message a day, of five people in turn, derived up to `last`."""
    facts = Facts(root)
    past = [last - dt.timedelta(days=number) for number in range(days)]
    facts.add("events", [order(number, f"c{number % 5}", day) for number, day in enumerate(past)])
    facts.add(
        "sends",
        [
            {
                "send_id": f"s{n}",
                "customer_id": f"c{n % 5}",
                "at": at(day),
                "status": "sent",
                "scenario": "p",
                "step": "a",
            }
            for n, day in enumerate(past)
        ],
    )
    facts.measure(last, [], shop())
    return facts


class Counting(FolderLake):
    """A lake that counts which tables are read and written."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.read: Counter[str] = Counter()
        self.written: Counter[str] = Counter()

    def fetch(self, key: str, path: Path) -> bool:
        found = super().fetch(key, path)
        self.read[key.split("/")[2]] += found and key.count("/") == 4
        return found

    def store(self, key: str, path: Path) -> None:
        super().store(key, path)
        self.written[key.split("/")[2]] += key.startswith("derived/v1/")


def one_more_day(root: Path, days: int, more: list[Row]) -> Counting:
    """What is read and written on the day after so many days of history, with `more` beside the day's own order."""
    last = dt.date(2026, 5, 9)
    facts = history(root, days, last)
    today = last + dt.timedelta(days=1)
    touched = facts.add("events", [order(9_000, "c1", today), *more])
    lake = Counting(root)
    with opened(lake) as workspace:
        derive(Measured(today, frozenset(touched), workspace, shop(), ZONE, dt.datetime.now(dt.UTC), lake))
    return lake


def test_a_day_reads_no_more_where_there_is_more_history(tmp_path: Path) -> None:
    short, long = one_more_day(tmp_path / "a", 30, []), one_more_day(tmp_path / "b", 80, [])
    assert long.read == short.read
    assert long.written == short.written
    assert long.written["orders"] == 1


def test_a_return_reads_the_days_on_which_its_customer_ordered_since(tmp_path: Path) -> None:
    """c2 ordered 3 days ago and every 5 days before; what is returned was ordered 18 days ago."""
    back = order(9_001, "c2", dt.date(2026, 5, 10), name="item_returned")
    back = {**back, "properties": json.dumps({"order_id": "o17", "amount": 1})}
    plain, with_return = one_more_day(tmp_path / "a", 60, []), one_more_day(tmp_path / "b", 60, [back])
    # Looked for on 2, 7, 12, 17, 22, 27 and 32 days ago, of which the four latest come after it.
    assert with_return.read["orders"] - plain.read["orders"] <= 7
    assert with_return.written["orders"] - plain.written["orders"] <= 2
    assert with_return.read["events"] - plain.read["events"] <= 3


class Falling(FolderLake):
    """A lake that fails once it has stored so many objects."""

    def __init__(self, root: Path, left: int) -> None:
        super().__init__(root)
        self.left = left

    def store(self, key: str, path: Path) -> None:
        if self.left == 0:
            raise ConnectionError
        self.left -= 1
        super().store(key, path)


def changed_day(lake: FolderLake, touched: set[dt.date]) -> None:
    with opened(lake) as workspace:
        derive(Measured(TODAY, frozenset(touched), workspace, shop(), ZONE, dt.datetime.now(dt.UTC), lake))


def touched_shop(root: Path) -> set[dt.date]:
    """A shop in which a new order, a late one and a cancellation wait to be derived; the days that they touch."""
    last = TODAY - dt.timedelta(days=1)
    late = order(9_002, "c3", last - dt.timedelta(days=4))
    gone = order(9_003, "c1", TODAY, name="order_cancelled", properties=json.dumps({"order_id": "o6"}))
    return history(root, 8, last).add("events", [order(9_000, "c1", TODAY), late, gone])


def test_a_crash_at_any_write_is_made_good_by_the_next_run(tmp_path: Path) -> None:
    """Before anything is staged, while it is, before and after it is named, and while it takes its place."""
    touched = touched_shop(tmp_path / "begin")
    shutil.copytree(tmp_path / "begin", tmp_path / "whole")
    whole = Falling(tmp_path / "whole", 10_000)
    changed_day(whole, touched)
    writes = 10_000 - whole.left
    named = writes // 2
    for survived in (0, named // 2, named, named + 1, named + 2, named + named // 2, writes - 1):
        root = tmp_path / f"crashed-{survived}"
        shutil.copytree(tmp_path / "begin", root)
        with pytest.raises(ConnectionError):
            changed_day(Falling(root, survived), touched)
        changed_day(FolderLake(root), touched)
        assert derived(root) == derived(tmp_path / "whole"), survived
        assert FolderLake(root).keys("derived/staged/") == []


def test_days_that_are_measured_again_are_told_by_the_playbook_of_now(tmp_path: Path) -> None:
    last = dt.date(2026, 5, 9)
    measure = msgspec.structs.replace(
        shop().measure, margin_percent=50.0, goals={"soon": pb.Goal("purchase", 40_000)}, dormant_seconds=1
    )
    other = msgspec.structs.replace(shop(), measure=measure)
    worlds = {}
    for name in ("again", "whole"):
        facts = history(tmp_path / name, 8, last)
        if name == "whole":
            facts.lake.remove(facts.lake.keys("derived/v1/"))
        for ago in reversed(range(8 if name == "again" else 1)):
            facts.measure(last - dt.timedelta(days=ago), [], other)
        worlds[name] = derived(tmp_path / name)
    assert worlds["again"] == worlds["whole"]
    assert worlds["whole"]["conversions"]


def test_without_its_owners_everything_is_derived_anew_by_the_playbook_of_now(tmp_path: Path) -> None:
    last = dt.date(2026, 5, 9)
    measure = msgspec.structs.replace(shop().measure, margin_percent=50.0, goals={})
    other = msgspec.structs.replace(shop(), measure=measure)
    worlds = {}
    for name, first in (("changed", shop()), ("whole", other)):
        facts = history(tmp_path / name, 8, last)
        facts.lake.remove(facts.lake.keys("derived/v1/owners/" if first is shop() else "derived/v1/"))
        facts.measure(last, [], other)
        worlds[name] = derived(tmp_path / name)
    assert worlds["changed"] == worlds["whole"]
    assert worlds["whole"]["orders"]
    assert not worlds["whole"]["conversions"]


def test_snapshots_are_kept_for_forty_days_and_of_each_first(tmp_path: Path) -> None:
    facts = Facts(tmp_path)
    begin = dt.date(2026, 3, 30)
    touched = facts.add("events", [order(1, "a", begin)])
    for number in (0, 1, 2, 3, 20, 50):
        facts.measure(begin + dt.timedelta(days=number), touched, shop())
    with opened(facts.lake) as workspace:
        kept = {table.name: workspace.all_days(table) for table in SNAPSHOTS}
    customers = kept.pop("customers")
    assert [f"{day:%m-%d}" for day in customers] == ["04-01", "04-19", "05-19"]
    assert all(days == [dt.date(2026, 5, 19)] for days in kept.values())
