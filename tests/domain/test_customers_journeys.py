"""What journeys do to their customer: attributes, variants, menus; which journeys begin, give way and move on."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain import playbook as pb
from functions.domain.compiled import Compiled
from functions.domain.customers import Customer, emptied, new_customer, next_due, rebuilt
from functions.domain.events import Event
from functions.domain.gate import Gate
from functions.domain.identity import Tied, tie
from functions.domain.instants import Instant
from functions.domain.journeys import Journey
from functions.domain.progress import moved_on, take_in, take_in_again
from functions.domain.situations import situation_of
from tests.domain.strategies import (
    ALWAYS,
    DAY,
    HAS_BOUGHT,
    HOUR,
    NEVER,
    NOON,
    compiled,
    event,
    scenario,
    send,
    step_lists,
)

LINKED = new_customer("c1", "U1", NOON - 30 * DAY, "link")
CART_LEFT = event("cart_left", "cart", NOON)
HALVES = {"test": pb.Experiment("offer", {"a": 50, "b": 50})}
LEVEL_3: pb.Expression = ["cmp", "==", ["attribute", "level"], ["const", 3]]
A_WEEK_SILENT: pb.Expression = ["cmp", ">=", ["days_since", ["last_at", "orders"]], ["const", 7]]


def taken_in(
    current: Compiled, events: Sequence[Event], now: Instant = NOON, customer: Customer = LINKED
) -> Customer:
    return take_in(customer, events, current, {}, "acc", now)


def woken(customer: Customer, current: Compiled, now: Instant, **versions: Compiled) -> Customer:
    return moved_on(customer, current, versions, "acc", now)


def sent(customer: Customer) -> list[str]:
    return [one.step for one in customer.outbox]


def cart(*steps: pb.Step, **parts: Any) -> Compiled:
    return compiled(scenarios={"cart": scenario(*steps)}, **parts)


# ---- attributes


def test_an_attribute_that_a_journey_set_is_known_to_the_next_branch_of_the_same_move() -> None:
    current = cart(pb.SetAttribute("level", 3), pb.Branch([(LEVEL_3, 2)], 3), send("level 3"))
    customer = taken_in(current, [CART_LEFT])
    assert (sent(customer), customer.profile.attribute("level")) == (["level 3"], 3)


def test_an_attribute_that_a_journey_set_outlives_the_history_that_does_not_know_it() -> None:
    customer = taken_in(cart(pb.SetAttribute("level", 3)), [CART_LEFT])
    assert rebuilt(customer, [CART_LEFT], cart()).profile.attribute("level") == 3


def test_of_a_journey_and_an_event_the_later_one_sets_the_attribute() -> None:
    told = event("profile_updated", "told", NOON + HOUR, level=4)
    current = cart(pb.WaitFor(2 * 3600), pb.SetAttribute("level", 3))
    before = taken_in(current, [CART_LEFT, told], NOON + HOUR)
    assert before.profile.attribute("level") == 4
    assert woken(before, current, NOON + 2 * HOUR).profile.attribute("level") == 3


# ---- waits for a condition


def test_a_condition_that_time_brings_wakes_the_customer_at_its_instant() -> None:
    current = cart(pb.WaitUntil(A_WEEK_SILENT, 30 * 86_400, 1, 2), send("silent"), pb.End())
    customer = taken_in(current, [event("purchase", "p", NOON - 5 * DAY), CART_LEFT])
    assert next_due(customer) == NOON + 2 * DAY
    assert sent(woken(customer, current, NOON + 2 * DAY)) == ["silent"]


def test_a_condition_that_an_event_brings_is_met_by_that_event() -> None:
    current = cart(pb.WaitUntil(HAS_BOUGHT, 86_400, 1, 3), send("bought"), pb.End(), send("not bought"))
    customer = taken_in(current, [CART_LEFT])
    assert next_due(customer) == NOON + DAY
    assert sent(taken_in(current, [event(at=NOON + HOUR)], NOON + HOUR, customer)) == ["bought"]
    assert sent(taken_in(current, [event(at=NOON + DAY)], NOON + DAY, customer)) == ["not bought"]


def test_an_event_may_put_off_what_time_would_have_brought() -> None:
    current = cart(pb.WaitUntil(A_WEEK_SILENT, 30 * 86_400, 1, 2), send("silent"), pb.End())
    customer = taken_in(current, [event("purchase", "p", NOON - 5 * DAY), CART_LEFT])
    again = taken_in(current, [event("purchase", "q", NOON + DAY)], NOON + DAY, customer)
    assert next_due(again) == NOON + 8 * DAY


def test_history_that_comes_late_changes_no_instant_that_time_had_brought_before() -> None:
    current = cart(pb.WaitUntil(A_WEEK_SILENT, 30 * 86_400, 1, 2), pb.WaitFor(86_400), send("silent"))
    bought = event("purchase", "p", NOON - 5 * DAY)
    customer = taken_in(current, [bought, CART_LEFT])
    old = msgspec.structs.replace(event("purchase", "o", NOON - 50 * DAY), imported=True)
    late = NOON + 2 * DAY + HOUR
    told = take_in_again(customer, [bought, CART_LEFT, old], current, {}, "acc", late, quietly=True)
    assert next_due(told) == NOON + 3 * DAY


TAGGED: pb.Expression = ["tagged", "vip"]


@pytest.mark.parametrize("first", ["a_waiter", "z_waiter"])
def test_what_one_journey_sets_another_one_waits_for_from_that_instant_on(first: str) -> None:
    """Whichever of the two stands first, and however late somebody looks."""
    waits = scenario(pb.WaitUntil(TAGGED, 30 * 86_400, 1, 3), pb.WaitFor(3600), send("an hour later"))
    setter = scenario(pb.WaitFor(5 * 86_400), pb.SetTag("vip"))
    current = compiled(scenarios={first: waits, "setter": setter})
    customer = taken_in(current, [CART_LEFT])
    assert next_due(customer) == NOON + 5 * DAY
    after = woken(customer, current, NOON + 5 * DAY)
    assert next_due(after) == NOON + 5 * DAY + HOUR
    late = woken(customer, current, NOON + 6 * DAY)
    assert [intent.due_at for intent in late.outbox] == [NOON + 5 * DAY + HOUR]


def test_what_a_tie_makes_true_is_true_from_the_tie_on() -> None:
    current = cart(pb.WaitUntil(HAS_BOUGHT, 30 * 86_400, 1, 3), pb.WaitFor(3600), send("later"))
    waiting = taken_in(current, [CART_LEFT], customer=Customer("c1"))
    friend = take_in(FRIEND, [event("purchase", at=NOON - DAY)], current, {}, "acc", NOON)
    assert next_due(woken(tied(waiting, friend), current, NOON + DAY)) == NOON + DAY + HOUR


# ---- experiments

SPLIT = pb.Split("test", [("a", 1), ("b", 3)])
TWO_ARMS = (SPLIT, send("for a"), pb.Goto(4), send("for b"), pb.End())


def test_the_variant_is_written_down_at_the_first_exposure_and_stands_in_the_intent() -> None:
    customer = taken_in(cart(*TWO_ARMS, experiments=HALVES), [CART_LEFT])
    variant = customer.assignments["test"]
    assert sent(customer) == [f"for {variant}"]
    assert customer.outbox[0].variant == f"test:{variant}"
    assert customer.journeys[0].variant == f"test:{variant}"


def test_who_was_not_exposed_is_assigned_to_nothing() -> None:
    current = cart(pb.WaitFor(60), *TWO_ARMS, experiments=HALVES)
    assert taken_in(current, [CART_LEFT]).assignments == {}


@pytest.mark.parametrize("variant", ["a", "b"])
def test_changed_weights_move_nobody(variant: str) -> None:
    customer = msgspec.structs.replace(LINKED, assignments={"test": variant})
    other = "b" if variant == "a" else "a"
    weights = {"test": pb.Experiment("offer", {variant: 1, other: 10_000})}
    assert sent(taken_in(cart(*TWO_ARMS, experiments=weights), [CART_LEFT], customer=customer)) == [
        f"for {variant}"
    ]


# ---- what stays through a tie


def tied(customer: Customer, friend: Customer) -> Customer:
    link = event("line_linked", "tie", NOON + DAY, line_user_id="U1", consent=[])
    return tie(Tied(customer, friend, Gate("c1"), Gate("anon:U1")), link).customer


FRIEND = new_customer("anon:U1", "U1", NOON - 30 * DAY, "follow")
JOURNEY = Journey("j1", "cart", "v1", 1, NOON, "trigger", status="done")


@pytest.mark.parametrize(
    ("customers", "friends", "unit"),
    [
        ({}, {}, "c1"),
        ({}, {"journeys": [JOURNEY]}, "anon:U1"),
        ({}, {"assignments": {"test": "a"}}, "anon:U1"),
        ({"journeys": [JOURNEY]}, {"journeys": [JOURNEY]}, "c1"),
        ({"assignments": {"test": "a"}}, {"journeys": [JOURNEY]}, "c1"),
    ],
)
def test_the_unit_is_that_of_who_has_been_through_something(
    customers: dict[str, Any], friends: dict[str, Any], unit: str
) -> None:
    customer = msgspec.structs.replace(Customer("c1"), **customers)
    friend = msgspec.structs.replace(FRIEND, **friends)
    once = tied(customer, friend)
    assert once.unit == unit


def test_the_customers_variants_win_and_the_friends_fill_the_gaps() -> None:
    customer = msgspec.structs.replace(Customer("c1"), assignments={"x": "mine"})
    friend = msgspec.structs.replace(FRIEND, assignments={"x": "friends", "y": "friends"})
    assert tied(customer, friend).assignments == {"x": "mine", "y": "friends"}


# ---- rich menus


def test_of_two_wishes_the_later_one_is_ordered_alone() -> None:
    customer = taken_in(cart(pb.RichMenu("first"), pb.RichMenu("second")), [CART_LEFT])
    assert customer.menu_order is not None
    assert customer.menu_order.menu == "second"
    assert emptied(customer, [customer.menu_order.send_id]).orders == []


def test_an_older_wish_takes_no_newer_ones_place() -> None:
    newer = taken_in(cart(pb.RichMenu("newer")), [event("cart_left", "late", NOON + HOUR)], NOON + HOUR)
    older = compiled(scenarios={"older": scenario(pb.RichMenu("older"), start="visit")})
    after = taken_in(older, [event("visit", "early", NOON)], NOON + HOUR, newer)
    assert after.menu_order == newer.menu_order


# ---- which journeys begin


def several(**rules: dict[str, Any]) -> Compiled:
    """Scenarios that one event starts; each waits for a day."""
    return compiled(
        scenarios={name: scenario(pb.WaitFor(86_400), send(name), **more) for name, more in rules.items()}
    )


def running(customer: Customer) -> list[str]:
    return sorted(journey.scenario for journey in customer.journeys if journey.active)


def test_a_scenario_does_not_begin_beside_one_that_it_does_not_go_with() -> None:
    current = several(first={"rank": 1}, second={"rank": 2, "not_with": ["first"]})
    customer = taken_in(current, [CART_LEFT])
    assert running(customer) == ["first"]
    over = woken(customer, current, NOON + DAY)
    again = taken_in(current, [event("cart_left", "again", NOON + 2 * DAY)], NOON + 2 * DAY, over)
    assert running(again) == ["second"]


def test_of_scenarios_that_one_event_starts_the_better_rank_goes_first_then_the_name() -> None:
    ranked = several(a={"rank": 2, "not_with": ["b"]}, b={"rank": 1, "not_with": ["a"]})
    assert running(taken_in(ranked, [CART_LEFT])) == ["b"]
    named = several(b={"rank": 1, "not_with": ["a"]}, a={"rank": 1, "not_with": ["b"]})
    assert running(taken_in(named, [CART_LEFT])) == ["a"]


def test_a_scenario_takes_the_place_of_those_that_it_replaces() -> None:
    current = compiled(
        scenarios={
            "old": scenario(pb.WaitFor(86_400), send("old")),
            "other": scenario(pb.WaitFor(86_400), send("other")),
            "new": scenario(pb.WaitFor(86_400), send("new"), start="visit", replaces=["old"]),
        }
    )
    before = taken_in(current, [CART_LEFT])
    after = taken_in(current, [event("visit", at=NOON + HOUR)], NOON + HOUR, before)
    assert running(after) == ["new", "other"]
    assert [(j.scenario, j.status) for j in after.journeys if not j.active] == [("old", "exited")]


def test_what_a_replaced_journey_still_wanted_to_say_is_no_longer_said() -> None:
    current = compiled(
        scenarios={
            "old": scenario(send("old"), pb.WaitFor(86_400)),
            "new": scenario(send("new"), start="visit", replaces=["old"]),
        }
    )
    before = taken_in(current, [CART_LEFT])
    after = taken_in(current, [event("visit", at=NOON + HOUR)], NOON + HOUR, before)
    eligible = {
        intent.step: situation_of(intent, after, current, {"v1": current}, NOON + HOUR).eligible
        for intent in after.outbox
    }
    assert eligible == {"old": False, "new": True}


def test_what_a_journey_still_wanted_to_say_is_no_longer_said_once_it_has_reached_its_goal() -> None:
    """Also where a later correction takes back what the goal was reached by."""
    current = compiled(scenarios={"cart": scenario(send("remind"), pb.WaitFor(86_400), goal=HAS_BOUGHT)})
    done = taken_in(current, [event(at=NOON + HOUR)], NOON + HOUR, taken_in(current, [CART_LEFT]))
    (intent,) = done.outbox
    undone = msgspec.structs.replace(done, profile=LINKED.profile)
    for customer in (done, undone):
        assert not situation_of(intent, customer, current, {"v1": current}, NOON + HOUR).eligible


def test_a_journey_that_is_over_already_is_not_replaced_and_may_still_say_its_last_word() -> None:
    current = compiled(
        scenarios={
            "old": scenario(send("old")),
            "new": scenario(send("new"), start="visit", replaces=["old"]),
        }
    )
    before = taken_in(current, [CART_LEFT])
    after = taken_in(current, [event("visit", at=NOON + HOUR)], NOON + HOUR, before)
    assert {(j.scenario, j.status) for j in after.journeys} == {("old", "done"), ("new", "done")}


# ---- migration


def test_a_running_journey_goes_on_in_the_version_in_force_where_that_takes_it_in() -> None:
    old = cart(pb.WaitFor(86_400), send("old"))
    scenarios = {"cart": scenario(pb.WaitFor(86_400), send("new"), migrate={"old": "new"})}
    new = compiled("v2", scenarios=scenarios)
    customer = taken_in(old, [CART_LEFT])
    after = woken(customer, new, NOON + HOUR, v1=old)
    assert (after.journeys[0].version, next_due(after)) == ("v2", NOON + DAY)
    (intent,) = woken(after, new, NOON + DAY).outbox
    assert (intent.step, intent.playbook) == ("new", "v2")
    assert intent.occurrence == "1"


def test_a_running_journey_stays_where_the_version_in_force_does_not_say_so() -> None:
    old, new = (
        cart(pb.WaitFor(86_400), send("old")),
        compiled("v2", scenarios={"cart": scenario(send("new"))}),
    )
    after = woken(taken_in(old, [CART_LEFT]), new, NOON + DAY, v1=old)
    assert sent(after) == ["old"]


# ---- it ends


@given(step_lists(), st.integers(0, 3))
def test_when_no_events_come_time_brings_every_customer_to_rest(steps: list[pb.Step], seed: int) -> None:
    """Each wake moves every journey at least one wait on: a bounded number of wakes, and nothing is due any more."""
    timeless = [
        msgspec.structs.replace(step, until=ALWAYS if seed % 2 else NEVER)
        if isinstance(step, pb.WaitUntil)
        else step
        for step in steps
    ]
    current = cart(*timeless, experiments=HALVES)
    customer, now = taken_in(current, [CART_LEFT]), NOON
    for _ in range(len(steps) + 1):
        due = next_due(customer)
        if due is None:
            break
        assert due > now
        now = due
        customer = woken(customer, current, now)
    assert next_due(customer) is None
    assert all(not journey.active for journey in customer.journeys)
