"""decide: facts come before the fold; what is provisional only stops."""

import datetime as dt
import itertools

import pytest

from functions.ports.errors import Conflict, Retryable
from functions.ports.messages import EventsReceived
from tests.fakes.payloads import payload
from tests.fakes.playbooks import days, playbook, scenario, send
from tests.fakes.world import World
from tests.flows.deciding import (
    BOOK,
    checked,
    event,
    fresh,
    orders,
    pair,
)


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


def test_a_first_gate_that_a_transaction_refused_in_vain_is_written_by_the_next_delivery() -> None:
    """A conflict need not mean that there is a gate: without one, everything for this customer would end as erased."""
    world = World(playbook())
    refused: list[str] = []

    def hook(_number: int, name: str, when: str) -> None:
        if (name, when) == ("customers.save_gate", "before") and not refused:
            refused.append(name)
            raise Conflict("a transaction is at this row")

    world.tap.watch(hook)
    world.ingest(world.event("cart_left", "c1"))
    world.run()
    assert refused
    assert world.gate("c1").customer_id == "c1"
    assert world.customer("c1").profile.tallies["carts"].count == 1
