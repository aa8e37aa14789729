"""5. The checkpoint advances when a batch is fetched; resume restarts at the beginning."""

import itertools
import json

import pytest

from functions.domain.campaigns import Run
from functions.evaluate.flow import SCAN_SEGMENTS
from tests.fakes.crashes import crash_everywhere
from tests.fakes.taps import Crash, When
from tests.fakes.world import World
from tests.peers.people import AT, at_the_hour, copies, run_campaign

PEOPLE = 7


def test_a_crash_anywhere_in_a_campaign_skips_nobody() -> None:
    """listmonk #3022: the checkpoint is where the fetch has come to; who was fetched and not sent is skipped for good."""

    def check(world: World) -> None:
        assert copies(world, PEOPLE) == [["news"]] * PEOPLE
        assert len(world.records()) == next(iter(world.runs.targeted.values())) == PEOPLE

    assert crash_everywhere(lambda: at_the_hour(people=PEOPLE), World.fire, check) > 100


def test_no_page_is_checkpointed_before_the_queue_has_answered_for_it() -> None:
    """listmonk #3022: at a checkpoint there must be nothing behind it that is not in the queue."""
    world = at_the_hour(people=PEOPLE)
    run = Run("winter", AT, world.book.version, AT, SCAN_SEGMENTS)

    def note(_number: int, name: str, when: When) -> None:
        if name == "runs.checkpoint" and when == "after":
            segment, page = world.runs.enqueued[-1].split("/")[-2:]
            chunk = world.runs.chunk(run, int(segment), int(page))
            assert chunk is not None
            checkpointed.extend(person.customer_id for person in chunk.recipients)
            assert set(checkpointed) <= {customer_id_of(message.body) for message in world.send_queue.waiting}

    checkpointed: list[str] = []
    world.tap.watch(note)
    run_campaign(world)
    world.tap.watch(None)
    assert len(checkpointed) == PEOPLE


def customer_id_of(body: str) -> str:
    """Whom a message of the send queue is for."""
    return str(json.loads(body)["customer_id"])


def test_a_campaign_is_not_over_while_somebody_who_was_fetched_is_in_no_queue() -> None:
    """listmonk #3022: the campaign says "finished" after the crash. Here the order is still in its queue."""
    world = at_the_hour(people=PEOPLE)

    def hook(_number: int, name: str, when: When) -> None:
        if name == "send_queue.put" and when == "before":
            world.tap.watch(None)
            raise Crash(name)

    world.tap.watch(hook)
    world.schedules.take_due(world.now)
    with pytest.raises(Crash):
        run_campaign(world)
    assert world.runs.enqueued == []
    run_campaign(world)
    world.run()
    assert copies(world, PEOPLE) == [["news"]] * PEOPLE


@pytest.mark.parametrize("looks", [6, 12, 16, 20])
def test_a_resume_goes_on_where_it_stopped(looks: int) -> None:
    """listmonk #2313: resuming begins again at the first subscriber, who gets three to five copies."""
    world = at_the_hour(people=PEOPLE)
    left = itertools.chain(itertools.repeat(900.0, looks), itertools.repeat(0.0))
    world.evaluation.run("winter", world.now, lambda: next(left))
    done = len(world.send_queue.waiting)
    while world.evaluate_queue.waiting:
        world.evaluate_queue.waiting.clear()
        run_campaign(world)
    assert world.send_queue.total == PEOPLE, f"{done} were in the queue, and were put there again"
    world.run()
    assert copies(world, PEOPLE) == [["news"]] * PEOPLE


def test_starting_a_finished_campaign_again_and_again_sends_nothing_again() -> None:
    """listmonk #2313: pause and resume, five times, make five copies."""
    world = at_the_hour(people=PEOPLE)
    world.fire()
    for _ in range(5):
        run_campaign(world)
        world.advance(hours=1)
    assert copies(world, PEOPLE) == [["news"]] * PEOPLE
    assert len(world.line.calls) == PEOPLE
