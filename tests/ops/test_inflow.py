"""`musubi links source`: an address and its pictures, once a name; closed sources count nobody."""

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.aws.inflow_sources import S3InflowSources
from functions.aws.objects import Objects
from functions.domain.inflow import InflowSource, token_digest
from functions.ports.errors import Conflict
from functions.tokens import Tokens
from ops.cli import main
from tests.fakes.inflow import FakeInflowSources
from tests.fakes.world import START

KEY = "k" * 43


@pytest.fixture(params=["fake", "s3"])
def sources(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeInflowSources | S3InflowSources]:
    """The port's two shapes, under one contract."""
    if request.param == "fake":
        yield FakeInflowSources()
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="a-bucket")
        yield S3InflowSources(Objects(client, "a-bucket"))


def source(name: str, token: str, **more: Any) -> InflowSource:
    return InflowSource(name, token_digest(token), START, "ann", **more)


def test_a_name_is_given_once_and_the_first_stays(sources: FakeInflowSources | S3InflowSources) -> None:
    assert sources.create(source("till", "one"))
    assert not sources.create(source("till", "two"))
    assert sources.find("till") == source("till", "one")
    assert sources.find("door") is None


def test_a_digest_finds_its_own_source_alone(sources: FakeInflowSources | S3InflowSources) -> None:
    sources.create(source("till", "one"))
    sources.create(source("till", "two"))
    assert sources.by_digest(token_digest("one")) == source("till", "one")
    assert sources.by_digest(token_digest("two")) is None
    assert sources.by_digest(token_digest("three")) is None


def test_all_come_by_name(sources: FakeInflowSources | S3InflowSources) -> None:
    for name in ("till", "door"):
        sources.create(source(name, name))
    assert [one.name for one in sources.all()] == ["door", "till"]


def test_a_source_is_changed_by_whoever_read_it_last(sources: FakeInflowSources | S3InflowSources) -> None:
    old, new = source("till", "one"), source("till", "one", closed_at=START)
    sources.create(old)
    sources.replace(old, new)
    assert sources.find("till") == new
    with pytest.raises(Conflict):
        sources.replace(old, source("till", "one", closed_at=START + dt.timedelta(days=1)))


class Desk:
    """The command over fakes."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.sources = FakeInflowSources()
        self.trail: list[dict[str, Any]] = []
        self.tokens = Tokens(lambda: [KEY], lambda: START)
        self._capsys = capsys
        stores = SimpleNamespace(
            target=SimpleNamespace(engine_url="here"),
            inflow_sources=self.sources,
            now=lambda: START,
            settings=SimpleNamespace(link_url="https://api.example"),
            objects=SimpleNamespace(write_new=self._write_new),
        )
        monkeypatch.setattr("ops.inflow.command.target_of", lambda *_: None)
        monkeypatch.setattr("ops.inflow.command.Stores", lambda _target: stores)
        monkeypatch.setattr("ops.inflow.command._tokens", lambda _stores: self.tokens)

    def _write_new(self, _key: str, body: bytes) -> bool:
        self.trail.append(json.loads(body))
        return True

    def __call__(self, *arguments: str, code: int = 0) -> str:
        with pytest.raises(SystemExit) as stopped:
            main(["links", "source", *arguments])
        out, err = self._capsys.readouterr()
        assert stopped.value.code == code, err
        return err if code else out


@pytest.fixture
def desk(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(capsys, monkeypatch)


def test_a_source_has_an_address_and_two_pictures_of_it(desk: Desk, tmp_path: Path) -> None:
    told = desk(
        "create", "till", "--label", "レジ横", "--campaign", "spring", "--out", str(tmp_path), "--as", "ann"
    )
    url = told.splitlines()[0]
    token = url.removeprefix("https://api.example/link/in?s=")
    assert desk.tokens.read("inflow", token, dt.timedelta(days=1)) == {"n": "till"}
    kept = desk.sources.kept["till"]
    assert (kept.digest, kept.label, kept.campaign, kept.by) == (
        token_digest(token),
        "レジ横",
        "spring",
        "ann",
    )
    assert (tmp_path / "till.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "till.svg").read_text(encoding="utf-8")
    assert [(one["did"], one["name"]) for one in desk.trail] == [("create", "till")]
    assert token not in json.dumps(desk.trail)


def test_a_name_that_is_taken_is_refused_and_nothing_is_drawn(desk: Desk, tmp_path: Path) -> None:
    desk("create", "till", "--out", str(tmp_path / "a"), "--as", "ann")
    assert "already" in desk("create", "till", "--out", str(tmp_path / "b"), "--as", "ann", code=2)
    assert not (tmp_path / "b").exists()


def test_sources_are_listed_and_closed(desk: Desk, tmp_path: Path) -> None:
    assert desk("list") == "No sources yet.\n"
    desk("create", "till", "--label", "till", "--out", str(tmp_path), "--as", "ann")
    assert re.match(r"till  since 2026-11-02T03:00:00Z by ann, till\n1 sources\.", desk("list"))
    assert desk("close", "till", "--as", "ann") == "till is closed.\n"
    (row,) = json.loads(desk("list", "--format", "json"))
    assert row["closed_at"] == "2026-11-02T03:00:00Z"
    assert "It was closed at" in desk("close", "till", "--as", "ann", code=2)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("create", "Till"), "begins with a small letter"),
        (("create", "../till"), "begins with a small letter"),
        (("create", "till", "--label", "x" * 201), "--label has at most"),
        (("close", "nothing"), "There is no source"),
    ],
)
def test_mistakes_get_one_line(desk: Desk, arguments: tuple[str, ...], part: str) -> None:
    assert part in desk(*arguments, code=2)
    assert desk.sources.kept == {}
