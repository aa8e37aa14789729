"""What the load function is made of."""

from functools import cache, partial

from functions.aws.account import DynamoAccountState
from functions.aws.clients import client
from functions.aws.erasing import DynamoSuppressions
from functions.aws.failure_notes import S3FailureNotes
from functions.aws.loads import S3File, S3Loads, S3Snapshots, SqsLoadContinuation
from functions.aws.measures import LogMeasures
from functions.aws.objects import Objects, S3Playbooks
from functions.aws.queues import Queue, SqsInbox
from functions.aws.rejects import S3RejectedEvents
from functions.aws.secrets import SecretField
from functions.clock import clock_of
from functions.load.flow import LoadFiles
from functions.parquet import Arrow
from functions.rejected import KeepOfTheLiving
from functions.settings import read_settings, required
from functions.threads import Threads

REQUESTS_AT_ONCE = 8
"""The inbox takes ten messages a request: one request after the other would be the slowest part of a load."""


@cache
def load_files() -> LoadFiles:
    """The flow of this process."""
    settings = read_settings()
    sqs, bucket = client("sqs"), required(settings.bucket, "BUCKET")
    return LoadFiles(
        playbooks=S3Playbooks(_objects()),
        loads=S3Loads(_objects()),
        files=partial(S3File, client("s3"), bucket),
        parquet=Arrow(),
        inbox=SqsInbox(
            Queue(sqs, required(settings.queue_inbox_url, "QUEUE_INBOX_URL"), Threads(REQUESTS_AT_ONCE))
        ),
        rejected=KeepOfTheLiving(
            S3RejectedEvents(_objects()),
            _suppressions(),
            LogMeasures(required(settings.schedule_group, "SCHEDULE_GROUP")),
        ),
        account_state=DynamoAccountState(
            client("dynamodb"), required(settings.table_gates, "TABLE_GATES"), settings.account
        ),
        continuation=SqsLoadContinuation(Queue(sqs, required(settings.queue_load_url, "QUEUE_LOAD_URL"))),
        snapshots=S3Snapshots(_objects()),
        now=clock_of(settings.clock_file),
    )


def _suppressions() -> DynamoSuppressions:
    settings = read_settings()
    secret = required(settings.secret_erasure, "SECRET_ERASURE")
    key = SecretField(client("secretsmanager"), secret, "erasure_key")
    return DynamoSuppressions(
        client("dynamodb"), required(settings.table_identities, "TABLE_IDENTITIES"), key
    )


@cache
def failure_notes() -> S3FailureNotes:
    """Where this process keeps why messages died."""
    return S3FailureNotes(_objects(), "load", clock_of(read_settings().clock_file))


@cache
def _objects() -> Objects:
    return Objects(client("s3"), required(read_settings().bucket, "BUCKET"))
