"""The HTTP API's event, read: raw body bytes and headers."""

import base64
import json
from typing import Any


def body_of(event: dict[str, Any]) -> bytes:
    """The raw bytes of the request's body."""
    body = event.get("body") or ""
    return base64.b64decode(body) if event.get("isBase64Encoded") else str(body).encode()


def header_of(event: dict[str, Any], name: str) -> str:
    """A header's value, whatever its case; empty where absent."""
    headers = event.get("headers") or {}
    return next((str(value) for key, value in headers.items() if key.lower() == name), "")


def json_answer(status: int, body: dict[str, Any]) -> dict[str, Any]:
    """An answer of the HTTP API."""
    text = json.dumps(body)
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json; charset=utf-8"},
        "body": text,
    }
