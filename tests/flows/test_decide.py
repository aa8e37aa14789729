"""Fold, journeys, intents: each exactly once, whatever is repeated, reordered, refused or cut off."""

import datetime as dt
import functools
import itertools
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.domain.events import Event
from functions.domain.playbook import Branch, End, SetTag, Step, WaitForEvent
from functions.domain.profiles import Profile
from functions.ports import EventsReceived, Retryable
from tests.fakes.crashes import crash_everywhere
from tests.fakes.lockstep import schedules, side_by_side
from tests.fakes.payloads import payload
from tests.fakes.playbooks import days, evening_of_day, playbook, scenario, send, when
from tests.fakes.world import World, jst

AFTER_PURCHASE = scenario("purchase", send("thanks"), days(1), send("tips"), evening_of_day(7), send("offer"))
BOOK = playbook(scenarios={"after_purchase": AFTER_PURCHASE})
WHOLE = ["thanks", "tips", "offer"]


def fresh(shuffle: random.Random | None = None) -> World:
    """A linked friend, about whom nothing else is known."""
    world = World(BOOK, shuffle=shuffle)
    world.customer_with_line()
    return world


def orders(world: World, customer_id: str = "c1") -> int:
    tally = world.customer(customer_id).profile.tallies.get("orders")
    return tally.count if tally else 0


def event(raw: dict[str, Any], status: str | None = None) -> dict[str, Any]:
    return raw if status is None else {**raw, "status": status}


# --- a journey, exactly once


def test_a_purchase_sends_each_step_once_at_its_own_time() -> None:
    world = fresh()
    world.ingest(world.purchase("c1"))
    world.advance(days=30)
    assert [(push.texts, push.at) for push in world.line.pushes] == [
        (["thanks"], jst(11, 2, 12)),
        (["tips"], jst(11, 3, 12)),
        (["offer"], jst(11, 9, 19)),
    ]
    assert [record.status for record in world.records()] == ["sent"] * 3
    assert [journey.status for journey in world.customer().journeys] == ["done"]
    assert world.timers.next_due is None


def test_a_duplicated_purchase_starts_one_journey() -> None:
    world = fresh()
    raw = world.purchase("c1")
    for _ in range(5):
        world.ingest(raw, raw)
    world.run()
    world.ingest(raw)
    world.advance(days=3)
    world.ingest(raw)
    world.advance(days=30)
    assert world.line.copies("U1") == WHOLE
    assert orders(world) == 1


@pytest.mark.parametrize("seed", range(10))
def test_a_reordered_and_duplicated_inbox_starts_one_journey(seed: int) -> None:
    world = fresh(random.Random(seed))
    raws = [
        world.purchase("c1"),
        world.event("cart_left", "c1"),
        world.event("inquiry_opened", "c1", case_id="1"),
    ]
    for raw in raws * 3:
        world.ingest(raw)
    world.advance(days=6)
    assert world.line.copies("U1") == ["thanks", "tips"]
    assert orders(world) == 1


def test_a_crash_at_any_call_leaves_one_journey_and_one_push_a_step() -> None:
    raw = fresh().purchase("c1")

    def act(world: World) -> None:
        world.ingest(raw)
        world.advance(days=10)

    def check(world: World) -> None:
        assert world.line.copies("U1") == WHOLE
        assert [end[1] for end in world.ends()] == ["sent"] * 3
        assert world.customer().intended == {"after_purchase": 3}
        assert orders(world) == 1
        assert world.customer().outbox == []
        assert world.dead() == []

    assert crash_everywhere(fresh, act, check) > 80


def test_a_crash_at_any_call_of_a_first_contact_leaves_one_journey() -> None:
    """Nothing is known of the customer: link, consent and purchase come in one request."""
    book = World(BOOK)
    raws = [book.linked("c1", "U1"), book.purchase("c1")]

    def build() -> World:
        world = World(BOOK)
        world.befriend("U1")
        return world

    def act(world: World) -> None:
        world.ingest(*raws)
        world.advance(days=10)

    def check(world: World) -> None:
        assert world.line.copies("U1") == WHOLE
        assert orders(world) == 1
        assert world.gate().reaches("U1")
        assert world.dead() == []

    assert crash_everywhere(build, act, check) > 80


