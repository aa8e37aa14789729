"""Dead letters on a terminal: by cause, with their age, what they are about, and what a replay would do."""

from collections.abc import Mapping

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from functions.domain.dead_letters import Group, Prediction, Seen, grouped
from functions.domain.instants import Instant
from functions.redrive.flow import Report, Survey
from functions.redrive.reports import age_seconds

SHOWN = 10
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_FATES = {
    "push": "will be sent",
    "push_again": "will be sent, with the key of an earlier try",
    "wait": "will wait",
    "suppressed": "will end as suppressed",
    "failed": "will end as failed",
    "unknown": "will end as unknown, and is not sent",
    "ended": "has its end already, and nothing happens",
    "elsewhere": "is left to the batch that has claimed it",
    "rerun": "runs again; repeating it is safe",
    "fails": "would die again",
    "stays": "stays where it is",
    "cleared": "an interrupted replay put it back; it is only deleted",
}


def age(since: Instant, now: Instant) -> str:
    """How long ago, in the largest unit that fits: `3 d`."""
    seconds = age_seconds(since, now)
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), _UNITS[-1])
    return f"{seconds // size} {unit}"


def show_survey(survey: Survey, now: Instant, *, payload: bool) -> None:
    """Every group with its newest facts; of its letters the oldest ten, or with `payload` all with what they carry."""
    console = Console()
    for group in grouped(survey.seen):
        console.print(_headline(group, now), soft_wrap=True, highlight=False, markup=False)
        shown = group.seen if payload else group.seen[:SHOWN]
        if payload:
            for one in shown:
                console.print(f"  {_line(one, now)}", soft_wrap=True, highlight=False, markup=False)
                click.echo(f"    {one.letter.body}")
        else:
            console.print(_table(shown, now))
        if len(group.seen) > len(shown):
            click.echo(f"  … and {len(group.seen) - len(shown):,} more (--format json has all of them)")
    told = "" if survey.complete else " There are more than one look can hold: narrow it with --queue."
    click.echo(f"{len(survey.seen):,} dead letters.{told}")


def _headline(group: Group, now: Instant) -> str:
    oldest, newest = age(group.oldest, now), age(group.newest, now)
    ages = f"{oldest} old" if oldest == newest else f"{newest} to {oldest} old"
    return f"{group.queue}: {len(group.seen):,} × {group.cause} ({ages})"


def _table(seen: list[Seen], now: Instant) -> Table:
    foreseen = any(one.prediction for one in seen)
    table = Table("age", "what", "customer", "from", *(["replayed, it"] if foreseen else []), "message id")
    table.columns[-1].overflow = "fold"
    for one in seen:
        fate = [_fate(one.prediction)] if foreseen else []
        cells = (
            age(one.letter.since, now),
            _what(one),
            _whom(one),
            _source(one),
            *fate,
            one.letter.message_id,
        )
        table.add_row(*map(Text, cells))  # as it stands: ids are a customer's, and may look like markup
    return table


def _line(one: Seen, now: Instant) -> str:
    told = (age(one.letter.since, now), _what(one), _whom(one), _source(one), one.letter.message_id)
    return "  ".join(part for part in told if part)


def _what(one: Seen) -> str:
    return f"{one.subject.kind} {one.subject.detail}".strip()


def _whom(one: Seen) -> str:
    return one.subject.customer_id or one.subject.line_user_id


def _source(one: Seen) -> str:
    parts = (one.subject.scenario or one.subject.campaign, one.subject.step)
    return " · ".join(part for part in parts if part)


def _fate(prediction: Prediction | None) -> str:
    return fate_told(prediction.told) if prediction else ""


def fate_told(told: str) -> str:
    """A prediction in a person's words."""
    fate, colon, reason = told.partition(": ")
    return f"{_FATES[fate]} ({reason})" if colon else _FATES[fate]


def show_counts(counts: Mapping[str, int]) -> None:
    """What a replay would do, the most first."""
    table = Table("letters", "replayed, it")
    for told, count in counts.items():
        table.add_row(f"{count:,}", Text(fate_told(told)))
    Console().print(table)


def told_report(report: Report) -> str:
    """What a replay did, in a line."""
    tally = report.tally
    told = [f"{tally.put_back:,} put back"]
    told += [f"{tally.cleared:,} that an earlier replay had put back deleted"] if tally.cleared else []
    told += [f"{tally.refused:,} not taken in by their queue"] if tally.refused else []
    told += [f"{tally.unreadable:,} left, for nobody can read them"] if tally.unreadable else []
    return ", ".join(told) + "."
