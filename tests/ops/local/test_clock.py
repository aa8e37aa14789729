"""Virtual time on the engine: what is due runs at its instant, in order, once."""

import datetime as dt
import json
import os
import re
import signal
from typing import Any

import pytest

from functions.aws.measuring import decode_measure
from functions.ports.messages import MeasureDay
from ops.engine.errors import LocalError, StalledError
from ops.local.clock import LocalClock, Step
from ops.local.down import bring_down
from ops.local.instants import text_of
from ops.local.place import Place
from ops.local.up import Wishes, bring_up
from ops.target import Target

pytestmark = pytest.mark.e2e

Running = tuple[Place, Target]
HOUR = dt.timedelta(hours=1)


def arm(target: Target, name: str, due: dt.datetime, bucket: dt.datetime | None = None) -> None:
    """A row as the functions write it: in the bucket of the minute it is due, or of the one it was written in."""
    minute = (bucket or due).strftime("%Y-%m-%dT%H:%MZ")
    item = {"pk": {"S": f"{minute}#0"}, "sk": {"S": name}, "due": {"S": text_of(due)}}
    target.client("dynamodb").put_item(TableName=target.output("TableTimers"), Item=item)


def schedule(target: Target, name: str, at: dt.datetime, call: str = "create_schedule") -> None:
    """A campaign's one-off schedule as `apply` makes it on one machine: the clock alone fires it."""
    getattr(target.client("scheduler"), call)(
        Name=name,
        GroupName=target.output("ScheduleGroup"),
        ScheduleExpression=f"at({at.strftime('%Y-%m-%dT%H:%M:%S')})",
        State="DISABLED",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": target.output("QueueEvaluateArn"),
            "RoleArn": target.output("ScheduleRoleArn"),
            "Input": name,
        },
    )


def heard(target: Target, table: str, names: set[str]) -> list[tuple[str, str]]:
    """When the stub functions heard of each name, in the order of time."""
    items: list[Any] = target.client("dynamodb").scan(TableName=target.output(table))["Items"]
    return sorted((i["at"]["S"], i["pk"]["S"]) for i in items if i["pk"]["S"] in names)


def test_what_is_due_runs_at_its_own_instant_in_order(running: Running) -> None:
    place, target = running
    clock = LocalClock(place, target)
    start = clock.now
    late, early = start + 3 * HOUR, start + HOUR + dt.timedelta(seconds=17)
    arm(target, "late", late)
    arm(target, "early", early)
    steps: list[Step] = []
    clock.advance_to(start + 4 * HOUR, steps.append)
    at = heard(target, "TableCustomers", {"late", "early"})
    assert at == [(early.isoformat(), "early"), (late.isoformat(), "late")]
    assert steps == [Step(early, 1), Step(late, 2)]
    assert clock.now == start + 4 * HOUR
    assert place.read_record()["clock"] == text_of(clock.now)


def test_what_is_due_later_stays(running: Running) -> None:
    place, target = running
    clock = LocalClock(place, target)
    arm(target, "tomorrow", clock.now + 24 * HOUR)
    clock.advance_to(clock.now + HOUR)
    assert heard(target, "TableCustomers", {"tomorrow"}) == []
    clock.advance_to(clock.now + 24 * HOUR)
    assert len(heard(target, "TableCustomers", {"tomorrow"})) == 1


def test_an_overdue_row_runs_now_from_its_old_bucket(running: Running) -> None:
    place, target = running
    clock = LocalClock(place, target)
    now = clock.now
    arm(target, "overdue", now - 2 * HOUR)
    assert clock.advance_to(now).steps == 1
    assert heard(target, "TableCustomers", {"overdue"}) == [(now.isoformat(), "overdue")]


def test_a_row_in_a_later_bucket_than_its_due_minute_is_found(running: Running) -> None:
    place, target = running
    clock = LocalClock(place, target)
    now = clock.now
    arm(target, "moved", now - HOUR, bucket=now)
    clock.advance_to(now + HOUR)
    assert heard(target, "TableCustomers", {"moved"}) == [(now.isoformat(), "moved")]


def test_a_schedule_fires_once_until_it_is_armed_again(running: Running) -> None:
    place, target = running
    clock = LocalClock(place, target)
    first = (clock.now + HOUR).replace(microsecond=0)
    schedule(target, "campaign", first)
    clock.advance_to(first + HOUR)
    LocalClock(place, target).advance_to(first + 2 * HOUR)
    assert heard(target, "TableSends", {"campaign"}) == [(first.isoformat(), "campaign")]
    second = first + 24 * HOUR
    schedule(target, "campaign", second, "update_schedule")
    clock.advance_to(second + HOUR)
    assert [at for at, _ in heard(target, "TableSends", {"campaign"})] == [
        first.isoformat(),
        second.isoformat(),
    ]


