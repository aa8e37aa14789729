"""`musubi alerts`: what the nightly watch has found, as the console's feed has it."""

import datetime as dt
import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from functions.domain.alerts import Noted
from functions.domain.instants import format_instant
from ops.deployment import FORMAT, deployment_options, target_of
from ops.reports.deployed import lake_of
from ops.reports.feed import noted_in


@click.command()
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Alerts of this day and of days after.")
@FORMAT
@deployment_options
def alerts(since: dt.datetime | None, form: str, stack: str | None, state: Path) -> None:
    """List what was off, day by day: what, how much, what to do, and where it is explained."""
    found = noted_in(lake_of(target_of(stack, state)), since.date() if since else None)
    if form == "json":
        click.echo(json.dumps([_row(one) for one in found], ensure_ascii=False, indent=2))
        return
    if not found:
        click.echo("No alerts: no limit was passed, and nothing left its usual range.")
        return
    table = Table("day", "what", "what to do")
    for one in found:
        told = "" if one.told else "\n[dim]nobody was told yet[/dim]"
        table.add_row(
            f"{one.alert.day}", one.alert.in_words() + told, f"{one.alert.to_do()}\n{one.alert.page}"
        )
    Console().print(table)


def _row(one: Noted) -> dict[str, object]:
    alert = one.alert
    return {
        "alert_id": alert.alert_id,
        "kind": alert.kind,
        "day": alert.day.isoformat(),
        "scope_kind": alert.scope_kind,
        "scope": alert.scope,
        "value": alert.value,
        "usual": alert.usual,
        "count": alert.count,
        "beyond": alert.beyond,
        "at": format_instant(alert.at),
        "told": one.told,
        "text": alert.in_words("en"),
        "text_ja": alert.in_words("ja"),
        "to_do": alert.to_do("en"),
        "page": alert.page,
    }
