"""4. Partial enqueue failures ignored: messages vanish silently."""

from collections.abc import Sequence
from typing import Any

import pytest

from functions.aws.queues import Queue, SqsInbox, SqsSendQueue
from functions.ports.errors import Retryable
from functions.ports.messages import CustomerDue
from tests.fakes.playbooks import QUIET, days, playbook, scenario, send
from tests.fakes.world import World, jst
from tests.flows.sending import fresh
from tests.peers.people import at_the_hour, copies, run_campaign

PEOPLE = 9


class HalfFull:
    """An SQS that answers 200, and lists as failed what it never takes: bodies with a word in them."""

    def __init__(self, refused: str, times: int = 1000) -> None:
        self.taken: list[str] = []
        self._refused = refused
        self._times = times

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        """SQS's answer: 200, with what failed in the body."""
        failed = [one for one in Entries if self._refused in one["MessageBody"] and self._times > 0]
        self._times -= bool(failed)
        self.taken += [one["MessageBody"] for one in Entries if one not in failed]
        return {"Failed": [{"Id": one["Id"], "SenderFault": False} for one in failed]}


def test_what_sqs_lists_as_failed_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parcelvoy: `Failed[]` of a batch answer is never read; 200 is taken for all of it."""
    monkeypatch.setattr("functions.aws.queues.time.sleep", lambda _seconds: None)
    sqs = HalfFull("c7", times=2)
    SqsInbox(Queue(sqs, "url")).put([CustomerDue(f"c{number}") for number in range(25)])  # type: ignore[arg-type]
    assert len(sqs.taken) == 25


def test_what_sqs_keeps_refusing_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parcelvoy: what was not enqueued after all is nobody's."""
    monkeypatch.setattr("functions.aws.queues.time.sleep", lambda _seconds: None)
    queue = Queue(HalfFull("c7"), "url")  # type: ignore[arg-type]
    with pytest.raises(Retryable, match="1 of 25"):
        SqsInbox(queue).put([CustomerDue(f"c{number}") for number in range(25)])
    world = fresh()
    intents = [world.intent(customer_id=f"c{number}", user=f"U{number}") for number in range(9)]
    taken = SqsSendQueue(queue, queue).put(intents)
    assert taken == [intent.send_id for intent in intents if intent.customer_id != "c7"]


@pytest.mark.parametrize("refused", [0, 1, 2])
def test_decide_loses_no_message_that_the_send_queue_refused(refused: int) -> None:
    """Parcelvoy: the journey has moved on, and its message is in no queue."""
    path = scenario("purchase", send("thanks"), send("care"), send("tips"))
    world = World(playbook(scenarios={"path": path}))
    world.customer_with_line()
    world.send_queue.refuses = lambda position: position == refused
    world.ingest(world.purchase("c1"))
    world.advance(hours=1)
    assert sorted(world.line.copies("U1")) == ["care", "thanks", "tips"]


@pytest.mark.parametrize("refused", range(3))
def test_ingest_says_so_when_the_inbox_took_only_a_part(refused: int) -> None:
    """Parcelvoy: the caller is told that all is well, and one event of the request is nowhere."""
    world = World(playbook(scenarios={"path": scenario("purchase", send("thanks"))}))
    for number in range(3):
        world.customer_with_line(f"c{number}", f"U{number}")
    raws = [world.purchase(f"c{number}") for number in range(3)]
    world.inbox_queue.refuses = lambda position: position == refused
    with pytest.raises(Retryable):
        world.ingest(*raws)
    world.ingest(*raws)  # as the handler's 503 asks for
    world.advance(hours=1)
    assert copies(world, 3) == [["thanks"]] * 3


@pytest.mark.parametrize("refused", [0, 1])
def test_evaluate_loses_nobody_of_a_page_that_the_queue_took_only_a_part_of(refused: int) -> None:
    """Parcelvoy: of a campaign's page some are refused, the page counts as done, and they are never written to."""
    world = at_the_hour(people=PEOPLE)
    world.audience.page_size = PEOPLE
    world.send_queue.refuses = lambda position: position == refused
    with pytest.raises(Retryable):
        run_campaign(world)
    world.fire()
    assert copies(world, PEOPLE) == [["news"]] * PEOPLE


def test_tick_takes_no_wake_up_away_that_the_inbox_refused() -> None:
    """Parcelvoy: the timer is gone from its table, and its work is in no queue."""
    world = World(playbook(scenarios={"path": scenario("purchase", days(1), send("care"))}))
    for number in range(3):
        world.customer_with_line(f"c{number}", f"U{number}")
    world.ingest(*(world.purchase(f"c{number}") for number in range(3)))
    world.run()
    world.inbox_queue.refuses = lambda position: position == 1
    world.advance(days=1, minutes=1)
    assert copies(world, 3) == [["care"]] * 3


def test_tick_takes_no_held_message_away_that_the_send_queue_refused() -> None:
    """Parcelvoy: a message that waited for the morning is in neither table nor queue."""
    world = World(playbook(scenarios={"path": scenario("purchase", send("tips"))}, quiet_hours=QUIET))
    for number in range(3):
        world.customer_with_line(f"c{number}", f"U{number}")
    world.advance(to=jst(11, 2, 22))
    world.enqueue(*(world.intent("tips", f"c{number}", f"U{number}") for number in range(3)))
    world.run()
    world.send_queue.refuses = lambda position: position == 1
    world.advance(to=jst(11, 3, 8))
    assert copies(world, 3) == [["tips"]] * 3
