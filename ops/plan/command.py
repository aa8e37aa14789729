"""`musubi plan DIR`: what a playbook would send in the coming days, before anybody applies it."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from functions.domain.instants import Instant, InstantError, parse_instant
from functions.domain.playbook import Playbook
from ops.check import sound_playbook
from ops.deployment import STATE, account_option, target_of
from ops.errors import UserError
from ops.plan.basis import Basis, basis_of_deployment, basis_of_file, with_expected
from ops.plan.course import Terms, course_of
from ops.plan.forecast import Assumed, Forecast, forecast_from
from ops.plan.lives import Person
from ops.plan.page import page_of
from ops.plan.tallies import Tally
from ops.plan.text import show
from ops.plan.workers import forecast
from ops.stores import Stores

DAYS_MAX = 366
ACCOUNT = "plan"
"""The ids of a forecast's messages name no message of any account."""


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--days", type=click.IntRange(1, DAYS_MAX), default=28, show_default=True, help="How far ahead."
)
@click.option("--at", metavar="INSTANT", help="From when; the newest event of FILE, or the deployment's now.")
@click.option(
    "--events", "file", metavar="FILE", type=click.Path(path_type=Path), help="CSV or JSONL; offline."
)
@click.option("--linked", is_flag=True, help="With --events: everybody has a LINE user, and consents.")
@click.option(
    "--assume", metavar="FILE", type=click.Path(path_type=Path), help="Events that are expected to come."
)
@click.option(
    "--replay-days",
    metavar="N",
    type=click.IntRange(0, DAYS_MAX),
    default=0,
    help="The last N days come again.",
)
@click.option("--against", metavar="DIR", type=click.Path(path_type=Path), help="Compare with this playbook.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--html", metavar="FILE", type=click.Path(path_type=Path), help="Write a page for people to read."
)
@click.option("--stack", metavar="NAME", help="A stack on AWS, under your own credentials.")
@click.option("--local", "state", type=click.Path(path_type=Path), default=STATE, show_default=True,
    help="The local deployment's state file; used where neither --events nor --stack is given.",
)  # fmt: skip
@account_option
def plan(
    directory: Path,
    days: int,
    at: str | None,
    file: Path | None,
    linked: bool,  # noqa: FBT001 — click passes options by name
    assume: Path | None,
    replay_days: int,
    against: Path | None,
    workers: int,
    form: str,
    html: Path | None,
    stack: str | None,
    state: Path,
) -> None:
    """Forecast what the playbook in DIR would send, to whom, and what it would cost. Nothing is sent or written."""
    if linked and file is None:
        raise UserError("--linked is about people of a file: give --events FILE as well.")
    book, instant = sound_playbook(directory), _instant(at)
    if file:
        basis = basis_of_file(file, book, instant, days, replay_days, linked=linked)
    else:
        stores = Stores(target_of(stack, state))
        basis = basis_of_deployment(stores, book, instant, days, replay_days, eventful=assume is not None)
    other = sound_playbook(against) if against else basis.in_force
    people = with_expected(basis.people, assume, book, basis.start, linked=linked) if assume else basis.people
    counted = _Counted(people)
    terms = terms_of(basis, days, [book, *([other] if other else [])])
    tallies = _with_progress(counted, terms, workers, basis.total)
    assumed = Assumed(linked, replay_days, counted.events)
    result = forecast_from(course_of(terms[0]), tallies[0], assumed, other, tallies[-1] if other else None)
    if html:
        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(page_of(result), encoding="utf-8")
        click.echo(f"The page is {html}.", err=True)
    _print(result, form)


def _print(result: Forecast, form: str) -> None:
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(result), indent=2).decode())
    else:
        show(result, Console())


def _instant(text: str | None) -> Instant | None:
    try:
        return parse_instant(text) if text else None
    except InstantError as error:
        raise UserError(f"--at: {error}") from None


def terms_of(basis: Basis, days: int, books: Sequence[Playbook]) -> list[Terms]:
    """The time ahead under each of the playbooks."""
    context = {name: dict(facts) for name, facts in basis.context.items()}
    end = basis.start + dt.timedelta(days=days)
    return [Terms(book, basis.versions, context, ACCOUNT, basis.start, end, basis.blocks) for book in books]


class _Counted:
    """The people as they go by, and how many events are assumed of them."""

    def __init__(self, people: Iterable[Person]) -> None:
        self._people = people
        self.events = 0

    def __iter__(self) -> Iterator[Person]:
        for person in self._people:
            self.events += len(person.ahead)
            yield person


def _with_progress(
    people: Iterable[Person], terms: Sequence[Terms], workers: int, total: int | None
) -> list[Tally]:
    columns = (TextColumn("forecast"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total)
        return forecast(people, terms, workers, lambda done: progress.advance(task, done))
