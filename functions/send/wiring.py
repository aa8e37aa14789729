"""What the send function is made of."""

from functools import cache

from functions.addresses import SignedAddresses
from functions.aws.account import DynamoAccountState
from functions.aws.aggregation_units import DynamoAggregationUnits
from functions.aws.allowances import DynamoAllowances
from functions.aws.batches import S3Batches
from functions.aws.clients import client, quick_client
from functions.aws.failure_notes import S3FailureNotes
from functions.aws.items import DynamoCustomers
from functions.aws.measures import LogMeasures
from functions.aws.objects import Objects, S3Playbooks, S3Runs
from functions.aws.queues import Queue, SqsSendQueue
from functions.aws.reactions import DynamoReactions
from functions.aws.secrets import SecretField, SecretKeys
from functions.aws.send_log import DynamoSends
from functions.aws.timers import DynamoTimers
from functions.clock import clock_of
from functions.line.messaging import LineMessaging
from functions.line.pacing import Pace
from functions.line.quota import LineMonthlyQuota
from functions.rendering import JinjaRenderer
from functions.send.allowance import Lending
from functions.send.flow import Deliver
from functions.settings import read_settings, required
from functions.threads import Threads

PUSHES_AT_ONCE = 10
"""A whole batch of the queue."""


@cache
def deliver() -> Deliver:
    """The flow of this process."""
    settings, dynamodb, sqs = read_settings(), client("dynamodb"), client("sqs")
    gates = required(settings.table_gates, "TABLE_GATES")
    token = SecretField(
        client("secretsmanager"), required(settings.secret_line, "SECRET_LINE"), "channel_access_token"
    )
    return Deliver(
        customers=DynamoCustomers(dynamodb, required(settings.table_customers, "TABLE_CUSTOMERS"), gates),
        sends=DynamoSends(
            dynamodb,
            required(settings.table_sends, "TABLE_SENDS"),
            lambda: playbooks().in_force().playbook.retention.sends_seconds,
        ),
        timers=DynamoTimers(dynamodb, required(settings.table_timers, "TABLE_TIMERS"), settings.timer_shards),
        send_queue=SqsSendQueue(
            Queue(sqs, required(settings.queue_send_url, "QUEUE_SEND_URL")),
            Queue(sqs, required(settings.queue_bulk_url, "QUEUE_BULK_URL")),
        ),
        playbooks=playbooks(),
        line=LineMessaging(
            settings.line_api_url,
            token,
            settings.line_timeout_seconds,
            Pace(settings.push_per_second),
            Pace(settings.multicast_per_second),
        ),
        renderer=JinjaRenderer(),
        addresses=SignedAddresses(
            SecretKeys(client("secretsmanager"), required(settings.secret_link, "SECRET_LINK")),
            required(settings.link_url, "LINK_URL"),
        ),
        account_state=DynamoAccountState(dynamodb, gates, settings.account),
        hold_in_queue_seconds_max=settings.hold_in_queue_seconds_max,
        now=clock_of(settings.clock_file),
        together=Threads(PUSHES_AT_ONCE),
        lending=lending(),
        reactions=DynamoReactions(dynamodb, gates, settings.account),
        runs=S3Runs(objects()),
        batches=S3Batches(objects()),
        units=DynamoAggregationUnits(dynamodb, gates, settings.account),
        account=settings.account,
    )


@cache
def lending() -> Lending:
    """Where this process reserves messages before they are claimed."""
    settings = read_settings()
    token = SecretField(
        client("secretsmanager"), required(settings.secret_line, "SECRET_LINE"), "channel_access_token"
    )
    return Lending(
        allowances=DynamoAllowances(
            client("dynamodb"),
            required(settings.table_gates, "TABLE_GATES"),
            settings.account,
            quick_client("dynamodb"),
        ),
        playbooks=playbooks(),
        line_quota=LineMonthlyQuota(settings.line_api_url, token),
        measures=LogMeasures(required(settings.schedule_group, "SCHEDULE_GROUP")),
    )


@cache
def failure_notes() -> S3FailureNotes:
    """Where this process keeps why messages died."""
    return S3FailureNotes(objects(), "send", clock_of(read_settings().clock_file))


@cache
def playbooks() -> S3Playbooks:
    """One for all of this process, so that what it keeps for five seconds is read once."""
    return S3Playbooks(objects())


@cache
def objects() -> Objects:
    """The bucket."""
    return Objects(client("s3"), required(read_settings().bucket, "BUCKET"))
