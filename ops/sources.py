"""`musubi sources`: how complete the data of each source is, and why what rests on it waits."""

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from functions.domain.instants import Instant, format_instant
from functions.domain.watermarks import SourceLog, SourceReport, reports_of, usual_rows
from ops.deployment import FORMAT, deployment_options, target_of
from ops.errors import UserError
from ops.stores import Stores


@click.command()
@click.option(
    "--accept", metavar="SOURCE", help="The last files of SOURCE are right, though they have too few rows."
)
@FORMAT
@deployment_options
def sources(accept: str | None, form: str, stack: str | None, state: Path) -> None:
    """List the sources of data: up to when each is complete, its last file, and why what needs it waits."""
    stores = Stores(target_of(stack, state))
    playbook = stores.playbooks.in_force().playbook
    if accept is not None and accept not in playbook.sources:
        raise UserError(
            f"There is no source {accept!r}; known: {', '.join(sorted(playbook.sources)) or 'none'}."
        )
    if accept is not None and not stores.account_state.accept_loads(accept):
        raise UserError(f"No file of {accept} waits for somebody to say that it is right.")
    account = stores.account_state.read()
    reports = reports_of(playbook.sources, account.heard, account.loads, stores.now(), playbook.zone)
    rows = [
        _row(name, report, account.heard.get(name), account.loads.get(name, SourceLog()))
        for name, report in reports.items()
    ]
    if form == "json":
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        _show(rows)


def _row(name: str, report: SourceReport, heard: Instant | None, log: SourceLog) -> dict[str, Any]:
    last = log.loads[-1] if log.loads else None
    return {
        "source": name,
        "state": report.state,
        "watermark": _text(report.watermark),
        "heard": _text(heard),
        "last_load": last
        and {"load": last.load, "at": _text(last.at), "rows": last.rows, "short": last.short},
        "usual_rows": usual_rows(log),
        "why": report.why,
    }


def _text(instant: Instant | None) -> str | None:
    return format_instant(instant) if instant else None


def _show(rows: list[dict[str, Any]]) -> None:
    table = Table(
        "source", "state", "complete until", "last file", "rows", "usual", "why what needs it waits"
    )
    for row in rows:
        last = row["last_load"] or {}
        numbers = [
            f"{value:,}" if value is not None else "—" for value in (last.get("rows"), row["usual_rows"])
        ]
        table.add_row(
            row["source"], row["state"], row["watermark"] or "—", last.get("at", "—"), *numbers, row["why"]
        )
    Console().print(table if rows else "The playbook names no source: nothing waits for data.")
