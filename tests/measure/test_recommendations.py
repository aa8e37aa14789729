"""What is suggested to whom, and what sells best."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from functions.domain import playbook as pb
from functions.domain.context import Context, Fact, fact_value
from functions.measure.rankings import HOLDS, Said, rankings, with_rankings
from functions.measure.recommendations import recommend
from functions.measure.telling import Told, file_key
from tests.domain.strategies import compiled
from tests.measure.folders import Folder, attributes_in
from tests.measure.lake_of_rows import Row, Rows

DAY = dt.date(2026, 10, 31)
NOW = dt.datetime(2026, 10, 31, 19, tzinfo=dt.UTC)
MEASURE = pb.Measure(order="purchase", view_event="product_view", view_item="viewed_item")
BOOK = compiled(measure=MEASURE).playbook


def bought(
    customer: str, item: str, age: int = 20, category: str = "skincare", **more: Any
) -> dict[str, Any]:
    day = DAY - dt.timedelta(days=age)
    row = {"customer_id": customer, "item": item, "category": category, "day": day, "cancelled": False}
    return row | {"at": dt.datetime.combine(day, dt.time(3)), "new_category": False} | more


def viewed(customer: str, item: str, age: int = 3, hour: int = 3) -> dict[str, Any]:
    day = DAY - dt.timedelta(days=age)
    row = {"customer_id": customer, "name": "product_view", "status": "confirmed", "day": day}
    return row | {
        "at": dt.datetime.combine(day, dt.time(hour)),
        "properties": json.dumps({"viewed_item": item}),
    }


def fact(value: Any, until: dt.datetime | None = None) -> Fact:
    return Fact(value, NOW - dt.timedelta(days=1), until)


PAIRS = [order for n in range(8) for order in (bought(f"p{n}", "toner"), bought(f"p{n}", "emulsion"))]
FEW = [order for n in range(4) for order in (bought(f"f{n}", "toner"), bought(f"f{n}", "device"))]


@pytest.fixture
def lake(tmp_path: Path) -> Folder:
    (tmp_path / "scratch").mkdir()
    return Folder(tmp_path / "lake")


def recommended(
    lake: Folder, context: Context | None = None, day: dt.date = DAY, **tables: Any
) -> tuple[Told, dict[str, Row]]:
    told = recommend(Rows(tables), lake, lake.root.parent / "scratch", BOOK, context or {}, day, NOW)
    path = lake.root / file_key("recommendations", day)
    return told, attributes_in(path) if path.exists() else {}


def test_what_others_bought_with_it_is_suggested_and_what_few_bought_is_not(lake: Folder) -> None:
    _, found = recommended(lake, orders=[*PAIRS, *FEW, bought("c1", "toner"), bought("c2", "device")])
    assert found["c1"]["goes_with_1"] == "emulsion"
    assert found["c1"]["goes_with_2"] is None
    assert "c2" not in found


def test_nobody_is_suggested_what_they_have_bought_or_what_is_out_of_stock(lake: Folder) -> None:
    masks = [order for n in range(6) for order in (bought(f"m{n}", "toner"), bought(f"m{n}", "mask"))]
    orders = [*PAIRS, *masks, bought("c1", "toner"), bought("c1", "emulsion", age=200)]
    _, found = recommended(lake, orders=orders)
    assert found["c1"]["goes_with_1"] == "mask"
    assert found["m0"]["goes_with_1"] == "emulsion"
    _, found = recommended(lake, {"stock": {"mask": fact("out")}}, orders=orders)
    assert "c1" not in found
    over = {"stock": {"mask": fact("out", NOW - dt.timedelta(hours=1))}}
    assert recommended(lake, over, orders=orders)[1]["c1"]["goes_with_1"] == "mask"


def test_items_go_by_the_name_that_people_gave_them(lake: Folder) -> None:
    names = {"item_name": {"emulsion": fact("乳液")}}
    _, found = recommended(lake, names, orders=[*PAIRS, bought("c1", "toner")])
    assert found["c1"]["goes_with_1"] == "乳液"


def test_a_cancelled_order_counts_for_nothing(lake: Folder) -> None:
    orders = [*PAIRS[:-8], bought("c1", "toner")]
    assert recommended(lake, orders=[*orders, *(one | {"cancelled": True} for one in PAIRS[-8:])])[1] == {}


def test_what_others_looked_at_the_same_day_is_suggested_unless_it_was_bought(lake: Folder) -> None:
    views = [view for n in range(6) for view in (viewed(f"v{n}", "A"), viewed(f"v{n}", "B"))]
    apart = [view for n in range(6) for view in (viewed(f"w{n}", "A", 3), viewed(f"w{n}", "C", 9))]
    mine = [viewed("anon:1", "C", 5), viewed("anon:1", "A", 2), viewed("c2", "A", 2), viewed("c3", "A", 2)]
    tables: dict[str, Any] = {"events": [*views, *apart, *mine]}
    tables["owners"] = [{"customer_id": "anon:1", "owner": "c1", "day": DAY}]
    tables["orders"] = [bought("c2", "B"), bought("c3", "b-code")]
    _, found = recommended(lake, {"item_name": {"b-code": fact("B")}}, **tables)
    assert (found["c1"]["also_viewed_1"], found["c1"]["also_viewed_2"]) == ("B", None)
    assert "c2" not in found
    assert "c3" not in found


def test_the_next_category_is_where_most_went_on_to_and_not_one_they_know(lake: Folder) -> None:
    def path(customer: str, *categories: str) -> list[dict[str, Any]]:
        return [bought(customer, "", 90 - 10 * n, one, new_category=True) for n, one in enumerate(categories)]

    orders = [one for n in range(7) for one in path(f"a{n}", "skincare", "makeup")]
    orders += [one for n in range(6) for one in path(f"b{n}", "skincare", "hair")]
    orders += [*path("c1", "skincare"), *path("c2", "makeup", "skincare"), *path("c3", "skincare")]
    customers = [{"customer_id": "c3", "categories": ["skincare", "makeup", "hair"], "day": DAY}]
    _, found = recommended(lake, orders=orders, customers=customers)
    assert found["c1"]["next_category"] == "makeup"
    assert found["c2"]["next_category"] == "hair"
    assert "c3" not in found


def test_a_suggestion_that_no_longer_holds_is_taken_away(lake: Folder) -> None:
    orders = [*PAIRS, bought("c1", "toner")]
    recommended(lake, orders=orders)
    day = DAY + dt.timedelta(days=1)
    told, found = recommended(lake, {"stock": {"emulsion": fact("out")}}, day, orders=orders)
    assert told == (0, 1)
    assert found["c1"]["goes_with_1"] is None
    assert recommended(lake, {"stock": {"emulsion": fact("out")}}, day + dt.timedelta(days=1), orders=orders)[
        0
    ] == (0, 0)


def test_what_was_suggested_to_an_id_that_was_merged_is_not_taken_from_whom_it_became(lake: Folder) -> None:
    recommended(lake, orders=[*PAIRS, bought("old", "toner")])
    day = DAY + dt.timedelta(days=1)
    owners = [{"customer_id": "old", "owner": "c1", "day": day}]
    _, found = recommended(lake, day=day, orders=[*PAIRS, bought("c1", "toner")], owners=owners)
    assert found.keys() == {"c1"}


def test_who_is_no_customer_of_the_crm_is_told_nothing(lake: Folder) -> None:
    told, found = recommended(lake, orders=[*PAIRS, bought("anon:1", "toner"), bought("c1", "toner")])
    assert (told.customers, list(found)) == (1, ["c1"])


def placed(found: list[Said]) -> dict[tuple[str, str], Any]:
    return {(name, key): one.value for name, key, one in found}


def ranked(orders: list[dict[str, Any]], context: Context | None = None) -> dict[tuple[str, str], Any]:
    return placed(rankings(Rows({"orders": orders}), context or {}, DAY, NOW))


def sold(item: str, buyers: int, age: int = 3, category: str = "skincare") -> list[dict[str, Any]]:
    return [bought(f"{item}{n}", item, age, category) for n in range(buyers)]


def test_best_sellers_are_by_buyers_category_and_period() -> None:
    hoarder = [bought("one", "mask") for _ in range(50)]
    orders = [
        *sold("toner", 9),
        *sold("emulsion", 12, age=20),
        *sold("lipstick", 7, 3, "makeup"),
        *hoarder,
        *sold("few", 4),
    ]
    found = ranked(orders)
    assert found["best_week_1", "skincare"] == "toner"
    assert ("best_week_2", "skincare") not in found
    assert [found[f"best_month_{place}", ""] for place in (1, 2, 3)] == ["emulsion", "toner", "lipstick"]
    assert found["best_half_year_1", "makeup"] == "lipstick"
    assert "few" not in found.values()
    assert "mask" not in found.values()


def test_what_is_out_of_stock_is_not_ranked_and_names_are_those_of_people() -> None:
    context: Context = {"stock": {"toner": fact(0)}, "item_name": {"emulsion": fact("乳液")}}
    found = ranked([*sold("toner", 9), *sold("emulsion", 6)], context)
    assert found["best_week_1", "skincare"] == "乳液"
    assert "toner" not in found.values()


def test_rankings_hold_for_three_days_and_take_the_place_of_all_before() -> None:
    counted = fact("lipstick", NOW + HOLDS)
    old: Context = {"best_week_1": {"makeup": counted}, "weather": {"tokyo": fact("rain")}}
    told = rankings(Rows({"orders": sold("toner", 9)}), {}, DAY, NOW)
    context = with_rankings(old, told, NOW)
    assert fact_value(context, "best_week_1", "makeup", NOW) is None
    assert fact_value(context, "weather", "tokyo", NOW) == "rain"
    assert fact_value(context, "best_week_1", "skincare", NOW) == "toner"
    assert fact_value(context, "best_week_1", "skincare", NOW + HOLDS) is None


def test_what_a_person_said_for_good_is_not_counted_over() -> None:
    """A pick of the shop's own stands until somebody takes it back."""
    told = rankings(Rows({"orders": sold("toner", 9)}), {}, DAY, NOW)
    pick: Context = {"best_week_1": {"skincare": fact("balm")}}
    context = with_rankings(pick, told, NOW)
    assert fact_value(context, "best_week_1", "skincare", NOW + 2 * HOLDS) == "balm"
    assert fact_value(context, "best_week_1", "", NOW) == "toner"
