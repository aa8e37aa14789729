"""What an operator looks at first: what rings, what is sent, what waits, what fails, what is turned away."""

from collections.abc import Mapping, Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.alarms import Alarms
from infra.function import Function
from infra.queues import Queues
from infra.tables import Tables

PERIOD = cdk.Duration.minutes(5)
WIDTH = 24
HALF = 12
ENDS = ("SendsSent", "SendsSuppressed", "SendsFailed", "SendsUnknown")


class Dashboard(Construct):
    """One page a deployment, named as its stack is."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        alarms: Alarms,
        queues: Queues,
        tables: Tables,
        functions: Mapping[str, Function],
        api: apigateway.HttpApi,
    ) -> None:
        super().__init__(scope, construct_id)
        board = cloudwatch.Dashboard(
            self, "Board", dashboard_name=cdk.Aws.STACK_NAME, default_interval=cdk.Duration.hours(12)
        )
        for row in (
            [_alarms(alarms)],
            [_sends(), _edges(api)],
            [_waiting(queues), _dead(queues)],
            [_errors(functions), _slowest(functions)],
            [_behind(functions), _turned_away(functions, tables)],
            [_units(tables, "Write"), _units(tables, "Read")],
        ):
            board.add_widgets(*row)


def _alarms(alarms: Alarms) -> cloudwatch.IWidget:
    return cloudwatch.AlarmStatusWidget(
        title="What rings (docs/operations.md has a page of each)",
        alarms=[cast("cloudwatch.IAlarm", alarm) for alarm in alarms.by_name.values()],
        width=WIDTH,
        height=6,
    )


def _sends() -> cloudwatch.IWidget:
    """Counted where the send log's stream is read; a batch of it that comes again counts again."""
    return _graph("Messages by how they ended", [_own("facts", name) for name in ENDS], stacked=True)


def _edges(api: apigateway.HttpApi) -> cloudwatch.IWidget:
    counts = [api.metric_count(), api.metric_client_error(), api.metric_server_error()]
    slow = api.metric_latency(statistic="p99", period=PERIOD)
    return _graph(
        "Requests, refused and failed; p99 in ms", [_each(one, "Sum") for one in counts], right=[slow]
    )


def _waiting(queues: Queues) -> cloudwatch.IWidget:
    ages = [work.queue.metric_approximate_age_of_oldest_message() for work in queues.by_name.values()]
    return _graph("The oldest message of each queue, s", [_each(one, "Maximum") for one in ages])


def _dead(queues: Queues) -> cloudwatch.IWidget:
    dead = [queue.metric_approximate_number_of_messages_visible() for queue in queues.all_dead().values()]
    return _graph("Dead letters", [_each(one, "Maximum") for one in dead])


def _errors(functions: Mapping[str, Function]) -> cloudwatch.IWidget:
    return _graph("Invocations that failed outright", _of_each(functions, "Errors", "Sum"))


def _slowest(functions: Mapping[str, Function]) -> cloudwatch.IWidget:
    return _graph("p99 of an invocation, ms", _of_each(functions, "Duration", "p99"))


def _behind(functions: Mapping[str, Function]) -> cloudwatch.IWidget:
    age = functions["facts"].resource.metric("IteratorAge", statistic="Maximum", period=PERIOD)
    waits = [("tick", "SourcesHeld"), ("send", "OverQuota"), ("send", "QuotaUsedPercent")]
    return _graph(
        "Facts behind the tables, ms; what waits for files or for quota, and % of the month used",
        [age],
        right=[_own(service, name, "Maximum") for service, name in waits],
    )


def _turned_away(functions: Mapping[str, Function], tables: Tables) -> cloudwatch.IWidget:
    of_tables = [
        _of_table(table, metric, f"{metric} of {name}")
        for name, table in tables.by_name.items()
        for metric in ("ReadThrottleEvents", "WriteThrottleEvents")
    ]
    return _graph(
        "Turned away by Lambda, and by DynamoDB", _of_each(functions, "Throttles", "Sum"), right=of_tables
    )


def _units(tables: Tables, kind: str) -> cloudwatch.IWidget:
    """What the tables' bill is made of."""
    consumed = f"Consumed{kind}CapacityUnits"
    metrics = [_of_table(table, consumed, name) for name, table in tables.by_name.items()]
    return _graph(f"{kind} units of the tables", metrics, stacked=True)


def _own(service: str, name: str, statistic: str = "Sum") -> cloudwatch.Metric:
    """What a function counts itself (functions/aws/measures.py)."""
    return cloudwatch.Metric(
        namespace="Musubi",
        metric_name=name,
        dimensions_map={"stack": cdk.Aws.STACK_NAME, "service": service},
        statistic=statistic,
        period=PERIOD,
        label=name,
    )


def _of_table(table: dynamodb.Table, metric: str, label: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/DynamoDB",
        metric_name=metric,
        dimensions_map={"TableName": table.table_name},
        statistic="Sum",
        period=PERIOD,
        label=label,
    )


def _of_each(functions: Mapping[str, Function], metric: str, statistic: str) -> list[cloudwatch.Metric]:
    return [
        one.resource.metric(metric, statistic=statistic, period=PERIOD, label=name)
        for name, one in functions.items()
    ]


def _each(metric: cloudwatch.Metric, statistic: str) -> cloudwatch.Metric:
    return metric.with_(statistic=statistic, period=PERIOD)


def _graph(
    title: str,
    left: Sequence[cloudwatch.Metric],
    right: Sequence[cloudwatch.Metric] = (),
    *,
    stacked: bool = False,
) -> cloudwatch.IWidget:
    return cloudwatch.GraphWidget(
        title=title,
        left=[cast("cloudwatch.IMetric", one) for one in left],
        right=[cast("cloudwatch.IMetric", one) for one in right],
        stacked=stacked,
        width=HALF,
        height=6,
    )
