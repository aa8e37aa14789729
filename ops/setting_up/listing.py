"""`musubi accounts`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from infra.deployments import DEPLOYMENTS, Deployment, DeploymentsError, read_deployments
from ops.deployment import FORMAT
from ops.errors import UserError
from ops.setting_up.webhooks import Deployed, deployed


@click.command()
@click.option(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEPLOYMENTS,
    help="The deployment file  [default: deployments.yaml]",
)
@click.option("--offline", is_flag=True, help="Ask AWS nothing: no webhook addresses.")
@FORMAT
def accounts(file: Path, form: str, *, offline: bool) -> None:
    """List the accounts of the deployment file: environment, region, stack, and the webhook address where deployed."""
    found = [(one, Deployed(None) if offline else deployed(one)) for one in every(file)]
    if form == "json":
        click.echo(json.dumps([as_json(one, told) for one, told in found], ensure_ascii=False))
    else:
        _show(found, Console(), offline=offline)


def every(file: Path) -> tuple[Deployment, ...]:
    """The deployments of a file. UserError where there is none, or it has faults."""
    try:
        read = read_deployments(file)
    except DeploymentsError as error:
        raise UserError(str(error)) from None
    if read is None:
        raise UserError(f"There is no {file.name}: musubi init prod/shop --channel … makes one.")
    return read.every


def as_json(one: Deployment, told: Deployed) -> dict[str, Any]:
    """One account, for `--format json`."""
    plain = {"name": one.name, "environment": one.environment, "account": one.account, "provider": one.provider,
             "channel": one.channel, "playbook": str(one.playbook), "aws_account": one.aws_account,
             "region": one.region, "stack": one.stack}  # fmt: skip
    return plain | asdict(told)


def _show(found: list[tuple[Deployment, Deployed]], console: Console, *, offline: bool) -> None:
    table = Table("account", "channel", "region", "stack", Column("webhook address", overflow="fold"))
    for one, told in found:
        address = told.webhook_url or ("" if offline else f"[dim]{escape(told.why)}[/dim]")
        table.add_row(one.name, one.channel, one.region or "", one.stack, address)
    console.print(table)
