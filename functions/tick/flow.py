"""tick: what is due in this minute, and in the few before it, goes back into the queues."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from functions.domain.instants import MINUTE, Instant, minute_of
from functions.ports.errors import Retryable
from functions.ports.messages import CustomerDue, InboxMessage, LinkAttemptDue
from functions.ports.queues import Inbox, SendQueue
from functions.ports.timers import DueRow, Timers

LOOK_BACK = dt.timedelta(minutes=5)
"""A row may be written into a bucket that was just read, and an invocation may come late."""


@dataclass(frozen=True, slots=True)
class Tick:
    """The ports of this flow. `watch` looks after what no timer row stands for."""

    timers: Timers
    inbox: Inbox
    send_queue: SendQueue
    now: Callable[[], Instant]
    watch: Callable[[], None] = lambda: None

    def run(self, scheduled_at: Instant) -> int:
        """Enqueue all that is due in the buckets around this instant; how many rows.

        A row is taken away only after it is enqueued: a crash between brings it twice, never not at all.
        Raises Retryable where a queue did not take everything.
        """
        count, now = 0, self.now()
        minute = minute_of(scheduled_at - LOOK_BACK)
        while minute <= scheduled_at:
            rows = list(self.timers.due_in(minute, now))
            if rows:
                self._enqueue(rows)
                count += len(rows)
            minute += MINUTE
        self.watch()
        return count

    def _enqueue(self, rows: list[DueRow]) -> None:
        to_inbox = [row for row in rows if row.order is None]
        self.inbox.put([_message(row) for row in to_inbox])
        self.timers.done(to_inbox)
        held = [(row, row.order) for row in rows if row.order is not None]
        taken = set(self.send_queue.put([order for _, order in held]))
        self.timers.done([row for row, order in held if order.send_id in taken])
        if len(taken) < len({order.send_id for _, order in held}):
            raise Retryable("the send queue did not take every held order; the rest stays in its bucket")


def _message(row: DueRow) -> InboxMessage:
    if row.link_attempt:
        return LinkAttemptDue(row.link_attempt, row.due)
    return CustomerDue(row.customer_id, row.due)
