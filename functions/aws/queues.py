"""The queues: batches of ten, every `Failed[]` read, what failed tried again and then reported."""

import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import msgspec

from functions.aws.request_batches import fitting_batches
from functions.domain.audits import part_of
from functions.domain.instants import parse_instant
from functions.domain.sends import BatchOrder, Intent, Lane, MenuOrder, Order, lane_of
from functions.invocation import LINE
from functions.ports.errors import Retryable
from functions.ports.messages import (
    AuditPart,
    BackfillSegment,
    CampaignRun,
    EvaluateOrder,
    EventsReceived,
    FileDropped,
    InboxMessage,
    LoadOrder,
)
from functions.ports.sending import Together

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

_Batch = list[tuple[int, str]]
"""Positions and bodies that go in one request."""

MESSAGE_BYTES_MAX = 200 * 1024
TRIES_MAX = 4


class _Tag(msgspec.Struct):
    """What tells the messages of the send queue apart."""

    order: str = ""


_inbox: msgspec.json.Decoder[InboxMessage] = msgspec.json.Decoder(InboxMessage)
_intent = msgspec.json.Decoder(Intent)
_tagged = msgspec.json.Decoder(MenuOrder | BatchOrder)
_tag = msgspec.json.Decoder(_Tag)


def decode_inbox(body: str) -> InboxMessage:
    """A message of the inbox queue; msgspec.ValidationError where it is none."""
    return _inbox.decode(body)


def decode_order(body: str) -> Order:
    """A message of the send queue; msgspec.ValidationError where it is none. What bears no tag is an intent."""
    return _tagged.decode(body) if _tag.decode(body).order else _intent.decode(body)


class Queue:
    """One SQS queue. `together`: how many requests are under way at once where one call puts many messages; `tries_max`:
    how often what is not taken in is put."""

    def __init__(
        self, client: "SQSClient", url: str, together: Together | None = None, tries_max: int = TRIES_MAX
    ) -> None:
        self._tries_max = tries_max
        self._client = client
        self._url = url
        self._together = together

    def put(self, bodies: Sequence[str], names: Sequence[str] = ()) -> list[int]:
        """Enqueue; the positions of those taken in. What a batch answers as failed is tried again, bounded.

        `names`: what each is called in the invocation's line; SQS's own id where empty.
        """
        taken: list[int] = []
        waiting = list(enumerate(map(_sayable, bodies)))
        for attempt in range(self._tries_max):
            done = self._send_all(list(fitting_batches(waiting, bytes_of)), names)
            taken += done
            known = set(done)
            waiting = [(position, body) for position, body in waiting if position not in known]
            if not waiting or attempt + 1 == self._tries_max:
                break
            time.sleep(0.05 * 2**attempt)
        return taken

    def _send_all(self, batches: list[_Batch], names: Sequence[str]) -> list[int]:
        """The positions taken in. Raises the first error, once no request is under way any more."""
        if self._together is None:
            return [position for batch in batches for position in self._send(batch, names)]
        taken = []
        for answer in self._together([partial(self._send, batch, names) for batch in batches]):
            if isinstance(answer, Exception):
                raise answer
            taken += answer
        return taken

    def _send(self, batch: _Batch, names: Sequence[str]) -> list[int]:
        entries: Any = [{"Id": str(position), "MessageBody": body} for position, body in batch]
        answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
        failed = {int(failure["Id"]) for failure in answer.get("Failed", [])}
        taken = [position for position, _ in batch if position not in failed]
        ids = {int(one["Id"]): one["MessageId"] for one in answer.get("Successful", [])}
        LINE.give(names[position] if names else ids.get(position, "") for position in taken)
        return taken

    def put_later(self, body: str, seconds: int, name: str = "") -> None:
        """Enqueue one message that becomes visible after so many seconds (0–900)."""
        answer = self._client.send_message(
            QueueUrl=self._url, MessageBody=_sayable(body), DelaySeconds=seconds
        )
        LINE.give([name or answer["MessageId"]])


def _sayable(body: str) -> str:
    """JSON without the two signs of UTF-8 that SQS refuses, for XML has no word for them (SendMessage,
    InvalidMessageContents): they can stand in strings only, where JSON may write them as escapes."""
    return body.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")


