"""The bus of results: facts as they happen, for those who do not wait for the night's files. There only where asked for."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.function import Function
from infra.parameters import Parameters

# Live means soon: so long the streams gather where somebody listens. Each gathering is an invocation and some objects.
GATHERED_SECONDS = 5


class LiveBus(Construct):
    """A bus of its own: who may put on the bus of the CRM's events cannot pretend that something was sent."""

    def __init__(self, scope: Construct, construct_id: str, *, parameters: Parameters) -> None:
        super().__init__(scope, construct_id)
        self.condition = parameters.live
        self.bus = events.EventBus(self, "Bus", event_bus_name=f"{cdk.Aws.STACK_NAME}-live")
        self._only_where_asked_for(self.bus)

    def be_told_by(self, function: Function) -> None:
        """Let this function put events on the bus, and nothing else; and name the bus to it."""
        policy = iam.Policy(
            self,
            "Telling",
            roles=[cast("iam.IRole", function.role)],
            statements=[
                iam.PolicyStatement(actions=["events:PutEvents"], resources=[self.bus.event_bus_arn])
            ],
        )
        self._only_where_asked_for(policy)
        function.tell("LIVE_BUS", self._if_there(self.bus.event_bus_name, ""))
        for mapping in function.node.children:
            if isinstance(mapping, lambda_.EventSourceMapping):
                self._hurry(cast("lambda_.CfnEventSourceMapping", mapping.node.default_child))

    def _hurry(self, mapping: lambda_.CfnEventSourceMapping) -> None:
        usual = mapping.maximum_batching_window_in_seconds
        window = cdk.Fn.condition_if(self.condition.logical_id, GATHERED_SECONDS, usual)
        mapping.add_property_override("MaximumBatchingWindowInSeconds", window)

    def _if_there(self, value: str, otherwise: str) -> str:
        return cdk.Fn.condition_if(self.condition.logical_id, value, otherwise).to_string()

    def _only_where_asked_for(self, construct: Construct) -> None:
        cast("cdk.CfnResource", construct.node.default_child).cfn_options.condition = self.condition
