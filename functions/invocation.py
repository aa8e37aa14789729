"""The one line that an invocation writes, whatever the size of its batch.

It is JSON by Powertools' logger: the function, the request, how long it took and how much memory it has had, what it took and
what it gave on. By what is given and taken a message is followed from the webhook to the push: what one function gave, another
took under the same name. Message ids of SQS and send ids name no person.
"""

import resource
import threading
import time
from collections.abc import Callable, Iterable
from functools import cache, wraps
from typing import Any

from aws_lambda_powertools import Logger

NAMED_MAX = 50
"""Names a line: an evaluation gives on thousands of messages, which its run names (`musubi sends`)."""

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


class Line:
    """What has been noted since the line before. Threads may note side by side; invocations of one process never overlap."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: dict[str, list[str]] = {"took": [], "gave": []}
        self._numbers: dict[str, int] = {}
        self._is_cold = True

    def take(self, names: Iterable[str], failed: int) -> None:
        """Messages that were taken up, and how many of them come again."""
        self._note("took", list(names))
        self._add("failed", failed)

    def give(self, names: Iterable[str]) -> None:
        """Messages that were put into a queue."""
        self._note("gave", list(names))

    def write(self, seconds: float, request_id: str, error: str) -> None:
        """Write the line, and begin the next. `error`: the type of what was raised; empty where nothing was."""
        with self._lock:
            told = {
                "request_id": request_id,
                "cold_start": self._is_cold,
                "milliseconds": round(seconds * 1_000),
                "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_024,
                **({"error": error} if error else {}),
                **self._numbers,
                **{kind: names for kind, names in self._names.items() if names},
            }
            self._names, self._numbers, self._is_cold = {"took": [], "gave": []}, {}, False
        line_logger().info("invocation", extra=told)

    def _note(self, kind: str, names: list[str]) -> None:
        with self._lock:
            self._names[kind] += names[: NAMED_MAX - len(self._names[kind])]
        self._add(f"{kind}_all", len(names))

    def _add(self, kind: str, number: int) -> None:
        with self._lock:
            self._numbers[kind] = self._numbers.get(kind, 0) + number


LINE = Line()
"""This process's."""


def told(handler: Handler) -> Handler:
    """A handler whose every invocation ends in its line, also where it raises."""

    @wraps(handler)
    def with_line(event: dict[str, Any], context: Any) -> dict[str, Any]:
        begun, error = time.perf_counter(), ""
        try:
            return handler(event, context)
        except Exception as raised:
            error = type(raised).__name__
            raise
        finally:
            LINE.write(time.perf_counter() - begun, getattr(context, "aws_request_id", ""), error)

    return with_line


@cache
def line_logger() -> Logger:
    """Its service is POWERTOOLS_SERVICE_NAME; a line says neither where in the code it was written nor the local time."""
    return Logger(utc=True, location=None)
