"""A deployment on moto in which one person is everywhere that a person can be, among others who are to stay."""

import gzip
import io
import itertools
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from functions.aws.items import decode_gate
from functions.aws.objects import S3Runs
from functions.aws.once import hashed
from functions.aws.rejects import S3RejectedEvents
from functions.domain.approvals import Approval, Awaiting, RunHash
from functions.domain.campaigns import Chunk, Recipient, Run, send_id_in
from functions.domain.customers import Alias, Customer
from functions.domain.events import Event
from functions.domain.gate import Claim, Gate
from functions.domain.profiles import Profile, Register
from functions.domain.sends import MenuOrder, SendRecord, send_id_of
from functions.ports.messages import EventsReceived, LineReceived
from ops.stores import Stores
from tests.aws.samples import MINUTE, NOW, intent, record
from tests.fakes.playbooks import campaign, playbook
from tests.fakes.world import World
from tests.ops.deployments import _record, deployed

ME, OTHER = "hanako-7", "taro-8"
USER, FORMER, OTHERS = f"U{1:032x}", f"U{2:032x}", f"U{3:032x}"
NAME, PHONE = "山田花子", "090-1234-5678"
SECRETS = (ME, USER, FORMER, NAME, PHONE, json.dumps(NAME)[1:-1])
QUEUES = ("Inbox", "Send", "Bulk", "Evaluate")
BOOK = playbook(campaigns={"winter": campaign("news", once=NOW)})
RUN = Run("winter", NOW, BOOK.version, NOW, 1)
_numbers = itertools.count()


def planted() -> Stores:
    """The deployment, with its queues, its secret and a bucket that keeps versions."""
    stores = deployed(World(BOOK))
    _outfit(stores)
    _people(stores)
    _identities(stores)
    _log(stores)
    _objects(stores)
    _letters(stores)
    return stores


def _outfit(stores: Stores) -> None:
    outputs: Any = stores.target.outputs
    number, sqs = next(_numbers), stores.target.client("sqs")
    for name in QUEUES:
        for role, output in (("", f"Queue{name}Url"), ("dead-", f"Dead{name}Url")):
            outputs[output] = sqs.create_queue(QueueName=f"planted-{role}{name.lower()}-{number}")["QueueUrl"]
    outputs["DeadSchedulesUrl"] = sqs.create_queue(QueueName=f"planted-schedules-{number}")["QueueUrl"]
    secrets = stores.target.client("secretsmanager")
    outputs["SecretErasure"] = secrets.create_secret(
        Name=f"erasure-{number}", SecretString='{"erasure_key": "a-key"}'
    )["ARN"]
    vars(stores).pop("settings", None)
    stores.target.client("s3").put_bucket_versioning(
        Bucket=stores.settings.bucket, VersioningConfiguration={"Status": "Enabled"}
    )


def _people(stores: Stores) -> None:
    me = Register(USER, NOW, "e1")
    about = {"name": Register(NAME, NOW, "e1"), "phone": Register(PHONE, NOW, "e1")}
    friends = [Alias(f"anon:{USER}"), Alias(f"anon:{FORMER}", until=NOW)]
    stores.customers.save(
        Customer(ME, link=me, profile=Profile(attributes=about), outbox=[_intent()], aliases=friends)
    )
    stores.customers.save_gate(Gate(ME, link=me, friends={USER: me}))
    for user in (USER, FORMER):
        merged = ME if user == USER else ""
        stores.customers.save(Customer(f"anon:{user}", merged_into=merged))
        stores.customers.save_gate(Gate(f"anon:{user}", merged_into=merged))
    other = Customer(
        OTHER, link=Register(OTHERS, NOW, "e2"), aliases=[Alias(f"anon:{USER}"), Alias("anon:U9")]
    )
    stores.customers.save(other)
    claim = Claim("s1", "winter/1", "winter", FORMER, "h", NOW, NOW, NOW + MINUTE)
    known = {FORMER: Register(True, NOW, "e3"), OTHERS: Register(True, NOW, "e4")}
    stores.customers.save_gate(Gate(OTHER, link=Register(OTHERS, NOW, "e2"), friends=known, claims=[claim]))
    events = [
        Event("e1", ME, "profile_updated", NOW, properties={"name": NAME, "phone": PHONE}),
        Event("e5", ME, "purchase", NOW, properties={"order_id": "1"}),
        Event(
            "e11",
            ME,
            "consent_given",
            NOW,
            source="shop",
            properties={"purpose": "marketing", "version": "2"},
        ),
    ]
    stores.events.put_all(ME, events)
    stores.events.put_all(f"anon:{USER}", [Event("line:1", f"anon:{USER}", "line_follow", NOW)])
    stores.events.put_all(
        OTHER,
        [
            Event("e6", OTHER, "line_linked", NOW, properties={"line_user_id": USER}),
            Event("e7", OTHER, "purchase", NOW, properties={"order_id": "2"}),
        ],
    )
    stores.timers.arm(ME, NOW, NOW)
    stores.timers.arm(OTHER, NOW, NOW)
    stores.timers.hold(_intent(), NOW, NOW)
    stores.timers.hold(
        MenuOrder(send_id_of("main", "menu", "", "m", FORMER, "1"), f"anon:{FORMER}", FORMER, "menu"),
        NOW,
        NOW,
    )


