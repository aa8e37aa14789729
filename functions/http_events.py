"""The HTTP API's event, read: raw body bytes and headers."""

import base64
import json
from typing import Any
from urllib.parse import parse_qs


def body_of(event: dict[str, Any]) -> bytes:
    """The raw bytes of the request's body; none where it says that it is base64 and is not."""
    body = str(event.get("body") or "")
    if not event.get("isBase64Encoded"):
        return body.encode("utf-8", "replace")
    try:
        return base64.b64decode(body)
    except ValueError:
        return b""


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


FIELDS_MAX = 100


def request_parts(event: dict[str, Any]) -> dict[str, Any]:
    """Method, path, query, form, cookies, body and the headers that a page's request may need, by name.

    A query that names something twice, and what is no form, read as if it were not there.
    """
    body, http = body_of(event), event.get("requestContext", {}).get("http", {})
    return {
        "method": str(http.get("method", "")),
        "path": str(event.get("rawPath", "")),
        "query": {
            name: values[0]
            for name, values in _fields(event.get("rawQueryString", "")).items()
            if len(values) == 1
        },
        "form": _fields(body.decode("utf-8", "replace")) if _is_form(event) else {},
        "cookies": _cookies(event),
        "body": body,
        "authorization": header_of(event, "authorization"),
        "accept_language": header_of(event, "accept-language"),
    }


def _is_form(event: dict[str, Any]) -> bool:
    kind = header_of(event, "content-type").partition(";")[0].strip().lower()
    return kind == "application/x-www-form-urlencoded"


def _fields(text: str) -> dict[str, list[str]]:
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        return {}


def _cookies(event: dict[str, Any]) -> dict[str, str]:
    """The first of each name: the API lists them, a server that stands for it may leave them in the header."""
    lines = event.get("cookies") or header_of(event, "cookie").split(";")
    pairs = [line.strip().partition("=") for line in lines]
    return {name: value for name, _, value in reversed(pairs) if name}
