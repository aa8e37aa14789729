"""`musubi backups`: make one, list them, put one back."""

import datetime as dt
import json
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from functions.domain.instants import InstantError, format_instant, parse_instant
from ops.backups.flow import (
    Foreseen,
    foreseen,
    must_be_read,
    must_be_recent,
    must_be_stopped,
    restored,
    told,
)
from ops.backups.keeping import OnRows, found, kept
from ops.backups.keeping import backups as every_backup
from ops.backups.sources import PointInTime, Source, kept_source, point_in_time
from ops.callers import caller_of
from ops.deployment import FORMAT, deployment_options, target_of
from ops.errors import UserError
from ops.stopping import HEEDED_AFTER_SECONDS
from ops.stores import Stores
from ops.trail import leave_trail


@click.group()
def backups() -> None:
    """Keep the tables aside, and put them back after a loss: nothing is lost, and nothing said twice."""


@backups.command("create")
@click.option("--why", metavar="TEXT", default="", help="What others are to know of it.")
@FORMAT
@deployment_options
def create(why: str, form: str, stack: str | None, state: Path) -> None:
    """Keep every row of every table under backups/ in the bucket, for 35 days. On AWS point-in-time recovery has every second
    of as many days beside it."""
    stores = Stores(target_of(stack, state))
    by = caller_of(stores.target)
    backup_id = f"{stores.now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    leave_trail(stores, "backups", "create", by, why=why, backup=backup_id)
    with _bars() as bars:
        manifest = kept(stores, backup_id, by, why, _showing(bars, {}))
    if form == "json":
        click.echo(
            json.dumps({"backup": backup_id, "at": format_instant(manifest.at), "rows": manifest.rows})
        )
        return
    rows = ", ".join(f"{table} {count:,}" for table, count in sorted(manifest.rows.items()))
    click.echo(f"Kept as {backup_id}: {rows}.")


@backups.command("list")
@FORMAT
@deployment_options
def list_backups(form: str, stack: str | None, state: Path) -> None:
    """The backups that are whole, the oldest first."""
    every = every_backup(Stores(target_of(stack, state)))
    if form == "json":
        rows: list[dict[str, Any]] = [
            {
                "backup": one.backup_id,
                "at": format_instant(one.at),
                "by": one.by,
                "why": one.why,
                "rows": one.rows,
            }
            for one in every
        ]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table("backup", "at", "rows", "by", "why")
    for one in every:
        rows_in_all = f"{sum(one.rows.values()):,}"
        table.add_row(one.backup_id, format_instant(one.at), rows_in_all, one.by, one.why or "—")
    if every:
        Console().print(table)
    else:
        click.echo("There is no backup; 'musubi backups create' makes one.")


@backups.command("restore")
@click.argument("backup", metavar="[BACKUP]", required=False)
@click.option(
    "--at",
    "instant",
    metavar="INSTANT",
    help="As AWS has the tables of this instant (point-in-time recovery).",
)
@click.option(
    "--over", is_flag=True, help="Put back customers and identities that stand, too: they are corrupt."
)
@click.option("--late", is_flag=True, help="Go on where LINE may have forgotten what was under way.")
@click.option("--dry-run", is_flag=True, help="Say what would come back; change nothing.")
@click.option(
    "--wait", "patience", metavar="SECONDS", type=click.FloatRange(0), default=600.0, show_default=True,
    help="How long to wait for the inbox to empty.",
)  # fmt: skip
@FORMAT
@deployment_options
def restore(
    *, backup: str | None, instant: str | None, over: bool, late: bool, dry_run: bool, patience: float, form: str,
    stack: str | None, state: Path,
) -> None:  # fmt: skip
    """Put a BACKUP back (its id, or `latest`), or on AWS the tables as they were --at an instant; then what the lake has since:
    what was sent, who blocked or withdrew, what happened.

    \b
    musubi stop --why "restoring"                        first of all
    musubi backups restore latest --dry-run              what would come back
    musubi backups restore latest
    musubi audit && musubi resume

    Rows that stand are kept, or become one with what comes back. Interrupted, give the same command again.
    """
    if bool(backup) == bool(instant):
        raise UserError("Say which BACKUP ('musubi backups list'), or --at INSTANT.")
    stores = Stores(target_of(stack, state))
    source = _source(stores, backup, instant)
    if dry_run:
        _tell_foreseen(_foreseen(stores, source), form)
        return
    must_be_stopped(stores)
    must_be_recent(source, stores.now(), late=late)
    time.sleep(HEEDED_AFTER_SECONDS)
    must_be_read(stores)
    restore_id = f"{stores.now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    asked = {"source": source.name, "over": over, "late": late, "restore": restore_id}
    leave_trail(stores, "backups", "restore", caller_of(stores.target), **asked)
    with _bars() as bars:
        if isinstance(source, PointInTime):
            bars.console.print(f"AWS restores six tables to {source.name}; that takes minutes to hours")
            source.prepare()
        done = restored(
            stores, source, restore_id,
            over=over, patience_seconds=patience, on_rows=_showing(bars, source.counts() or {}),
            tell=lambda text: bars.console.print(text, style="dim"),
        )  # fmt: skip
        source.close()
    if form == "json":
        click.echo(json.dumps(msgspec.to_builtins(done), ensure_ascii=False))
    else:
        click.echo("\n".join(told(done)))
    click.get_current_context().exit(0 if done.settled else 1)


def _source(stores: Stores, backup: str | None, instant: str | None) -> Source:
    if backup:
        return kept_source(stores, found(stores, backup))
    try:
        at = parse_instant(instant or "")
    except InstantError as error:
        raise UserError(f"--at {instant}: {error}") from None
    return point_in_time(stores, at.astimezone(dt.UTC))


def _foreseen(stores: Stores, source: Source) -> Foreseen:
    if isinstance(source, PointInTime):
        raise UserError(
            f"AWS can restore all tables to {source.name}. What would come back is known once they are made, which is the "
            "first step of the restore itself; nothing of yours is changed by that step."
        )
    return foreseen(stores, source)


def _tell_foreseen(seen: Foreseen, form: str) -> None:
    if form == "json":
        click.echo(json.dumps(msgspec.to_builtins(seen), ensure_ascii=False))
        return
    rows = ", ".join(f"{table} {count:,}" for table, count in sorted((seen.rows or {}).items()))
    click.echo(f"As of {format_instant(seen.at)} ({seen.source}) would come back: {rows}.")
    click.echo(
        f"Since then the lake has {seen.sends_since:,} ends of messages and {seen.events_since:,} events."
    )
    click.echo(f"{seen.erased_kept_out:,} ids of erased people would be left out.")
    for name, count in sorted(seen.to_be_told_anew.items()):
        click.echo(f"To be told anew by its source: {name} ({count:,}).")
    if seen.friends_lost:
        click.echo(f"{seen.friends_lost:,} friends first heard of since would be met again when they write.")
    if seen.runs:
        click.echo(f"Campaign runs that would go on: {', '.join(seen.runs)}.")
    click.echo("Nothing was changed.")


@contextmanager
def _bars() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bars:
        yield bars


def _showing(bars: Progress, totals: dict[str, int]) -> OnRows:
    """A bar a table, which grows as its rows are read or written."""
    tasks: dict[str, Any] = {}

    def on_rows(table: str, count: int) -> None:
        if table not in tasks:
            tasks[table] = bars.add_task(table, total=totals.get(table))
        bars.advance(tasks[table], count)

    return on_rows
