"""Daily scores over rows: ranks, what is due, hours, and the file that comes back as attributes."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from functions.measure.models.bgnbd import BgNbd, expected_orders, p_alive
from functions.measure.models.fitted import Fitted, encoded
from functions.measure.models.returning import Returning, p_returns
from functions.measure.scores import Scored, score
from functions.measure.telling import file_key
from tests.measure.folders import Folder, attributes_in
from tests.measure.lake_of_rows import Row, Rows

DAY = dt.date(2026, 10, 31)
ZONE = "Asia/Tokyo"
MODEL = BgNbd(0.243, 4.414, 0.793, 2.426)
FITTED = Fitted(dt.date(2026, 10, 1), 100, MODEL, Returning([0.05] * 104), 2.0, 4.0)
Tables = dict[str, list[dict[str, Any]]]


@pytest.fixture
def lake(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "lake")
    (tmp_path / "scratch").mkdir()
    (tmp_path / "model.json").write_bytes(encoded(FITTED))
    folder.store(FITTED.key, tmp_path / "model.json")
    return folder


def days_ago(*ages: int, day: dt.date = DAY) -> list[dt.date]:
    return sorted(day - dt.timedelta(days=age) for age in ages)


def customer(name: str, days: list[dt.date], revenue: int = 1_000, day: dt.date = DAY) -> dict[str, Any]:
    return {
        "customer_id": name,
        "orders": len(days),
        "first_day": days[0],
        "last_day": days[-1],
        "days": days,
        "revenue": revenue,
        "day": day,
    }


def orders_of(name: str, days: list[dt.date], item: str = "toner", hour: int = 3) -> list[dict[str, Any]]:
    return [
        {
            "customer_id": name,
            "day": day,
            "at": dt.datetime.combine(day, dt.time(hour)),
            "item": item,
            "cancelled": False,
        }
        for day in days
    ]


def world(people: dict[str, list[dt.date]], day: dt.date = DAY, **more: list[dict[str, Any]]) -> Tables:
    tables: Tables = {
        "customers": [customer(name, days, 1_000 * len(days), day) for name, days in people.items()],
        "orders": [order for name, days in people.items() for order in orders_of(name, days)],
    }
    return tables | more


def scored(tables: Tables, lake: Folder, day: dt.date = DAY) -> tuple[Scored, dict[str, Row]]:
    """What it says, and the attributes of the file that it drops, as the loader reads them."""
    found = score(Rows(tables), lake, lake.root.parent / "scratch", day, ZONE)
    path = lake.root / file_key("scores", day)
    if not path.exists():
        return found, {}
    return found, attributes_in(path)


CROWD = {f"p{number}": days_ago(5 + number, 35 + number, 65 + number, 95 + number) for number in range(10)}


def test_ranks_are_quintiles_and_those_who_are_alike_are_ranked_alike(lake: Folder) -> None:
    people = {
        f"c{number}": days_ago(*range(100 - number, 160 - number, 60 // (1 + number // 4)))
        for number in range(20)
    }
    _, found = scored(world(people), lake)
    assert found["c0"]["rfm"] == "111"
    assert found["c19"]["rfm"] == "555"
    assert found["c19"]["rfm_r"] == 5
    for rank in ("rfm_r", "rfm_f", "rfm_m"):
        by_orders: dict[int, set[Any]] = {}
        for name, days in people.items():
            by_orders.setdefault(len(days), set()).add(found[name][rank])
        if rank != "rfm_r":
            assert all(len(ranks) == 1 for ranks in by_orders.values())
    assert [sum(found[name]["rfm_r"] == rank for name in people) for rank in range(1, 6)] == [4, 4, 4, 4, 4]


def test_the_model_speaks_of_those_with_two_days_and_the_hazard_of_the_others(lake: Folder) -> None:
    people = {"twice": days_ago(70, 7), "gone": days_ago(210, 200, 190, 140), "once": days_ago(35), **CROWD}
    told, found = scored(world(people), lake)
    assert told.customers == told.changed == 13
    assert told.model == FITTED.version
    alive = p_alive(MODEL, [1, 3], [9.0, 10.0], [10.0, 30.0])
    assert [found[name]["p_alive"] for name in ("twice", "gone")] == [
        round(float(p) * 20) / 20 for p in alive
    ]
    assert (
        found["once"]["p_alive"] == round(float(p_returns(FITTED.returning or Returning([]), 5.0)) * 20) / 20
    )
    expected = expected_orders(MODEL, 1, 9.0, 10.0, 90 / 7)
    assert found["twice"]["orders_expected"] == round(float(expected), 1)


def test_what_is_due_leans_on_ones_own_intervals_as_far_as_there_are_any(lake: Folder) -> None:
    """All buy every 30 days; one does every 60 and has done so once: with a weight of 2 that is 30 × 2^(1/3), 38 days."""
    usual = sum(1 for days in CROWD.values() for _ in days[1:])
    assert usual >= 20
    people = {**CROWD, "slow": days_ago(70, 10), "new": days_ago(29), "long": days_ago(400, 300)}
    _, found = scored(world(people), lake)
    mean = 30 * 2 ** (1 / 12)  # of twelve who came again: ten at 30 days, one at 60, one at 100
    assert found["new"]["due_item"] == "toner"
    assert found["new"]["due_days"] == pytest.approx(mean, abs=3)
    assert found["slow"]["due_days"] == pytest.approx((60 * found["new"]["due_days"] ** 2) ** (1 / 3), abs=1)
    assert found["slow"]["due_on"] == str(days_ago(10)[0] + dt.timedelta(days=found["slow"]["due_days"]))
    assert found["long"]["due_item"] is None


def test_of_several_items_the_one_that_is_due_first_is_told(lake: Folder) -> None:
    """Toner every 30 days, bought 5 days ago; cream every 60, bought 50 days ago: cream is due in ten days."""
    tables = world({**CROWD, "both": days_ago(5), "other": days_ago(25)})
    for number in range(10):
        tables["orders"] += orders_of(
            f"p{number}", days_ago(*(60 * turn + number for turn in range(4))), "cream"
        )
    tables["orders"] += [
        *orders_of("both", days_ago(50), "cream"),
        *orders_of("other", days_ago(10), "cream"),
    ]
    _, found = scored(tables, lake)
    assert (found["both"]["due_item"], found["both"]["due_days"]) == ("cream", 60)
    assert found["both"]["due_on"] == str(DAY + dt.timedelta(days=10))
    assert (found["other"]["due_item"], found["other"]["due_days"]) == ("toner", 30)


def test_the_best_hour_is_local_and_few_touches_say_little_against_the_crowd(lake: Folder) -> None:
    evening = [
        {"customer_id": "owl", "agent": "person", "day": day, "at": dt.datetime.combine(day, dt.time(12, 30))}
        for day in days_ago(*range(1, 30))
    ]
    previews = [one | {"customer_id": "p1", "agent": "bot"} for one in evening]
    word = {"customer_id": "anon:1", "name": "line_message", "status": "confirmed"}
    words = [word | {"day": DAY, "at": dt.datetime.combine(DAY, dt.time(13))}]
    tables = world({**CROWD, "owl": days_ago(50)}, clicks=evening + previews, events=words)
    tables["owners"] = [{"customer_id": "anon:1", "owner": "p2", "day": DAY}]
    _, found = scored(tables, lake)
    assert found["owl"]["best_hour"] == 21
    assert found["p1"]["best_hour"] == found["p2"]["best_hour"] == 12


def test_only_what_has_changed_is_told_again_and_a_second_run_tells_the_same(lake: Folder) -> None:
    people = {"twice": days_ago(70, 7), **CROWD}
    scored(world(people), lake)
    _, again = scored(world(people), lake)
    assert len(again) == 11
    day = DAY + dt.timedelta(days=1)
    people["twice"] = [*people["twice"], day]
    tables = world(people, day)
    next(one for one in tables["orders"] if one["day"] == day)["item"] = "cream"
    told, found = scored(tables, lake, day)
    assert "twice" in found
    assert told.changed == len(found) < 11
    assert found["twice"]["at"] == dt.datetime(2026, 11, 1, 15, tzinfo=dt.UTC)


def test_without_a_model_ranks_are_told_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    told, found = scored(world(CROWD), Folder(tmp_path / "lake"))
    assert told.model == ""
    assert "rfm" in found["p1"]
    assert found["p1"]["p_alive"] is None