# --- the outbox


def test_an_intent_that_was_written_but_not_enqueued_is_enqueued_by_the_redelivery() -> None:
    world = fresh()
    world.ingest(world.purchase("c1"))
    names = []

    def stop_before_enqueueing(_number: int, name: str, side: str) -> None:
        names.append(name)
        if name == "send_queue.put" and side == "before":
            world.tap.watch(None)
            raise Retryable("the worker was stopped")

    world.tap.watch(stop_before_enqueueing)
    world.step()
    assert "customers.save" in names
    assert len(world.customer().outbox) == 1
    world.run()
    assert world.customer().outbox == []
    assert world.line.copies("U1") == ["thanks"]


def test_intents_that_the_queue_refuses_stay_in_the_outbox_until_it_takes_them() -> None:
    book = playbook(scenarios={name: scenario("purchase", send(name)) for name in ("thanks", "care", "tips")})
    world = World(book)
    world.customer_with_line()
    world.ingest(world.purchase("c1"))
    world.send_queue.refuses = lambda position: position != 1
    world.step()
    assert [intent.message for intent in world.customer().outbox] == ["thanks", "tips"]
    world.run()
    assert sorted(world.line.copies("U1")) == ["care", "thanks", "tips"]
    assert world.customer().outbox == []


def test_an_outbox_that_was_left_behind_is_emptied_by_the_next_event() -> None:
    world = fresh()
    raw = world.purchase("c1")
    world.ingest(raw)
    for _ in range(20):
        world.send_queue.refuses = lambda _position: True
        if not world.step():
            break
    assert len(world.inbox_queue.dead) == 1
    assert len(world.customer().outbox) == 1
    world.send_queue.refuses = None
    world.ingest(world.event("cart_left", "c1"))
    world.run()
    assert world.line.copies("U1") == ["thanks"]


# --- facts before the fold


def test_an_opt_out_is_in_the_gate_although_everything_after_it_failed() -> None:
    world = fresh()
    world.advance(minutes=1)
    world.ingest(world.event("consent_withdrawn", "c1", purpose="marketing"))

    def fail_after_the_gate(_number: int, name: str, side: str) -> None:
        if name == "customers.save_gate" and side == "after":
            world.tap.watch(None)
            raise Retryable("the worker was stopped")

    world.tap.watch(fail_after_the_gate)
    world.step()
    assert not world.gate().consent["marketing"].value


def test_a_fact_is_in_the_gate_before_anything_of_its_message_is_folded_or_enqueued() -> None:
    world = fresh()
    world.advance(minutes=1)
    world.ingest(world.event("consent_withdrawn", "c1", purpose="all"), world.purchase("c1"))
    seen: list[tuple[str, bool]] = []

    def note(_number: int, name: str, side: str) -> None:
        if side == "before" and name in ("events.put_new", "customers.save", "send_queue.put"):
            consent = world.gate().consent.get("all")
            seen.append((name, consent is not None and not consent.value))

    world.tap.watch(note)
    world.step()
    assert {name for name, _ in seen} == {"events.put_new", "customers.save", "send_queue.put"}
    assert all(known for _, known in seen)


def test_an_older_consent_does_not_undo_a_newer_withdrawal() -> None:
    world = fresh()
    at = world.now
    world.ingest(
        world.event("consent_withdrawn", "c1", purpose="marketing", at=at + dt.timedelta(hours=2)),
        world.event("consent_given", "c1", purpose="marketing", at=at + dt.timedelta(hours=1)),
    )
    world.run()
    assert not world.gate().consent["marketing"].value


