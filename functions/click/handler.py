"""Tracked links: parse the HTTP event, one call, map the answer."""

import logging
from typing import Any

from functions.click.flow import Visit, trouble
from functions.click.wiring import follow
from functions.http_events import header_of
from functions.invocation import told

logger = logging.getLogger(__name__)

PURPOSES = ("purpose", "sec-purpose", "x-purpose", "x-moz")


@told
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """GET and HEAD /c/{token}. 503 where it cannot be told now whether the link is ours."""
    request = event.get("requestContext", {})
    visit = Visit(
        method=str(request.get("http", {}).get("method", "")),
        token=str(event.get("rawPath", "")).rpartition("/")[2],
        request_id=str(request.get("requestId", "")),
        user_agent=header_of(event, "user-agent"),
        purposes=tuple(header_of(event, name) for name in PURPOSES),
        accept_language=header_of(event, "accept-language"),
    )
    try:
        answer = follow().answer(visit)
    except Exception as error:  # noqa: BLE001 — whatever keeps us from the keys, a person waits for a page
        logger.error("a link cannot be checked (%s)", type(error).__name__)  # noqa: TRY400 — a trace may quote it
        answer = trouble(503, "later", visit.accept_language)
    return {"statusCode": answer.status, "headers": dict(answer.headers), "body": answer.body}
