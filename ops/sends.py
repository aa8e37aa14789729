"""`musubi sends`: what became of every targeted message, live, and who was missed."""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table

from functions.domain.instants import format_instant
from ops.accounts import Bookkeeper
from ops.books import Books, Row
from ops.deployment import deployment_options, target_of
from ops.errors import UserError
from ops.exports import write_csv, write_json
from ops.held import Waiting
from ops.missed import COLUMNS, Missed, missed
from ops.runs import named, run_files
from ops.stores import Stores

SHOWN = 20
"""So many people a reason on the terminal; an export has all."""

_COST = """
What it costs: everything reads the customers once (consistently), the send log once (half a read unit for 4 KB), the
timers once, and the frozen lists. --scenario reads the same without the lists. --campaign reads no customers, and of the
log only the records of those on the lists (half a read unit each) where that is cheaper than the whole log: name one run
(NAME@INSTANT) where there are many. --missed reads the timers, the list and its records. --watch reads again what may
have changed: lists that are whole are read once.
"""


@click.command(epilog=_COST)
@click.option("--campaign", metavar="NAME", default="", help="Only this campaign (or one run: NAME@INSTANT).")
@click.option("--scenario", metavar="NAME", default="", help="Only this scenario.")
@click.option("--watch", is_flag=True, help="Look again until all is finished.")
@click.option(
    "--every",
    "seconds",
    type=click.FloatRange(1),
    default=5.0,
    show_default=True,
    help="Seconds between looks.",
)
@click.option(
    "--missed", "who", is_flag=True, help="Who of a campaign has no end yet, or did not get it, and why."
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "csv"]), default="text", show_default=True
)
@deployment_options
def sends(
    campaign: str,
    scenario: str,
    watch: bool,  # noqa: FBT001 — click passes options by name
    seconds: float,
    who: bool,  # noqa: FBT001
    form: str,
    stack: str | None,
    state: Path,
) -> None:
    """Show the accounts: targeted = sent + suppressed + failed + unknown + pending.

    A campaign run is finished only when every page of its list is frozen and enqueued, everybody on it has one end, and
    the sum balances; otherwise it says what is missing.
    """
    if who and (not campaign or scenario or watch):
        raise UserError(
            "--missed lists a campaign's people: give --campaign NAME or NAME@INSTANT, and nothing else."
        )
    if form == "csv" and not who:
        raise UserError("--format csv is for --missed; the accounts come as text or json.")
    if watch and form != "text":
        raise UserError("--watch shows a table; for scripts, ask --format json again and again.")
    stores = Stores(target_of(stack, state))
    if campaign and not run_files(stores, named(campaign)):
        _unknown_campaign(stores, named(campaign))
    if who:
        _WRITERS[form](missed(stores, campaign))
        return
    keeper = Bookkeeper(stores, campaign, scenario)
    if watch:
        _watch(keeper, seconds)
    elif form == "json":
        click.echo(json.dumps(keeper.books().as_json(), ensure_ascii=False))
    else:
        _show(keeper.books())


def _unknown_campaign(stores: Stores, campaign: str) -> None:
    """A campaign that is in force has accounts before its first run; anything else is a mistake."""
    if "@" in campaign or campaign not in stores.playbooks.in_force().playbook.campaigns:
        what = "run" if "@" in campaign else "campaign"
        raise UserError(f"No {what} {campaign!r} is known; 'musubi sends' lists the runs that were begun.")


def _show(books: Books) -> None:
    Console().print(table_of(books))
    for row in books.rows:
        for told in row.missing:
            click.echo(f"{row.name}: {told}.")
    click.echo("The accounts close." if books.is_finished else "Still under way.")


def _watch(keeper: Bookkeeper, seconds: float) -> None:
    books = keeper.books()
    with Live(table_of(books), console=Console(), auto_refresh=False) as live:
        while not books.is_finished:
            time.sleep(seconds)
            books = keeper.books()
            live.update(table_of(books), refresh=True)
    click.echo("The accounts close.")


def table_of(books: Books) -> Table:
    """One line a row, and the sum."""
    table = Table(title="What became of every targeted message")
    table.add_column("")
    for name in ("state", "targeted", "sent", "suppressed", "failed", "unknown", "pending"):
        table.add_column(name, justify="left" if name in ("state", "suppressed") else "right")
    for row in books.rows:
        table.add_row(*_cells(row))
    total = books.total
    table.add_section()
    table.add_row(
        "all",
        "finished" if books.is_finished else "under way",
        f"{total.targeted:,}",
        f"{total.sent:,}",
        _reasons(total.suppressed),
        f"{total.failed:,}",
        f"{total.unknown:,}",
        f"{total.pending:,}",
    )
    return table


def _cells(row: Row) -> list[str]:
    one = row.accounts
    targeted = f"{one.targeted:,}" if row.state != "freezing" else f"{one.targeted:,} at least"
    return [
        row.name,
        row.state,
        targeted,
        f"{one.sent:,}",
        _reasons(one.suppressed),
        f"{one.failed:,}",
        f"{one.unknown:,}",
        "\n".join(
            [f"{one.pending:,}", *map(_held, row.held), *([f"queued {row.queued:,}"] if row.queued else [])]
        ),
    ]


def _reasons(suppressed: dict[str, int]) -> str:
    return "\n".join(f"{reason} {count:,}" for reason, count in suppressed.items()) or "0"


def _held(waiting: Waiting) -> str:
    return f"held {waiting.messages:,}: {waiting.reason}, until {format_instant(waiting.last)}"


def _missed_text(people: Iterable[Missed]) -> None:
    """Grouped by what became of them; of each group the first twenty."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    first: dict[tuple[str, str], list[Missed]] = defaultdict(list)
    for one in people:
        group = (one.status, one.reason)
        counts[group] += 1
        if len(first[group]) < SHOWN:
            first[group].append(one)
    for (status, reason), count in sorted(counts.items()):
        click.echo(f"{status}{f' ({reason})' if reason else ''}: {count:,}")
        for one in first[status, reason]:
            until = f"  until {one.held_until}" if one.held_until else ""
            click.echo(f"  {one.customer_id}  {one.run}{until}")
        if count > SHOWN:
            click.echo(f"  … and {count - SHOWN:,} more: --format csv has them all")
    if not counts:
        click.echo("Everybody on the list got it.")


_WRITERS: dict[str, Callable[[Iterable[Missed]], None]] = {
    "text": _missed_text,
    "json": lambda people: write_json(one.as_json() for one in people),
    "csv": lambda people: write_csv(COLUMNS, (one.as_json() for one in people)),
}
