"""`musubi audit`: work every membership out anew and hold it against what is kept, by the code of the nightly audit."""

import json
import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from functions.aws.rejects import S3RejectedEvents
from functions.aws.scans import S3Audits
from functions.domain.audits import AUDIT_PARTS, AuditReport
from functions.evaluate.audit import Audit
from functions.ports.messages import AuditPart
from ops.deployment import FORMAT, deployment_options, target_of
from ops.stores import Stores

SHOWN = 20


class _Unwatched:
    """No alarm hears of what a person asks for."""

    def count(self, name: str, number: int) -> None:
        """Nobody is told."""


def audited(stores: Stores, parts: range) -> list[AuditReport]:
    """The reports of some parts, worked out here and kept in the bucket beside the nightly ones."""
    audit = Audit(
        stores.playbooks,
        stores.audience,
        S3Audits(stores.objects),
        _Unwatched(),
        stores.evaluation,
        stores.inbox,
        S3RejectedEvents(stores.objects),
        stores.now,
    )
    name = f"asked-{time.time_ns()}"  # no virtual clock: it may stand still between two audits
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        return [
            audit.run(AuditPart(name, part), lambda: float("inf"))
            for part in bars.track(parts, description="Audit")
        ]


@click.command()
@click.option(
    "--part",
    type=click.IntRange(0, AUDIT_PARTS - 1),
    help=f"One of the {AUDIT_PARTS} parts; all of them unless told.",
)
@FORMAT
@deployment_options
def audit(part: int | None, form: str, stack: str | None, state: Path) -> None:
    """Hold kept segment memberships against a full recompute; exit code 1 where any differs."""
    parts = range(AUDIT_PARTS) if part is None else range(part, part + 1)
    reports = audited(Stores(target_of(stack, state)), parts)
    told = {
        name: sum(getattr(report, name) for report in reports)
        for name in ("looked", "differences", "overdue", "behind")
    }
    found = [difference for report in reports for difference in report.found]
    if form == "json":
        rows = [
            {
                "customer_id": one.customer_id,
                "missing": one.missing,
                "surplus": one.surplus,
                "wakes_late": one.wakes_late,
            }
            for one in found
        ]
        click.echo(json.dumps({**told, "found": rows}))
    else:
        click.echo(
            f"{told['looked']:,} customers: {told['differences']:,} differ, {told['overdue']:,} were not woken in time, "
            f"{told['behind']:,} wait for the back-fill."
        )
        table = Table("customer", "missing", "too many", "wakes late")
        for one in found[:SHOWN]:
            table.add_row(
                one.customer_id,
                ", ".join(one.missing),
                ", ".join(one.surplus),
                "yes" if one.wakes_late else "",
            )
        if found:
            Console().print(table)
    click.get_current_context().exit(1 if told["differences"] else 0)
