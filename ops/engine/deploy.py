"""What `cdk deploy` does, without its command: assets to S3, the template to CloudFormation, wait, read back."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ops.engine.clients import Clients
from ops.engine.errors import DeployError
from ops.engine.server import ACCOUNT, REGION

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.type_defs import ParameterTypeDef, StackTypeDef
    from types_boto3_s3 import S3Client

BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
BOOTSTRAP_VERSION = "30"
DEPLOY_SECONDS_MAX = 120.0
POLL_SECONDS = 0.05
EVENTS_SHOWN_MAX = 5


@dataclass(frozen=True, slots=True)
class Deployed:
    """A stack that is in place: its outputs and the parameters it was given, by name."""

    stack: str
    outputs: dict[str, str]
    parameters: dict[str, str]


def deploy(
    clients: Clients, assembly: Path, parameters: Mapping[str, str], stack: str | None = None
) -> Deployed:
    """Create the assembly's one stack, or update it, under another name where one is given.

    Of the parameters it gets those that its template has: an earlier one has fewer. DeployError names the resource that
    failed and why.
    """
    own, template = _publish(clients, assembly)
    known = json.loads((assembly / f"{own}.template.json").read_text(encoding="utf-8"))["Parameters"]
    parameters = {name: value for name, value in parameters.items() if name in known}
    stack = stack or own
    clients.client("ssm").put_parameter(
        Name=BOOTSTRAP_PARAMETER, Value=BOOTSTRAP_VERSION, Type="String", Overwrite=True
    )
    cloudformation: CloudFormationClient = clients.client("cloudformation")
    if _submit(cloudformation, stack, template, parameters):
        _wait(cloudformation, stack)
    _restate_concurrency(clients)
    return describe(cloudformation, stack)


def describe(cloudformation: "CloudFormationClient", stack: str) -> Deployed:
    """The stack as it stands. DeployError where there is none of that name."""
    found = _stack(cloudformation, stack)
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    given = {p["ParameterKey"]: p.get("ParameterValue", "") for p in found.get("Parameters", [])}
    return Deployed(stack, outputs, given)


def _publish(clients: Clients, assembly: Path) -> tuple[str, str]:
    """Every file asset into the bootstrap bucket; the stack's name and its template's address."""
    s3: S3Client = clients.client("s3")
    name, artifact = _stack_artifact(assembly)
    listed = json.loads((assembly / f"{name}.assets.json").read_text(encoding="utf-8"))["files"]
    template = ""
    for asset in listed.values():
        for destination in asset["destinations"].values():
            bucket, key = _here(destination["bucketName"]), _here(destination["objectKey"])
            _ensure_bucket(s3, bucket)
            s3.put_object(Bucket=bucket, Key=key, Body=(assembly / asset["source"]["path"]).read_bytes())
            if asset["source"]["path"] == artifact["properties"]["templateFile"]:
                template = f"{clients.endpoint_url}/{bucket}/{key}"
    return name, template


def _ensure_bucket(s3: "S3Client", bucket: str) -> None:
    try:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    except s3.exceptions.BucketAlreadyOwnedByYou:
        return


def _stack_artifact(assembly: Path) -> tuple[str, Any]:
    artifacts = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))["artifacts"]
    stacks = [(name, a) for name, a in artifacts.items() if a["type"] == "aws:cloudformation:stack"]
    if len(stacks) != 1:
        raise DeployError(f"The assembly must hold one stack, but holds {len(stacks)}.")
    return stacks[0]


def _here(text: str) -> str:
    """An asset's destination with the account and region of the engine filled in."""
    for name, value in (("AccountId", ACCOUNT), ("Region", REGION), ("Partition", "aws")):
        text = text.replace(f"${{AWS::{name}}}", value)
    return text


def _submit(
    cloudformation: "CloudFormationClient", stack: str, template: str, parameters: Mapping[str, str]
) -> bool:
    """Ask for the stack; False where an update would change nothing."""
    given: list[ParameterTypeDef] = [
        {"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()
    ]
    try:
        if _exists(cloudformation, stack):
            cloudformation.update_stack(
                StackName=stack, TemplateURL=template, Parameters=given, Capabilities=["CAPABILITY_NAMED_IAM"]
            )
        else:
            cloudformation.create_stack(
                StackName=stack, TemplateURL=template, Parameters=given, Capabilities=["CAPABILITY_NAMED_IAM"]
            )
    except ClientError as error:
        message = error.response["Error"]["Message"]
        if "No updates are to be performed" in message:
            return False
        raise DeployError(f"The stack {stack} was refused: {message}") from error
    return True


def _wait(cloudformation: "CloudFormationClient", stack: str) -> None:
    deadline = time.monotonic() + DEPLOY_SECONDS_MAX
    while time.monotonic() < deadline:
        status = _stack(cloudformation, stack)["StackStatus"]
        if status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            return
        if not status.endswith("_IN_PROGRESS") or "ROLLBACK" in status:
            raise DeployError(f"The stack {stack} ended as {status}:\n{_reasons(cloudformation, stack)}")
        time.sleep(POLL_SECONDS)
    raise DeployError(f"The stack {stack} was not in place after {DEPLOY_SECONDS_MAX:.0f} s.")


def _reasons(cloudformation: "CloudFormationClient", stack: str) -> str:
    """The first failures of the stack's resources; what CloudFormation cancelled because of them is noise."""
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    failed = [
        f"  {event.get('LogicalResourceId')} ({event.get('ResourceType')}): "
        f"{event.get('ResourceStatusReason', 'no reason given')}"
        for event in reversed(events)
        if event.get("ResourceStatus", "").endswith("_FAILED")
        and "cancelled" not in event.get("ResourceStatusReason", "")
    ]
    return "\n".join(failed[:EVENTS_SHOWN_MAX]) or "  no resource gave a reason"


def _stack(cloudformation: "CloudFormationClient", stack: str) -> "StackTypeDef":
    try:
        return cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        raise DeployError(f"There is no stack {stack}: {error.response['Error']['Message']}") from error


def _exists(cloudformation: "CloudFormationClient", stack: str) -> bool:
    try:
        _stack(cloudformation, stack)
    except DeployError:
        return False
    return True


def _restate_concurrency(clients: Clients) -> None:
    """Give each mapping's concurrency again, as a number.

    The engine keeps the number that came through a template parameter as text, and its poller then stops at
    the comparison.
    """
    lambda_ = clients.client("lambda")
    for mapping in lambda_.list_event_source_mappings()["EventSourceMappings"]:
        if concurrency := mapping.get("ScalingConfig", {}).get("MaximumConcurrency"):
            lambda_.update_event_source_mapping(
                UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": int(concurrency)}
            )