def test_a_day_on_which_something_became_a_fact_is_measured_at_four_in_the_morning(running: Running) -> None:
    place, target = running
    s3, bucket = target.client("s3"), target.output("Bucket")
    four = LocalClock(place, target).now.replace(hour=19, minute=0, second=0, microsecond=0)
    four += dt.timedelta(days=1)
    LocalClock(place, target).advance_to(four - HOUR)

    def measured() -> dict[str, Any]:
        found = s3.list_objects_v2(Bucket=bucket, Prefix="measure/").get("Contents", [])
        return {
            item["Key"]: s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read().decode()
            for item in found
        }

    s3.put_object(Bucket=bucket, Key="facts/raw/events/one", Body=b"")
    LocalClock(place, target).advance_to(four - dt.timedelta(seconds=1))
    assert measured() == {}
    LocalClock(place, target).advance_to(four + 50 * HOUR)
    assert list(measured()) == [f"measure/{four.isoformat()}"]
    assert [decode_measure(body) for body in measured().values()] == [MeasureDay()]
    s3.put_object(Bucket=bucket, Key="facts/raw/events/two", Body=b"")
    LocalClock(place, target).advance_to(four + 99 * HOUR)
    assert list(measured())[1:] == [f"measure/{(four + 72 * HOUR).isoformat()}"]


def test_nights_may_pass_unmeasured_and_what_they_leave_waits(running: Running) -> None:
    place, target = running
    s3, bucket = target.client("s3"), target.output("Bucket")
    s3.put_object(Bucket=bucket, Key="facts/raw/events/three", Body=b"")
    before = s3.list_objects_v2(Bucket=bucket, Prefix="measure/")["KeyCount"]
    clock = LocalClock(place, target, nightly=False)
    clock.advance_to(clock.now + 50 * HOUR)
    assert s3.list_objects_v2(Bucket=bucket, Prefix="measure/")["KeyCount"] == before
    LocalClock(place, target).advance_to(clock.now + 25 * HOUR)
    assert s3.list_objects_v2(Bucket=bucket, Prefix="measure/")["KeyCount"] == before + 1


def test_time_does_not_run_backwards(running: Running) -> None:
    place, target = running
    clock = LocalClock(place, target)
    before = clock.now
    with pytest.raises(LocalError, match="Time does not run backwards"):
        clock.advance_to(before - HOUR)
    assert clock.now == before


def test_a_clock_has_one_mover_at_a_time(running: Running) -> None:
    place, target = running
    other = LocalClock(place, target)

    def interfere(_: Step) -> None:
        with pytest.raises(LocalError, match="Somebody else is moving this clock"):
            other.advance_to(other.now + HOUR)

    clock = LocalClock(place, target)
    arm(target, "alone", clock.now)
    assert clock.advance_to(clock.now, interfere).steps == 1


def test_an_engine_that_is_gone_is_one_line(wishes: Wishes) -> None:
    target = bring_up(wishes)
    clock = LocalClock(wishes.place, target)
    os.kill(wishes.place.read_record()["engine_pid"], signal.SIGKILL)
    with pytest.raises(LocalError, match="no longer answers: run `musubi local down`"):
        clock.advance_to(clock.now + HOUR)
    bring_down(wishes.place)


def test_a_tick_that_leaves_its_row_is_reported_and_not_repeated_for_ever(running: Running) -> None:
    place, target = running
    clock = LocalClock(place, target)
    arm(target, "stuck", clock.now)
    with pytest.raises(LocalError, match="leaves the due row"):
        clock.advance_to(clock.now + HOUR)
    target.client("dynamodb").delete_item(
        TableName=target.output("TableTimers"),
        Key={"pk": {"S": f"{clock.now.strftime('%Y-%m-%dT%H:%MZ')}#0"}, "sk": {"S": "stuck"}},
    )


def test_queues_that_do_not_empty_are_named(running: Running) -> None:
    place, target = running
    url = target.output("QueueInboxUrl")
    LocalClock(place, target).settle()  # S3 tells the load queue of its new notification first
    target.client("sqs").send_message(QueueUrl=url, MessageBody="poison")
    with pytest.raises(
        StalledError, match=r"not moved for 1 s \(messages held: inbox 1; dead letters: none\)"
    ):
        LocalClock(place, target, stall_seconds=1).settle()
    target.client("sqs").purge_queue(QueueUrl=url)


def test_the_look_back_is_the_ticks_own() -> None:
    from functions.tick.flow import LOOK_BACK as READ_AGAIN  # noqa: PLC0415 (the flow is the authority here)
    from ops.local.clock import LOOK_BACK  # noqa: PLC0415

    assert LOOK_BACK == READ_AGAIN


def test_the_record_stays_whole_while_time_moves(running: Running) -> None:
    place, _ = running
    assert json.loads(place.record_path.read_text(encoding="utf-8"))["engine_url"]


def test_all_workers_run_the_code_that_was_unpacked_once(running: Running) -> None:
    place, _ = running
    codes = {code.parent.name: code.resolve() for code in place.run_dir.glob("tmp/ministack-lambda-*/code")}
    core = {code for worker, code in codes.items() if not re.search("(Load|Measure)Function", worker)}
    assert len(codes) > len(core) + 1
    assert len(core) == 1
    assert len({*codes.values()} - core) <= 2  # the bundles that read files and that measure
