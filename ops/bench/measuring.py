"""A night's measuring: a day with a million sends, over a short history, over a year's, and over two years'.

Some stages look back over a window (400 days of orders, 90 of clicks); beyond it no history costs anything.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from infra.bundle import ROOT
from ops.bench.measure import Measure
from ops.bench.measured_day import Day

SENDS: Final = 1_000_000
DAYS: Final = (40, 410, 820)
SECONDS_MAX: Final = 60.0
PEAK_MB_MAX: Final = 2_000.0
BYTES_RATIO_MAX: Final = 1.1
OBJECTS_RATIO_MAX: Final = 1.02
PATIENCE_SECONDS: Final = 1_800


def measured_days(done: Callable[[], None], sends: int = SENDS, days: Sequence[int] = DAYS) -> list[Day]:
    """The same day over each history."""
    found = []
    for history in days:
        with tempfile.TemporaryDirectory(prefix="musubi-bench-measuring-") as folder:
            found.append(_measured(Path(folder), history, sends))
        done()
    return found


def _measured(folder: Path, history: int, sends: int) -> Day:
    done = subprocess.run(
        [sys.executable, "-m", "ops.bench.measured_day", str(folder), str(history), str(sends)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    return msgspec.convert(json.loads(done.stdout.splitlines()[-1]), Day)


def rows(found: Sequence[Day]) -> list[Measure]:
    """What a million sends cost, and what history adds."""
    short, year, years = found
    bare = f"DuckDB only copying the same raw sends to Parquet: {year.bare_seconds:.1f} s"
    return [
        Measure("a day with 1,000,000 sends merged and measured, after 410 days", year.seconds, "s", SECONDS_MAX, bare),
        Measure("its memory at most", year.peak_mb, "MB", PEAK_MB_MAX, f"after 40 days {short.peak_mb:,.0f} MB"),
        Measure("its processor time", year.cpu_seconds, "s", None, f"after 40 days {short.cpu_seconds:.1f} s, after 820 {years.cpu_seconds:.1f} s"),
        Measure("bytes it reads, by those after 40 days", year.bytes_read / short.bytes_read, "×", BYTES_RATIO_MAX, f"{short.bytes_read / 1e6:,.0f} MB after 40 days"),
        Measure("bytes it reads after 820 days, by those after 410", years.bytes_read / year.bytes_read, "×", BYTES_RATIO_MAX, f"{year.bytes_read / 1e6:,.0f} MB after 410 days"),
        Measure("objects it reads after 820 days, by those after 410", years.objects_read / year.objects_read, "×", OBJECTS_RATIO_MAX, f"{year.objects_read:,} objects after 410 days, {short.objects_read:,} after 40: windows of at most 400 days"),
    ]  # fmt: skip
