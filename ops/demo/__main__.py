"""`python -m ops.demo`: run the demo and show what it came to."""

import sys
from pathlib import Path

from rich.console import Console

from ops.demo.measured import write_reports
from ops.demo.report import write
from ops.demo.run import run, taken_down
from ops.errors import UserError
from ops.local.place import Place

FOLDER = Path("build/demo")


def main() -> int:
    """0 when all five scenarios sent, the accounts close, nobody got a copy, all is explained and every figure of the
    reports is what a recount comes to; 1 when not; 2 when the demo could not run."""
    console = Console(stderr=True)
    place = Place()
    try:
        outcome, stage = run(place, lambda text: console.print(f"[dim]{text} …[/dim]"))
        console.print("[dim]Explaining every customer …[/dim]")
        amiss = write(outcome, stage.stores, FOLDER)
        console.print(
            "[dim]Writing the day's, the week's and the month's report, and recounting them …[/dim]"
        )
        amiss += write_reports(stage.stores, outcome.story, FOLDER)
    except UserError as error:
        console.print(f"[red]The demo stopped:[/red] {error}")
        return 2
    finally:
        taken_down(place)
    Console().print(
        f"Took {outcome.wall_seconds:.0f} s. Look at {FOLDER}/report.html; daily.html, weekly.html, monthly.html, "
        "summary.json and explanations.jsonl are beside it."
    )
    for fault in amiss:
        Console().print(f"[red]Not as it must be:[/red] {fault}.")
    return 1 if amiss else 0


if __name__ == "__main__":
    sys.exit(main())
