"""Dead letters on SQS and S3: received with why they died, put back and deleted letter by letter, every answer read."""

import datetime as dt
import json
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from functions.aws.dead_letters import DeadQueue, SqsDeadLetters, dead_queues, tick_by
from functions.aws.failure_notes import S3FailureNotes, notes_of
from functions.aws.objects import Objects
from functions.aws.queues import evaluation_body
from functions.aws.redrives import S3Redrives, redrive_id
from functions.domain.dead_letters import FailureNote, Filters, Letter
from functions.domain.redrives import Page, Planned, Redrive, Tally
from functions.ports.dead_letters import Redrives
from functions.ports.errors import Conflict
from functions.ports.messages import CampaignRun, MissedMinute
from tests.aws.conftest import Aws
from tests.aws.samples import NOW, intent
from tests.fakes.dead_letters import FakeRedrives

BODY = msgspec.json.encode(intent()).decode()
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)


class Place:
    """Dead-letter queues on moto."""

    def __init__(self, aws: Aws, client: Any = None) -> None:
        self.aws = aws
        self.objects = aws.objects()
        self.evaluate = DeadQueue(aws.queue(), aws.queue())
        self.queues = {
            "send": DeadQueue(aws.queue(), aws.queue()),
            "evaluate": self.evaluate,
            "schedules": DeadQueue(aws.queue(), self.evaluate.work),
        }
        self.ticked: list[str] = []
        self.ticks = True
        self.letters = SqsDeadLetters(client or aws.client("sqs"), self.queues, self.objects, self._tick, 0)

    def _tick(self, body: str) -> bool:
        self.ticked.append(body)
        return self.ticks

    def bury(self, queue: str, body: str = BODY, **attributes: str) -> str:
        """A letter of this queue; its id."""
        told = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        answer = self.aws.client("sqs").send_message(
            QueueUrl=self.queues[queue].dead, MessageBody=body, MessageAttributes=told
        )
        return str(answer["MessageId"])

    def all(self, queue: str) -> list[Letter]:
        """Everything that can be received now, hidden afterwards."""
        found: list[Letter] = []
        while batch := self.letters.receive(queue):
            found += batch
        return found


def test_letters_come_with_their_notes_and_are_hidden_until_they_are_released(aws: Aws) -> None:
    place = Place(aws)
    names = {place.bury("send") for _ in range(23)}
    noted = min(names)
    S3FailureNotes(place.objects, "send", lambda: NOW).keep(
        FailureNote(noted, "Conflict", "lost", receives=5)
    )
    letters = place.all("send")
    assert {letter.message_id for letter in letters} == names
    (note,) = [letter.note for letter in letters if letter.note]
    assert note == FailureNote(noted, "Conflict", "lost", function="send", receives=5, failed_at=NOW)
    assert {(letter.body, letter.queue) for letter in letters} == {(BODY, "send")}
    assert all(abs(letter.sent_at - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1) for letter in letters)
    assert place.all("send") == []
    place.letters.release(letters)
    assert {letter.message_id for letter in place.all("send")} == names


def test_letters_go_back_first_and_are_deleted_then(aws: Aws) -> None:
    place = Place(aws)
    names = {place.bury("send") for _ in range(12)}
    letters = place.all("send")
    put = place.letters.put_back(letters)
    assert put.keys() == names
    assert len(set(put.values()) - names) == 12
    assert place.letters.delete(letters) == names
    assert aws.messages(place.queues["send"].work) == [BODY] * 12
    place.letters.release(letters)  # what is gone cannot be shown, and is no error
    assert place.all("send") == []


