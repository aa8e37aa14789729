"""Samples at equal distances: memory of each function's largest worker, what the queues hold, and how long an event takes."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from ops.local.queues import WorkQueues, held_in
from ops.soak.steady.processes import Held, processes_of
from ops.stores import Stores


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One look. `memory_mb`: of each function's largest worker, the engine and the sandbox; `workers`: how many of each;
    `queues`, `dead`: messages in whatever state; `lag_seconds`: how old the event is that was stored last of those looked
    for, or that is waited for still: SQS tells the age of its oldest message to CloudWatch alone, which the engine lacks."""

    at_seconds: float
    virtual: str
    events: int
    late_requests: int
    lag_seconds: float
    memory_mb: dict[str, float]
    workers: dict[str, int]
    queues: dict[str, int]
    dead: dict[str, int]

    @property
    def backlog(self) -> int:
        """Messages in all queues."""
        return sum(self.queues.values())


def largest_of(held: Sequence[Held]) -> dict[str, float]:
    """MB of the largest process of each name."""
    largest: dict[str, float] = {}
    for one in held:
        largest[one.name] = round(max(one.resident_mb, largest.get(one.name, 0)), 2)
    return dict(sorted(largest.items()))


class Sampler:
    """Looks at one run. `spent` knows the processor seconds of every process that was ever seen, ended ones included."""

    def __init__(self, run_dir: Path, stores: Stores) -> None:
        self._run_dir, self._stores = run_dir, stores
        self._queues = WorkQueues(stores.target)
        self._spent: dict[int, tuple[str, float, float]] = {}
        self.samples: list[Sample] = []

    def look(self, at_seconds: float, events: int, late: int, virtual: str, lag_seconds: float) -> Sample:
        """One sample, kept."""
        held = self.processes()
        sample = Sample(
            at_seconds=round(at_seconds, 1),
            virtual=virtual,
            events=events,
            late_requests=late,
            lag_seconds=round(lag_seconds, 2),
            memory_mb=largest_of(held),
            workers={name: sum(one.name == name for one in held) for name in sorted({h.name for h in held})},
            queues=self._queues.counts(),
            dead=self.dead(),
        )
        self.samples.append(sample)
        return sample

    def dead(self) -> dict[str, int]:
        """Messages in each dead-letter queue, that of the schedules among them."""
        return {**self._queues.dead(), "Schedules": held_in(self._stores.target, "DeadSchedulesUrl")}

    def processes(self) -> list[Held]:
        """Who is alive; what each has computed is noted."""
        held = processes_of(self._run_dir)
        for one in held:
            _, first, _ = self._spent.get(
                one.process, (one.name, one.cpu_seconds if not self.samples else 0.0, 0.0)
            )
            self._spent[one.process] = (one.name, first, one.cpu_seconds)
        return held

    def cpu_seconds(self) -> dict[str, float]:
        """Processor seconds by name, since the first sample."""
        total: dict[str, float] = defaultdict(float)
        for name, first, last in self._spent.values():
            total[name] += last - first
        return {name: round(seconds, 1) for name, seconds in sorted(total.items())}

    def started(self) -> dict[str, int]:
        """How many processes of each name there ever were."""
        names = [name for name, _, _ in self._spent.values()]
        return {name: names.count(name) for name in sorted(set(names))}


class Lag:
    """How long it takes from the request that brings an event until it is stored: one event after the other is followed.

    `follow` is told of events that were taken in, and takes the next when the last was found.
    """

    def __init__(self, has: Callable[[str, str], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._has, self._clock = has, clock
        self._followed: tuple[str, str, float] | None = None
        self._last = 0.0
        self.most = 0.0

    def follow(self, customer_id: str, event_id: str) -> None:
        """An event that was just taken in; passed over while another is followed."""
        if self._followed is None:
            self._followed = (customer_id, event_id, self._clock())

    def look(self) -> None:
        """Whether the one that is followed is stored by now."""
        if self._followed is None:
            return
        customer_id, event_id, since = self._followed
        self._last = self._clock() - since
        self.most = max(self.most, self._last)
        if self._has(customer_id, event_id):
            self._followed = None

    def seconds(self) -> float:
        """Of the last that was found, or so far of the one that is followed."""
        return self._last
