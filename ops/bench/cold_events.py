"""A representative invocation of every function, over a shop of the embedded engine: the first, and others for a warm worker."""

import base64
import datetime as dt
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from functions.aws.objects import Objects, S3Playbooks
from functions.aws.queues import evaluation_body
from functions.domain.events import Event
from functions.domain.sends import SendRecord
from functions.domain.tracked_links import Click, payload_of
from functions.ports.messages import CampaignRun, EventsReceived
from functions.tokens import Tokens
from functions.webhook.flow import signature_of
from infra.contents import ROOT
from ops.bench import world
from ops.bench.world import BUCKET, CHANNEL_SECRET, LINK_KEY, World, customer_id_of

Events = list[dict[str, Any]]
WARM: Final = 20
"""Invocations after the first."""
FEW: Final = 3
"""… where one is so big that twenty would take more memory than the function."""
BATCH: Final = 10
STREAM_ROWS: Final = 2_000
"""As many as a batch of a stream may have (infra/facts.py)."""
FILE_ROWS: Final = 1_000
AUDIENCE: Final = 1_000
SECRET_INGEST, INGEST_KEY = "musubi-bench-ingest", "an-ingest-key-of-the-usual-length-of-the-bench"
ONCE: Final = frozenset({"evaluate", "load"})
"""A campaign's run and a file are done once: another order for the same finds nothing to do."""
SHOP: Final = "https://shop.example.com"
FILE_KEY: Final = "incoming/shop/orders.csv"


