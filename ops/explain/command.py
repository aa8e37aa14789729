"""`musubi explain`: why a person got, or did not get, each message."""

import json
import sys
from pathlib import Path

import click
from rich.console import Console

from functions.domain.instants import InstantError, format_instant, parse_instant
from ops.customer_card import find_customer
from ops.deployment import deployment_options, target_of
from ops.errors import UserError
from ops.explain.cards import explanation_of
from ops.explain.known import Archive
from ops.explain.text import show
from ops.stores import Stores


@click.command()
@click.argument("identifier", metavar="[CUSTOMER]", required=False)
@click.option("--all", "everybody", is_flag=True, help="Everybody, one JSON line each.")
@click.option("--scenario", metavar="NAME", default="", help="Only what has to do with this scenario.")
@click.option(
    "--at", metavar="INSTANT", help="Leave out what came later; journeys show where they stand now."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@deployment_options
def explain(
    identifier: str | None,
    everybody: bool,  # noqa: FBT001 — click passes options by name
    scenario: str,
    at: str | None,
    form: str,
    stack: str | None,
    state: Path,
) -> None:
    """Say of CUSTOMER (a customer id or a LINE user id) why each message came, and why others did not.

    With --all, exit code 1 where anything that somebody was meant to get is unexplained.
    """
    if everybody == bool(identifier):
        raise UserError("Name one customer, or give --all.")
    stores = Stores(target_of(stack, state))
    try:
        archive = Archive(stores, parse_instant(at) if at else None)
    except InstantError as error:
        raise UserError(f"--at: {error}") from None
    if everybody:
        sys.exit(_explain_all(archive, scenario))
    customer = find_customer(stores, identifier or "")
    if customer is None:
        raise UserError(f"No customer or LINE user is known as {identifier!r}.")
    known = archive.one(customer)
    if known.exact_from is not None:
        exact = format_instant(known.exact_from)
        click.echo(
            f"Events up to {exact} are folded away: what was counted then is shown as of {exact}.", err=True
        )
    card = explanation_of(known, scenario)
    if form == "json":
        click.echo(json.dumps(card, ensure_ascii=False, indent=2))
    else:
        show(card, Console())


def _explain_all(archive: Archive, scenario: str) -> int:
    """Print everybody, then the sum on standard error; 1 where anything is unexplained."""
    people = messages = open_ones = 0
    for known in archive.everybody():
        card = explanation_of(known, scenario)
        click.echo(json.dumps(card, ensure_ascii=False))
        people, messages = people + 1, messages + len(card["sends"])
        open_ones += len(card["unexplained"])
    click.echo(f"{people:,} customers, {messages:,} messages; unexplained: {open_ones}", err=True)
    return 1 if open_ones else 0
