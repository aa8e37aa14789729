"""`musubi context`: what is true beside the customers (weather, rankings, a quiet day), said to a deployment."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from functions.domain.context import Context, fact_value, with_facts, without_fact
from functions.domain.instants import Instant, format_instant
from functions.playbook.quantities import seconds_of
from functions.ports.errors import Conflict, Rejected
from ops.context_files import read_facts, said
from ops.deployment import FORMAT, deployment_options, target_of
from ops.errors import UserError
from ops.stores import Stores

_KEY = click.option(
    "--key", metavar="KEY", default="", help="An area, a shop, a category; the whole account unless given."
)


@click.group()
def context() -> None:
    """Say what is true beside the customers: weather, rankings, a quiet day. Workers know it within seconds."""


@context.command("set")
@click.argument("name")
@click.argument("value")
@_KEY
@click.option("--for", "duration", metavar="6h", help="How long it holds; until further notice unless given.")
@deployment_options
def set_fact(name: str, value: str, key: str, duration: str | None, stack: str | None, state: Path) -> None:
    """Let the fact NAME be VALUE (true, false, a number or a text) from now on."""
    stores = Stores(target_of(stack, state))
    now = stores.now()
    try:
        until = now + dt.timedelta(seconds=seconds_of(duration)) if duration is not None else None
        fact = said(name, key, value, now, until)
    except ValueError as error:
        raise UserError(f"{error}.") from None
    _change(stores, lambda facts: with_facts(facts, [fact], now))
    end = f"until {format_instant(until)}" if until else "until further notice"
    click.echo(f"{_shown(name, key)} is {value}, {end}.")


@context.command("remove")
@click.argument("name")
@_KEY
@deployment_options
def remove_fact(name: str, key: str, stack: str | None, state: Path) -> None:
    """Let nothing be known of the fact NAME any more."""
    stores = Stores(target_of(stack, state))
    now = stores.now()
    if fact_value(stores.context.read(), name, key, now) is None:
        raise UserError(f"Nothing is known of {_shown(name, key)}; see 'musubi context list'.")
    _change(stores, lambda facts: without_fact(facts, name, key, now))
    click.echo(f"{_shown(name, key)} is no longer known.")


@context.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@deployment_options
def import_facts(file: Path, stack: str | None, state: Path) -> None:
    """Say all facts of FILE at once: a CSV with the columns name, key, value, until (an instant, or empty)."""
    stores = Stores(target_of(stack, state))
    now = stores.now()
    facts = read_facts(file, now)
    _change(stores, lambda before: with_facts(before, facts, now))
    click.echo(f"{len(facts):,} facts are known from now on.")


@context.command("list")
@FORMAT
@deployment_options
def list_facts(form: str, stack: str | None, state: Path) -> None:
    """Show the facts that hold now."""
    stores = Stores(target_of(stack, state))
    rows = _holding(stores.context.read(), stores.now())
    if form == "json":
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table("name", "key", "value", "since", "until", title="What is true now")
    for row in rows:
        table.add_row(row["name"], row["key"], str(row["value"]), row["since"], row["until"] or "—")
    Console().print(table)


def _holding(facts: Context, now: Instant) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "key": key,
            "value": fact.value,
            "since": format_instant(fact.since),
            "until": format_instant(fact.until) if fact.until else None,
        }
        for name, by_key in sorted(facts.items())
        for key, fact in sorted(by_key.items())
        if fact_value(facts, name, key, now) is not None
    ]


def _change(stores: Stores, change: Callable[[Context], Context]) -> None:
    try:
        stores.context.change(change)
    except (Conflict, Rejected) as error:
        raise UserError(f"Nothing was changed: {error}.") from None


def _shown(name: str, key: str) -> str:
    return f"{name} of {key}" if key else name
