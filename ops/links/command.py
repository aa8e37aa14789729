"""`musubi links`: list what waits for a decision, show a link and its audit, decide, undo."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from functions.domain.events import Event
from functions.domain.instants import format_instant
from functions.domain.link_decisions import given, kept_free, undo_of
from functions.domain.links import Link, Review
from functions.ports import EventsReceived
from ops.callers import caller_of
from ops.deployment import FORMAT, deployment_options, target_of
from ops.errors import UserError
from ops.inflow.command import source
from ops.links.desk import (
    Known,
    foreseen_gift,
    foreseen_undo,
    known_json,
    link_to_decide,
    link_to_undo,
    links_known_as,
    review_json,
)
from ops.stores import Stores
from ops.trail import leave_trail

_WHY = click.option("--why", metavar="TEXT", required=True, help="How you know; kept in the audit for good.")
_YES = click.option("--yes", "sure", is_flag=True, help="Do not ask again.")
_AS = click.option(
    "--as", "name", metavar="NAME", help="Who decides, on this machine; on AWS it is the caller."
)
_REASONS = {
    "two_customers": "two customers say that it is theirs",
    "several_line_users": "the customer has another LINE user",
    "phone": "several customers have its phone number",
}


@click.group()
def links() -> None:
    """Who is who: LINE users, the customers they are linked to, and links that wait for somebody's decision."""


links.add_command(source)


@links.command("list")
@FORMAT
@deployment_options
def list_links(form: str, stack: str | None, state: Path) -> None:
    """List the links that wait for a decision: whose, why, since when, and who it may be."""
    found = Stores(target_of(stack, state)).identities.reviews()
    if form == "json":
        click.echo(json.dumps([review_json(one) for one in found], ensure_ascii=False))
        return
    for review in found:
        click.echo(_review_line(review))
    click.echo(f"{len(found):,} wait for a decision." if found else "Nothing waits for a decision.")


def _review_line(review: Review) -> str:
    names = " or ".join(review.candidates)
    return f"{review.line_user_id}  since {format_instant(review.since)}: {_REASONS[review.reason]} ({names})"


@links.command()
@click.argument("identifier", metavar="ID")
@FORMAT
@deployment_options
def show(identifier: str, form: str, stack: str | None, state: Path) -> None:
    """Show the link of a LINE user, or all links of a customer, with every change: who, when, how, before and after."""
    stores = Stores(target_of(stack, state))
    found, account = links_known_as(stores, identifier), stores.settings.account
    if form == "json":
        click.echo(json.dumps([known_json(one, account) for one in found], ensure_ascii=False, indent=2))
        return
    for known in found:
        click.echo("\n".join(_shown(known, account)))


def _shown(known: Known, account: str) -> list[str]:
    told = known_json(known, account)
    owner = told["customer_id"] or "nobody"
    claim = f", claimed by {told['claimed_by']}" if told["claimed_by"] else ""
    lines = [f"{told['line_user_id']} in {account}: {told['status']}, {owner}{claim}"]
    if told["undo_until"]:
        lines.append(
            f"  linked at {told['linked_at']} ({told['method']}); can be undone until {told['undo_until']}"
        )
    for entry in told["audit"]:
        before, after = entry["before"], entry["after"]
        said = f" by {entry['source']}" if entry["source"] else ""
        why = f": {entry['why']}" if entry["why"] else ""
        change = f"{before['status']} ({before['customer_id'] or 'nobody'}) → {after['status']} ({after['customer_id'] or 'nobody'})"
        lines.append(f"  {entry['at']}  {change}  {entry['method'] or 'crm'}{said}{why}")
    return lines


@links.command()
@click.argument("user", metavar="LINE_USER")
@click.option("--give", "customer_id", metavar="CUSTOMER", default="", help="It is this customer's.")
@click.option("--keep", is_flag=True, help="It stays as it is; the claim comes to nothing.")
@_WHY
@_YES
@_AS
@deployment_options
def review(
    *,
    user: str,
    customer_id: str,
    keep: bool,
    why: str,
    sure: bool,
    name: str | None,
    stack: str | None,
    state: Path,
) -> None:
    """Decide whose a LINE user is that waits for it. Void where the link changes before the decision is carried out."""
    if bool(customer_id) == keep:
        raise UserError("Say --give CUSTOMER, or --keep to leave it as it is.")
    stores = Stores(target_of(stack, state))
    link = link_to_decide(stores, user)
    by = caller_of(stores.target, name)
    event, foreseen = _decision(stores, link, customer_id, by, _said(why))
    _carry_out(stores, event, foreseen, by, sure=sure)


def _decision(stores: Stores, link: Link, customer_id: str, by: str, why: str) -> tuple[Event, list[str]]:
    owner = customer_id or link.customer_id
    if owner:
        return given(link, owner, by, why, stores.now()), foreseen_gift(stores, link, owner)
    if not link.claimed_by:
        raise UserError("It is nobody's, and several may be it: say --give CUSTOMER, or leave it waiting.")
    told = f"{link.line_user_id} stays nobody's; the claim of {link.claimed_by} comes to nothing."
    return kept_free(link, by, why, stores.now()), [told]


@links.command()
@click.argument("user", metavar="LINE_USER")
@_WHY
@_YES
@_AS
@deployment_options
def undo(*, user: str, why: str, sure: bool, name: str | None, stack: str | None, state: Path) -> None:
    """Take a link back as if it had never been: within 30 days each gets back what was, and what came since.

    What was sent stays counted for both. To end a link that was right until now, send line_unlinked instead.
    """
    stores = Stores(target_of(stack, state))
    link = link_to_undo(stores, user)
    by = caller_of(stores.target, name)
    event = undo_of(link, by, _said(why), stores.now())
    _carry_out(stores, event, foreseen_undo(stores, link), by, sure=sure)


def _said(why: str) -> str:
    if not why.strip():
        raise UserError("--why: say how you know; whoever audits this will ask.")
    return why.strip()


def _carry_out(stores: Stores, event: Event, foreseen: Sequence[str], by: str, *, sure: bool) -> None:
    """A second look, then the event on its way in: it is carried out as everything else is, once."""
    for line in foreseen:
        click.echo(line)
    if not sure:
        click.confirm("Is that right?", abort=True, err=True)
    # The trail names the event, which names nobody; who it is about stands in the audit of the link.
    leave_trail(stores, "links", event.name, by, event_id=event.event_id)
    stores.inbox.put([EventsReceived(event.customer_id, [event])])
    click.echo("It is on its way; 'musubi links show' says when it is done.")
