"""A run on the real engine with functions small enough to watch the clock through."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.local.down import bring_down
from ops.local.place import Place
from ops.local.up import Wishes, bring_up
from ops.target import Target

NAMES = (
    "webhook",
    "ingest",
    "link",
    "load",
    "decide",
    "tick",
    "evaluate",
    "send",
    "redrive",
    "facts",
    "measure",
)

# tick enqueues and deletes what is due, and send writes, with the rights that the real ones have; decide writes down when
# it heard of it. None evaluates, renders or sends.
SHARED = """
import datetime as dt, json
from pathlib import Path
import boto3
from functions.clock import clock_of
from functions.settings import read_settings

S = read_settings()
now = clock_of(S.clock_file)
dynamodb, sqs = boto3.client("dynamodb"), boto3.client("sqs")
"""
BODIES = {
    "tick": """
from functions.shared import *

def handler(event, context):
    at = dt.datetime.fromisoformat(event["scheduled_at"])
    for back in range(6):
        bucket = (at - dt.timedelta(minutes=back)).strftime("%Y-%m-%dT%H:%MZ#0")
        rows = dynamodb.query(TableName=S.table_timers, KeyConditionExpression="pk = :pk",
                              ExpressionAttributeValues={":pk": {"S": bucket}})["Items"]
        for row in rows:
            if "stuck" not in row["sk"]["S"] and dt.datetime.fromisoformat(row["due"]["S"]) <= now():
                sqs.send_message(QueueUrl=S.queue_inbox_url, MessageBody=row["sk"]["S"])
                done = {"DeleteRequest": {"Key": {"pk": row["pk"], "sk": row["sk"]}}}
                dynamodb.batch_write_item(RequestItems={S.table_timers: [done]})
""",
    "decide": """
from functions.shared import *

def handler(event, context):
    for record in event["Records"]:
        if record["body"] == "poison":
            return {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
        dynamodb.put_item(TableName=S.table_customers,
                          Item={"pk": {"S": record["body"]}, "at": {"S": now().isoformat()}})
    return {"batchItemFailures": []}
""",
    "evaluate": """
from functions.shared import *

def handler(event, context):
    for record in event["Records"]:
        sqs.send_message(QueueUrl=S.queue_send_url, MessageBody=record["body"])
    return {"batchItemFailures": []}
""",
    "measure": """
from functions.shared import *

def handler(event, context):
    s3 = boto3.client("s3")
    for record in event["Records"]:
        s3.put_object(Bucket=S.bucket, Key=f"measure/{now().isoformat()}", Body=record["body"].encode())
    for item in s3.list_objects_v2(Bucket=S.bucket, Prefix="facts/raw/").get("Contents", []):
        s3.delete_object(Bucket=S.bucket, Key=item["Key"])
    return {"batchItemFailures": []}
""",
    "send": """
from functions.shared import *

def handler(event, context):
    for record in event["Records"]:
        row = [{"S": record["body"]}, {"S": record["messageId"]}, {"S": now().isoformat()}]
        statement = f"INSERT INTO \\"{S.table_sends}\\" VALUE {{'pk': ?, 'sk': ?, 'at': ?}}"
        dynamodb.batch_execute_statement(Statements=[{"Statement": statement, "Parameters": row}])
    return {"batchItemFailures": []}
""",
}


@pytest.fixture(scope="session")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package with a handler for each function of the stack."""
    source = tmp_path_factory.mktemp("stub") / "functions"
    real = Path(__file__).parents[3] / "functions"
    for name in NAMES:
        (source / name).mkdir(parents=True)
        (source / name / "__init__.py").write_text("")
        body = BODIES.get(name, "def handler(event, context):\n    return {'statusCode': 200}\n")
        (source / name / "handler.py").write_text(body)
    (source / "shared.py").write_text(SHARED)
    for name in ("__init__.py", "settings.py", "clock.py"):
        (source / name).write_text((real / name).read_text(encoding="utf-8"))
    return source


@pytest.fixture
def wishes(tmp_path: Path, functions: Path) -> Wishes:
    """A run of its own, without LINE."""
    return Wishes(place=Place(tmp_path / "build"), functions=functions, line_api="http://127.0.0.1:9")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, functions: Path) -> Iterator[tuple[Place, Target]]:
    """One run that a module's tests share."""
    place = Place(tmp_path_factory.mktemp("running"))
    target = bring_up(Wishes(place=place, functions=functions, line_api="http://127.0.0.1:9"))
    yield place, target
    bring_down(place)
