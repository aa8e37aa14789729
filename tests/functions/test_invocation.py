"""The one line of an invocation."""

import importlib
import io
import json
import logging
import uuid
from pathlib import Path
from typing import Any

import pytest

import functions
from functions.invocation import LINE, NAMED_MAX, line_logger, told
from functions.sqs_batches import answer_batch, answer_together
from ops.bench.prices import INVOCATION_LINE_BYTES

LOG_EVENT_BYTES = 26
"""What CloudWatch counts beside the text of each line."""
HANDLERS = sorted(path.parent.name for path in Path(functions.__file__).parent.glob("*/handler.py"))


class Context:
    aws_request_id = "r-1"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is written from here on; what other tests noted is written elsewhere."""
    handler = line_logger().registered_handler
    assert isinstance(handler, logging.StreamHandler)
    monkeypatch.setattr(handler, "stream", io.StringIO())
    LINE.write(0, "", "")
    lines = io.StringIO()
    monkeypatch.setattr(handler, "stream", lines)
    return lines


def line_of(written: io.StringIO) -> dict[str, Any]:
    (line,) = [json.loads(one) for one in written.getvalue().splitlines()]
    assert line["message"] == "invocation"
    written.seek(0)
    written.truncate()
    return dict(line)


def events(*bodies: str) -> dict[str, Any]:
    return {"Records": [{"messageId": f"m{n}", "body": body} for n, body in enumerate(bodies)]}


def needs_a_number(body: str) -> None:
    int(body)


@pytest.mark.parametrize("name", HANDLERS)
def test_every_handler_writes_its_line(name: str) -> None:
    handler = importlib.import_module(f"functions.{name}.handler").handler
    assert handler.__wrapped__.__name__ == "handler"


def test_a_batch_is_one_line_that_names_what_came_and_what_went(written: io.StringIO) -> None:
    @told
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        LINE.give(["s1", "s2"])
        return answer_batch(event, context, needs_a_number)

    handler(events("1", "no number"), Context())
    line = line_of(written)
    assert (line["request_id"], line["took"], line["gave"]) == ("r-1", ["m0", "m1"], ["s1", "s2"])
    assert (line["took_all"], line["gave_all"], line["failed"]) == (2, 2, 1)
    assert line["milliseconds"] >= 0
    assert line["memory_mb"] > 0
    handler(events("1"), Context())
    again = line_of(written)
    assert (again["took"], again["failed"], again["cold_start"]) == (["m0"], 0, False)


def test_what_is_sent_goes_by_the_name_that_it_was_given_on_by(written: io.StringIO) -> None:
    class Order:
        send_id = "s1"

    @told
    def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        return answer_together(event, lambda _body: Order(), lambda orders: [None] * len(orders))

    handler(events("{}"), Context())
    assert line_of(written)["took"] == ["s1"]


def test_a_line_stays_short_and_counts_all(written: io.StringIO) -> None:
    @told
    def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
        LINE.give(f"s{number}" for number in range(1_000))
        LINE.give(["more"])
        return {}

    handler({}, Context())
    line = line_of(written)
    assert (len(line["gave"]), line["gave_all"]) == (NAMED_MAX, 1_001)


def test_a_full_batchs_line_is_no_longer_than_the_bill_takes_it_for(written: io.StringIO) -> None:
    @told
    def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
        LINE.take([str(uuid.UUID(int=number)) for number in range(10)], 10)
        return {}

    context = Context()
    context.aws_request_id = str(uuid.UUID(int=0))
    handler({}, context)
    assert len(written.getvalue()) + LOG_EVENT_BYTES <= INVOCATION_LINE_BYTES


def test_what_raises_has_its_line_too_and_quotes_nothing(written: io.StringIO) -> None:
    @told
    def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
        raise ValueError("taro@example.com")

    with pytest.raises(ValueError, match="taro"):
        handler({}, None)
    line = line_of(written)
    assert line["error"] == "ValueError"
    assert "taro" not in json.dumps(line)
