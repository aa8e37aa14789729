"""What the measure function is made of."""

from functools import cache

from functions.aws.alerts import SnsBell
from functions.aws.clients import client
from functions.aws.context_facts import S3Context
from functions.aws.failure_notes import S3FailureNotes
from functions.aws.lake import S3Lake
from functions.aws.measuring import SqsMeasureContinuation
from functions.aws.objects import Objects, S3Playbooks
from functions.aws.queues import Queue
from functions.clock import clock_of
from functions.measure.deriving import derive
from functions.measure.flow import Measure, Stage
from functions.measure.results import give_results
from functions.measure.stages import Rankings, Recommendations, scores
from functions.measure.watch import Watch
from functions.settings import read_settings, required
from functions.threads import Threads


def stages(context: S3Context, bell: SnsBell) -> tuple[Stage, ...]:
    """What is done for a day, in order: each may rest on what those before it have written."""
    return derive, scores, Recommendations(context), Rankings(context), Watch(bell), give_results


REQUESTS_AT_ONCE = 16
"""A day's raw rows are some hundred small objects, which S3 hands out one by one in tens of milliseconds each."""


@cache
def measure() -> Measure:
    """The flow of this process."""
    settings = read_settings()
    return Measure(
        lake=S3Lake(client("s3"), required(settings.bucket, "BUCKET")),
        playbooks=S3Playbooks(_objects()),
        stages=stages(S3Context(_objects()), _bell()),
        now=clock_of(settings.clock_file),
        continuation=SqsMeasureContinuation(
            Queue(client("sqs"), required(settings.queue_measure_url, "QUEUE_MEASURE_URL"))
        ),
        together=Threads(REQUESTS_AT_ONCE),
    )


def _bell() -> SnsBell:
    settings = read_settings()
    return SnsBell(client("sns"), required(settings.topic_alarms_arn, "TOPIC_ALARMS_ARN"), settings.account)


@cache
def failure_notes() -> S3FailureNotes:
    """Where this process keeps why messages died."""
    return S3FailureNotes(_objects(), "measure", clock_of(read_settings().clock_file))


@cache
def _objects() -> Objects:
    return Objects(client("s3"), required(read_settings().bucket, "BUCKET"))
