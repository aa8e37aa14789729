"""`musubi links`: list what waits for a decision, show a link and its audit, decide, undo."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import click

from functions.domain.events import Event
from functions.domain.instants import format_instant
from functions.domain.link_decisions import given, kept_free, parting_of, undo_of
from functions.domain.links import Link, Review, State
from functions.ports.messages import EventsReceived
from ops.callers import caller_of
from ops.deployment import FORMAT, deployment_options, target_of
from ops.errors import UserError
from ops.inflow.command import source
from ops.links.desk import (
    Known,
    Unlinked,
    foreseen_gift,
    foreseen_parting,
    foreseen_undo,
    in_state,
    known_json,
    link_to_decide,
    link_to_undo,
    links_known_as,
    merge_to_undo,
    review_json,
    unlinked_json,
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
@click.option(
    "--status",
    type=click.Choice(get_args(State)),
    help="List all LINE users of this status instead (reads whole tables).",
)
@FORMAT
@deployment_options
def list_links(form: str, status: State | None, stack: str | None, state: Path) -> None:
    """List the links that wait for a decision: whose, why, since when, and who it may be."""
    stores = Stores(target_of(stack, state))
    if status is not None:
        _list_all(in_state(stores, status), form)
        return
    found = stores.identities.reviews()
    if form == "json":
        click.echo(json.dumps([review_json(one) for one in found], ensure_ascii=False))
        return
    for review in found:
        click.echo(_review_line(review))
    click.echo(f"{len(found):,} wait for a decision." if found else "Nothing waits for a decision.")


def _list_all(found: Sequence[dict[str, Any]], form: str) -> None:
    if form == "json":
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for one in found:
        told = [one.get("line_user_id") or one["hash"], one["status"], one.get("customer_id"), one.get("at")]
        click.echo("  ".join([*filter(None, told), *([one["erasure"]] if "erasure" in one else [])]))
    click.echo(f"{len(found):,} in all.")


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
        click.echo(json.dumps([_json(one, account) for one in found], ensure_ascii=False, indent=2))
        return
    for known in found:
        shown = _shown_unlinked(known, account) if isinstance(known, Unlinked) else _shown(known, account)
        click.echo("\n".join(shown))


def _json(known: Known | Unlinked, account: str) -> dict[str, Any]:
    return unlinked_json(known, account) if isinstance(known, Unlinked) else known_json(known, account)


def _shown_unlinked(known: Unlinked, account: str) -> list[str]:
    told = unlinked_json(known, account)
    return [
        f"{known.identifier} in {account}: {known.state}",
        *(
            f"  {one['at']}  {one['before']['status']} → {one['after']['status']}  {one['method']} by {one['source']}: {one['event_id']}"
            for one in told["audit"]
        ),
    ]


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
@click.argument("user", metavar="[LINE_USER]", required=False)
@click.option(
    "--customers",
    "loser",
    metavar="CUSTOMER",
    help="Take back that this customer was merged into another one (customers_merged).",
)
@_WHY
@_YES
@_AS
@deployment_options
def undo(
    *,
    user: str | None,
    loser: str | None,
    why: str,
    sure: bool,
    name: str | None,
    stack: str | None,
    state: Path,
) -> None:
    """Take a link, or a merge of two customers, back as if it had never been: within 30 days each gets back what was, and what
    came since.

    What was sent stays counted for both. To end a link that was right until now, send line_unlinked instead.
    """
    if (user is None) == (loser is None):
        raise UserError("Name a LINE user, or --customers CUSTOMER for the one that was merged into another.")
    stores = Stores(target_of(stack, state))
    by = caller_of(stores.target, name)
    if loser is not None:
        entry = merge_to_undo(stores, loser)
        event = parting_of(entry, by, _said(why), stores.now())
        _carry_out(stores, event, foreseen_parting(stores, entry), by, sure=sure)
        return
    link = link_to_undo(stores, user or "")
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
