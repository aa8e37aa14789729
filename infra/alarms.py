"""What wakes a person: dead letters, a queue that does not keep up, a function that fails, an audit that differs."""

from collections.abc import Mapping
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.function import Function
from infra.parameters import Parameters
from infra.queues import Queues
from infra.tables import Tables
from infra.transport import only_where

# A message is decided and sent within seconds; five minutes means that nobody is working.
OLDEST_MESSAGE_SECONDS_MAX = 300
# A burst that Lambda or DynamoDB turns away is tried again unseen; ten minutes of it are no burst.
THROTTLE_PERIOD = cdk.Duration.minutes(5)
THROTTLES_MIN = 10
# A tenth of what comes meets new code: one event a second that all fail there are six a minute.
FAILED = "MessagesFailed"
FAILED_MIN = 5
# Early enough to buy messages, or to keep what is left for what matters.
QUOTA_PERCENT_MAX = 80
# Function → what it counts itself → what that means. The names are those of functions/evaluate/audit.py,
# functions/tick/sources.py, functions/decide/{late,reactions,link_attempts}.py, functions/{click,facts}/flow.py and
# functions/send/allowance.py.
TOLD = {
    "evaluate": {
        "MembershipDifferences": "Kept segment memberships differ from a full recompute: musubi audit",
        "MembershipsOverdue": "Customers were not woken when time changed their segments: musubi audit",
        "RejectedForgotten": "Rejected events have waited for a month for somebody to mend them: musubi rejects list",
        "ApprovalAwaited": "A campaign waits for a second person: musubi approvals",
    },
    "tick": {
        "SourcesHeld": "Files of a source are late, short or too old, and what rests on them waits: musubi sources",
    },
    "decide": {
        "LinkAttemptsRefused": "Somebody tries codes that link accounts",
        "EventsTooOld": "Events came after their time was folded away, and were set aside: musubi rejects list",
        "BreakerOpened": "Too many people blocked the account after a campaign, scenario or segment: musubi blocks",
    },
    "click": {
        "ClicksLost": "People were led on, and their clicks are not told of: the inbox takes nothing in",
    },
    "facts": {
        "FactsLeftOut": "Writes that no fact could be made of were left out",
        "LiveLeftOut": "Facts were not told on the live bus",
        "SendsUnknown": "Of messages nobody knows whether they arrived: musubi unknown list",
    },
    "send": {
        "OverQuota": "Messages wait, for this month's are used up: musubi quota",
        "OverBudget": "Messages wait, for a budget is used up: musubi quota",
        "QuotaUsedPercent": f"{QUOTA_PERCENT_MAX} % of this month's messages are used: musubi quota",
    },
}


