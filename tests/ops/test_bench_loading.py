"""Loading takes the same memory however long the file is."""

import json
import subprocess
import sys

import pytest

GROWTH_MB_MAX = 16.0
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
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_million_rows_take_no_more_memory_than_three_row_groups(form: str) -> None:
    """Parquet unpacks a row group (100,000 rows here) while the one before is let go: the third is as big as any."""
    few, many = measured(300_000, form), measured(1_000_000, form)
    assert many["rss_peak_mb"] - few["rss_peak_mb"] < GROWTH_MB_MAX
    assert many["rss_peak_mb"] < MEMORY_MB_MAX
