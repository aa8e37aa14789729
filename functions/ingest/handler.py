"""CRM events by HTTP: parse the HTTP event, one call, map the answer."""

import logging
from typing import Any

from functions.http_events import body_of, header_of, json_answer
from functions.ingest.wiring import ingest
from functions.ports import Retryable

logger = logging.getLogger(__name__)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """POST /events. 503 asks the caller to send the same request again."""
    try:
        answer = ingest().ingest(body_of(event), header_of(event, "authorization"))
    except Retryable as error:
        logger.warning("events not taken in: %s", error)
        return json_answer(503, {"message": f"Not taken in; send the same request again. ({error})"})
    return json_answer(answer.status, answer.body)
