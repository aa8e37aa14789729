"""A deployment on moto with LINE's sandbox beside it, whole until a test breaks something."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
from moto import mock_aws

from functions.domain.playbook import Playbook
from ops.doctor import command
from ops.doctor.findings import Finding
from ops.doctor.visit import Visit
from ops.engine.clients import Clients
from ops.engine.deploy import BOOTSTRAP_PARAMETER
from ops.line_sandbox import SANDBOX_ACCESS_TOKEN, SANDBOX_CHANNEL_SECRET, LineSandbox
from ops.stores import Stores
from ops.target import Target
from tests.ops.deployments import REGION

WEBHOOK = "https://api.example/webhook"
TOKEN = SANDBOX_ACCESS_TOKEN * 3
PARAMETERS = (
    "LineLoginUrl",
    "LineAccessUrl",
    "LineFriendUrl",
    "LiffUrl",
    "LiffSdkUrl",
    "SchedulesState",
    "ClockFile",
)
SECRETS: dict[str, Any] = {
    "SecretLine": {"channel_secret": SANDBOX_CHANNEL_SECRET, "channel_access_token": TOKEN},
    "SecretIngest": {"ingest_key": "i" * 40},
    "SecretLink": {"keys": ["a" * 40, "b" * 40]},
    "SecretErasure": {"erasure_key": "e" * 40},
}


class Formation:
    """CloudFormation, as far as it is asked: one stack and its resources."""

    def __init__(self) -> None:
        self.status = "UPDATE_COMPLETE"
        self.resources: list[dict[str, str]] = []

    def describe_stacks(self, **_asked: Any) -> Any:
        return {"Stacks": [{"StackName": "Musubi", "StackStatus": self.status}]}

    def get_paginator(self, _name: str) -> "Formation":
        return self

    def paginate(self, **_asked: Any) -> Any:
        return [{"StackResourceSummaries": self.resources}]


class Lambda:
    """Lambda, as far as it is asked: functions' states and what they read."""

    def __init__(self) -> None:
        self.states = {"decide": "Active", "facts": "Active"}
        self.mappings = {"decide": "Enabled", "facts": "Enabled", "somebody-elses": "Disabled"}

    def get_function_configuration(self, **asked: str) -> Any:
        return {"State": self.states[asked["FunctionName"]]}

    def get_paginator(self, _name: str) -> "Lambda":
        return self

    def paginate(self) -> Any:
        sources = [
            {
                "FunctionArn": f"arn:aws:lambda:x:1:function:{name}",
                "EventSourceArn": f"arn:a:of-{name}",
                "State": state,
            }
            for name, state in self.mappings.items()
        ]
        return [{"EventSourceMappings": sources}]


class Outputs(dict[str, str]):
    """The outputs of a whole stack: what nothing here is made of is there, and empty."""

    def __missing__(self, _name: str) -> str:
        return ""


class Hands(Clients):
    """Clients on moto, but for the two services that are played here."""

    def client(self, service: str) -> Any:
        return PLAYED[service] if service in PLAYED else super().client(service)


PLAYED: dict[str, Any] = {}
HANDS = Hands(None, REGION)
"""Kept from test to test: to make a client takes longer than all that it is asked."""


@dataclass
class Clinic:
    """The deployment, and hands to break it."""

    target: Target
    line: LineSandbox
    formation: Formation
    functions: Lambda
    aws_account: str | None = None

    def client(self, service: str) -> Any:
        return self.target.client(service)

    def put_secret(self, name: str, told: Any) -> None:
        text = told if isinstance(told, str) else json.dumps(told)
        self.client("secretsmanager").put_secret_value(SecretId=name, SecretString=text)

    def tell_line(self, **changes: Any) -> None:
        self.line.world.change(msgspec.structs.replace(self.line.world.settings, **changes))

    def found(self) -> list[Finding]:
        """Everything, looked at anew."""
        return list(command.of_deployment(Visit(self.target, "Musubi", self.aws_account)))

    def broken(self) -> dict[str, str]:
        """What has to be mended: check → what was told, all of it."""
        told: dict[str, str] = {}
        for one in self.found():
            if one.status == "mend":
                assert one.how
                told[one.check] = f"{told.get(one.check, '')} {one.told}".strip()
        return told


@contextmanager
def clinic(book: Playbook) -> Iterator[Clinic]:
    """Everything that the looks ask for, in place."""
    with mock_aws(), LineSandbox(access_token=TOKEN) as line:
        formation, functions = Formation(), Lambda()
        PLAYED.update({"cloudformation": formation, "lambda": functions})
        outputs = Outputs({"WebhookUrl": WEBHOOK, "Bucket": "the-bucket"})
        parameters = {**dict.fromkeys(PARAMETERS, ""), "Account": "main", "TimerShards": "1", "HoldInQueueSecondsMax": "0",
                      "LineApiUrl": line.url}  # fmt: skip
        made = Clinic(Target(outputs, parameters, HANDS), line, formation, functions)
        made.tell_line(webhook_url=WEBHOOK, monthly_limit=1_000)
        _fill(made, outputs)
        Stores(made.target).playbooks.apply(book)
        yield made


def _fill(made: Clinic, outputs: dict[str, str]) -> None:
    for name in ("Identities", "Customers", "Gates", "Sends", "Events", "Timers"):
        outputs[f"Table{name}"] = name
        table(made, name, streamed=name in ("Customers", "Sends", "Events"))
    for name in ("QueueInbox", "QueueSend", "DeadInbox", "DeadSend"):
        outputs[f"{name}Url"] = made.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    outputs.update({"FunctionDecide": "decide", "FunctionFacts": "facts"})
    made.client("s3").create_bucket(
        Bucket=outputs["Bucket"], CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    for name, told in SECRETS.items():
        outputs[name] = name
        made.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(told))
    made.client("ssm").put_parameter(Name=BOOTSTRAP_PARAMETER, Value="30", Type="String")
    topic = made.client("sns").create_topic(Name="alarms")["TopicArn"]
    made.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:1:oncall")
    for name in ("InboxDead", "of-another-stack"):
        alarm(made, name)
    made.formation.resources = [
        {"ResourceType": "AWS::SNS::Topic", "PhysicalResourceId": topic},
        {"ResourceType": "AWS::CloudWatch::Alarm", "PhysicalResourceId": "InboxDead"},
    ]


def table(made: Clinic, name: str, *, streamed: bool) -> None:
    """A table, with or without a stream."""
    told: dict[str, Any] = (
        {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"} if streamed else {"StreamEnabled": False}
    )
    made.client("dynamodb").create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST", StreamSpecification=told,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )  # fmt: skip


def alarm(made: Clinic, name: str) -> None:
    """An alarm that does not ring."""
    made.client("cloudwatch").put_metric_alarm(
        AlarmName=name, MetricName="m", Namespace="n", Period=60, EvaluationPeriods=1, Threshold=1.0, Statistic="Sum",
        ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
