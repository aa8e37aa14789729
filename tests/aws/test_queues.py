"""Queues: full batches, bounded sizes, and nothing lost where a batch is taken in only in part."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from functions.aws.queues import (
    Queue,
    SqsContinuation,
    SqsInbox,
    SqsSendQueue,
    decode_evaluation,
    decode_inbox,
    decode_order,
    evaluation_body,
)
from functions.aws.request_batches import BYTES_MAX
from functions.domain.audits import part_of
from functions.domain.sends import BatchOrder, MenuOrder
from functions.ports.errors import Retryable
from functions.ports.messages import (
    AuditPart,
    BackfillSegment,
    CampaignRun,
    CustomerDue,
    CustomerRefresh,
    EvaluateOrder,
    EventsReceived,
    InboxMessage,
    LineReceived,
)
from functions.threads import Threads
from tests.aws.conftest import Aws
from tests.aws.samples import NOW, event, intent


class StubbornSqs:
    """An SQS client whose answers list some entries as failed. `fails` tells, of each body, how often."""

    def __init__(self, fails: Callable[[str], int]) -> None:
        self._left: dict[str, int] = {}
        self._fails = fails
        self.batches: list[list[str]] = []
        self.kept: list[str] = []

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        """As SQS answers."""
        self.batches.append([entry["MessageBody"] for entry in Entries])
        assert len({entry["Id"] for entry in Entries}) == len(Entries)
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        for entry in Entries:
            body = entry["MessageBody"]
            left = self._left.setdefault(body, self._fails(body))
            self._left[body] = left - 1
            if left > 0:
                answer["Failed"].append({"Id": entry["Id"], "SenderFault": False})
            else:
                answer["Successful"].append({"Id": entry["Id"], "MessageId": f"m-{len(self.kept)}"})
                self.kept.append(body)
        if not answer["Failed"]:
            del answer["Failed"]
        return answer


class Meeting:
    """Lets the first requests through only when so many are under way at once."""

    def __init__(self, parties: int) -> None:
        self._barrier = threading.Barrier(parties)
        self.met = False

    def before(self, sqs: StubbornSqs) -> "Meeting":
        self._sqs = sqs
        return self

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        """As SQS answers, after the others have come."""
        if not self.met:
            self._barrier.wait(timeout=5)
            self.met = True
        return self._sqs.send_message_batch(**request)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)


def stubborn(fails: Callable[[str], int]) -> tuple[Queue, StubbornSqs]:
    sqs = StubbornSqs(fails)
    return Queue(sqs, "url"), sqs  # type: ignore[arg-type]


def test_requests_side_by_side_lose_and_double_nothing() -> None:
    at_once = Meeting(3)
    sqs = StubbornSqs(lambda body: int(body) % 3)
    queue = Queue(at_once.before(sqs), "url", Threads(3))  # type: ignore[arg-type]
    assert sorted(queue.put([str(number) for number in range(30)])) == list(range(30))
    assert sorted(sqs.kept, key=int) == [str(number) for number in range(30)]
    assert at_once.met


def test_an_error_of_one_request_among_many_is_raised() -> None:
    class Broken(StubbornSqs):
        def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
            if Entries[0]["MessageBody"] == "10":
                raise Retryable("throttled")
            return super().send_message_batch(QueueUrl=QueueUrl, Entries=Entries)

    sqs = Broken(lambda _body: 0)
    with pytest.raises(Retryable, match="throttled"):
        Queue(sqs, "url", Threads(3)).put([str(number) for number in range(30)])  # type: ignore[arg-type]
    assert len(sqs.kept) == 20


def test_messages_travel_ten_a_batch() -> None:
    queue, sqs = stubborn(lambda _body: 0)
    assert queue.put([str(number) for number in range(25)]) == list(range(25))
    assert [len(batch) for batch in sqs.batches] == [10, 10, 5]


def test_a_batch_never_passes_256_kilobytes() -> None:
    queue, sqs = stubborn(lambda _body: 0)
    bodies = [f"{number}{'円' * 30_000}" for number in range(7)]  # 90 KB each in UTF-8
    queue.put(bodies)
    assert [len(batch) for batch in sqs.batches] == [2, 2, 2, 1]
    assert all(sum(len(body.encode()) for body in batch) <= BYTES_MAX for batch in sqs.batches)


def test_nothing_to_send_is_no_request() -> None:
    queue, sqs = stubborn(lambda _body: 0)
    assert queue.put([]) == []
    SqsInbox(queue).put([])
    assert SqsSendQueue(queue, queue).put([]) == []
    assert sqs.batches == []


def test_what_a_batch_answers_as_failed_is_sent_again_and_only_that() -> None:
    queue, sqs = stubborn(lambda body: 2 if body in ("3", "12") else 0)
    assert sorted(queue.put([str(number) for number in range(15)])) == list(range(15))
    assert sorted(sqs.kept, key=int) == [str(number) for number in range(15)]
    assert sqs.batches[2:] == [["3", "12"], ["3", "12"]]


def test_what_is_refused_for_good_is_not_reported_as_taken_in() -> None:
    queue, sqs = stubborn(lambda body: 99 if body == "3" else 0)
    assert sorted(queue.put([str(number) for number in range(5)])) == [0, 1, 2, 4]
    assert len(sqs.batches) < 10


def test_an_inbox_that_is_not_taken_in_whole_says_so() -> None:
    queue, _ = stubborn(lambda body: 99 if '"c3"' in body else 0)
    with pytest.raises(Retryable):
        SqsInbox(queue).put([CustomerDue(f"c{number}") for number in range(5)])


def test_a_send_queue_tells_which_intents_it_took_in() -> None:
    intents = [intent(f"s{number}") for number in range(12)]
    queue, _ = stubborn(lambda body: 99 if '"s7"' in body else 0)
    taken = SqsSendQueue(queue, queue).put(intents)
    assert sorted(taken) == sorted(one.send_id for one in intents if one.step != "s7")


# --- against SQS


def one_lane(aws: Aws, url: str) -> SqsSendQueue:
    """Both lanes in one queue."""
    queue = Queue(aws.client("sqs"), url)
    return SqsSendQueue(queue, queue)


def test_promotions_wait_in_a_queue_of_their_own(aws: Aws) -> None:
    prompt, bulk = aws.queue(), aws.queue()
    sqs = aws.client("sqs")
    lanes = SqsSendQueue(Queue(sqs, prompt), Queue(sqs, bulk))
    promotion = msgspec.structs.replace(intent("promotion"), kind="promotion")
    others = [msgspec.structs.replace(intent(kind), kind=kind) for kind in ("notification", "support")]
    menu = MenuOrder("menu:1", "c1", "U1", "vip")
    assert len(lanes.put([promotion, *others, menu])) == len(others) + 2
    lanes.put_later(promotion, 0)
    assert [decode_order(body) for body in aws.messages(bulk)] == [promotion, promotion]
    assert [decode_order(body) for body in aws.messages(prompt)] == [*others, menu]


MESSAGES: list[InboxMessage] = [
    LineReceived({"type": "follow", "text": "円😊", "n": [1, 2.5, None, True]}, NOW),
    LineReceived(None, NOW),
    EventsReceived("c1", [event(), event("e2", amount=9)]),
    EventsReceived("c1", [event()], history=True),
    CustomerDue("anon:U1"),
    CustomerRefresh("c1", NOW, ["hash"]),
]


def test_every_kind_of_message_comes_out_as_it_went_in(aws: Aws) -> None:
    url = aws.queue()
    SqsInbox(Queue(aws.client("sqs"), url)).put(MESSAGES)
    assert [decode_inbox(body) for body in aws.messages(url)] == MESSAGES


def test_an_intent_comes_out_as_it_went_in(aws: Aws) -> None:
    url = aws.queue()
    assert one_lane(aws, url).put([intent()]) == [intent().send_id]
    assert [decode_order(body) for body in aws.messages(url)] == [intent()]


def test_the_order_for_a_rich_menu_comes_out_as_it_went_in_beside_an_intent(aws: Aws) -> None:
    url, order = aws.queue(), MenuOrder("menu:1", "c1", "U1", "vip", attempt=3)
    taken = one_lane(aws, url).put([intent(), order])
    assert sorted(taken) == sorted([intent().send_id, "menu:1"])
    assert {decode_order(body).send_id: decode_order(body) for body in aws.messages(url)} == {
        intent().send_id: intent(),
        "menu:1": order,
    }


def test_a_batch_comes_out_as_it_went_in(aws: Aws) -> None:
    url, order = aws.queue(), BatchOrder("b1", "mail@2026-11-02T03:00:00Z", 0, 3, [1, 2, 5])
    assert one_lane(aws, url).put([order]) == ["b1"]
    assert [decode_order(body) for body in aws.messages(url)] == [order]


def test_a_delayed_intent_is_not_there_yet(aws: Aws) -> None:
    url = aws.queue()
    send_queue = one_lane(aws, url)
    send_queue.put_later(intent(), 900)
    assert aws.messages(url) == []
    send_queue.put_later(intent(), 0)
    assert [decode_order(body) for body in aws.messages(url)] == [intent()]


def test_a_continuation_says_which_run_goes_on(aws: Aws) -> None:
    url = aws.queue()
    SqsContinuation(Queue(aws.client("sqs"), url)).again(CampaignRun("winter", NOW))
    (body,) = aws.messages(url)
    assert body == evaluation_body(CampaignRun("winter", NOW))
    assert msgspec.json.decode(body) == {"campaign": "winter", "occurrence": "2026-11-02T03:00:00Z"}


def received(aws: Aws, url: str) -> list[Any]:
    return [decode_inbox(body) for body in aws.messages(url)]


@pytest.mark.parametrize(
    "order", [CampaignRun("winter", NOW), BackfillSegment("v2@now", 3), AuditPart("2026-11-02", 4)]
)
def test_every_order_to_evaluate_comes_out_as_it_went_in(order: EvaluateOrder) -> None:
    assert decode_evaluation(evaluation_body(order)) == order


def test_the_nightly_schedule_asks_for_the_part_of_its_day() -> None:
    body = '{"audit_at": "2026-11-02T18:00:00Z"}'
    day = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
    assert decode_evaluation(body) == AuditPart("2026-11-02", part_of(day))


@pytest.mark.parametrize("body", ["{}", "[]", '{"campaign": "winter"}', '{"backfill": 1, "segment": 0}'])
def test_what_is_no_order_to_evaluate_is_told_apart(body: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_evaluation(body)


def test_many_events_of_one_customer_are_split_over_messages_and_none_is_lost(aws: Aws) -> None:
    url = aws.queue()
    events = [event(f"e{number}", note="円" * 300) for number in range(500)]
    SqsInbox(Queue(aws.client("sqs"), url)).put([EventsReceived("c1", events, history=True)])
    parts = received(aws, url)
    assert len(parts) > 1
    assert all(part.history and part.customer_id == "c1" for part in parts)
    assert [one for part in parts for one in part.events] == events


def test_an_event_too_large_for_a_message_does_not_keep_its_neighbours_out(aws: Aws) -> None:
    """It may be refused, with an error of the port; what fits must be in the queue."""
    url = aws.queue()
    inbox = SqsInbox(Queue(aws.client("sqs"), url))
    messages = [
        EventsReceived("c1", [event("small-1")]),
        EventsReceived("c2", [event("huge", note="x" * 300_000)]),
        EventsReceived("c3", [event("small-2")]),
    ]
    try:
        inbox.put(messages)
    except Retryable:
        pass
    except ClientError as error:
        pytest.fail(f"not an error of the port: {error.response['Error']['Code']}")
    assert {one.event_id for part in received(aws, url) for one in part.events} >= {"small-1", "small-2"}


def test_a_message_that_is_none_is_told_apart() -> None:
    for body in ("{}", "[]", '{"type":"other"}', "no json", '{"type":"due"}'):
        with pytest.raises(msgspec.DecodeError):
            decode_inbox(body)


@pytest.mark.parametrize("sign", ["\ufffe", "\uffff"])
def test_what_sqs_refuses_in_a_message_is_written_as_json_writes_it(sign: str) -> None:
    """SQS takes what XML can say; one such sign in a message of anybody's would keep a whole webhook out for good."""
    sqs = StubbornSqs(lambda _: 0)
    message = LineReceived({"message": {"text": f"a{sign}b"}}, NOW)
    SqsInbox(Queue(sqs, "url")).put([message])  # type: ignore[arg-type]
    (body,) = sqs.kept
    assert sign not in body
    assert decode_inbox(body) == message