def test_closing_one_of_two_inquiries_leaves_the_other_open() -> None:
    for order in itertools.permutations(range(3)):
        world = fresh()
        raws = payload("ingest/cases")["events"]
        for number in order:
            world.ingest(raws[number])
            world.run()
        assert world.gate("C-1001").open_flags() == ["inquiry"]
        assert [case for case, state in world.gate("C-1001").cases["inquiry"].items() if state.value] == ["2"]


def test_every_customer_has_a_gate_before_anything_may_be_sent() -> None:
    world = World(BOOK)
    world.ingest(world.purchase("c9"))
    world.run()
    assert world.ends() == [("thanks", "suppressed", "unreachable")]


# --- provisional and confirmed


def test_a_provisional_purchase_starts_nothing() -> None:
    world = fresh()
    world.ingest(world.purchase("c1", status="provisional"))
    world.advance(days=10)
    assert world.line.pushes == []
    assert world.customer().journeys == []


def test_a_confirmation_starts_the_journey_that_the_provisional_event_did_not() -> None:
    world = fresh()
    raw = world.purchase("c1", status="provisional")
    world.ingest(raw)
    world.advance(hours=1)
    world.ingest(event(raw, "confirmed"))
    world.run()
    assert world.line.copies("U1") == ["thanks"]
    assert orders(world) == 1
    assert world.customer().profile.provisional == {}


def test_a_provisional_purchase_stops_a_journey_that_a_purchase_would_end() -> None:
    cart = scenario("cart_left", days(1), send("offer"), exit_when="orders.count >= 1")
    world = World(playbook(scenarios={"cart": cart}))
    world.customer_with_line()
    world.ingest(world.event("cart_left", "c1"))
    world.advance(hours=1)
    world.ingest(world.purchase("c1", status="provisional"))
    world.advance(days=3)
    assert world.line.pushes == []
    assert [journey.status for journey in world.customer().journeys] == ["exited"]


def test_a_provisional_goal_is_not_reached() -> None:
    cart = scenario("cart_left", days(1), send("offer"), goal="orders.count >= 1")
    world = World(playbook(scenarios={"cart": cart}))
    world.customer_with_line()
    world.ingest(world.event("cart_left", "c1"))
    world.ingest(world.purchase("c1", status="provisional"))
    world.advance(days=3)
    assert world.line.copies("U1") == ["offer"]


def pair(world: World, later: str) -> list[dict[str, Any]]:
    """An order as provisional and as confirmed; one of the two says that it happened a minute later."""
    raw = world.purchase("c1", event_id="order-1", status="provisional")
    other = world.purchase("c1", event_id="order-1", at=world.now + dt.timedelta(minutes=1))
    first, second = (
        {**raw, "occurred_at": one["occurred_at"]}
        for one in ((raw, other) if later == "confirmed" else (other, raw))
    )
    return [first, {**second, "status": "confirmed"}]


@pytest.mark.parametrize("later", ["confirmed", "provisional"])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("together", [True, False])
def test_a_confirmation_takes_the_provisional_events_place_in_any_order(
    later: str, order: tuple[int, int], together: bool
) -> None:
    world = fresh()
    raws = pair(world, later)
    chosen = [raws[number] for number in order]
    for group in [chosen] if together else [[raw] for raw in chosen]:
        world.ingest(*group)
        world.run()
    assert orders(world) == 1
    assert world.customer().profile.provisional == {}


@pytest.mark.parametrize("later", ["confirmed", "provisional"])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("together", [True, False])
def test_an_import_confirms_in_any_order_too(later: str, order: tuple[int, int], together: bool) -> None:
    world = fresh()
    raws = pair(world, later)
    chosen = [checked(raws[number]) for number in order]
    for group in [chosen] if together else [[one] for one in chosen]:
        world.import_history(EventsReceived("c1", group, history=True))
        world.run()
    assert orders(world) == 1
    assert world.customer().profile.provisional == {}


def test_a_confirmation_that_overtakes_its_provisional_event_in_another_worker_takes_its_place() -> None:
    for point in range(14):
        world = fresh()
        first, confirmed = pair(world, "confirmed")
        world.ingest(first)
        world.ingest(confirmed)
        world.overtaken(point)
        assert (orders(world), world.customer().profile.provisional) == (1, {}), f"overtaken at point {point}"


