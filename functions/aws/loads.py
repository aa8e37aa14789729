"""What loads note in the bucket: their state under `loads/`, errors and reports beside the file's own key."""

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from functions.aws.objects import Objects
from functions.aws.queues import Queue
from functions.aws.stored import decoded, encoded
from functions.domain.instants import format_instant
from functions.domain.loads import INCOMING, Load
from functions.domain.snapshots import Snapshot
from functions.load.reading import UnreadableFile
from functions.load.windows import ErrorLine
from functions.ports.errors import Conflict
from functions.ports.messages import LoadOrder

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

ERRORS = "incoming-errors/"
_load = msgspec.json.Decoder(Load)
TRIES_MAX = 10
_keys = msgspec.json.Decoder(list[str])
_snapshot = msgspec.json.Decoder(Snapshot)
_lines = msgspec.json.Decoder(list[ErrorLine])


class S3File:
    """One version of an object, read by ranges."""

    def __init__(self, client: "S3Client", bucket: str, load: Load) -> None:
        self._client = client
        self._named: Any = {"Bucket": bucket, "Key": load.key}
        if load.version and not load.version.startswith('"'):
            self._named["VersionId"] = load.version
        self.size = load.size

    def read(self, start: int, length: int) -> bytes:
        """So many bytes from there on; fewer at the end."""
        end = min(start + length, self.size) - 1
        try:
            found = self._client.get_object(**self._named, Range=f"bytes={start}-{end}")
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchVersion", "404"):
                raise UnreadableFile("the file was taken away before it was loaded; drop it again.") from None
            raise
        body = found["Body"].read()
        # The embedded engine gives the whole of an older version, whatever range is asked for.
        return body if found.get("ContentRange") else body[start : end + 1]


class S3Loads:
    """Each load an object; one for each fingerprint says who had it first, and one for each window with faults."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def begin(self, load: Load) -> Load:
        """The load as it was begun first."""
        if self._objects.write_new(_state(load.load_id), msgspec.json.encode(load)):
            return load
        found = self.find(load.load_id)
        if found is None:
            raise Conflict(f"load {load.load_id} was begun by another worker and is not readable yet")
        return found[0]

    def find(self, load_id: str) -> tuple[Load, str] | None:
        """The load as far as it is, and the tag of that."""
        found = self._objects.read_tagged(_state(load_id))
        return (decoded(_load, found[0]), found[1]) if found else None

    def checkpoint(self, load: Load, tag: str) -> str:
        """Write on condition that the object still is what it was at `tag`; Conflict otherwise."""
        written = self._objects.write_over_tagged(_state(load.load_id), encoded(load), tag)
        if written is None:
            raise Conflict(f"load {load.load_id} was moved on by another worker")
        return written

    def first_with(self, fingerprint: str, load_id: str) -> str:
        """Written on condition that nobody had it; whoever is written there had it first."""
        key = f"loads/content/{fingerprint}"
        if self._objects.write_new(key, load_id.encode()):
            return load_id
        return (self._objects.read(key) or load_id.encode()).decode()

    def keep_errors(self, load: Load, lines: Sequence[ErrorLine]) -> None:
        """One object a window, named by its number."""
        if lines:
            self._objects.write(f"{_pages(load)}{load.windows:08}.json", msgspec.json.encode(lines))

    def finish(self, load: Load) -> None:
        """`incoming-errors/<the key>.csv` where there is anything to tell, and `….report.json` always."""
        beside = ERRORS + load.key.removeprefix(INCOMING)
        if load.rejected or load.refused:
            self._objects.write(f"{beside}.csv", self._error_file(load))
        self._objects.write(f"{beside}.report.json", msgspec.json.encode(report_of(load)))

    def all(self) -> list[Load]:
        """Every load that is still on record, the latest last."""
        found = [self._objects.read(key) for key in self._objects.keys("loads/state/")]
        return sorted((_load.decode(body) for body in found if body), key=lambda load: load.began_at)

    def _error_file(self, load: Load) -> bytes:
        text = io.StringIO(newline="")
        rows = csv.writer(text)
        rows.writerow(("row", "column", "code", "reason"))
        for key in self._objects.keys(_pages(load)):
            rows.writerows(
                (one.row, one.column, one.code, one.reason)
                for one in _lines.decode(self._objects.read(key) or b"[]")
            )
        if load.rejected > load.told:
            rows.writerow(("", "", "more", f"{load.rejected - load.told:,} further rows were rejected."))
        if load.refused:
            rows.writerow(("", "", "refused", load.refused))
        return text.getvalue().encode("utf-8-sig")


class S3Snapshots:
    """Pages of customer ids under `loads/keys/<load>/<run>/`, and the last full snapshot of each source."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def put_page(self, load_id: str, run: str, number: int, keys: Sequence[str]) -> None:
        """One object a page."""
        self._objects.write(_page(load_id, run, number), msgspec.json.encode(keys))

    def page(self, load_id: str, run: str, number: int) -> list[str] | None:
        """A page; None behind the last one."""
        body = self._objects.read(_page(load_id, run, number))
        return None if body is None else _keys.decode(body)

    def last(self, source: str) -> Snapshot | None:
        """The last full snapshot of a source."""
        body = self._objects.read(_last(source))
        return None if body is None else _snapshot.decode(body)

    def move_on(self, source: str, snapshot: Snapshot) -> None:
        """Written on condition that what is there is of an earlier day, and was not changed since it was read."""
        for _ in range(TRIES_MAX):
            found = self._objects.read_tagged(_last(source))
            if found is not None and _snapshot.decode(found[0]).as_of >= snapshot.as_of:
                return
            body = msgspec.json.encode(snapshot)
            key = _last(source)
            if self._objects.write_over(key, body, found[1]) if found else self._objects.write_new(key, body):
                return
        raise Conflict(f"the last snapshot of {source} changes all the time")


def _page(load_id: str, run: str, number: int) -> str:
    return f"loads/keys/{load_id}/{run}/{number:06}.json"


def _last(source: str) -> str:
    return f"loads/snapshots/{source}.json"


def report_of(load: Load) -> dict[str, Any]:
    """What became of a file, for whoever dropped it."""
    return {
        "load": load.load_id,
        "file": load.key,
        "version": load.version,
        "source": load.drop.source,
        "kind": load.drop.kind,
        "state": load.state,
        "why": load.refused,
        "same_as": load.same_as,
        "rows": load.rows,
        "taken": load.taken,
        "rejected": load.rejected,
        "causes": load.causes,
        "tombstones": load.tombstones,
        "kept_back": load.kept_back,
        "began_at": format_instant(load.began_at),
        "ended_at": format_instant(load.ended_at) if load.ended_at else None,
        "watermark": format_instant(load.watermark) if load.watermark else None,
    }


def _state(load_id: str) -> str:
    return f"loads/state/{load_id}.json"


def _pages(load: Load) -> str:
    return f"loads/errors/{load.load_id}/"


class SqsLoadContinuation:
    """The queue in front of `load`."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def again(self, order: LoadOrder) -> None:
        """Go on with this in a new invocation."""
        self._queue.put_later(msgspec.json.encode(order).decode(), 0)