class Representative:
    """Events by function. `measure` has none: a night of it is measured by itself (ops/bench/measuring.py)."""

    def __init__(self, shop: World, run_dir: Path) -> None:
        self._shop = shop
        self._next = 1
        self._once: set[str] = set()
        self._clock = run_dir / "clock"
        self._clock.write_text(world.NOW.isoformat(), encoding="ascii")
        secrets: Any = shop.clients.client("secretsmanager")
        secrets.create_secret(Name=SECRET_INGEST, SecretString=json.dumps({"ingest_key": INGEST_KEY}))
        sqs: Any = shop.clients.client("sqs")
        self._dead = str(sqs.create_queue(QueueName="bench-dead")["QueueUrl"])
        scheduler: Any = shop.clients.client("scheduler")
        scheduler.create_schedule_group(Name=shop.environment()["SCHEDULE_GROUP"])
        self._file = self._dropped()
        linking = msgspec.structs.replace(shop.playbook.linking, return_to=[SHOP])
        playbook = msgspec.structs.replace(
            shop.playbook, linking=linking, version=f"{shop.playbook.version}-shop"
        )
        S3Playbooks(Objects(shop.clients.client("s3"), BUCKET)).apply(playbook)

    def environment(self) -> Mapping[str, str]:
        """What every function of the shop is told, for all of them together."""
        queues = self._shop.queues
        dead = {name: {"dead": self._dead, "work": url} for name, url in queues.items()}
        return {
            **self._shop.environment(),
            "SECRET_INGEST": SECRET_INGEST,
            "CLOCK_FILE": str(self._clock),
            "QUEUE_LOAD_URL": queues["evaluate"],
            "QUEUE_MEASURE_URL": queues["evaluate"],
            "QUEUE_EVALUATE_ARN": "arn:aws:sqs:ap-northeast-1:000000000000:bench-evaluate",
            "SCHEDULES_DEAD_ARN": "arn:aws:sqs:ap-northeast-1:000000000000:bench-dead",
            "SCHEDULE_ROLE_ARN": "arn:aws:iam::000000000000:role/bench",
            "DEAD_QUEUES": json.dumps(dead),
            "FUNCTION_TICK": "tick",
            "TOPIC_ALARMS_ARN": "arn:aws:sns:ap-northeast-1:000000000000:alarms",
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }

    def of(self, function: str) -> Events:
        """Those of one function, made anew: nobody is sent the same twice. Empty where there are none, or no more."""
        made: Callable[[], Events] | None = getattr(self, f"_{function}", None)
        if made is None or function in self._once:
            return []
        self._once |= {function} & ONCE
        return made()

    def _webhook(self) -> Events:
        body = (ROOT / "events/webhook/message.json").read_bytes()
        return [_http("/webhook", body, {"x-line-signature": signature_of(CHANNEL_SECRET, body)})] * (
            WARM + 1
        )

    def _ingest(self) -> Events:
        given = json.loads((ROOT / "events/ingest/purchase.json").read_text(encoding="utf-8"))["events"][0]
        at = (world.NOW - dt.timedelta(minutes=5)).isoformat()
        events = [{**given, "event_id": f"order-{number}", "occurred_at": at} for number in range(BATCH)]
        body = json.dumps({"events": events}).encode()
        return [_http("/events", body, {"authorization": f"Bearer {INGEST_KEY}"})] * (WARM + 1)

    def _decide(self) -> Events:
        return [_batch([self._bought(number) for number in self._people()]) for _ in range(WARM + 1)]

    def _bought(self, number: int) -> str:
        properties = {"order_id": f"order-{number}", "amount": 4_800, "category": "skincare"}
        at = world.NOW - dt.timedelta(minutes=1)
        event = Event(f"order-{number}", customer_id_of(number), "purchase", at, source="shop", properties=properties)  # fmt: skip
        return msgspec.json.encode(EventsReceived(customer_id_of(number), [event])).decode()

    def _tick(self) -> Events:
        """A minute in which nothing is due, as most are."""
        return [{"scheduled_at": world.NOW.isoformat()}] * (WARM + 1)

    def _evaluate(self) -> Events:
        """A campaign's first part: all of a table of a thousand."""
        self._shop.add_customers(self._shop.reachable(100_000, AUDIENCE))
        return [_batch([evaluation_body(CampaignRun(world.CAMPAIGN, world.NOW))])]

    def _send(self) -> Events:
        return [
            _batch([msgspec.json.encode(one).decode() for one in self._shop.intents(self._people())])
            for _ in range(WARM + 1)
        ]

    def _redrive(self) -> Events:
        return [{"action": "list"}] * (WARM + 1)

    def _link(self) -> Events:
        """A page first, as whoever opens one finds the worker cold; then the shop's door and pages by turns."""
        door = json.loads((ROOT / "events/link/links.json").read_text(encoding="utf-8"))
        headers = {**door["headers"], "authorization": f"Bearer {INGEST_KEY}"}
        given = {
            "customer_id": customer_id_of(1),
            "consent": ["marketing"],
            "lang": "ja",
            "return_url": f"{SHOP}/account",
        }
        page = json.loads((ROOT / "events/link/start.json").read_text(encoding="utf-8"))
        return [page, *[{**door, "headers": headers, "body": json.dumps(given)}, page] * (WARM // 2)]

    def _click(self) -> Events:
        now = world.NOW
        click = Click("https://shop.example.com/ranking?from=line", "0b2e6a2e-5a10-5f3c-9c37-1d0a3e5b7c11",
                      customer_id_of(1), "1", now + dt.timedelta(days=30), "day7_related", "second_purchase")  # fmt: skip
        token = Tokens(lambda: [LINK_KEY], lambda: now).sign("click", payload_of(click))
        tap = json.loads((ROOT / "events/click/tap.json").read_text(encoding="utf-8"))
        return [{**tap, "rawPath": f"/c/{token}"}] * (WARM + 1)

    def _insight(self) -> Events:
        return [{}] * (WARM + 1)

    def _facts(self) -> Events:
        version = self._shop.playbook.version
        return [{"Records": [_sent(number, version) for number in range(STREAM_ROWS)]}] * FEW

    def _load(self) -> Events:
        """A file of a thousand rows; dropped once more it is known, and passed over."""
        return [_batch([json.dumps({"Records": [{"s3": {"object": self._file}}]})])]

    def _people(self) -> list[int]:
        """As many who were never met here."""
        numbers = self._shop.reachable(self._next, BATCH)
        self._next = numbers[-1] + 1
        self._shop.add_customers(numbers)
        return numbers

    def _dropped(self) -> dict[str, Any]:
        rows = [
            f"row-{n},customer-{n:07},purchase,2026-11-19T03:04:05Z,order-{n},4800,skincare"
            for n in range(FILE_ROWS)
        ]
        head = "event_id,customer_id,name,occurred_at,order_id,amount,category"
        body = "\n".join([head, *rows, ""]).encode()
        s3: Any = self._shop.clients.client("s3")
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        put = s3.put_object(Bucket=BUCKET, Key=FILE_KEY, Body=body)
        return {"key": FILE_KEY, "size": len(body), "versionId": put["VersionId"]}


def _http(path: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    return {"rawPath": path, "headers": dict(headers), "body": base64.b64encode(body).decode(), "isBase64Encoded": True}  # fmt: skip


def _batch(bodies: list[str]) -> dict[str, Any]:
    """An SQS event as Lambda gets it."""
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": "1795143600000", "SenderId": "AROA"}
    arn = "arn:aws:sqs:ap-northeast-1:000000000000:bench"
    return {
        "Records": [
            {"messageId": f"message-{number}", "receiptHandle": "AQEB", "body": body, "attributes": attributes,
             "messageAttributes": {}, "md5OfBody": "", "eventSource": "aws:sqs", "eventSourceARN": arn,
             "awsRegion": "ap-northeast-1"}
            for number, body in enumerate(bodies)
        ]
    }  # fmt: skip


def _sent(number: int, playbook: str) -> dict[str, Any]:
    """A row of the send log, as the table's stream tells it."""
    record = SendRecord(
        f"0b2e6a2e-5a10-5f3c-9c37-{number:012}", customer_id_of(number), world.line_user_of(number), "sent",
        world.NOW, world.NOW, "promotion", "weekly", "0123456789abcdef", playbook, "step", campaign="weekly",
    )  # fmt: skip
    image = {"pk": {"S": record.customer_id}, "body": {"S": msgspec.json.encode(record).decode()}}
    return {
        "eventName": "INSERT",
        "eventSourceARN": "arn:aws:dynamodb:ap-northeast-1:000000000000:table/sends/stream/now",
        "dynamodb": {"NewImage": image, "ApproximateCreationDateTime": world.NOW.timestamp()},
    }
