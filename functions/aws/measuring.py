"""The queue in front of `measure`."""

import msgspec

from functions.aws.queues import Queue
from functions.ports.messages import MeasureDay


def measure_body(order: MeasureDay) -> str:
    """An order as the measure queue has it, whoever puts it there. The day is always told: null is the last that is over."""
    return msgspec.json.encode({"measure": order.measure, "first": order.first}).decode()


def decode_measure(body: str) -> MeasureDay:
    """A message of the measure queue; msgspec.ValidationError where it is none."""
    told = msgspec.json.decode(body)
    if not isinstance(told, dict) or "measure" not in told:
        raise msgspec.ValidationError("this is no order to measure")
    return msgspec.convert(told, MeasureDay)


class SqsMeasureContinuation:
    """The measure queue, for days that one invocation has no time for."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def again(self, order: MeasureDay) -> None:
        """Go on with this in a new invocation."""
        self._queue.put_later(measure_body(order), 0)
