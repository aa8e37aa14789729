"""Raw rows become partitions exactly once, however they are cut, repeated, or cut off."""

import contextlib
import datetime as dt
import gzip
import hashlib
import json
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.domain.facts import CLICKS
from functions.measure.folder_lake import FolderLake
from functions.measure.merging import Merging
from functions.measure.progress import MeasureProgress
from functions.measure.workspace import opened
from functions.ports.errors import Conflict

ZONE = "Asia/Tokyo"
BEGIN = dt.datetime(2026, 11, 1, 14, 59, 58)  # noqa: DTZ001 — UTC, two seconds before midnight in Tokyo
Row = dict[str, Any]


class Crash(Exception):
    """The process is gone."""


class Crashing(FolderLake):
    """A lake whose user dies at the n-th call that changes something, before or after it is done."""

    def __init__(self, root: Path, at: int, *, done: bool) -> None:
        super().__init__(root)
        self.left, self.done = at, done

    def _count(self) -> bool:
        self.left -= 1
        if self.left == 0 and not self.done:
            raise Crash
        return self.left == 0

    def store(self, key: str, path: Path) -> None:
        last = self._count()
        super().store(key, path)
        if last:
            raise Crash

    def store_over(self, key: str, path: Path, tag: str | None) -> bool:
        last = self._count()
        written = super().store_over(key, path, tag)
        if last:
            raise Crash
        return written

    def remove(self, keys: Collection[str]) -> None:
        last = self._count()
        super().remove(sorted(keys)[:1] if last else keys)
        if last:
            raise Crash


def click(number: int, seconds: int, version: int) -> Row:
    at = BEGIN + dt.timedelta(seconds=seconds)
    return {
        "click_id": f"click-{number}",
        "customer_id": f"C{number % 3}",
        "at": f"{at.isoformat()}Z",
        "send_id": f"send-{number}",
        "link": f"link-{version}",
        "variant": "",
        "scenario": "upsell",
        "campaign": "",
        "step": "first",
        "agent": "person",
        "seen_at": f"{(BEGIN + dt.timedelta(microseconds=version)).isoformat(timespec='microseconds')}Z",
    }


def drop(lake: FolderLake, rows: Sequence[Row]) -> None:
    """A raw object, named by what is in it."""
    body = "".join(json.dumps(row) + "\n" for row in rows).encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "raw"
        path.write_bytes(gzip.compress(body, mtime=0))
        lake.store(f"{CLICKS.raw_prefix}{hashlib.sha256(body).hexdigest()}.jsonl.gz", path)


def merge(lake: FolderLake) -> None:
    with opened(lake) as workspace:
        Merging(workspace, MeasureProgress(lake, workspace.scratch), ZONE).merge_all()


def partitions(lake: FolderLake, root: Path) -> dict[str, list[tuple[Any, ...]]]:
    def rows(key: str) -> list[tuple[Any, ...]]:
        sql = f"SELECT * FROM read_parquet('{root / key}', hive_partitioning = false)"
        return duckdb.execute(sql).fetchall()

    return {key: rows(key) for key in lake.keys(CLICKS.prefix)}


clicks = st.builds(click, st.integers(0, 4), st.just(0), st.integers(0, 3)) | st.builds(
    click, st.integers(5, 9), st.just(3), st.integers(0, 3)
)
batches = st.lists(st.lists(clicks, min_size=1, max_size=6), min_size=1, max_size=4)


def expected(rows: Sequence[Row]) -> dict[str, str]:
    newest: dict[str, Row] = {}
    for row in rows:
        if row["click_id"] not in newest or row["seen_at"] > newest[row["click_id"]]["seen_at"]:
            newest[row["click_id"]] = row
    return {key: row["link"] for key, row in newest.items()}


@settings(max_examples=25, deadline=None)
@given(cut=batches, crash=st.integers(1, 9), done=st.booleans())
def test_each_row_counts_once_and_the_newest_of_each_key(
    cut: list[list[Row]], crash: int, *, done: bool
) -> None:
    """Batches repeat each other's rows; the worker dies somewhere, and everything is delivered once more."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for rows in cut:
            drop(FolderLake(root), rows)
        with contextlib.suppress(Crash):
            merge(Crashing(root, crash, done=done))
        drop(FolderLake(root), cut[0])
        merge(FolderLake(root))
        lake = FolderLake(root)
        found = [row for rows in partitions(lake, root).values() for row in rows]
        assert lake.keys(CLICKS.raw_prefix) == []
        links = {row[CLICKS.names.index("click_id")]: row[CLICKS.names.index("link")] for row in found}
        assert len(found) == len(links)
        assert links == expected([row for rows in cut for row in rows])


def test_a_row_stands_in_the_accounts_own_day_and_the_day_is_noted(tmp_path: Path) -> None:
    lake = FolderLake(tmp_path)
    drop(lake, [click(1, 0, 0), click(2, 3, 0)])
    merge(lake)
    days = [dt.date(2026, 11, 1), dt.date(2026, 11, 2)]
    assert [lake.keys(CLICKS.partition(day)) for day in days] == [[CLICKS.partition(day)] for day in days]
    assert MeasureProgress(lake, tmp_path).touched().days == frozenset(days)


def test_who_merges_at_the_same_time_begins_anew(tmp_path: Path) -> None:
    class Overtaken(FolderLake):
        def store_over(self, key: str, path: Path, tag: str | None) -> bool:
            super().store(key, path)
            return super().store_over(key, path, tag)

    drop(FolderLake(tmp_path), [click(1, 0, 0)])
    with pytest.raises(Conflict):
        merge(Overtaken(tmp_path))
    assert FolderLake(tmp_path).keys(CLICKS.raw_prefix) != []
    merge(FolderLake(tmp_path))
    assert len(partitions(FolderLake(tmp_path), tmp_path)) == 1


def test_what_is_merged_while_a_day_is_derived_is_derived_next_time(tmp_path: Path) -> None:
    lake, scratch = FolderLake(tmp_path / "lake"), tmp_path / "scratch"
    scratch.mkdir()
    drop(lake, [click(1, 0, 0)])
    merge(lake)
    progress = MeasureProgress(lake, scratch)
    begun = progress.touched()
    drop(lake, [click(2, 0, 0)])
    merge(lake)
    progress.derived(begun)
    assert progress.touched().days == begun.days


def test_a_row_of_the_year_1900_costs_no_day_in_between(tmp_path: Path) -> None:
    lake = FolderLake(tmp_path)
    drop(lake, [click(1, 0, 0) | {"at": "1900-01-01T00:00:00Z"}, click(2, 0, 0)])
    merge(lake)
    assert len(lake.keys(CLICKS.prefix)) == 2
