"""`python -m ops.demo`: run the demo and show what it came to."""

import sys
from pathlib import Path

from rich.console import Console

from ops.demo.report import write
from ops.demo.run import run, taken_down
from ops.errors import UserError
from ops.local.place import Place

FOLDER = Path("build/demo")


def main() -> int:
    """0 when the accounts close and nobody got a copy; 1 when not; 2 when the demo could not run."""
    console = Console(stderr=True)
    place = Place()
    try:
        outcome, stage = run(place, lambda text: console.print(f"[dim]{text} …[/dim]"))
        write(outcome, stage.stores, FOLDER)
    except UserError as error:
        console.print(f"[red]The demo stopped:[/red] {error}")
        return 2
    finally:
        taken_down(place)
    Console().print(
        f"Took {outcome.wall_seconds:.0f} s. Look at {FOLDER}/report.html and {FOLDER}/summary.json."
    )
    return 0 if outcome.accounts.is_closed and not outcome.line.duplicates else 1


if __name__ == "__main__":
    sys.exit(main())
