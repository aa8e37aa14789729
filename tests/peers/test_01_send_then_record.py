"""1. Send, then record, in one retried unit."""

import pytest

from tests.fakes.crashes import crash_everywhere
from tests.fakes.playbooks import days, playbook, scenario, send
from tests.fakes.world import World
from tests.flows.sending import KINDS, ends, fresh
from tests.peers.people import at_the_hour, copies, crash_after_acceptance


@pytest.mark.parametrize("message", KINDS)
def test_a_failure_after_the_provider_accepted_sends_no_second_copy(message: str) -> None:
    """Dittofeed, Lunogram: the send and its record are one retried unit, so that a failed record sends again."""
    world = fresh()
    world.enqueue(world.intent(message))
    crash_after_acceptance(world)
    world.run()
    assert (world.line.copies("U1"), ends(world)) == ([message], [("sent", "")])


def test_a_whole_batch_that_is_taken_again_sends_no_second_copy() -> None:
    """Dittofeed, Lunogram: of a batch that failed late, those whom the provider had accepted get a second copy."""
    for accepted in range(1, 10):
        world = at_the_hour(people=10)
        crash_after_acceptance(world, accepted)
        world.fire()
        world.advance(hours=3)
        assert copies(world, 10) == [["news"]] * 10, f"a crash after {accepted} were accepted"
        assert [end[1] for end in world.ends()] == ["sent"] * 10


def test_a_crash_anywhere_in_a_delivery_sends_no_second_copy() -> None:
    """line-harness: a crash between the send and the note of it sends again."""
    intent = fresh().intent()

    def act(world: World) -> None:
        world.enqueue(intent)
        world.run()
        world.advance(hours=1)

    def check(world: World) -> None:
        assert world.line.copies("U1") == ["offer"]
        assert ends(world) == [("sent", "")]

    assert crash_everywhere(fresh, act, check) >= 8


def test_no_chunk_of_a_campaign_shares_its_retry_key_with_another() -> None:
    """One LINE engine makes a single retry key for all chunks of 500, so that LINE refuses the second as a repeat."""
    people = 520
    world = at_the_hour(people=people)
    world.audience.page_size = 100
    world.fire()
    assert copies(world, people) == [["news"]] * people
    assert len(world.records()) == people


def test_no_step_of_a_journey_shares_its_retry_key_with_another() -> None:
    """The same engine's key, in a journey: LINE would take the second step for a repeat of the first."""
    steps = [step for name in ("thanks", "tips", "care") for step in (send(name), days(0.25))]
    world = World(playbook(scenarios={"path": scenario("purchase", *steps)}))
    world.customer_with_line()
    world.ingest(world.purchase("c1"))
    world.advance(hours=23)
    assert world.line.copies("U1") == ["thanks", "tips", "care"]
    assert len({key for _, key in world.line.calls}) == 3
