"""A deployment's tables and bucket on moto, filled by the real adapters, or with what was recorded of an earlier one."""

import base64
import importlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from moto import mock_aws

from tests.stored.kinds import AT, shape_of, whole

REGION = "ap-northeast-1"
BUCKET = "stored"
KEYS = {
    "customers": ("pk",),
    "gates": ("pk",),
    "identities": ("pk", "sk"),
    "events": ("pk", "sk"),
    "sends": ("pk", "sk"),
    "timers": ("pk", "sk"),
}


class Places:
    """`dynamodb`, `s3`: clients of the mocked AWS; tables are named as in `KEYS`."""

    def __init__(self) -> None:
        session: Any = boto3.Session("testing", "testing", region_name=REGION)
        self.dynamodb: Any = session.client("dynamodb")
        self.s3: Any = session.client("s3")
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        for table, keys in KEYS.items():
            self.dynamodb.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": one, "AttributeType": "S"} for one in keys],
                KeySchema=[
                    {"AttributeName": one, "KeyType": kind}
                    for one, kind in zip(keys, ("HASH", "RANGE"), strict=False)
                ],
            )

    def objects(self) -> Any:
        return _of("aws.objects", "Objects")(self.s3, BUCKET)

    def dump(self) -> dict[str, Any]:
        """All rows and objects, as JSON can have them."""
        tables = {one: self.dynamodb.scan(TableName=one)["Items"] for one in KEYS}
        listed = self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        read = {
            one["Key"]: self.s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read() for one in listed
        }
        return {
            "tables": {one: [_told(row) for row in rows] for one, rows in tables.items()},
            "objects": {key: body.decode() for key, body in read.items()},
        }

    def fill(self, dumped: Mapping[str, Any]) -> None:
        """What was dumped once."""
        for table, rows in dumped["tables"].items():
            for row in rows:
                self.dynamodb.put_item(TableName=table, Item=row_of(row))
        for key, text in dumped["objects"].items():
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=text.encode())


@contextmanager
def places() -> Iterator[Places]:
    with mock_aws():
        yield Places()


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {"B": base64.b64encode(one["B"]).decode()} if "B" in one else one for name, one in row.items()
    }


def row_of(told: Mapping[str, Any]) -> dict[str, Any]:
    """A row as it was, from what was dumped of it."""
    return {name: {"B": base64.b64decode(one["B"])} if "B" in one else one for name, one in told.items()}


def _of(module: str, name: str) -> Any:
    return getattr(importlib.import_module(f"functions.{module}"), name)


def _value(kind: str) -> Any:
    shape = shape_of(kind)
    if shape is None:
        raise ImportError(kind)
    return whole(shape)


def _people(at: Places) -> None:
    people = _of("aws.items", "DynamoCustomers")(at.dynamodb, "customers", "gates")
    for kind, save in (("Customer", people.save), ("Gate", people.save_gate)):
        value = _value(kind)
        save(type(value)(**{one: getattr(value, one) for one in value.__struct_fields__} | {"version": 0}))


def _history(at: Places) -> None:
    events = _of("aws.history", "DynamoEvents")(at.dynamodb, "events")
    events.put_new(_value("Event"))
    events.save_base("the customer_id", _of("domain.bases", "Base")())