class Alarms(Construct):
    """All to one topic; who subscribes to it is an operator's choice. `account`, such as prod/shop, stands before each."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        queues: Queues,
        tables: Tables,
        functions: Mapping[str, Function],
        parameters: Parameters,
        account: str = "",
    ) -> None:
        super().__init__(scope, construct_id)
        self._account = account
        self.by_name: dict[str, cloudwatch.Alarm] = {}
        self.topic = self._topic(parameters)
        self._action = actions.SnsAction(cast("sns.ITopic", self.topic))
        for name, queue in queues.all_dead().items():
            self._dead_letters(name, queue)
        for name, work in queues.by_name.items():
            self._oldest_message(name, work.queue)
        for name, function in functions.items():
            self._errors(name, function)
        self._messages_failed(functions)
        self._throttled()
        for name, table in tables.by_name.items():
            self._table_throttled(name, table)
        for service, told in TOLD.items():
            for measure, why in told.items():
                self._measure(service, measure, why)

    def _topic(self, parameters: Parameters) -> sns.Topic:
        topic = sns.Topic(self, "Topic", display_name=f"Musubi {self._account}".strip(), enforce_ssl=True)
        # A topic policy replaces the default one, under which CloudWatch may publish.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[cast("iam.IPrincipal", iam.ServicePrincipal("cloudwatch.amazonaws.com"))],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
            )
        )
        only_where(parameters.tls_only, cast("Construct", topic.node.find_child("Policy")))
        return topic

    def _dead_letters(self, name: str, queue: sqs.Queue) -> None:
        metric = queue.metric_approximate_number_of_messages_visible(
            period=cdk.Duration.minutes(1), statistic="Maximum"
        )
        self._alarm(
            f"{name.capitalize()}Dead",
            cast("cloudwatch.IMetric", metric),
            1,
            f"Dead letters of {name}: musubi dlq list",
        )

    def _oldest_message(self, name: str, queue: sqs.Queue) -> None:
        metric = queue.metric_approximate_age_of_oldest_message(
            period=cdk.Duration.minutes(1), statistic="Maximum"
        )
        why = f"The {name} queue's oldest message has waited {OLDEST_MESSAGE_SECONDS_MAX} s"
        self._alarm(
            f"{name.capitalize()}Age", cast("cloudwatch.IMetric", metric), OLDEST_MESSAGE_SECONDS_MAX, why
        )

    def _errors(self, name: str, function: Function) -> None:
        metric = function.resource.metric_errors(period=cdk.Duration.minutes(5), statistic="Sum")
        self._alarm(
            f"{name.capitalize()}Errors",
            cast("cloudwatch.IMetric", metric),
            1,
            f"The {name} function failed outright",
        )

    def _messages_failed(self, functions: Mapping[str, Function]) -> None:
        """Those that come again, by the invocations' own lines: a function that fails each of its messages has no error.

        It wakes nobody, for a message that comes again is not lost; a deployment stops at it (infra/release.py).
        """
        metric = cloudwatch.Metric(
            namespace=f"Musubi/{cdk.Aws.STACK_NAME}",
            metric_name=FAILED,
            period=cdk.Duration.minutes(1),
            statistic="Sum",
        )
        for name, function in functions.items():
            logs.MetricFilter(
                self,
                f"{name.capitalize()}Failed",
                log_group=cast("logs.ILogGroup", function.log_group),
                filter_pattern=logs.FilterPattern.number_value("$.failed", ">", 0),
                metric_namespace=metric.namespace,
                metric_name=metric.metric_name,
                metric_value="$.failed",
            )
        why = f"{FAILED_MIN} messages in a minute failed, and come again"
        self._alarm(FAILED, cast("cloudwatch.IMetric", metric), FAILED_MIN, why, rings=False)

    def _throttled(self) -> None:
        """Functions share the concurrency of their AWS account: what is turned away there concerns all, whosever it is."""
        metric = cloudwatch.Metric(
            namespace="AWS/Lambda", metric_name="Throttles", period=THROTTLE_PERIOD, statistic="Sum"
        )
        why = "Lambda turned work away: the AWS account's concurrency is used up"
        self._alarm("FunctionsThrottled", cast("cloudwatch.IMetric", metric), THROTTLES_MIN, why, periods=2)

    def _table_throttled(self, name: str, table: dynamodb.Table) -> None:
        metric = cloudwatch.Metric(
            namespace="AWS/DynamoDB",
            metric_name="WriteThrottleEvents",
            dimensions_map={"TableName": table.table_name},
            period=THROTTLE_PERIOD,
            statistic="Sum",
        )
        why = f"DynamoDB turned writes to {name} away"
        self._alarm(
            f"{name.capitalize()}Throttled", cast("cloudwatch.IMetric", metric), THROTTLES_MIN, why, periods=2
        )

    def _measure(self, service: str, name: str, why: str) -> None:
        """What a function counts itself, told under its name and the stack's (functions/aws/measures.py)."""
        metric = cloudwatch.Metric(
            namespace="Musubi",
            metric_name=name,
            dimensions_map={"stack": cdk.Aws.STACK_NAME, "service": service},
            period=cdk.Duration.minutes(5),
            statistic="Maximum",
        )
        threshold = QUOTA_PERCENT_MAX if name == "QuotaUsedPercent" else 1
        self._alarm(name, cast("cloudwatch.IMetric", metric), threshold, why)

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        description: str,
        periods: int = 1,
        *,
        rings: bool = True,
    ) -> None:
        described = f"{description}. Page: docs/operations.md, {name}"
        alarm = cloudwatch.Alarm(
            self,
            name,
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"{self._account}: {described}" if self._account else described,
        )
        if rings:
            alarm.add_alarm_action(cast("cloudwatch.IAlarmAction", self._action))
        self.by_name[name] = alarm
