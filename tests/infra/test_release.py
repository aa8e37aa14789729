"""New code becomes live as a whole or not at all, and nothing that is kept is made anew."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from functions.invocation import Line
from infra.deployments import LINK_URL_MAX
from infra.function import LIVE
from tests.infra.conftest import Template
from tests.infra.test_stack import resources

KEPT = Path(__file__).parent / "kept.json"
"""What a deployment keeps: a logical id that changes, or a key, makes CloudFormation begin again with nothing."""
KEEPING = {
    "AWS::DynamoDB::Table": ("KeySchema", "TableName"),
    "AWS::SQS::Queue": ("QueueName", "FifoQueue"),
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::KMS::Key": (),
    "AWS::SecretsManager::Secret": ("Name",),
    "AWS::ApiGatewayV2::Api": ("ProtocolType",),
    "AWS::Scheduler::ScheduleGroup": ("Name",),
    "AWS::Glue::Database": (),
}
SURVIVING = {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::SecretsManager::Secret"}
DESCRIPTION_MAX = 256
"""Lambda's PublishVersion."""
LONGEST = {
    "LinkUrl": "x" * LINK_URL_MAX,
    "LinePushPerSecond": "100000",
    "SendConcurrency": "1000",
    "BulkConcurrency": "1000",
}
"""What infra/deployments.py lets a file say."""


def refers(part: Any, found: set[str] | None = None) -> set[str]:
    """Every logical id that a piece of a template names."""
    found = set() if found is None else found
    if isinstance(part, dict):
        for word, argument in part.items():
            if word == "Ref":
                found.add(argument)
            elif word == "Fn::GetAtt":
                found.add(argument[0])
            refers(argument, found)
    elif isinstance(part, list):
        for one in part:
            refers(one, found)
    return found


def test_everything_that_calls_a_function_calls_what_is_live(template: Template) -> None:
    """One caller of the unpublished code would meet it all at once, and go on with it after a rollback."""
    functions = set(resources(template, "AWS::Lambda::Function"))
    aliases = set(resources(template, "AWS::Lambda::Alias"))
    callers = [
        *(one["FunctionName"] for one in resources(template, "AWS::Lambda::EventSourceMapping").values()),
        *(one["IntegrationUri"] for one in resources(template, "AWS::ApiGatewayV2::Integration").values()),
        *(one["FunctionName"] for one in resources(template, "AWS::Lambda::Permission").values()),
        *(one["Target"]["Arn"] for one in resources(template, "AWS::Scheduler::Schedule").values()),
        *(output["Value"] for name, output in template["Outputs"].items() if name.startswith("Function")),
    ]
    invoked = [one for one in callers if refers(one) & (functions | aliases)]
    assert len(invoked) > 3 * len(functions) - 8
    assert all(refers(one) & aliases and not refers(one) & functions for one in invoked)
    env = json.dumps([one["Environment"] for one in resources(template, "AWS::Lambda::Function").values()])
    assert not any(f'"{name}"' in env for name in functions)


def test_each_function_has_one_live_version(template: Template) -> None:
    aliases = resources(template, "AWS::Lambda::Alias").values()
    versions = resources(template, "AWS::Lambda::Version")
    assert {one["Name"] for one in aliases} == {LIVE}
    pairs = {one["FunctionName"]["Ref"]: one["FunctionVersion"]["Fn::GetAtt"][0] for one in aliases}
    assert set(pairs) == set(resources(template, "AWS::Lambda::Function"))
    assert {name: versions[version]["FunctionName"]["Ref"] for name, version in pairs.items()} == {
        name: name for name in pairs
    }