class _Inserts:
    """A client whose batches of INSERT statements are puts: moto cannot read their parameters."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def batch_execute_statement(self, *, Statements: list[dict[str, Any]]) -> Any:  # noqa: N803
        for one in Statements:
            table, names = (
                re.findall(r'INTO "(\w+)"', one["Statement"]),
                re.findall(r"'(\w+)': \?", one["Statement"]),
            )
            self._client.put_item(TableName=table[0], Item=dict(zip(names, one["Parameters"], strict=True)))
        return {"Responses": [{} for _ in Statements]}


def _sends(at: Places) -> None:
    sends = _of("aws.send_log", "DynamoSends")(_Inserts(at.dynamodb), "sends")
    sends.record_all([_value("SendRecord")])


def _timers(at: Places) -> None:
    timers = _of("aws.timers", "DynamoTimers")(at.dynamodb, "timers", 1)
    timers.arm("the customer_id", AT, AT)
    for kind in ("Intent", "MenuOrder", "BatchOrder"):  # the first format holds no menus apart
        timers.hold(_value(kind), AT, AT)
    timers.look_at_link("the attempt_id", AT, AT)


def _account(at: Places) -> None:
    state = _of("aws.account", "DynamoAccountState")(at.dynamodb, "gates", "main")
    state.block(_value("Block"))
    state.heard_from("shop", AT)
    state.note_load("shop", whole(_of("domain.watermarks", "LoadNote")), None)


def _counters(at: Places) -> None:
    allowances = _of("aws.allowances", "DynamoAllowances")(at.dynamodb, "gates", "main")
    allowances.reserve("month#2026-11", 5, 100, None, AT)
    usage = _of("domain.money", "LineUsage")(limit=1_000, used=40)
    allowances.note("month#2026-11", usage, allowances.count("month#2026-11"), AT)
    reactions = _of("aws.reactions", "DynamoReactions")(at.dynamodb, "gates", "main")
    reactions.count_sent({"campaign:a": 3}, AT)
    reactions.count_block("e1", {"campaign:a": AT})


def _units(at: Places) -> None:
    _of("aws.aggregation_units", "DynamoAggregationUnits")(at.dynamodb, "gates", "main").take(
        _value("Unit"), AT
    )


def _links(at: Places) -> None:
    identities = _of("aws.identities", "DynamoIdentities")(at.dynamodb, "identities", "customers", "gates")
    link, audit = _value("Link"), _value("AuditEntry")
    link = type(link)(**{one: getattr(link, one) for one in link.__struct_fields__} | {"version": 0})
    try:
        change = _of("domain.link_changes", "LinkChange")
    except ImportError:
        identities.save_tied(link, audit, None)
        return
    identities.save_tied(change(link, audit, None, _value("Review"), _value("Keepsake"), _value("Reward")))
    phone, owners = _value("CustomerPhone"), _value("PhoneOwners")
    phone, owners = (
        type(one)(**{name: getattr(one, name) for name in one.__struct_fields__} | {"version": 0})
        for one in (phone, owners)
    )
    identities.save_phone(phone, [owners])
    attempts = _of("aws.link_attempts", "DynamoLinkAttempts")(at.dynamodb, "identities")
    attempts.begin(_value("Attempt"))
    attempts.name(_value("Attempt"), "code", "ABCD2345")
    attempts.take("the attempt_id", "the for_user", AT, "login")
    erased = _of("aws.erasing", "DynamoSuppressions")(at.dynamodb, "identities", lambda: "k" * 32)
    erased.put("customer#gone", _value("Suppression"))


def _runs(at: Places) -> None:
    runs, run = _of("aws.objects", "S3Runs")(at.objects()), _value("Run")
    runs.freeze_run(run)
    runs.freeze_chunk(run, 0, 1, _value("Chunk"))
    runs.checkpoint(run, 0, 1)
    runs.await_approval(run, _value("Awaiting"))
    runs.decide(run, _value("Approval"))
    runs.finish(run, 1)


def _playbooks(at: Places) -> None:
    _of("aws.objects", "S3Playbooks")(at.objects()).apply(_value("Playbook"))
    fact = _value("ContextFact")
    _of("aws.context_facts", "S3Context")(at.objects()).change(lambda _old: {"weather": {"Tokyo": fact}})


def _scans(at: Places) -> None:
    backfill, report = _value("Backfill"), _value("AuditReport")
    backfills = _of("aws.scans", "S3Backfills")(at.objects())
    backfills.begin(backfill)
    backfills.checkpoint(backfill.backfill_id, 0, _value("ScanProgress"))
    _of("aws.scans", "S3Audits")(at.objects()).keep(report)


def _batches(at: Places) -> None:
    batches = _of("aws.batches", "S3Batches")(at.objects())
    batches.seal("b1", _value("Sealed"))
    batches.enter("b1", 1, _value("Entry"))
    batches.accept("b1", _value("Accepted"))
    notes = _of("aws.failure_notes", "S3FailureNotes")(at.objects(), "send", lambda: AT)
    notes.keep(_value("FailureNote"))


def _loads(at: Places) -> None:
    _of("aws.loads", "S3Loads")(at.objects()).begin(_value("Load"))
    _of("aws.loads", "S3Snapshots")(at.objects()).move_on("shop", _value("Snapshot"))
    _of("aws.inflow_sources", "S3InflowSources")(at.objects()).create(_value("InflowSource"))


STEPS = (
    _people,
    _history,
    _sends,
    _timers,
    _account,
    _counters,
    _units,
    _links,
    _runs,
    _playbooks,
    _scans,
    _batches,
    _loads,
)
