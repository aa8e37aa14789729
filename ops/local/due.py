"""What falls due: rows of the timers table, campaigns' one-off schedules, and the day's measuring."""

import datetime as dt
import heapq
import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops.engine.errors import LocalError
from ops.local.facts import WaitingFacts
from ops.local.place import replace_text
from ops.target import Target

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_scheduler import EventBridgeSchedulerClient
    from types_boto3_sqs import SQSClient

DAILY = re.compile(r"cron\((\d{1,2}) (\d{1,2}) \* \* \? \*\)")
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
    """A schedule's instant, and the message it puts into its queue then. `daily`: another comes a day later."""

    at: dt.datetime
    name: str
    expression: str
    queue_arn: str = field(compare=False)
    message: str = field(compare=False)
    daily: bool = False


class Schedules:
    """The group's `at()` schedules, and where `nightly` the daily one that measures. Each occurrence fires once, also across
    runs of the command."""

    def __init__(self, target: Target, fired_path: Path, now: dt.datetime, *, nightly: bool = True) -> None:
        self._scheduler: EventBridgeSchedulerClient = target.client("scheduler")
        self._sqs: SQSClient = target.client("sqs")
        self._group = target.output("ScheduleGroup")
        self._facts = WaitingFacts(target)
        self._now = now
        self._nightly = nightly
        self._fired_path = fired_path
        self._fired = _read_fired(fired_path)
        self._pending: list[Occurrence] = []
        self.reload()

    def reload(self) -> None:
        """Read the group again: applying a playbook and firing a campaign change it, nothing else does."""
        found = (self._occurrence(name) for name in self._names())
        self._pending = sorted(o for o in found if o and (o.name, o.expression) not in self._fired)

    def first(self, until: dt.datetime) -> Occurrence | None:
        """The occurrence that is due first, where it is by `until`. A day on which nothing became a fact is not measured:
        the next one makes up for it."""
        while self._pending and self._pending[0].at <= until:
            occurrence = self._pending[0]
            if not occurrence.daily or (self._nightly and self._facts.waiting()):
                return occurrence
            self._pass(occurrence)
        return None

    def _pass(self, daily: Occurrence) -> None:
        self._now = daily.at
        self._pending = sorted([*self._pending[1:], replace(daily, at=daily.at + dt.timedelta(days=1))])

    def fire(self, occurrence: Occurrence) -> None:
        """Put the schedule's input into its queue, then remember that it went."""
        name = occurrence.queue_arn.rpartition(":")[2]
        url = self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
        self._sqs.send_message(QueueUrl=url, MessageBody=occurrence.message)
        if occurrence.daily:
            self._pass(occurrence)
            return
        self._fired.add((occurrence.name, occurrence.expression))
        replace_text(self._fired_path, json.dumps(sorted(self._fired)))
        self._pending.remove(occurrence)

    def _names(self) -> list[str]:
        pages = self._scheduler.get_paginator("list_schedules").paginate(GroupName=self._group)
        return [schedule["Name"] for page in pages for schedule in page["Schedules"]]

    def _occurrence(self, name: str) -> Occurrence | None:
        """None for what recurs and does not measure: the clock stands in for the minute's tick, and neither LINE's own
        figures nor an audit of memberships would tell anything new here."""
        schedule = self._scheduler.get_schedule(GroupName=self._group, Name=name)
        expression, target = schedule["ScheduleExpression"], schedule["Target"]
        if (daily := DAILY.fullmatch(expression)) and target["Arn"].rpartition(":")[2] == self._facts.queue:
            at = _next_daily(self._now, minute=int(daily[1]), hour=int(daily[2]))
            return Occurrence(at, name, expression, target["Arn"], target.get("Input", ""), daily=True)
        once = AT.fullmatch(expression)
        if once is None:
            return None
        if schedule.get("ScheduleExpressionTimezone", "UTC") != "UTC":
            raise LocalError(
                f"The schedule {name} is not in UTC: the engine would fire it at the wrong time."
            )
        instant = dt.datetime.fromisoformat(once[1]).replace(tzinfo=dt.UTC)
        return Occurrence(instant, name, expression, target["Arn"], target.get("Input", ""))


def _next_daily(now: dt.datetime, *, hour: int, minute: int) -> dt.datetime:
    """The first instant after `now` at which it is this time in UTC."""
    today = now.astimezone(dt.UTC).replace(hour=hour, minute=minute, second=0, microsecond=0)
    return today if today > now else today + dt.timedelta(days=1)


def _read_fired(path: Path) -> set[tuple[str, str]]:
    try:
        return {(name, expression) for name, expression in json.loads(path.read_text(encoding="utf-8"))}
    except FileNotFoundError:
        return set()
