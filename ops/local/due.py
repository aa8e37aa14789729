"""What falls due: rows of the timers table, and campaigns' one-off schedules."""

import datetime as dt
import heapq
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops.engine.errors import LocalError
from ops.local.place import replace_text
from ops.target import Target

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_scheduler import EventBridgeSchedulerClient
    from types_boto3_sqs import SQSClient

AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
Key = tuple[str, str]


@dataclass(frozen=True, slots=True, order=True)
class TimerRow:
    """A row of the timers table: due at `due`, to be found by a tick in the bucket of `minute`."""

    due: dt.datetime
    minute: dt.datetime
    key: Key


class Timers:
    """The table as it stands: read once, then followed through its stream, so that a step costs what changed."""

    def __init__(self, target: Target) -> None:
        self._dynamodb: DynamoDBClient = target.client("dynamodb")
        self._streams: Any = target.client("dynamodbstreams")
        self._table = target.output("TableTimers")
        # The stream's end is taken before the scan: what is written in between is seen twice, never not at all.
        self._iterator = self._stream_end()
        self._rows: dict[Key, TimerRow] = {}
        self._heap: list[TimerRow] = []
        for item in self._scan():
            self._put(item)

    def first(self) -> TimerRow | None:
        """The row that is due first, overdue ones included; None where the table is empty."""
        self._follow()
        while self._heap and self._rows.get(self._heap[0].key) != self._heap[0]:
            heapq.heappop(self._heap)
        return self._heap[0] if self._heap else None

    def _put(self, item: Any) -> None:
        key = (item["pk"]["S"], item["sk"]["S"])
        minute = dt.datetime.fromisoformat(key[0].partition("#")[0])
        row = TimerRow(dt.datetime.fromisoformat(item["due"]["S"]), minute, key)
        self._rows[key] = row
        heapq.heappush(self._heap, row)

    def _follow(self) -> None:
        while True:
            page = self._streams.get_records(ShardIterator=self._iterator)
            self._iterator = page["NextShardIterator"]
            for record in page["Records"]:
                change = record["dynamodb"]
                if record["eventName"] == "REMOVE":
                    self._rows.pop((change["Keys"]["pk"]["S"], change["Keys"]["sk"]["S"]), None)
                else:
                    self._put(change["NewImage"])
            if not page["Records"]:
                return

    def _stream_end(self) -> str:
        arn = self._dynamodb.describe_table(TableName=self._table)["Table"]["LatestStreamArn"]
        shard = self._streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][-1]
        iterator: str = self._streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="LATEST"
        )["ShardIterator"]
        return iterator

    def _scan(self) -> list[Any]:
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._table, ProjectionExpression="pk, sk, due", ConsistentRead=True
        )
        return [item for page in pages for item in page["Items"]]


@dataclass(frozen=True, slots=True, order=True)
class Occurrence:
    """A one-off schedule's instant, and the message it puts into its queue then."""

    at: dt.datetime
    name: str
    expression: str
    queue_arn: str = field(compare=False)
    message: str = field(compare=False)


class Schedules:
    """The group's `at()` schedules. Each occurrence fires once, also across runs of the command."""

    def __init__(self, target: Target, fired_path: Path) -> None:
        self._scheduler: EventBridgeSchedulerClient = target.client("scheduler")
        self._sqs: SQSClient = target.client("sqs")
        self._group = target.output("ScheduleGroup")
        self._fired_path = fired_path
        self._fired = _read_fired(fired_path)
        self._pending: list[Occurrence] = []
        self.reload()

    def reload(self) -> None:
        """Read the group again: applying a playbook and firing a campaign change it, nothing else does."""
        found = (self._occurrence(name) for name in self._names())
        self._pending = sorted(o for o in found if o and (o.name, o.expression) not in self._fired)

    def first(self) -> Occurrence | None:
        """The occurrence that is due first; None where none is left."""
        return self._pending[0] if self._pending else None

    def fire(self, occurrence: Occurrence) -> None:
        """Put the schedule's input into its queue, then remember that it went."""
        name = occurrence.queue_arn.rpartition(":")[2]
        url = self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
        self._sqs.send_message(QueueUrl=url, MessageBody=occurrence.message)
        self._fired.add((occurrence.name, occurrence.expression))
        replace_text(self._fired_path, json.dumps(sorted(self._fired)))
        self._pending.remove(occurrence)

    def _names(self) -> list[str]:
        pages = self._scheduler.get_paginator("list_schedules").paginate(GroupName=self._group)
        return [schedule["Name"] for page in pages for schedule in page["Schedules"]]

    def _occurrence(self, name: str) -> Occurrence | None:
        """None for a recurring schedule: the minute's tick, which the clock stands in for."""
        schedule = self._scheduler.get_schedule(GroupName=self._group, Name=name)
        at = AT.fullmatch(schedule["ScheduleExpression"])
        if at is None:
            return None
        if schedule.get("ScheduleExpressionTimezone", "UTC") != "UTC":
            raise LocalError(
                f"The schedule {name} is not in UTC: the engine would fire it at the wrong time."
            )
        instant = dt.datetime.fromisoformat(at[1]).replace(tzinfo=dt.UTC)
        target = schedule["Target"]
        return Occurrence(
            instant, name, schedule["ScheduleExpression"], target["Arn"], target.get("Input", "")
        )


def _read_fired(path: Path) -> set[tuple[str, str]]:
    try:
        return {(name, expression) for name, expression in json.loads(path.read_text(encoding="utf-8"))}
    except FileNotFoundError:
        return set()
