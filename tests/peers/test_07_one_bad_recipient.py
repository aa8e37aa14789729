"""7. One bad recipient makes the whole batch send again, endlessly."""

import json

import pytest

from functions.domain.dead_letters import FailureNote
from functions.send import handler as send_handler
from tests.flows.sending import fresh
from tests.peers.people import at_the_hour, copies

PEOPLE = 23
"""More than two batches of the queue, and all of them the same content: one multicast, where there is multicast."""


class Notes:
    """Where it is kept why a message failed."""

    def keep(self, note: FailureNote) -> None:
        """Nobody reads it here."""


@pytest.mark.parametrize("bad", [[0], [4], [22], [0, 9, 10, 11, 22], list(range(22))])
def test_whom_line_refuses_ends_as_failed_and_nobody_else_hears_it_twice(bad: list[int]) -> None:
    """Mautic #7226: one address that the provider refuses fails its batch, which is sent again and again."""
    world = at_the_hour(people=PEOPLE)
    world.line.friends -= {f"U{number}" for number in bad}
    world.fire()
    world.advance(days=3)
    good = [number for number in range(PEOPLE) if number not in bad]
    assert [number for number, got in enumerate(copies(world, PEOPLE)) if got == ["news"]] == good
    assert sorted(end[1] for end in world.ends()) == ["failed"] * len(bad) + ["sent"] * len(good)
    assert world.dead() == []


def test_whom_line_refuses_is_asked_for_a_bounded_number_of_times() -> None:
    """Mautic #7226: endlessly."""
    world = at_the_hour(people=PEOPLE)
    world.line.friends -= {"U4"}
    world.fire()
    asked = len(world.line.calls)
    world.advance(days=9)
    assert len(world.line.calls) == asked <= 2 * PEOPLE


def test_a_silence_at_one_recipient_holds_up_nobody_else() -> None:
    """Mautic #7226: a time-out at one of a batch makes all of it wait, or go again."""
    world = at_the_hour(people=PEOPLE)
    world.line.script.extend(["ok", "ok", "timeout", "timeout"])
    world.fire()
    assert sum(got == ["news"] for got in copies(world, PEOPLE)) >= PEOPLE - 1
    world.advance(hours=2)
    assert copies(world, PEOPLE) == [["news"]] * PEOPLE


def test_a_message_that_is_none_gives_none_of_its_neighbours_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mautic #7226, at the queue: the whole batch fails with the one, and comes again with it."""
    world = fresh()
    monkeypatch.setattr(send_handler, "deliver", lambda: world.deliver)
    monkeypatch.setattr(send_handler, "failure_notes", Notes)
    intents = [world.intent("thanks", occurrence=str(number)) for number in range(3)]
    world.enqueue(*intents)
    bodies = [message.body for message in world.send_queue.waiting]
    bodies.insert(1, json.dumps({"order": "nonsense"}))
    records = [
        {"messageId": f"m{number}", "body": body, "eventSource": "aws:sqs"}
        for number, body in enumerate(bodies)
    ]
    answer = send_handler.handler({"Records": records}, None)
    assert answer["batchItemFailures"] == [{"itemIdentifier": "m1"}]
    assert world.line.copies("U1") == ["thanks"] * 3
