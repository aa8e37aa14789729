"""Experiments and lifts over rows, against a plain count of the same people."""

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest

from functions.domain import playbook as pb
from functions.domain.experiments import is_held_out
from functions.measure.experiments import ExperimentResult, Lift, lifts, results
from functions.measure.statistics import fixed
from functions.measure.statistics.samples import Sample, yes_or_no
from tests.domain.strategies import compiled, scenario, send
from tests.measure.lake_of_rows import Rows

FIRST, LAST = dt.date(2026, 10, 1), dt.date(2026, 10, 31)
MEASURED = dt.date(2026, 11, 20)
NOON = dt.time(12)
YEN_EACH = 3.0
MEASURE = pb.Measure(
    order="purchase",
    goals={
        "purchase": pb.Goal("purchase", 7 * 86_400),
        "second": pb.Goal("purchase", 14 * 86_400, when_number=2),
        "review": pb.Goal("review_posted", 7 * 86_400),
    },
)


def book(**changed: Any) -> pb.Playbook:
    base = compiled(scenarios={"care": scenario(send("hello"))}).playbook
    settings = {
        "measure": MEASURE,
        "zone": "Asia/Tokyo",
        "holdout": pb.Holdout(20.0, ["promotion"]),
        "experiments": {"perk": pb.Experiment("offer", {"sample": 50, "shipping": 50}, measures="purchase")},
    }
    return msgspec.structs.replace(base, **(settings | changed))


def at(day: dt.date, hour: int = 12) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour))


def order(customer: str, when: dt.datetime, profit: int = 1_000, **more: Any) -> dict[str, Any]:
    row = {"customer_id": customer, "at": when, "day": when.date(), "gross_profit": profit, "coupon_yen": 0}
    return row | {"cancelled": False, "number": 1, "order_id": f"{customer}-{when}"} | more


def world(
    seed: int, people: int, effect: float, weights: tuple[int, int] = (1, 1)
) -> dict[str, list[dict[str, Any]]]:
    """Exposures all through October, orders of every second or third person, a message for each of `shipping`."""
    dice = random.Random(seed)
    tables: dict[str, list[dict[str, Any]]] = {"exposures": [], "orders": [], "contacts": [], "events": []}
    for number in range(people):
        customer, day = f"c{number}", FIRST + dt.timedelta(days=dice.randrange(31))
        arm = dice.choices(["sample", "shipping"], weights)[0]
        tables["exposures"].append(
            {
                "unit": customer,
                "customer_id": customer,
                "experiment": "perk",
                "variant": arm,
                "at": at(day),
                "day": day,
            }
        )
        if dice.random() < 0.3 + (effect if arm == "shipping" else 0):
            when = at(day) + dt.timedelta(days=dice.uniform(0, 9))
            tables["orders"].append(order(customer, when, dice.randrange(500, 5_000), coupon_yen=100))
        if arm == "shipping":
            tables["contacts"].append(
                {"customer_id": customer, "at": at(day, 13), "day": day, "send_id": customer}
            )
    tables["customers"] = [{"customer_id": "c0", "day": MEASURED}]
    tables["bills"] = [
        {
            "month": FIRST,
            "messages": 1_000,
            "plan_yen": 0,
            "free_messages": 0,
            "yen_each": YEN_EACH,
            "day": MEASURED,
        }
    ]
    return tables


def counted(tables: dict[str, list[dict[str, Any]]], arm: str) -> tuple[int, int, list[float]]:
    """People, conversions and net profit of each, person by person."""
    nets, converted = [], 0
    for one in tables["exposures"]:
        if one["variant"] != arm:
            continue
        end = one["at"] + dt.timedelta(days=7)
        mine = [
            o
            for o in tables["orders"]
            if o["customer_id"] == one["customer_id"] and one["at"] <= o["at"] < end
        ]
        sent = [
            c
            for c in tables["contacts"]
            if c["customer_id"] == one["customer_id"] and one["at"] <= c["at"] < end
        ]
        converted += bool(mine)
        nets.append(sum(o["gross_profit"] - o["coupon_yen"] for o in mine) - YEN_EACH * len(sent))
    return len(nets), converted, nets


