"""How fast a campaign goes, and how long a notification waits behind it: a model of the send lanes in virtual time.

The buckets are the real ones: each worker has the production `Pace`, LINE has the sandbox's `TokenBucket`. All else is an
assumption, named in `Lanes` and listed in docs/performance.md:

- Lambda starts five workers of a lane at once and five more a second, up to the lane's concurrency; each is cold once.
- A worker does one batch after the other: receive, read and reserve, compute, claim, call LINE, record. A batch of ten
  is pushed side by side; a multicast order has 500 people, its tables are asked in as many calls as DynamoDB takes.
- Computing is never side by side with waiting, and a message of a multicast costs as much of it as a push: both are
  worse than the truth.
- The campaign's list is frozen and in the queue when it begins. Nothing fails: failures are what the fault simulator
  is for.
- A notification has gone through `ingest`, `decide` and two queues before the send lane; that is one constant.
"""

import argparse
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from typing import Any, Self

from functions.line.pacing import Pace
from ops.line_sandbox.buckets import LINE_RATES, Rate, TokenBucket

BATCH = 10
"""Messages of an invocation (infra/send.py)."""
MULTICAST_PEOPLE = 500
GET_MAX, STATEMENTS_MAX = 100, 25
"""What DynamoDB takes in one BatchGetItem and one BatchExecuteStatement."""
POLLERS_FIRST, POLLERS_SECOND = 5, 5
"""SQS event sources: five pollers at first, 300 more a minute (AWS Lambda's guide)."""
MB_A_CORE = 1_769
MESSAGE_CPU_MS = 1.3
"""The sender's budget: 1.0 above a bare push, which takes 0.3 (docs/performance.md)."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """A deployment and what is assumed of the services around it. The first four are the template's defaults.

    `cpu_ms`: processor a message, of a whole core. `wait_in_one_queue`: notifications stand in the campaign's queue.
    `whole_limit_each`: every worker takes LINE's limit for its own. The last two are how it must not be.
    """

    send_workers: int = 10
    bulk_workers: int = 40
    pushes_second: float = LINE_RATES["push"].requests
    multicasts_second: float = LINE_RATES["multicast"].requests
    memory_mb: int = 512
    cpu_ms: float = MESSAGE_CPU_MS
    line_seconds: float = 0.1
    dynamodb_seconds: float = 0.005
    receive_seconds: float = 0.03
    cold_seconds: float = 2.0
    before_seconds: float = 0.5
    wait_in_one_queue: bool = False
    whole_limit_each: bool = False

    @property
    def computing_seconds(self) -> float:
        """How long a message computes on so small a share of a core."""
        return self.cpu_ms / 1000 * max(1.0, MB_A_CORE / self.memory_mb)


@dataclass(frozen=True, slots=True)
class Load:
    """What is to be sent. Notifications come at random all along, and `burst` of them at once every half minute."""

    recipients: int
    multicast: bool = False
    notifications_second: float = 100.0
    burst: int = 500
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """`seconds` until LINE has accepted the campaign; `refused` by its buckets; `waits` of the notifications, sorted."""

    recipients: int
    seconds: float
    pushed: int
    refused: int
    waits: list[float]

    def wait(self, share: float) -> float:
        """The wait that so large a share of the notifications does not exceed."""
        return self.waits[min(len(self.waits) - 1, math.ceil(share * len(self.waits)) - 1)]

    @property
    def told(self) -> str:
        """One line."""
        return (
            f"{self.recipients:,} in {self.seconds:.0f} s ({self.recipients / self.seconds:,.0f}/s; "
            f"pushes in all {self.pushed / self.seconds:,.0f}/s), {self.refused:,} × 429; notifications wait "
            f"{self.wait(0.5):.2f} s (p50) {self.wait(0.99):.2f} (p99) {self.wait(1):.2f} (max of {len(self.waits):,})"
        )


@dataclass(slots=True)
class Worker:
    """One environment: time passes in it by sleeping."""

    lane: "deque[float]"
    now: float
    push: Pace = field(init=False)
    multicast: Pace = field(init=False)

    @classmethod
    def of(cls, lanes: Lanes, lane: "deque[float]", now: float) -> Self:
        """A worker with its share of LINE's rates, which starts now."""
        worker = cls(lane, now)
        parts = 1 if lanes.whole_limit_each else lanes.send_workers + lanes.bulk_workers
        worker.push = Pace(lanes.pushes_second / parts, lambda: worker.now, worker.sleep)
        worker.multicast = Pace(lanes.multicasts_second / parts, lambda: worker.now, worker.sleep)
        return worker

    def sleep(self, seconds: float) -> None:
        """Nothing else happens in it meanwhile."""
        self.now += seconds


CAMPAIGN = -1.0
"""A message of the campaign in its queue. A notification is the instant at which its event was posted."""
BURST_EVERY_SECONDS = 30.0


