"""The front door: an HTTP API."""

import json
from collections.abc import Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.acknowledged import acknowledge
from infra.function import LOGS_KEPT, Function
from infra.parameters import Parameters

# LINE sends a webhook a friend's action, a CRM batches: far below this in life, far above a flood's worth.
REQUESTS_A_SECOND_MAX = 1_000
REQUESTS_BURST_MAX = 2_000
# Taps after a campaign for millions; of its own, so that no flood of addresses keeps LINE's webhooks out.
CLICKS_A_SECOND_MAX = 2_000
CLICKS_BURST_MAX = 4_000
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
    """POST /webhook, /events and /links, the pages under /link/ and tracked links, on the default stage, throttled and
    logged."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        webhook: Function,
        ingest: Function,
        link: Function,
        click: Function,
        send: Function,
        decide: Function,
        parameters: Parameters,
    ) -> None:
        super().__init__(scope, construct_id)
        self._parameters = parameters
        self.api = apigateway.HttpApi(self, "Http", create_default_stage=False)
        self.log_group = logs.LogGroup(self, "Logs", retention=LOGS_KEPT)
        stage = self._stage()
        self._route("/webhook", webhook, "the function checks LINE's signature over the raw body")
        self._route("/events", ingest, "the function checks the CRM's bearer key in constant time")
        self._route("/links", link, "the function checks the CRM's bearer key in constant time")
        self._route(
            "/link/{page+}",
            link,
            "pages for everybody; whom they are about stands in tokens that the function signed",
            [apigateway.HttpMethod.GET, apigateway.HttpMethod.POST],
        )
        clicks = self._route(
            "/c/{token}",
            click,
            "links for everybody who was sent one; where they lead stands in a token that the sender signed",
            [apigateway.HttpMethod.GET, apigateway.HttpMethod.HEAD],
        )
        self._own_throttle(stage, clicks)
        # Where the pages are is known only once there is a door; decide and send tell people of them.
        for function in (link, send, decide):
            function.tell("LINK_URL", self.page_url(""))
            function.tell("API_ID", self.api.api_id)

    def page_url(self, path: str) -> str:
        """Where browsers find a page: under the address of one's own where one is given."""
        given = self._parameters.link_url.value_as_string
        base = cdk.Fn.condition_if(
            self._parameters.link_url_given.logical_id, given, self.api.api_endpoint
        ).to_string()
        return f"{base}{path}"

    def url(self, path: str) -> str:
        """Where the outside finds `path` on AWS."""
        return f"{self.api.api_endpoint}{path}"

    def _route(
        self,
        path: str,
        function: Function,
        checked_by: str,
        methods: Sequence[apigateway.HttpMethod] = (apigateway.HttpMethod.POST,),
    ) -> list[apigateway.HttpRoute]:
        target = cast("lambda_.IFunction", function.live)
        name = path.strip("/").partition("/")[0].capitalize()
        routes = self.api.add_routes(
            path=path,
            methods=list(methods),
            integration=integrations.HttpLambdaIntegration(f"{name}Route", target),
        )
        for route in routes:
            acknowledge(route, "APIG4", checked_by)
        return routes

    def _own_throttle(self, stage: apigateway.CfnStage, routes: Sequence[apigateway.HttpRoute]) -> None:
        """A throttle beside the stage's. CloudFormation knows a route by its key once it is there."""
        limits = {"ThrottlingRateLimit": CLICKS_A_SECOND_MAX, "ThrottlingBurstLimit": CLICKS_BURST_MAX}
        keys = [f"{method} /c/{{token}}" for method in ("GET", "HEAD")]
        stage.add_property_override("RouteSettings", dict.fromkeys(keys, limits))
        for route in routes:
            stage.node.add_dependency(route)

    def _stage(self) -> apigateway.CfnStage:
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
        return resource
