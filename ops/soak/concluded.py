"""How a soak ends: its outcome in a file, as a table, and what is not as it must be."""

from pathlib import Path
from typing import Any, Protocol

import msgspec
from rich.console import Console
from rich.table import Table


class Outcome(Protocol):
    """What a soak came to: a struct that can be written as JSON."""

    @property
    def amiss(self) -> list[str]:
        """What is not as it must be: one line each."""


def concluded(outcome: Outcome, table: Table, output: Path) -> int:
    """Write it and show it; 0 where all is as it must be, else 1."""
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(msgspec.json.format(msgspec.json.encode(outcome), indent=2) + b"\n")
    console = Console()
    console.print(table)
    for fault in outcome.amiss:
        console.print(f"[red]Not as it must be:[/red] {fault}.")
    return 1 if outcome.amiss else 0


def table_of(title: str, rows: dict[str, Any]) -> Table:
    """Two columns: what, and what was found."""
    table = Table("what", "found", title=title)
    for what, found in rows.items():
        table.add_row(what, found)
    return table
