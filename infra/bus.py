"""The EventBridge bus: what a CRM on AWS puts there takes the way of POST /events, through a queue of its own."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.queues import Queues

# docs/bus-event.schema.json says what such an event holds.
DETAIL_TYPE = "MusubiEvents"


class Bus(Construct):
    """One bus a deployment, and one rule: events of our kind into the queue; what cannot be delivered is a dead letter."""

    def __init__(self, scope: Construct, construct_id: str, *, queues: Queues) -> None:
        super().__init__(scope, construct_id)
        self.bus = events.EventBus(self, "Bus", event_bus_name=cdk.Aws.STACK_NAME)
        events.Rule(
            self,
            "Events",
            event_bus=cast("events.IEventBus", self.bus),
            event_pattern=events.EventPattern(detail_type=[DETAIL_TYPE]),
            targets=[
                cast(
                    "events.IRuleTarget",
                    targets.SqsQueue(
                        cast("sqs.IQueue", queues.bus.queue),
                        dead_letter_queue=cast("sqs.IQueue", queues.bus.dead),
                    ),
                )
            ],
        )