# --- the fold, exact


def checked(raw: dict[str, Any]) -> Event:
    return Event(
        raw["event_id"],
        raw["customer_id"],
        raw["name"],
        dt.datetime.fromisoformat(raw["occurred_at"]),
        raw.get("status", "confirmed"),
        raw.get("source", ""),
        raw["properties"],
    )


def some_events(world: World) -> list[dict[str, Any]]:
    at, minute = world.now, dt.timedelta(minutes=1)
    return [
        world.purchase("c1", at=at),
        world.purchase("c1", at=at + minute, event_id="p", status="provisional"),
        world.purchase("c1", at=at + minute, event_id="p"),
        world.purchase("c1", at=at + 2 * minute, event_id="q", status="provisional"),
        world.event("tag_added", "c1", at=at + minute, tag="vip"),
        world.event("tag_removed", "c1", at=at + 2 * minute, tag="vip"),
        world.event("profile_updated", "c1", at=at + 3 * minute, rank="gold"),
        world.event("profile_updated", "c1", at=at, rank="silver", city="Kyoto"),
    ]


def folded(batches: list[list[dict[str, Any]]], *, history: bool = False) -> Profile:
    world = World(playbook())
    for batch in batches:
        if history:
            world.import_history(EventsReceived("c1", [checked(raw) for raw in batch], history=True))
        else:
            world.ingest(*batch)
        world.run()
    assert world.dead() == []
    return world.customer().profile


EXPECTED = folded([[raw] for raw in some_events(World(playbook()))])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_the_same_set_of_events_makes_the_same_profile(data: st.DataObject) -> None:
    """Any permutation, any duplication, any division into messages, live or imported."""
    raws = some_events(World(playbook()))
    chosen = data.draw(st.permutations(raws + data.draw(st.lists(st.sampled_from(raws), max_size=5))))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(chosen) - 1), max_size=6)))
    batches = [chosen[start:end] for start, end in zip([0, *cuts], [*cuts, len(chosen)], strict=True)]
    assert folded(batches, history=data.draw(st.booleans())) == EXPECTED


def test_a_duplicate_older_than_the_newest_64_events_counts_once() -> None:
    world = World(playbook())
    raws = [world.purchase("c1", at=world.now - dt.timedelta(days=100 - n)) for n in range(80)]
    for raw in raws:
        world.ingest(raw)
    world.run()
    world.ingest(raws[0], raws[40])
    world.run()
    assert orders(world) == 80


def test_an_old_event_whose_fold_was_cut_off_is_folded_by_its_redelivery() -> None:
    """The history has it, the profile has not, and it is older than the newest 64."""
    world = World(playbook())
    world.ingest(*(world.purchase("c1", at=world.now - dt.timedelta(days=1, minutes=n)) for n in range(70)))
    world.run()
    late = world.purchase("c1", at=world.now - dt.timedelta(days=9))
    world.ingest(late)

    def stop_before_the_save(_number: int, name: str, side: str) -> None:
        if name == "customers.save" and side == "before":
            world.tap.watch(None)
            raise Retryable("the worker was stopped")

    world.tap.watch(stop_before_the_save)
    world.run()
    assert orders(world) == 71
    world.ingest(late)
    world.run()
    assert orders(world) == 71


def test_a_fold_that_another_workers_rebuild_has_taken_in_is_not_counted_again() -> None:
    """Worker A has kept a late event; before it folds, worker B folds the whole history anew."""
    for point in range(14):
        world = World(playbook())
        old = [world.purchase("c1", at=world.now - dt.timedelta(days=1, minutes=n)) for n in range(70)]
        world.ingest(*old)
        world.run()
        world.ingest(world.purchase("c1", at=world.now - dt.timedelta(days=9)))
        world.ingest(old[-1])  # a duplicate that is not among the newest 64
        world.overtaken(point)
        assert orders(world) == 71, f"rebuilt at point {point}"


