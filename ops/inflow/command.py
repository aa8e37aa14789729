"""`musubi links source`: sources that friends come by, each with an address and its QR code."""

import json
import re
from pathlib import Path
from typing import Any

import click
import msgspec

from functions.aws.secrets import SecretKeys
from functions.domain.inflow import InflowSource, token_digest
from functions.domain.instants import format_instant
from functions.ports.errors import Conflict
from functions.tokens import Tokens
from ops.callers import caller_of
from ops.deployment import FORMAT, deployment_options, target_of
from ops.errors import UserError
from ops.inflow.pictures import write_pictures
from ops.stores import Stores
from ops.trail import leave_trail

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
LABEL_CHARACTERS_MAX = 200
_AS = click.option(
    "--as", "by", metavar="NAME", help="Who does it, on this machine; on AWS it is the caller."
)
_OUT = click.option(
    "--out",
    "directory",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Where NAME.png and NAME.svg go; here unless given.",
)


@click.group()
def source() -> None:
    """Where friends come from: an address and a QR code for each poster, advertisement and shop."""


@source.command("create")
@click.argument("name")
@click.option("--label", default="", help="What people call it: the poster at the till.")
@click.option("--campaign", default="", help="The campaign that it belongs to, kept with each arrival.")
@_OUT
@_AS
@deployment_options
def create_source(
    *,
    name: str,
    label: str,
    campaign: str,
    directory: Path,
    by: str | None,
    stack: str | None,
    state: Path,
) -> None:
    """Make the source NAME (small letters, digits, _), with its address and the pictures of its QR code.

    Who comes by it is known from LINE's login, gets the attribute inflow_source once, and counts in inflow.
    """
    _check(name, label, campaign)
    stores = Stores(target_of(stack, state))
    token = _tokens(stores).sign("inflow", {"n": name})
    who = caller_of(stores.target, by)
    made = InflowSource(name, token_digest(token), stores.now(), who, label, campaign)
    if stores.inflow_sources.find(name) is None:
        leave_trail(stores, "inflow", "create", who, name=name, label=label, campaign=campaign)
    if not stores.inflow_sources.create(made):
        raise UserError(f"There is a source {name!r} already; its address was printed. Give another name.")
    url = f"{stores.settings.link_url}/link/in?s={token}"
    click.echo(url)
    for path in write_pictures(directory, name, url):
        click.echo(f"{path} shows it.")


@source.command("list")
@FORMAT
@deployment_options
def list_sources(form: str, stack: str | None, state: Path) -> None:
    """List the sources: since when, for what, and whether they are closed."""
    rows = [_row(one) for one in Stores(target_of(stack, state)).inflow_sources.all()]
    if form == "json":
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        closed = f", closed {row['closed_at']}" if row["closed_at"] else ""
        more = "".join(f", {row[key]}" for key in ("label", "campaign") if row[key])
        click.echo(f"{row['name']}  since {row['created_at']} by {row['by']}{more}{closed}")
    click.echo(f"{len(rows):,} sources." if rows else "No sources yet.")


@source.command("close")
@click.argument("name")
@_AS
@deployment_options
def close_source(*, name: str, by: str | None, stack: str | None, state: Path) -> None:
    """Count nobody by the source NAME any more; its address still leads to the account."""
    stores = Stores(target_of(stack, state))
    found = stores.inflow_sources.find(name)
    if found is None:
        raise UserError(f"There is no source {name!r}; 'musubi links source list' says which there are.")
    if found.closed_at is not None:
        raise UserError(f"It was closed at {format_instant(found.closed_at)}.")
    leave_trail(stores, "inflow", "close", caller_of(stores.target, by), name=name)
    try:
        stores.inflow_sources.replace(found, msgspec.structs.replace(found, closed_at=stores.now()))
    except Conflict as error:
        raise UserError(f"Nothing was changed: {error}.") from None
    click.echo(f"{name} is closed.")


def _check(name: str, label: str, campaign: str) -> None:
    if not _NAME.fullmatch(name):
        raise UserError("A source's name begins with a small letter and has only a–z, 0–9 and _, at most 64.")
    for what, text in (("--label", label), ("--campaign", campaign)):
        if len(text) > LABEL_CHARACTERS_MAX or (text and not text.isprintable()):
            raise UserError(f"{what} has at most {LABEL_CHARACTERS_MAX} printable characters.")


def _tokens(stores: Stores) -> Tokens:
    keys = SecretKeys(stores.target.client("secretsmanager"), stores.settings.secret_link)
    return Tokens(keys, stores.now)


def _row(one: InflowSource) -> dict[str, Any]:
    return {
        "name": one.name,
        "label": one.label,
        "campaign": one.campaign or None,
        "created_at": format_instant(one.created_at),
        "by": one.by,
        "closed_at": format_instant(one.closed_at) if one.closed_at else None,
    }