class Deaf:
    """SQS whose batches answer some entries as failed: those with these bodies, and with the receipts of these ids."""

    def __init__(self, client: Any, bodies: Sequence[str], sticks: Sequence[str] = ()) -> None:
        self._client = client
        self._bodies = bodies
        self.sticks = list(sticks)
        self.batches = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> Any:  # noqa: N803
        self.batches += 1
        return self._but(
            lambda entries: self._client.send_message_batch(QueueUrl=QueueUrl, Entries=entries),
            Entries,
            [entry for entry in Entries if entry["MessageBody"] in self._bodies],
        )

    def delete_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> Any:  # noqa: N803
        return self._but(
            lambda entries: self._client.delete_message_batch(QueueUrl=QueueUrl, Entries=entries),
            Entries,
            [entry for entry in Entries if entry["ReceiptHandle"] in self.sticks],
        )

    @staticmethod
    def _but(call: Any, entries: list[dict[str, str]], failed: list[dict[str, str]]) -> dict[str, Any]:
        rest = [entry for entry in entries if entry not in failed]
        answer = call(rest) if rest else {}
        told = [{"Id": entry["Id"], "SenderFault": False, "Code": "InternalError"} for entry in failed]
        return {"Successful": answer.get("Successful", []), "Failed": told}


def test_what_a_batch_answers_as_failed_is_tried_again_and_then_not_told_as_put_back(aws: Aws) -> None:
    sqs = Deaf(aws.client("sqs"), [BODY])
    place = Place(aws, sqs)
    refused, other = place.bury("send"), place.bury("send", "other")
    put = place.letters.put_back(place.all("send"))
    assert (list(put), refused in put) == ([other], False)
    assert sqs.batches == 4


def test_what_could_not_be_deleted_is_not_told_as_gone(aws: Aws) -> None:
    sqs = Deaf(aws.client("sqs"), [])
    place = Place(aws, sqs)
    names = [place.bury("send"), place.bury("send")]
    letters = place.all("send")
    sqs.sticks = [letter.receipt for letter in letters if letter.message_id == names[0]]
    assert place.letters.delete(letters) == {names[1]}


