"""The EventBridge bus: what a CRM on AWS puts there takes the way of POST /events, through a queue of its own."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.deployments import EVERY
from infra.queues import Queues

# docs/bus-event.schema.json says what such an event holds.
DETAIL_TYPE = "MusubiEvents"


class Bus(Construct):
    """One bus a deployment, and one rule: events of our kind into the queue; what cannot be delivered is a dead letter."""

    def __init__(self, scope: Construct, construct_id: str, *, queues: Queues) -> None:
        super().__init__(scope, construct_id)
        self._queues = queues
        self.bus = events.EventBus(self, "Bus", event_bus_name=cdk.Aws.STACK_NAME)
        self._rule(
            "Events", cast("events.IEventBus", self.bus), events.EventPattern(detail_type=[DETAIL_TYPE])
        )

    def listen_to(self, company_bus: str, account: str) -> None:
        """Take from the company's own bus, of the same AWS account and region, what names this account, or `all`.

        An event that names no account goes to none: what is said of a person in one shop is not known in another unless
        somebody says so.
        """
        bus = events.EventBus.from_event_bus_name(self, "CompanyBus", company_bus)
        named = events.EventPattern(detail_type=[DETAIL_TYPE], detail={"accounts": [account, EVERY]})
        self._rule("CompanyEvents", bus, named)

    def _rule(self, name: str, bus: events.IEventBus, pattern: events.EventPattern) -> None:
        queue = targets.SqsQueue(
            cast("sqs.IQueue", self._queues.bus.queue),
            dead_letter_queue=cast("sqs.IQueue", self._queues.bus.dead),
        )
        events.Rule(
            self, name, event_bus=bus, event_pattern=pattern, targets=[cast("events.IRuleTarget", queue)]
        )
