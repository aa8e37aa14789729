"""What only the adapters do: schedules, secrets, caches, scans, and what AWS leaves undone."""

import contextlib
import datetime as dt
import time
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from functions.aws import objects
from functions.aws.account import DynamoAccountState
from functions.aws.audience import DynamoAudience
from functions.aws.context_facts import ATTEMPTS, CONTEXT_BYTES_MAX, S3Context
from functions.aws.erasing import DynamoSuppressions
from functions.aws.history import DynamoEvents
from functions.aws.items import DynamoCustomers
from functions.aws.objects import S3Playbooks
from functions.aws.queues import decode_evaluation, evaluation_body
from functions.aws.rejects import S3RejectedEvents
from functions.aws.schedules import CampaignSchedules, name_of
from functions.aws.secrets import SecretField
from functions.aws.send_log import DynamoSends
from functions.aws.timers import DynamoTimers
from functions.domain.account import Account, Block
from functions.domain.context import Context, Fact, fact_value, with_facts, without_fact
from functions.domain.erasure import Suppression
from functions.domain.instants import DAY
from functions.ports.errors import Conflict, Rejected, Retryable
from functions.ports.messages import CampaignRun
from tests.aws.conftest import REGION, Aws
from tests.aws.samples import MINUTE, NOW, customer, event, gate, intent, record
from tests.fakes.playbooks import playbook

QUEUE_ARN = f"arn:aws:sqs:{REGION}:123456789012:evaluate"
DEAD_ARN = f"arn:aws:sqs:{REGION}:123456789012:schedules-dead"
ROLE_ARN = "arn:aws:iam::123456789012:role/campaigns"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)


# --- schedules


def schedules(aws: Aws, state: str = "ENABLED") -> tuple[CampaignSchedules, str]:
    group = aws.name("group")
    aws.client("scheduler").create_schedule_group(Name=group)
    return CampaignSchedules(aws.client("scheduler"), group, QUEUE_ARN, DEAD_ARN, ROLE_ARN, state), group


