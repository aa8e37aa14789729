"""`python -m ops.bench [--only PART] [--write-docs]`: every benchmark, as a table and as `build/bench.json`.

With --only one part of them, and into the documentation only what that part has a table of its own for.
"""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ops.bench import (
    bundles,
    capacity_check,
    clicks,
    cold,
    folding,
    growth,
    kept,
    measuring,
    memory_size,
    report,
    sending,
    sent,
    servers,
    webhooks,
)
from ops.bench.growth import Month
from ops.bench.idle import idle_minute
from ops.bench.measure import Measure
from ops.bench.plan import plan_a_month
from ops.bench.segments import segments

WIDTH = 170
Advance = Callable[[], None]
Step = Callable[[str, int], Advance]


class Findings(msgspec.Struct):
    """What all benchmarks found, row by row, with the counted calls behind it."""

    measures: list[Measure] = []
    months: list[Month] = []
    message_ms: float = 0.0
    counted: kept.Counted = kept.Counted()
    starts: cold.Found | None = None
    details: dict[str, Any] = {}


def measured(only: str = "") -> Findings:
    """All benchmarks, or those of one part, one after the other: side by side they would measure each other."""
    columns = (TextColumn("{task.description:<44}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    found = Findings()
    with Progress(*columns, console=Console(stderr=True)) as bars:

        def step(name: str, steps: int) -> Advance:
            bar = bars.add_task(f"Measuring {name}", total=steps)
            return lambda: bars.advance(bar)

        for name, part in PARTS.items():
            if only in ("", name):
                part(found, step)
    return found


def _messages(found: Findings, step: Step) -> None:
    """What speaks to servers: sending, folding, the webhook; and the bill that follows."""
    with servers.started() as up:
        at_work = sending.prepared(up)
        figures = at_work.figures(step("a delivered message", sending.STEPS))
        found.measures += sent.rows(figures)
        folded = folding.folding(at_work.world, step("an event folded", folding.STEPS))
        found.measures += folding.rows(folded)
        taken = webhooks.taken(at_work.world.environment(), step("the webhook", 1))
        found.measures += webhooks.rows(taken)
        clicked = clicks.clicked(at_work.world.environment(), step("a click", 1))
        found.measures += clicks.rows(clicked)
    idle = idle_minute()
    found.measures += idle
    found.counted = kept.Counted(growth.event_work(folded), figures.full.work, int(idle[0].value))
    event = growth.event_bill(folded)
    found.measures += growth.rows(event, figures.full.bill, figures.common.bill)
    found.months = growth.months(event, figures.full.bill, int(idle[0].value))
    found.message_ms = figures.full.work.billed_ms
    found.details |= {"sending": figures, "folding": folded, "event_bill": event}


def _cold(found: Findings, step: Step) -> None:
    """Cold starts, the memory that follows from them, and what the bundles weigh."""
    starts = cold.measured(step("cold starts", cold.STEPS))
    found.measures += [*cold.rows(starts), *memory_size.rows(starts), *bundles.rows()]
    found.starts = starts
    found.details["cold"] = starts


def _units(found: Findings, step: Step) -> None:
    """The computed units, held once against Amazon's own engine."""
    checked = capacity_check.check_capacity(step("units against DynamoDB Local", capacity_check.ROUNDS + 1))
    found.measures += capacity_check.rows(checked)
    found.details["capacity_check"] = checked


def _plain(found: Findings, step: Step) -> None:
    for name, benchmark in (("segments", segments), ("a forecast of a month", plan_a_month)):
        advance = step(name, 1)
        found.measures += benchmark()
        advance()


def _night(found: Findings, step: Step) -> None:
    days = measuring.measured_days(step("a night's measuring", len(measuring.DAYS)))
    found.measures += measuring.rows(days)
    found.details["measuring"] = days


PARTS: dict[str, Callable[[Findings, Step], None]] = {
    "messages": _messages,
    "cold": _cold,
    "units": _units,
    "plain": _plain,
    "night": _night,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where every budget is kept."""
    parser = argparse.ArgumentParser(
        prog="python -m ops.bench", description="Every benchmark beside its baseline."
    )
    parser.add_argument(
        "--write-docs", action="store_true", help="also write the figures into docs/performance.md"
    )
    parser.add_argument(
        "--only",
        choices=PARTS,
        default="",
        help="one part: messages (and the bill), cold (imports, memory, bundles), units, plain, night",
    )
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # the servers go with it
    found = measured(options.only)
    report.write(report.JSON, report.as_json(found.measures, found.months, found.details))
    if options.write_docs:
        _write_docs(found, whole=not options.only)
    Console(width=max(Console().width, WIDTH)).print(report.table(found.measures))
    return 0 if all(one.ok for one in found.measures) else 1


def _write_docs(found: Findings, *, whole: bool) -> None:
    page = report.PAGE.read_text(encoding="utf-8")
    if found.starts is not None:
        page = report.page_with_cold(page, found.starts)
    if whole:
        page = report.page_with(page, found.measures, found.months, found.message_ms)
        report.write(kept.FILE, kept.as_text(found.counted))
        report.write(report.CHART, growth.chart(found.months))
    report.write(report.PAGE, page)


if __name__ == "__main__":
    sys.exit(main())
