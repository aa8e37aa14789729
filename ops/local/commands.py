"""`musubi local`: up, clock, down."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from ops.apply import apply_directory
from ops.engine.errors import LocalError
from ops.local.accounts import accounts_named
from ops.local.clock import LocalClock, Step
from ops.local.down import bring_down
from ops.local.instants import parse_instant, parse_span, text_of
from ops.local.place import Place
from ops.local.up import PLAYBOOK, Wishes, bring_up
from ops.target import Target


def after_deploy(target: Target, playbook: Path) -> None:
    """What runs once the deployment stands: the playbook is put in force."""
    apply_directory(target, playbook)


class Refused(click.ClickException):
    """One clear line on standard error, exit code 2."""

    exit_code = 2


@contextmanager
def plainly() -> Iterator[None]:
    """Turn what a person can mend into one line for that person."""
    try:
        yield
    except LocalError as error:
        raise Refused(str(error)) from error


@click.group()
def local() -> None:
    """AWS, LINE and time on this machine."""


@local.command()
@click.option("--line-api", metavar="URL", help="Send here instead of to a LINE sandbox of our own.")
@click.option("--at", metavar="INSTANT", help="The virtual instant to start from [default: now].")
@click.option("--port", type=click.IntRange(1, 65_535), help="The engine's port [default: a free one].")
@click.option(
    "--playbook",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=PLAYBOOK,
    show_default="playbooks/ec",
    help="The playbook to put in force.",
)
@click.option(
    "--accounts",
    metavar="NAMES",
    help="Several accounts side by side: shop,salon; or all of deployments.yaml [default: one].",
)
def up(line_api: str | None, at: str | None, port: int | None, playbook: Path, accounts: str | None) -> None:
    """Start the engine and LINE, deploy the stack, apply the playbook."""
    console = Console(stderr=True)
    with plainly():
        instant = parse_instant(at) if at else None
        named = accounts_named(accounts, playbook) if accounts else ()
        wishes = Wishes(line_api=line_api, at=instant, port=port, playbook=playbook, accounts=named)
        with console.status("Starting") as status:
            target = bring_up(wishes, after_deploy, lambda text: status.update(f"{text} …"))
        _summarize(console, wishes.place, target)


@local.command()
@click.option("--advance", metavar="SPAN", help="7d, 12h, 30m, 90s or several in a row: 1d12h.")
@click.option("--to", "until", metavar="INSTANT", help="An instant such as 2026-11-22T10:00:00Z.")
def clock(advance: str | None, until: str | None) -> None:
    """Move virtual time: run what falls due, in order, until the queues are idle."""
    if (advance is None) == (until is None):
        raise Refused("Say either --advance SPAN or --to INSTANT.")
    with plainly():
        local_clock = LocalClock(Place())
        start = local_clock.now
        end = parse_instant(until) if until else start + parse_span(advance or "")
        step = _advance(local_clock, start, end)
    click.echo(f"It is {text_of(step.now)}: {step.steps} due instants have run.")


@local.command()
def down() -> None:
    """Stop what `up` started and remove what it wrote."""
    with plainly():
        existed = bring_down(Place())
    click.echo("Stopped." if existed else "Nothing was up.")


def _advance(local_clock: LocalClock, start: dt.datetime, end: dt.datetime) -> Step:
    bar = Progress(
        TextColumn("{task.fields[now]}"), BarColumn(), TextColumn("{task.fields[steps]} due instants"),
        TimeElapsedColumn(), console=Console(stderr=True), transient=True,
    )  # fmt: skip
    with bar:
        task: TaskID = bar.add_task("", total=(end - start).total_seconds(), now=text_of(start), steps=0)

        def show(step: Step) -> None:
            passed = (step.now - start).total_seconds()
            bar.update(task, completed=passed, now=text_of(step.now), steps=step.steps)

        return local_clock.advance_to(end, show)


def _summarize(console: Console, place: Place, target: Target) -> None:
    record = place.read_record()
    where = place.record_path
    console.print(f"[bold]Musubi is up.[/bold] It is {record['clock']}, and time stands still.")
    for name, one in record.get("accounts", {"": record}).items():
        if name:
            console.print(f"[bold]{name}[/bold]")
        console.print(f"  webhook  {one['webhook_url']}")
        console.print(f"  events   {one['ingest_url']}")
        console.print(f"  LINE     {one['line_url']}")
    console.print(f"  engine   {target.engine_url}")
    console.print(f"Keys and all else: {where}. Move time: musubi local clock --advance 7d")