def test_a_campaign_has_one_schedule_which_a_later_instant_replaces(aws: Aws) -> None:
    made, group = schedules(aws)
    made.put("winter", NOW)
    made.put("winter", NOW + MINUTE)
    made.put("spring", NOW)
    assert made.campaigns() == {"winter", "spring"}
    found = aws.client("scheduler").get_schedule(Name=name_of("winter"), GroupName=group)
    assert found["ScheduleExpression"] == "at(2026-11-02T03:01:00)"
    assert (found["ScheduleExpressionTimezone"], found["State"]) == ("UTC", "ENABLED")
    assert found["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert found["Target"]["Arn"] == QUEUE_ARN
    assert found["Target"]["DeadLetterConfig"] == {"Arn": DEAD_ARN}
    assert found["Target"]["Input"] == evaluation_body(CampaignRun("winter", NOW + MINUTE))


def test_a_second_look_at_a_run_is_a_schedule_of_its_own_that_ends_itself(aws: Aws) -> None:
    made, group = schedules(aws)
    made.put("winter", NOW)
    for _ in range(2):
        made.look_again("winter", NOW, NOW + DAY)
    listed = aws.client("scheduler").list_schedules(GroupName=group)["Schedules"]
    (name,) = (one["Name"] for one in listed if one["Name"] != name_of("winter"))
    found = aws.client("scheduler").get_schedule(Name=name, GroupName=group)
    assert found["ScheduleExpression"] == f"at({NOW + DAY:%Y-%m-%dT%H:%M:%S})"
    assert found["ActionAfterCompletion"] == "DELETE"
    assert decode_evaluation(found["Target"]["Input"]) == CampaignRun("winter", NOW)
    assert made.campaigns() == {"winter"}


def test_a_schedule_that_is_removed_is_gone_and_may_be_removed_again(aws: Aws) -> None:
    made, _ = schedules(aws)
    made.put("winter", NOW)
    made.remove("winter")
    made.remove("winter")
    assert made.campaigns() == set()


def test_where_another_clock_fires_them_schedules_are_disabled(aws: Aws) -> None:
    made, group = schedules(aws, "DISABLED")
    made.put("winter", NOW)
    assert (
        aws.client("scheduler").get_schedule(Name=name_of("winter"), GroupName=group)["State"] == "DISABLED"
    )


# --- secrets


def test_a_secret_is_fetched_at_its_first_use_and_kept_until_it_is_forgotten(aws: Aws) -> None:
    secrets, name = aws.client("secretsmanager"), aws.name("secret")
    read = SecretField(secrets, name, "channel_secret")
    secrets.create_secret(Name=name, SecretString='{"channel_secret": "first", "other": 1}')
    assert read() == "first"
    secrets.put_secret_value(SecretId=name, SecretString='{"channel_secret": "second"}')
    assert read() == "first"
    read.forget()
    assert read() == "second"


# --- the account

STOPPED = Block("stopped", NOW)


def test_another_workers_stop_is_seen_within_seconds_and_not_read_for_every_send(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: seconds[0])
    table = aws.tables()["gates"]
    one = DynamoAccountState(aws.client("dynamodb"), table, "main")
    other = DynamoAccountState(aws.client("dynamodb"), table, "main")
    assert one.read() == Account()
    other.block(STOPPED)
    assert one.read() == Account()
    seconds[0] += 5.1
    assert one.read().blocks == [STOPPED]


def test_accounts_are_stopped_one_by_one(aws: Aws) -> None:
    table = aws.tables()["gates"]
    DynamoAccountState(aws.client("dynamodb"), table, "main").block(STOPPED)
    assert DynamoAccountState(aws.client("dynamodb"), table, "second").read() == Account()


def test_a_stopped_account_is_no_customer(aws: Aws) -> None:
    table = aws.tables()["gates"]
    DynamoAccountState(aws.client("dynamodb"), table, "main").block(STOPPED)
    assert DynamoCustomers(aws.client("dynamodb"), table, table).load_gate("main") is None


# --- the audience


def test_a_scan_in_segments_meets_everybody_once(aws: Aws) -> None:
    table = aws.tables()["customers"]
    customers = DynamoCustomers(aws.client("dynamodb"), table, table)
    for number in range(30):
        customers.save(customer(f"c{number}"))
    audience = DynamoAudience(aws.client("dynamodb"), table)
    found = [one for segment in range(4) for one in pages(audience, segment)]
    assert sorted(found) == sorted(f"c{number}" for number in range(30))


def pages(audience: DynamoAudience, segment: int) -> list[str]:
    found: list[str] = []
    start_key = ""
    for _ in range(100):
        customers, start_key = audience.page(segment, 4, start_key)
        found += [one.customer_id for one in customers]
        if not start_key:
            return found
    raise AssertionError("the scan does not end")


def test_a_scan_goes_on_where_its_page_ended() -> None:
    asked: list[Any] = []

    class Pages:
        def scan(self, **arguments: Any) -> dict[str, Any]:
            asked.append(arguments.get("ExclusiveStartKey"))
            last = {} if len(asked) > 1 else {"LastEvaluatedKey": {"pk": {"S": "c7"}}}
            return {"Items": [{"body": {"S": msgspec.json.encode(customer()).decode()}}], **last}

    audience = DynamoAudience(Pages(), "customers")  # type: ignore[arg-type]
    assert audience.page(0, 4, "")[1] == "c7"
    assert audience.page(0, 4, "c7")[1] == ""
    assert asked == [None, {"pk": {"S": "c7"}}]


# --- what AWS leaves undone


class HalfDone:
    """A DynamoDB client that leaves every second request of a batch undone, so often."""

    def __init__(self, dynamodb: Any, times: int) -> None:
        self._dynamodb = dynamodb
        self.times = times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dynamodb, name)

    def batch_write_item(self, *, RequestItems: dict[str, list[Any]]) -> dict[str, Any]:  # noqa: N803
        """Half of it."""
        ((table, requests),) = RequestItems.items()
        if self.times <= 0:
            return dict(self._dynamodb.batch_write_item(RequestItems=RequestItems))
        self.times -= 1
        if requests[::2]:
            self._dynamodb.batch_write_item(RequestItems={table: requests[::2]})
        left = {table: requests[1::2]} if requests[1::2] else {}
        return {"UnprocessedItems": left}

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        """One table of it."""
        if self.times <= 0 or len(RequestItems) == 1:
            return dict(self._dynamodb.batch_get_item(RequestItems=RequestItems))
        self.times -= 1
        first, *rest = RequestItems
        answer = self._dynamodb.batch_get_item(RequestItems={first: RequestItems[first]})
        return {**answer, "UnprocessedKeys": {name: RequestItems[name] for name in rest}}


