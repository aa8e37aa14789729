"""`musubi approvals` and `musubi approve`."""

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from functions.domain.instants import format_instant
from ops.approvals import Asked, asked_for, decide
from ops.callers import caller_of
from ops.deployment import FORMAT, deployment_options, target_of
from ops.stores import Stores


@click.command()
@FORMAT
@deployment_options
def approvals(form: str, stack: str | None, state: Path) -> None:
    """List the campaign runs that wait for a second person: what they say, to how many, at what cost."""
    found = list(asked_for(Stores(target_of(stack, state))))
    if form == "json":
        click.echo(json.dumps([_told(asked) for asked in found], ensure_ascii=False))
        return
    if not found:
        click.echo("Nothing waits for approval.")
        return
    table = Table("run", "people", "yen", "expires", "hash", "says")
    for asked in found:
        told = _told(asked)
        table.add_row(
            told["run"], f"{told['targeted']:,}", f"{told['yen']:,.0f}", told["expires"], told["hash"][:16], "\n".join(told["says"])
        )  # fmt: skip
    Console().print(table)
    click.echo("Approve one with: musubi approve RUN --hash HASH")


@click.command()
@click.argument("run", metavar="CAMPAIGN@INSTANT")
@click.option(
    "--hash", "seen_hash", metavar="HASH", default="", help="What you have looked at; another is refused."
)
@click.option("--reject", is_flag=True, help="Send nothing of it: all its messages end as stopped.")
@click.option("--why", metavar="TEXT", default="", help="What others are to know of it.")
@click.option("--as", "name", metavar="NAME", help="Who decides, on this machine; on AWS it is the caller.")
@deployment_options
def approve(
    *, run: str, seen_hash: str, reject: bool, why: str, name: str | None, stack: str | None, state: Path
) -> None:
    """Let a campaign run go that waits for you. It must not be you who applied its playbook."""
    stores = Stores(target_of(stack, state))
    by = caller_of(stores.target, name)
    asked = decide(stores, run, "rejected" if reject else "approved", by, why, seen_hash)
    people = f"{asked.awaiting.targeted:,} people"
    click.echo(
        f"Rejected by {by}: the messages to {people} end as stopped."
        if reject
        else f"Approved by {by}: {run} goes to {people}."
    )


def _told(asked: Asked) -> dict[str, Any]:
    return {
        "run": asked.run.source,
        "targeted": asked.awaiting.targeted,
        "yen": asked.yen,
        "since": format_instant(asked.awaiting.since),
        "expires": asked.expires,
        "hash": asked.awaiting.hash,
        "playbook": asked.run.playbook,
        "says": asked.says,
    }
