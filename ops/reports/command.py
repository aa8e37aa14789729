"""`musubi report`: the day's health, the week's review, the month for management; as a page, JSON or CSV."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec

from functions.clock import clock_of
from functions.measure.folder_lake import FolderLake
from functions.playbook import PlaybookFaults, load_playbook
from ops.deployment import deployment_options, target_of
from ops.errors import UserError
from ops.reports.content import PeriodKind, Report
from ops.reports.deployed import deployed_source
from ops.reports.feed import alerts_in
from ops.reports.making import made
from ops.reports.monthly import Costs
from ops.reports.page import page_of
from ops.reports.sheets import sheet_of
from ops.reports.source import Source, Surroundings, opened_source


@click.command()
@click.argument("period", type=click.Choice(["daily", "weekly", "monthly"]))
@click.option(
    "--format", "form", type=click.Choice(["html", "json", "csv"]), default="html", show_default=True
)
@click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day, the last day of the week, or any day of the month. Default: the last that is measured.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="The file to write. Default: build/report-PERIOD.FORMAT."
)
@click.option(
    "--from",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder with a lake in it (facts/v1, derived/v1), in place of a deployment.",
)
@click.option(
    "--playbook",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="With --from: the playbook that was in force.",
)
@click.option("--advertising-yen", type=click.FloatRange(min=0), help="Monthly: what advertising cost.")
@click.option("--labour-yen", type=click.FloatRange(min=0), help="Monthly: what people's work cost.")
@deployment_options
def report(
    *,
    period: PeriodKind,
    form: str,
    day: dt.datetime | None,
    out: Path | None,
    folder: Path | None,
    playbook: Path | None,
    advertising_yen: float | None,
    labour_yen: float | None,
    stack: str | None,
    state: Path,
) -> None:
    """Write the daily health, the weekly review or the monthly management report as one file, for people or scripts."""
    costs = Costs(advertising_yen, labour_yen)
    if period != "monthly" and costs != Costs():
        raise click.UsageError("Only the monthly report takes --advertising-yen and --labour-yen.")
    if (folder is None) != (playbook is None):
        raise click.UsageError("--from and --playbook go together: a folder's figures need their playbook.")
    with _source(folder, playbook, stack, state) as source:
        found = made(source, period, _known(source, day.date() if day else None), costs)
    path = out or Path("build") / f"report-{period}.{form}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_text(found, form), encoding="utf-8")
    click.echo(f"{found.title} {found.first} to {found.last}: {path}")


def as_text(found: Report, form: str) -> str:
    """The report in one of its forms."""
    if form == "html":
        return page_of(found)
    if form == "csv":
        return sheet_of(found)
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()


def _known(source: Source, day: dt.date | None) -> dt.date | None:
    measured = source.measured_until()
    if day is not None and measured is not None and day > measured:
        raise UserError(f"{day} is not measured yet; the last measured day is {measured}.")
    return day


@contextmanager
def _source(folder: Path | None, playbook: Path | None, stack: str | None, state: Path) -> Iterator[Source]:
    if folder is not None and playbook is not None:
        lake = FolderLake(folder)
        try:
            book = load_playbook(playbook)
        except PlaybookFaults as faults:
            raise UserError(f"{playbook} has faults: {faults.faults[0]}") from None
        with opened_source(lake, Surroundings(book, clock_of("")(), alerts=alerts_in(lake))) as source:
            yield source
        return
    with deployed_source(target_of(stack, state)) as source:
        yield source
