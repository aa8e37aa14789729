"""What must never come of a request, whatever it was."""

import io
import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any
from urllib.parse import urlsplit

import requests
from schemathesis import Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from functions.aws.queues import decode_inbox
from functions.domain.line_events import anonymous_id
from functions.invocation import line_logger
from functions.ports.messages import EventsReceived, LineReceived
from tests.fakes.link_world import LinkWorld
from tests.fuzz.bodies import MARK
from tests.fuzz.changes import Change
from tests.fuzz.deployment import (
    CUSTOMER,
    LOOSE_CUSTOMER,
    LOOSE_USER,
    PEOPLE,
    SECRETS,
    USER,
    Deployment,
    book,
)
from tests.fuzz.front_door import Asked, Got, answer, function_of
from tests.fuzz.requests import AnyCase

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
INSIDE = re.compile(
    r"Traceback|File \"|/var/task|/site-packages|\w\.py\b|botocore|arn:aws|\b[A-Z]\w+(?:Error|Exception)\b"
)
"""What only somebody inside should see."""
OPEN = {"/link/liff.js"}
LEADS_TO = {
    "https://access.line.example",
    "https://shop.example",
    "https://line.example",
}
MEGABYTE, PAGE_BYTES_MAX = 1024 * 1024, 16 * 1024
PEOPLE_OF_TOKENS = [CUSTOMER, LOOSE_CUSTOMER, anonymous_id(USER), anonymous_id(LOOSE_USER)]
WRITES: dict[str, tuple[str, ...]] = {
    "/webhook": ("SendMessageBatch",),
    "/events": ("SendMessageBatch", "PutObject rejected/", "UpdateItem gates/anon:#account#main"),
    "/links": (
        "PutItem identities/attempt#",
        "PutItem identities/code#",
        "PutItem identities/nonce#",
        "PutItem timers/",
    ),
    "/link/callback": ("PutItem identities/once#", "UpdateItem identities/attempt#", "SendMessageBatch"),
    "/link/liff": ("UpdateItem identities/attempt#", "SendMessageBatch"),
    "/link/unlink": ("PutItem identities/once#", "SendMessageBatch"),
    "/link/preferences": ("PutItem identities/once#", "SendMessageBatch"),
    "/c/": ("SendMessageBatch",),
}
"""Path → the beginnings of what a request with a proof may change there. All others change nothing."""


class _Lines(logging.Handler):
    """Every line of the log, with its traces."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(logging.Formatter().format(record))


@contextmanager
def _lines_into(printed: io.StringIO) -> Iterator[None]:
    """The invocation's own line, whose logger keeps hold of the stream that it began with."""
    own = [one for one in line_logger().handlers if isinstance(one, logging.StreamHandler)]
    assert own, "nothing writes the invocation's line"
    before = [one.setStream(printed) for one in own]
    try:
        yield
    finally:
        for one, stream in zip(own, before, strict=True):
            one.setStream(stream or sys.stdout)


