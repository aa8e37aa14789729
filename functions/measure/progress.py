"""How far measuring has come: the days whose facts changed since they were derived, and the last day measured.

A touched day is an empty object, named by the day and by what touched it: written before the raw rows that did go, and
taken away once all stages are through with it, so that a crash between the two derives it again and never not at all.
What touches a day meanwhile leaves a note of its own.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from functions.ports.facts import Lake

TOUCHED = "measure/touched/"
LAST = "measure/last-day"


class Touched(NamedTuple):
    """Days to derive anew, and the notes that say so."""

    days: frozenset[dt.date]
    notes: list[str]

    def until(self, last: dt.date) -> "Touched":
        """What of it a measuring up to `last` has seen to: the days after it are still to be derived."""
        return Touched(
            frozenset(day for day in self.days if day <= last),
            [note for note in self.notes if _day_of(note) <= last],
        )


class MeasureProgress:
    """The notes of one lake."""

    def __init__(self, lake: Lake, scratch: Path) -> None:
        self._lake = lake
        self._scratch = scratch

    def touch(self, day: dt.date, by: Sequence[str]) -> None:
        """Note that facts of this day have changed, or are about to, by these raw objects."""
        name = hashlib.sha256("\n".join(by).encode()).hexdigest()[:16]
        self._lake.store(f"{TOUCHED}{day.isoformat()}/{name}", self._note(""))

    def touched(self) -> "Touched":
        """The days whose facts have changed since they were derived."""
        keys = self._lake.keys(TOUCHED)
        return Touched(frozenset(map(_day_of, keys)), keys)

    def derived(self, touched: "Touched") -> None:
        """Note that everything that rests on what was touched is up to date."""
        self._lake.remove(touched.notes)

    def last_day(self) -> dt.date | None:
        """The last day that was measured; None where none was."""
        path = self._scratch / "last-day"
        if not self._lake.fetch(LAST, path):
            return None
        return dt.date.fromisoformat(path.read_text(encoding="ascii"))

    def measured(self, day: dt.date) -> None:
        """Note that a day is measured; one before the last changes nothing."""
        last = self.last_day()
        if last is None or last < day:
            self._lake.store(LAST, self._note(day.isoformat()))

    def _note(self, text: str) -> Path:
        path = self._scratch / "note"
        path.write_text(text, encoding="ascii")
        return path


def _day_of(note: str) -> dt.date:
    return dt.date.fromisoformat(note.removeprefix(TOUCHED).partition("/")[0])