def overtaken_by_a_duplicate_and_80_others(point: int) -> World:
    """While one worker is stopped, so much goes by that the customer's item no longer knows the event."""
    world = World(playbook())
    raw = world.purchase("c1")
    world.ingest(raw)
    world.ingest(raw)
    for _ in range(8):
        world.ingest(*(world.purchase("c1") for _ in range(10)))
    world.overtaken(point)
    return world


def test_an_event_that_another_worker_kept_first_is_not_new_however_much_went_by() -> None:
    assert orders(overtaken_by_a_duplicate_and_80_others(0)) == 81


@pytest.mark.parametrize("point", range(1, 10))
def test_an_event_that_was_kept_first_and_folded_by_another_worker_counts_once_however_much_went_by(
    point: int,
) -> None:
    assert orders(overtaken_by_a_duplicate_and_80_others(point)) == 81


def together(
    world: World, schedule: tuple[int, ...], *messages: EventsReceived
) -> list[BaseException | None]:
    """One worker a message, side by side."""
    tasks = [functools.partial(world.decide.handle, message) for message in messages]
    return side_by_side(world.tap, schedule, *tasks)


SCHEDULES = schedules(8)


@pytest.mark.parametrize("part", range(4))
def test_two_workers_with_one_customer_lose_nothing_whatever_their_order(part: int) -> None:
    for schedule in SCHEDULES[part::4]:
        world = fresh()
        first = EventsReceived("c1", [checked(world.purchase("c1"))])
        second = EventsReceived(
            "c1", [checked(world.purchase("c1")), checked(world.event("cart_left", "c1"))]
        )
        errors = together(world, schedule, first, second)
        assert errors == [None, None]
        world.run()
        assert orders(world) == 2
        assert world.customer().profile.tallies["carts"].count == 1
        assert world.line.copies("U1") == ["thanks"]
        assert world.customer().outbox == []


@pytest.mark.parametrize("part", range(4))
def test_two_workers_with_the_same_first_event_make_one_journey(part: int) -> None:
    for schedule in SCHEDULES[part::4]:
        world = World(BOOK)
        world.befriend("U1")
        message = EventsReceived("c1", [checked(world.linked("c1", "U1")), checked(world.purchase("c1"))])
        errors = together(world, schedule, message, message)
        assert errors == [None, None]
        world.advance(days=2)
        assert orders(world) == 1
        assert world.line.copies("U1") == ["thanks", "tips"]
        assert world.customer().intended == {"after_purchase": 2}


# --- history, lateness, versions


def test_an_import_that_two_workers_take_in_at_once_counts_once() -> None:
    for schedule in SCHEDULES[::3]:
        world = World(playbook())
        raws = [checked(world.purchase("c1", at=world.now - dt.timedelta(days=n))) for n in range(100)]
        message = EventsReceived("c1", raws, history=True)
        assert together(world, schedule, message, message) == [None, None]
        assert orders(world) == 100, schedule


def test_a_live_purchase_starts_its_journey_although_an_import_comes_between_a_crash_and_its_redelivery() -> (
    None
):
    def act(world: World) -> None:
        old = [checked(world.purchase("c1", at=world.now - dt.timedelta(days=n))) for n in range(20, 30)]
        world.ingest(world.purchase("c1", event_id="live"))
        world.import_history(EventsReceived("c1", old, history=True))
        world.advance(days=10)

    def check(world: World) -> None:
        assert world.line.copies("U1") == WHOLE
        assert orders(world) == 11

    assert crash_everywhere(fresh, act, check) > 80


def test_a_live_purchase_starts_its_journey_although_an_import_is_taken_in_beside_it() -> None:
    for schedule in SCHEDULES:
        world = fresh()
        old = [checked(world.purchase("c1", at=world.now - dt.timedelta(days=n))) for n in range(20, 30)]
        live = EventsReceived("c1", [checked(world.purchase("c1", event_id="live"))])
        assert together(world, schedule, live, EventsReceived("c1", old, history=True)) == [None, None]
        world.run()
        assert world.line.copies("U1") == ["thanks"], schedule
        assert orders(world) == 11


