"""`musubi import`: the flow of dropped files, from a terminal; cut off anywhere it goes on where it was."""

import gzip
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from functions.domain.loads import Load
from functions.ports.errors import Retryable
from functions.ports.messages import EventsReceived
from ops import importing
from ops.errors import UserError
from ops.importing import import_file, try_import
from tests.fakes.loads import FakeLoads, FakeSnapshots
from tests.fakes.playbooks import playbook
from tests.fakes.world import World

HEADER = "customer_id,name,occurred_at,order_id,amount"


class Deployment:
    """Stores as far as an import needs them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = World(playbook())
        self.loads = FakeLoads()
        self.messages: list[Any] = []
        self.fails_after = 10_000
        monkeypatch.setattr(importing, "S3Loads", lambda _: self.loads)
        monkeypatch.setattr(importing, "S3Snapshots", lambda _: FakeSnapshots())
        monkeypatch.setattr(importing, "WINDOW_ROWS", 2)
        self.stores: Any = SimpleNamespace(
            objects=None, playbooks=self.world.playbooks, inbox=self, now=self.world.clock
        )

    def put(self, messages: list[Any]) -> None:
        if len(self.messages) >= self.fails_after:
            raise Retryable("the queue is full")
        self.messages += messages

    @property
    def ids(self) -> list[str]:
        return [event.event_id for message in self.messages for event in message.events]


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Deployment:
    return Deployment(monkeypatch)


def rows(count: int) -> str:
    lines = (f"c{n % 3},purchase,2026-11-01T03:00:00Z,o{n},100" for n in range(count))
    return "\n".join((HEADER, *lines, ""))


def file_of(tmp_path: Path, text: str, name: str = "orders.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_all_comes_in_as_history(deployment: Deployment, tmp_path: Path) -> None:
    seen: list[Load] = []
    outcome = import_file(deployment.stores, file_of(tmp_path, rows(7)), seen.append)
    assert (outcome.events, outcome.customers, outcome.rejected) == (7, 3, 0)
    assert all(isinstance(message, EventsReceived) and message.history for message in deployment.messages)
    assert [load.rows for load in seen if load.stage == "rows"][-1] == 7
    assert len(set(deployment.ids)) == 7


def test_an_import_that_was_cut_off_goes_on_where_it_was(deployment: Deployment, tmp_path: Path) -> None:
    path = file_of(tmp_path, rows(9))
    deployment.fails_after = 4
    with pytest.raises(Retryable):
        import_file(deployment.stores, path)
    deployment.fails_after = 10_000
    before = len(deployment.messages)
    moved = path.rename(tmp_path / "renamed.csv")
    outcome = import_file(deployment.stores, moved)
    assert outcome.events == 9
    assert len(deployment.ids) == len(set(deployment.ids)) == 9
    assert before >= 4
    again = import_file(deployment.stores, moved)
    assert again.same
    assert len(deployment.ids) == 9


def test_two_imports_of_one_file_do_not_both_say_that_all_is_in(
    deployment: Deployment, tmp_path: Path
) -> None:
    path = file_of(tmp_path, rows(9))
    put, asked = deployment.put, []

    def put_while_another_imports(messages: list[Any]) -> None:
        put(messages)
        asked.append(True)
        if len(asked) == 1:
            import_file(deployment.stores, path)

    deployment.put = put_while_another_imports  # type: ignore[method-assign]
    with pytest.raises(UserError, match="somebody else"):
        import_file(deployment.stores, path)
    assert import_file(deployment.stores, path).same
    assert len(set(deployment.ids)) == 9


def test_a_trial_tells_every_cause_with_its_lines_and_writes_nothing(
    deployment: Deployment, tmp_path: Path
) -> None:
    text = rows(2) + "c1,bought,2026-11-01T03:00:00Z,o9,1\nc1,purchase,yesterday,o9,1\nc1,purchase\n"
    path = file_of(tmp_path, text)
    outcome = try_import(deployment.stores, path)
    assert (outcome.events, outcome.rejected) == (2, 3)
    assert outcome.causes == {"unknown_event": 1, "malformed": 2}
    assert [fault.split(": ")[0] for fault in outcome.faults] == [f"{path}:{line}" for line in (4, 5, 6)]
    assert deployment.messages == []
    assert deployment.loads.all() == []


@pytest.mark.parametrize("name", ["orders.csv.gz", "orders.parquet", "orders.txt"])
def test_every_form_is_read(deployment: Deployment, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("gz"):
        path.write_bytes(gzip.compress(rows(5).encode()))
    elif name.endswith("parquet"):
        into = io.BytesIO()
        made = [
            dict(zip(HEADER.split(","), line.split(","), strict=True)) for line in rows(5).splitlines()[1:]
        ]
        pq.write_table(pa.Table.from_pylist([{**one, "amount": 100} for one in made]), into)
        path.write_bytes(into.getvalue())
    else:
        path.write_text(rows(5), encoding="utf-8")
    assert import_file(deployment.stores, path).events == 5


@pytest.mark.parametrize(
    ("name", "body", "told"),
    [("a.csv", "", "is empty"), ("a.csv", "x,y\n", "is missing"), ("a.xlsx", "PK", "must end in")],
)
def test_what_is_no_file_of_events_is_told_in_one_line(
    deployment: Deployment, tmp_path: Path, name: str, body: str, told: str
) -> None:
    with pytest.raises(UserError, match=told):
        import_file(deployment.stores, file_of(tmp_path, body, name))


def test_a_file_that_is_not_there_is_told(deployment: Deployment, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        import_file(deployment.stores, tmp_path / "none.csv")
