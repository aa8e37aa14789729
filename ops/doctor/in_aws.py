"""The AWS side of a deployment: who asks, the stack and what it names, queues, streams, alarms, and who hears them."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from botocore.exceptions import ClientError

from ops.doctor.findings import Finding, mend, note, ok
from ops.doctor.visit import Visit
from ops.engine.deploy import BOOTSTRAP_PARAMETER
from ops.engine.errors import LocalError

BOOTSTRAP_MIN: Final = 6
"""What the CDK's templates ask for in their rule CheckBootstrapVersion."""
IN_PLACE: Final = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")
STREAMED: Final = ("Sends", "Events", "Customers")
"""The tables whose streams `facts` follows."""


def caller(visit: Visit) -> Iterator[Finding]:
    """Credentials, account and region."""
    account = visit.client("sts").get_caller_identity()["Account"]
    region = visit.client("sts").meta.region_name
    if visit.aws_account and account != visit.aws_account:
        how = "take the profile of the right account (AWS_PROFILE), or mend deployments.yaml"
        yield mend("credentials", f"these are of {account}, the deployment is of {visit.aws_account}", how)
    else:
        yield ok("credentials", f"AWS account {account}, region {region}")


def bootstrap(visit: Visit) -> Iterator[Finding]:
    """The CDK's own resources in the account and region."""
    how = "npx cdk bootstrap"
    try:
        told = visit.client("ssm").get_parameter(Name=BOOTSTRAP_PARAMETER)["Parameter"]["Value"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise
        yield mend("bootstrap", "the CDK has not been bootstrapped in this account and region", how)
        return
    if int(told) < BOOTSTRAP_MIN:
        yield mend("bootstrap", f"the CDK's bootstrap is version {told}; {BOOTSTRAP_MIN} is needed", how)
    else:
        yield ok("bootstrap", f"version {told}")


def stack(visit: Visit) -> Iterator[Finding]:
    """The stack is in place, and has every output that this version of the command reads."""
    described = visit.client("cloudformation").describe_stacks(StackName=visit.stack)
    status = described["Stacks"][0]["StackStatus"]
    if status not in IN_PLACE:
        yield mend(
            "stack", f"{visit.stack} is {status}", "wait, or see its events in CloudFormation; npx cdk deploy"
        )
        return
    try:
        visit.target.settings()
    except LocalError as error:
        yield mend("stack", f"{visit.stack} was deployed by another version: {error}", "npx cdk deploy")
        return
    yield ok("stack", f"{visit.stack} is {status}, with every output that is read")


def resources(visit: Visit) -> Iterator[Finding]:
    """What the outputs name is there and works: tables, queues, functions and the bucket."""
    looks: dict[str, Callable[[str], Any]] = {
        "Table": lambda value: visit.client("dynamodb").describe_table(TableName=value)["Table"][
            "TableStatus"
        ],
        "Queue": lambda value: visit.client("sqs").get_queue_attributes(QueueUrl=value) and "ACTIVE",
        "Function": lambda value: (
            visit.client("lambda").get_function_configuration(FunctionName=value)["State"].upper()
        ),
        "Bucket": lambda value: visit.client("s3").head_bucket(Bucket=value) and "ACTIVE",
    }
    looked_at, broken = 0, []
    for kind, look in looks.items():
        for name, value in visit.named(kind, "Url" if kind == "Queue" else "").items():
            looked_at += 1
            try:
                status = look(value)
            except ClientError as error:
                if "Denied" in error.response["Error"]["Code"]:
                    raise
                status = "gone"
            if status not in ("ACTIVE", "INACTIVE"):  # a function that slept is woken by its next call
                broken.append(f"{kind}{name} is {status}")
    if broken:
        how = "somebody changed it by hand: npx cdk deploy puts back what is missing; a table: docs/operations.md, backups"
        yield mend("resources", "; ".join(broken), how)
    else:
        yield ok("resources", f"{looked_at} tables, queues, functions and the bucket stand")


def streams(visit: Visit) -> Iterator[Finding]:
    """Tables tell what changes in them, and every function takes from its queues and streams."""
    tables = visit.named("Table")
    silent = [
        name
        for name in STREAMED
        if not visit.client("dynamodb")
        .describe_table(TableName=tables[name])["Table"]
        .get("StreamSpecification", {})
        .get("StreamEnabled")
    ]
    if silent:
        yield mend("streams", f"no stream on {', '.join(silent)}: facts are not written", "npx cdk deploy")
    ours = set(visit.named("Function").values())
    off = []
    pages = visit.client("lambda").get_paginator("list_event_source_mappings")
    for page in pages.paginate():
        for one in page["EventSourceMappings"]:
            function = one["FunctionArn"].rsplit(":function:", 1)[-1]
            if function in ours and one["State"] not in ("Enabled", "Enabling", "Creating", "Updating"):
                off.append(
                    f"{function} does not read {one['EventSourceArn'].rsplit(':', 1)[-1]} ({one['State']})"
                )
    if off:
        yield mend("streams", "; ".join(off), "aws lambda update-event-source-mapping --uuid … --enabled")
    elif not silent:
        yield ok("streams", "tables tell their changes, and every queue and stream is read")


def dead_letters(visit: Visit) -> Iterator[Finding]:
    """No message has failed five times."""
    depths = {
        name: int(
            visit.client("sqs").get_queue_attributes(
                QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
            )["Attributes"]["ApproximateNumberOfMessages"]
        )
        for name, url in visit.named("Dead", "Url").items()
    }
    full = [f"{count} in {name.lower()}" for name, count in depths.items() if count]
    if full:
        yield mend("dead letters", ", ".join(full), "musubi dlq list, mend the cause, musubi dlq replay")
    else:
        yield ok("dead letters", f"none in {len(depths)} queues")


def alarms(visit: Visit) -> Iterator[Finding]:
    """None of the stack's own alarms rings."""
    ours = set(visit.resources.get("AWS::CloudWatch::Alarm", ()))
    ringing = []
    for page in visit.client("cloudwatch").get_paginator("describe_alarms").paginate(StateValue="ALARM"):
        ringing += [one["AlarmName"] for one in page["MetricAlarms"] if one["AlarmName"] in ours]
    if ringing:
        yield mend("alarms", ", ".join(sorted(ringing)), "docs/operations.md has a page for each")
    else:
        yield ok("alarms", f"none of {len(ours)} rings")


def subscribers(visit: Visit) -> Iterator[Finding]:
    """Somebody hears the alarms, and has said so."""
    confirmed, waiting = 0, 0
    pages = visit.client("sns").get_paginator("list_subscriptions_by_topic")
    for topic in visit.resources.get("AWS::SNS::Topic", ()):
        for page in pages.paginate(TopicArn=topic):
            for one in page["Subscriptions"]:
                is_confirmed = one["SubscriptionArn"].startswith("arn:")
                confirmed, waiting = confirmed + is_confirmed, waiting + (not is_confirmed)
    how = "aws sns subscribe --topic-arn … --protocol email --notification-endpoint ADDRESS, and confirm the mail"
    if confirmed:
        yield ok("subscribers", f"{confirmed} confirmed")
    elif visit.is_local:
        yield note("subscribers", "nobody hears the alarms, as is usual on one machine", how)
    elif waiting:
        yield mend(
            "subscribers",
            "the subscription is not confirmed: nobody hears the alarms",
            "open the mail, and confirm",
        )
    else:
        yield mend("subscribers", "nobody hears the alarms", how)
