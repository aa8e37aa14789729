"""Scores, recommendations and rankings as stages of a day's measuring, over a lake of derived tables."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from functions.domain import playbook as pb
from functions.domain.context import Context, fact_value
from functions.domain.lake import Table
from functions.measure.flow import Measured
from functions.measure.folder_lake import FolderLake
from functions.measure.models.bgnbd import BgNbd
from functions.measure.models.fitted import Fitted, encoded
from functions.measure.stages import Rankings, Recommendations, scores
from functions.measure.tables import CUSTOMERS, ORDERS
from functions.measure.telling import file_key
from functions.measure.workspace import Workspace, opened
from tests.domain.strategies import compiled
from tests.measure.folders import attributes_in

DAY = dt.date(2026, 10, 31)
NOW = dt.datetime(2026, 10, 31, 19, tzinfo=dt.UTC)
BOOK = msgspec.structs.replace(compiled().playbook, measure=pb.Measure(order="purchase"))


class Facts:
    """Context facts in memory."""

    def __init__(self) -> None:
        self.known: Context = {}

    def read(self) -> Context:
        return self.known

    def change(self, change: Callable[[Context], Context]) -> Context:
        self.known = change(self.known)
        return self.known


@pytest.fixture
def lake(tmp_path: Path) -> FolderLake:
    return FolderLake(tmp_path / "lake")


@pytest.fixture
def workspace(lake: FolderLake) -> Iterator[Workspace]:
    with opened(lake) as found:
        yield found


def publish(workspace: Workspace, table: Table, day: dt.date, rows: Sequence[dict[str, Any]]) -> None:
    columns = [column for column in table.names if any(column in row for row in rows)]
    given = pa.table({column: [row.get(column) for row in rows] for column in columns})
    workspace.connection.register("given", given)
    missing = ", ".join(f"NULL AS {column}" for column in table.names if column not in columns)
    workspace.publish(table, day, f"SELECT *{', ' + missing if missing else ''} FROM given")
    workspace.connection.unregister("given")


def shop(workspace: Workspace) -> None:
    """Eight who bought toner and emulsion five days ago, and one who bought toner alone."""
    day = DAY - dt.timedelta(days=5)
    bought = [(f"c{number}", item) for number in range(8) for item in ("toner", "emulsion")] + [
        ("new", "toner")
    ]
    at = dt.datetime.combine(day, dt.time(3))
    orders = [
        {
            "customer_id": who,
            "event_id": item,
            "item": item,
            "category": "skincare",
            "at": at,
            "cancelled": False,
        }
        for who, item in bought
    ]
    publish(workspace, ORDERS, day, orders)
    people = [
        {"customer_id": who, "orders": 1, "first_day": day, "last_day": day, "days": [day], "revenue": 1_000}
        for who in sorted({who for who, _ in bought})
    ]
    publish(workspace, CUSTOMERS, DAY, people)


def measured(workspace: Workspace, day: dt.date = DAY) -> Measured:
    return Measured(day, frozenset({day}), workspace, BOOK, BOOK.zone, NOW, workspace.lake)


def told(lake_root: Path, table: str) -> dict[str, Any]:
    return dict(attributes_in(lake_root / "lake" / file_key(table, DAY)))


def test_a_day_is_scored_by_the_model_of_the_lake(
    workspace: Workspace, lake: FolderLake, tmp_path: Path
) -> None:
    shop(workspace)
    fitted = Fitted(DAY, 9, BgNbd(0.243, 4.414, 0.793, 2.426))
    (tmp_path / "model.json").write_bytes(encoded(fitted))
    lake.store(fitted.key, tmp_path / "model.json")
    scores(measured(workspace))
    found = told(tmp_path, "scores")
    assert len(found) == 9
    assert found["new"]["p_alive"] == 1
    assert found["new"]["best_hour"] == 12


def test_suggestions_and_best_sellers_are_told(workspace: Workspace, tmp_path: Path) -> None:
    shop(workspace)
    facts = Facts()
    Recommendations(facts)(measured(workspace))
    assert told(tmp_path, "recommendations")["new"]["goes_with_1"] == "emulsion"
    Rankings(facts)(measured(workspace))
    assert fact_value(facts.known, "best_week_1", "skincare", NOW) == "toner"
    assert fact_value(facts.known, "best_week_2", "", NOW) == "emulsion"


def test_a_day_without_a_snapshot_says_nothing_and_an_old_one_ranks_nothing(
    workspace: Workspace, tmp_path: Path
) -> None:
    shop(workspace)
    before, facts = DAY - dt.timedelta(days=3), Facts()
    for stage in (scores, Recommendations(facts), Rankings(facts)):
        stage(measured(workspace, before))
    assert not (tmp_path / "lake" / "incoming").exists()
    assert facts.known == {}
