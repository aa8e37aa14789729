"""What holds for the whole account, and who is told of it."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from functions.domain.account import Account, Block
from functions.domain.alerts import Alert
from functions.domain.breaker import Counts
from functions.domain.instants import Instant
from functions.domain.money import Count, LineUsage
from functions.domain.watermarks import LoadNote


class Measures(Protocol):
    """Numbers that alarms watch."""

    def count(self, name: str, number: int) -> None:
        """Say how many there are now."""


class AccountState(Protocol):
    """What holds for the whole account; seconds old."""

    def read(self) -> Account:
        """What is blocked, and when each source was last heard of."""

    def block(self, block: Block) -> None:
        """Send nothing of this scope and these kinds until then; of two with the same reason the longer stays."""

    def lift(self, block: Block) -> bool:
        """Take this block away, unless it was renewed to another end meanwhile; whether it was there."""

    def heard_from(self, source: str, at: Instant) -> None:
        """Note that events of this source were received; what is noted may be a minute older."""

    def note_load(self, source: str, note: LoadNote, rows_within: float | None) -> None:
        """Note that a file of this source was loaded, once however often (functions/domain/watermarks.py)."""


class Allowances(Protocol):
    """Counters of the messages that were reserved: one of each month, and one of each campaign run with a budget.

    A counter is named as in `functions/domain/money.py`; one that nobody has written yet stands at zero.
    """

    def count(self, counter: str) -> Count:
        """What a counter holds, read consistently."""

    def reserve(
        self, counter: str, units: int, used_max: int | None, told_at: Instant | None, now: Instant
    ) -> tuple[bool, Count]:
        """Add units, on condition that `used` then is at most `used_max` (None: whatever it is) and that LINE has said
        nothing since `told_at`, on which `used_max` rests. Whether that was done, and what the counter holds now."""

    def release(self, counter: str, units: int) -> None:
        """Take units off again, on condition that so many are counted. What cannot be taken off stays counted."""

    def begin_asking(self, counter: str, now: Instant, every: dt.timedelta) -> Count | None:
        """Take it on to ask LINE, where nobody has within `every`; what the counter holds. None: somebody else does."""

    def note(self, counter: str, usage: LineUsage, asked: Count, now: Instant) -> None:
        """Keep what LINE said, unless something newer is known. `asked`: what the counter held before LINE was asked."""

    def correct(self, counter: str, seen: Count, used: int) -> bool:
        """Set `used`, on condition that nobody reserved or gave back since `seen`; whether that was done."""


class Reactions(Protocol):
    """How people react to what was sent, counted by scope (`campaign:…`, `scenario:…`, `segment:…`) and by Japan's day."""

    def count_sent(self, scopes: Mapping[str, int], at: Instant) -> None:
        """So many messages of each scope were sent. A hint: it may be lost, and is counted once at most; never raises."""

    def count_block(self, event_id: str, sent: Mapping[str, Instant]) -> bool:
        """Somebody blocked the account after what was sent at these instants. An event counts once; whether it did now.
        Raises Conflict where others count all the time."""

    def counts(self, scopes: Iterable[str], days: Sequence[str]) -> dict[str, Counts]:
        """What is counted of each scope on these days (at most 20), read consistently."""

    def forgive(self, scope: str, days: Sequence[str], at: Instant) -> None:
        """Count from here on as if nothing had been sent or blocked on these days so far."""


class Bell(Protocol):
    """Where people hear of what is off."""

    def ring(self, alerts: Sequence[Alert]) -> None:
        """Tell of these alerts, all at once. Retryable where nobody could be told."""
