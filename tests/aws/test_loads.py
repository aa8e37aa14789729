"""Loads and snapshots in the bucket: the fakes and the adapters keep the same promises."""

import csv
import datetime as dt
import io
import json

import msgspec
import pytest

from functions.aws.loads import S3File, S3Loads, S3Snapshots
from functions.aws.queues import decode_load
from functions.domain.loads import Drop, Load
from functions.domain.snapshots import Snapshot
from functions.load.flow import Loads
from functions.load.missing import Snapshots
from functions.load.windows import ErrorLine
from functions.ports.errors import Conflict
from functions.ports.messages import FileDropped, LoadOrder
from tests.aws.conftest import Aws
from tests.fakes.loads import FakeLoads, FakeSnapshots

NOW = dt.datetime(2026, 11, 20, 3, tzinfo=dt.UTC)
LOAD = Load("l1", "incoming/shop/a.csv", "v1", 10, Drop("shop", "events", "csv", gz=False), NOW)


@pytest.fixture(params=["fake", "aws"])
def loads(request: pytest.FixtureRequest) -> Loads:
    if request.param == "fake":
        return FakeLoads()
    aws: Aws = request.getfixturevalue("aws")
    return S3Loads(aws.objects())


@pytest.fixture(params=["fake", "aws"])
def snapshots(request: pytest.FixtureRequest) -> Snapshots:
    if request.param == "fake":
        return FakeSnapshots()
    aws: Aws = request.getfixturevalue("aws")
    return S3Snapshots(aws.objects())


def test_a_load_is_begun_once(loads: Loads) -> None:
    assert loads.find("l1") is None
    assert loads.begin(LOAD) == LOAD
    assert loads.begin(msgspec.structs.replace(LOAD, size=99)) == LOAD


def test_of_two_workers_one_moves_a_load_on(loads: Loads) -> None:
    loads.begin(LOAD)
    found = loads.find("l1")
    assert found is not None
    tag = loads.checkpoint(msgspec.structs.replace(LOAD, rows=1), found[1])
    with pytest.raises(Conflict):
        loads.checkpoint(msgspec.structs.replace(LOAD, rows=2), found[1])
    loads.checkpoint(msgspec.structs.replace(LOAD, rows=3), tag)
    again = loads.find("l1")
    assert again is not None
    assert again[0].rows == 3


def test_whoever_had_a_content_first_has_it_for_good(loads: Loads) -> None:
    assert loads.first_with("f1", "l1") == "l1"
    assert loads.first_with("f1", "l2") == "l1"
    assert loads.first_with("f1", "l1") == "l1"
    assert loads.first_with("f2", "l2") == "l2"


def test_the_error_file_holds_every_window_once_and_what_was_cut_off(aws: Aws) -> None:
    objects = aws.objects()
    loads = S3Loads(objects)
    for windows in (0, 1, 1):
        loads.keep_errors(
            msgspec.structs.replace(LOAD, windows=windows),
            [ErrorLine(windows + 2, "amount", "wrong_type", "told")],
        )
    done = msgspec.structs.replace(LOAD, stage="done", ended_at=NOW, rows=9, taken=4, rejected=5, told=2)
    loads.finish(done)
    body = objects.read("incoming-errors/shop/a.csv.csv")
    assert body is not None
    lines = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    assert [line["row"] for line in lines] == ["2", "3", ""]
    assert lines[-1]["reason"] == "3 further rows were rejected."
    report = json.loads(objects.read("incoming-errors/shop/a.csv.report.json") or b"")
    assert (report["state"], report["rejected"], report["watermark"]) == ("loaded", 5, None)


def test_pages_end_where_there_are_no_more(snapshots: Snapshots) -> None:
    snapshots.put_page("l1", "all", 0, ["a", "b"])
    snapshots.put_page("l1", "all", 1, ["c"])
    assert [snapshots.page("l1", "all", number) for number in range(3)] == [["a", "b"], ["c"], None]


def test_the_last_snapshot_moves_to_later_days_only(snapshots: Snapshots) -> None:
    assert snapshots.last("crm") is None
    first, second = (Snapshot(f"l{day}", NOW + dt.timedelta(day), ["rank"], 2, 1) for day in (1, 2))
    for one in (first, second, first):
        snapshots.move_on("crm", one)
    assert snapshots.last("crm") == second
    assert snapshots.last("shop") is None


def test_a_version_is_read_by_ranges_though_another_came(aws: Aws) -> None:
    objects, client = aws.objects(), aws.client("s3")
    bucket = objects._bucket
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = client.put_object(Bucket=bucket, Key=LOAD.key, Body=b"0123456789")["VersionId"]
    client.put_object(Bucket=bucket, Key=LOAD.key, Body=b"another")
    file = S3File(client, bucket, msgspec.structs.replace(LOAD, version=version))
    assert (file.read(0, 4), file.read(4, 4), file.read(8, 4)) == (b"0123", b"4567", b"89")


def test_a_notification_names_the_key_as_it_is() -> None:
    told = {
        "s3": {
            "object": {"key": "incoming/shop/a+b%2B%E9%A1%A7.csv", "size": 3, "eTag": "e", "versionId": "v"}
        }
    }
    assert decode_load(json.dumps({"Records": [told]})) == [FileDropped("incoming/shop/a b+顧.csv", "v", 3)]
    assert decode_load(json.dumps({"Event": "s3:TestEvent", "Service": "Amazon S3"})) == []
    assert decode_load(json.dumps({"load": "l1"})) == [LoadOrder("l1")]
    with pytest.raises(msgspec.ValidationError):
        decode_load("[]")
