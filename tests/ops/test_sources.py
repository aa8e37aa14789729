"""`musubi sources`: how complete each source is, and what somebody may say of it."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from functions.domain.instants import format_instant
from functions.domain.playbook import Expect, Source
from functions.domain.watermarks import LoadNote
from ops.stores import Stores
from tests.fakes.playbooks import playbook
from tests.fakes.world import START, World
from tests.ops.stopped import commanded, run

HOUR = dt.timedelta(hours=1)
SOURCES = {
    "app": Source(3600),
    "crm": Source(26 * 3600, Expect(86_400, None, 50)),
    "shop": Source(26 * 3600, Expect(86_400, dt.time(6))),
}


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    """The application was heard of just now; the CRM's fourth file is short; the shop never sent any."""
    book = msgspec.structs.replace(playbook(), sources=SOURCES)
    with commanded(World(book), monkeypatch, "sources") as found:
        found.account_state.heard_from("app", START)
        for number in range(4):
            at = START - (4 - number) * HOUR
            note = LoadNote(f"load{number}", at, 1000 if number < 3 else 9, at)
            found.account_state.note_load("crm", note, 50)
        yield found


def told(capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    code, out, _ = run(capsys, "sources", "--format", "json", *more)
    assert code == 0
    return {row["source"]: row for row in json.loads(out)}


@pytest.mark.usefixtures("stores")
def test_each_source_is_told_with_why_what_needs_it_waits(capsys: pytest.CaptureFixture[str]) -> None:
    rows = told(capsys)
    assert {name: row["state"] for name, row in rows.items()} == {
        "app": "fresh",
        "crm": "short",
        "shop": "missing",
    }
    assert rows["crm"]["watermark"] == format_instant(START - 2 * HOUR)
    assert (rows["crm"]["last_load"]["rows"], rows["crm"]["usual_rows"]) == (9, 1000)
    assert "9 rows, and 1,000 are usual" in rows["crm"]["why"]
    code, out, _ = run(capsys, "sources")
    assert code == 0
    assert "crm" in out


@pytest.mark.usefixtures("stores")
def test_a_short_file_that_is_right_counts_once_somebody_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    row = told(capsys, "--accept", "crm")["crm"]
    assert (row["state"], row["watermark"]) == ("fresh", format_instant(START - HOUR))
    assert run(capsys, "sources", "--accept", "crm")[0] == 2


@pytest.mark.usefixtures("stores")
def test_a_source_that_nobody_knows_cannot_be_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "sources", "--accept", "crn")
    assert code == 2
    assert "known: app, crm, shop" in err
