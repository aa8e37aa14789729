"""LINE's webhooks: checked, put into the inbox, answered."""

from constructs import Construct

from infra.function import Function, Surroundings, edge_timeout
from infra.memory import MEMORY_MB
from infra.queues import Queues
from infra.secrets import Secrets


def webhook_function(scope: Construct, around: Surroundings, queues: Queues, secrets: Secrets) -> Function:
    """POST /webhook."""
    function = Function(
        scope,
        "webhook",
        around=around,
        memory_mb=MEMORY_MB["webhook"],
        timeout=edge_timeout(),
        environment={
            "QUEUE_INBOX_URL": queues.inbox.queue.queue_url,
            "SECRET_LINE": secrets.line_arn,
        },
    )
    function.may_send(queues.inbox.queue)
    function.may_read_secret(secrets.line_arn)
    return function
