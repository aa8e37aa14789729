"""11. Slow by design. Counted in requests and rounds, which do not depend on how fast a machine is."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import pytest

from functions.aws.queues import Queue
from tests.fakes.playbooks import QUIET, days, playbook, scenario, send
from tests.fakes.taps import When
from tests.fakes.world import World, jst
from tests.peers.people import AT, CAMPAIGN, at_the_hour, copies, crowd, run_campaign

DUE = playbook(scenarios={"path": scenario("purchase", days(1), send("care"))}, quiet_hours=QUIET)


class CountingSqs:
    """An SQS that takes everything, and counts."""

    def __init__(self) -> None:
        self.requests = 0

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        """SQS's answer."""
        assert len(Entries) <= 10
        self.requests += 1
        return {}


@pytest.mark.parametrize("messages", [1, 10, 11, 1000])
def test_so_many_messages_cost_a_tenth_of_as_many_queue_requests(messages: int) -> None:
    """line-harness, Parcelvoy #533: a request or more a message; 99,000 of 350,000 were out after fourteen hours."""
    sqs = CountingSqs()
    taken = Queue(sqs, "url").put(["{}"] * messages)  # type: ignore[arg-type]
    assert (len(taken), sqs.requests) == (messages, math.ceil(messages / 10))


def puts(world: World) -> list[int]:
    """How many messages each put into the send queue brings, while the campaign runs."""
    sizes = []

    def note(_number: int, name: str, when: When) -> None:
        if name == "send_queue.put":
            sizes.append(len(world.send_queue.waiting) * (1 if when == "after" else -1))

    world.tap.watch(note)
    run_campaign(world)
    world.tap.watch(None)
    return [
        size
        for size in (after + before for before, after in zip(sizes[::2], sizes[1::2], strict=True))
        if size
    ]


def test_a_campaign_is_enqueued_page_by_page_not_person_by_person() -> None:
    """Parcelvoy #533: a job a person; here a page of people is one put, which the queue cuts into tens."""
    world = at_the_hour(people=400)
    world.audience.page_size = 100
    world.evaluation = dataclasses.replace(world.evaluation, multicast_min=1_000)  # everybody is told alone
    found = puts(world)
    assert sum(found) == 400
    assert len(found) <= 400 / 100 + 4, "a put a page, and one for the rest of each scan segment"


def test_people_who_are_told_the_same_cost_an_order_a_page_and_a_call_a_page() -> None:
    """Parcelvoy #533, line-harness: what is the same for all is said to hundreds at once."""
    world = at_the_hour(people=400)
    world.audience.page_size = 100
    assert sum(puts(world)) <= 400 / 100 + 4
    world.run()
    assert len(world.line.multicasts) <= 400 / 100 + 4
    assert copies(world, 400) == [["news"]] * 400


def test_a_campaign_of_hundreds_is_out_in_its_own_minute() -> None:
    """line-harness: forty sends a five-minute cron, 480 an hour, however many wait."""
    people = 1000
    world = crowd(CAMPAIGN, people)
    world.audience.page_size = 250
    world.advance(to=AT)
    assert {push.at for push in world.line.pushes} == {AT}
    assert copies(world, people) == [["news"]] * people


def test_one_tick_takes_all_that_is_due() -> None:
    """line-harness: what is over forty waits for the next cron, and piles up."""
    people = 600
    world = crowd(DUE, people)
    for number in range(people):
        world.timers.arm(f"c{number}", jst(11, 3, 12), world.now)
    world.now = jst(11, 3, 12)
    assert world.ticker.run(world.now) == people
    assert world.timers.next_due is None


def test_the_night_s_messages_all_go_in_the_minute_in_which_the_night_ends() -> None:
    """line-harness: the morning's backlog is drained at forty each five minutes until noon."""
    people = 300
    world = crowd(playbook(scenarios={"path": scenario("purchase", send("tips"))}, quiet_hours=QUIET), people)
    world.advance(to=jst(11, 2, 22))
    world.ingest(*(world.purchase(f"c{number}") for number in range(people)))
    world.advance(to=jst(11, 3, 7, 1))
    assert {push.at for push in world.line.pushes} == {jst(11, 3, 7)}
    assert len(world.line.pushes) == people


def test_a_message_costs_one_call_to_line() -> None:
    """Parcelvoy #533: calls that are made again for nothing use up the rate."""
    world = at_the_hour(people=50)
    world.fire()
    assert len(world.line.calls) <= 50


def test_a_message_costs_the_same_calls_however_many_there_are() -> None:
    """Parcelvoy #533: each message looks through all others, so that the second hundred thousand takes all day."""

    def calls_a_message(people: int) -> float:
        world = at_the_hour(people=people)
        run_campaign(world)
        world.tap.watch(lambda _number, _name, _when: None)
        world.run()
        return len(world.tap.calls) / people

    assert calls_a_message(200) <= calls_a_message(20)
