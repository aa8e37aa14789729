"""The dead-letter queues. SQS's own redrive puts back everything, or nothing; this puts back letter by letter."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from botocore.exceptions import ReadTimeoutError

from functions.aws.event_bus import decode_bus
from functions.aws.failure_notes import notes_of
from functions.aws.measuring import decode_measure
from functions.aws.objects import Objects
from functions.aws.queues import (
    TRIES_MAX,
    bytes_of,
    decode_evaluation,
    decode_inbox,
    decode_load,
    decode_order,
)
from functions.aws.request_batches import fitting_batches
from functions.domain.dead_letters import Letter
from functions.domain.instants import from_milliseconds, parse_instant
from functions.ports.messages import MissedMinute, Payload

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_sqs import SQSClient

BATCH_MAX = 10
HIDDEN_SECONDS = 300
"""Long enough to look through some thousands of letters; what is cut off shows them again after so long."""
SCHEDULES = "schedules"
FED_BY_SCHEDULES = (SCHEDULES, "measure")
"""Where letters may lie that EventBridge Scheduler could not deliver."""
_SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"


class DeadQueue(msgspec.Struct, frozen=True):
    """A dead-letter queue's url, and that of the queue its letters belong to."""

    dead: str
    work: str


def dead_queues(text: str) -> dict[str, DeadQueue]:
    """The queues as a function is told them: `{"send": {"dead": url, "work": url}, …}`."""
    return msgspec.json.decode(text, type=dict[str, DeadQueue])


class Tick(Protocol):
    """Does the minutes that EventBridge could not deliver."""

    def __call__(self, body: str) -> bool:
        """Whether it was done."""


def tick_by(client: "LambdaClient", function: str) -> Tick:
    """The tick function, waited for: a minute that fails stays a dead letter."""

    def tick(body: str) -> bool:
        try:
            answer = client.invoke(FunctionName=function, Payload=body.encode())
        except ReadTimeoutError:
            return False  # it may have been done; to tick a minute twice does no harm
        return "FunctionError" not in answer

    return tick


