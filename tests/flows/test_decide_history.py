"""decide: imported history, lateness and pinned versions."""

import datetime as dt

from functions.domain.customers import SEEN_KEPT
from functions.domain.playbook import Branch, End, SetTag, Step, WaitForEvent, WaitUntil
from functions.ports.messages import EventsReceived
from tests.fakes.crashes import crash_everywhere
from tests.fakes.payloads import payload
from tests.fakes.playbooks import days, playbook, scenario, send, when
from tests.fakes.world import World, jst
from tests.flows.deciding import (
    SCHEDULES,
    WHOLE,
    checked,
    fresh,
    orders,
    together,
)


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


def test_an_import_that_makes_true_what_a_journey_waits_for_makes_it_true_from_then_on() -> None:
    until = WaitUntil(when("orders.count >= 2"), 60 * 86_400, 1, 2)
    world = World(playbook(scenarios={"waiting": scenario("cart_left", until, send("thanks"), End())}))
    world.customer_with_line()
    world.ingest(world.event("cart_left", "c1"))
    world.advance(days=30)
    old = [checked(world.purchase("c1", at=world.now - dt.timedelta(days=n))) for n in (100, 200)]
    world.import_history(EventsReceived("c1", old, history=True))
    world.run()
    assert world.line.copies("U1") == ["thanks"]


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


def test_an_event_whose_fold_many_others_overtook_still_starts_its_journey() -> None:
    for point in range(14):
        world = World(playbook(scenarios={"cart": scenario("cart_left", send("thanks"))}))
        world.customer_with_line()
        world.ingest(world.event("cart_left", "c1"))
        for _ in range(SEEN_KEPT + 2):
            world.ingest(world.event("tag_added", "c1", tag="x"))
        world.overtaken(point)
        assert world.line.copies("U1") == ["thanks"], point
