"""`musubi unknown`: list the messages that may have arrived, and say what became of them."""

from collections import Counter
from pathlib import Path

import click

from functions.domain.instants import InstantError, format_instant, parse_instant
from functions.domain.resolutions import Said, is_said
from functions.domain.sends import SendRecord
from ops.callers import caller_of
from ops.deployment import FORMAT, deployment_options, target_of
from ops.errors import UserError
from ops.exports import write_json
from ops.runs import named
from ops.stores import Stores
from ops.trail import leave_trail
from ops.unknown.listing import Unknown, Wanted, records_of, unknowns
from ops.unknown.resolving import Resolve

_CAMPAIGN = click.option(
    "--campaign", metavar="NAME", default="", help="Only of this campaign (or one run: NAME@INSTANT)."
)
_SCENARIO = click.option("--scenario", metavar="NAME", default="", help="Only of this scenario.")
_REASON = click.option(
    "--reason", metavar="REASON", default="", help="Only with this reason, e.g. key_expired."
)
_SINCE = click.option(
    "--since", metavar="INSTANT", default="", help="Only what ended at or after this instant."
)
_CUSTOMER = click.option(
    "--customer",
    metavar="ID",
    default="",
    help="Only of this customer id: reads them alone, not the whole log.",
)


def _wanted(
    campaign: str, scenario: str, reason: str, since: str, send_ids: frozenset[str] = frozenset()
) -> Wanted:
    try:
        instant = parse_instant(since) if since else None
    except InstantError as error:
        raise UserError(f"--since: {error}") from None
    return Wanted(named(campaign), scenario, reason, instant, send_ids)


@click.group()
def unknown() -> None:
    """Messages that LINE may or may not have delivered: list them, and say what became of them.

    They are never sent again by themselves, and no command here sends anything.
    """


@unknown.command("list")
@_CAMPAIGN
@_SCENARIO
@_REASON
@_SINCE
@_CUSTOMER
@FORMAT
@deployment_options
def list_unknown(
    campaign: str,
    scenario: str,
    reason: str,
    since: str,
    customer: str,
    form: str,
    stack: str | None,
    state: Path,
) -> None:
    """List the unknown ends: who, which message, when, why, and what LINE still knows of it.

    Reads the whole send log (half a read unit for 4 KB) unless a --customer is named, and the gate of each.
    """
    stores = Stores(target_of(stack, state))
    found = unknowns(stores, _wanted(campaign, scenario, reason, since), customer)
    now = stores.now()
    if form == "json":
        write_json(one.as_json(now) for one in found)
        return
    reasons: Counter[str] = Counter()
    for one in found:
        reasons[one.record.reason] += 1
        click.echo(_line(one) + f"; LINE: {one.line(now)}")
    told = ", ".join(f"{name} {count:,}" for name, count in sorted(reasons.items()))
    click.echo(f"{reasons.total():,} unknown{f': {told}' if told else ''}.")


def _line(one: Unknown) -> str:
    record, age = one.record, one.key_age
    source = record.run or record.scenario
    key = "" if age is None else f", key {int(age.total_seconds() // 60)} min old"
    return (
        f"{record.send_id}  {format_instant(record.at)}  {record.customer_id}  {record.message} of {source}:"
        f" {record.reason}{key}"
    )


@unknown.command()
@click.argument("send_ids", metavar="[SEND_ID]...", nargs=-1)
@click.option(
    "--as", "said", type=click.Choice(["sent", "failed"]), required=True, help="What became of them."
)
@click.option("--why", metavar="TEXT", required=True, help="How you know; kept in the record for good.")
@click.option("--all", "everyone", is_flag=True, help="All that the filters leave; at least one filter.")
@click.option("--dry-run", is_flag=True, help="Only say which they are.")
@_CAMPAIGN
@_SCENARIO
@_REASON
@_SINCE
@_CUSTOMER
@deployment_options
def resolve(
    send_ids: tuple[str, ...],
    said: Said,
    why: str,
    everyone: bool,  # noqa: FBT001 — click passes options by name
    dry_run: bool,  # noqa: FBT001
    campaign: str,
    scenario: str,
    reason: str,
    since: str,
    customer: str,
    stack: str | None,
    state: Path,
) -> None:
    """Say of unknown messages that they were sent, or that they failed. It cannot be taken back.

    A failure gives its place under the caps back; the customer may get other messages earlier. The record keeps what it
    said before, who says otherwise, when and why. Nothing is sent. Interrupted, give the same command again.
    """
    wanted = _wanted(campaign, scenario, reason, since, frozenset(send_ids))
    if bool(send_ids) == everyone:
        raise UserError("Name the send ids ('musubi unknown list' has them), or give --all with a filter.")
    if everyone and wanted.is_everything and not customer:
        raise UserError("--all needs a filter: --campaign, --scenario, --reason, --since or --customer.")
    if not why.strip():
        raise UserError("--why: say how you know; whoever audits this will ask.")
    stores = Stores(target_of(stack, state))
    found = _found(stores, wanted, customer, said)
    if dry_run:
        for record in found:
            click.echo(
                f"{record.send_id}  {record.customer_id}  {record.message}: {record.reason or record.status}"
            )
        click.echo(f"{len(found):,} would be resolved as {said}; nothing was changed.")
        return
    if found:
        _resolve(stores, found, said, why.strip())
    else:
        click.echo("Nothing is unknown there.")


def _found(stores: Stores, wanted: Wanted, customer: str, said: Said) -> list[SendRecord]:
    """The records that are unknown, and those of which just this was said: their gates may not know it yet."""
    records = list(records_of(stores, wanted, customer=customer, resolved=True))
    found = [record for record in records if record.status == "unknown" or is_said(record, said)]
    if wanted.send_ids:
        others = sorted(wanted.send_ids - {record.send_id for record in found})
        if others:
            more = f" and {len(others) - 1} more" if len(others) > 1 else ""
            raise UserError(f"{others[0]}{more}: no unknown message has this id; nothing was changed.")
    return found


def _resolve(stores: Stores, found: list[SendRecord], said: Said, why: str) -> None:
    by = caller_of(stores.target)
    new = sorted(record.send_id for record in found if record.status == "unknown")
    if new:
        leave_trail(stores, "unknown", f"resolve as {said}", by, why=why, send_ids=new)
    resolving = Resolve(said, by, why, stores.customers, stores.reports, stores.now)
    came: Counter[str] = Counter()
    slots = 0
    for one in resolving.all(found):
        came[one.came] += 1
        slots += one.gate
    told = [f"{came['resolved']:,} resolved as {said}"]
    told += [f"{came[name]:,} {name}" for name in ("was resolved so", "has another end") if came[name]]
    if said == "failed":
        told.append(f"{slots:,} gates given their slot back")
    click.echo(", ".join(told) + ".")
