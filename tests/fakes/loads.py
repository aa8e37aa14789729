"""Loads of dropped files, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from functions.domain.loads import Load
from functions.domain.snapshots import Snapshot
from functions.load.windows import ErrorLine
from functions.ports.errors import Conflict
from functions.ports.messages import LoadOrder
from tests.fakes.encoded import kept, read
from tests.fakes.queues import FakeQueue


class FakeLoads:
    """States, kept encoded; each checkpoint takes the tag of the one before."""

    def __init__(self) -> None:
        self._states: dict[str, bytes] = {}
        self._versions: dict[str, int] = {}
        self._content: dict[str, str] = {}
        self._errors: dict[tuple[str, int], list[ErrorLine]] = {}
        self.finished: dict[str, Load] = {}
        self.checkpoints = 0

    def begin(self, load: Load) -> Load:
        """The first."""
        return msgspec.json.decode(self._states.setdefault(load.load_id, kept(load, Load)), type=Load)

    def find(self, load_id: str) -> tuple[Load, str] | None:
        """As far as it is."""
        body = self._states.get(load_id)
        version = self._versions.get(load_id, 0)
        return (msgspec.json.decode(body, type=Load), str(version)) if body else None

    def checkpoint(self, load: Load, tag: str) -> str:
        """Only over that tag."""
        if str(self._versions.get(load.load_id, 0)) != tag:
            raise Conflict("moved on")
        self._states[load.load_id] = kept(load, Load)
        self._versions[load.load_id] = int(tag) + 1
        self.checkpoints += 1
        return str(int(tag) + 1)

    def first_with(self, fingerprint: str, load_id: str) -> str:
        """Whoever came first."""
        return self._content.setdefault(fingerprint, load_id)

    def keep_errors(self, load: Load, lines: Sequence[ErrorLine]) -> None:
        """A window's."""
        if lines:
            self._errors[load.load_id, load.windows] = list(lines)

    def finish(self, load: Load) -> None:
        """The report."""
        self.finished[load.key] = load

    def errors(self, load: Load) -> list[ErrorLine]:
        """The lines of the error file."""
        return [
            line
            for (name, _), lines in sorted(self._errors.items())
            if name == load.load_id
            for line in lines
        ]

    def all(self) -> list[Load]:
        """Every load."""
        return [msgspec.json.decode(body, type=Load) for body in self._states.values()]


class FakeSnapshots:
    """Pages of ids, and the last snapshot of each source."""

    def __init__(self) -> None:
        self._pages: dict[tuple[str, str, int], bytes] = {}
        self._last: dict[str, Snapshot] = {}
        self.longest = 0

    def put_page(self, load_id: str, run: str, number: int, keys: Sequence[str]) -> None:
        """Keep it."""
        assert list(keys) == sorted(set(keys))
        self.longest = max(self.longest, len(keys))
        self._pages[load_id, run, number] = kept(list(keys), list[str])

    def page(self, load_id: str, run: str, number: int) -> list[str] | None:
        """A page."""
        return read(self._pages.get((load_id, run, number)), list[str])

    def last(self, source: str) -> Snapshot | None:
        """The last one."""
        return self._last.get(source)

    def move_on(self, source: str, snapshot: Snapshot) -> None:
        """Only to a later day."""
        last = self._last.get(source)
        if last is None or last.as_of < snapshot.as_of:
            self._last[source] = snapshot


@dataclass
class FakeFile:
    """Bytes, read by ranges. `longest`: the most that was asked for at once."""

    body: bytes
    longest: int = 0

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.body)

    def read(self, start: int, length: int) -> bytes:
        """A range."""
        assert 0 <= start < len(self.body)
        self.longest = max(self.longest, length)
        return self.body[start : start + length]


class FakeLoadContinuation:
    """Puts the order back into the queue."""

    def __init__(self, queue: FakeQueue) -> None:
        self._queue = queue

    def again(self, order: LoadOrder) -> None:
        """Once more."""
        self._queue.put([msgspec.json.encode(order).decode()])
