"""decide opens the breaker: an unfollow counts once, whatever crashes, and what is stopped waits."""

import datetime as dt
import functools

import msgspec
import pytest

from functions.domain.account import UNTIL_LIFTED
from functions.domain.breaker import Counts, day_of, days_until
from functions.domain.playbook import Breaker, Playbook
from functions.ports.messages import LineReceived
from tests.fakes.crashes import crash_everywhere
from tests.fakes.lockstep import schedules, side_by_side
from tests.fakes.playbooks import campaign, days, playbook, scenario, send
from tests.fakes.world import START, World

CAMPAIGN_AT = START + dt.timedelta(hours=1)
PATH = scenario("cart_left", send("tips"), days(365), send("offer"))
BOOK = msgspec.structs.replace(
    playbook(
        scenarios={"path": PATH}, campaigns={"mail": campaign("news", segment="buyers", once=CAMPAIGN_AT)}
    ),
    breaker=Breaker(block_rate_percent=30, sends_min=4),
)
SCOPES = ["campaign:mail", "segment:buyers"]


def mailed(people: int = 4, book: Playbook = BOOK) -> World:
    """So many people got the campaign."""
    world = World(book)
    for number in range(people):
        world.customer_with_line(f"c{number}", f"U{number}")
        world.ingest(world.purchase(f"c{number}"))
    world.advance(hours=2)
    assert len(world.line.pushes) == people
    return world


def leave(world: World, *numbers: int, event_id: str = "") -> None:
    for number in numbers:
        world.webhook(world.line_event("unfollow", f"U{number}", event_id=event_id))
    world.run()


def counts(world: World, scope: str = "campaign:mail") -> Counts:
    return world.reactions.counts([scope], [day_of(CAMPAIGN_AT)])[scope]


def open_breakers(world: World) -> list[str]:
    return sorted(
        block.scope for block in world.account_state.read().blocks if block.reason == "breaker_open"
    )


def test_too_many_blocks_open_the_breaker_of_the_campaign_and_of_its_segment() -> None:
    world = mailed()
    leave(world, 0)
    assert (open_breakers(world), counts(world)) == ([], Counts(4, 1))
    assert "BreakerOpened" not in world.measures.last
    leave(world, 1)
    assert open_breakers(world) == SCOPES
    assert world.measures.last["BreakerOpened"] == 1
    block = world.account_state.read().blocks[0]
    assert (block.until, block.by, block.since) == (UNTIL_LIFTED, "the breaker", world.now)
    assert block.why.startswith("50.0 % of 4 recipients")


def test_what_the_breaker_stops_waits() -> None:
    world = mailed()
    leave(world, 0, 1)
    again = msgspec.structs.replace(BOOK.campaigns["mail"], once=world.now + dt.timedelta(hours=1))
    world.apply(msgspec.structs.replace(BOOK, campaigns={"mail": again}, version="again", caps=[]))
    world.advance(hours=2)
    assert len(world.line.pushes) == 4
    assert {intent.holds[-1].reason for _, intent in world.timers.held} == {"breaker_open"}


def test_an_event_that_comes_again_counts_once() -> None:
    world = mailed()
    for _ in range(3):
        leave(world, 0, event_id="01H")
    assert counts(world) == Counts(4, 1)
    assert open_breakers(world) == []


def test_a_block_long_after_the_message_or_before_any_counts_for_nothing() -> None:
    world = mailed()
    world.customer_with_line("c9", "U9")
    leave(world, 9)
    world.advance(hours=25)
    leave(world, 0, 1)
    assert counts(world) == Counts(4, 0)


def test_an_unfollow_that_a_later_follow_has_overtaken_counts_for_nothing() -> None:
    world = mailed()
    earlier = world.now
    world.advance(minutes=1)
    world.webhook(world.line_event("follow", "U0"))
    world.run()
    world.webhook(world.line_event("unfollow", "U0", at=earlier))
    world.run()
    assert counts(world) == Counts(4, 0)


def test_of_two_unfollows_the_older_that_comes_late_counts_for_nothing() -> None:
    world = mailed()
    earlier = world.now
    world.advance(minutes=1)
    leave(world, 0)
    world.webhook(world.line_event("unfollow", "U0", at=earlier))
    world.run()
    assert counts(world) == Counts(4, 1)


def test_a_playbook_may_do_without() -> None:
    world = mailed(book=msgspec.structs.replace(BOOK, breaker=None))
    leave(world, 0, 1, 2, 3)
    assert (open_breakers(world), counts(world)) == ([], Counts(4, 0))


def test_the_scenario_of_what_was_sent_is_counted_too() -> None:
    world = World(BOOK)
    world.customer_with_line("c0", "U0")
    world.ingest(world.event("cart_left", "c0"))
    world.run()
    leave(world, 0)
    assert counts(world, "scenario:path").blocked == 1


def test_after_it_was_lifted_what_was_sent_before_does_not_open_it_again() -> None:
    world = mailed(8)
    leave(world, 0, 1, 2)
    assert open_breakers(world) == SCOPES
    for block in world.account_state.read().blocks:
        world.reactions.forgive(block.scope, days_until(world.now, dt.timedelta(days=1)), world.now)
        assert world.account_state.lift(block)
    world.advance(minutes=5)
    world.reactions.count_sent(dict.fromkeys(SCOPES, 4), world.now)
    leave(world, 3, 4, 5, 6)
    assert open_breakers(world) == []
    assert (counts(world).sent, counts(world).blocked) == (4, 0)


def test_a_crash_at_any_point_neither_counts_twice_nor_loses_the_opening() -> None:
    def check(world: World) -> None:
        assert counts(world) == Counts(4, 2)
        assert open_breakers(world) == SCOPES
        assert world.measures.last["BreakerOpened"] == 1
        assert world.dead() == []

    assert crash_everywhere(mailed, lambda world: leave(world, 0, 1), check) > 20


@pytest.mark.parametrize("schedule", schedules(6))
def test_two_workers_with_one_event_count_it_once(schedule: tuple[int, ...]) -> None:
    world = mailed()
    message = LineReceived(world.line_event("unfollow", "U0"), world.now)
    tasks = [functools.partial(world.decide.handle, message) for _ in range(2)]
    side_by_side(world.tap, schedule, *tasks)
    assert counts(world) == Counts(4, 1)
