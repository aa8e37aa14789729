"""The lake's contract: a folder and a bucket keep it alike."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from functions.aws.lake import S3Lake
from functions.measure.folder_lake import FolderLake
from functions.ports.facts import Lake

_numbers = itertools.count()


@pytest.fixture(params=["folder", "bucket"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lake]:
    if request.param == "folder":
        yield FolderLake(tmp_path / "lake")
        return
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        bucket = f"lake-{next(_numbers)}"  # moto's buckets outlive a test where another holds moto open
        client.create_bucket(Bucket=bucket)
        yield S3Lake(client, bucket)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "written"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_stored_is_fetched_and_what_is_not_there_leaves_no_file(lake: Lake, tmp_path: Path) -> None:
    lake.store("facts/v1/a/part", written(tmp_path, "one"))
    assert lake.fetch("facts/v1/a/part", tmp_path / "deep" / "copy")
    assert (tmp_path / "deep" / "copy").read_text(encoding="utf-8") == "one"
    assert not lake.fetch("facts/v1/b/part", tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_keys_are_those_under_the_prefix_in_order(lake: Lake, tmp_path: Path) -> None:
    path = written(tmp_path, "x")
    for key in ("b/day=2", "b/day=1", "b/night", "c/day=1"):
        lake.store(key, path)
    assert lake.keys("b/day=") == ["b/day=1", "b/day=2"]
    assert lake.keys("b/") == ["b/day=1", "b/day=2", "b/night"]
    assert lake.keys("nothing/") == []


def test_a_conditional_write_goes_over_what_was_read_alone(lake: Lake, tmp_path: Path) -> None:
    assert lake.store_over("one", written(tmp_path, "first"), None)
    assert not lake.store_over("one", written(tmp_path, "second"), None)
    tag = lake.fetch_tagged("one", tmp_path / "copy")
    assert tag is not None
    assert lake.store_over("one", written(tmp_path, "third"), tag)
    assert not lake.store_over("one", written(tmp_path, "fourth"), tag)
    lake.fetch("one", tmp_path / "copy")
    assert (tmp_path / "copy").read_text(encoding="utf-8") == "third"


def test_what_is_gone_may_be_taken_away_again(lake: Lake, tmp_path: Path) -> None:
    lake.store("one", written(tmp_path, "x"))
    lake.remove(["one", "two"])
    lake.remove(["one"])
    assert lake.keys("") == []
    assert lake.fetch_tagged("one", tmp_path / "copy") is None