def test_an_import_beside_the_same_events_live_counts_once() -> None:
    for schedule in SCHEDULES[::3]:
        world = World(playbook())
        raws = [checked(world.purchase("c1", at=world.now - dt.timedelta(days=n))) for n in range(100)]
        imported, live = EventsReceived("c1", raws, history=True), EventsReceived("c1", raws[90:])
        assert together(world, schedule, imported, live) == [None, None]
        assert orders(world) == 100, schedule


def test_imported_history_folds_and_starts_nothing() -> None:
    world = fresh()
    raws = [checked(world.purchase("c1")) for _ in range(3)]
    world.import_history(EventsReceived("c1", raws, history=True))
    world.import_history(EventsReceived("c1", raws, history=True))
    world.advance(days=10)
    assert orders(world) == 3
    assert world.customer().journeys == []
    assert world.line.pushes == []


def test_an_import_starts_nothing_even_when_an_old_event_comes_again_later() -> None:
    world = fresh()
    raws = [checked(world.purchase("c1", at=world.now - dt.timedelta(minutes=n))) for n in range(70)]
    world.import_history(EventsReceived("c1", raws, history=True))
    world.run()
    world.import_history(EventsReceived("c1", raws, history=True))
    again = {**payload("ingest/purchase")["events"][0], "customer_id": "c1", "event_id": raws[-1].event_id}
    world.ingest({**again, "occurred_at": raws[-1].occurred_at.isoformat()})
    world.run()
    assert world.line.pushes == []


def test_an_event_that_is_no_longer_fresh_starts_nothing_but_counts() -> None:
    world = fresh()
    world.ingest(world.purchase("c1", at=world.now - dt.timedelta(days=3, seconds=1)))
    world.run()
    assert orders(world) == 1
    assert world.customer().journeys == []


def test_a_step_overdue_beyond_its_tolerance_ends_the_journey_as_expired() -> None:
    world = fresh()
    world.ingest(world.purchase("c1"))
    world.run()
    world.outage(days=2, minutes=1)
    assert world.line.copies("U1") == ["thanks"]
    assert [journey.status for journey in world.customer().journeys] == ["expired"]


def test_a_late_look_changes_no_schedule() -> None:
    world = fresh()
    world.ingest(world.purchase("c1"))
    world.run()
    world.outage(days=1, hours=20)
    assert world.line.copies("U1") == ["thanks", "tips"]
    world.advance(to=jst(11, 9, 19))
    assert world.line.copies("U1") == WHOLE


def test_a_journey_stays_on_the_version_it_entered_with() -> None:
    world = fresh()
    world.ingest(world.purchase("c1"))
    world.run()
    world.apply(
        playbook(scenarios={"after_purchase": scenario("purchase", send("care"), days(1), send("news"))})
    )
    world.ingest(world.linked("c2", "U2"), world.purchase("c2"))
    world.befriend("U2")
    world.advance(days=2)
    assert world.line.copies("U1") == ["thanks", "tips"]
    assert world.line.copies("U2") == ["care", "news"]


def test_one_timer_a_customer_is_armed_and_moved_only_to_an_earlier_instant() -> None:
    book = playbook(
        scenarios={
            "slow": scenario("purchase", days(7), send("care")),
            "quick": scenario("cart_left", days(2), send("tips")),
        }
    )
    world = World(book)
    world.customer_with_line()
    world.ingest(world.purchase("c1"))
    world.run()
    assert [due for due, _ in world.timers.armed] == [world.now + dt.timedelta(days=7)]
    world.ingest(world.event("cart_left", "c1"))
    world.run()
    assert world.customer().armed_at == world.now + dt.timedelta(days=2)
    world.advance(days=10)
    assert world.line.copies("U1") == ["tips", "care"]


