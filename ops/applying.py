"""`musubi apply` and `musubi versions`."""

import json
import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from functions.domain.backfills import Backfill
from functions.domain.instants import format_instant
from ops.apply import Applied, FaultyPlaybook, apply_directory, apply_previous, progress_of
from ops.changes import Change
from ops.deployment import FORMAT, deployment_options, target_of
from ops.errors import UserError
from ops.stores import Stores
from ops.versions import history

NAMES_SHOWN = 5
POLL_SECONDS = 1.0
WAIT_SECONDS_MAX = 86_400


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), required=False)
@click.option("--previous", is_flag=True, help="Put the version before the one in force in force again.")
@click.option(
    "--start-journeys",
    is_flag=True,
    help="Who is in a new or changed segment counts as having entered it now. Otherwise no journey starts from that.",
)
@click.option("--wait", is_flag=True, help="Wait until the back-fill has looked at everybody.")
@click.option(
    "--why",
    metavar="TEXT",
    default="",
    help="The reason, for colleagues: `musubi versions` and the weekly review show it beside what changed.",
)
@deployment_options
def apply(
    *,
    directory: Path | None,
    previous: bool,
    start_journeys: bool,
    wait: bool,
    why: str,
    stack: str | None,
    state: Path,
) -> None:
    """Check the playbook in DIRECTORY, put it in force, arm its campaigns, and back-fill what it changes."""
    if previous == (directory is not None):
        raise click.UsageError("Name the playbook's DIRECTORY, or say --previous; one of the two.")
    target = target_of(stack, state)
    try:
        applied = (
            apply_previous(target, start_journeys=start_journeys, why=why.strip())
            if directory is None
            else apply_directory(target, directory, start_journeys=start_journeys, why=why.strip())
        )
    except FaultyPlaybook as faulty:
        for fault in faulty.faults:
            click.echo(str(fault), err=True)
        raise UserError(f"{directory} has {len(faulty.faults)} fault(s); nothing was applied.") from None
    _tell(applied)
    if wait and applied.backfill:
        _wait(Stores(target), applied.backfill)


def _tell(applied: Applied) -> None:
    playbook = applied.playbook
    click.echo(
        f"Playbook {playbook.name} is in force: version {playbook.version}, {len(playbook.scenarios)} scenarios, "
        f"{len(playbook.campaigns)} campaigns, {len(playbook.segments)} segments."
    )
    if applied.changes:
        Console().print(_changes_table(applied.changes))
    else:
        click.echo("Nothing differs from the version before.")
    for name, occurrence in sorted(applied.scheduled.items()):
        click.echo(f"Campaign {name} runs at {format_instant(occurrence)}.")
    for name in applied.unscheduled:
        click.echo(f"Campaign {name} runs no more.")
    if applied.backfill:
        loud = " Members of new segments start their journeys." if applied.backfill.starts else ""
        click.echo(f"A back-fill looks at every customer: {applied.backfill.backfill_id}.{loud}")


def _changes_table(changes: list[Change]) -> Table:
    table = Table("", "added", "changed", "removed", title="What changed", title_justify="left")
    for change in changes:
        table.add_row(change.part, _some(change.added), _some(change.changed), _some(change.removed))
    return table


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


def _wait(stores: Stores, backfill: Backfill) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bars:
        bar = bars.add_task("Back-fill", total=backfill.scan_segments, told="")
        for _ in range(int(WAIT_SECONDS_MAX / POLL_SECONDS)):
            parts = progress_of(stores, backfill)
            looked, refreshed = sum(part.looked for part in parts), sum(part.refreshed for part in parts)
            told = f"{looked:,} customers looked at, {refreshed:,} refreshed"
            bars.update(bar, completed=sum(part.done for part in parts), told=told)
            if all(part.done for part in parts):
                break
            time.sleep(POLL_SECONDS)
    if any(part.superseded for part in parts):
        raise UserError("Another version was put in force meanwhile; its own back-fill goes on.")
    click.echo(f"The back-fill is done: {told}.")


@click.command()
@FORMAT
@deployment_options
def versions(form: str, stack: str | None, state: Path) -> None:
    """List the playbook versions that were put in force, newest last."""
    entries = history(Stores(target_of(stack, state)).objects)
    if form == "json":
        rows = [
            {
                "version": one.version,
                "name": one.name,
                "at": format_instant(one.at),
                "backfill": one.backfill or None,
                "by": one.by or None,
                "why": one.why or None,
            }
            for one in entries
        ]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    table = Table("in force since", "version", "playbook", "back-fill", "why")
    for entry in entries:
        table.add_row(
            format_instant(entry.at), entry.version, entry.name, entry.backfill or "—", entry.why or "—"
        )
    Console().print(table)
