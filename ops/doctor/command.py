"""`musubi doctor`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from infra.deployments import DEPLOYMENTS, DeploymentsError, read_deployments
from ops.deployment import FORMAT, deployment_options, region_of, target_of
from ops.doctor import at_line, in_aws, machine
from ops.doctor.findings import Finding, as_json, is_well, mend, note
from ops.doctor.visit import Look, Visit, asked
from ops.engine.clients import Clients
from ops.errors import UserError
from ops.target import STACK_NAME, Target

LOOKS: Final[dict[str, Look]] = {
    "credentials": in_aws.caller,
    "bootstrap": in_aws.bootstrap,
    "stack": in_aws.stack,
    "resources": in_aws.resources,
    "streams": in_aws.streams,
    "dead letters": in_aws.dead_letters,
    "alarms": in_aws.alarms,
    "subscribers": in_aws.subscribers,
    "secrets": at_line.secrets,
    "line token": at_line.token,
    "webhook": at_line.webhook,
    "quota": at_line.quota,
    "playbook": at_line.playbook,
}
_SIGNS: Final = {"ok": "[green]✓[/green]", "note": "[yellow]·[/yellow]", "mend": "[red]✗[/red]"}


@click.command()
@FORMAT
@deployment_options
def doctor(form: str, stack: str | None, state: Path) -> int:
    """Say what is missing on this machine and in a deployment, and how to mend it; 1 where something has to be."""
    found = list(findings(stack, state))
    if form == "json":
        click.echo(json.dumps(as_json(found), ensure_ascii=False))
    else:
        _show(found, Console())
    return 0 if is_well(found) else 1


def findings(stack: str | None, state: Path) -> Iterator[Finding]:
    """Of this machine, then of the deployment on AWS or of the local one."""
    yield from machine.findings(machine.look())
    if stack is None and not state.exists():
        yield note(
            "deployment",
            "nothing is up on this machine",
            "musubi local up, or musubi doctor --account prod/shop",
        )
        return
    try:
        target = target_of(stack, state)
    except UserError as error:
        yield from _without_a_stack(stack, str(error))
        return
    yield from of_deployment(Visit(target, stack or _local_stack(target), _aws_account_of(stack)))


def of_deployment(visit: Visit) -> Iterator[Finding]:
    """All that can be looked at of one that stands."""
    for check, look in LOOKS.items():
        yield from asked(check, look, visit)


def _without_a_stack(stack: str | None, told: str) -> Iterator[Finding]:
    """Who asks, and whether the CDK may deploy, can be told before there is anything."""
    if stack is not None:
        bare = Visit(Target({}, {}, Clients(None, region_of(stack))), stack, _aws_account_of(stack))
        for check in ("credentials", "bootstrap"):
            yield from asked(check, LOOKS[check], bare)
    yield mend("stack", told, "npx cdk deploy" if stack else "musubi local down, then musubi local up")


def _local_stack(target: Target) -> str:
    """The engine's stack that these outputs are of: accounts side by side have one each."""
    try:
        pages = target.client("cloudformation").get_paginator("describe_stacks").paginate()
        for page in pages:
            for one in page["Stacks"]:
                outputs = {output["OutputKey"]: output["OutputValue"] for output in one.get("Outputs", ())}
                if outputs.get("ApiId") == target.outputs.get("ApiId"):
                    return str(one["StackName"])
    except (ClientError, BotoCoreError):
        pass  # the looks tell that the engine does not answer
    return STACK_NAME


def _aws_account_of(stack: str | None, file: Path = DEPLOYMENTS) -> str | None:
    try:
        read = read_deployments(file)
    except DeploymentsError as error:
        raise UserError(str(error)) from None
    return next((one.aws_account for one in read.every if one.stack == stack), None) if read else None


def _show(found: list[Finding], console: Console) -> None:
    table = Table("", "", Column(overflow="fold"), box=None, show_header=False, pad_edge=False)
    for one in found:
        how = f"\n[dim]→ {escape(one.how)}[/dim]" if one.how else ""
        table.add_row(_SIGNS[one.status], one.check, f"{escape(one.told)}{how}")
    console.print(table)
    broken = sum(one.status == "mend" for one in found)
    console.print(f"\n{broken} to mend." if broken else "\nAll is well.")