def _intent() -> Any:
    return msgspec.structs.replace(
        intent(customer_id=ME), line_user_id=USER, values={"first_name": NAME}, made_at=NOW
    )


def link(user: str, customer: str, status: str, claimed_by: str = "") -> dict[str, Any]:
    told = {"line_user_id": user, "customer_id": customer, "method": "crm", "status": status}
    times = {"linked_at": "2026-11-01T00:00:00Z", "changed_at": "2026-11-01T00:00:00Z", "event_id": "e"}
    return {**told, **times, "claimed_by": claimed_by, "version": 1}


def _identities(stores: Stores) -> None:
    mine, former = link(USER, ME, "conflict", OTHER), link(FORMER, ME, "unlinked")
    theirs, contested = link(OTHERS, OTHER, "linked"), link("U9", OTHER, "conflict", ME)
    rows: list[tuple[str, str, Any]] = [
        (f"line#{USER}", "link", mine),
        (f"line#{USER}", "audit#2026-11-01T00:00:00Z#e#1", {"before": None, "after": mine}),
        (f"line#{FORMER}", "link", former),
        (f"line#{OTHERS}", "link", theirs),
        (
            f"line#{OTHERS}",
            "audit#2026-11-01T00:00:00Z#e#1",
            {"before": link(OTHERS, ME, "linked"), "after": theirs},
        ),
        (f"line#{OTHERS}", "tie", {"customer": {"customer_id": ME, "name": NAME}}),
        ("line#U9", "link", contested),
        (f"customer#{ME}", f"line#{USER}", mine),
        (f"customer#{ME}", f"line#{FORMER}", former),
        (f"customer#{OTHER}", f"line#{OTHERS}", theirs),
        (f"customer#{OTHER}", f"line#{USER}", mine),
        ("review", f"line#{USER}", {"line_user_id": USER}),
        ("review", "line#U9", {"line_user_id": "U9", "claimants": [ME, OTHER]}),
        (f"reward#line#{USER}", "reward", {}),
        (f"reward#customer#{ME}", "reward", {}),
        ("phone#1234", "owners", {"phone_hash": "1234", "customers": [ME]}),
        ("phone#5678", "owners", {"phone_hash": "5678", "customers": [ME, OTHER]}),
        ("attempt#a1", "attempt", {"attempt_id": "a1", "customer_id": ME}),
        ("attempt#a2", "attempt", {"attempt_id": "a2", "customer_id": OTHER}),
        (f"tries#{hashed(USER)}", "tries", {"tries": 3}),
    ]
    dynamodb, table = stores.target.client("dynamodb"), stores.settings.table_identities
    for pk, sk, body in rows:
        more = {"taken_by": {"S": FORMER}} if pk == "attempt#a1" else {}
        item = {"pk": {"S": pk}, "sk": {"S": sk}, "body": {"S": json.dumps(body)}, **more}
        dynamodb.put_item(TableName=table, Item=item)


def in_run(customer_id: str, user: str, *, unknown: bool = False) -> SendRecord:
    """The end of the campaign's message to somebody."""
    return msgspec.structs.replace(
        record(status="unknown" if unknown else "sent", customer_id=customer_id),
        send_id=send_id_in(RUN, user, "main"), line_user_id=user, scenario="", campaign="winter", run=RUN.source,
    )  # fmt: skip


def _log(stores: Stores) -> None:
    records = [
        msgspec.structs.replace(record(customer_id=ME), line_user_id=USER),
        in_run(ME, USER, unknown=True),
        in_run(f"anon:{FORMER}", FORMER),
        in_run(OTHER, OTHERS),
        msgspec.structs.replace(
            record("old", customer_id=OTHER),
            line_user_id=USER,
            send_id=send_id_of("main", "path", "j0", "old", USER, "1"),
        ),
    ]
    for one in records:
        _record(stores.target.client("dynamodb"), stores.settings.table_sends, one)


