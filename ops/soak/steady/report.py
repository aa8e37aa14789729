"""What was found, beside what it is held against: for the console, and for docs/performance.md."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rich.table import Table

from infra.bundle import ROOT
from ops.soak.steady.outcome import BACKLOG_SECONDS_MAX, Outcome
from ops.soak.steady.pacing import HELD_SHARE_MIN

DOCS = ROOT / "docs" / "performance.md"
BEGIN = "<!-- steady: begin, written by python -m ops.soak.steady --write-docs -->"
END = "<!-- steady: end -->"


class Row(NamedTuple):
    """`beside`: the baseline; `must`: what it has to be, empty where it is told of only."""

    what: str
    found: str
    beside: str
    must: str = ""


def rows_of(outcome: Outcome) -> Iterator[Row]:
    """All of it, the load first."""
    yield from _load(outcome)
    yield from _memory(outcome)
    yield from _kept(outcome)


def _load(outcome: Outcome) -> Iterator[Row]:
    offered, backlog = outcome.offered, outcome.backlog
    shares, wanted = offered.held_shares or [0.0], f"{offered.events_per_second:g} events/s"
    late = f"{offered.late_requests:,} of {offered.requests:,} requests began late, by {offered.latest_seconds:.1f} s at most"
    yield Row("events taken in", f"{offered.events:,} in {outcome.minutes:g} minutes", late)
    yield Row(
        "rate, the worst and the best minute",
        f"{min(shares):.1%} and {max(shares):.1%}",
        f"wanted: {wanted}",
        f"≥ {HELD_SHARE_MIN:.0%}",
    )
    yield Row(
        "inbox in the last third",
        f"{backlog.last:,.0f} messages",
        f"in the second third {backlog.middle:,.0f}; {backlog.most:,.0f} at most",
        f"≤ {backlog.middle + BACKLOG_SECONDS_MAX * offered.events_per_second:,.0f}",
    )
    yield Row(
        "from the request until stored, at most",
        f"{outcome.lag_seconds_most:.1f} s",
        "one event at a time is followed",
    )
    yield Row(
        "processor time an event",
        f"{sum(outcome.cpu_ms.values()):.1f} ms",
        ", ".join(f"{name} {ms:.1f}" for name, ms in outcome.cpu_ms.items()),
    )


def _memory(outcome: Outcome) -> Iterator[Row]:
    for name, trend in outcome.memory.items():
        must = f"≤ {trend.middle + trend.noise:,.1f} MB" if trend.is_judged else "too short to judge"
        beside = f"in the second third {trend.middle:,.1f} MB; {trend.most:,.1f} at most"
        yield Row(f"memory of `{name}` in the last third", f"{trend.last:,.1f} MB", beside, must)
    for name, grown in outcome.grown.items():
        yield Row(f"memory of the {name}", f"{grown:+,.0f} bytes an event", "it keeps what it is told")


def _kept(outcome: Outcome) -> Iterator[Row]:
    kept, taken = outcome.accounts, f"taken in: {outcome.in_table.taken_in:,}"
    for where, found in (("events table", outcome.in_table), ("lake", outcome.in_lake)):
        yield Row(f"events in the {where}", f"{found.kept:,}", taken, f"{found.taken_in:,}, each once")
    yield Row("dead letters", f"{sum(outcome.dead.values()):,}", f"in {len(outcome.dead)} queues", "0")
    yield Row(
        "messages targeted",
        f"{kept.targeted:,}",
        f"sent {kept.sent:,} + suppressed {sum(kept.suppressed.values()):,} + failed {kept.failed:,} + unknown {kept.unknown:,}"
        f"; pending {kept.pending:,}",
        "closed, none unknown",
    )
    yield Row("second copies", f"{outcome.copies:,}", f"LINE accepted {outcome.accepted:,}", "0")
    yield Row(
        "memberships that differ",
        f"{outcome.differences:,}",
        f"{outcome.audits} nights' audits, and everybody at the end",
        "0",
    )
    yield Row(
        "virtual hours",
        f"{outcome.virtual_hours:,.0f}",
        "wall seconds: " + ", ".join(f"{name} {took:,.0f}" for name, took in outcome.wall_seconds.items()),
    )


def table_of(outcome: Outcome) -> Table:
    """For the console."""
    table = Table("what", "found", "beside", "must be", title="The steady soak")
    for row in rows_of(outcome):
        table.add_row(*row)
    return table


def written(page: str, outcome: Outcome) -> str:
    """The page with its table made anew. ValueError where it has no place for one."""
    before, found, rest = page.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (found and ended):
        raise ValueError("the page has no place for the steady soak's figures")
    rows = "\n".join(f"| {' | '.join(row)} |" for row in rows_of(outcome))
    return f"{before}{BEGIN}\n| what | found | baseline, in the same run | must be |\n|---|---|---|---|\n{rows}\n{END}{after}"


def write_docs(outcome: Outcome, path: Path = DOCS) -> None:
    """Put the figures into docs/performance.md."""
    path.write_text(written(path.read_text(encoding="utf-8"), outcome), encoding="utf-8")
