"""`python -m ops.bench`: every benchmark, as a table and as `build/bench.json`."""

import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ops.bench.idle import idle_minute
from ops.bench.measure import Measure
from ops.bench.plan import plan_a_month
from ops.bench.segments import segments

OUTPUT = Path("build/bench.json")
WIDTH = 150
BENCHMARKS: dict[str, Callable[[], list[Measure]]] = {
    "an idle minute": idle_minute,
    "segments": segments,
    "a forecast of a month": plan_a_month,
}


def measured() -> list[Measure]:
    """All benchmarks, one after the other: side by side they would measure each other."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<44}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    found: list[Measure] = []
    with Progress(*columns, console=console) as bars:
        bar = bars.add_task("", total=len(BENCHMARKS))
        for name, benchmark in BENCHMARKS.items():
            bars.update(bar, description=f"Measuring {name}")
            found += benchmark()
            bars.advance(bar)
    return found


def _table(measures: list[Measure]) -> Table:
    table = Table("what", "measured", "budget", "kept", "beside it, in the same run", title="Benchmarks")
    for one in measures:
        table.add_row(
            one.name,
            f"{one.value:,.4g} {one.unit}",
            f"≤ {one.limit:,.4g}",
            "[green]yes[/green]" if one.ok else "[red]no[/red]",
            one.baseline,
        )
    return table


def main() -> int:
    """0 where every budget is kept."""
    measures = measured()
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "name": m.name,
            "value": m.value,
            "unit": m.unit,
            "limit": m.limit,
            "ok": m.ok,
            "baseline": m.baseline,
        }
        for m in measures
    ]
    machine = {"python": platform.python_version(), "machine": platform.machine()}
    OUTPUT.write_text(json.dumps({"on": machine, "measures": rows}, indent=2) + "\n", encoding="utf-8")
    Console(width=max(Console().width, WIDTH)).print(_table(measures))
    return 0 if all(one.ok for one in measures) else 1


if __name__ == "__main__":
    sys.exit(main())
