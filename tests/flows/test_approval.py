"""A campaign above a size waits for a second person, and ends in any case."""

import dataclasses
import datetime as dt

import msgspec

from functions.domain.approvals import Approval, Decision
from functions.domain.playbook import Weekly
from functions.ports.messages import CampaignRun
from tests.fakes.crashes import crash_everywhere
from tests.fakes.playbooks import EVENING, campaign, playbook
from tests.fakes.queues import FakeContinuation
from tests.fakes.world import World, jst

AT = jst(11, 4, 19)
PEOPLE = 5
ONCE = playbook(campaigns={"winter": campaign("news", once=AT)})
HOUR = dt.timedelta(hours=1)


def fresh(above: int | None = PEOPLE - 1) -> World:
    world = World(msgspec.structs.replace(ONCE, approval_above=above))
    for number in range(PEOPLE):
        world.customer_with_line(f"c{number}", f"U{number}")
    return world


def begun() -> World:
    """The run is frozen and waits."""
    world = fresh()
    world.advance(to=AT)
    return world


def decide(world: World, decision: Decision = "approved", hash_: str = "") -> None:
    run = world.runs.find("winter", AT)
    assert run is not None
    awaiting = world.runs.awaiting(run)
    assert awaiting is not None
    world.runs.decide(run, Approval(decision, hash_ or awaiting.hash, "hana", world.now))
    FakeContinuation(world.evaluate_queue).again(CampaignRun("winter", AT))
    world.run()


def copies(world: World) -> int:
    return sum(len(world.line.copies(f"U{number}")) for number in range(PEOPLE))


def ends(world: World) -> list[tuple[str, str]]:
    return [(record.status, record.reason) for record in world.records()]


def test_a_run_above_the_size_waits_and_somebody_is_told() -> None:
    world = begun()
    world.advance(hours=5)
    assert copies(world) == 0
    assert world.records() == []
    assert world.runs.targeted == {"winter@2026-11-04T10:00:00Z": PEOPLE}
    assert world.measures.last["ApprovalAwaited"] == 1
    run = world.runs.find("winter", AT)
    assert run is not None
    awaiting = world.runs.awaiting(run)
    assert awaiting is not None
    assert (awaiting.targeted, awaiting.since) == (PEOPLE, AT)


def test_a_run_of_the_size_or_without_one_goes() -> None:
    for above in (PEOPLE, None):
        world = fresh(above)
        world.advance(to=AT)
        assert copies(world) == PEOPLE
        assert "ApprovalAwaited" not in world.measures.last


def test_an_approved_run_goes_to_everybody_once() -> None:
    world = begun()
    world.advance(hours=5)
    decide(world)
    assert copies(world) == PEOPLE
    world.advance(days=3)
    assert copies(world) == PEOPLE
    assert ends(world) == [("sent", "")] * PEOPLE


def test_a_word_on_something_else_lets_nothing_go() -> None:
    world = begun()
    decide(world, hash_="b" * 64)
    world.advance(hours=5)
    assert (copies(world), world.records()) == (0, [])


def test_who_joins_the_segment_while_it_waits_is_not_in_it() -> None:
    world = begun()
    world.customer_with_line("c9", "U9")
    decide(world)
    assert (copies(world), world.line.copies("U9")) == (PEOPLE, [])


def test_a_rejected_run_ends_as_stopped() -> None:
    world = begun()
    decide(world, "rejected")
    assert (copies(world), ends(world)) == (0, [("suppressed", "stopped")] * PEOPLE)


def test_a_clock_that_is_fast_lets_nothing_go_that_nobody_approved() -> None:
    """By evaluate's clock the messages have expired; by that of the worker that would send them they have not."""
    world = begun()
    world.now = AT + dt.timedelta(days=2, seconds=-5)
    world.evaluation = dataclasses.replace(world.evaluation, now=lambda: world.now + dt.timedelta(seconds=10))
    FakeContinuation(world.evaluate_queue).again(CampaignRun("winter", AT))
    world.advance(days=1)
    assert (copies(world), ends(world)) == (0, [("suppressed", "expired")] * PEOPLE)


def test_what_nobody_decides_on_expires_and_its_accounts_close() -> None:
    world = begun()
    world.advance(to=AT + dt.timedelta(days=2) - HOUR)
    assert world.records() == []
    world.advance(hours=2)
    assert (copies(world), ends(world)) == (0, [("suppressed", "expired")] * PEOPLE)


def test_a_weekly_campaign_comes_again_while_its_last_run_waits() -> None:
    weekly = playbook(campaigns={"winter": campaign("news", weekly=Weekly(2, EVENING))})
    world = World(msgspec.structs.replace(weekly, approval_above=0))
    world.customer_with_line()
    world.advance(to=AT + dt.timedelta(days=15))
    assert sorted(ends(world)) == [("suppressed", "expired")] * 2
    assert world.runs.find("winter", AT + dt.timedelta(days=14)) is not None


def test_a_crash_at_any_point_leaves_a_run_that_waits_and_ends() -> None:
    def act(world: World) -> None:
        world.advance(to=AT + HOUR)
        assert copies(world) == 0
        decide(world)
        world.advance(days=3)

    def check(world: World) -> None:
        assert ends(world) == [("sent", "")] * PEOPLE
        assert copies(world) == PEOPLE
        assert world.measures.last["ApprovalAwaited"] == 1
        assert world.dead() == []

    assert crash_everywhere(fresh, act, check) > 40


def test_a_crash_at_any_point_leaves_no_run_that_waits_for_ever() -> None:
    def act(world: World) -> None:
        world.advance(days=6)

    def check(world: World) -> None:
        assert ends(world) == [("suppressed", "expired")] * PEOPLE

    assert crash_everywhere(fresh, act, check) > 40
