"""What the ingest function is made of."""

from functools import cache

from functions.aws.account import DynamoAccountState
from functions.aws.clients import client
from functions.aws.erasing import DynamoSuppressions
from functions.aws.failure_notes import S3FailureNotes
from functions.aws.measures import LogMeasures
from functions.aws.objects import Objects, S3Playbooks
from functions.aws.queues import Queue, SqsInbox
from functions.aws.rejects import S3RejectedEvents
from functions.aws.secrets import SecretField, SecretKeys
from functions.clock import clock_of
from functions.ingest.flow import Ingest
from functions.rejected import KeepOfTheLiving
from functions.settings import read_settings, required


@cache
def ingest() -> Ingest:
    """The flow of this process."""
    settings, dynamodb = read_settings(), client("dynamodb")
    objects = Objects(client("s3"), required(settings.bucket, "BUCKET"))
    key = SecretField(
        client("secretsmanager"), required(settings.secret_erasure, "SECRET_ERASURE"), "erasure_key"
    )
    suppressions = DynamoSuppressions(dynamodb, required(settings.table_identities, "TABLE_IDENTITIES"), key)
    return Ingest(
        ingest_keys=SecretKeys(
            client("secretsmanager"), required(settings.secret_ingest, "SECRET_INGEST"), "ingest_key"
        ),
        playbooks=S3Playbooks(objects),
        inbox=SqsInbox(Queue(client("sqs"), required(settings.queue_inbox_url, "QUEUE_INBOX_URL"))),
        rejected=KeepOfTheLiving(
            S3RejectedEvents(objects),
            suppressions,
            LogMeasures(required(settings.schedule_group, "SCHEDULE_GROUP")),
        ),
        account_state=DynamoAccountState(
            dynamodb, required(settings.table_gates, "TABLE_GATES"), settings.account
        ),
        now=clock_of(settings.clock_file),
    )


@cache
def failure_notes() -> S3FailureNotes:
    """Where this process keeps why messages died."""
    settings = read_settings()
    objects = Objects(client("s3"), required(settings.bucket, "BUCKET"))
    return S3FailureNotes(objects, "ingest", clock_of(settings.clock_file))
