"""What the decide function is made of."""

from functools import cache

from functions.aws.clients import client
from functions.aws.history import DynamoEvents
from functions.aws.identities import DynamoIdentities
from functions.aws.items import DynamoCustomers
from functions.aws.objects import Objects, S3Playbooks
from functions.aws.queues import Queue, SqsSendQueue
from functions.aws.timers import DynamoTimers
from functions.clock import clock_of
from functions.decide.flow import Decide
from functions.settings import read_settings, required


@cache
def decide() -> Decide:
    """The flow of this process."""
    settings, dynamodb = read_settings(), client("dynamodb")
    customers, gates = (
        required(settings.table_customers, "TABLE_CUSTOMERS"),
        required(settings.table_gates, "TABLE_GATES"),
    )
    return Decide(
        account=settings.account,
        customers=DynamoCustomers(dynamodb, customers, gates),
        identities=DynamoIdentities(
            dynamodb, required(settings.table_identities, "TABLE_IDENTITIES"), customers, gates
        ),
        events=DynamoEvents(dynamodb, required(settings.table_events, "TABLE_EVENTS")),
        timers=DynamoTimers(dynamodb, required(settings.table_timers, "TABLE_TIMERS"), settings.timer_shards),
        send_queue=SqsSendQueue(Queue(client("sqs"), required(settings.queue_send_url, "QUEUE_SEND_URL"))),
        playbooks=S3Playbooks(Objects(client("s3"), required(settings.bucket, "BUCKET"))),
        now=clock_of(settings.clock_file),
    )
