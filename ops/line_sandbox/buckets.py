"""Rate limits: a token bucket for each endpoint and method, on monotonic time."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

HOUR_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in so many seconds; the bucket holds as many."""

    requests: float
    seconds: float = 1.0


DEFAULT_RATE = Rate(2000)
LINE_RATES: Mapping[str, Rate] = MappingProxyType(
    {
        "push": DEFAULT_RATE,
        "reply": DEFAULT_RATE,
        "multicast": Rate(200),
        "narrowcast": Rate(60, HOUR_SECONDS),
        "broadcast": Rate(60, HOUR_SECONDS),
        "insight/aggregation": Rate(60, HOUR_SECONDS),
    }
)


class TokenBucket:
    """Starts full, refills evenly, and gives one token a request."""

    def __init__(self, rate: Rate, now_seconds: float) -> None:
        self._capacity = max(rate.requests, 1.0)
        self._tokens_per_second = rate.requests / rate.seconds
        self._tokens = self._capacity
        self._filled_at = now_seconds

    def take(self, now_seconds: float) -> bool:
        """Whether there was a token to take."""
        refill = (now_seconds - self._filled_at) * self._tokens_per_second
        self._tokens = min(self._capacity, self._tokens + refill)
        self._filled_at = now_seconds
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


class RateLimits:
    """The buckets of one channel. A refused request costs no token, an accepted retry does."""

    def __init__(
        self, monotonic: Callable[[], float], *, scale: float = 1.0, rates: Mapping[str, Rate] = LINE_RATES
    ) -> None:
        self._monotonic = monotonic
        self._rates = rates
        self._scale = scale
        self._buckets: dict[tuple[str, str], TokenBucket] = {}
        self._lock = threading.Lock()

    def allow(self, endpoint: str, method: str) -> bool:
        """Take one token of the endpoint's bucket; False where it is empty."""
        with self._lock:
            now_seconds = self._monotonic()
            bucket = self._buckets.get((endpoint, method))
            if bucket is None:
                bucket = self._buckets[endpoint, method] = TokenBucket(self._scaled(endpoint), now_seconds)
            return bucket.take(now_seconds)

    def restart(self, scale: float) -> None:
        """Full buckets at LINE's rates times `scale`."""
        with self._lock:
            self._scale = scale
            self._buckets.clear()

    def _scaled(self, endpoint: str) -> Rate:
        rate = self._rates.get(endpoint, DEFAULT_RATE)
        return Rate(rate.requests * self._scale, rate.seconds)
