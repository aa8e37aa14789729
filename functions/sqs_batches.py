"""Partial batch responses: one bad message makes none of its neighbours come again."""

import logging
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

logger = logging.getLogger(__name__)


def answer_batch(event: dict[str, Any], context: Any, handle: Callable[[str], None]) -> dict[str, Any]:
    """Call `handle` with each message's body; the answer names the messages whose handling raised.

    A failure is logged by its kind and message id, never with the payload.
    """

    def handle_record(record: SQSRecord) -> None:
        try:
            handle(record.body)
        except Exception as error:
            logger.warning("message %s failed: %s", record.message_id, type(error).__name__, exc_info=error)
            raise

    # The local engine kills a worker whose handler raises; AWS needs no exception either, the list is enough.
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    answer = process_partial_response(
        event=event, record_handler=handle_record, processor=processor, context=context
    )
    return dict(answer)
