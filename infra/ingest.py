"""The CRM's events: checked against the playbook's dictionary, put into the inbox, the rejected kept."""

from constructs import Construct

from infra.function import Function, Surroundings, edge_timeout
from infra.objects import Objects
from infra.queues import Queues
from infra.secrets import Secrets


def ingest_function(
    scope: Construct, around: Surroundings, queues: Queues, secrets: Secrets, objects: Objects
) -> Function:
    """POST /events."""
    function = Function(
        scope,
        "ingest",
        around=around,
        timeout=edge_timeout(),
        environment={
            "QUEUE_INBOX_URL": queues.inbox.queue.queue_url,
            "SECRET_INGEST": secrets.ingest_arn,
            "BUCKET": objects.bucket.bucket_name,
        },
    )
    function.may_send(queues.inbox.queue)
    function.may_read_secret(secrets.ingest_arn)
    function.may_use_objects(objects.bucket, read=["playbooks/"], write=["rejected/"])
    return function
