"""Tracked links: a redirect, and word of it into the inbox."""

import aws_cdk as cdk
from constructs import Construct

from infra.function import Function, Surroundings, edge_timeout
from infra.memory import MEMORY_MB
from infra.queues import Queues
from infra.secrets import Secrets


def click_function(scope: Construct, around: Surroundings, queues: Queues, secrets: Secrets) -> Function:
    """GET /c/{token}. It may read the key that links are signed with and put into the inbox, and nothing else."""
    function = Function(
        scope,
        "click",
        around=around,
        memory_mb=MEMORY_MB["click"],
        timeout=edge_timeout(),
        environment={
            "QUEUE_INBOX_URL": queues.inbox.queue.queue_url,
            "SECRET_LINK": secrets.link_arn,
            # The stack's name, under which measures are told.
            "SCHEDULE_GROUP": cdk.Aws.STACK_NAME,
        },
    )
    function.may_send(queues.inbox.queue)
    function.may_read_secret(secrets.link_arn)
    return function
