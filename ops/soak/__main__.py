"""`python -m ops.soak`: the whole storm, with a table and `build/soak.json` at its end."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from ops.errors import UserError
from ops.local.place import Place
from ops.soak.alone import alone
from ops.soak.concluded import concluded, table_of
from ops.soak.storm import FAULTS, Outcome, run

OUTPUT = Path("build/soak.json")
SENDS = 5000


def main() -> int:
    """0 where every message was accepted once and the accounts close; 1 where not; 2 where the storm could not run."""
    parser = argparse.ArgumentParser(prog="python -m ops.soak", description=__doc__)
    parser.add_argument("--sends", type=int, default=SENDS, help=f"how many messages (default: {SENDS:,})")
    sends = parser.parse_args().sends
    console = Console(stderr=True)
    try:
        with alone(Place()) as place, _bars(console) as bars:
            outcome = run(place, sends, lambda text: console.print(f"[dim]{text} …[/dim]"), _shown_by(bars))
    except UserError as error:
        console.print(f"[red]The storm stopped:[/red] {error}")
        return 2
    return concluded(outcome, _table(outcome), OUTPUT)


def _bars(console: Console) -> Progress:
    columns = (TextColumn("{task.description:<34}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)


def _shown_by(bars: Progress) -> Callable[[str, int, int], None]:
    tasks: dict[str, TaskID] = {}

    def show(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = bars.add_task(what, total=total)
        bars.update(tasks[what], completed=done)

    return show


def _table(outcome: Outcome) -> Table:
    kept, wall = outcome.accounts, outcome.wall_seconds
    share = {rule.kind: rule.share or 0 for rule in FAULTS}
    rows = {
        "messages wanted": f"{outcome.sends:,}",
        "accepted by LINE": f"{outcome.accepted:,}",
        "second copies": f"{outcome.copies:,}",
        "calls to LINE": f"{outcome.calls:,}, {outcome.multicasts:,} of them multicasts",
        **{
            f"  {kind} (wanted {share[kind]:.0%})": f"{count:,} = {count / max(outcome.calls, 1):.1%}"
            for kind, count in sorted(outcome.faults.items())
            if kind in share
        },
        "send workers killed": f"{outcome.workers_killed:,}",
        "dead letters put back": f"{outcome.dead_letters_put_back:,}",
        "accounts": f"targeted {kept.targeted:,} = sent {kept.sent:,} + suppressed {sum(kept.suppressed.values()):,} "
        f"+ failed {kept.failed:,} + unknown {kept.unknown:,} (pending {kept.pending:,})",
        "virtual hours": f"{outcome.virtual_hours:.1f}",
        "wall seconds": f"{sum(wall.values()):,.0f} ({', '.join(f'{name} {took:,.0f}' for name, took in wall.items())})",
    }
    return table_of("The storm", rows)


if __name__ == "__main__":
    sys.exit(main())
