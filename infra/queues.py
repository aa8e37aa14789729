"""The queues that work travels through, and where what failed five times waits for a person."""

from dataclasses import dataclass
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.acknowledged import acknowledge
from infra.parameters import Parameters
from infra.transport import only_where

# On the last of them the workers note why: functions/domain/dead_letters.py has the same number.
RECEIVES_MAX = 5
DEAD_LETTERS_KEPT_DAYS = 14
QUEUE_NAMES = ("inbox", "send", "bulk", "evaluate", "load", "bus", "measure")


@dataclass(frozen=True, slots=True)
class WorkQueue:
    """A queue and its dead letters."""

    queue: sqs.Queue
    dead: sqs.Queue


class Queues(Construct):
    """Encrypted by SQS itself: a key of our own would cost a KMS request each few minutes and worker.

    What is sent waits in two: `send` for what people wait for, `bulk` for promotions.
    `schedules_dead` takes what EventBridge Scheduler could not deliver within its retry window.
    """

    def __init__(self, scope: Construct, construct_id: str, *, parameters: Parameters) -> None:
        super().__init__(scope, construct_id)
        self.parameters = parameters
        self.by_name = {name: self._define(name) for name in QUEUE_NAMES}
        self.inbox = self.by_name["inbox"]
        self.send = self.by_name["send"]
        self.bulk = self.by_name["bulk"]
        self.evaluate = self.by_name["evaluate"]
        self.load = self.by_name["load"]
        self.bus = self.by_name["bus"]
        self.measure = self.by_name["measure"]
        self.schedules_dead = self._queue("SchedulesDead", kept_days=DEAD_LETTERS_KEPT_DAYS)
        acknowledge(self.schedules_dead, "SQS3", "it is itself where EventBridge Scheduler puts dead letters")

    def all_dead(self) -> dict[str, sqs.Queue]:
        """Every dead-letter queue by the name of what it serves."""
        return {name: work.dead for name, work in self.by_name.items()} | {"schedules": self.schedules_dead}

    def redrives(self) -> dict[str, WorkQueue]:
        """Every dead-letter queue with the queue that its letters belong to, by the name of what it serves.

        What EventBridge could not deliver belongs to the evaluate queue, but for the minutes, which tick does itself.
        """
        undelivered = WorkQueue(self.evaluate.queue, self.schedules_dead)
        return self.by_name | {"schedules": undelivered}

    def _define(self, name: str) -> WorkQueue:
        dead = self._queue(f"{name.capitalize()}Dead", kept_days=DEAD_LETTERS_KEPT_DAYS)
        redrive = sqs.DeadLetterQueue(queue=cast("sqs.IQueue", dead), max_receive_count=RECEIVES_MAX)
        return WorkQueue(self._queue(name.capitalize(), kept_days=4, redrive=redrive), dead)

    def _queue(self, name: str, *, kept_days: int, redrive: sqs.DeadLetterQueue | None = None) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            retention_period=cdk.Duration.days(kept_days),
            visibility_timeout=self.parameters.queue_visibility(name.lower()),
            dead_letter_queue=redrive,
            enforce_ssl=True,
        )
        only_where(self.parameters.tls_only, cast("Construct", queue.node.find_child("Policy")))
        return queue
