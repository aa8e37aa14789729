"""Playbook and code go back each by itself: code runs with what the code before has compiled, and where a playbook says what
code does not heed, that is told, and whatever needs it waits."""

import copy
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from functions.aws.objects import IN_FORCE, S3Playbooks
from functions.domain.compiled import Compiled
from functions.domain.fact_rows import SendWritten
from functions.domain.playbook import Playbook
from functions.domain.sends import SendRecord
from functions.domain.stored import FORMAT
from functions.facts.flow import RecordFacts
from functions.ports.errors import Retryable
from functions.sqs_batches import answer_batch
from tests.fakes.scans import FakeMeasures
from tests.fakes.world import World
from tests.stored.kinds import ADDED, AT, whole
from tests.stored.places import Places, places
from tests.stored.shapes import recorded

FORMATS = (FORMAT - 1, FORMAT)


def compiled_by(format_number: int) -> Playbook:
    """The shop's playbook as code of a format compiled it."""
    return msgspec.json.decode(msgspec.json.encode(recorded(format_number, "playbook")), type=Playbook)


@pytest.fixture(scope="module")
def at() -> Iterator[Places]:
    with places() as made:
        yield made


def in_force(at: Places, body: Any) -> S3Playbooks:
    objects = at.objects()
    objects.write(f"playbooks/{body['version']}.json", msgspec.json.encode(body))
    objects.write(IN_FORCE, msgspec.json.encode({"version": body["version"]}))
    return S3Playbooks(objects)


@pytest.mark.parametrize("format_number", FORMATS)
def test_what_code_of_the_format_before_compiled_sends_its_messages(format_number: int) -> None:
    """A friend is welcomed, buys, and is thanked: journeys, segments, caps and messages of the shop's own playbook."""
    world = World(compiled_by(format_number))
    world.befriend("U1")
    world.webhook(world.line_event("follow", "U1"))
    world.run()
    world.ingest(world.linked("c1", "U1"))
    world.run()
    world.ingest(
        world.event("purchase", "c1", order_id="1", amount=3_000, category="tea", items=["tea"], profit=900)
    )
    world.run()
    world.advance(days=8)
    world.run()
    assert world.dead() == []
    assert {journey.version for journey in world.customer().journeys} == {compiled_by(format_number).version}
    assert len(world.line.pushes) >= 2
    assert {status for _, status, _ in world.ends()} <= {"sent", "suppressed"}


def test_a_playbook_of_the_code_before_may_be_put_in_force_again_while_journeys_go_on() -> None:
    before, after = (compiled_by(format_number) for format_number in FORMATS)
    world = World(after)
    world.befriend("U1")
    world.webhook(world.line_event("follow", "U1"))
    world.run()
    world.apply(before)
    world.ingest(world.linked("c1", "U1"))
    world.run()
    world.advance(days=4)
    world.run()
    assert world.dead() == []
    assert after.version in {journey.version for journey in world.customer().journeys}
    assert len(world.line.pushes) >= 2


@pytest.mark.parametrize("format_number", FORMATS)
def test_every_expression_of_it_compiles(format_number: int) -> None:
    compiled = Compiled(compiled_by(format_number))
    for segment in compiled.playbook.segments.values():
        compiled.predicate(segment.when)
    assert compiled.tracked


def newer_step(body: dict[str, Any]) -> None:
    next(iter(body["scenarios"].values()))["steps"].append({"op": "telephone"})


def newer_word(body: dict[str, Any]) -> None:
    body["caps"][0]["kinds"] = ["promotion", "telephone"]


def newer_format(body: dict[str, Any]) -> None:
    body["format"] = FORMAT + 1


@pytest.mark.parametrize("change", [newer_step, newer_word, newer_format])
def test_a_playbook_that_code_does_not_heed_is_told_and_never_worked_with_in_part(
    at: Places, change: Any
) -> None:
    body = copy.deepcopy(recorded(FORMAT, "playbook"))
    change(body)
    body["version"] = change.__name__
    books = in_force(at, body)
    with pytest.raises(Retryable, match="musubi apply --previous") as told:
        books.in_force()
    assert change.__name__ in str(told.value)
    assert f"format {FORMAT}" in str(told.value)


def test_a_field_that_older_code_may_leave_alone_keeps_the_playbook_readable(at: Places) -> None:
    body = {**copy.deepcopy(recorded(FORMAT, "playbook")), "version": "colour", "added": ADDED}
    next(iter(body["messages"].values()))["colour"] = "red"
    assert in_force(at, body).in_force().version == "colour"


def test_a_message_that_needs_such_a_playbook_goes_back_to_its_queue(at: Places) -> None:
    body = {**recorded(FORMAT, "playbook"), "version": "too-new", "format": FORMAT + 1}
    books, taken = in_force(at, body), []

    def handle(text: str) -> None:
        books.in_force()
        taken.append(text)

    event = {
        "Records": [{"messageId": "m1", "body": "{}", "eventSource": "aws:sqs", "receiptHandle": "r"}],
    }
    notes: list[Any] = []
    event["Records"][0]["attributes"] = {"ApproximateReceiveCount": "5"}  # type: ignore[assignment]
    answer = answer_batch(event, None, handle, notes.append)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert taken == []
    assert "musubi apply --previous" in notes[0].text, "the dead letter tells what to do"


def test_facts_of_such_a_playbook_wait_and_are_not_left_out(at: Places) -> None:
    record = msgspec.structs.replace(whole(SendRecord), playbook="unheeded")
    body = {**recorded(FORMAT, "playbook"), "version": "unheeded", "caps": [{"id": "newer"}]}
    measures = FakeMeasures()
    facts = RecordFacts(in_force(at, body), None, measures)  # type: ignore[arg-type]
    with pytest.raises(Retryable):
        facts.run([SendWritten(record, AT)])
    assert measures.last == {}


def test_decide_waits_for_a_version_that_a_journey_is_pinned_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """What code cannot read is no reason to go on without it, nor to give anything up."""
    world = World(compiled_by(FORMAT))
    world.befriend("U1")
    world.webhook(world.line_event("follow", "U1"))
    world.run()
    before = world.customer("anon:U1")
    world.apply(compiled_by(FORMAT - 1))
    read = world.playbooks.version

    def unless_newer(version: str) -> Compiled:
        if version == before.journeys[0].version:
            raise Retryable("of a newer format")
        return read(version)

    monkeypatch.setattr(world.playbooks, "version", unless_newer)
    world.webhook(world.line_event("unfollow", "U1"))
    world.run()
    assert [type(error) for _, error in world.dead()] == [Retryable]
    assert world.gate("anon:U1").reaches("U1") is False, "an opt-out counts at once all the same"
    assert world.customer("anon:U1").journeys == before.journeys
