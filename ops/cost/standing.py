"""What a month costs whoever sends nothing, and what follows each message afterwards; held to the template by a test.

Counted here, not measured: alarms, secrets and keys are there all the time; facts and the night's measuring are billed by
what their functions are given and the longest that `make bench` lets them take.
"""

from typing import Final

from ops.bench import prices
from ops.bench.bill import Work, billed_ms

ALARMS: Final = 55
METRICS: Final = 20
DASHBOARDS: Final = 1
SECRETS: Final = 4
KEYS: Final = 1
"""At least as many as the template has."""

QUEUES: Final = 8
POLLERS: Final = 5
POLL_SECONDS: Final = 20
"""Lambda asks a queue of which nothing comes by five connections, each waiting twenty seconds."""
SECONDS_A_MONTH: Final = 30 * 24 * 3600
EMPTY_RECEIVES: Final = QUEUES * POLLERS * SECONDS_A_MONTH // POLL_SECONDS

STREAMS: Final = 3
GATHERED_SECONDS: Final = 120
TOGETHER_MAX: Final = 2_000
"""`facts` is called with so many changes at most, or once in so many seconds (infra/facts.py)."""
FACT_MS: Final = 0.1
FACT_BYTES: Final = 150
YEAR_MONTHS: Final = 12
"""Processor time and kept bytes of a fact: assumed; facts of a year."""

TRACED_SHARE: Final = 0.05
TRACED_A_SECOND: Final = 1
"""X-Ray's own rule: the first request of each second, and a twentieth of the others."""

NIGHTS: Final = 30
MEASURE_MB: Final = 3_538
NIGHT_SECONDS: Final = 5.0
NIGHT_SECONDS_MILLION: Final = 60.0
"""A night's measuring: what it takes anyway, assumed; and for a million messages at most (ops/bench/measuring.py)."""
NIGHT_PUTS: Final = 60


def facts_work(changes: float) -> Work:
    """A month of so many changes, all together, of the three tables that are followed."""
    windows = STREAMS * SECONDS_A_MONTH / GATHERED_SECONDS
    invocations = max(changes / TOGETHER_MAX, min(changes, windows))
    milliseconds = invocations * billed_ms(0, 0, 0, 1) + changes * billed_ms(FACT_MS, 0, 0)
    return Work(invocations=invocations, billed_ms=milliseconds, s3_puts=invocations)


def nights_gb_seconds(messages: float) -> float:
    """GB-seconds of a month's nights."""
    seconds = NIGHTS * NIGHT_SECONDS + messages / prices.MILLION * NIGHT_SECONDS_MILLION
    return seconds * MEASURE_MB / 1024


def traces(invocations: float) -> float:
    """Recorded of so many invocations in a month."""
    first = min(invocations, float(SECONDS_A_MONTH * TRACED_A_SECOND))
    return first + TRACED_SHARE * (invocations - first)