def only_result(
    tables: dict[str, list[dict[str, Any]]], playbook: pb.Playbook | None = None
) -> ExperimentResult:
    (found,) = results(Rows(tables), playbook or book(), FIRST, LAST)
    return found


def test_arms_and_differences_are_those_of_a_plain_count() -> None:
    tables = world(1, 1_500, 0.08)
    found = only_result(tables)
    plain = {arm: counted(tables, arm) for arm in ("sample", "shipping")}
    for arm in found.arms:
        people, converted, nets = plain[arm.name]
        assert (arm.people, arm.waiting, arm.conversions) == (people, 0, converted)
        assert arm.gross_profit == pytest.approx(np.mean(nets))
    conversion, profit = found.comparisons
    assert (conversion.arm, conversion.control, conversion.metric) == ("shipping", "sample", "conversion")
    once = fixed.proportions(yes_or_no(*plain["shipping"][:2]), yes_or_no(*plain["sample"][:2]))
    assert (conversion.fixed_low, conversion.fixed_high) == pytest.approx((once.low, once.high))
    welch = fixed.means(_sample(plain["shipping"][2]), _sample(plain["sample"][2]))
    assert (profit.fixed_low, profit.fixed_high) == pytest.approx((welch.low, welch.high))
    assert profit.low is not None
    assert profit.low < welch.low


def _sample(values: list[float]) -> Sample:
    return Sample(len(values), sum(values), sum(value**2 for value in values))


def test_a_large_effect_is_enough_and_none_is_not() -> None:
    found = only_result(world(2, 2_000, 0.2))
    assert found.enough
    assert found.comparisons[0].is_sure
    assert found.why_not == ""
    assert found.days >= 28
    nothing = only_result(world(3, 2_000, 0.0))
    assert not nothing.comparisons[0].is_sure
    assert nothing.needed is not None
    assert [lack.code for lack in nothing.lacks] == ["planned"]
    assert f"of {nothing.needed.daily:,} people planned" in nothing.why_not


def test_few_people_are_said_to_be_few_and_get_no_interval() -> None:
    found = only_result(world(4, 60, 0.3))
    assert {"people", "conversions"} <= {lack.code for lack in found.lacks}
    assert found.comparisons[0].low is found.comparisons[0].p is None


def test_arms_of_the_wrong_size_are_not_to_be_believed() -> None:
    found = only_result(world(5, 2_000, 0.2, weights=(60, 40)))
    assert found.srm_p < 0.01
    assert not found.enough
    assert found.lacks[0].code == "ratio"


def test_whoever_still_has_time_to_act_waits() -> None:
    tables = world(6, 1_000, 0.1)
    tables["customers"] = [{"customer_id": "c0", "day": dt.date(2026, 11, 2)}]
    found = only_result(tables)
    late = sum(one["day"] > dt.date(2026, 10, 26) for one in tables["exposures"])
    assert sum(arm.waiting for arm in found.arms) == late
    assert sum(arm.people + arm.waiting for arm in found.arms) == 1_000


def test_two_ids_that_are_one_person_count_once_with_the_first_arm() -> None:
    tables = world(7, 0, 0.0)
    for customer, arm, day in (("anon:1", "sample", 3), ("c1", "shipping", 9)):
        when = dt.date(2026, 10, day)
        tables["exposures"].append(
            {
                "unit": customer,
                "customer_id": customer,
                "experiment": "perk",
                "variant": arm,
                "at": at(when),
                "day": when,
            }
        )
    tables["owners"] = [{"customer_id": "anon:1", "owner": "c1", "day": MEASURED}]
    tables["orders"] = [order("c1", at(dt.date(2026, 10, 4)))]
    found = only_result(tables)
    assert [(arm.name, arm.people, arm.conversions) for arm in found.arms] == [
        ("sample", 1, 1),
        ("shipping", 0, 0),
    ]


