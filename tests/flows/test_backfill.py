"""Back-fill: everybody whom a new playbook changes is refreshed, nobody else is touched, and no crash matters."""

import itertools

import pytest

from functions.domain.backfills import Backfill, calls_for_backfill, new_segments
from functions.domain.compiled import Compiled
from functions.domain.playbook import Playbook
from functions.domain.tracking import members
from functions.ports.messages import BackfillSegment
from tests.fakes.crashes import crash_everywhere
from tests.fakes.playbooks import days, from_segment, playbook, scenario, send
from tests.fakes.queues import FakeContinuation
from tests.fakes.world import World
from tests.flows.test_decide_segments import with_events

OLD = playbook(segments={"vips": '"vip" in tags'})
NEW = playbook(
    segments={"vips": '"vip" in tags', "shoppers": "orders.count > 0"},
    scenarios={"welcome": from_segment("shoppers", send("thanks"))},
)
PEOPLE = 9
BUYERS = (1, 4, 7)
SEGMENTS = 2


def fresh() -> World:
    """Nine linked friends, three of whom have bought; then a new playbook is applied."""
    world = World(OLD)
    for number in range(PEOPLE):
        world.customer_with_line(f"c{number}", f"U{number}")
    world.ingest(*(world.purchase(f"c{number}") for number in BUYERS))
    world.run()
    world.apply(NEW)
    return world


def begin(world: World, *, loud: bool = False, backfill_id: str = "b1") -> None:
    starts = [world.book.segments["shoppers"].hash] if loud else []
    world.backfills.begin(Backfill(backfill_id, world.book.version, world.now, SEGMENTS, starts))
    for segment in range(SEGMENTS):
        FakeContinuation(world.evaluate_queue).again(BackfillSegment(backfill_id, segment))


def versions(world: World) -> dict[int, str]:
    return {n: world.customer(f"c{n}").segments_of for n in range(PEOPLE)}


def check_memberships(world: World) -> None:
    tracked = world.playbooks.in_force().tracked.values()
    for number in range(PEOPLE):
        customer = world.customer(f"c{number}")
        assert customer.segments == members(customer.profile, tracked, world.now)


def progress(world: World) -> tuple[int, int, bool]:
    parts = [world.backfills.progress("b1", segment) for segment in range(SEGMENTS)]
    looked, refreshed = (sum(getattr(part, name) for part in parts) for name in ("looked", "refreshed"))
    return looked, refreshed, all(part.done for part in parts)


def test_only_who_would_be_another_is_touched_and_no_journey_starts() -> None:
    world = fresh()
    begin(world)
    world.run()
    check_memberships(world)
    assert {n for n, version in versions(world).items() if version == NEW.version} == set(BUYERS)
    assert all(world.line.copies(f"U{n}") == [] for n in range(PEOPLE))
    assert progress(world) == (PEOPLE * 2, len(BUYERS), True)  # each with the friend that it once was


def test_a_back_fill_that_was_asked_to_starts_the_members_journeys_once() -> None:
    world = fresh()
    world.ingest(world.event("cart_left", "c1"))  # who was made a member quietly in between is asked for too
    world.run()
    begin(world, loud=True)
    world.run()
    begin(world, loud=True)
    world.run()
    assert [n for n in range(PEOPLE) if world.line.copies(f"U{n}") == ["thanks"]] == list(BUYERS)


def test_a_crash_at_any_call_refreshes_everybody_and_starts_each_journey_once() -> None:
    def act(world: World) -> None:
        begin(world, loud=True)
        world.run()

    def check(world: World) -> None:
        check_memberships(world)
        assert [n for n in range(PEOPLE) if world.line.copies(f"U{n}") == ["thanks"]] == list(BUYERS)
        assert progress(world)[2]
        assert world.dead() == []

    assert crash_everywhere(fresh, act, check) > 100


