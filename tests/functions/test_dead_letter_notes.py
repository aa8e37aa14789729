"""What a worker notes of a message that is about to join the dead letters."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.aws.queues import decode_order
from functions.domain.dead_letters import RECEIVES_MAX, FailureNote
from functions.domain.sends import content_hash
from functions.ports.errors import Conflict
from functions.sqs_batches import answer_batch, answer_together


def batch(receives: int = RECEIVES_MAX, *bodies: str) -> dict[str, Any]:
    """An event of Lambda's, as SQS makes it."""
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": "r",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": str(receives),
                    "ApproximateFirstReceiveTimestamp": "1764000000000",
                    "SentTimestamp": "1763999999000",
                },
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:ap-northeast-1:1:send",
            }
            for number, body in enumerate(bodies or ("花子 said",))
        ]
    }


def noted(handle: Callable[[str], object], receives: int = RECEIVES_MAX) -> list[FailureNote]:
    notes: list[FailureNote] = []
    answer = answer_batch(batch(receives), None, lambda body: _do(handle, body), notes.append)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    return notes


def _do(handle: Callable[[str], object], body: str) -> None:
    handle(body)


def fail(error: Exception) -> Callable[[str], object]:
    def handle(_body: str) -> None:
        raise error

    return handle


def test_an_error_of_ours_is_kept_with_its_text_on_the_last_receive_only() -> None:
    (note,) = noted(fail(Conflict("the gate is contended")))
    assert (note.message_id, note.kind, note.text, note.receives) == (
        "m0",
        "Conflict",
        "the gate is contended",
        5,
    )
    assert note.first_received_at is not None
    assert note.first_received_at.year == 2025
    assert noted(fail(Conflict("x")), RECEIVES_MAX - 1) == []


def test_of_other_errors_the_kind_and_the_last_line_of_ours_are_kept_and_never_the_text() -> None:
    """They may quote what a customer wrote."""
    (note,) = noted(lambda body: content_hash([{"text": {body}}]))
    assert (note.kind, note.text) == ("TypeError", "")
    assert note.place.startswith("functions/domain/sends.py:")
    (note,) = noted(decode_order)
    assert (note.kind, note.text) == ("DecodeError", "")
    assert note.place.startswith("functions/aws/queues.py:")


def test_awss_code_and_call_tell_the_cause_and_its_text_is_left_out() -> None:
    told = {"Error": {"Code": "ThrottlingException", "Message": "花子"}}
    (note,) = noted(fail(ClientError(told, "PutItem")))  # type: ignore[arg-type]
    assert (note.kind, note.text) == ("ClientError ThrottlingException PutItem", "")


@pytest.mark.parametrize("answer", [{"Error": {"Code": "花子 said"}}, {"Error": {}}, {}, "text", None])
def test_what_only_looks_like_an_answer_of_aws_is_not_kept(answer: object) -> None:
    error = ValueError()
    error.response = answer  # type: ignore[attr-defined]
    (note,) = noted(fail(error))
    assert note.kind == "ValueError"


def test_a_note_that_cannot_be_kept_costs_no_message(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(_note: FailureNote) -> None:
        raise OSError("花子")

    done: list[str] = []

    def handle(body: str) -> None:
        if body == "bad":
            raise Conflict("x")
        done.append(body)

    with caplog.at_level(logging.WARNING):
        answer = answer_batch(batch(9, "bad", "good", "bad"), None, handle, refuse)
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["m0", "m2"]
    assert done == ["good"]
    assert "花子" not in caplog.text


def test_of_a_batch_that_is_handled_together_each_failure_is_noted_with_its_own_cause() -> None:
    def handle_all(numbers: Sequence[int]) -> list[Exception | None]:
        return [Conflict("odd") if number % 2 else None for number in numbers]

    notes: list[FailureNote] = []
    answer = answer_together(batch(5, "1", "花子", "2"), int, handle_all, notes.append)
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["m1", "m0"]
    assert [(note.message_id, note.kind, note.text) for note in notes] == [
        ("m0", "Conflict", "odd"),
        ("m1", "ValueError", ""),
    ]
    assert answer_together(batch(4, "1"), int, handle_all, notes.append)["batchItemFailures"]
    assert len(notes) == 2


def test_where_a_whole_batch_fails_each_of_it_is_noted() -> None:
    def fail_all(_numbers: Sequence[int]) -> list[Exception | None]:
        raise Conflict("the tables are throttled")

    notes: list[FailureNote] = []
    answer = answer_together(batch(5, "1", "2"), int, fail_all, notes.append)
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["m0", "m1"]
    assert {(note.message_id, note.text) for note in notes} == {
        ("m0", "the tables are throttled"),
        ("m1", "the tables are throttled"),
    }
