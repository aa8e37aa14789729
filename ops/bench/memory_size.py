"""How much memory each function should have: modelled from measured processor time, requests and peak memory.

Nothing here was measured on Lambda. An invocation takes `processor time ÷ (MB / 1769) + its requests, one after the other, at
assumed latencies`; a cold start the same of all that comes before its answer. The starting of a microVM, the fetching of the
bundle and TLS are left out of both.

The rule: the cheapest million in a warm worker, of the sizes that hold the peak half as large again with what Lambda's own
runtime takes, and that keep the function's bounds.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from infra.memory import MEMORY_MB
from ops.bench import prices
from ops.bench.cold import Found, Start
from ops.bench.measure import Measure

SIZES: Final = (128, 256, 512, 1_024, 1_769)
PEAK_FACTOR: Final = 1.5
RUNTIME_MB: Final = 48
"""Lambda's own runtime, its log and X-Ray's daemon: assumed, with something to spare."""
WAIT_MS: Final[Mapping[str, float]] = {
    "dynamodb": prices.DYNAMODB_MS,
    "sqs": 10.0,
    "secrets": 15.0,
    "s3": prices.S3_MS,
    "line": prices.LINE_MS,
}
"""A request from a Lambda of its region: assumed."""
AT_ONCE: Final[Mapping[tuple[str, str], int]] = {
    ("send", "line"): 10,
    ("evaluate", "sqs"): 8,
    ("load", "sqs"): 8,
}
"""Requests that a function makes at the same time; all others are taken to be one after the other."""
NO_BOUND: Final = float("inf")


class Wanted(msgspec.Struct, frozen=True):
    """What a function must keep, and for whom. `size_mb`: given by another measurement, which `why` names."""

    why: str
    cold_seconds: float = NO_BOUND
    warm_ms: float = NO_BOUND
    size_mb: int = 0


WANTED: Final[Mapping[str, Wanted]] = {
    "webhook": Wanted("LINE waits two seconds: half of them for what is not modelled", cold_seconds=1.0),
    "ingest": Wanted("the CRM's request waits", cold_seconds=1.5),
    "link": Wanted("somebody waits for a page", cold_seconds=0.75),
    "click": Wanted("somebody waits for this before the shop's page", cold_seconds=0.6),
    "decide": Wanted("thanks for a purchase wait for a batch of it", cold_seconds=2.0, warm_ms=500.0),
    "send": Wanted(
        "ten pushes in less than a worker's share of LINE's rate (250 ms)", cold_seconds=2.0, warm_ms=225.0
    ),
    "tick": Wanted(
        "a minute after an outage brings many rows, and was not measured; 256 MB would save 2 cents a month",
        size_mb=512,
    ),
    "insight": Wanted("nobody"),
    "facts": Wanted("nobody, but a shard's batches come one after the other", warm_ms=1_000.0),
    "redrive": Wanted(
        "an operator, at times with thousands of letters, which were not measured", size_mb=512
    ),
    "evaluate": Wanted(
        "keeps ahead of the senders: some 2,800 messages a second (see Throughput)", size_mb=1_024
    ),
    "load": Wanted("a row group of Parquet (tests/ops/test_bench_loading.py)", size_mb=1_024),
    "measure": Wanted("a night's measuring, two cores for DuckDB (above)", size_mb=3_538),
}


class Option(msgspec.Struct, frozen=True):
    """One size for one function: dollars a million in a warm worker, and how long it takes."""

    size_mb: int
    dollars: float
    warm_ms: float
    cold_seconds: float
    keeps: bool


def options(function: str, start: Start) -> list[Option]:
    """Every size that Lambda might be given."""
    return [_option(function, start, size) for size in sorted({*SIZES, MEMORY_MB[function]})]


def _option(function: str, start: Start, size: int) -> Option:
    wanted, share = WANTED[function], min(1.0, size / prices.MEMORY_MB_OF_ONE_VCPU)
    warm = start.warm_ms / share + _waits(function, start.warm_calls)
    cold = (start.cold_ms / share + _waits(function, start.first_calls)) / 1000
    fits = start.peak_mb * PEAK_FACTOR + RUNTIME_MB <= size
    keeps = fits and warm <= wanted.warm_ms and cold <= wanted.cold_seconds and size >= wanted.size_mb
    seconds = prices.MILLION * warm / 1000
    dollars = size / 1024 * seconds * prices.LAMBDA_GB_SECOND + prices.LAMBDA_REQUESTS_MILLION
    return Option(size, dollars, warm, cold, keeps)


def _waits(function: str, calls: Mapping[str, float]) -> float:
    return sum(WAIT_MS[service] * number / AT_ONCE.get((function, service), 1) for service, number in calls.items())  # fmt: skip


def cheapest(every: list[Option]) -> Option | None:
    """The size that the rule gives, the faster of two that cost the same; None where none keeps the bounds."""
    kept = (one for one in every if one.keeps)
    return min(kept, key=lambda one: (round(one.dollars, 3), one.warm_ms), default=None)


def rows(found: Found) -> list[Measure]:
    """Each function at the size that it is deployed with: 1 where it no longer fits or is too slow."""
    measures = []
    for name, start in found.starts.items():
        if not start.first_calls and not start.warm_ms:
            continue  # measured elsewhere
        has = next(one for one in options(name, start) if one.size_mb == MEMORY_MB[name])
        told = f"cold {has.cold_seconds:.2f} s, warm {has.warm_ms:.0f} ms, peak {start.peak_mb:.0f} MB (modelled)"
        measures.append(
            Measure(f"{name} with {has.size_mb} MB: bounds broken", float(not has.keeps), "", 0, told)
        )
    return measures


def table(found: Found) -> str:
    """Dollars a million (and the cold start in seconds) by size, and what is deployed; Markdown."""
    head = ["function", "CPU: cold / warm", "peak", *(f"{size:,} MB" for size in SIZES), "has", "because"]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for name, start in found.starts.items():
        wanted, every = WANTED[name], options(name, start)
        if not start.warm_ms:
            cells = ["–"] * len(SIZES)
        else:
            best = cheapest(every)
            cells = [_cell(one, best) for one in every if one.size_mb in SIZES]
        cpu = (
            f"{start.cold_ms:.0f} / {start.warm_ms:.1f} ms"
            if start.warm_ms
            else f"{start.cold_ms:.0f} ms / –"
        )
        peak = f"{start.peak_mb:.0f} MB" if start.warm_ms else "–"
        lines.append(
            f"| {name} | {cpu} | {peak} | {' | '.join(cells)} | {MEMORY_MB[name]:,} MB | {_because(wanted)} |"
        )
    return "\n".join(lines)


def _cell(one: Option, best: Option | None) -> str:
    """Bold: what the rule gives; struck out: what breaks a bound."""
    mark = "~~" if not one.keeps else "**" if one == best else ""
    return f"{mark}${one.dollars:.2f}, {one.cold_seconds:.1f} s{mark}"


def _because(wanted: Wanted) -> str:
    bounds = []
    if wanted.cold_seconds != NO_BOUND:
        bounds.append(f"cold ≤ {wanted.cold_seconds:g} s")
    if wanted.warm_ms != NO_BOUND:
        bounds.append(f"warm ≤ {wanted.warm_ms:g} ms")
    return f"{wanted.why}{': ' if bounds else ''}{', '.join(bounds)}"
