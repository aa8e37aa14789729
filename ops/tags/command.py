"""`musubi tag`: tags by hand, of one customer or of many from a file, with the name of who did it."""

import json
from pathlib import Path
from typing import Any

import click

from functions.domain.customers import Customer
from functions.domain.events import Event
from functions.domain.instants import format_instant
from functions.domain.profiles import JOURNEY
from functions.ports.messages import EventsReceived
from ops.callers import caller_of
from ops.customer_card import find_customer
from ops.deployment import FORMAT, deployment_options, target_of
from ops.errors import UserError
from ops.importing import MESSAGES_A_CALL
from ops.stores import Stores
from ops.tags.tagging import OPERATOR, Chosen, Named, checked_tag, chosen, named_in, tagging
from ops.trail import leave_trail

UNKNOWN_SHOWN = 5
_TO = click.argument("names", metavar="[CUSTOMER]... TAG", nargs=-1, required=True)
_FROM = click.option(
    "--from",
    "file",
    type=click.Path(path_type=Path),
    help="Customers from FILE: one id a line, or a CSV with the column customer_id.",
)
_DRY = click.option("--dry-run", is_flag=True, help="Say how many it would change, and change nothing.")
_SKIP = click.option("--skip-unknown", is_flag=True, help="Go on without those whom nobody knows.")
_WHY = click.option("--why", metavar="TEXT", default="", help="Kept with the change.")
_AS = click.option(
    "--as", "name", metavar="NAME", help="Who does it, on this machine; on AWS it is the caller."
)


@click.group()
def tag() -> None:
    """Tags by hand. Where a rule says who bears a tag, write a segment instead: it never forgets to take it away."""


@tag.command("add")
@_TO
@_FROM
@_DRY
@_SKIP
@_WHY
@_AS
@deployment_options
def add_tag(**given: Any) -> None:
    """Give TAG to each CUSTOMER (a customer id or a LINE user id; unlinked friends too)."""
    _change(add=True, **given)


@tag.command("remove")
@_TO
@_FROM
@_DRY
@_SKIP
@_WHY
@_AS
@deployment_options
def remove_tag(**given: Any) -> None:
    """Take TAG away from each CUSTOMER."""
    _change(add=False, **given)


@tag.command("list")
@click.argument("identifier", metavar="CUSTOMER")
@FORMAT
@deployment_options
def list_tags(identifier: str, form: str, stack: str | None, state: Path) -> None:
    """Show the tags of one CUSTOMER: since when, and who or what gave them."""
    stores = Stores(target_of(stack, state))
    customer = find_customer(stores, identifier)
    if customer is None:
        raise UserError(f"No customer or LINE user is known as {identifier!r}.")
    rows = _rows(stores, customer)
    if form == "json":
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row['tag']}  since {row['since']}, by {row['by']}")
    click.echo(f"{customer.customer_id} has {len(rows):,} tags." if rows else "No tags.")


def _rows(stores: Stores, customer: Customer) -> list[dict[str, Any]]:
    owners = (customer.customer_id, *(alias.customer_id for alias in customer.aliases))
    said = {
        event.event_id: event
        for owner in owners
        for event in stores.events.all_of(owner)
        if event.name == "tag_added"
    }
    registers = customer.profile.tags
    return [
        {
            "tag": name,
            "since": format_instant(registers[name].at),
            "by": _giver(registers[name].event_id, said),
        }
        for name in customer.profile.tag_names
    ]


def _giver(event_id: str, said: dict[str, Event]) -> str:
    """An operator's name, a scenario, or the source that said so."""
    if event_id.startswith(JOURNEY):
        return "a scenario"
    event = said.get(event_id)
    if event is None:
        return "an event"
    return (
        str(event.properties.get("by", OPERATOR)) if event.source == OPERATOR else event.source or "an event"
    )


def _change(
    *,
    add: bool,
    names: tuple[str, ...],
    file: Path | None,
    dry_run: bool,
    skip_unknown: bool,
    why: str,
    name: str | None,
    stack: str | None,
    state: Path,
) -> None:
    *customers, word = names
    word = checked_tag(word)
    if not customers and file is None:
        raise UserError("Name a customer before the tag, or a file of customers with --from.")
    stores = Stores(target_of(stack, state))
    named = [Named(one, one) for one in customers] + (named_in(file) if file else [])
    found = chosen(stores, named, word, add=add)
    if found.unknown and not skip_unknown:
        raise UserError(_told_unknown(found))
    if not dry_run:
        _enqueue(stores, found, word, caller_of(stores.target, name), why, add=add)
    click.echo(_told(found, word, add=add, dry_run=dry_run))


def _enqueue(stores: Stores, found: Chosen, tag: str, by: str, why: str, *, add: bool) -> None:
    """The trail first, which outlives an erasure, and so names events and no customers; then the events."""
    now = stores.now()
    events = [tagging(customer, tag, by, why, now, add=add) for customer in found.changing]
    if not events:
        return
    did = "add" if add else "remove"
    leave_trail(stores, "tags", did, by, tag=tag, why=why, events=[event.event_id for event in events])
    for start in range(0, len(events), MESSAGES_A_CALL):
        group = events[start : start + MESSAGES_A_CALL]
        stores.inbox.put([EventsReceived(event.customer_id, [event]) for event in group])


def _told_unknown(found: Chosen) -> str:
    shown = ", ".join(one.where for one in found.unknown[:UNKNOWN_SHOWN])
    more = f" and {len(found.unknown) - UNKNOWN_SHOWN:,} more" if len(found.unknown) > UNKNOWN_SHOWN else ""
    return f"Nobody is known as written here: {shown}{more}. Nothing was changed; mend it, or use --skip-unknown."


def _told(found: Chosen, tag: str, *, add: bool, dry_run: bool) -> str:
    would = "would be" if dry_run else "are being"
    did = "given" if add else "relieved of"
    state = "have it already" if add else "do not have it"
    unknown = f", {len(found.unknown):,} are unknown" if found.unknown else ""
    return f"{len(found.changing):,} customers {would} {did} {tag!r}; {found.unchanged:,} {state}{unknown}."
