"""What a minute costs in which nothing is due, with few customers and with many."""

import datetime as dt
from typing import Any

import boto3
from moto import mock_aws

from functions.aws.queues import Queue, SqsInbox, SqsSendQueue
from functions.aws.timers import DynamoTimers
from functions.tick.flow import Tick
from ops.bench.measure import Measure

FEW, MANY = 1_000, 50_000
NOW = dt.datetime(2026, 11, 2, 3, 4, tzinfo=dt.UTC)
SHARDS = 4
BATCH = 25
REGION = "ap-northeast-1"


class _Counted:
    """One account with so many customers, each armed for a day of its own, and a tick that counts its requests."""

    def __init__(self, customers: int) -> None:
        self.requests, self.bytes = 0, 0
        self._dynamodb: Any = boto3.client("dynamodb", region_name=REGION)
        sqs = boto3.client("sqs", region_name=REGION)
        table = f"timers-{customers}"
        self._dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        )
        self._arm(table, customers)
        inbox, send, bulk = (
            Queue(sqs, sqs.create_queue(QueueName=f"{name}-{customers}")["QueueUrl"])
            for name in ("inbox", "send", "bulk")
        )
        self.tick = Tick(
            DynamoTimers(self._dynamodb, table, SHARDS),
            SqsInbox(inbox),
            SqsSendQueue(send, bulk),
            lambda: NOW,
        )
        for client in (self._dynamodb, sqs):
            client.meta.events.register("after-call", self._count)

    def _arm(self, table: str, customers: int) -> None:
        for start in range(0, customers, BATCH):
            rows = [self._row(number) for number in range(start, min(start + BATCH, customers))]
            self._dynamodb.batch_write_item(
                RequestItems={table: [{"PutRequest": {"Item": row}} for row in rows]}
            )

    @staticmethod
    def _row(number: int) -> dict[str, Any]:
        due = NOW + dt.timedelta(hours=1, minutes=number % 40_000)
        return {
            "pk": {"S": f"{due:%Y-%m-%dT%H:%MZ}#{number % SHARDS}"},
            "sk": {"S": f"customer#c-{number}"},
            "due": {"S": due.isoformat()},
            "customer": {"S": f"c-{number}"},
        }

    def _count(self, http_response: Any, **_more: Any) -> None:
        self.requests += 1
        self.bytes += len(http_response.content)


def idle_minute() -> list[Measure]:
    """Requests and answered bytes of an idle minute with 50,000 customers, beside those with 1,000."""
    with mock_aws():
        few, many = _Counted(FEW), _Counted(MANY)
        due = [counted.tick.run(NOW) for counted in (few, many)]
    if any(due) or not few.requests:
        raise RuntimeError("the minute was not idle, or was not counted")
    told = f"the same minute with {FEW:,} customers: {few.requests} requests, {few.bytes:,} bytes"
    return [
        Measure(f"idle minute, {MANY:,} customers", many.requests, "requests", few.requests, told),
        Measure(f"idle minute, {MANY:,} customers", many.bytes, "bytes answered", few.bytes, told),
    ]
