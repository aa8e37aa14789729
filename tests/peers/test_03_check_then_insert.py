"""3. Check, then insert, as uniqueness: two copies under concurrency. Here, two workers in every order of their calls."""

from collections.abc import Callable

import pytest

from tests.fakes.lockstep import schedules, side_by_side
from tests.fakes.playbooks import days, playbook, scenario, send
from tests.fakes.world import World
from tests.flows.sending import KINDS, contacts, ends, fresh

ONCE = playbook(scenarios={"welcome": scenario("purchase", send("thanks"), days(1), send("tips"))})


def newcomer() -> World:
    """Somebody with a link, in a playbook whose one journey nobody enters twice."""
    world = World(ONCE)
    world.customer_with_line()
    return world


def step_of(world: World) -> Callable[[], None]:
    """A worker who takes one message, of whichever queue."""

    def step() -> None:
        world.step()

    return step


def test_two_events_at_once_start_one_journey() -> None:
    """Parcelvoy: two events that come together both find no earlier entrance, and the person enters twice."""
    for schedule in schedules(7):
        world = newcomer()
        world.ingest(world.purchase("c1"))
        world.ingest(world.purchase("c1"))
        side_by_side(world.tap, schedule, step_of(world), step_of(world))
        world.advance(days=2)
        assert world.customer().intended == {"welcome": 2}, schedule
        assert world.line.copies("U1") == ["thanks", "tips"], schedule
        assert len(world.customer().journeys) == 1
        assert world.customer().profile.tallies["orders"].count == 2, (
            "one overwrote what the other had written"
        )


def test_one_event_twice_at_once_counts_once() -> None:
    """Parcelvoy, Novu: whether an event is new is asked first and noted later, so that its copy is new as well."""
    for schedule in schedules(7):
        world = newcomer()
        raw = world.purchase("c1")
        world.ingest(raw)
        world.ingest(raw)
        side_by_side(world.tap, schedule, step_of(world), step_of(world))
        world.run()
        assert world.customer().profile.tallies["orders"].count == 1, schedule
        assert world.line.copies("U1") == ["thanks"], schedule


def test_a_re_entry_that_is_allowed_once_is_made_once_by_two_events_at_once() -> None:
    """Parcelvoy: re-entry by check and insert lets one person re-enter twice at the same moment."""
    book = playbook(scenarios={"again": scenario("purchase", send("thanks"), reentry_seconds=86_400)})
    for schedule in schedules(6):
        world = World(book)
        world.customer_with_line()
        world.ingest(world.purchase("c1"))
        world.advance(days=2)
        world.ingest(world.purchase("c1"))
        world.ingest(world.purchase("c1"))
        side_by_side(world.tap, schedule, step_of(world), step_of(world))
        world.run()
        assert world.line.copies("U1") == ["thanks", "thanks"], schedule


@pytest.mark.parametrize("message", KINDS)
def test_two_workers_with_one_message_send_one_copy(message: str) -> None:
    """Novu: both workers find no record of the message, and both send it."""
    for schedule in schedules(7):
        world = fresh()
        intent = world.intent(message)
        world.enqueue(intent)
        world.enqueue(intent)
        side_by_side(world.tap, schedule, step_of(world), step_of(world))
        world.advance(hours=1)
        assert world.line.copies("U1") == [message], schedule
        assert ends(world) == [("sent", "")]
        assert len(contacts(world)) == 1


def test_two_workers_with_the_last_slot_of_the_week_send_one_promotion() -> None:
    """Novu: a counter that is read, compared and then raised lets both through."""
    for schedule in schedules(7):
        world = fresh()
        world.enqueue(world.intent("offer"))
        world.enqueue(world.intent("coupon"))
        side_by_side(world.tap, schedule, step_of(world), step_of(world))
        world.advance(hours=1)
        assert len(world.line.copies("U1")) == 1, schedule
        assert sorted(ends(world)) == [("sent", ""), ("suppressed", "capped:promotion_weekly")]