def test_events_that_a_batch_left_out_are_written_again(aws: Aws) -> None:
    events = DynamoEvents(HalfDone(aws.client("dynamodb"), 5), aws.tables()["events"])  # type: ignore[arg-type]
    events.put_all("c1", [event(f"e{number}") for number in range(40)])
    assert len(events.identities_of("c1")) == 40


def test_rows_that_a_batch_left_out_are_deleted_again(aws: Aws) -> None:
    timers = DynamoTimers(HalfDone(aws.client("dynamodb"), 5), aws.tables()["timers"], 1)  # type: ignore[arg-type]
    for number in range(40):
        timers.arm(f"c{number}", NOW, NOW)
    timers.done(list(timers.due_in(NOW, NOW)))
    assert list(timers.due_in(NOW, NOW)) == []


class NothingDone:
    """A DynamoDB client whose batches never get anywhere."""

    def batch_write_item(self, *, RequestItems: Any) -> dict[str, Any]:  # noqa: N803
        """None of it."""
        return {"UnprocessedItems": RequestItems}

    def batch_get_item(self, *, RequestItems: Any) -> dict[str, Any]:  # noqa: N803
        """None of it."""
        return {"Responses": {}, "UnprocessedKeys": RequestItems}


def test_a_batch_that_gets_nowhere_is_given_up_after_a_while() -> None:
    throttled: Any = NothingDone()
    with pytest.raises(Retryable):
        DynamoEvents(throttled, "events").put_all("c1", [event()])
    with pytest.raises(Retryable):
        DynamoCustomers(throttled, "customers", "gates").load_both("c1")


def test_a_batch_read_that_was_cut_short_is_completed(aws: Aws) -> None:
    tables = aws.tables()
    whole = DynamoCustomers(aws.client("dynamodb"), tables["customers"], tables["gates"])
    whole.save(customer())
    whole.save_gate(gate())
    halved: Any = HalfDone(aws.client("dynamodb"), 1)
    assert DynamoCustomers(halved, tables["customers"], tables["gates"]).load_both("c1") == whole.load_both(
        "c1"
    )


class Throttled:
    """A DynamoDB client that refuses every write for want of capacity."""

    def put_item(self, **_: Any) -> None:
        """Refused."""
        raise ClientError(
            {"Error": {"Code": "ProvisionedThroughputExceededException", "Message": ""}}, "PutItem"
        )


def test_a_throttled_write_is_no_lost_race_and_no_known_event() -> None:
    throttled: Any = Throttled()
    with pytest.raises(ClientError):
        DynamoEvents(throttled, "events").put_new(event())
    with pytest.raises(ClientError):
        DynamoCustomers(throttled, "customers", "gates").save(customer())


class Answering:
    """A table service that answers a batch of statements with these codes."""

    def __init__(self, *codes: str) -> None:
        self._codes = codes

    def batch_execute_statement(self, Statements: list[Any]) -> dict[str, Any]:  # noqa: N803 — boto3's own name
        assert len(Statements) == len(self._codes)
        return {"Responses": [{"Error": {"Code": code}} if code else {} for code in self._codes]}


def test_only_a_condition_that_does_not_hold_is_a_lost_race_of_a_batch() -> None:
    codes = ("", "ConditionalCheckFailed", "ThrottlingError", "InternalServerError", "DuplicateItem")
    table: Any = Answering(*codes)
    records = [record(f"m{number}") for number in range(len(codes))]
    became = DynamoSends(table, "sends").record_all(records)
    assert became == ["written", "overtaken", "undone", "undone", "overtaken"]


@pytest.mark.parametrize("code", ["AccessDenied", "ValidationError", "ResourceNotFound"])
def test_a_statement_that_is_refused_as_such_is_told(code: str) -> None:
    table: Any = Answering(code)
    with pytest.raises(RuntimeError, match=code):
        DynamoSends(table, "sends").record_all([record()])


# --- the bucket


