"""What the tick function is made of."""

from functools import cache

from functions.aws.account import DynamoAccountState
from functions.aws.clients import client
from functions.aws.measures import LogMeasures
from functions.aws.objects import Objects, S3Playbooks
from functions.aws.queues import Queue, SqsInbox, SqsSendQueue
from functions.aws.timers import DynamoTimers
from functions.clock import clock_of
from functions.settings import read_settings, required
from functions.tick.flow import Tick
from functions.tick.sources import WatchSources


@cache
def tick() -> Tick:
    """The flow of this process."""
    settings, sqs = read_settings(), client("sqs")
    return Tick(
        timers=DynamoTimers(
            client("dynamodb"), required(settings.table_timers, "TABLE_TIMERS"), settings.timer_shards
        ),
        inbox=SqsInbox(Queue(sqs, required(settings.queue_inbox_url, "QUEUE_INBOX_URL"))),
        send_queue=SqsSendQueue(
            Queue(sqs, required(settings.queue_send_url, "QUEUE_SEND_URL")),
            Queue(sqs, required(settings.queue_bulk_url, "QUEUE_BULK_URL")),
        ),
        now=clock_of(settings.clock_file),
        watch=WatchSources(
            S3Playbooks(Objects(client("s3"), required(settings.bucket, "BUCKET"))),
            DynamoAccountState(
                client("dynamodb"), required(settings.table_gates, "TABLE_GATES"), settings.account
            ),
            LogMeasures(required(settings.schedule_group, "SCHEDULE_GROUP")),
            clock_of(settings.clock_file),
        ).watch,
    )
