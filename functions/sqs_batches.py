"""Partial batch responses: one bad message makes none of its neighbours come again."""

import logging
import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from functions.domain.dead_letters import RECEIVES_MAX, FailureNote
from functions.domain.instants import from_milliseconds
from functions.invocation import LINE
from functions.ports.errors import MusubiError

logger = logging.getLogger(__name__)

_Order = TypeVar("_Order")
KeepNote = Callable[[FailureNote], None]
"""Keeps why a message failed; may raise."""

_CODE = re.compile(r"[\w.]{1,80}", re.ASCII)


def answer_batch(
    event: dict[str, Any], context: Any, handle: Callable[[str], None], note: KeepNote | None = None
) -> dict[str, Any]:
    """Call `handle` with each message's body; the answer names the messages whose handling raised.

    A failure is logged by its kind and message id, never with the payload. Before a message joins the dead letters,
    `note` gets why: SQS itself keeps no reason.
    """

    def handle_record(record: SQSRecord) -> None:
        try:
            handle(record.body)
        except Exception as error:
            _tell(record.raw_event, error, note)
            raise

    # The local engine kills a worker whose handler raises; AWS needs no exception either, the list is enough.
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    answer = process_partial_response(
        event=event, record_handler=handle_record, processor=processor, context=context
    )
    LINE.take([record["messageId"] for record in event["Records"]], len(answer["batchItemFailures"]))
    return dict(answer)


def answer_together(
    event: dict[str, Any],
    decode: Callable[[str], _Order],
    handle_all: Callable[[Sequence[_Order]], Sequence[Exception | None]],
    note: KeepNote | None = None,
) -> dict[str, Any]:
    """Hand a whole batch over at once; `handle_all` says for each order what went wrong, or None.

    The answer names the messages that failed, and those that cannot be decoded; `note` as for `answer_batch`.
    """
    orders: dict[str, _Order] = {}
    failed: dict[str, Exception] = {}
    for record in event["Records"]:
        try:
            orders[record["messageId"]] = decode(record["body"])
        except Exception as error:  # noqa: BLE001 — an unreadable message makes none of its neighbours come again
            failed[record["messageId"]] = error
    errors = _handled(handle_all, list(orders.values()))
    failed |= {one: wrong for one, wrong in zip(orders, errors, strict=True) if wrong is not None}
    for record in event["Records"]:
        if record["messageId"] in failed:
            _tell(record, failed[record["messageId"]], note)
    LINE.take([getattr(order, "send_id", name) for name, order in orders.items()], len(failed))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _handled(
    handle_all: Callable[[Sequence[_Order]], Sequence[Exception | None]], orders: Sequence[_Order]
) -> Sequence[Exception | None]:
    """What went wrong with each; where the whole batch failed, that with all of them."""
    try:
        return handle_all(orders)
    except Exception as error:  # noqa: BLE001 — raised, it would leave no word of why each of these died
        return [error] * len(orders)


def _tell(record: Mapping[str, Any], error: Exception, note: KeepNote | None) -> None:
    """Log that this message failed; on its last receive, note why. Whatever fails here makes nothing worse."""
    message_id = record["messageId"]
    logger.warning("message %s failed: %s", message_id, type(error).__name__, exc_info=error)
    system = record.get("attributes", {})
    receives = int(system.get("ApproximateReceiveCount") or 0)
    if note is None or receives < RECEIVES_MAX:
        return
    try:
        note(_note_of(message_id, system, error, receives))
    except Exception as obstacle:  # noqa: BLE001 — a cause that is not kept must not cost the batch
        logger.warning("why message %s failed is not kept: %s", message_id, type(obstacle).__name__)


def _note_of(message_id: str, system: Mapping[str, str], error: Exception, receives: int) -> FailureNote:
    """Only errors of ours are safe to quote: others may repeat what a customer wrote."""
    first = system.get("ApproximateFirstReceiveTimestamp")
    return FailureNote(
        message_id,
        kind=_kind(error),
        text=str(error) if isinstance(error, MusubiError) else "",
        place=_place(error),
        receives=receives,
        first_received_at=from_milliseconds(float(first)) if first else None,
    )


def _kind(error: Exception) -> str:
    """The error's type; of AWS's also its code and the call, which are words of AWS and tell the cause."""
    answer = getattr(error, "response", None)
    code = answer.get("Error", {}).get("Code") if isinstance(answer, dict) else None
    parts = [type(error).__name__, code, getattr(error, "operation_name", None)]
    return " ".join(part for part in parts if isinstance(part, str) and _CODE.fullmatch(part))


def _place(error: Exception) -> str:
    """The last line of ours that the error passed: `functions/send/flow.py:99`; empty where there is none."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        before, found, within = frame.filename.rpartition("/functions/")
        if found and before and frame.filename != __file__:
            return f"functions/{within}:{frame.lineno}"
    return ""
