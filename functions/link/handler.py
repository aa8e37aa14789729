"""The link function: parse the HTTP event, one call, map the answer."""

from typing import Any

from functions.http_events import request_parts
from functions.invocation import told
from functions.link.answers import Request
from functions.link.wiring import link


@told
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """POST /links, and everything under /link/."""
    answer = link().answer(Request(**request_parts(event)))
    return {
        "statusCode": answer.status,
        "headers": dict(answer.headers),
        "cookies": list(answer.cookies),
        "body": answer.body,
    }