def test_codedeploy_moves_each_alias_and_goes_back_when_an_alarm_rings(template: Template) -> None:
    groups = resources(template, "AWS::CodeDeploy::DeploymentGroup")
    alarms = resources(template, "AWS::CloudWatch::Alarm")
    moved = set()
    for alias in (one for one in template["Resources"].values() if one["Type"] == "AWS::Lambda::Alias"):
        condition, then, otherwise = alias["UpdatePolicy"]["Fn::If"]
        assert (condition, otherwise) == ("Gradually", {"Ref": "AWS::NoValue"})
        group = then["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"]["Ref"]
        watched = [alarms[one["Name"]["Ref"]] for one in groups[group]["AlarmConfiguration"]["Alarms"]]
        errors, failed = watched
        function = alias["Properties"]["FunctionName"]["Ref"]
        assert (errors["MetricName"], refers(errors["Dimensions"])) == ("Errors", {function})
        assert failed["MetricName"] == "MessagesFailed"
        assert groups[group]["AutoRollbackConfiguration"]["Enabled"] is True
        assert "DEPLOYMENT_STOP_ON_ALARM" in groups[group]["AutoRollbackConfiguration"]["Events"]
        moved.add(group)
    assert moved == set(groups)
    conditional = [one for one in template["Resources"].values() if "::CodeDeploy::" in one["Type"]]
    assert {one["Condition"] for one in conditional} == {"Gradually"}  # the embedded engine has none


def test_messages_that_fail_in_any_function_are_seen(
    template: Template, caplog: pytest.LogCaptureFixture
) -> None:
    filters = resources(template, "AWS::Logs::MetricFilter").values()
    assert refers([one["LogGroupName"] for one in filters]) == refers(
        [one["LoggingConfig"] for one in resources(template, "AWS::Lambda::Function").values()]
    )
    ((pattern, value),) = {
        (one["FilterPattern"], one["MetricTransformations"][0]["MetricValue"]) for one in filters
    }
    line = Line()
    line.take(["m1", "m2"], failed=2)
    with caplog.at_level("INFO"):
        line.write(0.1, "r", "")
    told = vars(caplog.records[-1])
    assert (pattern, value) == ("{ $.failed > 0 }", "$.failed")
    assert told["failed"] == 2
    (alarm,) = [
        one
        for one in resources(template, "AWS::CloudWatch::Alarm").values()
        if one.get("MetricName") == "MessagesFailed"
    ]
    assert alarm["Namespace"] == next(iter(filters))["MetricTransformations"][0]["MetricNamespace"]


def test_a_parameter_that_changes_a_function_changes_its_version_and_no_other_does(
    template: Template,
) -> None:
    """CloudFormation publishes for a changed template alone, and refuses to publish what has not changed."""
    parameters = set(template["Parameters"]) - {"Account"}  # it never changes
    conditions = template["Conditions"]
    functions = resources(template, "AWS::Lambda::Function")
    for version in resources(template, "AWS::Lambda::Version").values():
        function = functions[version["FunctionName"]["Ref"]]
        used = refers(function)
        for name in re.findall(r'"Fn::If": \["(\w+)"', json.dumps(function)):
            used |= refers(conditions[name])
        assert refers(version["Description"]) & parameters == used & parameters
        defaults = {
            name: str(one["Default"]) for name, one in template["Parameters"].items() if "Default" in one
        }
        told = " ".join((defaults | LONGEST)[name] for name in refers(version["Description"]))
        assert len(told) <= DESCRIPTION_MAX


def test_what_a_deployment_keeps_is_never_made_anew(template: Template) -> None:
    """Written anew by hand, when something is added; what changes or goes must be moved first (docs/operations.md)."""
    kept = {
        name: {
            key: one["Properties"][key] for key in KEEPING[one["Type"]] if key in one.get("Properties", {})
        }
        for name, one in template["Resources"].items()
        if one["Type"] in KEEPING
    }
    assert kept == json.loads(KEPT.read_text(encoding="utf-8"))


def test_what_people_told_outlives_its_stack(template: Template) -> None:
    for name, one in template["Resources"].items():
        if one["Type"] in SURVIVING:
            assert (one.get("DeletionPolicy"), one.get("UpdateReplacePolicy")) == ("Retain", "Retain"), name
