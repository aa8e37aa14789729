"""Context facts from the command line: said, shown, taken back, and fed from a file."""

import collections
import datetime as dt
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import boto3
import pytest
from moto import mock_aws

from functions.domain.context import Fact
from ops.cli import main
from ops.engine.clients import Clients
from ops.stores import Stores
from ops.target import Target

REGION: Final = "ap-northeast-1"
NOW = dt.datetime(2026, 11, 22, 3, tzinfo=dt.UTC)
_NUMBERS = itertools.count()  # other tests of this process may share moto's account


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stores]:
    """A deployment on moto whose clock stands still, and to which every command speaks."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    bucket = f"context-{next(_NUMBERS)}"
    with mock_aws():
        boto3.client("s3", region_name=REGION).create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        outputs = collections.defaultdict(str, {"Bucket": bucket})
        parameters = collections.defaultdict(str, {"TimerShards": "1", "HoldInQueueSecondsMax": "60"})
        target = Target(outputs, parameters, Clients(None, REGION))
        monkeypatch.setattr("ops.context.target_of", lambda _stack, _state: target)
        monkeypatch.setattr(Stores, "now", lambda _self: NOW)
        yield Stores(target)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error of `musubi context …`."""
    with pytest.raises(SystemExit) as stopped:
        main(["context", *arguments])
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


def test_a_fact_is_known_for_as_long_as_it_was_said(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "set", "weather", "rain", "--key", "tokyo", "--for", "6h")
    assert (code, out) == (0, "weather of tokyo is rain, until 2026-11-22T09:00:00Z.\n")
    assert run(capsys, "set", "busy", "false")[1] == "busy is false, until further notice.\n"
    assert stores.context.read() == {
        "weather": {"tokyo": Fact("rain", NOW, NOW + dt.timedelta(hours=6))},
        "busy": {"": Fact(value=False, since=NOW)},
    }


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("3", 3),
        ("-2.5", -2.5),
        ("007", "007"),
        ("true", True),
        ("雨", "雨"),
        ("1e9", "1e9"),
        ("none", "none"),
    ],
)
def test_a_value_is_read_as_it_looks(
    stores: Stores, capsys: pytest.CaptureFixture[str], typed: str, value: object
) -> None:
    run(capsys, "set", "x", "--", typed)
    (fact,) = stores.context.read()["x"].values()
    assert (fact.value, type(fact.value)) == (value, type(value))


def test_the_list_shows_what_holds_now(stores: Stores, capsys: pytest.CaptureFixture[str]) -> None:
    before, later = NOW - dt.timedelta(hours=2), NOW + dt.timedelta(hours=1)
    stores.context.change(
        lambda _: {"a": {"": Fact(1, before, NOW), "k": Fact(2, before, later)}, "b": {"": Fact(3, later)}}
    )
    row = {
        "name": "a",
        "key": "k",
        "value": 2,
        "since": "2026-11-22T01:00:00Z",
        "until": "2026-11-22T04:00:00Z",
    }
    assert json.loads(run(capsys, "list", "--format", "json")[1]) == [row]
    assert "2026-11-22T01:00:00Z" in run(capsys, "list")[1]


def test_a_fact_can_be_taken_back_once(stores: Stores, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "set", "weather", "rain", "--key", "tokyo")
    run(capsys, "set", "weather", "sun", "--key", "osaka")
    assert run(capsys, "remove", "weather", "--key", "tokyo")[0] == 0
    assert stores.context.read() == {"weather": {"osaka": Fact("sun", NOW)}}
    code, _, err = run(capsys, "remove", "weather", "--key", "tokyo")
    assert (code, err) == (2, "musubi: Nothing is known of weather of tokyo; see 'musubi context list'.\n")


HEAD = "name,key,value,until\n"


def test_a_file_is_said_at_once_and_leaves_the_rest_as_it_was(
    stores: Stores, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run(capsys, "set", "busy", "true")
    file = tmp_path / "weather.csv"
    file.write_text(f"{HEAD}weather,tokyo,rain,2026-11-22T15:00:00+09:00\nranking_1,,化粧水,\n", "utf-8")
    assert run(capsys, "import", str(file)) == (0, "2 facts are known from now on.\n", "")
    assert stores.context.read() == {
        "busy": {"": Fact(value=True, since=NOW)},
        "weather": {"tokyo": Fact("rain", NOW, NOW + dt.timedelta(hours=3))},
        "ranking_1": {"": Fact("化粧水", NOW)},
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name,key,value\nweather,tokyo,rain\n", "csv:1: the first line must name the columns"),
        (f"{HEAD}weather,tokyo,rain,\nweather,osaka\n", "csv:3: the line has more or fewer cells"),
        (f"{HEAD}weather,tokyo,rain,tomorrow\n", "csv:2: 'tomorrow' is no instant"),
        (f"{HEAD}weather,tokyo,rain,2026-11-22T03:00:00Z\n", "csv:2: the fact is over already"),
        (f"{HEAD}Weather,tokyo,rain,\n", "csv:2: 'Weather' is no name of a fact"),
        (f"{HEAD}weather,tokyo,,\n", "csv:2: the value must have 1 to 1000"),
        (f"{HEAD}weather,{'x' * 129},rain,\n", "csv:2: the key has 129 characters"),
    ],
)
def test_one_bad_line_is_told_and_nothing_is_said(
    stores: Stores, capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / "weather.csv"
    file.write_text(text, "utf-8")
    code, out, err = run(capsys, "import", str(file))
    assert (code, out) == (2, "")
    assert told in err
    assert stores.context.read() == {}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["set", "weather", "rain", "--for", "6 hours"], "write it like 90s"),
        (["set", "Weather", "rain"], "no name of a fact"),
        (["set", "weather", "x" * 1_001], "1 to 1000 characters"),
        (["set", "x", "y" * 1_000, "--key", "k" * 129], "the key has 129"),
    ],
)
def test_a_mistake_changes_nothing_and_is_told_in_one_line(
    stores: Stores, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    code, _, err = run(capsys, *arguments)
    assert (code, len(err.splitlines())) == (2, 1)
    assert told in err
    assert stores.context.read() == {}


def test_too_many_facts_are_refused_as_a_whole(
    stores: Stores, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "many.csv"
    file.write_text(HEAD + "".join(f"x,{key},{'v' * 990},\n" for key in range(300)), "utf-8")
    code, _, err = run(capsys, "import", str(file))
    assert code == 2
    assert "262,144 is the most" in err
    assert stores.context.read() == {}
