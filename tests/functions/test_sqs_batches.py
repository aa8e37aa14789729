"""Partial answers to a batch of a queue."""

import logging
from collections.abc import Sequence
from typing import Any

import pytest

from functions.sqs_batches import answer_together


def event(*bodies: str) -> dict[str, Any]:
    return {"Records": [{"messageId": f"m{n}", "body": body} for n, body in enumerate(bodies)]}


def odd_ones_fail(numbers: Sequence[int]) -> list[Exception | None]:
    return [RuntimeError("odd") if number % 2 else None for number in numbers]


def failed(answer: dict[str, Any]) -> list[str]:
    return sorted(item["itemIdentifier"] for item in answer["batchItemFailures"])


def test_the_answer_names_what_failed_and_nothing_else() -> None:
    assert failed(answer_together(event("1", "2", "3"), int, odd_ones_fail)) == ["m0", "m2"]
    assert failed(answer_together(event("2"), int, odd_ones_fail)) == []


def test_what_cannot_be_read_fails_alone_and_is_not_quoted_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        assert failed(answer_together(event("2", "secret", "4"), int, odd_ones_fail)) == ["m1"]
    assert "m1" in caplog.text


def test_an_answer_of_another_length_is_noticed() -> None:
    with pytest.raises(ValueError, match="zip"):
        answer_together(event("2", "4"), int, lambda _numbers: [None])
