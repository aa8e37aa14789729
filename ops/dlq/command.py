"""`musubi dlq list`, `musubi dlq replay`, `musubi dlq replays`."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from functions.domain.dead_letters import Filters, aged, counted
from functions.domain.instants import format_instant
from functions.domain.redrives import Redrive, Tally, Trail
from functions.playbook.quantities import seconds_of
from functions.ports.errors import Conflict, Rejected
from functions.redrive.flow import REMEMBERED, Replay, Report, Survey
from functions.redrive.reports import replay_report, survey_report
from ops.callers import caller_of
from ops.deployment import FORMAT, deployment_options, target_of
from ops.dlq.opened import replay_of
from ops.dlq.shown import show_counts, show_survey, told_report
from ops.errors import UserError
from ops.stores import Stores

_Command = TypeVar("_Command", bound=Callable[..., Any])
_PAYLOAD = click.option(
    "--payload", is_flag=True, help="Show what each letter carries, whole: it may hold personal data."
)


def _filter_options(command: _Command) -> _Command:
    """The options that say which letters are meant."""
    options = [
        click.option("--queue", metavar="QUEUE", default="", help="Only what died in this queue."),
        click.option("--cause", metavar="TEXT", default="", help="Only where the cause holds this text."),
        click.option("--customer", metavar="ID", default="", help="Only of this customer or LINE user."),
        click.option("--scenario", metavar="NAME", default="", help="Only of this scenario."),
        click.option("--campaign", metavar="NAME", default="", help="Only of this campaign."),
        click.option("--older", metavar="6h", help="Only what failed last so long ago, or longer."),
        click.option("--newer", metavar="6h", help="Only what failed last so long ago, or less."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.group()
def dlq() -> None:
    """Dead letters: messages that failed five times. See why, and send them back through the same checks.

    \b
    musubi dlq list                               what died, of what, when
    musubi dlq list --queue send --payload        with what each carries
    musubi dlq replay --dry-run                   what would become of them now
    musubi dlq replay --cause Throttling          put back what died of that
    musubi dlq replay --resume ID                 go on after an interruption
    """


@dlq.command("list")
@_filter_options
@_PAYLOAD
@FORMAT
@deployment_options
def list_letters(
    *, payload: bool, form: str, stack: str | None, state: Path, older: str | None, newer: str | None, **chosen: str
) -> None:  # fmt: skip
    """List the dead letters by cause, with the error, the age and what each is about. Nothing is changed."""
    flow = replay_of(Stores(target_of(stack, state)))
    survey = _survey(flow, _filters(flow, older, newer, None, chosen), foresee=False)
    _tell(flow, survey, form, payload=payload)


@dlq.command()
@_filter_options
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many.")
@click.option("--dry-run", is_flag=True, help="Only say what would become of each.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--resume", metavar="ID", default="", help="Go on with a replay that was interrupted.")
@_PAYLOAD
@FORMAT
@deployment_options
def replay(
    *, limit: int | None, dry_run: bool, yes: bool, resume: str, payload: bool, form: str, stack: str | None,
    state: Path, older: str | None, newer: str | None, **chosen: str,
) -> None:  # fmt: skip
    """Put dead letters back, each onto the queue that it died in, and delete it here.

    Everything runs through the same checks as the first time: what was sent is not sent again, and what LINE's retry key
    no longer protects (it is 23 hours old, or too old to tell) ends as unknown instead of being sent. Interrupted, it goes
    on with --resume. Who put back what is kept under audits/redrive/; 'musubi dlq replays' lists it.
    """
    stores = Stores(target_of(stack, state))
    flow = replay_of(stores)
    filters = _filters(flow, older, newer, limit, chosen)
    if resume:
        if filters != Filters() or dry_run:
            raise UserError("--resume goes on with the filters that it began with: give no others.")
        _finish(flow, _begun(flow, resume), form)
        return
    if dry_run:
        _tell(flow, _survey(flow, filters, foresee=True), form, payload=payload)
        return
    total = None if yes else _agreed(flow, filters)
    if total != 0:
        _finish(flow, flow.begin(filters, caller_of(stores.target)), form, total)


@dlq.command()
@FORMAT
@deployment_options
def replays(form: str, stack: str | None, state: Path) -> None:
    """List the replays of the last 15 days: who, when, which letters, how many, and whether it came to its end."""
    flow = replay_of(Stores(target_of(stack, state)))
    trails = flow.redrives.begun(flow.now() - REMEMBERED)
    if form == "json":
        click.echo(json.dumps([_trail(trail) for trail in trails], ensure_ascii=False))
        return
    table = Table("id", "by", "which", "put back", "finished")
    table.columns[0].overflow = "fold"
    for told in map(_trail, trails):
        which = ", ".join(f"{name} {value}" for name, value in told["filters"].items()) or "all"
        finished = "yes" if told["finished"] else "no: --resume"
        table.add_row(*map(Text, (told["replay"], told["by"], which, f"{told['put_back']:,}", finished)))
    Console().print(table)


def _trail(trail: Trail) -> dict[str, Any]:
    filters = trail.redrive.filters
    named = {name: getattr(filters, name) for name in filters.__struct_fields__}
    return {
        "replay": trail.redrive.redrive_id,
        "at": format_instant(trail.redrive.at),
        "by": trail.redrive.by,
        "filters": {
            name: format_instant(value) if isinstance(value, dt.datetime) else value
            for name, value in named.items()
            if value not in ("", None)
        },
        "put_back": len(trail.put),
        "finished": trail.finished,
    }


def _filters(
    flow: Replay, older: str | None, newer: str | None, limit: int | None, chosen: dict[str, str]
) -> Filters:
    known = flow.letters.queues()
    if chosen["queue"] not in ("", *known):
        raise UserError(f"There is no queue {chosen['queue']!r}; there are {', '.join(known)}.")
    filters = Filters(
        chosen["queue"],
        chosen["cause"],
        chosen["customer"],
        chosen["scenario"],
        chosen["campaign"],
        limit=limit,
    )
    return aged(filters, flow.now(), _seconds("--older", older), _seconds("--newer", newer))


def _seconds(option: str, text: str | None) -> int | None:
    try:
        return None if text is None else seconds_of(text)
    except ValueError as error:
        raise UserError(f"{option}: {error}.") from None


def _survey(flow: Replay, filters: Filters, *, foresee: bool) -> Survey:
    with Console(stderr=True).status("Looking through the dead letters …"):
        return flow.survey(filters, _for_ever, foresee=foresee)


def _tell(flow: Replay, survey: Survey, form: str, *, payload: bool) -> None:
    if form == "json":
        click.echo(json.dumps(survey_report(survey, flow.now(), payload=payload), ensure_ascii=False))
        return
    show_survey(survey, flow.now(), payload=payload)
    counts = counted(survey.seen)
    if counts:
        show_counts(counts)
        click.echo("Nothing was put back.")


def _agreed(flow: Replay, filters: Filters) -> int:
    """How many letters are to be gone after a person has seen what would become of them and agreed; 0: there are none."""
    survey = _survey(flow, filters, foresee=True)
    counts = counted(survey.seen)
    movable = sum(count for told, count in counts.items() if not told.startswith("stays"))
    if not movable:
        click.echo("Nothing to put back." if not counts else "Nobody can read these: nothing to put back.")
        return 0
    show_counts(counts)
    click.confirm(f"Put {movable:,} dead letters back?", abort=True, err=True)
    return movable


def _begun(flow: Replay, resume: str) -> Redrive:
    try:
        return flow.resumed(resume)
    except Rejected as error:
        raise UserError(f"Nothing was put back: {error}; see 'musubi dlq replays'.") from None


def _finish(flow: Replay, redrive: Redrive, form: str, total: int | None = None) -> None:
    again = f"'musubi dlq replay --resume {redrive.redrive_id}' goes on"
    try:
        report = _run(flow, redrive, total)
    except KeyboardInterrupt:
        raise UserError(f"Interrupted; nothing is lost, and {again}.") from None
    except Conflict as error:
        raise UserError(f"Stopped: {error}; when they are done, {again}.") from None
    if form == "json":
        click.echo(json.dumps(replay_report(report), ensure_ascii=False))
    else:
        click.echo(f"{told_report(report)} Replay {redrive.redrive_id}.")
    if not report.finished:
        click.echo(f"Some are left: {again}.", err=True)
    click.get_current_context().exit(0 if report.finished else 1)


def _run(flow: Replay, redrive: Redrive, total: int | None) -> Report:
    columns = (TextColumn("Put back"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task("", total=total)

        def on_batch(tally: Tally) -> None:
            bars.update(task, completed=tally.put_back + tally.cleared)

        return flow.run(redrive, _for_ever, on_batch)


def _for_ever() -> float:
    return float("inf")
