"""`python -m ops.upgrade`: an earlier commit's stack, updated to this checkout, rolled back and updated again under way."""

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from ops.errors import UserError
from ops.local.down import bring_down
from ops.local.place import Place
from ops.soak.concluded import concluded, table_of
from ops.upgrade.earlier import assembly_of
from ops.upgrade.run import Outcome, run

OUTPUT = Path("build/upgrade.json")
PEOPLE = 300


def main() -> int:
    """0 where every message came once; 1 where not; 2 where it could not be tried."""
    parser = argparse.ArgumentParser(prog="python -m ops.upgrade", description=__doc__)
    parser.add_argument(
        "--from", dest="revision", default="HEAD~1", help="the commit before (default: HEAD~1)"
    )
    parser.add_argument("--people", type=int, default=PEOPLE, help=f"how many buy (default: {PEOPLE})")
    given = parser.parse_args()
    console, place = Console(stderr=True), Place()
    try:
        with tempfile.TemporaryDirectory(prefix="musubi-earlier-") as scratch:
            console.print(f"[dim]Synthesizing the stack of {given.revision} …[/dim]")
            earlier = assembly_of(given.revision, Path(scratch))
            say = lambda text: console.print(f"[dim]{text} …[/dim]")  # noqa: E731
            outcome = run(place, given.people, earlier, given.revision, say)
    except UserError as error:
        console.print(f"[red]The upgrade could not be tried:[/red] {error}")
        return 2
    finally:
        bring_down(place)
    return concluded(outcome, table_of("Updating with messages under way", _rows(outcome)), OUTPUT)


def _rows(outcome: Outcome) -> dict[str, str]:
    kept = outcome.accounts
    moves = {
        f"{number}. to {one.to}": f"{one.in_flight} messages under way, {one.seconds:.1f} s, "
        f"{len(one.replaced)} functions on a message's way replaced"
        for number, one in enumerate(outcome.moves, start=1)
    }
    return {
        "customers who buy": f"{outcome.people:,}",
        **moves,
        "delivered": f"{outcome.delivered:,}",
        "second copies": f"{outcome.copies:,}",
        "dead letters put back": f"{outcome.put_back:,}",
        "accounts": f"targeted {kept.targeted:,} = sent {kept.sent:,} + suppressed {sum(kept.suppressed.values()):,} "
        f"+ failed {kept.failed:,} + unknown {kept.unknown:,} (pending {kept.pending:,})",
    }


if __name__ == "__main__":
    sys.exit(main())