def test_letters_whose_notes_cannot_be_read_do_not_stay_hidden(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(aws)
    place.bury("send")
    with monkeypatch.context() as patch:
        patch.setattr(Objects, "read", _refuse)
        with pytest.raises(ClientError):
            place.letters.receive("send")
    assert len(place.all("send")) == 1


def _refuse(_self: Objects, _key: str) -> bytes:
    raise ClientError({"Error": {"Code": "SlowDown", "Message": ""}}, "GetObject")


RUN = evaluation_body(CampaignRun("winter", NOW))
MINUTE = '{"scheduled_at": "2026-11-02T03:00:00Z"}'


@pytest.mark.parametrize(
    "body",
    [
        RUN,
        json.dumps({"MessageBody": RUN, "QueueUrl": "https://sqs/evaluate"}),
        json.dumps({"Input": RUN}),
    ],
)
def test_what_eventbridge_could_not_deliver_goes_to_the_queue_it_was_for(aws: Aws, body: str) -> None:
    place = Place(aws)
    place.bury("schedules", body, ERROR_CODE="AWS.SimpleQueueService.NonExistentQueue")
    (letter,) = place.all("schedules")
    assert letter.cause == "not delivered: AWS.SimpleQueueService.NonExistentQueue"
    assert place.letters.read(letter) == CampaignRun("winter", NOW)
    place.letters.put_back([letter])
    assert aws.messages(place.evaluate.work) == [RUN]


@pytest.mark.parametrize(
    "body", [MINUTE, json.dumps({"FunctionName": "tick", "Payload": MINUTE}), MINUTE.replace("2026-11-02T03:00:00Z", "<aws.scheduler.scheduled-time>")]
)  # fmt: skip
def test_a_minute_is_ticked_and_stays_dead_where_that_fails(aws: Aws, body: str) -> None:
    place = Place(aws)
    name = place.bury("schedules", body, ERROR_CODE="X", SCHEDULED_TIME="2026-11-02T03:00:00Z")
    (letter,) = place.all("schedules")
    assert place.letters.read(letter) == MissedMinute(NOW)
    place.ticks = False
    assert place.letters.put_back([letter]) == {}
    place.ticks = True
    assert place.letters.put_back([letter]) == {name: ""}
    assert place.ticked == [MINUTE, MINUTE]
    assert aws.messages(place.evaluate.work) == []


@pytest.mark.parametrize(
    ("answer", "done"), [({"StatusCode": 200}, True), ({"FunctionError": "Unhandled"}, False)]
)
def test_a_tick_that_fails_is_not_told_as_done(answer: dict[str, Any], done: bool) -> None:
    called: list[Any] = []

    class Lambda:
        def invoke(self, **told: Any) -> dict[str, Any]:
            called.append(told)
            return answer

    assert tick_by(Lambda(), "tick")(MINUTE) is done  # type: ignore[arg-type]
    assert called == [{"FunctionName": "tick", "Payload": MINUTE.encode()}]


def test_a_tick_that_does_not_answer_in_time_is_not_told_as_done() -> None:
    class Lambda:
        def invoke(self, **_told: Any) -> dict[str, Any]:
            raise ReadTimeoutError(endpoint_url="lambda")

    assert tick_by(Lambda(), "tick")(MINUTE) is False  # type: ignore[arg-type]


def test_notes_are_found_by_message_and_none_is_no_error(aws: Aws) -> None:
    objects = aws.objects()
    keep = S3FailureNotes(objects, "decide", lambda: NOW).keep
    for number in range(30):
        keep(FailureNote(f"m{number}", "Conflict"))
    found = notes_of(objects, [f"m{number}" for number in range(40)])
    assert sorted(found) == sorted(f"m{number}" for number in range(30))
    assert notes_of(objects, []) == {}


def test_a_function_is_told_its_queues_as_json() -> None:
    assert dead_queues('{"send": {"dead": "a", "work": "b"}}') == {"send": DeadQueue("a", "b")}


# --- the audit


@pytest.fixture(params=["fake", "aws"])
def redrives(request: pytest.FixtureRequest) -> Redrives:
    if request.param == "fake":
        return FakeRedrives()
    return S3Redrives(request.getfixturevalue("aws").objects())


def begin(redrives: Redrives, at: dt.datetime = NOW, name: str = "a") -> Redrive:
    redrive = Redrive(redrive_id(at, name), at, "hana", Filters("send", "lost", before=NOW, limit=3))
    redrives.begin(redrive)
    return redrive


def test_the_audit_is_read_as_it_was_written(redrives: Redrives) -> None:
    redrive = begin(redrives)
    name = redrive.redrive_id
    plan = [Planned("m1", "send", "intent", "Conflict"), Planned("m2", "send", "intent", "Conflict")]
    redrives.write(name, 1, "planned", Page(NOW, planned=plan))
    redrives.write(name, 1, "put", Page(NOW, put={"m1": "n1", "m2": ""}))
    redrives.write(name, 1, "deleted", Page(NOW, deleted=["m1"]))
    redrives.write(name, 2, "planned", Page(NOW, planned=plan))
    trail = redrives.trail(name)
    assert trail is not None
    assert (trail.redrive, trail.pages, trail.finished) == (redrive, 2, False)
    assert (trail.put, trail.deleted) == ({"m1": "n1", "m2": ""}, frozenset({"m1"}))
    assert redrives.trail("other") is None
    redrives.finish(name, NOW, Tally(put_back=2))
    trail = redrives.trail(name)
    assert trail is not None
    assert trail.finished


def test_what_is_on_record_is_never_written_over(redrives: Redrives) -> None:
    redrive = begin(redrives)
    redrives.write(redrive.redrive_id, 1, "put", Page(NOW, put={"m1": "n1"}))
    with pytest.raises(Conflict):
        redrives.write(redrive.redrive_id, 1, "put", Page(NOW))
    with pytest.raises(Conflict):
        redrives.begin(redrive)
    redrives.finish(redrive.redrive_id, NOW, Tally())
    with pytest.raises(Conflict):
        redrives.finish(redrive.redrive_id, NOW, Tally())


def test_only_young_replays_that_were_not_finished_are_looked_for(redrives: Redrives) -> None:
    begin(redrives, NOW - 20 * DAY, "old")
    ended = begin(redrives, NOW - 2 * DAY, "ended")
    redrives.finish(ended.redrive_id, NOW, Tally())
    open_one = begin(redrives, NOW - DAY, "open")
    assert [trail.redrive for trail in redrives.begun(NOW - 15 * DAY)] == [ended, open_one]
    assert [trail.redrive for trail in redrives.unfinished(NOW - 15 * DAY)] == [open_one]
