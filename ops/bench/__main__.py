"""`python -m ops.bench [--write-docs]`: every benchmark, as a table and as `build/bench.json`."""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ops.bench import (
    capacity_check,
    clicks,
    folding,
    growth,
    imports,
    kept,
    measuring,
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


class Findings(msgspec.Struct):
    """What all benchmarks found, row by row, with the counted calls behind it."""

    measures: list[Measure] = []
    months: list[Month] = []
    message_ms: float = 0.0
    counted: kept.Counted = kept.Counted()
    details: dict[str, Any] = {}


def measured() -> Findings:
    """All benchmarks, one after the other: side by side they would measure each other."""
    columns = (TextColumn("{task.description:<44}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    found = Findings()
    with Progress(*columns, console=Console(stderr=True)) as bars:

        def step(name: str, steps: int) -> Advance:
            bar = bars.add_task(f"Measuring {name}", total=steps)
            return lambda: bars.advance(bar)

        _messages(found, step)
        _imports(found, step)
        _units(found, step)
        _plain(found, step)
        days = measuring.measured_days(step("a night's measuring", len(measuring.DAYS)))
        found.measures += measuring.rows(days)
        found.details["measuring"] = days
    return found


def _messages(found: Findings, step: Callable[[str, int], Advance]) -> None:
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


def _imports(found: Findings, step: Callable[[str, int], Advance]) -> None:
    found.measures += imports.rows(imports.imported(step("imports", imports.REPETITIONS + 1)))


def _units(found: Findings, step: Callable[[str, int], Advance]) -> None:
    """The computed units, held once against Amazon's own engine."""
    checked = capacity_check.check_capacity(step("units against DynamoDB Local", capacity_check.ROUNDS + 1))
    found.measures += capacity_check.rows(checked)
    found.details["capacity_check"] = checked


def _plain(found: Findings, step: Callable[[str, int], Advance]) -> None:
    for name, benchmark in (("segments", segments), ("a forecast of a month", plan_a_month)):
        advance = step(name, 1)
        found.measures += benchmark()
        advance()


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where every budget is kept."""
    parser = argparse.ArgumentParser(
        prog="python -m ops.bench", description="Every benchmark beside its baseline."
    )
    parser.add_argument(
        "--write-docs", action="store_true", help="also write the figures into docs/performance.md"
    )
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # the servers go with it
    found = measured()
    report.write(report.JSON, report.as_json(found.measures, found.months, found.details))
    if options.write_docs:
        page = report.PAGE.read_text(encoding="utf-8")
        report.write(report.PAGE, report.page_with(page, found.measures, found.months, found.message_ms))
        report.write(kept.FILE, kept.as_text(found.counted))
        report.write(report.CHART, growth.chart(found.months))
    Console(width=max(Console().width, WIDTH)).print(report.table(found.measures))
    return 0 if all(one.ok for one in found.measures) else 1


if __name__ == "__main__":
    sys.exit(main())