def test_a_new_playbook_is_in_force_everywhere_within_seconds(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: seconds[0])
    bucket = aws.objects()
    mine, others = S3Playbooks(bucket), S3Playbooks(bucket)
    first, second = playbook(), playbook(caps=[])
    mine.apply(first)
    assert others.in_force().version == first.version
    mine.apply(second)
    assert mine.in_force().version == second.version
    assert others.in_force().version == first.version
    assert others.in_force_now().version == second.version
    mine.apply(first)
    seconds[0] += 5.1
    assert others.in_force().version == first.version


def test_new_context_facts_are_known_everywhere_within_seconds_and_nothing_is_compiled_anew(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: seconds[0])
    bucket = aws.objects()
    playbooks, facts = S3Playbooks(bucket), S3Context(bucket)
    playbooks.apply(playbook())
    before = playbooks.in_force()
    facts.change(lambda _: {"busy": {"": Fact(value=True, since=NOW)}})
    assert playbooks.in_force() is before
    seconds[0] += 5.1
    after = playbooks.in_force()
    assert fact_value(after.context, "busy", "", NOW) is True
    assert (after.playbook, before.context) == (before.playbook, {})
    condition = after.playbook.segments["buyers"].when
    assert after.predicate(condition) is before.predicate(condition)
    seconds[0] += 5.1
    assert playbooks.in_force() is after


def test_two_writers_of_context_facts_do_not_lose_each_other(aws: Aws) -> None:
    bucket = aws.objects()
    mine, others = S3Context(bucket), S3Context(bucket)

    def overtaken(context: Context) -> Context:
        if "b" not in context:
            others.change(lambda now_there: with_facts(now_there, [("b", "", Fact(2, NOW))], NOW))
        return with_facts(context, [("a", "", Fact(1, NOW))], NOW)

    mine.change(overtaken)
    assert others.read() == {"a": {"": Fact(1, NOW)}, "b": {"": Fact(2, NOW)}}
    mine.change(lambda context: without_fact(context, "b", "", NOW))
    assert others.read() == {"a": {"": Fact(1, NOW)}}


def test_a_writer_of_context_facts_that_is_always_overtaken_gives_up(aws: Aws) -> None:
    bucket = aws.objects()
    mine, others = S3Context(bucket), S3Context(bucket)
    turns = iter(range(100))

    def overtaken(_: Context) -> Context:
        others.change(lambda _: {"a": {"": Fact(next(turns), NOW)}})
        return {}

    with pytest.raises(Conflict):
        mine.change(overtaken)
    assert mine.read() == {"a": {"": Fact(ATTEMPTS - 1, NOW)}}


def test_context_facts_are_bounded_and_what_is_too_much_changes_nothing(aws: Aws) -> None:
    facts = S3Context(aws.objects())
    frame = len(b'{"a":{"":["","2026-11-01T00:00:00Z",null]}}')
    assert facts.read() == {}

    def said(size: int) -> Context:
        return {"a": {"": Fact("x" * size, dt.datetime(2026, 11, 1, tzinfo=dt.UTC))}}

    full = facts.change(lambda _: said(CONTEXT_BYTES_MAX - frame))
    with pytest.raises(Rejected, match="262,145"):
        facts.change(lambda _: said(CONTEXT_BYTES_MAX - frame + 1))
    assert facts.read() == full


def test_a_page_is_frozen_by_one_of_two_workers_only(aws: Aws) -> None:
    bucket = aws.objects()
    assert bucket.write_new("key", b"1")
    assert not bucket.write_new("key", b"2")
    assert bucket.read("key") == b"1"
    assert bucket.read("other") is None
    assert (bucket.exists("key"), bucket.exists("other")) == (True, False)


def test_rejected_events_of_one_request_are_kept_once(aws: Aws) -> None:
    bucket = aws.objects()
    rejected = [
        {"index": 1, "code": "unknown_event", "event": {"name": "円", "properties": {"n": float("nan")}}}
    ]
    for _ in range(2):
        S3RejectedEvents(bucket).keep(rejected, NOW)
    listed = aws.client("s3").list_objects_v2(Bucket=bucket._bucket)["Contents"]
    assert [one["Key"].startswith("rejected/2026/11/02/") for one in listed] == [True]


