"""What the evaluate function is made of."""

from functools import cache

from functions.aws.audience import DynamoAudience
from functions.aws.clients import client
from functions.aws.failure_notes import S3FailureNotes
from functions.aws.measures import LogMeasures
from functions.aws.objects import Objects, S3Playbooks, S3Runs
from functions.aws.queues import Queue, SqsContinuation, SqsInbox, SqsSendQueue
from functions.aws.rejects import S3RejectedEvents
from functions.aws.scans import S3Audits, S3Backfills
from functions.aws.schedules import CampaignSchedules
from functions.clock import clock_of
from functions.evaluate.audit import Audit
from functions.evaluate.backfill import Refill
from functions.evaluate.flow import Evaluate
from functions.settings import Settings, read_settings, required
from functions.threads import Threads

REQUESTS_AT_ONCE = 8
"""One request after the other fills a queue with a thousand messages a second; the bulk lane sends 1,600."""


@cache
def evaluate() -> Evaluate:
    """The flow of campaign runs of this process."""
    settings, together = read_settings(), Threads(REQUESTS_AT_ONCE)
    return Evaluate(
        account=settings.account,
        playbooks=_playbooks(),
        audience=_audience(settings),
        runs=S3Runs(_objects()),
        send_queue=SqsSendQueue(
            _queue(settings.queue_send_url, "QUEUE_SEND_URL", together),
            _queue(settings.queue_bulk_url, "QUEUE_BULK_URL", together),
        ),
        schedules=CampaignSchedules(
            client("scheduler"),
            required(settings.schedule_group, "SCHEDULE_GROUP"),
            required(settings.queue_evaluate_arn, "QUEUE_EVALUATE_ARN"),
            required(settings.schedules_dead_arn, "SCHEDULES_DEAD_ARN"),
            required(settings.schedule_role_arn, "SCHEDULE_ROLE_ARN"),
            settings.schedules_state,
        ),
        continuation=_continuation(settings),
        measures=LogMeasures(required(settings.schedule_group, "SCHEDULE_GROUP")),
        now=clock_of(settings.clock_file),
    )


@cache
def backfilling() -> Refill:
    """The flow of back-fills of this process."""
    settings = read_settings()
    return Refill(
        playbooks=_playbooks(),
        audience=_audience(settings),
        backfills=S3Backfills(_objects()),
        inbox=SqsInbox(_queue(settings.queue_inbox_url, "QUEUE_INBOX_URL")),
        continuation=_continuation(settings),
        now=clock_of(settings.clock_file),
    )


@cache
def auditing() -> Audit:
    """The flow of audits of this process."""
    settings = read_settings()
    return Audit(
        playbooks=_playbooks(),
        audience=_audience(settings),
        audits=S3Audits(_objects()),
        measures=LogMeasures(required(settings.schedule_group, "SCHEDULE_GROUP")),
        continuation=_continuation(settings),
        inbox=SqsInbox(_queue(settings.queue_inbox_url, "QUEUE_INBOX_URL")),
        rejected=S3RejectedEvents(_objects()),
        now=clock_of(settings.clock_file),
    )


@cache
def failure_notes() -> S3FailureNotes:
    """Where this process keeps why messages died."""
    return S3FailureNotes(_objects(), "evaluate", clock_of(read_settings().clock_file))


@cache
def _objects() -> Objects:
    return Objects(client("s3"), required(read_settings().bucket, "BUCKET"))


@cache
def _playbooks() -> S3Playbooks:
    return S3Playbooks(_objects())


def _audience(settings: Settings) -> DynamoAudience:
    return DynamoAudience(client("dynamodb"), required(settings.table_customers, "TABLE_CUSTOMERS"))


def _continuation(settings: Settings) -> SqsContinuation:
    return SqsContinuation(_queue(settings.queue_evaluate_url, "QUEUE_EVALUATE_URL"))


def _queue(url: str, name: str, together: Threads | None = None) -> Queue:
    return Queue(client("sqs"), required(url, name), together)
