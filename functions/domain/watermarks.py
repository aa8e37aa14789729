"""Watermarks: up to when each source's data is complete, and whether what rests on it may be sent.

A source that tells things as they happen is complete up to when it was heard of. One that sends files (`expect` in the
playbook) is complete up to what its last whole file covers, however often something else is heard of it.
"""

import datetime as dt
import statistics
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from functions.domain.instants import Instant, local_day_at
from functions.domain.playbook import Expect, Source

LOADS_KEPT = 10
USUAL_OF = 7
USUAL_LEAST = 3
"""With fewer loads before it nobody knows what is usual."""
SourceState = Literal["fresh", "stale", "late", "short", "missing"]


class LoadNote(msgspec.Struct, frozen=True, omit_defaults=True):
    """That a file of a source was loaded to its end `at`: the rows taken in, and up to when the source is complete by it.

    `usual`: the rows that were usual then; `short`: it had too few or too many, and counts for nothing until somebody
    says that it is right.
    """

    load: str
    at: Instant
    rows: int
    watermark: Instant | None = None
    usual: int | None = None
    short: bool = False


class SourceLog(msgspec.Struct, frozen=True, omit_defaults=True):
    """The last loads of a source, the latest last, and the watermark that all its loads together made."""

    watermark: Instant | None = None
    loads: list[LoadNote] = []

    @property
    def whole(self) -> list[LoadNote]:
        """The loads that count."""
        return [note for note in self.loads if not note.short]


class SourceReport(msgspec.Struct, frozen=True):
    """What is known of a source now. `why` is one sentence where it is not fresh."""

    state: SourceState
    watermark: Instant | None
    why: str = ""


def usual_rows(log: SourceLog) -> int | None:
    """The median of the last loads that count; None where there are too few."""
    rows = [note.rows for note in log.whole[-USUAL_OF:]]
    return round(statistics.median(rows)) if len(rows) >= USUAL_LEAST else None


def noted(log: SourceLog, note: LoadNote, rows_within: float | None) -> SourceLog:
    """The log with one more load; the same log where it is there already. `rows_within`: how many percent more or fewer
    rows than usual are still as many as usual."""
    if any(known.load == note.load for known in log.loads):
        return log
    usual = usual_rows(log)
    short = (
        usual is not None and rows_within is not None and abs(note.rows - usual) > usual * rows_within / 100
    )
    loads = sorted(
        [*log.loads, msgspec.structs.replace(note, usual=usual, short=short)], key=lambda one: one.at
    )
    return _complete(SourceLog(log.watermark, loads[-LOADS_KEPT:]))


def accepted(log: SourceLog) -> SourceLog:
    """The log where somebody said that all its loads are right, whatever their rows."""
    return _complete(
        SourceLog(log.watermark, [msgspec.structs.replace(note, short=False) for note in log.loads])
    )


def _complete(log: SourceLog) -> SourceLog:
    marks = [note.watermark for note in log.whole if note.watermark is not None]
    return SourceLog(max([*marks, *([log.watermark] if log.watermark else [])], default=None), log.loads)


def report_of(
    source: Source, heard_at: Instant | None, log: SourceLog, now: Instant, zone: str
) -> SourceReport:
    """What is known of a source now, by the playbook's expectations."""
    expect = source.expect
    marks = [mark for mark in (log.watermark, None if expect else heard_at) if mark is not None]
    watermark = max(marks, default=None)
    if watermark is None:
        return SourceReport(
            "missing", None, "nothing was heard of it yet" if not expect else "no file was loaded yet"
        )
    if expect is not None and log.loads and log.loads[-1].short:
        last = log.loads[-1]
        return SourceReport(
            "short", watermark, f"the last file had {last.rows:,} rows, and {last.usual or 0:,} are usual"
        )
    if expect is not None and not _came_in_time(expect, log.whole, now, zone):
        return SourceReport("late", watermark, "the file that was due has not come")
    if now - watermark >= dt.timedelta(seconds=source.fresh_seconds):
        return SourceReport("stale", watermark, "its data is older than fresh_for")
    return SourceReport("fresh", watermark)


def _came_in_time(expect: Expect, loads: Sequence[LoadNote], now: Instant, zone: str) -> bool:
    """Whether a load came within the last period that has ended."""
    if not loads:
        return False
    return loads[-1].at > last_deadline(expect, now, zone) - dt.timedelta(seconds=expect.every_seconds)


def last_deadline(expect: Expect, now: Instant, zone: str) -> Instant:
    """The last instant by which a file was due: the local time `by`, or now where none is told."""
    if expect.by is None:
        return now
    today = local_day_at(now, 0, expect.by, zone)
    return today if today <= now else local_day_at(now, -1, expect.by, zone)


def reports_of(
    sources: Mapping[str, Source],
    heard: Mapping[str, Instant],
    logs: Mapping[str, SourceLog],
    now: Instant,
    zone: str,
) -> dict[str, SourceReport]:
    """What is known of every source of the playbook, by name."""
    return {
        name: report_of(source, heard.get(name), logs.get(name, SourceLog()), now, zone)
        for name, source in sorted(sources.items())
    }


def complete_now(now: Instant) -> SourceLog:
    """The log of a source that is complete up to now, as forecasts take it."""
    return SourceLog(now, [LoadNote("", now, 0, now)])
