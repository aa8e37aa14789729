"""The HTTP API between the outside and the functions: a request becomes its event, and the function's answer a response.

Payload format 2.0 as AWS describes it: names of headers in lower case, those that come twice joined by commas, cookies in a
list, a body as base64 wherever it is no text. What the API itself would refuse (headers over 10,240 bytes, bodies over
10 MB) goes to the functions all the same: they must stand it without the API's help.
"""

import base64
import importlib
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote

HOST = "api.fuzz.example"
Flag = Literal["as it is", "encoded", "broken"]
_TEXTS = ("text/", "application/json", "application/javascript", "application/xml")


@dataclass(frozen=True)
class Asked:
    """A request. `query`: as it stands behind the `?`; `flag`: how the body gets into the event."""

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    flag: Flag = "as it is"

    def header(self, name: str) -> str:
        """Every value of a header, as the API joins them."""
        return ",".join(value for key, value in self.headers if key.lower() == name)


@dataclass(frozen=True)
class Got:
    """A response. `raised`: what the function raised instead of answering; nobody outside sees it."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    raised: str = ""
    faults: tuple[str, ...] = field(default=())

    def header(self, name: str) -> str:
        """The first value of a header."""
        return next((value for key, value in self.headers if key.lower() == name), "")


ROUTES: dict[tuple[str, str], str] = {
    ("POST", "/webhook"): "webhook",
    ("POST", "/events"): "ingest",
    ("POST", "/links"): "link",
    ("GET", "/link/"): "link",
    ("POST", "/link/"): "link",
    ("GET", "/c/"): "click",
    ("HEAD", "/c/"): "click",
}
"""Method and path, or its beginning, → the function. tests/infra/test_openapi.py holds them against the template."""


def function_of(asked: Asked) -> str | None:
    """The function behind a route; None where the API itself answers."""
    for (method, path), name in ROUTES.items():
        begins = path.endswith("/") and asked.path.startswith(path) and len(asked.path) > len(path)
        if method == asked.method and (asked.path == path or begins):
            return name
    return None


def event_of(asked: Asked, number: int) -> dict[str, Any]:
    """The event of payload format 2.0."""
    headers: dict[str, str] = {}
    for name, value in asked.headers:
        key = name.lower()
        headers[key] = f"{headers[key]},{value}" if key in headers else value
    cookies = [part.strip() for part in headers.pop("cookie", "").split(";") if part.strip()]
    http = {"method": asked.method, "path": asked.path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"}
    event = {
        "version": "2.0",
        "rawPath": unquote(asked.path),
        "rawQueryString": asked.query,
        "headers": headers | {"host": HOST},
        "requestContext": {"http": http, "requestId": f"fuzz-{number}", "stage": "$default"},
        **_body(asked, headers.get("content-type", "")),
    }
    return event | ({"cookies": cookies} if cookies else {})


def _body(asked: Asked, kind: str) -> dict[str, Any]:
    if asked.flag == "broken":
        return {"body": "=" + asked.body.decode("latin-1"), "isBase64Encoded": True}
    text = _text(asked.body) if asked.flag == "as it is" and kind.startswith(_TEXTS) else None
    if text is not None:
        return {"body": text, "isBase64Encoded": False}
    return {"body": base64.b64encode(asked.body).decode(), "isBase64Encoded": True}


def _text(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def handler_of(function: str) -> Callable[[dict[str, Any], Any], Any]:
    """A function's handler, as Lambda finds it."""
    handler: Callable[[dict[str, Any], Any], Any] = importlib.import_module(
        f"functions.{function}.handler"
    ).handler
    return handler


def answer(asked: Asked, number: int) -> Got:
    """What comes back, be it from a function or from the API itself."""
    function = function_of(asked)
    if function is None:
        return Got(404, (("content-type", "application/json"),), '{"message":"Not Found"}')
    try:
        with _as_deep_as_lambda():
            told = handler_of(function)(event_of(asked, number), None)
    except Exception:  # noqa: BLE001 — whatever it is: outside it is a 500
        return Got(500, (), '{"message":"Internal Server Error"}', raised=traceback.format_exc(limit=-4))
    return _response(told)


FRAMES_MAX = 1_000
"""Python's own limit, which Hypothesis raises while it works."""


@contextmanager
def _as_deep_as_lambda() -> Iterator[None]:
    """As many frames as a function has that is called by nobody but Lambda."""
    frames, frame = 0, sys._getframe()
    while (before := frame.f_back) is not None:
        frames, frame = frames + 1, before
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(frames + FRAMES_MAX)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def _response(told: Any) -> Got:
    """The function's answer, and whatever the API could not make a response of."""
    if not isinstance(told, dict) or type(told.get("statusCode")) is not int:
        return Got(500, raised=f"no response: {told!r}")
    headers = [(str(name).lower(), value) for name, value in (told.get("headers") or {}).items()]
    headers += [("set-cookie", line) for line in told.get("cookies") or []]
    body = told.get("body", "")
    faults = [f"the header {name} is no text" for name, value in headers if not isinstance(value, str)]
    faults += [f"a line ends within {name}" for name, value in headers if _ends_a_line(str(value))]
    if not isinstance(body, str):
        faults.append("the body is no text")
    return Got(told["statusCode"], tuple((n, str(v)) for n, v in headers), str(body), faults=tuple(faults))


def _ends_a_line(value: str) -> bool:
    return any(sign in value for sign in "\r\n\0")