def test_a_cancelled_order_and_one_after_the_window_are_no_conversion_and_a_goal_may_be_any_event() -> None:
    tables = world(8, 0, 0.0)
    when = dt.date(2026, 10, 3)
    tables["exposures"] = [
        {"unit": c, "customer_id": c, "experiment": "perk", "variant": "sample", "at": at(when), "day": when}
        for c in ("c1", "c2", "c3")
    ]
    tables["orders"] = [
        order("c1", at(when, 14), cancelled=True),
        order("c2", at(when) + dt.timedelta(days=7)),
        order("c3", at(when, 11)),
    ]
    tables["events"] = [
        {
            "customer_id": "c2",
            "name": "review_posted",
            "status": "confirmed",
            "at": at(when, 15),
            "day": when,
        },
        {
            "customer_id": "c1",
            "name": "review_posted",
            "status": "provisional",
            "at": at(when, 15),
            "day": when,
        },
    ]
    sample = only_result(tables).arms[0]
    assert (sample.people, sample.conversions, sample.gross_profit) == (3, 0, 0)
    reviews = book(
        experiments={"perk": pb.Experiment("offer", {"sample": 1, "shipping": 1}, measures="review")}
    )
    assert only_result(tables, reviews).arms[0].conversions == 1
    tables["orders"] = [order("c1", at(when, 14), number=2), order("c2", at(when, 15), number=3)]
    seconds = book(
        experiments={"perk": pb.Experiment("offer", {"sample": 1, "shipping": 1}, measures="second")}
    )
    assert only_result(tables, seconds).arms[0].conversions == 1


def test_many_arms_are_each_held_against_the_first_and_their_p_are_adjusted() -> None:
    tables = world(9, 3_000, 0.0)
    dice = random.Random(9)
    for one in tables["exposures"]:
        one["variant"] = dice.choice(["a", "b", "c"])
    variants = {"a": 1, "b": 1, "c": 1}
    found = only_result(tables, book(experiments={"perk": pb.Experiment("offer", variants)}))
    conversions = [one for one in found.comparisons if one.metric == "conversion"]
    assert [(one.arm, one.control) for one in conversions] == [("b", "a"), ("c", "a")]
    pair = [one for one in tables["exposures"] if one["variant"] in ("a", "b")]
    alone = only_result(
        {**tables, "exposures": pair}, book(experiments={"perk": pb.Experiment("offer", {"a": 1, "b": 1})})
    )
    assert conversions[0].high is not None
    assert alone.comparisons[0].high is not None
    assert conversions[0].high > alone.comparisons[0].high


def sends_of(
    people: int, seed: int, effect: float, playbook: pb.Playbook
) -> Iterator[tuple[str, dict[str, Any]]]:
    dice = random.Random(seed)
    for number in range(people):
        customer, day = f"c{number}", FIRST + dt.timedelta(days=dice.randrange(25))
        held = is_held_out(playbook, "care", "promotion", customer)
        status, reason = (
            ("suppressed", "holdout")
            if held
            else dice.choice([("sent", ""), ("suppressed", "capped:weekly")])
        )
        row = {
            "send_id": f"s{number}",
            "customer_id": customer,
            "unit": "",
            "at": at(day, 13),
            "made_at": at(day),
            "day": day,
        }
        row |= {
            "status": status,
            "reason": reason,
            "kind": "promotion",
            "scenario": "care",
            "campaign": "",
            "held_out": held,
        }
        yield "sends", row
        yield (
            "sends",
            row | {"send_id": f"t{number}", "kind": "support", "held_out": False, "made_at": at(day, 1)},
        )
        if dice.random() < 0.2 + (0 if held else effect):
            yield "orders", order(customer, at(day) + dt.timedelta(days=dice.uniform(0, 6.9)))
        if status == "sent":
            yield (
                "contacts",
                {"customer_id": customer, "at": at(day, 13), "day": day, "send_id": f"s{number}"},
            )


def targeted(people: int, seed: int, effect: float, playbook: pb.Playbook) -> dict[str, list[dict[str, Any]]]:
    tables = world(0, 0, 0.0)
    tables["sends"] = []
    for table, row in sends_of(people, seed, effect, playbook):
        tables[table].append(row)
    return tables


def by_scope(found: list[Lift]) -> dict[tuple[str, str, str], Lift]:
    return {(one.scope_kind, one.scope, one.segment): one for one in found}


