"""A customer takes events in: the same profile, journeys and intents, however they come."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain import playbook as pb
from functions.domain.compiled import Compiled
from functions.domain.customers import (
    SEEN_KEPT,
    Customer,
    emptied,
    folded,
    in_order,
    new_customer,
    next_due,
    pinned_versions,
    rebuilt,
)
from functions.domain.events import Event
from functions.domain.instants import Instant
from functions.domain.profiles import Register, fold_all
from functions.domain.progress import moved_on, take_in, take_in_again
from functions.domain.sends import EXPIRES_MAX, Intent
from tests.domain.strategies import (
    ALWAYS,
    DAY,
    DICTIONARY,
    HAS_BOUGHT,
    HOUR,
    NEVER,
    NOON,
    SECOND,
    WEEK,
    compiled,
    event,
    event_sets,
    message,
    scenario,
    send,
)

DAY_SECONDS = 86_400
LINKED = new_customer("c1", "U1", NOON - 30 * DAY, "link")


def taken_in(
    current: Compiled,
    events: Sequence[Event],
    now: Instant = NOON,
    customer: Customer = LINKED,
    **versions: Compiled,
) -> Customer:
    return take_in(customer, events, current, versions, "acc", now)


def woken(customer: Customer, current: Compiled, now: Instant) -> Customer:
    return moved_on(customer, current, {current.version: current}, "acc", now)


def sent(customer: Customer) -> list[str]:
    return [one.step for one in customer.outbox]


def statuses(customer: Customer) -> list[str]:
    return [journey.status for journey in customer.journeys]


def one_step(**more: Any) -> Compiled:
    return compiled(scenarios={"cart": scenario(send("reminder"), **more)})


CART_LEFT = event("cart_left", "cart", NOON)


# ---- intents


def test_an_intent_is_whole() -> None:
    current = compiled(
        messages={"promotion": message("promotion", nickname="you", points=0)},
        scenarios={"cart": scenario(send("reminder", hold_seconds_max=60), rank=3)},
    )
    named = taken_in(current, [event("profile_updated", "p", NOON - SECOND, nickname="Hana"), CART_LEFT])
    assert named.outbox == [
        Intent(
            send_id=named.outbox[0].send_id,
            customer_id="c1",
            line_user_id="U1",
            kind="promotion",
            source="cart",
            journey=named.journeys[0].journey_id,
            step="reminder",
            occurrence="1",
            message="promotion",
            message_hash="hash of promotion",
            playbook="v1",
            rank=3,
            made_at=NOON,
            expires_at=NOON + DAY,
            values={"nickname": "Hana", "points": 0},
            scenario="cart",
            hold_seconds_max=60,
            due_at=NOON,
        )
    ]
    assert named.intended == {"cart": 1}


def test_a_send_id_stays_the_same_whenever_and_by_whatever_version_it_is_made() -> None:
    early, late = (taken_in(one_step(), [CART_LEFT], now).outbox[0] for now in (NOON, NOON + HOUR))
    newer = taken_in(compiled("v2", scenarios={"cart": scenario(send("reminder"))}), [CART_LEFT]).outbox[0]
    assert early.send_id == late.send_id == newer.send_id


def test_a_send_id_is_of_one_customer_step_passage_line_user_and_account() -> None:
    other_user = new_customer("c1", "U2", NOON, "link")
    two_steps = compiled(scenarios={"cart": scenario(send("reminder"), send("second"))})
    ids = [one.send_id for one in taken_in(two_steps, [CART_LEFT]).outbox]
    ids += [one.send_id for one in taken_in(one_step(), [CART_LEFT], customer=other_user).outbox]
    ids += [one.send_id for one in taken_in(one_step(), [event("cart_left", "another")]).outbox]
    ids += [one.send_id for one in take_in(LINKED, [CART_LEFT], one_step(), {}, "acc2", NOON).outbox]
    assert len(set(ids)) == 5


def test_no_intent_lives_longer_than_eight_days() -> None:
    patient = compiled(scenarios={"cart": scenario(send("reminder", expires_seconds=30 * DAY_SECONDS))})
    assert taken_in(patient, [CART_LEFT]).outbox[0].expires_at == NOON + EXPIRES_MAX


def test_an_attribute_that_is_false_is_no_reason_to_fall_back() -> None:
    current = compiled(
        messages={"promotion": message("promotion", adult=True, nickname="you")},
        scenarios={"cart": scenario(send())},
    )
    customer = taken_in(current, [event("profile_updated", "p", NOON - SECOND, adult=False), CART_LEFT])
    assert customer.outbox[0].values == {"adult": False, "nickname": "you"}


def test_intents_are_counted_by_their_source() -> None:
    again = compiled(scenarios={"cart": scenario(send(), send("two"), reentry_seconds=0)})
    customer = taken_in(again, [CART_LEFT])
    assert taken_in(again, [event("cart_left", "e2", NOON + HOUR)], NOON + HOUR, customer).intended == {
        "cart": 4
    }


def test_what_is_enqueued_leaves_the_outbox() -> None:
    customer = taken_in(compiled(scenarios={"cart": scenario(send("a"), send("b"))}), [CART_LEFT])
    assert sent(emptied(customer, [customer.outbox[0].send_id])) == ["b"]


# ---- entry, exit, goal


def test_a_condition_at_entry_is_asked_with_the_event_folded_in() -> None:
    first = compiled(scenarios={"thanks": scenario(send(), start="purchase", when=HAS_BOUGHT)})
    assert sent(taken_in(first, [event()])) == ["hello"]
    assert (
        taken_in(
            compiled(scenarios={"thanks": scenario(send(), start="purchase", when=NEVER)}), [event()]
        ).journeys
        == []
    )


@pytest.mark.parametrize("end", ["exit", "goal"])
def test_who_meets_the_end_already_does_not_enter(end: str) -> None:
    bought = taken_in(one_step(**{end: HAS_BOUGHT}), [event(at=NOON - DAY)])
    assert taken_in(one_step(**{end: HAS_BOUGHT}), [CART_LEFT], customer=bought).journeys == []


@pytest.mark.parametrize(("end", "status"), [("exit", "exited"), ("goal", "goal")])
def test_a_purchase_ends_the_journey_before_its_next_step(end: str, status: str) -> None:
    current = compiled(scenarios={"cart": scenario(pb.WaitFor(3600), send(), **{end: HAS_BOUGHT})})
    waiting = taken_in(current, [CART_LEFT])
    assert next_due(waiting) == NOON + HOUR
    over = taken_in(current, [event(at=NOON + SECOND)], NOON + SECOND, waiting)
    assert (statuses(over), next_due(over)) == ([status], None)
    assert woken(over, current, NOON + HOUR).outbox == []


def test_a_goal_that_is_reached_is_told_before_an_exit() -> None:
    current = compiled(scenarios={"cart": scenario(pb.WaitFor(60), goal=HAS_BOUGHT, exit=HAS_BOUGHT)})
    waiting = taken_in(current, [CART_LEFT])
    assert statuses(taken_in(current, [event(at=NOON + SECOND)], NOON + SECOND, waiting)) == ["goal"]


def test_a_provisional_purchase_makes_an_exit_and_no_goal() -> None:
    for end, status in (("exit", "exited"), ("goal", "active")):
        current = compiled(scenarios={"cart": scenario(pb.WaitFor(3600), send(), **{end: HAS_BOUGHT})})
        waiting = taken_in(current, [CART_LEFT])
        assert statuses(taken_in(current, [event(status="provisional")], NOON, waiting)) == [status]


def test_a_provisional_event_starts_no_journey_and_its_confirmation_does() -> None:
    early = taken_in(one_step(), [event("cart_left", "cart", status="provisional")])
    assert early.journeys == []
    assert sent(taken_in(one_step(), [CART_LEFT], customer=early)) == ["reminder"]


def test_a_journey_goes_by_the_version_it_entered_with() -> None:
    old = compiled("v1", scenarios={"cart": scenario(pb.WaitFor(3600), send("old"))})
    new = compiled("v2", scenarios={"cart": scenario(pb.WaitFor(60), send("new"))})
    waiting = taken_in(old, [CART_LEFT])
    assert pinned_versions(waiting) == {"v1"}
    later = taken_in(new, [event("visit", "v")], NOON + HOUR, waiting, v1=old)
    assert [(one.step, one.playbook) for one in later.outbox] == [("old", "v1")]
    assert pinned_versions(later) == set()


def test_an_old_event_starts_nothing_and_is_folded() -> None:
    customer = taken_in(one_step(), [event("cart_left", "cart", NOON - WEEK)])
    assert customer.journeys == []
    assert customer.profile.tallies["carts"].count == 1


# ---- tags


def test_a_tag_of_a_journey_is_borne() -> None:
    assert taken_in(compiled(scenarios={"cart": scenario(pb.SetTag("left"))}), [CART_LEFT]).profile.has_tag(
        "left"
    )


def test_a_tag_that_is_set_and_then_taken_away_is_gone() -> None:
    current = compiled(
        scenarios={"cart": scenario(pb.SetTag("busy"), send(), pb.SetTag("busy", remove=True))}
    )
    assert not taken_in(current, [CART_LEFT]).profile.has_tag("busy")


TAGGING: list[pb.Step] = [
    pb.SetTag("vip"),
    pb.WaitFor(3600),
    pb.Branch([(["tagged", "vip"], 3)], 4),
    send("for a vip"),
    pb.End(),
]


def test_a_branch_sees_a_tag_that_was_set_an_hour_before() -> None:
    current = compiled(scenarios={"cart": scenario(*TAGGING)})
    waiting = taken_in(current, [CART_LEFT])
    assert sent(woken(waiting, current, NOON + HOUR)) == ["for a vip"]


def test_a_branch_sees_the_tag_though_both_are_looked_at_late() -> None:
    current = compiled(scenarios={"cart": scenario(*TAGGING)})
    assert sent(taken_in(current, [CART_LEFT], NOON + HOUR)) == ["for a vip"]


# ---- batches

WAITING = scenario(
    pb.WaitForEvent("purchase", 3600, on_event=2, on_timeout=3),
    pb.End(),
    send("thanks"),
    send("still there"),
)
PLANS = compiled(
    scenarios={
        "cart": WAITING,
        "buyers": scenario(send("bought"), start="purchase", reentry_seconds=0),
        "visits": scenario(send("seen"), start="visit", exit=HAS_BOUGHT, reentry_seconds=0),
    }
)


def test_an_event_is_heard_though_it_comes_with_the_one_that_starts_the_wait() -> None:
    """An edge that brings both in one batch must not remind somebody who bought."""
    both = [CART_LEFT, event("purchase", "p", NOON + SECOND, order_id="o")]
    apart = taken_in(PLANS, both[1:], NOON + SECOND, taken_in(PLANS, both[:1], NOON + SECOND))
    assert "thanks" in sent(apart)
    assert sent(taken_in(PLANS, both, NOON + SECOND)) == sent(apart)


@given(
    st.lists(st.sampled_from(["cart_left", "purchase", "visit"]), max_size=6),
    st.sets(st.integers(0, 6)),
)
def test_the_outbox_is_the_same_however_ordered_events_are_batched(names: list[str], cuts: set[int]) -> None:
    events = [event(name, f"e{number}", NOON + number * SECOND) for number, name in enumerate(names)]
    now = NOON + 10 * SECOND
    whole = taken_in(PLANS, events, now) if events else LINKED
    customer, batch = LINKED, list[Event]()
    for number, one in enumerate(events):
        batch.append(one)
        if number in cuts or number == len(events) - 1:
            customer, batch = taken_in(PLANS, batch, now, customer), []
    assert sorted(one.send_id for one in customer.outbox) == sorted(one.send_id for one in whole.outbox)
    assert customer.profile == whole.profile


@given(st.data())
def test_within_a_batch_the_order_of_arrival_is_nothing(data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(["cart_left", "purchase", "visit"]), max_size=6))
    events = [event(name, f"e{number}", NOON + number * SECOND) for number, name in enumerate(names)]
    shuffled = data.draw(st.permutations(events))
    assert taken_in(PLANS, shuffled, NOON + HOUR) == taken_in(PLANS, events, NOON + HOUR)


def test_events_are_put_in_the_order_in_which_they_happened() -> None:
    events = [event(event_id="b"), event(event_id="c", at=NOON - DAY), event(event_id="a")]
    assert [one.event_id for one in in_order(events)] == ["c", "a", "b"]


@pytest.mark.parametrize("ahead", [dt.timedelta(), SECOND], ids=["at once", "provisional dated later"])
def test_a_confirmation_in_one_batch_with_its_provisional_event_replaces_it(ahead: dt.timedelta) -> None:
    both = [event(at=NOON + ahead, status="provisional"), event(at=NOON)]
    customer = taken_in(PLANS, both, NOON + HOUR)
    assert customer.profile == fold_all(both, DICTIONARY)
    assert folded(LINKED, in_order(both), PLANS).profile == fold_all(both, DICTIONARY)


def test_a_provisional_event_is_known_once_its_confirmation_is() -> None:
    """Two deliveries may race: the provisional one must not be folded after the confirmed one."""
    assert taken_in(PLANS, [event()]).has_seen(event(status="provisional"))


# ---- late looks


def test_an_event_during_a_wait_that_nobody_looked_at_yet_is_heard() -> None:
    """The wait for the event began at 13:00; the purchase of 13:01 comes in before any timer has fired."""
    steps: list[pb.Step] = [
        pb.WaitFor(3600),
        pb.WaitForEvent("purchase", 3600, 3, 2),
        pb.End(),
        send("thanks"),
    ]
    current = compiled(scenarios={"cart": scenario(*steps)})
    waiting = taken_in(current, [CART_LEFT])
    bought = event("purchase", "p", NOON + HOUR + 60 * SECOND)
    in_time = woken(waiting, current, NOON + HOUR)
    now = bought.occurred_at + SECOND
    assert sent(taken_in(current, [bought], now, in_time)) == ["thanks"]
    assert sent(taken_in(current, [bought], now, waiting)) == ["thanks"]


def test_a_wait_that_timed_out_before_anybody_looked_has_timed_out() -> None:
    steps: list[pb.Step] = [pb.WaitForEvent("purchase", 3600, 2, 1), send("still there"), pb.End()]
    current = compiled(scenarios={"cart": scenario(*steps)})
    waiting = taken_in(current, [CART_LEFT])
    bought = event("purchase", "p", NOON + HOUR + SECOND)
    in_time = woken(waiting, current, NOON + HOUR)
    now = bought.occurred_at + SECOND
    assert sent(taken_in(current, [bought], now, in_time)) == ["still there"]
    assert sent(taken_in(current, [bought], now, waiting)) == ["still there"]


def test_an_event_in_time_is_heard_though_the_wait_is_over_when_it_comes() -> None:
    steps: list[pb.Step] = [pb.WaitForEvent("purchase", 3600, 2, 1), pb.End(), send("thanks")]
    current = compiled(scenarios={"cart": scenario(*steps)})
    bought = event("purchase", "p", NOON + HOUR - SECOND)
    assert sent(taken_in(current, [bought], NOON + 2 * HOUR, taken_in(current, [CART_LEFT]))) == ["thanks"]


def test_the_next_due_instant_is_the_earliest_of_all() -> None:
    current = compiled(
        scenarios={"a": scenario(pb.WaitFor(7200), send()), "b": scenario(pb.WaitFor(3600), send())}
    )
    assert next_due(taken_in(current, [CART_LEFT])) == NOON + HOUR
    assert next_due(LINKED) is None


# ---- the history


def test_imported_events_are_folded_and_start_nothing() -> None:
    customer = folded(LINKED, [CART_LEFT], one_step())
    assert (customer.journeys, customer.outbox) == ([], [])
    assert customer.profile.tallies["carts"].count == 1
    assert customer.has_seen(CART_LEFT)


def test_the_newest_64_events_are_known() -> None:
    events = [event(event_id=f"e{number}", at=NOON + number * SECOND) for number in range(SEEN_KEPT + 1)]
    customer = folded(LINKED, events, PLANS)
    assert [customer.has_seen(one) for one in events] == [False, *[True] * SEEN_KEPT]


@given(event_sets())
def test_the_fold_of_the_history_is_what_was_folded_one_by_one(events: list[Event]) -> None:
    customer = LINKED
    for one in sorted(events, key=lambda one: one.status, reverse=True):
        customer = folded(customer, [one], PLANS)
    assert rebuilt(customer, events, PLANS).profile == customer.profile
    assert rebuilt(LINKED, events, PLANS).profile == customer.profile


def test_a_new_fold_keeps_what_journeys_tagged_and_nothing_else() -> None:
    tagged = taken_in(compiled(scenarios={"cart": scenario(pb.SetTag("left"))}), [CART_LEFT])
    profile = msgspec.structs.replace(
        tagged.profile, tags={**tagged.profile.tags, "stray": Register(True, NOON, "e9")}
    )
    again = rebuilt(msgspec.structs.replace(tagged, profile=profile), [CART_LEFT], PLANS)
    assert again.profile.tag_names == ["left"]


def test_a_new_fold_knows_the_newest_of_the_history() -> None:
    history = [event(event_id=f"e{number}", at=NOON + number * SECOND) for number in range(100)]
    again = rebuilt(LINKED, history, PLANS)
    assert [again.has_seen(one) for one in history[-3:]] == [True] * 3
    assert len(again.seen) == SEEN_KEPT


def test_history_from_before_an_unlinking_is_left_out() -> None:
    cut = msgspec.structs.replace(LINKED, history_from=NOON)
    assert rebuilt(cut, [event(at=NOON), event(event_id="e2", at=NOON + SECOND)], PLANS).profile.tallies[
        "orders"
    ].count == 1  # fmt: skip


def test_what_happened_before_the_history_begins_is_nothing_new() -> None:
    cut = msgspec.structs.replace(LINKED, history_from=NOON)
    assert cut.has_seen(event(at=NOON))
    assert folded(cut, [event(at=NOON)], PLANS) == cut
    assert not cut.has_seen(event(at=NOON + SECOND))


def test_an_event_that_is_in_already_is_not_folded_twice() -> None:
    once = folded(LINKED, [event()], PLANS)
    assert folded(once, [event(), event(status="provisional")], PLANS) == once


def test_imported_events_start_nothing_when_the_history_is_taken_in_again() -> None:
    imported = msgspec.structs.replace(CART_LEFT, imported=True)
    again = take_in_again(LINKED, [imported], one_step(), {}, "acc", NOON)
    assert (again.journeys, again.outbox) == ([], [])
    assert again.profile.tallies["carts"].count == 1


def test_what_was_kept_last_is_known_though_it_happened_long_ago() -> None:
    history = [event(event_id=f"e{number}", at=NOON - number * DAY) for number in range(100)]
    again = rebuilt(LINKED, history, PLANS)
    assert again.has_seen(history[-1])
    assert not again.has_seen(history[0])


def test_imported_events_crowd_no_live_one_out_of_what_is_known() -> None:
    imported = [
        msgspec.structs.replace(event(event_id=f"e{number}"), imported=True) for number in range(SEEN_KEPT)
    ]
    assert rebuilt(LINKED, [CART_LEFT, *imported], PLANS).has_seen(CART_LEFT)


def test_to_take_the_history_in_again_starts_nothing_twice() -> None:
    customer = taken_in(PLANS, [CART_LEFT])
    forgotten = msgspec.structs.replace(customer, seen=[])
    again = take_in_again(forgotten, [CART_LEFT], PLANS, {}, "acc", NOON)
    assert (again.journeys, again.outbox, again.profile) == (
        customer.journeys,
        customer.outbox,
        customer.profile,
    )


def test_what_was_never_folded_is_heard_when_the_history_is_taken_in_again() -> None:
    again = take_in_again(LINKED, [CART_LEFT], one_step(), {}, "acc", NOON)
    assert sent(again) == ["reminder"]
    assert again == take_in_again(again, [CART_LEFT], one_step(), {}, "acc", NOON)


# ---- a compiled playbook


def test_no_expression_is_no_demand_and_no_stop() -> None:
    assert PLANS.holds(None, LINKED.profile, NOON)
    assert not PLANS.stops(None, LINKED.profile, NOON)


def test_a_predicate_is_compiled_once() -> None:
    assert PLANS.predicate(ALWAYS) is PLANS.predicate(ALWAYS)


def test_the_longest_window_is_that_of_any_cap() -> None:
    caps = [pb.Cap("a", ["promotion"], 1, 60), pb.Cap("b", ["promotion"], 1, 3600)]
    assert compiled(caps=caps).longest_window == HOUR
    assert compiled().longest_window == dt.timedelta()


def test_only_counted_kinds_are_capped() -> None:
    current = compiled(caps=[pb.Cap("a", ["promotion"], 1, 60)])
    assert current.is_capped("promotion", "")
    assert not current.is_capped("support", "")


def test_a_source_is_on_unless_the_playbook_switches_it_off() -> None:
    campaign = pb.Campaign("s", "promotion", 1, 60, "crm", on=False)
    current = compiled(
        scenarios={"off": scenario(send(), on=False), "on": scenario(send())}, campaigns={"c": campaign}
    )
    assert [current.is_on(*source) for source in [("off", ""), ("on", ""), ("", "c"), ("gone", "")]] == [
        False, True, False, True,
    ]  # fmt: skip


def test_a_customer_survives_writing_and_reading() -> None:
    customer = taken_in(PLANS, [CART_LEFT, event(status="provisional", amount=1.5), event("visit", "v")])
    assert msgspec.json.decode(msgspec.json.encode(customer), type=Customer) == customer


def test_an_anonymous_friend_is_linked_to_itself() -> None:
    assert new_customer("anon:U1", "U1", NOON, "").line_user_id == "U1"
    assert new_customer("c1", "", NOON, "").line_user_id == ""
    assert Customer("c1", link=Register(None, NOON, "e")).line_user_id == ""
