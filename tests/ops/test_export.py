"""`musubi export`: all that is held of a person, under all ids, and nothing of anybody else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from ops.cli import main
from ops.stores import Stores
from tests.ops.deployments import REGION
from tests.ops.erasing.planted import FORMER, ME, NAME, OTHERS, PHONE, RUN, USER, planted


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        found = planted()
        monkeypatch.setattr("ops.exporting.command.target_of", lambda *_: found.target)
        monkeypatch.setattr("ops.exporting.command.Stores", lambda _target: found)
        monkeypatch.setattr("ops.exporting.command.caller_of", lambda _target: "ann")
        yield found


def exported(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    with pytest.raises(SystemExit) as stopped:
        main(["export", *arguments])
    out, err = capsys.readouterr()
    assert stopped.value.code == 0, err
    told: dict[str, Any] = json.loads(out)
    return told


def test_everything_is_there_and_nobody_else(stores: Stores, capsys: pytest.CaptureFixture[str]) -> None:
    told = exported(capsys, ME)
    assert told["ids"]["line_users"] == sorted([USER, FORMER])
    (profile, former) = told["profiles"]
    assert {profile["customer_id"], former["customer_id"]} == {ME, f"anon:{FORMER}"}
    own = profile if profile["customer_id"] == ME else former
    assert (own["attributes"]["name"]["value"], own["attributes"]["phone"]["value"]) == (NAME, PHONE)
    assert [one["event_id"] for one in told["events"]] == ["e1", "e11", "e5", "line:1"]
    (word,) = told["consent"]
    assert (word["purpose"], word["given"], word["version"], word["source"]) == (
        "marketing",
        True,
        "2",
        "shop",
    )
    assert {one["status"] for one in told["sends"]} == {"sent", "unknown"}
    assert len(told["sends"]) == 3
    assert len(told["waiting"]) == 3
    assert {one["run"] for one in told["campaign_lists"]} == {RUN.source}
    assert {one["row"] for one in told["links"]} >= {f"line#{USER}/link", f"customer#{ME}/line#{FORMER}"}
    assert sorted(str(one["event"]) for one in told["rejected"]) == [
        str({"customer_id": ME, "note": PHONE}),
        str({"properties": {"line_user_id": USER}}),
    ]
    assert OTHERS not in json.dumps(told)


@pytest.mark.parametrize("identifier", [USER, FORMER])
def test_any_id_gives_the_same(stores: Stores, capsys: pytest.CaptureFixture[str], identifier: str) -> None:
    assert exported(capsys, identifier) == exported(capsys, ME)


def test_a_file_is_its_owners_and_the_trail_names_nobody(
    stores: Stores, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "me.json"
    with pytest.raises(SystemExit):
        main(["export", ME, "--output", str(file)])
    assert file.stat().st_mode & 0o777 == 0o600
    assert NAME in file.read_text(encoding="utf-8")
    (key,) = stores.objects.keys("audits/exports/")
    body = (stores.objects.read(key) or b"").decode()
    assert ME not in body
    assert '"by":"ann"' in body


def test_nobody_is_a_mistake(stores: Stores, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["export", "nobody"])
    assert stopped.value.code == 2
    assert "is known as 'nobody'" in capsys.readouterr().err