def test_what_was_rejected_waits_until_nothing_of_it_is_left(aws: Aws) -> None:
    rejected = S3RejectedEvents(aws.objects())
    rejected.keep([{"index": 0, "event_id": None, "code": "malformed", "message": "no.", "event": 1}], NOW)
    assert [rejected.waits_since(NOW + dt.timedelta(days=days)) for days in (0, 1)] == [False, True]
    (batch,) = rejected.all()
    assert rejected.replace(batch, [])
    assert not rejected.waits_since(NOW + dt.timedelta(days=1))
    rejected.keep([{"code": "malformed", "message": "no.", "event": {}}], NOW + dt.timedelta(days=2))
    assert rejected.waits_since(NOW + dt.timedelta(days=3))


def test_a_key_that_cannot_be_read_for_another_reason_is_an_error(aws: Aws) -> None:
    nowhere = objects.Objects(aws.client("s3"), aws.name("no-such-bucket"))
    with pytest.raises(ClientError):
        nowhere.read("key")
    with contextlib.suppress(ClientError):
        assert not nowhere.exists("key")


def test_the_history_of_a_customer_is_read_page_by_page(aws: Aws) -> None:
    events = DynamoEvents(aws.client("dynamodb"), aws.tables()["events"])
    many = [event(f"e{number:03}", note="x" * 20_000) for number in range(120)]  # more than a page of 1 MB
    events.put_all("c1", many)
    assert events.all_of("c1") == many
    assert len(events.identities_of("c1")) == 120


def test_a_send_log_lists_a_customers_sends_oldest_first(aws: Aws) -> None:
    sends = DynamoSends(aws.client("dynamodb"), aws.tables()["sends"])
    late, early = record("b", made_at=NOW + MINUTE), record("a")
    sends.record_all([late, early])
    assert sends.of_customer("c1") == [early, late]
    assert sorted(sends.all(), key=lambda one: one.made_at) == [early, late]
    assert intent("a").send_id != intent("b").send_id


def test_records_and_events_bear_the_end_that_the_playbook_gives_them(aws: Aws) -> None:
    tables, dynamodb = aws.tables(), aws.client("dynamodb")
    DynamoSends(dynamodb, tables["sends"], lambda: 400).record_all([record()])
    history = DynamoEvents(dynamodb, tables["events"], {"line_beacon": 40}.get)
    history.put_new(event("kept"))
    history.put_new(msgspec.structs.replace(event("goes"), name="line_beacon"))
    (row,) = dynamodb.scan(TableName=tables["sends"])["Items"]
    assert 300 < int(row["ttl"]["N"]) - time.time() <= 400
    ends = {
        item["sk"]["S"]: int(item["ttl"]["N"]) - time.time() if "ttl" in item else None
        for item in dynamodb.scan(TableName=tables["events"])["Items"]
    }
    assert ends["kept"] is None
    assert ends["goes"] is not None
    assert 0 < ends["goes"] <= 40


def test_without_a_retention_a_record_has_no_end(aws: Aws) -> None:
    tables, dynamodb = aws.tables(), aws.client("dynamodb")
    DynamoSends(dynamodb, tables["sends"]).record_all([record()])
    (row,) = dynamodb.scan(TableName=tables["sends"])["Items"]
    assert "ttl" not in row


def test_a_suppression_is_found_by_the_hash_of_the_id_alone(aws: Aws) -> None:
    tables, dynamodb = aws.tables(), aws.client("dynamodb")
    suppressions = DynamoSuppressions(dynamodb, tables["identities"], lambda: "key")
    suppressions.put("customer#chihiro", Suppression("e1", NOW))
    assert suppressions.find("customer#chihiro") == Suppression("e1", NOW)
    assert suppressions.find("customer#c2") is None
    (row,) = dynamodb.scan(TableName=tables["identities"])["Items"]
    assert "chihiro" not in row["pk"]["S"]
    assert (
        DynamoSuppressions(dynamodb, tables["identities"], lambda: "other").find("customer#chihiro") is None
    )
    suppressions.lift("customer#chihiro", Suppression("e1", NOW), NOW)
    assert suppressions.find("customer#chihiro") is None
    suppressions.put("customer#chihiro", Suppression("e2", NOW))
    assert suppressions.find("customer#chihiro") == Suppression("e2", NOW)