class SqsDeadLetters:
    """The dead-letter queues of one deployment. `wait_seconds`: with a second, SQS asks all of its servers."""

    def __init__(
        self,
        client: "SQSClient",
        queues: Mapping[str, DeadQueue],
        objects: Objects,
        tick: Tick,
        wait_seconds: int = 1,
    ) -> None:
        self._client = client
        self._queues = queues
        self._objects = objects
        self._tick = tick
        self._wait_seconds = wait_seconds

    def queues(self) -> list[str]:
        """Their names."""
        return list(self._queues)

    def receive(self, queue: str) -> list[Letter]:
        """At most ten letters with their notes, hidden for minutes."""
        answer = self._client.receive_message(
            QueueUrl=self._queues[queue].dead,
            MaxNumberOfMessages=BATCH_MAX,
            VisibilityTimeout=HIDDEN_SECONDS,
            WaitTimeSeconds=self._wait_seconds,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        letters = [_letter(queue, message) for message in answer.get("Messages", [])]
        try:
            notes = notes_of(self._objects, [letter.message_id for letter in letters])
        except Exception:
            self.release(letters)
            raise
        return [msgspec.structs.replace(one, note=notes.get(one.message_id)) for one in letters]

    def read(self, letter: Letter) -> Payload | None:
        """What it carries, as its worker would read it; None where that cannot be read."""
        return read_payload(letter.queue, letter.body)

    def release(self, letters: Sequence[Letter]) -> None:
        """Let others see these at once. One that cannot be released comes up by itself."""
        for queue, batch in _by_queue(letters):
            entries: Any = [
                {"Id": str(number), "ReceiptHandle": letter.receipt, "VisibilityTimeout": 0}
                for number, letter in enumerate(batch)
            ]
            self._client.change_message_visibility_batch(QueueUrl=self._queues[queue].dead, Entries=entries)

    def put_back(self, letters: Sequence[Letter]) -> dict[str, str]:
        """Put them back to where they died; the ids of those taken in, each with its new one.

        What a batch answers as failed is tried again, bounded. A missed minute is done at once, and has no new id.
        """
        taken = {
            letter.message_id: ""
            for letter in letters
            if isinstance(self.read(letter), MissedMinute) and self._tick(letter.body)
        }
        waiting = [letter for letter in letters if not isinstance(self.read(letter), MissedMinute)]
        for attempt in range(TRIES_MAX):
            for queue, batch in _by_queue(waiting):
                taken |= self._sent(queue, batch)
            waiting = [letter for letter in waiting if letter.message_id not in taken]
            if not waiting:
                break
            time.sleep(0.05 * 2**attempt)
        return taken

    def _sent(self, queue: str, letters: Sequence[Letter]) -> dict[str, str]:
        taken: dict[str, str] = {}
        bodies = [(number, letter.body) for number, letter in enumerate(letters)]
        for batch in fitting_batches(bodies, bytes_of):
            entries: Any = [{"Id": str(number), "MessageBody": body} for number, body in batch]
            answer = self._client.send_message_batch(QueueUrl=self._queues[queue].work, Entries=entries)
            for entry in answer.get("Successful", []):
                taken[letters[int(entry["Id"])].message_id] = entry["MessageId"]
        return taken

    def delete(self, letters: Sequence[Letter]) -> set[str]:
        """Take them away for good; the ids of those that are gone."""
        gone: set[str] = set()
        for queue, batch in _by_queue(letters):
            entries: Any = [
                {"Id": str(number), "ReceiptHandle": letter.receipt} for number, letter in enumerate(batch)
            ]
            answer = self._client.delete_message_batch(QueueUrl=self._queues[queue].dead, Entries=entries)
            gone |= {batch[int(entry["Id"])].message_id for entry in answer.get("Successful", [])}
        return gone


def _by_queue(letters: Sequence[Letter]) -> list[tuple[str, list[Letter]]]:
    """At most ten letters of one queue at a time."""
    queues: dict[str, list[Letter]] = {}
    for letter in letters:
        queues.setdefault(letter.queue, []).append(letter)
    return [
        (queue, found[start : start + BATCH_MAX])
        for queue, found in queues.items()
        for start in range(0, len(found), BATCH_MAX)
    ]


def _letter(queue: str, message: Any) -> Letter:
    system = message.get("Attributes", {})
    told = {
        name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()
    }
    body = message["Body"]
    return Letter(
        message_id=message["MessageId"],
        queue=queue,
        body=_input_of(body, told) if queue in FED_BY_SCHEDULES else body,
        sent_at=from_milliseconds(float(system.get("SentTimestamp", 0))),
        receipt=message["ReceiptHandle"],
        moved="DeadLetterQueueSourceArn" in system,
        refusal=told.get("ERROR_CODE", ""),
    )


def _input_of(body: str, told: Mapping[str, str]) -> str:
    """What EventBridge was to deliver: the schedule's input, also where the letter holds the whole call to SQS or
    Lambda, and where the schedule's instant was not written into it yet."""
    try:
        call = json.loads(body)
    except ValueError:
        return body
    if isinstance(call, dict):
        wrapped = [
            call[name] for name in ("MessageBody", "Payload", "Input") if isinstance(call.get(name), str)
        ]
        body = wrapped[0] if wrapped else body
    return body.replace(_SCHEDULED_TIME, told.get("SCHEDULED_TIME") or _SCHEDULED_TIME)


def read_payload(queue: str, body: str) -> Payload | None:
    """A body as its queue's worker reads it; None where that is not possible."""
    try:
        return _read(queue, body)
    except (LookupError, ValueError, TypeError):
        return None


def _read(queue: str, body: str) -> Payload:
    if queue == "inbox":
        return decode_inbox(body)
    if queue == SCHEDULES and "scheduled_at" in json.loads(body):
        return MissedMinute(parse_instant(json.loads(body)["scheduled_at"]))
    if queue in ("evaluate", SCHEDULES):
        return decode_evaluation(body)
    if queue == "bus":
        return decode_bus(body)
    if queue == "load":
        return decode_load(body)[0]
    if queue == "measure":
        return decode_measure(body)
    return decode_order(body)
