"""What the click function is made of."""

from functools import cache

from functions.aws.clients import client, quick_client
from functions.aws.measures import LogMeasures
from functions.aws.queues import Queue, SqsInbox
from functions.aws.secrets import SecretKeys
from functions.click.flow import Follow
from functions.clock import clock_of
from functions.settings import read_settings, required
from functions.tokens import Tokens


@cache
def follow() -> Follow:
    """The flow of this process. Somebody waits for it: the queue is asked once and briefly."""
    settings = read_settings()
    now = clock_of(settings.clock_file)
    keys = SecretKeys(client("secretsmanager"), required(settings.secret_link, "SECRET_LINK"))
    queue = Queue(quick_client("sqs"), required(settings.queue_inbox_url, "QUEUE_INBOX_URL"), tries_max=1)
    return Follow(
        tokens=Tokens(keys, now),
        inbox=SqsInbox(queue),
        measures=LogMeasures(required(settings.schedule_group, "SCHEDULE_GROUP")),
        now=now,
    )
