"""What the decide function is made of."""

from functools import cache

from functions.aws.account import DynamoAccountState
from functions.aws.clients import client
from functions.aws.erasing import DynamoSuppressions
from functions.aws.failure_notes import S3FailureNotes
from functions.aws.history import DynamoEvents
from functions.aws.identities import DynamoIdentities
from functions.aws.items import DynamoCustomers
from functions.aws.link_attempts import DynamoLinkAttempts
from functions.aws.measures import LogMeasures
from functions.aws.objects import Objects, S3Playbooks
from functions.aws.queues import Queue, SqsSendQueue
from functions.aws.reactions import DynamoReactions
from functions.aws.rejects import S3RejectedEvents
from functions.aws.secrets import SecretField, SecretKeys
from functions.aws.timers import DynamoTimers
from functions.clock import clock_of
from functions.decide.answers import HearAnswers
from functions.decide.erased import ForTheLiving, LivingCustomers, LivingEvents, LivingIdentities, Watch
from functions.decide.flow import Decide
from functions.decide.late import SetAside
from functions.decide.link_attempts import TakeUp
from functions.decide.link_replies import LinkReplies
from functions.decide.reactions import WatchReactions
from functions.line.replies import LineReplies
from functions.rejected import KeepOfTheLiving
from functions.settings import Settings, read_settings, required
from functions.tokens import Tokens


@cache
def decide() -> ForTheLiving:
    """The flow of this process."""
    settings, dynamodb, sqs = read_settings(), client("dynamodb"), client("sqs")
    customers, gates = (
        required(settings.table_customers, "TABLE_CUSTOMERS"),
        required(settings.table_gates, "TABLE_GATES"),
    )
    objects = Objects(client("s3"), required(settings.bucket, "BUCKET"))
    people, playbooks = DynamoCustomers(dynamodb, customers, gates), S3Playbooks(objects)
    now = clock_of(settings.clock_file)
    identities = required(settings.table_identities, "TABLE_IDENTITIES")
    key = SecretField(
        client("secretsmanager"), required(settings.secret_erasure, "SECRET_ERASURE"), "erasure_key"
    )
    suppressions = DynamoSuppressions(dynamodb, identities, key)
    watch, measures = Watch(suppressions), LogMeasures(required(settings.schedule_group, "SCHEDULE_GROUP"))
    flow = Decide(
        account=settings.account,
        customers=LivingCustomers(people, watch),
        identities=LivingIdentities(DynamoIdentities(dynamodb, identities, customers, gates), watch),
        events=LivingEvents(
            DynamoEvents(
                dynamodb,
                required(settings.table_events, "TABLE_EVENTS"),
                lambda name: playbooks.in_force().playbook.ends_after(name),  # noqa: PLW0108 — of whatever is in force then,
            ),
            watch,
        ),
        timers=DynamoTimers(dynamodb, required(settings.table_timers, "TABLE_TIMERS"), settings.timer_shards),
        send_queue=SqsSendQueue(
            Queue(sqs, required(settings.queue_send_url, "QUEUE_SEND_URL")),
            Queue(sqs, required(settings.queue_bulk_url, "QUEUE_BULK_URL")),
        ),
        playbooks=playbooks,
        reactions=WatchReactions(
            people,
            playbooks,
            DynamoReactions(dynamodb, gates, settings.account),
            DynamoAccountState(dynamodb, gates, settings.account),
            measures,
            now,
        ),
        link_attempts=TakeUp(
            DynamoLinkAttempts(dynamodb, settings.table_identities), measures, _link_replies(settings)
        ),
        answers=HearAnswers(people, playbooks, measures),
        late=SetAside(KeepOfTheLiving(S3RejectedEvents(objects), suppressions, measures), measures, now),
        now=now,
    )
    return ForTheLiving(flow, suppressions, playbooks, measures)


def _link_replies(settings: Settings) -> LinkReplies:
    now, manager = clock_of(settings.clock_file), client("secretsmanager")
    line, keys = required(settings.secret_line, "SECRET_LINE"), required(settings.secret_link, "SECRET_LINK")
    return LinkReplies(
        replies=LineReplies(settings.line_api_url, SecretField(manager, line, "channel_access_token")),
        tokens=Tokens(SecretKeys(manager, keys), now),
        base_url=required(settings.link_url, "LINK_URL"),
        now=now,
    )


@cache
def failure_notes() -> S3FailureNotes:
    """Where this process keeps why messages died."""
    settings = read_settings()
    objects = Objects(client("s3"), required(settings.bucket, "BUCKET"))
    return S3FailureNotes(objects, "decide", clock_of(settings.clock_file))
