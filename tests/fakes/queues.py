"""Queues in memory: at least once, delays, partial failures, dead letters."""

import datetime as dt
from collections.abc import Callable, Sequence

import msgspec

from functions.domain.instants import Instant
from functions.domain.sends import Order
from functions.ports.errors import Retryable
from functions.ports.messages import EvaluateOrder, InboxMessage

RECEIVES_MAX = 8


class Waiting(msgspec.Struct):
    """One message in a queue."""

    body: str
    visible_at: Instant
    receives: int = 0


class FakeQueue:
    """First in, first out among what is visible. `refuses` says which of the bodies put next are not taken in."""

    def __init__(self, now: Callable[[], Instant]) -> None:
        self._now = now
        self.waiting: list[Waiting] = []
        self.dead: list[tuple[str, BaseException]] = []
        self.refuses: Callable[[int], bool] | None = None
        self.total = 0

    def put(self, bodies: Sequence[str], seconds: int = 0) -> list[int]:
        """Enqueue; the positions of those taken in. A refusal holds for one call."""
        if not bodies:
            return []
        refuses, self.refuses = self.refuses, None
        taken = [position for position in range(len(bodies)) if not (refuses and refuses(position))]
        visible_at = self._now() + dt.timedelta(seconds=seconds)
        self.waiting += [Waiting(bodies[position], visible_at) for position in taken]
        self.total += len(taken)
        return taken

    def receive(self, pick: Callable[[int], int]) -> Waiting | None:
        """A visible message, which is the receiver's to give back or to forget; None where there is none."""
        visible = [message for message in self.waiting if message.visible_at <= self._now()]
        if not visible:
            return None
        message = visible[pick(len(visible))]
        self.waiting = [other for other in self.waiting if other is not message]
        message.receives += 1
        return message

    def give_back(self, message: Waiting, error: BaseException) -> None:
        """It failed: it comes again, at the end of the queue, or goes to the dead letters."""
        if message.receives >= RECEIVES_MAX:
            self.dead.append((message.body, error))
        else:
            self.waiting.append(message)

    @property
    def next_visible(self) -> Instant | None:
        """When the first message comes up."""
        return min((message.visible_at for message in self.waiting), default=None)


class FakeInbox:
    """The queue in front of `decide`."""

    def __init__(self, queue: FakeQueue) -> None:
        self._queue = queue

    def put(self, messages: Sequence[InboxMessage]) -> None:
        """Enqueue all; Retryable where some were not taken in."""
        bodies = [msgspec.json.encode(message).decode() for message in messages]
        if len(self._queue.put(bodies)) < len(bodies):
            raise Retryable("some messages were not enqueued")


class FakeSendQueue:
    """The queue in front of `send`."""

    def __init__(self, queue: FakeQueue) -> None:
        self._queue = queue

    def put(self, orders: Sequence[Order]) -> list[str]:
        """The send ids that were taken in."""
        taken = self._queue.put([msgspec.json.encode(order).decode() for order in orders])
        return [orders[position].send_id for position in taken]

    def put_later(self, order: Order, seconds: int) -> None:
        """Enqueue a copy that comes up later."""
        assert 0 <= seconds <= 900, f"SQS delays a message by 900 seconds at most, not by {seconds}"
        self._queue.put([msgspec.json.encode(order).decode()], seconds)


class FakeContinuation:
    """The queue in front of `evaluate`."""

    def __init__(self, queue: FakeQueue) -> None:
        self._queue = queue

    def again(self, order: EvaluateOrder) -> None:
        """Go on in a new invocation."""
        self._queue.put([msgspec.json.encode(order).decode()])