class Throughput:
    """One campaign, from its first message to its last, as a queue of what happens next."""

    def __init__(self, lanes: Lanes, load: Load) -> None:
        self._lanes, self._load = lanes, load
        self._left = math.ceil(load.recipients / MULTICAST_PEOPLE) if load.multicast else load.recipients
        self._bulk = deque([CAMPAIGN] * self._left)
        self._prompt = self._bulk if lanes.wait_in_one_queue else deque[float]()
        self._pushes = TokenBucket(Rate(lanes.pushes_second), 0.0)
        self._multicasts = TokenBucket(Rate(lanes.multicasts_second), 0.0)
        self._random = random.Random(load.seed)
        self._next_burst = BURST_EVERY_SECONDS
        self._happening: list[tuple[float, int, Callable[[float, Any], None], Any]] = []
        self._number = 0
        self._idle: list[Worker] = []
        self._waits: list[float] = []
        self._seconds, self._pushed, self._refused = 0.0, 0, 0

    def run(self) -> Outcome:
        """Until every message of the campaign is with LINE."""
        for lane, workers in (
            (self._prompt, self._lanes.send_workers),
            (self._bulk, self._lanes.bulk_workers),
        ):
            for number in range(workers):
                ready = max(0.0, (number + 1 - POLLERS_FIRST) / POLLERS_SECOND) + self._lanes.cold_seconds
                self._at(ready, self._work, Worker.of(self._lanes, lane, ready))
        self._at(0.0, self._post, None)
        while self._left:
            at, _, happens, subject = heappop(self._happening)
            happens(at, subject)
        return Outcome(self._load.recipients, self._seconds, self._pushed, self._refused, sorted(self._waits))

    def _at(self, at: float, happens: Callable[[float, Any], None], subject: Any) -> None:
        self._number += 1
        heappush(self._happening, (at, self._number, happens, subject))

    def _post(self, at: float, _nothing: None) -> None:
        """Events that bring a notification each, and when the next ones come."""
        many = self._load.burst if at >= self._next_burst else 1
        if many > 1:
            self._next_burst += BURST_EVERY_SECONDS
        for _ in range(many):
            self._at(at + self._lanes.before_seconds, self._arrive, at)
        self._at(at + self._random.expovariate(self._load.notifications_second), self._post, None)

    def _arrive(self, at: float, posted: float) -> None:
        """A notification is in its lane: a worker that waits for one takes it."""
        self._prompt.append(posted)
        if self._idle and self._idle[-1].lane is self._prompt:
            self._at(at + self._lanes.receive_seconds, self._work, self._idle.pop())

    def _work(self, at: float, worker: Worker) -> None:
        """A batch, if there is one: its calls are on their way, and the worker is free when the last is recorded."""
        lane = worker.lane
        if not lane:
            if lane is self._prompt:
                self._idle.append(worker)
            return
        if self._load.multicast and lane[0] == CAMPAIGN:
            lane.popleft()
            done = self._order(worker, at)
        else:
            done = self._batch(worker, at, [lane.popleft() for _ in range(min(BATCH, len(lane)))])
        self._at(done + self._lanes.receive_seconds, self._work, worker)

    def _batch(self, worker: Worker, at: float, messages: list[float]) -> float:
        """Read, reserve, compute, claim; push side by side; record."""
        lanes = self._lanes
        begin = at + 3 * lanes.dynamodb_seconds + len(messages) * lanes.computing_seconds
        last = begin
        for message in messages:
            worker.now = begin
            worker.push.wait()
            last = max(last, worker.now)
            self._at(worker.now + lanes.line_seconds / 2, self._call, message)
        return last + lanes.line_seconds + lanes.dynamodb_seconds

    def _order(self, worker: Worker, at: float) -> float:
        """The same for a multicast order: more calls of tables, and one of LINE."""
        lanes = self._lanes
        before = 2 * MULTICAST_PEOPLE / GET_MAX + MULTICAST_PEOPLE / STATEMENTS_MAX
        worker.now = at + before * lanes.dynamodb_seconds + MULTICAST_PEOPLE * lanes.computing_seconds
        worker.multicast.wait()
        self._at(worker.now + lanes.line_seconds / 2, self._call_multicast, None)
        return worker.now + lanes.line_seconds + MULTICAST_PEOPLE / STATEMENTS_MAX * lanes.dynamodb_seconds

    def _call(self, at: float, message: float) -> None:
        """A push arrives at LINE. What is refused comes no more: one refusal fails the proof."""
        if self._pushes.take(at):
            self._pushed += 1
        else:
            self._refused += 1
        if message == CAMPAIGN:
            self._ended(at)
        else:
            self._waits.append(at - message)

    def _call_multicast(self, at: float, _nothing: None) -> None:
        if not self._multicasts.take(at):
            self._refused += 1
        self._ended(at)

    def _ended(self, at: float) -> None:
        self._left -= 1
        self._seconds = at


FULL = 700_000
"""The goal's campaign."""
LOADS = {
    "multicast": Load(FULL, multicast=True),
    "pushes": Load(FULL),
    "pushes, both lanes full": Load(FULL, notifications_second=380, burst=1),
}


def main() -> None:
    """One line for each load."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.throughput", description=__doc__)
    parser.add_argument("--recipients", type=int, default=FULL)
    parser.add_argument("--cpu-ms", type=float, default=MESSAGE_CPU_MS, help="processor a message")
    parser.add_argument("--send-workers", type=int, default=Lanes().send_workers)
    parser.add_argument("--bulk-workers", type=int, default=Lanes().bulk_workers)
    options = parser.parse_args()
    lanes = Lanes(send_workers=options.send_workers, bulk_workers=options.bulk_workers, cpu_ms=options.cpu_ms)
    for name, load in LOADS.items():
        outcome = Throughput(lanes, replace(load, recipients=options.recipients)).run()
        print(f"{name:<25}{outcome.told}")


if __name__ == "__main__":
    main()
