"""`musubi measure`: measure a day by hand, or days that were missed. The work is the measure function's own."""

import datetime as dt
import json
import time
from pathlib import Path

import click
from rich.console import Console

from functions.aws.measuring import measure_body
from functions.measure.days import last_day_over
from functions.measure.progress import LAST
from functions.ports.messages import MeasureDay
from ops.deployment import FORMAT, deployment_options, target_of
from ops.errors import UserError
from ops.local.facts import WaitingFacts
from ops.local.queues import held_in
from ops.stores import Stores

POLL_SECONDS = 0.2
WAIT_SECONDS_MAX = 3_600
DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option(
    "--day",
    type=DAY,
    metavar="DAY",
    help="The local day to measure, such as 2026-11-01 [default: the last that is over, and those missed before].",
)
@click.option("--from", "first", type=DAY, metavar="DAY", help="Measure each day from this one on.")
@click.option("--no-wait", is_flag=True, help="Ask for it only, and do not wait until it is done.")
@FORMAT
@deployment_options
def measure(
    day: dt.datetime | None,
    first: dt.datetime | None,
    *,
    no_wait: bool,
    form: str,
    stack: str | None,
    state: Path,
) -> None:
    """Merge the facts that have come in and measure a day, as happens every night. The same facts give the same figures,
    however often they are measured."""
    stores = Stores(target_of(stack, state))
    order = _order(day and day.date(), first and first.date(), stores)
    if stores.target.engine_url:
        WaitingFacts(stores.target).settle()
    dead = held_in(stores.target, "DeadMeasureUrl")
    stores.target.client("sqs").send_message(
        QueueUrl=stores.settings.queue_measure_url, MessageBody=measure_body(order)
    )
    if not no_wait:
        with Console(stderr=True).status("Measuring …"):
            _wait(stores, dead)
    last = (stores.objects.read(LAST) or b"").decode() or None
    if form == "json":
        click.echo(json.dumps({"measured": not no_wait, "last_day": last}))
    else:
        click.echo("Measuring is asked for." if no_wait else f"Measured up to {last}.")


def _order(day: dt.date | None, first: dt.date | None, stores: Stores) -> MeasureDay:
    over = last_day_over(stores.now(), stores.playbooks.in_force().playbook.zone)
    last = day or over
    if last > over:
        raise UserError(f"{last} is not over yet: the last day that can be measured is {over}.")
    if first is not None and first > last:
        raise UserError(f"--from {first} lies after {last}: name the earlier day with --from.")
    return MeasureDay(last, first) if day or first else MeasureDay()


def _wait(stores: Stores, dead: int) -> None:
    """UserError where it fails for good, or takes an hour."""
    until = time.monotonic() + WAIT_SECONDS_MAX
    while held_in(stores.target, "QueueMeasureUrl"):
        if held_in(stores.target, "DeadMeasureUrl") > dead:
            break
        if time.monotonic() > until:
            raise UserError("It is still being measured after an hour; see `musubi dlq list` later.")
        time.sleep(POLL_SECONDS)
    if held_in(stores.target, "DeadMeasureUrl") > dead:
        raise UserError("It could not be measured: `musubi dlq list` says why.")
