"""Counters of reserved messages in memory, and a LINE that tells its quota."""

import datetime as dt
import threading
from collections.abc import Callable

import msgspec

from functions.domain.instants import Instant
from functions.domain.money import Count, LineUsage
from functions.ports.errors import MusubiError, Retryable
from tests.fakes.encoded import kept, read


class FakeAllowances:
    """Counters by name; each change is one step that nobody interrupts. `writes` counts them, the refused ones too."""

    def __init__(self) -> None:
        self._bodies: dict[str, bytes] = {}
        self._asked_at: dict[str, Instant] = {}
        self._lock = threading.Lock()
        self.writes = 0

    def count(self, counter: str) -> Count:
        """What a counter holds."""
        return read(self._bodies.get(counter), Count) or Count()

    def reserve(
        self, counter: str, units: int, used_max: int | None, told_at: Instant | None, now: Instant
    ) -> tuple[bool, Count]:
        """Add units on condition."""
        with self._lock:
            self.writes += 1
            count = self.count(counter)
            if count.told_at != told_at or (used_max is not None and count.used + units > used_max):
                return False, count
            return True, self._change(counter, used=count.used + units, reserved_at=now)

    def release(self, counter: str, units: int) -> None:
        """Take units off on condition."""
        with self._lock:
            self.writes += 1
            count = self.count(counter)
            if count.used >= units:
                self._change(counter, used=count.used - units)

    def begin_asking(self, counter: str, now: Instant, every: dt.timedelta) -> Count | None:
        """Note who asks."""
        with self._lock:
            self.writes += 1
            asked_at = self._asked_at.get(counter)
            if asked_at is not None and now - asked_at < every:
                return None
            self._asked_at[counter] = now
            return self.count(counter)

    def note(self, counter: str, usage: LineUsage, asked: Count, now: Instant) -> None:
        """Keep LINE's word unless there is a newer one."""
        with self._lock:
            self.writes += 1
            told_at = self.count(counter).told_at
            if told_at is None or told_at < now:
                self._change(
                    counter,
                    line_total=usage.used,
                    line_limit=usage.limit,
                    used_then=asked.used,
                    beyond=asked.beyond,
                    told_at=now,
                )

    def correct(self, counter: str, seen: Count, used: int) -> bool:
        """Set what is used on condition."""
        with self._lock:
            count = self.count(counter)
            if (count.used, count.reserved_at) != (seen.used, seen.reserved_at):
                return False
            self._change(counter, used=used, used_then=max(0, seen.used_then + used - seen.used))
            return True

    def _change(self, counter: str, **fields: object) -> Count:
        count = msgspec.structs.replace(self.count(counter), **fields)
        self._bodies[counter] = kept(count, Count)
        return count


class FakeLineQuota:
    """LINE's answer to how much of the month is used; `fails` instead of answering. `asked` counts the questions;
    `meanwhile` happens while LINE is asked."""

    def __init__(self, limit: int | None = None, used: int = 0) -> None:
        self.limit, self.used = limit, used
        self.error: MusubiError | None = None
        self.meanwhile: Callable[[], object] = lambda: None
        self.asked = 0

    def usage(self) -> LineUsage:
        """The limit and the use."""
        self.asked += 1
        self.meanwhile()
        if self.error:
            raise self.error
        return LineUsage(self.limit, self.used)

    def fail(self) -> None:
        """LINE does not answer from now on."""
        self.error = Retryable("LINE tells no quota")
