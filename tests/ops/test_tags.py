"""`musubi tag`: whoever is meant gets it once, by somebody's name; unknown names stop everything."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ops.cli import main
from tests.fakes.playbooks import playbook, scenario, send
from tests.fakes.queues import FakeInbox
from tests.fakes.world import World

FRIEND = "anon:U1"


class Counter:
    """The command over a world of fakes."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = World(playbook(scenarios={"thanked": scenario("tag_added", send("thanks"))}))
        self.trail: list[dict[str, Any]] = []
        self._capsys = capsys
        monkeypatch.setattr("ops.tags.command.target_of", lambda *_: SimpleNamespace(engine_url="here"))
        monkeypatch.setattr("ops.tags.command.Stores", lambda _target: self._stores())
        self.world.befriend("U1")
        self.world.webhook(self.world.line_event("follow", "U1"))
        self.world.ingest(self.world.purchase("c1"), self.world.purchase("c2"))
        self.world.run()

    def _stores(self) -> SimpleNamespace:
        world = self.world
        return SimpleNamespace(
            target=SimpleNamespace(engine_url="here"),
            identities=world.identities,
            customers=world.customers,
            events=world.events,
            now=world.clock,
            inbox=FakeInbox(world.inbox_queue),
            objects=SimpleNamespace(write_new=self._write_new),
        )

    def _write_new(self, _key: str, body: bytes) -> bool:
        self.trail.append(json.loads(body))
        return True

    def __call__(self, *arguments: str, code: int = 0, work: bool = True) -> str:
        with pytest.raises(SystemExit) as stopped:
            main(["tag", *arguments])
        out, err = self._capsys.readouterr()
        assert stopped.value.code == code, err
        if work:
            self.world.run()
        return err if code else out

    def tags(self, customer_id: str) -> Sequence[str]:
        return self.world.customer(customer_id).profile.tag_names


@pytest.fixture
def tag(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Counter:
    return Counter(capsys, monkeypatch)


ANN = ("--as", "ann")


def test_a_tag_is_given_and_taken_away_by_somebody(tag: Counter) -> None:
    assert tag("add", "c1", "vip", "--why", "she asked", *ANN) == (
        "1 customers are being given 'vip'; 0 have it already.\n"
    )
    assert tag.tags("c1") == ["vip"]
    (event,) = [one for one in tag.world.events.all_of("c1") if one.name == "tag_added"]
    assert (event.source, event.properties) == (
        "operator",
        {"tag": "vip", "by": "ann", "why": "she asked"},
    )
    tag.world.advance(minutes=1)
    assert "relieved of 'vip'" in tag("remove", "c1", "vip", *ANN)
    assert tag.tags("c1") == []


def test_a_tag_taken_away_at_the_same_instant_is_taken_away(tag: Counter) -> None:
    """The virtual clock may stand still between two commands."""
    tag("add", "c1", "vip", *ANN)
    tag("remove", "c1", "vip", *ANN)
    assert tag.tags("c1") == []
    tag("add", "c1", "vip", *ANN)
    assert tag.tags("c1") == ["vip"]


def test_an_unlinked_friend_is_tagged_by_its_line_user_id_and_keeps_it_once_linked(tag: Counter) -> None:
    tag("add", "U1", "vip", *ANN)
    assert tag.tags(FRIEND) == ["vip"]
    tag.world.ingest(tag.world.linked("c1", "U1"))
    tag.world.run()
    assert tag.tags("c1") == ["vip"]
    assert "vip  since" in tag("list", "U1")


def test_said_twice_before_it_is_folded_it_is_one_event_and_starts_one_journey(tag: Counter) -> None:
    tag("add", "U1", "vip", *ANN, work=False)
    tag("add", "U1", "vip", *ANN)
    assert tag.world.customer(FRIEND).profile.tallies["tag_added"].count == 1
    assert tag.world.line.copies("U1") == ["thanks"]


def test_a_dry_run_changes_nothing(tag: Counter, tmp_path: Path) -> None:
    tag("add", "c1", "vip", *ANN)
    file = tmp_path / "them.csv"
    file.write_text("name,customer_id\nA,c1\nB,c2\nC,U1\nD,c2\n", encoding="utf-8")
    told = tag("add", "--from", str(file), "vip", "--dry-run", *ANN)
    assert told == "2 customers would be given 'vip'; 1 have it already.\n"
    assert (tag.tags("c2"), len(tag.trail)) == ([], 1)
    assert "2 customers are being given" in tag("add", "--from", str(file), "vip", *ANN)
    assert (tag.tags("c2"), tag.tags(FRIEND)) == (["vip"], ["vip"])


def test_who_is_unknown_stops_everything_unless_skipped(tag: Counter, tmp_path: Path) -> None:
    file = tmp_path / "them.txt"
    file.write_text("c1\nnobody\n\nc2\n", encoding="utf-8")
    assert f"{file}:2" in tag("add", "--from", str(file), "vip", *ANN, code=2)
    assert tag.tags("c1") == []
    assert "1 are unknown" in tag("add", "--from", str(file), "vip", "--skip-unknown", *ANN)
    assert tag.tags("c2") == ["vip"]


def test_the_trail_names_who_and_what_but_no_customer(tag: Counter) -> None:
    tag("add", "U1", "vip", "--why", "asked", *ANN)
    (kept,) = tag.trail
    assert (kept["did"], kept["by"], kept["tag"], kept["why"]) == ("add", "ann", "vip", "asked")
    (event,) = [one for one in tag.world.events.all_of(FRIEND) if one.name == "tag_added"]
    assert kept["events"] == [event.event_id]
    assert "U1" not in json.dumps(kept)


def test_tags_are_listed_with_who_gave_them(tag: Counter) -> None:
    tag("add", "c1", "vip", *ANN)
    tag.world.ingest(tag.world.event("tag_added", "c1", tag="crm_tag"))
    tag.world.run()
    rows = json.loads(tag("list", "c1", "--format", "json"))
    assert [(row["tag"], row["by"]) for row in rows] == [("crm_tag", "an event"), ("vip", "ann")]
    assert tag("list", "c2") == "No tags.\n"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("add", "vip"), "Name a customer"),
        (("add", "c1", " "), "1 to 64 printable"),
        (("add", "c1", "x" * 65), "1 to 64 printable"),
        (("add", "--from", "/nowhere/at/all", "vip"), "cannot be read"),
        (("list", "nobody"), "is known as"),
    ],
)
def test_mistakes_get_one_line(tag: Counter, arguments: tuple[str, ...], part: str) -> None:
    told = tag(*arguments, code=2)
    assert part in told
    assert told.count("\n") == 1
