"""What may differ between deployments of the one template: AWS takes the defaults, one machine overrides them."""

from collections.abc import Mapping
from typing import cast

import aws_cdk as cdk
from constructs import Construct

from infra.deployments import LINK_URL_MAX


class Parameters:
    """The template's CloudFormation parameters; their logical ids are their names here in CamelCase.

    They are parameters, not context, so that the embedded engine deploys the very template that goes to AWS.
    """

    def __init__(self, stack: Construct) -> None:
        self.account = _text(stack, "Account", "main", "the LINE account this deployment serves")
        self._where_line_is(stack)
        self._where_pages_are(stack)
        self._what_is_on(stack)
        self._how_long(stack)
        self._how_much(stack)

    def _where_line_is(self, stack: Construct) -> None:
        self.line_api_url = _text(stack, "LineApiUrl", "https://api.line.me", "messaging and data")
        self.line_login_url = _text(stack, "LineLoginUrl", "https://api.line.me", "LINE Login")
        self.line_access_url = _text(
            stack, "LineAccessUrl", "https://access.line.me", "LINE's login pages and the account-link dialog"
        )
        self.line_friend_url = _text(
            stack, "LineFriendUrl", "https://line.me/R/ti/p", "where an account is added as a friend"
        )
        self.liff_url = _text(stack, "LiffUrl", "https://liff.line.me", "where LIFF apps are opened")
        self.liff_sdk_url = _text(
            stack, "LiffSdkUrl", "https://static.line-scdn.net/liff/edge/2/sdk.js", "LIFF's own script"
        )

    def _where_pages_are(self, stack: Construct) -> None:
        self.link_url = _text(
            stack,
            "LinkUrl",
            "",
            "where browsers find the pages, such as https://id.shop.example; empty: the API's own address",
            max_length=LINK_URL_MAX,
        )
        self.link_url_given = cdk.CfnCondition(
            stack,
            "LinkUrlGiven",
            expression=cdk.Fn.condition_not(cdk.Fn.condition_equals(self.link_url.value_as_string, "")),
        )

    def _what_is_on(self, stack: Construct) -> None:
        self.clock_file = _text(
            stack, "ClockFile", "", "a file holding the virtual instant; empty: real time"
        )
        self.schedules_state = _choice(stack, "SchedulesState", ("ENABLED", "DISABLED"))
        # Each event told live costs what EventBridge asks for it: $1 a million.
        self.live_bus = _choice(stack, "LiveBus", ("off", "on"))
        self.live = cdk.CfnCondition(
            stack, "Live", expression=cdk.Fn.condition_equals(self.live_bus.value_as_string, "on")
        )
        # Of what calls a function, a tenth meets new code first (infra/release.py).
        self.gradual_release = _choice(stack, "GradualRelease", ("on", "off"))
        self.gradually = cdk.CfnCondition(
            stack,
            "Gradually",
            expression=cdk.Fn.condition_equals(self.gradual_release.value_as_string, "on"),
        )
        self.enforce_tls = _choice(stack, "EnforceTls", ("true", "false"))
        # The embedded engine answers over plain HTTP, where a policy that denies it would refuse every call.
        self.tls_only = cdk.CfnCondition(
            stack, "TlsOnly", expression=cdk.Fn.condition_equals(self.enforce_tls.value_as_string, "true")
        )
        self.plain_http = cdk.CfnCondition(
            stack,
            "PlainHttp",
            expression=cdk.Fn.condition_not(cast("cdk.ICfnConditionExpression", self.tls_only)),
        )

    def _how_long(self, stack: Construct) -> None:
        self.hold_in_queue_seconds_max = _number(stack, "HoldInQueueSecondsMax", 60, 0, 900)
        self.worker_timeout_seconds = _number(stack, "WorkerTimeoutSeconds", 30, 1, 900)
        # Six times the time-out, as AWS advises: a message must not reappear while its batch is being retried.
        self.queue_visibility_seconds = _number(stack, "QueueVisibilitySeconds", 180, 1, 43_200)
        # A campaign's pages are walked again by each invocation: it gets as long as Lambda gives.
        self.evaluate_timeout_seconds = _number(stack, "EvaluateTimeoutSeconds", 900, 1, 900)
        self.evaluate_visibility_seconds = _number(stack, "EvaluateVisibilitySeconds", 960, 1, 43_200)
        # A day is measured in one go.
        self.measure_timeout_seconds = _number(stack, "MeasureTimeoutSeconds", 900, 1, 900)
        self.measure_visibility_seconds = _number(stack, "MeasureVisibilitySeconds", 960, 1, 43_200)

    def _how_much(self, stack: Construct) -> None:
        self.timer_shards = _number(stack, "TimerShards", 4, 1, 256)
        # A worker that waits 100 ms for LINE gets through about 40 messages a second: 50 of them come to LINE's 2,000
        # (docs/performance.md, throughput). The lanes share the rate evenly by worker, so that the prompt lane's fifth
        # stays its own whatever a campaign does.
        self.send_concurrency = _number(stack, "SendConcurrency", 10, 2, 1_000)
        self.bulk_concurrency = _number(stack, "BulkConcurrency", 40, 2, 1_000)
        self.line_push_per_second = _number(stack, "LinePushPerSecond", 2_000, 1, 100_000)
        self.line_multicast_per_second = _number(stack, "LineMulticastPerSecond", 200, 1, 10_000)

    def settle(self, stack: Construct, given: Mapping[str, str | None]) -> None:
        """Let nothing but `given` be taken, by the parameters' names; None: nothing but the default.

        Where a file decides, it must go on deciding: the CDK's command hands an update the values of the time before, and
        CloudFormation then refuses what is no longer allowed, where a changed default would silently count for nothing.
        """
        for name, value in given.items():
            parameter = cast("cdk.CfnParameter", stack.node.find_child(name))
            if value is not None:
                parameter.default = int(value) if parameter.type == "Number" else value
            parameter.allowed_values = [str(_plain(parameter.default))]

    def worker_timeout(self) -> cdk.Duration:
        """How long a worker may take over one batch."""
        return cdk.Duration.seconds(self.worker_timeout_seconds.value_as_number)

    def evaluate_timeout(self) -> cdk.Duration:
        """How long one invocation may walk through a campaign's recipients, or through a file."""
        return cdk.Duration.seconds(self.evaluate_timeout_seconds.value_as_number)

    def measure_timeout(self) -> cdk.Duration:
        """How long one invocation may measure."""
        return cdk.Duration.seconds(self.measure_timeout_seconds.value_as_number)

    def queue_visibility(self, name: str) -> cdk.Duration:
        """How long a message received from this queue stays hidden from other workers."""
        given = {
            "evaluate": self.evaluate_visibility_seconds,
            "load": self.evaluate_visibility_seconds,
            "measure": self.measure_visibility_seconds,
        }.get(name, self.queue_visibility_seconds)
        return cdk.Duration.seconds(given.value_as_number)


def _text(
    stack: Construct, name: str, default: str, description: str, max_length: int | None = None
) -> cdk.CfnParameter:
    return cdk.CfnParameter(
        stack, name, type="String", default=default, description=description, max_length=max_length
    )


def _choice(stack: Construct, name: str, values: tuple[str, ...]) -> cdk.CfnParameter:
    return cdk.CfnParameter(stack, name, type="String", default=values[0], allowed_values=list(values))


def _number(stack: Construct, name: str, default: int, least: int, most: int) -> cdk.CfnParameter:
    return cdk.CfnParameter(stack, name, type="Number", default=default, min_value=least, max_value=most)


def _plain(value: object) -> object:
    return int(value) if isinstance(value, float) else value
