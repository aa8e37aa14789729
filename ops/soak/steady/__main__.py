"""`python -m ops.soak.steady`: half an hour at a steady 50 events a second on the embedded engine, while days and nights of
virtual time go by. It ends well where the rate was held and every function's memory is flat, no letter is dead, the accounts
close, and each event is kept once. Writes build/steady.json and build/steady.html."""

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ops.errors import UserError
from ops.local.place import Place
from ops.soak.alone import alone
from ops.soak.concluded import concluded
from ops.soak.steady.outcome import GROWING
from ops.soak.steady.picture import page_of
from ops.soak.steady.report import table_of, write_docs
from ops.soak.steady.run import Wanted, run
from ops.soak.steady.sampling import Sample

OUTPUT = Path("build/steady.json")
PAGE = OUTPUT.with_suffix(".html")
DEFAULTS = Wanted()
PROC = Path("/proc/self/status")


def main() -> int:
    """0 where all is as it must be; 1 where not; 2 where it could not run."""
    given, console = _given(sys.argv[1:]), Console(stderr=True)
    try:
        wanted = _wanted(given)
        with alone(Place()) as place, _bars(console) as bars:
            watch = _Shown(bars, wanted)
            outcome = run(place, wanted, watch.say, watch.sample, watch.show)
    except UserError as error:
        console.print(f"[red]The soak stopped:[/red] {error}")
        return 2
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page_of(outcome), encoding="utf-8")
    console.print(f"[dim]Pictures: {PAGE}; every sample: {OUTPUT}[/dim]")
    if given.write_docs:
        write_docs(outcome)
    return concluded(outcome, table_of(outcome), OUTPUT)


def _given(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ops.soak.steady", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=DEFAULTS.minutes, help=f"of load (default: {DEFAULTS.minutes:g})"
    )
    parser.add_argument(
        "--events-per-second",
        type=float,
        default=DEFAULTS.events_per_second,
        metavar="RATE",
        help=f"four of five from the CRM, the others from LINE (default: {DEFAULTS.events_per_second:g})",
    )
    parser.add_argument(
        "--customers",
        type=int,
        default=DEFAULTS.customers,
        help=f"linked at first (default: {DEFAULTS.customers:,})",
    )
    parser.add_argument(
        "--write-docs", action="store_true", help="put the figures into docs/performance.md, too"
    )
    return parser.parse_args(arguments)


def _wanted(given: argparse.Namespace) -> Wanted:
    """UserError for what cannot be run."""
    if given.minutes <= 0 or given.events_per_second <= 0 or given.customers < 1:
        raise UserError("--minutes, --events-per-second and --customers must be more than nothing.")
    if not PROC.exists():
        raise UserError("memory is read from /proc, which only Linux has: run it there.")
    return Wanted(minutes=given.minutes, events_per_second=given.events_per_second, customers=given.customers)


def _bars(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[told]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console)


class _Shown:
    """What is going on: a bar for the customers, then one for the load with its rate, its lag and its memory."""

    def __init__(self, bars: Progress, wanted: Wanted) -> None:
        self._bars, self._wanted = bars, wanted
        self._linking: TaskID | None = None
        self._load: TaskID | None = None

    def say(self, text: str) -> None:
        """One line above the bars."""
        self._bars.console.print(f"[dim]{text} …[/dim]")

    def show(self, what: str, done: int, total: int) -> None:
        """How many customers are linked."""
        if self._linking is None:
            self._linking = self._bars.add_task(what, total=total, told="")
        self._bars.update(self._linking, completed=done, told=f"{done:,} of {total:,}")

    def sample(self, sample: Sample) -> None:
        """The latest sample."""
        if self._load is None:
            self._load = self._bars.add_task("Load", total=self._wanted.minutes * 60, told="")
        functions = {name: mb for name, mb in sample.memory_mb.items() if name not in GROWING}
        rate = sample.events / max(sample.at_seconds, 1)
        told = (
            f"{rate:.1f} events/s, {sample.late_requests} late, backlog {sample.backlog}, lag {sample.lag_seconds:.1f} s, "
            f"{max(functions, key=functions.__getitem__, default='no worker')} {max(functions.values(), default=0):.0f} MB, "
            f"dead {sum(sample.dead.values())}, {sample.virtual[:16]}"
        )
        self._bars.update(self._load, completed=sample.at_seconds, told=told)


if __name__ == "__main__":
    sys.exit(main())
