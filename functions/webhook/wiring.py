"""What the webhook function is made of."""

from functools import cache

from functions.aws.clients import client
from functions.aws.queues import Queue, SqsInbox
from functions.aws.secrets import SecretKeys
from functions.clock import clock_of
from functions.settings import read_settings, required
from functions.webhook.flow import Receive


@cache
def receive() -> Receive:
    """The flow of this process."""
    settings = read_settings()
    return Receive(
        channel_secrets=SecretKeys(
            client("secretsmanager"), required(settings.secret_line, "SECRET_LINE"), "channel_secret"
        ),
        inbox=SqsInbox(Queue(client("sqs"), required(settings.queue_inbox_url, "QUEUE_INBOX_URL"))),
        now=clock_of(settings.clock_file),
    )