def test_a_crash_repeats_one_page_at_most() -> None:
    looked: list[int] = []

    def act(world: World) -> None:
        begin(world)
        world.run()
        looked.append(world.audience.pages)

    crash_everywhere(fresh, act, lambda _world: None)
    assert max(looked) <= looked[0] + 1


def test_with_little_time_left_another_invocation_goes_on_where_this_one_stopped() -> None:
    world = fresh()
    left = itertools.cycle([900.0, 0.0])
    world.time_left = lambda: next(left)
    begin(world)
    world.run()
    check_memberships(world)
    assert progress(world) == (PEOPLE * 2, len(BUYERS), True)
    assert world.audience.pages < world.evaluate_queue.total < 2 * world.audience.pages + SEGMENTS + 1


def test_a_back_fill_that_a_newer_playbook_overtook_stops() -> None:
    world = fresh()
    begin(world)
    world.apply(OLD)
    world.run()
    assert progress(world) == (0, 0, True)
    assert world.backfills.progress("b1", 0).superseded


def test_an_order_of_no_back_fill_does_nothing() -> None:
    world = fresh()
    FakeContinuation(world.evaluate_queue).again(BackfillSegment("never", 0))
    world.run()
    assert world.dead() == []


def test_who_will_enter_a_new_segment_by_time_is_woken_for_it() -> None:
    world = fresh()
    book = playbook(
        segments={"quiet": "days_since(orders.last_at) >= 10"},
        scenarios={"win_back": from_segment("quiet", send("care"))},
    )
    world.apply(book)
    begin(world)
    world.advance(days=11)
    assert [n for n in range(PEOPLE) if world.line.copies(f"U{n}") == ["care"]] == list(BUYERS)


def test_another_dictionary_folds_everybodys_history_anew() -> None:
    world = fresh()
    begin(world)
    world.run()
    world.apply(with_events(NEW, "v3", purchase="sales"))
    begin(world, backfill_id="b2")
    world.run()
    assert {n for n in range(PEOPLE) if "sales" in world.customer(f"c{n}").profile.tallies} == set(BUYERS)
    assert all("orders" not in world.customer(f"c{n}").profile.tallies for n in range(PEOPLE))


def test_running_journeys_are_taken_over_where_their_scenario_asks_for_it() -> None:
    old = playbook(scenarios={"path": scenario("purchase", days(3), send("tips"))})
    moved = from_segment("everybody", days(5), send("tips"), migrate={})
    world = World(old)
    for number in range(PEOPLE):
        world.customer_with_line(f"c{number}", f"U{number}")
    world.ingest(*(world.purchase(f"c{number}") for number in BUYERS))
    world.run()
    world.apply(playbook(scenarios={"path": moved}))
    begin(world)
    world.run()
    assert progress(world)[1] == len(BUYERS)
    world.advance(days=4)
    assert all(world.line.copies(f"U{n}") == [] for n in range(PEOPLE))
    world.advance(days=2)
    assert [n for n in range(PEOPLE) if world.line.copies(f"U{n}") == ["tips"]] == list(BUYERS)


# --- when one is needed


@pytest.mark.parametrize(
    ("after", "needed"),
    [
        (NEW, True),
        (OLD, False),
        (with_events(OLD, "v2", purchase="sales"), True),
        (playbook(segments={"vips": '"vip" in tags'}, scenarios={"x": scenario("purchase")}), False),
        (
            playbook(
                segments={"vips": '"vip" in tags'}, scenarios={"x": from_segment("vips", days(1), migrate={})}
            ),
            True,
        ),
        (playbook(segments={"very_important": '"vip" in tags'}), False),
    ],
)
def test_new_segments_another_dictionary_and_migrations_call_for_a_back_fill(
    after: Playbook, needed: bool
) -> None:
    assert calls_for_backfill(Compiled(OLD), Compiled(after)) is needed


def test_a_segment_is_new_by_what_it_means_not_by_its_name() -> None:
    assert new_segments(Compiled(OLD), Compiled(NEW)) == [NEW.segments["shoppers"].hash]
