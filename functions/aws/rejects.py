"""Events that were not taken in, under `rejected/<day>/<digest>.json`: kept for repair, and taken out once they are mended."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from functions.aws.objects import Objects
from functions.domain.instants import Instant, format_instant, parse_instant
from functions.domain.rejects import Rejection

PREFIX = "rejected/"
EMPTY_BYTES_MAX = 90
"""An object of which nothing is left is smaller than that, and one that holds anything is not: no fault is told so shortly."""


class S3RejectedEvents:
    """One object a request, named by its instant and content: a repeat of the request is kept once."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def keep(self, rejected: list[dict[str, Any]], received_at: Instant) -> None:
        """Keep raw events with their faults: `{"index", "event_id", "code", "message", "event"}` each."""
        digest = hashlib.sha256(json.dumps(rejected, sort_keys=True).encode()).hexdigest()[:16]
        self._objects.write(f"{PREFIX}{received_at:%Y/%m/%d}/{digest}.json", _body(rejected, received_at))

    def all(self) -> Iterator["RejectedBatch"]:
        """Every object, the oldest day first."""
        for key in self._objects.keys(PREFIX):
            batch = self.read(key)
            if batch is not None:
                yield batch

    def waits_since(self, before: Instant) -> bool:
        """Whether anything that came before that day is neither mended nor given up. It lists, and reads nothing."""
        end = f"{PREFIX}{before:%Y/%m/%d}/"
        for key, size in self._objects.sized(PREFIX):
            if key >= end:
                return False
            if size > EMPTY_BYTES_MAX:
                return True
        return False

    def read(self, key: str) -> "RejectedBatch | None":
        """One object; None where it is gone."""
        found = self._objects.read_tagged(key)
        return None if found is None else RejectedBatch(key, found[1], json.loads(found[0]))

    def replace(self, batch: "RejectedBatch", rest: list[dict[str, Any]]) -> bool:
        """Keep only these of a batch, on condition that nobody changed it since it was read; whether that was done.

        An object of which nothing is left stays, empty, until it ages out: a delete knows no condition.
        """
        return self._objects.write_over(batch.key, _body(rest, batch.received_at), batch.tag)


class RejectedBatch:
    """What one request had rejected. `entries` as they were kept."""

    def __init__(self, key: str, tag: str, kept: dict[str, Any]) -> None:
        self.key = key
        self.tag = tag
        self.received_at = parse_instant(kept["received_at"])
        self.entries: list[dict[str, Any]] = kept["rejected"]

    @property
    def rejections(self) -> list[Rejection]:
        """Each as a value, in its place."""
        return [
            Rejection(
                self.key, place, self.received_at, str(one["code"]), str(one["message"]), one.get("event")
            )
            for place, one in enumerate(self.entries)
        ]


def _body(rejected: list[dict[str, Any]], received_at: Instant) -> bytes:
    # Escaped JSON: what was rejected may hold text that cannot be written as UTF-8.
    return json.dumps({"received_at": format_instant(received_at), "rejected": rejected}).encode()
