"""The front door: an HTTP API with two routes. GET /c/{token} is kept free for tracked links."""

import json
from typing import cast

from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.acknowledged import acknowledge
from infra.function import LOGS_KEPT, Function

# LINE sends a webhook a friend's action, a CRM batches: far below this in life, far above a flood's worth.
REQUESTS_A_SECOND_MAX = 1_000
REQUESTS_BURST_MAX = 2_000
# Neither address nor path token: the log says how the door fares, not who came through it.
LOG_FIELDS = {
    "request": "$context.requestId",
    "at": "$context.requestTimeEpoch",
    "route": "$context.routeKey",
    "status": "$context.status",
    "latency_ms": "$context.responseLatency",
    "error": "$context.integrationErrorMessage",
}


class Api(Construct):
    """POST /webhook and POST /events on the default stage, throttled and logged."""

    def __init__(self, scope: Construct, construct_id: str, *, webhook: Function, ingest: Function) -> None:
        super().__init__(scope, construct_id)
        self.api = apigateway.HttpApi(self, "Http", create_default_stage=False)
        self.log_group = logs.LogGroup(self, "Logs", retention=LOGS_KEPT)
        self._stage()
        self._route("/webhook", webhook, "the function checks LINE's signature over the raw body")
        self._route("/events", ingest, "the function checks the CRM's bearer key in constant time")

    def url(self, path: str) -> str:
        """Where the outside finds `path` on AWS."""
        return f"{self.api.api_endpoint}{path}"

    def _route(self, path: str, function: Function, checked_by: str) -> None:
        target = cast("lambda_.IFunction", function.resource)
        routes = self.api.add_routes(
            path=path,
            methods=[apigateway.HttpMethod.POST],
            integration=integrations.HttpLambdaIntegration(f"{path.strip('/').capitalize()}Route", target),
        )
        for route in routes:
            acknowledge(route, "APIG4", checked_by)

    def _stage(self) -> None:
        stage = apigateway.HttpStage(
            self,
            "Stage",
            http_api=cast("apigateway.IHttpApi", self.api),
            stage_name="$default",
            auto_deploy=True,
            throttle=apigateway.ThrottleSettings(
                rate_limit=REQUESTS_A_SECOND_MAX, burst_limit=REQUESTS_BURST_MAX
            ),
        )
        resource = stage.node.default_child
        if not isinstance(resource, apigateway.CfnStage):
            raise TypeError("The HTTP API's stage has no resource to log from.")
        resource.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=self.log_group.log_group_arn, format=json.dumps(LOG_FIELDS)
        )