def test_a_lift_counts_everybody_who_was_targeted_whatever_became_of_the_message() -> None:
    playbook = book()
    tables = targeted(2_500, 1, 0.15, playbook)
    found = by_scope(lifts(Rows(tables), playbook, FIRST, LAST))
    promoted = [one for one in tables["sends"] if one["kind"] == "promotion"]
    buyers = {one["customer_id"] for one in tables["orders"]}
    for key in (("all", "", ""), ("scenario", "care", "")):
        lift = found[key]
        for arm, held in ((lift.treated, False), (lift.held_out, True)):
            mine = [one["customer_id"] for one in promoted if one["held_out"] is held]
            assert (arm.people, arm.conversions) == (len(mine), len(buyers.intersection(mine)))
        assert lift.conversion.is_sure
        assert lift.enough
        assert lift.srm_p > 0.01
        assert lift.incremental_conversions == pytest.approx(lift.conversion.difference * lift.treated.people)
    sent = sum(one["status"] == "sent" for one in promoted)
    treated = found["all", "", ""].treated
    assert treated.gross_profit == pytest.approx(
        (treated.conversions * 1_000 - sent * YEN_EACH) / treated.people
    )


def test_a_segments_lift_is_of_those_who_were_in_it_when_they_were_targeted() -> None:
    """Odd people left after their message, even ones have been in it all along, every fifth came in afterwards."""
    playbook = book()
    tables = targeted(600, 2, 0.0, playbook)
    tables["memberships"], tables["members"] = [], []
    inside = set()
    for one in tables["sends"][::2]:
        number, later = int(one["customer_id"][1:]), one["at"] + dt.timedelta(hours=1)
        entered_later = number % 5 == 0
        last_change = "left" if number % 2 and not entered_later else "entered"
        change = {"customer_id": one["customer_id"], "segment": "quiet", "change": last_change, "at": later}
        tables["members"].append(change | {"day": MEASURED})
        if number % 2 or entered_later:
            tables["memberships"].append(change | {"day": later.date()})
        if not entered_later:
            inside.add(one["customer_id"])
    found = by_scope(lifts(Rows(tables), playbook, FIRST, LAST, by_segment=True))
    lift = found["all", "", "quiet"]
    assert lift.treated.people + lift.held_out.people == len(inside)
    assert found["all", "", ""].treated.people > lift.treated.people


def test_without_anybody_held_out_there_is_no_lift_and_without_a_goal_nothing_at_all() -> None:
    playbook = book(holdout=None)
    assert lifts(Rows(targeted(50, 3, 0.0, book())), playbook, FIRST, LAST) == []
    bare = book(measure=pb.Measure())
    assert lifts(Rows({}), bare, FIRST, LAST) == []
    assert results(Rows({}), bare, FIRST, LAST) == []


def test_the_whole_accounts_arms_are_read_where_no_other_holdout_mixes_in() -> None:
    care = msgspec.structs.replace(book().scenarios["care"], holdout_percent=50.0)
    playbook = book(scenarios={"care": care, "plain": book().scenarios["care"]})
    tables = targeted(800, 4, 0.0, playbook)
    people = {one["customer_id"] for one in tables["sends"]}
    account = {one for one in people if is_held_out(playbook, "", "promotion", one)}
    plain = [
        one
        | {
            "scenario": "plain",
            "held_out": one["customer_id"] in account,
            "made_at": one["made_at"] + dt.timedelta(hours=1),
        }
        for one in tables["sends"]
        if one["kind"] == "promotion" and int(one["customer_id"][1:]) % 2
    ]
    found = by_scope(lifts(Rows({**tables, "sends": [*tables["sends"], *plain]}), playbook, FIRST, LAST))
    whole = found["all", "", ""]
    assert whole.treated.people + whole.held_out.people == len(plain)
    assert whole.held_out.people == sum(one["held_out"] for one in plain)
    both = {one for one in people if is_held_out(playbook, "care", "promotion", one)}
    assert found["scenario", "care", ""].held_out.people == len(both) > len(account)
    assert found["scenario", "care", ""].srm_p > 0.01
