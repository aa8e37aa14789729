"""What the `musubi` command needs to know of a deployment. The names are a contract with ops/target.py."""

from collections.abc import Mapping

import aws_cdk as cdk

from infra.api import Api
from infra.bus import Bus
from infra.function import Function
from infra.live import LiveBus
from infra.objects import Objects
from infra.people import People
from infra.queues import Queues
from infra.schedules import Schedules
from infra.secrets import Secrets
from infra.tables import Tables


def write_outputs(
    stack: cdk.Stack,
    *,
    tables: Tables,
    queues: Queues,
    objects: Objects,
    secrets: Secrets,
    schedules: Schedules,
    api: Api,
    functions: Mapping[str, Function],
    bus: Bus,
    live: LiveBus,
    people: People,
) -> None:
    """One CloudFormation output a name, e.g. TableCustomers, QueueInboxUrl, DeadInboxUrl, FunctionTick (`…:live`)."""
    _export(stack, {f"Table{name.capitalize()}": t.table_name for name, t in tables.by_name.items()})
    _export(stack, {f"Function{n.capitalize()}": f.live.function_name for n, f in functions.items()})
    for name, work in queues.by_name.items():
        _export(stack, {f"Queue{name.capitalize()}Url": work.queue.queue_url})
    for name, dead in queues.all_dead().items():
        _export(stack, {f"Dead{name.capitalize()}Url": dead.queue_url})
    _export(
        stack,
        {
            "QueueEvaluateArn": queues.evaluate.queue.queue_arn,
            "DeadSchedulesArn": queues.schedules_dead.queue_arn,
            "BusName": bus.bus.event_bus_name,
            "Bucket": objects.bucket.bucket_name,
            "SecretLine": secrets.line_arn,
            "SecretIngest": secrets.ingest_arn,
            "SecretErasure": secrets.erasure_arn,
            "SecretLink": secrets.link_arn,
            "ScheduleGroup": schedules.group_name,
            "ScheduleRoleArn": schedules.campaign_role.role_arn,
            "ApiId": api.api.api_id,
            "WebhookUrl": api.url("/webhook"),
            "IngestUrl": api.url("/events"),
            "ClickUrl": api.url("/c"),
            "LinkUrl": api.page_url("/link"),
            "LinksUrl": api.url("/links"),
        },
    )
    for (role, part), policy in people.policies.items():
        _export(stack, {f"Policy{role.capitalize()}{part.capitalize()}": policy.managed_policy_arn})
    _export(stack, {"LiveBusName": live.bus.event_bus_name}, only_where=live.condition)


def _export(stack: cdk.Stack, values: Mapping[str, str], only_where: cdk.CfnCondition | None = None) -> None:
    for name, value in values.items():
        output = cdk.CfnOutput(stack, f"Output{name}", value=value, condition=only_where)
        output.override_logical_id(name)
