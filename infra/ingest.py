"""The CRM's events: checked against the playbook's dictionary, put into the inbox, the rejected kept."""

import aws_cdk as cdk
from constructs import Construct

from infra.function import Function, Surroundings, edge_timeout
from infra.memory import MEMORY_MB
from infra.objects import Objects
from infra.queues import Queues
from infra.secrets import Secrets
from infra.tables import Tables
from infra.worker import feed

BATCH = 10


def ingest_function(
    scope: Construct,
    around: Surroundings,
    tables: Tables,
    queues: Queues,
    secrets: Secrets,
    objects: Objects,
) -> Function:
    """POST /events, and what comes by the bus."""
    function = Function(
        scope,
        "ingest",
        around=around,
        memory_mb=MEMORY_MB["ingest"],
        timeout=edge_timeout(),
        environment={
            "TABLE_GATES": tables.gates.table_name,
            "TABLE_IDENTITIES": tables.identities.table_name,
            "QUEUE_INBOX_URL": queues.inbox.queue.queue_url,
            "SECRET_INGEST": secrets.ingest_arn,
            "SECRET_ERASURE": secrets.erasure_arn,
            "SCHEDULE_GROUP": cdk.Aws.STACK_NAME,
            "BUCKET": objects.bucket.bucket_name,
        },
    )
    function.may_send(queues.inbox.queue)
    may_note_sources(function, around, tables)
    may_ask_for_the_erased(function, tables)
    function.may_read_secret(secrets.ingest_arn)
    function.may_read_secret(secrets.erasure_arn)
    function.may_use_objects(objects.bucket, read=["playbooks/"], write=["rejected/", "failures/"])
    feed(function, queues.bus.queue, batch=BATCH)
    return function


def may_note_sources(function: Function, around: Surroundings, tables: Tables) -> None:
    """The account's own row, and no customer's gate: the edge notes when it last heard of a source."""
    row = f"anon:#account#{around.parameters.account.value_as_string}"
    only = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [row]}}
    function.allow(["dynamodb:UpdateItem"], [tables.gates.table_arn], only)
    function.may_use_tables()


def may_read_account(function: Function, around: Surroundings, tables: Tables) -> None:
    """The account's own row: what is stopped, and how complete each source is."""
    row = f"anon:#account#{around.parameters.account.value_as_string}"
    only = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [row]}}
    function.allow(["dynamodb:GetItem"], [tables.gates.table_arn], only)


def may_ask_for_the_erased(function: Function, tables: Tables) -> None:
    """What is rejected is kept, unless it is an erased person's; of the identities the edge sees nothing else."""
    only = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["erased#*"]}}
    function.allow(["dynamodb:GetItem"], [tables.identities.table_arn], only)
