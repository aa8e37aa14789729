"""A worker's share of LINE's rate: calls go no faster than that, so that all workers together stay below the limit."""

import threading
import time
from collections.abc import Callable

BURST_SECONDS = 0.25
"""So much of an idle moment may be made up for: a worker calls LINE once a batch, and in between it waits for tables and
computes for about so long. All workers' bursts together are a quarter of LINE's own bucket."""


class Pace:
    """A token bucket that starts empty: each call waits for its token, in the order in which they came.

    `per_second`: this worker's share. Threads of one worker share the bucket.
    """

    def __init__(
        self,
        per_second: float,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        if per_second <= 0:
            raise ValueError(f"a rate of {per_second} a second lets nothing pass; LINE's limits are above 0")
        self._between = 1 / per_second
        self._monotonic = monotonic
        self._sleep = sleep
        self._next = monotonic() + self._between
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when this call may go."""
        with self._lock:
            now = self._monotonic()
            mine = max(self._next, now - BURST_SECONDS)
            self._next = mine + self._between
        if mine > now:
            self._sleep(mine - now)
