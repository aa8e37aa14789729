"""The clock: real on AWS, virtual where a file holds the instant."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

Clock = Callable[[], dt.datetime]


def real_clock() -> dt.datetime:
    """The present instant, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


def virtual_clock(path: Path) -> Clock:
    """A clock that stands still at the ISO instant in `path` until somebody writes a later one there."""

    def now() -> dt.datetime:
        return dt.datetime.fromisoformat(path.read_text(encoding="ascii").strip()).astimezone(dt.UTC)

    return now


def clock_of(clock_file: str) -> Clock:
    """The virtual clock where a file is named, else the real one."""
    return virtual_clock(Path(clock_file)) if clock_file else real_clock
