"""The bus of results: there where a deployment asks for it, and nowhere else."""

from typing import Any

import pytest

from infra.deployments import SETTABLE
from infra.live import GATHERED_SECONDS
from tests.infra.conftest import Template
from tests.infra.test_several_accounts import STACKS, templates  # noqa: F401 (a fixture)
from tests.infra.test_stack import as_list, follows_stream, logical_id, resources

ON = {"Fn::Equals": [{"Ref": "LiveBus"}, "on"]}


def there_only_where_asked_for(template: Template) -> dict[str, Any]:
    return {name: one for name, one in template["Resources"].items() if one.get("Condition") == "Live"}


def test_nothing_of_it_is_there_unless_a_deployment_asks_for_it(template: Template) -> None:
    """Each event told costs money."""
    assert template["Conditions"]["Live"] == ON
    assert template["Parameters"]["LiveBus"]["Default"] == "off"
    found = there_only_where_asked_for(template)
    assert sorted(one["Type"] for one in found.values()) == ["AWS::Events::EventBus", "AWS::IAM::Policy"]
    assert template["Outputs"]["LiveBusName"]["Condition"] == "Live"
    unconditional = [
        action
        for name, policy in resources(template, "AWS::IAM::Policy").items()
        if name not in found
        for statement in policy["PolicyDocument"]["Statement"]
        for action in as_list(statement["Action"])
    ]
    assert not [action for action in unconditional if action.startswith("events:")]


def test_where_it_is_the_function_of_facts_may_put_events_there_and_nobody_anything_else(
    template: Template,
) -> None:
    found = there_only_where_asked_for(template)
    (bus,) = (name for name, one in found.items() if one["Type"] == "AWS::Events::EventBus")
    (policy,) = (one["Properties"] for one in found.values() if one["Type"] == "AWS::IAM::Policy")
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "events:PutEvents")
    assert statement["Resource"] == {"Fn::GetAtt": [bus, "Arn"]}
    (role,) = policy["Roles"]
    assert logical_id(role).startswith("FactsFunction")
    told = {
        function["Handler"]: function["Environment"]["Variables"]["LIVE_BUS"]
        for function in resources(template, "AWS::Lambda::Function").values()
        if "LIVE_BUS" in function["Environment"]["Variables"]
    }
    assert told == {"functions.facts.handler.handler": {"Fn::If": ["Live", {"Ref": bus}, ""]}}


def test_streams_gather_shorter_where_somebody_listens(template: Template) -> None:
    windows = [
        mapping["MaximumBatchingWindowInSeconds"]
        for mapping in resources(template, "AWS::Lambda::EventSourceMapping").values()
        if follows_stream(mapping)
    ]
    assert windows == [{"Fn::If": ["Live", GATHERED_SECONDS, 120]}] * 3


@pytest.mark.usefixtures("template")
def test_one_account_may_have_it_and_another_not(templates: dict[str, Template]) -> None:  # noqa: F811
    assert SETTABLE["live_bus"] == "LiveBus"
    given = [templates[stack]["Parameters"]["LiveBus"]["Default"] for stack in STACKS]
    assert given == ["on", "off"]
