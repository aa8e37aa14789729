"""CRM events by HTTP and by the bus: parse what came, one call, map the answer."""

import logging
from typing import Any

from functions.aws.event_bus import decode_bus
from functions.http_events import body_of, header_of, json_answer
from functions.ingest.wiring import failure_notes, ingest
from functions.invocation import told
from functions.ports.errors import Retryable
from functions.sqs_batches import answer_batch

logger = logging.getLogger(__name__)


@told
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """POST /events, where 503 asks the caller to send the same request again; or an SQS batch of the bus."""
    if "Records" in event:
        return answer_batch(
            event, context, lambda body: ingest().take(decode_bus(body)), failure_notes().keep
        )
    try:
        answer = ingest().ingest(body_of(event), header_of(event, "authorization"))
    except Retryable as error:
        logger.warning("events not taken in: %s", error)
        return json_answer(503, {"message": f"Not taken in; send the same request again. ({error})"})
    return json_answer(answer.status, answer.body)