class Watcher:
    """Sends requests, and says what was wrong with what came of each."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._world = LinkWorld(book())
        self.requests = 0
        self.by_status: dict[int, int] = {}
        self.proven = 0

    def send(self, asked: Asked) -> tuple[Got, str, list[Change]]:
        """The answer, all that was logged and printed meanwhile, and what was changed."""
        self.requests += 1
        self._deployment.changes.clear()
        lines, printed = _Lines(), io.StringIO()
        root = logging.getLogger()
        before = root.level
        root.addHandler(lines)
        root.setLevel(logging.INFO)
        try:
            with redirect_stdout(printed), redirect_stderr(printed), _lines_into(printed):
                got = answer(asked, self.requests)
        finally:
            root.removeHandler(lines)
            root.setLevel(before)
        self.by_status[got.status] = self.by_status.get(got.status, 0) + 1
        return got, "\n".join([*lines.lines, printed.getvalue()]), list(self._deployment.changes)

    def faults(self, asked: Asked, case: AnyCase | None = None) -> list[str]:
        """Send it, and say everything that should not have come of it."""
        got, log, changes = self.send(asked)
        proven = self._deployment.proofs.of(asked)
        self.proven += proven
        return [
            *got.faults,
            *_of_answer(asked, got, proven=proven),
            *_of_log(log),
            *_of_changes(asked, changes, proven=proven),
            *self._of_work(changes),
            *(_of_description(case, asked, got) if case is not None else ()),
        ]

    def _of_work(self, changes: list[Change]) -> Iterator[str]:
        """What `decide` cannot work on would come again and again, and end among the dead letters."""
        for change in changes:
            for entry in change.given.get("Entries", ()):
                try:
                    self._world._decide(entry["MessageBody"])
                except Exception:  # noqa: BLE001 — whatever it is, the message would die of it
                    yield f"taken in, and nobody can work on it: {traceback.format_exc(limit=-2)}"


def _of_answer(asked: Asked, got: Got, *, proven: bool) -> Iterator[str]:
    if got.status >= 500:
        yield f"{got.status}: {got.raised or got.body}"
    told = "\n".join([got.body, *(f"{name}: {value}" for name, value in got.headers)])
    inside = INSIDE.search(told)
    if inside and inside[0] not in asked.body.decode("utf-8", "replace"):
        yield f"the answer tells of the inside: {inside[0]!r}"
    yield from (f"the answer has the secret {one[:6]}…" for one in SECRETS if one in told)
    if len(told.encode("utf-8", "replace")) > MEGABYTE:
        yield f"an answer of {len(told)} characters; Lambda's has 6 MB at most"
    if "<x-fuzz" in got.body and "text/html" in got.header("content-type"):
        yield "markup of the request stands in the page"
    if not proven:
        yield from (
            f"the answer names {one}" for one in PEOPLE if one in told and one.encode() not in asked.body
        )
        if got.status < 400 and asked.path not in OPEN:
            yield f"{got.status} without a proof"
    if asked.path.startswith("/link/") and any(one in got.body for one in PEOPLE):
        yield "the page names a person"
    if _is_too_long(asked) and got.status not in (413, 401, 404):
        yield f"{got.status} for a body of {len(asked.body)} bytes"
    address = urlsplit(got.header("location"))
    if address.netloc and f"{address.scheme}://{address.netloc}" not in LEADS_TO:
        yield f"it leads to {address.netloc}"


def _is_too_long(asked: Asked) -> bool:
    maximum = MEGABYTE if asked.path in ("/webhook", "/events") else PAGE_BYTES_MAX
    return asked.flag != "broken" and len(asked.body) > maximum and not asked.path.startswith("/c/")


def _of_log(log: str) -> Iterator[str]:
    yield from (f"the log has the secret {one[:6]}…" for one in SECRETS if one in log)
    yield from (f"the log names {one}: {log[:500]}" for one in (*PEOPLE, MARK) if one in log)
    if "Traceback" in log:
        yield f"the log has a trace: {log[-800:]}"


def _of_changes(asked: Asked, changes: list[Change], *, proven: bool) -> Iterator[str]:
    allowed = WRITES.get("/c/" if asked.path.startswith("/c/") else asked.path, ())
    for change in changes:
        told = _told(change)
        if not proven:
            yield f"without a proof it did {told}"
        elif not told.startswith(allowed or ("\0",)):
            yield f"it did {told}"
        elif change.operation == "SendMessageBatch":
            yield from _of_messages(asked, change.given["Entries"])


def _told(change: Change) -> str:
    given = change.given
    if "Key" in given and isinstance(given["Key"], str):
        return f"{change.operation} {given['Key']}"
    row = given.get("Item") or given.get("Key")
    return f"{change.operation} {given['TableName']}/{row['pk']['S']}" if row else change.operation


def _of_messages(asked: Asked, entries: list[dict[str, str]]) -> Iterator[str]:
    """Webhooks become what LINE said; events name whom the request names; pages name whom their token names."""
    for entry in entries:
        message = decode_inbox(entry["MessageBody"])
        if function_of(asked) == "webhook":
            if not isinstance(message, LineReceived):
                yield f"a webhook became {type(message).__name__}"
        elif not isinstance(message, EventsReceived):
            yield f"it became {type(message).__name__}"
        elif message.customer_id not in _may_name(asked):
            yield "events of somebody whom nobody named"


def _may_name(asked: Asked) -> list[Any]:
    if asked.path != "/events":
        return PEOPLE_OF_TOKENS
    said: Any = json.loads(asked.body)
    return [one.get("customer_id") for one in said["events"] if isinstance(one, dict)]


def _of_description(case: AnyCase, asked: Asked, got: Got) -> Iterator[str]:
    """What the answer has, and docs/openapi.json has not."""
    if asked.path != case.operation.path and "{" not in case.operation.path:
        return
    headers: dict[str, list[str]] = {}
    for name, value in got.headers:
        headers.setdefault(name, []).append(value)
    request = requests.Request(asked.method, "https://api.fuzz.example/").prepare()
    response = Response(got.status, headers, got.body.encode("utf-8", "replace"), request, 0.0, verify=False)
    try:
        case.validate_response(response, checks=CHECKS)
    except FailureGroup as group:
        yield from (f"not as described: {one.title}: {one.message[:300]}" for one in group.exceptions)
