"""Partial batch responses: one bad message makes none of its neighbours come again."""

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

logger = logging.getLogger(__name__)

_Order = TypeVar("_Order")


def answer_batch(event: dict[str, Any], context: Any, handle: Callable[[str], None]) -> dict[str, Any]:
    """Call `handle` with each message's body; the answer names the messages whose handling raised.

    A failure is logged by its kind and message id, never with the payload.
    """

    def handle_record(record: SQSRecord) -> None:
        try:
            handle(record.body)
        except Exception as error:
            _log(record.message_id, error)
            raise

    # The local engine kills a worker whose handler raises; AWS needs no exception either, the list is enough.
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    answer = process_partial_response(
        event=event, record_handler=handle_record, processor=processor, context=context
    )
    return dict(answer)


def answer_together(
    event: dict[str, Any],
    decode: Callable[[str], _Order],
    handle_all: Callable[[Sequence[_Order]], Sequence[Exception | None]],
) -> dict[str, Any]:
    """Hand a whole batch over at once; `handle_all` says for each order what went wrong, or None.

    The answer names the messages that failed, and those that cannot be decoded.
    """
    orders: dict[str, _Order] = {}
    failed: dict[str, Exception] = {}
    for record in event["Records"]:
        try:
            orders[record["messageId"]] = decode(record["body"])
        except Exception as error:  # noqa: BLE001 — an unreadable message makes none of its neighbours come again
            failed[record["messageId"]] = error
    errors = handle_all(list(orders.values()))
    failed |= {one: wrong for one, wrong in zip(orders, errors, strict=True) if wrong is not None}
    for message_id, wrong in failed.items():
        _log(message_id, wrong)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _log(message_id: str, error: Exception) -> None:
    logger.warning("message %s failed: %s", message_id, type(error).__name__, exc_info=error)
