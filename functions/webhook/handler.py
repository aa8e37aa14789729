"""LINE's webhook: parse the HTTP event, one call, map the answer."""

import logging
from typing import Any

from functions.http_events import body_of, header_of, json_answer
from functions.invocation import told
from functions.ports.errors import Retryable
from functions.webhook.wiring import receive

logger = logging.getLogger(__name__)


@told
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """POST /webhook. 503 asks LINE to deliver again."""
    try:
        answer = receive().receive(body_of(event), header_of(event, "x-line-signature"))
    except Retryable as error:
        logger.warning("webhook not taken in: %s", error)
        return json_answer(503, {"message": "try again"})
    return json_answer(answer.status, {"message": answer.message})
