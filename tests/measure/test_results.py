"""A day's results: whole files that a manifest names, the same however often the day is measured."""

import csv
import datetime as dt
import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from functions.measure.flow import Measured
from functions.measure.folder_lake import FolderLake
from functions.measure.results import PREFIX, Manifest, folder_of, give_results, manifest_in
from functions.measure.workspace import opened
from tests.measure.facts_in_folders import Facts
from tests.measure.playbooks import shop

DAY = dt.date(2026, 5, 2)
NOON = dt.datetime(2026, 5, 2, 3, tzinfo=dt.UTC).replace(tzinfo=None)
NOW = dt.datetime(2026, 5, 2, 19, tzinfo=dt.UTC)


class Crash(Exception):
    pass


class Watched(FolderLake):
    """A lake that notes what is written, and may die before a write."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.root, self.stored, self.dies_at = root, list[str](), -1

    def store(self, key: str, path: Path) -> None:
        if key.startswith(PREFIX):
            if len(self.stored) == self.dies_at:
                raise Crash
            self.stored.append(key)
        super().store(key, path)


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    found = Facts(tmp_path / "lake")
    send = {"status": "sent", "kind": "promotion", "scenario": "care", "step": "one", "made_at": NOON}
    found.add(
        "sends",
        [
            {**send, "send_id": f"s{n}", "customer_id": who, "at": NOON}
            for n, who in enumerate(("a", "anon:b", "c"))
        ],
    )
    found.add("clicks", [
        {"click_id": "k1", "customer_id": "anon:b", "at": NOON + dt.timedelta(hours=1), "send_id": "s1", "agent": "person", "scenario": "care"},
        {"click_id": "k2", "customer_id": "a", "at": NOON + dt.timedelta(hours=1), "send_id": "s0", "agent": "bot", "scenario": "care"},
    ])  # fmt: skip
    found.add("people", [{"customer_id": "anon:b", "owner": "b", "at": NOON, "seen_at": NOON}])
    found.add(
        "memberships",
        [{"customer_id": "c", "segment": "vip", "change": "entered", "at": NOON, "seen_at": NOON}],
    )
    order = {"event_id": "e", "name": "purchase", "status": "confirmed", "at": NOON + dt.timedelta(hours=2)}
    found.add(
        "events", [{**order, "customer_id": "c", "properties": json.dumps({"order_id": "o1", "amount": 900})}]
    )
    found.measure(DAY, [DAY], shop())
    return found


def give(lake: FolderLake, *touched: dt.date, day: dt.date = DAY) -> None:
    with opened(lake) as workspace:
        give_results(Measured(day, frozenset(touched), workspace, shop(), "Asia/Tokyo", NOW, lake))


def manifest(lake: FolderLake, scratch: Path, day: dt.date = DAY) -> Manifest:
    scratch.mkdir(exist_ok=True)
    found = manifest_in(lake, day, scratch)
    assert found is not None
    return found


def rows_of(root: Path, found: Manifest, table: str) -> list[dict[str, str]]:
    """A table's CSV, after its size, hash, rows and Parquet twin have been checked."""
    files = {one.format: one for one in found.files if one.table == table}
    for one in files.values():
        body = (root / one.key).read_bytes()
        assert (len(body), hashlib.sha256(body).hexdigest()) == (one.bytes, one.sha256)
    frame = pd.read_parquet(root / files["parquet"].key)
    with gzip.open(root / files["csv"].key, "rt", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    assert len(frame) == len(rows) == files["csv"].rows == files["parquet"].rows
    assert list(frame.columns) == [one.name for one in found.columns[table]]
    for column in ("customer_id", "scenario"):
        if column in frame:
            assert frame[column].tolist() == [row[column] for row in rows]
    return rows


def test_files_hold_what_the_day_brought_and_people_are_whom_they_are_now(
    facts: Facts, tmp_path: Path
) -> None:
    lake = Watched(tmp_path / "lake")
    (tmp_path / "lake/derived/v1/scores/day=2026-05-02").mkdir(parents=True)
    pd.DataFrame({"customer_id": ["a"], "p_alive": [0.85]}).to_parquet(
        tmp_path / "lake/derived/v1/scores/day=2026-05-02/part.parquet"
    )
    give(lake)
    found = manifest(lake, tmp_path / "scratch")
    assert (found.schema, found.day, found.playbook) == (1, DAY, shop().version)
    rows = {name: rows_of(lake.root, found, name) for name in found.columns}
    assert [row["customer_id"] for row in rows["sends"]] == ["a", "b", "c"]
    assert rows["sends"][0]["at"] == "2026-05-02T03:00:00Z"
    assert [(row["click_id"], row["customer_id"]) for row in rows["clicks"]] == [("k1", "b")]
    assert {(row["goal"], row["model"], row["send_id"], row["value_yen"]) for row in rows["conversions"]} == {
        ("purchase", "first", "s2", "900"), ("purchase", "last", "s2", "900"),
    }  # fmt: skip
    assert [(row["customer_id"], row["segment"], row["change"]) for row in rows["memberships"]] == [
        ("c", "vip", "entered")
    ]
    assert rows["scores"] == [{"customer_id": "a", "p_alive": "0.85"}]


def test_measuring_again_writes_nothing_and_what_changed_replaces_what_was(
    facts: Facts, tmp_path: Path
) -> None:
    lake = Watched(tmp_path / "lake")
    give(lake)
    first = manifest(lake, tmp_path / "scratch")
    lake.stored.clear()
    give(lake)
    assert lake.stored == []
    late = {
        "click_id": "k9",
        "customer_id": "c",
        "at": NOON + dt.timedelta(hours=3),
        "send_id": "s2",
        "agent": "person",
    }
    facts.add("clicks", [late])
    give(lake, DAY, day=DAY + dt.timedelta(days=1))
    second = manifest(lake, tmp_path / "scratch")
    assert [row["click_id"] for row in rows_of(lake.root, second, "clicks")] == ["k1", "k9"]
    assert sorted(lake.keys(folder_of(DAY))) == sorted(
        [*(one.key for one in second.files), f"{folder_of(DAY)}manifest.json"]
    )
    assert {one.key for one in first.files if one.table == "sends"} <= {one.key for one in second.files}


def test_the_manifest_comes_last_and_until_then_the_one_before_holds(facts: Facts, tmp_path: Path) -> None:
    lake = Watched(tmp_path / "lake")
    give(lake)
    first = manifest(lake, tmp_path / "scratch")
    assert lake.stored[-1].endswith("manifest.json")
    writes = len(lake.stored)
    facts.add(
        "clicks", [{"click_id": "k9", "customer_id": "c", "at": NOON, "send_id": "s2", "agent": "person"}]
    )
    for place in range(writes):
        lake.stored.clear()
        lake.dies_at = place
        with pytest.raises(Crash):
            give(lake)
        still = manifest(lake, tmp_path / "scratch")
        assert still == first
        assert all((lake.root / one.key).exists() for one in still.files)
    lake.dies_at = -1
    give(lake)
    assert len(rows_of(lake.root, manifest(lake, tmp_path / "scratch"), "clicks")) == 2


def test_a_day_on_which_nothing_happened_has_files_without_rows(tmp_path: Path) -> None:
    lake = Watched(tmp_path / "lake")
    give(lake)
    found = manifest(lake, tmp_path / "scratch")
    assert {one.rows for one in found.files} == {0}
    assert rows_of(lake.root, found, "sends") == []


def test_the_document_names_every_column(facts: Facts, tmp_path: Path) -> None:
    lake = Watched(tmp_path / "lake")
    give(lake)
    told = (Path(__file__).parents[2] / "docs/results.md").read_text(encoding="utf-8")
    columns: dict[str, Any] = manifest(lake, tmp_path / "scratch").columns
    for table, found in columns.items():
        assert f"### `{table}`" in told
        assert all(f"`{one.name}`" in told for one in found)
