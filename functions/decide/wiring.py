"""What the decide function is made of."""

from functools import cache

from functions.aws.account import DynamoAccountState
from functions.aws.clients import client
from functions.aws.failure_notes import S3FailureNotes
from functions.aws.history import DynamoEvents
from functions.aws.identities import DynamoIdentities
from functions.aws.items import DynamoCustomers
from functions.aws.measures import LogMeasures
from functions.aws.objects import Objects, S3Playbooks
from functions.aws.queues import Queue, SqsSendQueue
from functions.aws.reactions import DynamoReactions
from functions.aws.timers import DynamoTimers
from functions.clock import clock_of
from functions.decide.flow import Decide
from functions.decide.reactions import WatchReactions
from functions.settings import read_settings, required


@cache
def decide() -> Decide:
    """The flow of this process."""
    settings, dynamodb, sqs = read_settings(), client("dynamodb"), client("sqs")
    customers, gates = (
        required(settings.table_customers, "TABLE_CUSTOMERS"),
        required(settings.table_gates, "TABLE_GATES"),
    )
    people, playbooks = (
        DynamoCustomers(dynamodb, customers, gates),
        S3Playbooks(Objects(client("s3"), required(settings.bucket, "BUCKET"))),
    )
    now = clock_of(settings.clock_file)
    return Decide(
        account=settings.account,
        customers=people,
        identities=DynamoIdentities(
            dynamodb, required(settings.table_identities, "TABLE_IDENTITIES"), customers, gates
        ),
        events=DynamoEvents(dynamodb, required(settings.table_events, "TABLE_EVENTS")),
        timers=DynamoTimers(dynamodb, required(settings.table_timers, "TABLE_TIMERS"), settings.timer_shards),
        send_queue=SqsSendQueue(
            Queue(sqs, required(settings.queue_send_url, "QUEUE_SEND_URL")),
            Queue(sqs, required(settings.queue_bulk_url, "QUEUE_BULK_URL")),
        ),
        playbooks=playbooks,
        reactions=WatchReactions(
            people,
            playbooks,
            DynamoReactions(dynamodb, gates, settings.account),
            DynamoAccountState(dynamodb, gates, settings.account),
            LogMeasures(required(settings.schedule_group, "SCHEDULE_GROUP")),
            now,
        ),
        now=now,
    )


@cache
def failure_notes() -> S3FailureNotes:
    """Where this process keeps why messages died."""
    settings = read_settings()
    objects = Objects(client("s3"), required(settings.bucket, "BUCKET"))
    return S3FailureNotes(objects, "decide", clock_of(settings.clock_file))
