"""What the evaluate function is made of."""

from functools import cache

from functions.aws.audience import DynamoAudience
from functions.aws.clients import client
from functions.aws.objects import Objects, S3Playbooks, S3Runs
from functions.aws.queues import Queue, SqsContinuation, SqsSendQueue
from functions.aws.schedules import CampaignSchedules
from functions.clock import clock_of
from functions.evaluate.flow import Evaluate
from functions.settings import read_settings, required


@cache
def evaluate() -> Evaluate:
    """The flow of this process."""
    settings, sqs = read_settings(), client("sqs")
    objects = Objects(client("s3"), required(settings.bucket, "BUCKET"))
    return Evaluate(
        account=settings.account,
        playbooks=S3Playbooks(objects),
        audience=DynamoAudience(client("dynamodb"), required(settings.table_customers, "TABLE_CUSTOMERS")),
        runs=S3Runs(objects),
        send_queue=SqsSendQueue(Queue(sqs, required(settings.queue_send_url, "QUEUE_SEND_URL"))),
        schedules=CampaignSchedules(
            client("scheduler"),
            required(settings.schedule_group, "SCHEDULE_GROUP"),
            required(settings.queue_evaluate_arn, "QUEUE_EVALUATE_ARN"),
            required(settings.schedules_dead_arn, "SCHEDULES_DEAD_ARN"),
            required(settings.schedule_role_arn, "SCHEDULE_ROLE_ARN"),
            settings.schedules_state,
        ),
        continuation=SqsContinuation(Queue(sqs, required(settings.queue_evaluate_url, "QUEUE_EVALUATE_URL"))),
        now=clock_of(settings.clock_file),
    )