def test_a_purchase_ends_a_journey_that_exits_on_it() -> None:
    cart = scenario(
        "cart_left", days(0.125), send("reminder"), days(1), send("coupon"), exit_when="orders.count >= 1"
    )
    world = World(playbook(scenarios={"cart": cart}))
    world.customer_with_line()
    world.ingest(world.event("cart_left", "c1"))
    world.advance(hours=4)
    world.ingest(world.purchase("c1"))
    world.advance(days=3)
    assert world.line.copies("U1") == ["reminder"]


def test_an_awaited_event_moves_the_journey_on_and_its_absence_too() -> None:
    steps: list[Step] = [WaitForEvent("cart_left", 86_400, 1, 3), send("tips"), End(), send("care")]
    world = World(playbook(scenarios={"wait": scenario("purchase", *steps)}))
    world.customer_with_line("c1", "U1")
    world.customer_with_line("c2", "U2")
    world.ingest(world.purchase("c1"), world.purchase("c2"))
    world.advance(hours=1)
    world.ingest(world.event("cart_left", "c1"))
    world.advance(days=2)
    assert (world.line.copies("U1"), world.line.copies("U2")) == (["tips"], ["care"])


def test_an_awaited_event_is_heard_once_although_it_crashes_anywhere() -> None:
    steps: list[Step] = [WaitForEvent("cart_left", 86_400, 1, 3), send("tips"), End(), send("care")]
    book = playbook(scenarios={"wait": scenario("purchase", *steps)})

    def build() -> World:
        world = World(book)
        world.customer_with_line()
        world.ingest(world.purchase("c1"))
        world.advance(hours=1)
        return world

    def act(world: World) -> None:
        world.ingest(world.event("cart_left", "c1"))
        world.advance(days=3)

    def check(world: World) -> None:
        assert world.line.copies("U1") == ["tips"]
        assert world.dead() == []

    assert crash_everywhere(build, act, check) > 20


def test_a_branch_reads_the_tags_that_the_journey_set() -> None:
    steps: list[Step] = [
        SetTag("buyer"),
        Branch([(when('"buyer" in tags'), 2)], 4),
        send("tips"),
        End(),
        send("care"),
    ]
    world = World(playbook(scenarios={"tagging": scenario("purchase", *steps)}))
    world.customer_with_line()
    world.ingest(world.purchase("c1"))
    world.run()
    assert world.customer().profile.tag_names == ["buyer"]
    assert world.line.copies("U1") == ["tips"]


def test_a_scenario_is_entered_again_only_after_its_pause() -> None:
    book = playbook(scenarios={"again": scenario("purchase", send("thanks"), reentry_seconds=30 * 86_400)})
    world = World(book)
    world.customer_with_line()
    for _ in range(4):
        world.ingest(world.purchase("c1"))
        world.advance(days=15)
    assert world.line.copies("U1") == ["thanks"] * 2
    assert {record.send_id for record in world.records()} == {push.key for push in world.line.pushes}


def test_a_scenario_without_a_pause_is_entered_once_ever() -> None:
    world = World(playbook(scenarios={"once": scenario("purchase", send("thanks"))}))
    world.customer_with_line()
    for _ in range(3):
        world.ingest(world.purchase("c1"))
        world.advance(days=100)
    assert world.line.copies("U1") == ["thanks"]


def test_a_scenario_is_not_entered_twice_at_a_time() -> None:
    book = playbook(scenarios={"again": scenario("purchase", days(10), send("thanks"), reentry_seconds=0)})
    world = World(book)
    world.customer_with_line()
    for _ in range(3):
        world.ingest(world.purchase("c1"))
        world.advance(days=2)
    world.advance(days=30)
    assert world.line.copies("U1") == ["thanks"]


def test_a_scenario_that_is_switched_off_starts_nothing() -> None:
    world = World(playbook(scenarios={"off": scenario("purchase", send("thanks"), on=False)}))
    world.customer_with_line()
    world.ingest(world.purchase("c1"))
    world.run()
    assert world.line.pushes == []
