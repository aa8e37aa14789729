"""decide: the fold is exact under duplicates, any order and any number of workers."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.ports.errors import Retryable
from functions.ports.messages import EventsReceived
from tests.fakes.playbooks import playbook
from tests.fakes.world import World
from tests.flows.deciding import (
    BOOK,
    EXPECTED,
    SCHEDULES,
    checked,
    folded,
    fresh,
    orders,
    overtaken_by_a_duplicate_and_80_others,
    some_events,
    together,
)


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


def test_an_event_that_another_worker_kept_first_is_not_new_however_much_went_by() -> None:
    assert orders(overtaken_by_a_duplicate_and_80_others(0)) == 81


@pytest.mark.parametrize("point", range(1, 10))
def test_an_event_that_was_kept_first_and_folded_by_another_worker_counts_once_however_much_went_by(
    point: int,
) -> None:
    assert orders(overtaken_by_a_duplicate_and_80_others(point)) == 81


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
