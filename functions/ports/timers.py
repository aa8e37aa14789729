"""What waits for its time."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from functions.domain.instants import Instant
from functions.domain.sends import Intent, Order


class DueRow(msgspec.Struct, frozen=True):
    """A timer row: a customer to wake, what goes back into a send queue, or an attempt to link. `key` is the row's own."""

    key: tuple[str, str]
    due: Instant
    customer_id: str = ""
    order: Order | None = None
    link_attempt: str = ""

    @property
    def intent(self) -> Intent | None:
        """The order, where it is a single message."""
        return self.order if isinstance(self.order, Intent) else None


class Timers(Protocol):
    """Due work, in buckets of a minute."""

    def arm(self, customer_id: str, due: Instant, now: Instant) -> None:
        """Wake this customer at `due`, or now if that is past."""

    def hold(self, order: Order, until: Instant, now: Instant) -> None:
        """Take this order up again at `until`."""

    def look_at_link(self, attempt_id: str, due: Instant, now: Instant) -> None:
        """Look at `due` whether this attempt to link was taken up."""

    def due_in(self, minute: Instant, now: Instant) -> Iterable[DueRow]:
        """The rows of one minute's buckets that are due by `now`, read consistently."""

    def done(self, rows: Sequence[DueRow]) -> None:
        """Take away rows that were enqueued when they were due."""

    def taken(self, row: DueRow) -> None:
        """Take away a row that was enqueued before it was due, unless its order waits for the same instant again."""
