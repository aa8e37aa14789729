"""Requests by the wall clock: each goes out when it is due, however long those before it take (an open loop)."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Protocol

import msgspec

LATE_SECONDS = 1.0
"""A request that begins so long after it was due counts as late; it goes out all the same."""
TOGETHER_MAX = 24
"""So many may be on their way at once, three seconds of requests at 50 events a second; one more begins late. More of them
would each start a worker of their own, and keep a machine that is too slow already from ever catching up."""
HELD_SHARE_MIN = 0.98
SLICE_SECONDS = 60.0


class Request(Protocol):
    """What is asked of the deployment at once."""

    @property
    def due_seconds(self) -> float:
        """When, after the beginning."""

    @property
    def events(self) -> int:
        """How many events it brings."""


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """What was offered. `by_minute`: the events of requests that began in each minute and were taken in; the last may be
    shorter than a minute. `refusals` tells of the first few requests that were not."""

    events_per_second: float
    seconds: float
    requests: int
    events: int
    late_requests: int
    latest_seconds: float
    by_minute: list[int]
    refused: int
    refusals: list[str]

    @property
    def held_shares(self) -> list[float]:
        """Of each minute, which share of the wanted rate was offered and taken in."""
        return [
            taken / (self.events_per_second * span)
            for number, taken in enumerate(self.by_minute)
            if (span := min(SLICE_SECONDS, self.seconds - number * SLICE_SECONDS)) > 0
        ]

    @property
    def amiss(self) -> list[str]:
        """One line where there were minutes in which the rate was not held, and one for requests that were refused."""
        short = [
            (share, number + 1) for number, share in enumerate(self.held_shares) if share < HELD_SHARE_MIN
        ]
        unheld = [self._unheld(len(short), *min(short))] if short else []
        refused = [f"{self.refused:,} requests were refused: {'; '.join(self.refusals)}"]
        return unheld + (refused if self.refused else [])

    def _unheld(self, minutes: int, share: float, worst: int) -> str:
        return (
            f"the rate was not held in {minutes} of {len(self.by_minute)} minutes: in minute {worst} {share:.1%} of "
            f"{self.events_per_second:g} events/s were taken in, wanted {HELD_SHARE_MIN:.0%} ({self.late_requests:,} requests "
            "of the run began late): run it on a machine with less to do, or ask for less with --events-per-second"
        )


REFUSALS_TOLD = 3
Post = Callable[[Request], str]
"""Sends a request; why it was refused, empty where it was taken in."""


def _threads() -> Executor:
    return ThreadPoolExecutor(TOGETHER_MAX)


class Generator:
    """Sends requests when they are due. `taken` tells how many events have been taken in so far, `late` of late requests."""

    def __init__(
        self,
        post: Post,
        events_per_second: float,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        pool: Callable[[], Executor] = _threads,
    ) -> None:
        self._post, self._rate, self._seconds = post, events_per_second, seconds
        self._clock, self._sleep, self._pool = clock, sleep, pool
        self._lock = threading.Lock()
        self._by_minute: Counter[int] = Counter()
        self._refusals: list[str] = []
        self._refused = self.requests = self.taken = self.late = 0
        self._latest = 0.0
        self._began = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since the first request could have been due."""
        return self._clock() - self._began

    def run(self, requests: Iterable[Request], until: Callable[[], bool] = lambda: False) -> Offered:
        """Send all that are due within the time, each on its own; return once the last is answered. `until`: stop early."""
        self._began = self._clock()
        with self._pool() as pool:
            for request in requests:
                if request.due_seconds >= self._seconds or until():
                    break
                if (wait := request.due_seconds - self.elapsed) > 0:
                    self._sleep(wait)
                pool.submit(self._send, request)
        return self._offered()

    def _send(self, request: Request) -> None:
        began = self.elapsed
        try:
            refusal = self._post(request)
        except Exception as error:  # noqa: BLE001 — whatever it is, it is told, and the next request goes out
            refusal = f"{type(error).__name__}: {error}"
        with self._lock:
            behind = began - request.due_seconds
            self.requests += 1
            self.late += behind > LATE_SECONDS
            self._latest = max(self._latest, behind)
            if refusal:
                self._refused += 1
                self._refusals = [*self._refusals, refusal][:REFUSALS_TOLD]
            else:
                self.taken += request.events
                self._by_minute[int(began // SLICE_SECONDS)] += request.events

    def _offered(self) -> Offered:
        minutes = max(int(-(-self._seconds // SLICE_SECONDS)), 1)
        by_minute = [self._by_minute[number] for number in range(minutes)]
        # What began after the time was over was due within it, and late.
        return Offered(
            events_per_second=self._rate,
            seconds=self._seconds,
            requests=self.requests,
            events=self.taken,
            late_requests=self.late,
            latest_seconds=round(self._latest, 2),
            by_minute=by_minute,
            refused=self._refused,
            refusals=self._refusals,
        )
