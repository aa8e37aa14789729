"""8. Overlapping schedulers delete or repeat events; a full rebuild whatever has changed."""

import functools
import itertools
from collections.abc import Callable

import pytest

from tests.fakes.lockstep import schedules, side_by_side
from tests.fakes.playbooks import days, from_segment, playbook, scenario, send
from tests.fakes.world import World, jst
from tests.peers.people import at_the_hour, copies, crowd, run_campaign

DUE = playbook(scenarios={"care": scenario("purchase", days(1), send("care"))})
SILENT = playbook(
    scenarios={"missing": from_segment("silent", send("care"))},
    segments={"silent": "orders.count >= 1 and days_since(orders.last_at) > 30"},
)
CHANGED = 10


def due_tomorrow() -> World:
    """Three people whose next step is due, at noon."""
    world = World(DUE)
    for number in range(3):
        world.customer_with_line(f"c{number}", f"U{number}")
    world.ingest(*(world.purchase(f"c{number}") for number in range(3)))
    world.run()
    world.now = jst(11, 3, 12)
    return world


def ticking(world: World) -> Callable[[], None]:
    """One invocation of the minute's schedule."""

    def tick() -> None:
        world.ticker.run(world.now)

    return tick


def test_two_ticks_side_by_side_bring_every_step_once() -> None:
    """Mautic #2004: two runs of the trigger command overlap; each deletes or repeats what the other is at."""
    for schedule in schedules(7):
        world = due_tomorrow()
        errors = side_by_side(world.tap, schedule, ticking(world), ticking(world))
        assert errors == [None, None]
        world.advance(hours=1)
        assert copies(world, 3) == [["care"]] * 3, schedule
        assert world.customer("c0").intended == {"care": 1}


def test_a_tick_that_is_late_and_the_one_after_it_bring_every_step_once() -> None:
    """Mautic #2004: the run of the minute before has not ended when the next begins."""
    world = due_tomorrow()
    for minutes in (0, 1, 2, 3):
        world.ticker.run(jst(11, 3, 12, minutes))
    world.advance(hours=1)
    assert copies(world, 3) == [["care"]] * 3


def test_two_runs_of_one_campaign_side_by_side_write_to_everybody_once() -> None:
    """Mautic #2004: two runs of the broadcast command overlap, and both send."""
    people = 5
    for schedule in itertools.product((0, 1), repeat=7):
        world = at_the_hour(people=people)
        task = functools.partial(run_campaign, world)
        assert side_by_side(world.tap, schedule * 8, task, task) == [None, None]
        world.advance(hours=1)
        assert copies(world, people) == [["news"]] * people, schedule
        assert len(world.records()) == people


def test_two_runs_over_a_changing_audience_keep_one_list() -> None:
    """Mautic #2004: what one run has put on its list, the other one, which sees other people, takes off again."""
    people = 5

    def another_run(world: World) -> None:
        world.customer_with_line(f"c{people}", f"U{people}")
        run_campaign(world)

    for point in range(0, 40, 2):
        world = at_the_hour(people=people)
        world.tap.once(point, functools.partial(another_run, world))
        run_campaign(world)
        world.tap.watch(None)
        world.run()
        (targeted,) = world.runs.targeted.values()
        written_to = sum(got == ["news"] for got in copies(world, people + 1))
        assert written_to == targeted == len(world.records()), f"another run at point {point}"


@pytest.mark.parametrize("passes", [2, 5])
def test_a_schedule_that_fires_several_times_writes_to_everybody_once(passes: int) -> None:
    """Mautic #2004: the scheduler repeats itself. EventBridge promises at least once, and no more."""
    world = at_the_hour(people=5)
    for _ in range(passes):
        run_campaign(world)
    world.advance(hours=1)
    assert copies(world, 5) == [["news"]] * 5


def calls_for_ten_changes(people: int) -> tuple[int, int]:
    """How many calls it takes when ten of so many people buy, and a month later fall silent; and pages of the audience."""
    world = crowd(SILENT, people)
    world.tap.watch(lambda _number, _name, _when: None)
    world.ingest(*(world.purchase(f"c{number}") for number in range(CHANGED)))
    world.advance(days=35)
    calls = len(world.tap.calls)
    assert copies(world, CHANGED) == [["care"]] * CHANGED, "they fell silent, and were noticed"
    assert len(world.line.pushes) == CHANGED
    return calls, world.audience.pages


def test_the_cost_of_segments_follows_what_changes_and_not_how_many_people_there_are() -> None:
    """Mautic #8113: a rebuild takes 40 minutes for 260,000 contacts, whether 10 or 5,000 of them have changed."""
    few, many = calls_for_ten_changes(50), calls_for_ten_changes(5_000)
    assert few == many
    assert many[1] == 0, "the audience was walked"