def _objects(stores: Stores) -> None:
    runs, objects = S3Runs(stores.objects), stores.objects
    runs.freeze_run(RUN)
    pages = [
        Chunk([Recipient(OTHER, OTHERS, {}), Recipient(ME, USER, {"first_name": NAME})], ME),
        Chunk([Recipient(f"anon:{FORMER}", FORMER, {})]),
    ]
    whole = RunHash(RUN, stores.playbooks.version(BOOK.version))
    for number, page in enumerate(pages):
        runs.freeze_chunk(RUN, 0, number, page)
        whole.add(page)
    runs.finish(RUN, 3)
    runs.await_approval(RUN, Awaiting(3, whole.frozen.hash, NOW))
    runs.decide(RUN, Approval("approved", whole.frozen.hash, "jiro", NOW))
    rejected = [
        {
            "index": 0,
            "event_id": "r1",
            "code": "unknown_event",
            "message": "m",
            "event": {"customer_id": ME, "note": PHONE},
        },
        {
            "index": 1,
            "event_id": "r2",
            "code": "unknown_event",
            "message": "m",
            "event": {"customer_id": OTHER},
        },
    ]
    S3RejectedEvents(objects).keep(rejected, NOW)
    S3RejectedEvents(objects).keep([{**rejected[0], "event": {"properties": {"line_user_id": USER}}}], NOW)
    objects.write(
        "audits/redrive/r1/begun.json", json.dumps({"filters": {"customer": ME}, "by": "ann"}).encode()
    )
    objects.write("audits/unknown/2026/1.json", json.dumps({"why": f"{ME} says so ({USER})"}).encode())
    objects.write(
        "audits/a1/0001.json",
        json.dumps({"done": True, "next_key": ME, "found": [{"customer_id": ME}]}).encode(),
    )
    objects.write("failures/m1.json", json.dumps({"text": f"about {USER}"}).encode())
    objects.write("loads/l1/part.csv", f"event_id,customer_id,name\n1,{ME},{NAME}\n2,{OTHER},太郎\n".encode())
    rows = f'{{"customer_id": "{ME}", "name": "{NAME}"}}\n{{"customer_id": "{OTHER}"}}\n'
    objects.write("loads/l1/part.jsonl.gz", gzip.compress(rows.encode()))
    objects.write("loads/keys/l1/1/000001.json", json.dumps([ME, OTHER]).encode())
    objects.write("incoming/shop/day.csv", f"customer_id\n{ME}\n".encode("cp932"))
    objects.write("incoming/shop/other.csv", f"customer_id\n{OTHER}\n".encode())
    table = io.BytesIO()
    pq.write_table(pa.table({"customer_id": [OTHER, ME], "name": ["太郎", NAME]}), table)
    objects.write("incoming/shop/day.parquet", table.getvalue())
    sends = io.BytesIO()
    pq.write_table(pa.table({"customer_id": [OTHER, ME], "send_id": ["s1", "s2"]}), sends)
    for key in ("facts/v1/sends/day=2026-11-01/part.parquet", "results/v1/day=2026-11-01/sends-1.parquet"):
        objects.write(key, sends.getvalue())
    objects.write("facts/raw/events/1.jsonl.gz", gzip.compress(rows.encode()))
    objects.write("loads/l1/state.json", json.dumps({"last": ME, "told": [OTHER]}).encode())
    objects.write(
        "loads/l1/state.json", json.dumps({"last": OTHER, "told": []}).encode()
    )  # an older version has them


def _letters(stores: Stores) -> None:
    sqs, outputs = stores.target.client("sqs"), stores.target.outputs
    mixed = [
        Event("e8", OTHER, "line_linked", NOW, properties={"line_user_id": USER}),
        Event("e9", OTHER, "purchase", NOW, properties={"order_id": "3"}),
    ]
    letters = {
        "Send": [msgspec.json.encode(_intent()).decode(), f'{{"broken": "{USER}"}}'],
        "Inbox": [
            msgspec.json.encode(EventsReceived(OTHER, mixed)).decode(),
            msgspec.json.encode(EventsReceived(ME, [Event("e10", ME, "purchase", NOW)])).decode(),
            msgspec.json.encode(LineReceived({"source": {"userId": FORMER}, "text": PHONE}, NOW)).decode(),
        ],
    }
    for name, bodies in letters.items():
        for body in bodies:
            sqs.send_message(QueueUrl=outputs[f"Dead{name}Url"], MessageBody=body)


def everything(stores: Stores) -> Iterator[tuple[str, str]]:
    """Every row, message and object version: where, and what is written there, with what is packed unpacked."""
    dynamodb, settings = stores.target.client("dynamodb"), stores.settings
    for table in ("identities", "customers", "gates", "sends", "events", "timers"):
        name = getattr(settings, f"table_{table}")
        for page in dynamodb.get_paginator("scan").paginate(TableName=name):
            for item in page["Items"]:
                packed = "B" in item.get("body", {})
                yield table, str(decode_gate(item) if packed else "") + str(item)
    sqs = stores.target.client("sqs")
    for name, url in stores.target.outputs.items():
        if url and name.endswith("Url") and name.startswith(("Queue", "Dead")):
            found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
            yield from ((name, one["Body"]) for one in found.get("Messages", []))
    yield from _versions(stores)


def _versions(stores: Stores) -> Iterator[tuple[str, str]]:
    s3, bucket = stores.target.client("s3"), stores.settings.bucket
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for one in page.get("Versions", []):
            body = s3.get_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])["Body"].read()
            plain = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
            if one["Key"].endswith(".parquet"):
                plain = str(pq.read_table(io.BytesIO(body)).to_pydict()).encode()
            yield one["Key"], one["Key"] + plain.decode(errors="replace")


def mentions(stores: Stores, secrets: tuple[str, ...] = SECRETS) -> list[str]:
    """Where any of these still stands."""
    return sorted({where for where, text in everything(stores) for secret in secrets if secret in text})
