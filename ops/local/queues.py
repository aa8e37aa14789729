"""Whether the queues still hold work, and waiting until they do not."""

import time
from typing import TYPE_CHECKING

from ops.engine.errors import StalledError
from ops.target import Target

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.literals import QueueAttributeNameType

POLL_SECONDS = (0.005, 0.1)
# The longer the queues have worked already, the less often they are asked: asking takes the workers' own processor.
POLL_SHARE = 0.05
STALL_SECONDS = 120.0
# A message that moves on between the reads of two queues is seen in neither: once is not enough.
IDLE_READS = 2
QUEUES = ("Load", "Bus", "Inbox", "Send", "Bulk", "Evaluate", "Measure")
# Waiting, being worked on, and delayed.
COUNTS: tuple["QueueAttributeNameType", ...] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class WorkQueues:
    """The queues of a deployment, read in the order in which work travels through them."""

    def __init__(self, target: Target, stall_seconds: float = STALL_SECONDS) -> None:
        self._sqs: SQSClient = target.client("sqs")
        self._urls = {name: target.output(f"Queue{name}Url") for name in QUEUES}
        self._dead_urls = {name: target.output(f"Dead{name}Url") for name in QUEUES}
        self._stall_seconds = stall_seconds

    def settle(self) -> None:
        """Return once every queue is empty on two reads in a row.

        StalledError after `stall_seconds` in which no count changed.
        """
        idle, seen, deadline, began = 0, ("", -1), 0.0, time.monotonic()
        held: tuple[str, int] | None = None
        while idle < IDLE_READS:
            held = self._still_held(held) or self._first_held()
            if held is None:
                idle += 1
                continue
            if held != seen:
                seen, deadline = held, time.monotonic() + self._stall_seconds
            elif time.monotonic() > deadline:
                raise StalledError(self._explain())
            idle = 0
            shortest, longest = POLL_SECONDS
            time.sleep(max(shortest, min(longest, (time.monotonic() - began) * POLL_SHARE)))

    def counts(self) -> dict[str, int]:
        """Messages each queue holds, in whatever state."""
        return {name: self._count(url) for name, url in self._urls.items()}

    def dead(self) -> dict[str, int]:
        """Messages each dead-letter queue holds."""
        return {name: self._count(url) for name, url in self._dead_urls.items()}

    def _still_held(self, held: tuple[str, int] | None) -> tuple[str, int] | None:
        """The queue that held something when it was asked last, where it does so still: until it is empty there is no
        need to ask the others."""
        name = held[0] if held else ""
        count = self._count(self._urls[name]) if name else 0
        return (name, count) if count else None

    def _first_held(self) -> tuple[str, int] | None:
        """The first queue, in the order of work, that holds anything: reading on would tell nothing more."""
        for name, url in self._urls.items():
            if count := self._count(url):
                return name, count
        return None

    def _count(self, url: str) -> int:
        return _count(self._sqs, url)

    def _explain(self) -> str:
        held = ", ".join(f"{name.lower()} {count}" for name, count in self.counts().items() if count)
        dead = ", ".join(f"{name.lower()} {count}" for name, count in self.dead().items() if count)
        return (
            f"The queues have not moved for {self._stall_seconds:.0f} s (messages held: {held}; "
            f"dead letters: {dead or 'none'}). See `musubi dlq list` and the engine's log."
        )


def held_in(target: Target, output: str) -> int:
    """Messages that one queue, named by an output of the stack, holds in whatever state."""
    return _count(target.client("sqs"), target.output(output))


def _count(sqs: "SQSClient", url: str) -> int:
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=COUNTS)["Attributes"]
    return sum(int(found[name]) for name in COUNTS)
