"""Loading takes the same memory however long the file is."""

import json
import subprocess
import sys

import pytest

GROWTH_MB_MAX = 16.0
PARQUET_GROWTH_MB_MAX = 64.0
"""A row group of a hundred thousand rows is unpacked column by column: it is bounded by the group, not by the file."""
MEMORY_MB_MAX = 512.0
"""Half of what the function has."""


def measured(rows: int, form: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "ops.bench.loading", str(rows), form],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    assert found["rows"] == rows
    return found


def test_five_times_the_rows_take_no_more_memory() -> None:
    few, many = measured(10_000, "csv"), measured(50_000, "csv")
    assert many["rss_peak_mb"] - few["rss_peak_mb"] < GROWTH_MB_MAX


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "growth_mb_max"),
    [("csv", GROWTH_MB_MAX), ("jsonl", GROWTH_MB_MAX), ("parquet", PARQUET_GROWTH_MB_MAX)],
)
def test_a_million_rows_take_no_more_memory_than_a_hundred_thousand(form: str, growth_mb_max: float) -> None:
    few, many = measured(100_000, form), measured(1_000_000, form)
    assert many["rss_peak_mb"] - few["rss_peak_mb"] < growth_mb_max
    assert many["rss_peak_mb"] < MEMORY_MB_MAX
