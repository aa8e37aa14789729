"""Putting playbooks in force: what is told, listed, scheduled and back-filled, and that once more changes nothing."""

import collections
import datetime as dt
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import boto3
import msgspec
import pytest
from moto import mock_aws

from functions.aws.queues import decode_evaluation
from functions.domain.backfills import ScanProgress
from functions.domain.customers import Customer
from functions.domain.playbook import Playbook
from functions.domain.stored import FORMAT
from functions.ports.messages import BackfillSegment
from ops.apply import SCAN_SEGMENTS, apply_playbook
from ops.cli import main
from ops.engine.clients import Clients
from ops.stores import Stores
from ops.target import Target
from ops.versions import history, keep
from tests.fakes.playbooks import QUIET, campaign, playbook
from tests.stored.shapes import recorded

REGION: Final = "ap-northeast-1"
NOW = dt.datetime(2026, 11, 22, 3, tzinfo=dt.UTC)
SOON = NOW + dt.timedelta(days=1)
OLD = playbook(segments={"vips": '"vip" in tags'}, campaigns={"winter": campaign("news", once=SOON)})
NEW = playbook(segments={"vips": '"vip" in tags', "many": "orders.count >= 7"})


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stores]:
    """A deployment on moto, under a name of its own, to which every command speaks."""
    name = f"musubi-{uuid.uuid4().hex}"
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(variable, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    clock = tmp_path / "clock"
    clock.write_text(NOW.isoformat())
    with mock_aws():
        client: Any = boto3.client("s3", region_name=REGION)
        client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        boto3.client("scheduler", region_name=REGION).create_schedule_group(Name=name)
        boto3.client("dynamodb", region_name=REGION).create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        queue = boto3.client("sqs", region_name=REGION).create_queue(QueueName=name)["QueueUrl"]
        outputs = collections.defaultdict(
            str,
            Bucket=name,
            QueueEvaluateUrl=queue,
            QueueEvaluateArn="arn:aws:sqs:ap-northeast-1:123456789012:evaluate",
            DeadSchedulesArn="arn:aws:sqs:ap-northeast-1:123456789012:dead",
            ScheduleRoleArn="arn:aws:iam::123456789012:role/campaigns",
            ScheduleGroup=name,
            TableCustomers=name,
        )
        parameters = collections.defaultdict(
            str, TimerShards="1", HoldInQueueSecondsMax="60", SchedulesState="ENABLED", ClockFile=str(clock)
        )
        target = Target(outputs, parameters, Clients(None, REGION))
        for module in ("ops.applying", "ops.auditing"):
            monkeypatch.setattr(f"{module}.target_of", lambda _stack, _state: target)
        yield Stores(target)


def put(stores: Stores, book: Playbook, *, loud: bool = False) -> Any:
    return apply_playbook(stores, book, start_journeys=loud)


def ordered(stores: Stores) -> int:
    """How many orders wait in the evaluate queue."""
    url, sqs = stores.settings.queue_evaluate_url, stores.target.client("sqs")
    count = sqs.get_queue_attributes(
        QueueUrl=url, AttributeNames=["ApproximateNumberOfMessagesDelayed", "ApproximateNumberOfMessages"]
    )["Attributes"]
    assert count["ApproximateNumberOfMessages"] == "0", "a back-fill began before all knew the version"
    return int(count["ApproximateNumberOfMessagesDelayed"])


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


def finish(stores: Stores, backfill_id: str, **more: Any) -> None:
    for segment in range(SCAN_SEGMENTS):
        stores.backfills.checkpoint(
            backfill_id, segment, ScanProgress(looked=5, refreshed=1, done=True, **more)
        )


def test_the_first_playbook_needs_no_back_fill(stores: Stores) -> None:
    applied = put(stores, OLD)
    assert (applied.backfill, ordered(stores)) == (None, 0)
    assert [(entry.version, entry.at, entry.backfill) for entry in history(stores.objects)] == [
        (OLD.version, NOW, "")
    ]


def test_a_new_segment_starts_a_back_fill_once_everybody_knows_the_version(stores: Stores) -> None:
    put(stores, OLD)
    applied = put(stores, NEW)
    assert applied.backfill is not None
    assert stores.backfills.find(applied.backfill.backfill_id) == applied.backfill
    assert (applied.backfill.playbook, applied.backfill.starts) == (NEW.version, [])
    assert ordered(stores) == SCAN_SEGMENTS
    assert history(stores.objects)[-1].backfill == applied.backfill.backfill_id


def test_the_orders_of_a_back_fill_name_it_and_its_segments(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies: list[str] = []
    queue = stores.evaluation._queue
    monkeypatch.setattr(queue, "put_later", lambda body, seconds: bodies.append(body))
    put(stores, OLD)
    backfill = put(stores, NEW).backfill
    assert [decode_evaluation(body) for body in bodies] == [
        BackfillSegment(backfill.backfill_id, n) for n in range(SCAN_SEGMENTS)
    ]


def test_the_same_version_again_changes_nothing(stores: Stores) -> None:
    put(stores, OLD)
    backfill = put(stores, NEW).backfill
    finish(stores, backfill.backfill_id)
    before, schedules = history(stores.objects), stores.schedules.campaigns()
    again = put(stores, NEW)
    assert (again.changes, again.backfill) == ([], None)
    assert history(stores.objects) == before
    assert stores.schedules.campaigns() == schedules
    assert ordered(stores) == SCAN_SEGMENTS


def test_the_same_version_again_goes_on_with_a_back_fill_that_was_cut_off(stores: Stores) -> None:
    put(stores, OLD)
    backfill = put(stores, NEW).backfill
    stores.backfills.checkpoint(backfill.backfill_id, 0, ScanProgress(done=True))
    assert put(stores, NEW).backfill == backfill
    assert ordered(stores) == 2 * SCAN_SEGMENTS - 1


def test_journeys_start_for_new_segments_where_that_is_asked_also_afterwards_and_only_once(
    stores: Stores,
) -> None:
    put(stores, OLD)
    finish(stores, put(stores, NEW).backfill.backfill_id)
    loud = put(stores, NEW, loud=True).backfill
    assert loud.starts == [NEW.segments["many"].hash]
    finish(stores, loud.backfill_id)
    assert put(stores, NEW, loud=True).backfill is None
    assert len(history(stores.objects)) == 2


def test_a_pointer_that_was_moved_before_a_crash_is_caught_up_with(stores: Stores) -> None:
    put(stores, OLD)
    stores.playbooks.apply(NEW)
    assert put(stores, NEW).backfill is not None
    assert [entry.version for entry in history(stores.objects)] == [OLD.version, NEW.version]


def test_what_came_changed_and_went_is_told_part_by_part(stores: Stores) -> None:
    put(stores, OLD)
    changes = {change.part: change[1:] for change in put(stores, NEW).changes}
    assert changes == {"segments": (["many"], [], []), "campaigns": ([], [], ["winter"])}
    messages = {**NEW.messages, "tips": msgspec.structs.replace(NEW.messages["tips"], hash="other")}
    edited = msgspec.structs.replace(NEW, version="v3", messages=messages)
    assert put(stores, edited).changes == [("messages", [], ["tips"], [])]


def test_a_setting_that_changed_is_told_by_its_name(stores: Stores) -> None:
    put(stores, OLD)
    cap = msgspec.structs.replace(OLD.caps[0], limit=9)
    edited = msgspec.structs.replace(OLD, version="v4", caps=[cap], quiet_hours=QUIET)
    assert put(stores, edited).changes == [("settings", [], ["caps", "quiet_hours"], [])]


def test_schedules_are_set_and_removed_and_told(stores: Stores) -> None:
    assert put(stores, OLD).scheduled == {"winter": SOON}
    applied = put(stores, NEW)
    assert (applied.scheduled, applied.unscheduled) == ({}, ["winter"])


def test_the_version_before_is_one_command_away_and_so_is_the_way_back(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    put(stores, OLD)
    put(stores, NEW)
    code, out, _ = run(capsys, "apply", "--previous")
    assert code == 0
    assert OLD.version in out
    assert "many" in out
    assert f"Campaign winter runs at {SOON:%Y-%m-%dT%H:%M:%SZ}." in out
    assert stores.playbooks.in_force().version == OLD.version
    run(capsys, "apply", "--previous")
    listed = json.loads(run(capsys, "versions", "--format", "json")[1])
    assert [entry["version"] for entry in listed] == [OLD.version, NEW.version, OLD.version, NEW.version]


def compiled_by(format_number: int) -> Playbook:
    """The shop's playbook as code of a format compiled it."""
    return msgspec.convert(recorded(format_number, "playbook"), Playbook)


def test_the_version_before_is_one_command_away_also_where_other_code_compiled_it(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    """A release lies between the two: each goes back by itself."""
    before, after = (compiled_by(format_number) for format_number in (FORMAT - 1, FORMAT))
    put(stores, before)
    put(stores, after)
    code, out, _ = run(capsys, "apply", "--previous")
    assert (code, before.version in out) == (0, True)
    assert stores.playbooks.in_force_now().playbook == before
    run(capsys, "apply", "--previous")
    assert stores.playbooks.in_force_now().playbook == after


def test_the_version_before_is_put_in_force_also_where_this_code_cannot_read_the_one_in_force(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    """The release that compiled the one in force was taken back."""
    put(stores, OLD)
    newer = {**msgspec.to_builtins(NEW), "version": "newer", "format": FORMAT + 1}
    stores.objects.write("playbooks/newer.json", msgspec.json.encode(newer))
    stores.objects.write("playbooks/in-force.json", b'{"version":"newer"}')
    keep(
        stores.objects,
        [*history(stores.objects), msgspec.structs.replace(history(stores.objects)[0], version="newer")],
    )
    code, out, err = run(capsys, "apply", "--previous")
    assert (code, OLD.version in out, err) == (0, True, "")
    assert stores.playbooks.in_force().version == OLD.version
    code, _, err = run(capsys, "apply", "--previous")
    assert code == 2
    assert "deploy the release that compiled it" in err


def test_the_reason_is_kept_with_the_version_and_may_be_given_later(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    put(stores, OLD)
    put(stores, NEW)
    run(capsys, "apply", "--previous", "--why", " too many blocks ")
    put(stores, OLD)
    listed = json.loads(run(capsys, "versions", "--format", "json")[1])
    assert [entry["why"] for entry in listed] == [None, None, "too many blocks"]
    apply_playbook(stores, OLD, start_journeys=False, why="blocks doubled")
    assert [entry.why for entry in history(stores.objects)] == ["", "", "blocks doubled"]


def test_without_a_version_before_nothing_is_applied(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    put(stores, OLD)
    code, _, err = run(capsys, "apply", "--previous")
    assert (code, stores.playbooks.in_force().version) == (2, OLD.version)
    assert "before" in err


@pytest.mark.parametrize("arguments", [[], ["playbooks/ec", "--previous"]])
def test_a_folder_or_the_version_before_one_of_the_two(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(capsys, "apply", *arguments)[0] == 2


def test_waiting_ends_when_the_back_fill_does(
    stores: Stores, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(stores, NEW)
    put(stores, OLD)

    def worked_on(_seconds: float) -> None:
        finish(stores, history(stores.objects)[-1].backfill)

    monkeypatch.setattr("ops.applying.time.sleep", worked_on)
    code, out, _ = run(capsys, "apply", "--previous", "--wait")
    assert code == 0
    assert out.splitlines()[-1] == "The back-fill is done: 20 customers looked at, 4 refreshed."


def test_waiting_for_a_back_fill_that_was_overtaken_says_so(
    stores: Stores, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(stores, NEW)
    put(stores, OLD)
    overtaken = lambda _seconds: finish(stores, history(stores.objects)[-1].backfill, superseded=True)  # noqa: E731
    monkeypatch.setattr("ops.applying.time.sleep", overtaken)
    code, _, err = run(capsys, "apply", "--previous", "--wait")
    assert code == 2
    assert "Another version" in err


def test_the_audit_on_demand_says_who_differs_and_by_its_exit_code(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    put(stores, NEW)
    stores.customers.save(Customer("c1", segments_of=NEW.version, evaluated_at=NOW))
    code, out, _ = run(capsys, "audit", "--format", "json")
    told = json.loads(out)
    assert (code, told["looked"], told["differences"]) == (1, 1, 1)
    assert told["found"][0]["customer_id"] == "c1"
    everybody = NEW.segments["everybody"].hash
    loaded = stores.customers.load("c1")
    assert loaded is not None
    stores.customers.save(msgspec.structs.replace(loaded, segments=[everybody]))
    code, out, _ = run(capsys, "audit")
    assert (code, out) == (0, "1 customers: 0 differ, 0 were not woken in time, 0 wait for the back-fill.\n")


def test_whoever_applied_a_version_first_is_noted_and_stays(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("hana", "taro"):
        monkeypatch.setattr("ops.apply.caller_of", lambda _target, name=name: name)
        apply_playbook(stores, OLD, start_journeys=False)
    apply_playbook(stores, NEW, start_journeys=False)
    apply_playbook(stores, NEW, start_journeys=True)
    assert [entry.by for entry in history(stores.objects)] == ["hana", "taro"]


def test_where_nobody_was_noted_the_next_who_applies_it_is(stores: Stores) -> None:
    apply_playbook(stores, OLD, start_journeys=False)
    (entry,) = history(stores.objects)
    keep(stores.objects, [msgspec.structs.replace(entry, by="", backfill="b")])
    apply_playbook(stores, OLD, start_journeys=False)
    (again,) = history(stores.objects)
    assert (again.by, again.backfill, bool(again.by)) == (entry.by, "b", True)
