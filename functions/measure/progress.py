"""How far measuring has come: the days whose facts changed since they were derived, and the last day measured.

A touched day is an empty object: written before the raw rows that touched it go, and taken away once all stages are
through with it, so that a crash between the two derives it again and never not at all.
"""

import datetime as dt
from collections.abc import Collection
from pathlib import Path

from functions.ports import Lake

TOUCHED = "measure/touched/"
LAST = "measure/last-day"


class MeasureProgress:
    """The notes of one lake."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def touch(self, days: Collection[dt.date], scratch: Path) -> None:
        """Note that facts of these days have changed, or are about to."""
        note = _note(scratch, "")
        for day in days:
            self._lake.store(f"{TOUCHED}{day.isoformat()}", note)

    def touched(self) -> frozenset[dt.date]:
        """The days whose facts have changed since they were derived."""
        return frozenset(dt.date.fromisoformat(key.removeprefix(TOUCHED)) for key in self._lake.keys(TOUCHED))

    def derived(self, days: Collection[dt.date]) -> None:
        """Note that everything that rests on these days is up to date."""
        self._lake.remove([f"{TOUCHED}{day.isoformat()}" for day in days])

    def last_day(self, scratch: Path) -> dt.date | None:
        """The last day that was measured; None where none was."""
        path = scratch / "last-day"
        if not self._lake.fetch(LAST, path):
            return None
        return dt.date.fromisoformat(path.read_text(encoding="ascii"))

    def measured(self, day: dt.date, scratch: Path) -> None:
        """Note that a day is measured; one before the last changes nothing."""
        last = self.last_day(scratch)
        if last is None or last < day:
            self._lake.store(LAST, _note(scratch, day.isoformat()))


def _note(scratch: Path, text: str) -> Path:
    path = scratch / "note"
    path.write_text(text, encoding="ascii")
    return path
