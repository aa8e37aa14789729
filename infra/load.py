"""Files in: what is dropped under incoming/ is told to a queue, and loaded by a function with a bundle of its own."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.function import Function, Surroundings
from infra.ingest import may_ask_for_the_erased, may_note_sources, may_read_account
from infra.memory import MEMORY_MB
from infra.objects import Objects
from infra.queues import Queues
from infra.secrets import Secrets
from infra.tables import Tables
from infra.worker import feed

INCOMING = "incoming/"
# Files of different sources beside each other; more would only fill the inbox faster than decide empties it.
CONCURRENCY_MAX = 4


def load_function(
    scope: Construct, around: Surroundings, tables: Tables, queues: Queues, secrets: Secrets, objects: Objects
) -> Function:
    """One message, one file or the rest of it: it re-enqueues itself when its time is nearly over."""
    function = Function(
        scope,
        "load",
        around=around,
        memory_mb=MEMORY_MB["load"],
        timeout=around.parameters.evaluate_timeout(),
        environment={
            "TABLE_GATES": tables.gates.table_name,
            "QUEUE_INBOX_URL": queues.inbox.queue.queue_url,
            "QUEUE_LOAD_URL": queues.load.queue.queue_url,
            "TABLE_IDENTITIES": tables.identities.table_name,
            "SECRET_ERASURE": secrets.erasure_arn,
            "SCHEDULE_GROUP": cdk.Aws.STACK_NAME,
            "BUCKET": objects.bucket.bucket_name,
        },
    )
    function.may_send(queues.inbox.queue, queues.load.queue)
    may_note_sources(function, around, tables)
    may_read_account(function, around, tables)
    may_ask_for_the_erased(function, tables)
    function.may_read_secret(secrets.erasure_arn)
    function.may_use_objects(
        objects.bucket,
        read=["playbooks/", INCOMING, "loads/"],
        write=["loads/", "incoming-errors/", "rejected/", "failures/"],
    )
    function.allow(["s3:GetObjectVersion"], [objects.bucket.arn_for_objects(f"{INCOMING}*")])
    feed(function, queues.load.queue, batch=1, concurrency_max=CONCURRENCY_MAX)
    return function


def notify_of_files(objects: Objects, queues: Queues) -> None:
    """Tell the load queue of each object under incoming/.

    Written into the bucket itself: the CDK's own way is a custom resource with a function and rights to all buckets. The
    queue lets S3 in for this account, not for this bucket, which would have to exist before it.
    """
    queue, parameters = queues.load.queue, queues.parameters
    let_in = iam.PolicyStatement(
        principals=[cast("iam.IPrincipal", iam.ServicePrincipal("s3.amazonaws.com"))],
        actions=["sqs:SendMessage"],
        resources=[queue.queue_arn],
        conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
    )
    queue.add_to_resource_policy(let_in)
    # A queue has one policy. Where the one that denies plain HTTP is left out, this one takes its place.
    plain = sqs.CfnQueuePolicy(
        queue,
        "PlainPolicy",
        queues=[queue.queue_url],
        policy_document=iam.PolicyDocument(statements=[let_in]),
    )
    plain.cfn_options.condition = parameters.plain_http
    bucket = cast("s3.CfnBucket", objects.bucket.node.default_child)
    under = s3.CfnBucket.NotificationFilterProperty(
        s3_key=s3.CfnBucket.S3KeyFilterProperty(
            rules=[s3.CfnBucket.FilterRuleProperty(name="prefix", value=INCOMING)]
        )
    )
    bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
        queue_configurations=[
            s3.CfnBucket.QueueConfigurationProperty(
                event="s3:ObjectCreated:*", queue=queue.queue_arn, filter=under
            )
        ]
    )
    bucket.node.add_dependency(queue.node.find_child("Policy"), plain)
