"""The queues in front of the functions."""

from collections.abc import Sequence
from typing import Protocol

from functions.domain.sends import Order
from functions.ports.messages import EvaluateOrder, InboxMessage, MeasureDay

SECONDS_IN_HAND = 4.0
"""With less than this left an invocation begins no other page: enough to do one, and to hand over."""


class Inbox(Protocol):
    """The queue in front of `decide`."""

    def put(self, messages: Sequence[InboxMessage]) -> None:
        """Enqueue all. Raises Retryable, with what was enqueued left there, where some could not be."""


class SendQueue(Protocol):
    """The queues in front of `send`, one a lane."""

    def put(self, orders: Sequence[Order]) -> list[str]:
        """Enqueue; the send ids that were taken in. What the batch answers list as failed is tried again, bounded."""

    def put_later(self, order: Order, seconds: int) -> None:
        """Enqueue a copy that comes up after so many seconds (at most 900)."""


class Continuation(Protocol):
    """The queue in front of `evaluate`."""

    def again(self, order: EvaluateOrder) -> None:
        """Go on with this in a new invocation."""


class MeasureContinuation(Protocol):
    """The queue in front of `measure`."""

    def again(self, order: MeasureDay) -> None:
        """Go on with this in a new invocation."""
