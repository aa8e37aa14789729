"""Commands that work on a deployment: import, customer."""

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from ops.customer_card import card_of, find_customer
from ops.deployment import FORMAT, deployment_options, target_of
from ops.errors import UserError
from ops.importing import Imported, import_file, import_progress, try_import
from ops.stores import Stores


@click.command()
@click.argument("identifier", metavar="CUSTOMER")
@FORMAT
@deployment_options
def customer(identifier: str, form: str, stack: str | None, state: Path) -> None:
    """Show one CUSTOMER (a customer id or a LINE user id): links, consent, segments, journeys, sends."""
    stores = Stores(target_of(stack, state))
    found = find_customer(stores, identifier)
    if found is None:
        raise UserError(f"No customer or LINE user is known as {identifier!r}.")
    card = card_of(stores, found)
    if form == "json":
        click.echo(json.dumps(card, ensure_ascii=False, indent=2))
    else:
        _show_card(card)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--dry-run", is_flag=True, help="Say what would be taken in and what rejected, and why; import nothing."
)
@deployment_options
def import_history(file: Path, *, dry_run: bool, stack: str | None, state: Path) -> None:
    """Import past events from FILE (CSV, JSONL or Parquet; .gz too): they are folded into the profiles, and start no
    journey. An import that was cut off goes on where it was; a file that was imported is not imported again."""
    stores = Stores(target_of(stack, state))
    with import_progress() as show:
        outcome = (try_import if dry_run else import_file)(stores, file, show)
    if dry_run:
        _tell_trial(outcome)
        return
    if outcome.same:
        click.echo(
            f"{file} was imported before: {outcome.events:,} events, {outcome.rejected:,} rejected lines."
        )
        return
    click.echo(f"{outcome.events:,} events of {outcome.customers:,} customers are on their way in.")
    if outcome.rejected:
        first = f"; the first: {outcome.faults[0]}" if outcome.faults else ""
        raise UserError(f"{outcome.rejected:,} lines were rejected{first}")


def _tell_trial(outcome: Imported) -> None:
    click.echo(f"{outcome.events:,} events of {outcome.customers:,} customers would be taken in.")
    for code, number in sorted(outcome.causes.items()):
        click.echo(f"{number:,} lines would be rejected: {code}")
    for fault in outcome.faults:
        click.echo(f"  {fault}")
    if outcome.rejected > len(outcome.faults):
        click.echo(f"  … and {outcome.rejected - len(outcome.faults):,} more")


def _show_card(card: dict[str, Any]) -> None:
    console = Console()
    console.print(f"[bold]{card['customer_id']}[/bold]")
    for name in ("links", "consent", "attributes", "tags", "segments"):
        console.print(f"  {name}: {json.dumps(card[name], ensure_ascii=False) if card[name] else '—'}")
    journeys = Table("scenario", "status", "next step", "version", title="Journeys", title_justify="left")
    for journey in card["journeys"]:
        journeys.add_row(journey["scenario"], journey["status"], journey["step"], journey["version"])
    log = Table("at", "message", "from", "status", "reason", title="Sends", title_justify="left")
    for send in card["sends"]:
        source = send["scenario"] or send["campaign"]
        said = send.get("resolved")
        reason = f"said by {said['by']}: {said['why']}" if said else send["reason"] or ""
        log.add_row(send["at"], send["message"], source, send["status"], reason)
    console.print(journeys, log)
