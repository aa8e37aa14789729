"""What the redrive function is made of."""

import uuid
from functools import cache

from functions.aws.account import DynamoAccountState
from functions.aws.clients import client
from functions.aws.dead_letters import SqsDeadLetters, dead_queues, tick_by
from functions.aws.items import DynamoCustomers
from functions.aws.objects import Objects, S3Playbooks
from functions.aws.redrives import S3Redrives, redrive_id
from functions.aws.send_log import DynamoSends
from functions.clock import clock_of
from functions.redrive.flow import Replay
from functions.redrive.foresight import Foresight
from functions.settings import read_settings, required


@cache
def replay() -> Replay:
    """The flow of this process."""
    settings, dynamodb = read_settings(), client("dynamodb")
    objects = Objects(client("s3"), required(settings.bucket, "BUCKET"))
    gates, now = required(settings.table_gates, "TABLE_GATES"), clock_of(settings.clock_file)
    return Replay(
        letters=SqsDeadLetters(
            client("sqs"),
            dead_queues(required(settings.dead_queues, "DEAD_QUEUES")),
            objects,
            tick_by(client("lambda"), required(settings.function_tick, "FUNCTION_TICK")),
        ),
        redrives=S3Redrives(objects),
        foresight=Foresight(
            customers=DynamoCustomers(dynamodb, required(settings.table_customers, "TABLE_CUSTOMERS"), gates),
            sends=DynamoSends(dynamodb, required(settings.table_sends, "TABLE_SENDS")),
            playbooks=S3Playbooks(objects),
            account_state=DynamoAccountState(dynamodb, gates, settings.account),
            now=now,
        ),
        name=lambda at: redrive_id(at, uuid.uuid4().hex[:8]),
        now=now,
    )
