"""Several accounts of one deployments.yaml: what one stack may do and say reaches no other's."""

import fnmatch
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import cdk_nag
import pytest

from infra.app import build_app
from tests.infra.conftest import Template
from tests.infra.policies import is_told_anywhere
from tests.infra.test_stack import as_list, is_tracing, resources

# One name begins with the other: a pattern that ends in a star too early would reach both.
FILE = """\
accounts:
  shop: {provider: acme, playbook: playbooks/ec}
  shop-2: {provider: acme, playbook: playbooks/store}
environments:
  dev:
    parameters: {gradual_release: off}
    accounts:
      shop: {channel: "1650000003"}
  prod:
    company_bus: company
    parameters: {send_concurrency: 4}
    accounts:
      shop: {channel: "1650000001", link_url: "https://id.shop.example", live_bus: on}
      shop-2: {channel: "1650000002", bulk_concurrency: 7}
"""
STACKS = ("Musubi-prod-shop", "Musubi-prod-shop-2")
PSEUDO = {"AWS::Region": "ap-northeast-1", "AWS::AccountId": "000000000000", "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}  # fmt: skip

WITHIN = ("AWS::ApiGatewayV2::Api", "AWS::Lambda::Alias")
"""Names that are not an account's: an API has an id beside its own, an alias is its function's."""
NAMES = ("Name", "TableName", "QueueName", "BucketName", "FunctionName", "RoleName", "TopicName", "AlarmName")


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    """Both stacks' templates, and that cdk-nag finds nothing in any environment's: synthesis fails on a finding."""
    out = tmp_path_factory.mktemp("accounts")
    file = out / "deployments.yaml"
    file.write_text(FILE.replace("playbooks/", f"{Path('playbooks').resolve()}/"), encoding="utf-8")
    app, _ = build_app(str(out / "cdk"), {"deployments": str(file)})
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
    app.synth()
    assert {path.name for path in (out / "cdk").glob("*.template.json")} == {
        f"{name}.template.json" for name in (*STACKS, "Musubi-dev-shop")
    }
    return {name: json.loads((out / "cdk" / f"{name}.template.json").read_text("utf-8")) for name in STACKS}


class Read:
    """One template as CloudFormation would fill it in: each resource's ARN and name bear its stack and logical id."""

    def __init__(self, stack: str, template: Template) -> None:
        self.stack, self.template = stack, template

    def arns(self) -> Iterator[str]:
        """What somebody could name of this stack: each resource, what lies within it, and its campaigns' schedules."""
        for name in self.template["Resources"]:
            yield self._arn(name)
            yield f"{self._arn(name)}/playbooks/any"
        (group,) = resources(self.template, "AWS::Scheduler::ScheduleGroup").values()
        place = f"{PSEUDO['AWS::Region']}:{PSEUDO['AWS::AccountId']}"
        yield f"arn:aws:scheduler:{place}:schedule/{self.text(group['Name'])}/any-campaign"
        yield f"arn:aws:cloudformation:{place}:stack/{self.stack}/an-id"

    def granted(self) -> Iterator[str]:
        """Every resource that any role of the stack, or any person, may do anything to, as a pattern."""
        for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            for policy in resources(self.template, kind).values():
                for statement in policy["PolicyDocument"]["Statement"]:
                    assert statement["Effect"] == "Allow"
                    if not is_tracing(statement) and not is_told_anywhere(statement):
                        yield from (self.text(one) for one in as_list(statement["Resource"]))

    def text(self, value: Any) -> str:
        match value:
            case str():
                return value
            case {"Ref": "AWS::StackName"}:
                return self.stack
            case {"Ref": name} if name in self.template.get("Parameters", {}):
                return str(self.template["Parameters"][name]["Default"])
            case {"Ref": name}:
                return PSEUDO.get(name) or f"{self.stack}-{name}"
            case {"Fn::GetAtt": [name, _]}:
                return self._arn(name)
            case {"Fn::Join": [between, parts]}:
                return str(between).join(self.text(part) for part in parts)
        raise AssertionError(f"read this as well: {value}")

    def _arn(self, name: str) -> str:
        return f"arn:aws:{self.stack}-{name}"


@pytest.fixture
def both(templates: dict[str, Template]) -> list[Read]:
    return [Read(stack, template) for stack, template in templates.items()]


def test_no_role_may_do_anything_to_another_accounts_resources(both: list[Read]) -> None:
    for mine, others in (both, both[::-1]):
        granted, theirs = set(mine.granted()), set(others.arns())
        assert len(granted) > 20
        assert [(g, arn) for g in granted for arn in theirs if fnmatch.fnmatchcase(arn, g)] == []
        # The same question has an answer where it should: the roles do reach their own.
        assert any(fnmatch.fnmatchcase(arn, g) for g in granted for arn in mine.arns())


def test_nobody_outside_a_stack_may_assume_its_roles_or_use_what_is_its_own(both: list[Read]) -> None:
    """Roles, queues, topics and functions trust AWS services alone, and those only on behalf of this very stack."""
    for mine in both:
        for role in resources(mine.template, "AWS::IAM::Role").values():
            for statement in role["AssumeRolePolicyDocument"]["Statement"]:
                assert set(statement["Principal"]) == {"Service"}
                for source in strings(statement.get("Condition", {}), "aws:SourceArn", mine):
                    assert source.endswith(f"schedule-group/{mine.stack}")
        for permission in resources(mine.template, "AWS::Lambda::Permission").values():
            assert f"{mine.stack}-" in mine.text(permission["SourceArn"])
        for policy in resources(mine.template, "AWS::SQS::QueuePolicy").values():
            for statement in policy["PolicyDocument"]["Statement"]:
                if statement["Effect"] == "Allow":
                    assert statement["Principal"].keys() == {"Service"}
                    sources = [
                        *strings(statement["Condition"], "aws:SourceArn", mine),
                        *strings(statement["Condition"], "AWS:SourceArn", mine),
                    ]
                    assert all(f"{mine.stack}-" in one for one in sources), statement


def strings(condition: Mapping[str, Any], key: str, read: Read) -> list[str]:
    return [read.text(found[key]) for found in condition.values() if key in found]


def test_no_stack_names_another_or_shares_an_export_or_a_name(templates: dict[str, Template]) -> None:
    shop, shop_2 = (json.dumps(template, ensure_ascii=False) for template in templates.values())
    assert "prod-shop-2" not in shop
    assert 'prod-shop"' not in shop_2
    assert "1650000002" not in shop
    for template in templates.values():
        assert not [one for one in template["Outputs"].values() if "Export" in one]
        assert "Fn::ImportValue" not in json.dumps(template)
        literal = [
            (resource["Type"], properties[key])
            for resource in template["Resources"].values()
            for properties in [resource.get("Properties", {})]
            for key in NAMES
            if isinstance(properties.get(key), str) and resource["Type"] not in WITHIN
        ]
        assert literal == [], "CloudFormation makes the names, or they are the stack's"


def test_an_alarm_says_whose_it_is(templates: dict[str, Template]) -> None:
    for name, template in zip(("prod/shop", "prod/shop-2"), templates.values(), strict=True):
        alarms = resources(template, "AWS::CloudWatch::Alarm").values()
        assert alarms
        assert all(alarm["AlarmDescription"].startswith(f"{name}: ") for alarm in alarms)
        (topic,) = resources(template, "AWS::SNS::Topic").values()
        assert topic["DisplayName"] == f"Musubi {name}"
        told = [a for a in alarms if a.get("Namespace") == "Musubi"]
        assert all({"Name": "stack", "Value": {"Ref": "AWS::StackName"}} in a["Dimensions"] for a in told)


def test_the_file_decides_for_good(templates: dict[str, Template]) -> None:
    """The CDK's command gives an update the values of the time before: what the file says now is all that is allowed."""
    shop, shop_2 = (template["Parameters"] for template in templates.values())
    assert shop["Account"]["AllowedValues"] == ["prod-shop"]
    assert shop_2["Account"]["AllowedValues"] == ["prod-shop-2"]
    assert (shop["LinkUrl"]["Default"], shop_2["LinkUrl"]["AllowedValues"]) == (
        "https://id.shop.example",
        [""],
    )
    assert shop["SendConcurrency"]["AllowedValues"] == shop_2["SendConcurrency"]["AllowedValues"] == ["4"]
    assert (shop["BulkConcurrency"]["Default"], shop_2["BulkConcurrency"]["Default"]) == (40, 7)


def test_beside_that_every_account_gets_the_template_that_is_tested(
    templates: dict[str, Template], template: Template
) -> None:
    """What the end-to-end tests run is what each account runs: only names, decided values and the company's rule differ."""
    for found in templates.values():
        extra = {name for name in found["Resources"] if "CompanyEvents" in name}
        assert len(extra) == 1
        # A queue's mapping bears the stack's name in its own.
        kinds = sorted(one["Type"] for name, one in found["Resources"].items() if name not in extra)
        assert kinds == sorted(one["Type"] for one in template["Resources"].values())
        for name in ("Function", "Table", "Queue"):
            for kind in (f"AWS::Lambda::{name}", f"AWS::DynamoDB::{name}", f"AWS::SQS::{name}"):
                assert resources(found, kind) == resources(template, kind)


def test_the_companys_bus_brings_what_names_the_account_or_all(both: list[Read]) -> None:
    for mine, account in zip(both, ("shop", "shop-2"), strict=True):
        (rule,) = [
            one
            for one in resources(mine.template, "AWS::Events::Rule").values()
            if one["EventBusName"] == "company"
        ]
        assert rule["EventPattern"] == {
            "detail-type": ["MusubiEvents"],
            "detail": {"accounts": [account, "all"]},
        }
        assert [mine.text(target["Arn"]) for target in rule["Targets"]] == [
            f"arn:aws:{mine.stack}-QueuesBusE388441A"
        ]