def bytes_of(positioned: tuple[int, str]) -> int:
    """Of a body with its position, as SQS counts it."""
    return len(positioned[1].encode())


class SqsInbox:
    """The queue in front of `decide`."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def put(self, messages: Sequence[InboxMessage]) -> None:
        """Enqueue all; Retryable where some were not taken in."""
        bodies = [body for message in messages for body in _fitting(message)]
        if not bodies:
            return
        taken = self._queue.put(bodies)
        if len(taken) < len(bodies):
            raise Retryable(f"{len(bodies) - len(taken)} of {len(bodies)} messages were not enqueued")


def _fitting(message: InboxMessage) -> list[str]:
    """The message as JSON; one with too many events for a queue message is halved until each part fits."""
    body = msgspec.json.encode(message)
    if len(body) <= MESSAGE_BYTES_MAX or not isinstance(message, EventsReceived) or len(message.events) == 1:
        return [body.decode()]
    middle = len(message.events) // 2
    halves = (message.events[:middle], message.events[middle:])
    return [part for half in halves for part in _fitting(msgspec.structs.replace(message, events=half))]


class SqsSendQueue:
    """The queues in front of `send`, one a lane."""

    def __init__(self, prompt: Queue, bulk: Queue) -> None:
        self._lanes: dict[Lane, Queue] = {"prompt": prompt, "bulk": bulk}

    def put(self, orders: Sequence[Order]) -> list[str]:
        """Enqueue, each in its lane; the send ids that were taken in."""
        taken = []
        for lane, queue in self._lanes.items():
            mine = [order for order in orders if lane_of(order) == lane]
            if mine:
                positions = queue.put(
                    [msgspec.json.encode(order).decode() for order in mine], [order.send_id for order in mine]
                )
                taken += [mine[position].send_id for position in positions]
        return taken

    def put_later(self, order: Order, seconds: int) -> None:
        """Enqueue a copy that comes up after so many seconds."""
        self._lanes[lane_of(order)].put_later(msgspec.json.encode(order).decode(), seconds, order.send_id)


class SqsContinuation:
    """The queue in front of `evaluate`."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def again(self, order: EvaluateOrder, after_seconds: int = 0) -> None:
        """Go on with this in a new invocation."""
        self._queue.put_later(evaluation_body(order), after_seconds)


def evaluation_body(order: EvaluateOrder) -> str:
    """An order as the evaluate queue has it, whoever puts it there: a schedule, a command, an invocation before."""
    return msgspec.json.encode(order).decode()


def decode_evaluation(body: str) -> EvaluateOrder:
    """A message of the evaluate queue; msgspec.ValidationError where it is none.

    The daily schedule tells its own instant, as `{"audit_at": instant}`: the day is the audit's name, and says which part.
    """
    order = msgspec.json.decode(body)
    if isinstance(order, dict) and "audit_at" in order:
        day = parse_instant(order["audit_at"])
        return AuditPart(f"{day:%Y-%m-%d}", part_of(day))
    for key, shape in _ORDERS.items():
        if isinstance(order, dict) and key in order:
            return msgspec.convert(order, shape)
    raise msgspec.ValidationError("this is no order to evaluate")


def decode_load(body: str) -> list[LoadOrder | FileDropped]:
    """A message of the load queue: an order, or what S3 tells of objects (nothing, where it only tries the way).

    msgspec.ValidationError where it is neither.
    """
    told = msgspec.json.decode(body)
    if not isinstance(told, dict):
        raise msgspec.ValidationError("this is nothing to load")
    if "load" in told:
        return [msgspec.convert(told, LoadOrder)]
    if told.get("Event") == "s3:TestEvent":
        return []
    return [_dropped(record["s3"]["object"]) for record in msgspec.convert(told, _Told).Records]


def _dropped(told: dict[str, Any]) -> FileDropped:
    """The key comes as a form field does: blanks as +."""
    version = told.get("versionId") or f'"{told.get("eTag", "")}"'
    return FileDropped(unquote_plus(told["key"]), version, int(told.get("size", 0)))


class _Told(msgspec.Struct):
    """S3's notification."""

    Records: list[dict[str, Any]]


_ORDERS: dict[str, type[EvaluateOrder]] = {
    "campaign": CampaignRun,
    "backfill": BackfillSegment,
    "audit": AuditPart,
}
