"""`musubi evaluate DIR --events FILE --at INSTANT`: the size of every segment, by the code that runs in production."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console
from rich.progress import track

from functions.domain.compiled import Compiled
from functions.domain.events import Dictionary, Event, Fault, check_event
from functions.domain.instants import Instant, InstantError, parse_instant
from functions.domain.profiles import Profile, fold_all
from ops.check import sound_playbook
from ops.errors import UserError
from ops.event_files import EventFileError, RawEvent, read_events

REJECTS_SHOWN = 5
FOREVER = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)


class Intake(NamedTuple):
    """A file's events by customer; what was not taken in, by line; and how many lie after the instant asked for."""

    by_customer: dict[str, list[Event]]
    rejected: list[tuple[int, Fault]]
    later: int


def take_in(raws: Iterable[RawEvent], dictionary: Dictionary, at: Instant) -> Intake:
    """The events up to `at`, each checked as the ingest endpoint checks it."""
    by_customer: dict[str, list[Event]] = {}
    rejected: list[tuple[int, Fault]] = []
    later = 0
    for line, raw in raws:
        event = raw if isinstance(raw, Fault) else check_event(raw, dictionary, FOREVER)
        if isinstance(event, Fault):
            rejected.append((line, event))
        elif event.occurred_at > at:
            later += 1
        else:
            by_customer.setdefault(event.customer_id, []).append(event)
    return Intake(by_customer, rejected, later)


def segment_sizes(compiled: Compiled, profiles: Iterable[Profile], at: Instant) -> dict[str, int]:
    """How many of the profiles each segment holds at an instant."""
    segments = compiled.playbook.segments
    predicates = {name: compiled.predicate(segment.when) for name, segment in segments.items()}
    sizes: Counter[str] = Counter(dict.fromkeys(predicates, 0))
    for profile in profiles:
        sizes.update(name for name, holds in predicates.items() if holds(profile, at))
    return {name: sizes[name] for name in sorted(sizes)}


def _folded(intake: Intake, compiled: Compiled) -> list[Profile]:
    """Every customer's profile, with a bar on standard error where a person looks at it."""
    console = Console(stderr=True)
    customers = track(
        intake.by_customer.values(),
        "folding",
        total=len(intake.by_customer),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    return [fold_all(events, compiled.dictionary) for events in customers]


def _instant(text: str) -> Instant:
    try:
        return parse_instant(text)
    except InstantError as error:
        raise UserError(f"--at: {error}") from None


def tell(intake: Intake) -> None:
    """Say on standard error what of a file was not taken in."""
    if intake.rejected:
        click.echo(f"{len(intake.rejected)} events were rejected; the first:", err=True)
    for line, fault in intake.rejected[:REJECTS_SHOWN]:
        click.echo(f"  line {line}: {fault.code}: {fault.message}", err=True)
    if intake.later:
        click.echo(f"{intake.later} events after --at were left out.", err=True)


def _text(sizes: dict[str, int], customers: int) -> str:
    width = max((len(name) for name in sizes), default=0)
    lines = [f"{name:<{width}}  {size:>9,}" for name, size in sizes.items()]
    return "\n".join([*lines, f"{customers:,} customers"])


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--events", "file", metavar="FILE", required=True, type=click.Path(path_type=Path), help="CSV or JSONL."
)
@click.option("--at", metavar="INSTANT", required=True, help="Such as 2026-11-01T00:00:00Z.")
@click.option("--format", "style", type=click.Choice(["json", "text"]), default="text", show_default=True)
def evaluate(directory: Path, file: Path, at: str, style: str) -> None:
    """Fold the events of FILE and count every segment of the playbook in DIR, as of INSTANT."""
    instant, compiled = _instant(at), Compiled(sound_playbook(directory))
    try:
        intake = take_in(read_events(file, compiled.dictionary), compiled.playbook.events, instant)
    except EventFileError as error:
        raise UserError(str(error)) from None
    tell(intake)
    profiles = _folded(intake, compiled)
    sizes = segment_sizes(compiled, profiles, instant)
    click.echo(
        json.dumps(sizes, indent=2, ensure_ascii=False) if style == "json" else _text(sizes, len(profiles))
    )
