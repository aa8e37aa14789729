"""The budgets: a stack beside each deployment that has one, which counts that deployment's tag and tells its own topic."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import cdk_nag
import pytest

from infra import stack
from infra.app import build_app
from infra.budget import REGION, TAG, BudgetStack
from infra.deployments import read_deployments
from infra.stack import _placed

SHOP = "Musubi-prod-shop"


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The assembly of one budget, with every finding of cdk-nag answered."""
    to = tmp_path_factory.mktemp("budget")
    app = cdk.App(outdir=str(to))
    BudgetStack(app, f"{SHOP}-Budget", of=SHOP, usd=300, aws_account="123456789012")
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
    app.synth()
    return to


@pytest.fixture(scope="module")
def template(synthesized: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(
        (synthesized / f"{SHOP}-Budget.template.json").read_text(encoding="utf-8")
    )
    return read


def only(template: dict[str, Any], kind: str) -> dict[str, Any]:
    ((_, found),) = [item for item in template["Resources"].items() if item[1]["Type"] == kind]
    properties: dict[str, Any] = found["Properties"]
    return properties


def test_it_counts_what_bears_the_stacks_tag_and_nothing_else(template: dict[str, Any]) -> None:
    budget = only(template, "AWS::Budgets::Budget")["Budget"]
    assert budget["CostFilters"] == {"TagKeyValue": [f"user:{TAG}${SHOP}"]}
    assert budget["BudgetLimit"] == {"Amount": 300, "Unit": "USD"}
    assert (budget["TimeUnit"], budget["BudgetType"]) == ("MONTHLY", "COST")


@pytest.mark.parametrize("deployment", [None, "given"])
def test_every_stack_bears_the_tag_that_is_counted(deployment: str | None, tmp_path: Path) -> None:
    one = deployments(tmp_path).named("prod/shop") if deployment else None
    assert _placed(SHOP, one)["tags"][TAG] == SHOP


def test_the_stack_itself_is_placed_by_its_own_name() -> None:
    """What a stack passes on is its name, whichever it is: the budget of another would count it otherwise."""
    assert "_placed(construct_id, deployment)" in Path(stack.__file__).read_text(encoding="utf-8")


def test_somebody_is_told_before_and_when_it_is_spent_and_where_the_month_is_heading(
    template: dict[str, Any],
) -> None:
    told = only(template, "AWS::Budgets::Budget")["NotificationsWithSubscribers"]
    levels = {(one["Notification"]["NotificationType"], one["Notification"]["Threshold"]) for one in told}
    assert levels == {("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)}
    topics = {json.dumps(one["Subscribers"]) for one in told}
    assert topics == {json.dumps([{"Address": {"Ref": topic_of(template)}, "SubscriptionType": "SNS"}])}


def topic_of(template: dict[str, Any]) -> str:
    (name,) = [name for name, one in template["Resources"].items() if one["Type"] == "AWS::SNS::Topic"]
    return str(name)


def test_budgets_of_this_aws_account_alone_may_publish_and_only_then_is_the_budget_made(
    template: dict[str, Any],
) -> None:
    statements = only(template, "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    (allowed,) = [one for one in statements if one["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "budgets.amazonaws.com"}
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    ((_, budget),) = [
        item for item in template["Resources"].items() if item[1]["Type"] == "AWS::Budgets::Budget"
    ]
    assert any("Policy" in name for name in budget["DependsOn"])


def test_it_is_deployed_where_budgets_live(synthesized: Path) -> None:
    manifest = json.loads((synthesized / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["artifacts"][f"{SHOP}-Budget"]["environment"] == f"aws://123456789012/{REGION}"


FILE = """\
accounts:
  shop: {provider: acme, playbook: ec}
  salon: {provider: acme, playbook: ec}
environments:
  dev: {accounts: {shop: {channel: "1650000001"}}}
  prod:
    budget_usd: 100
    accounts:
      shop: {channel: "1650000002", budget_usd: 300}
      salon: {channel: "1650000003"}
"""


def deployments(place: Path) -> Any:
    (place / "ec").mkdir(exist_ok=True)
    (place / "ec" / "playbook.yaml").touch()
    (place / "deployments.yaml").write_text(FILE, encoding="utf-8")
    return read_deployments(place / "deployments.yaml")


def test_a_budget_is_the_accounts_or_the_environments_or_none(tmp_path: Path) -> None:
    found = {one.name: one.budget_usd for one in deployments(tmp_path).every}
    assert found == {"dev/shop": None, "prod/shop": 300, "prod/salon": 100}


def _bare(app: cdk.App, name: str, *, deployment: Any = None, **_codes: Any) -> cdk.Stack:
    return cdk.Stack(app, name, **_placed(name, deployment))


def stacks(place: Path, monkeypatch: pytest.MonkeyPatch, **context: str) -> dict[str, Any]:
    """Every stack of an app whose deployments are empty, by name."""
    monkeypatch.setattr("infra.app.MusubiStack", _bare)
    (bundle := place / "bundle").mkdir(exist_ok=True)
    monkeypatch.setattr("infra.app.build_bundle", lambda *_: bundle)
    made, _ = build_app(str(place / "out"), context)
    return {one.node.id: one for one in made.node.children if isinstance(one, cdk.Stack)}


def test_the_one_stack_has_a_budget_where_dollars_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(stacks(tmp_path, monkeypatch, target="aws", deployments="none")) == {"Musubi"}
    found = stacks(tmp_path, monkeypatch, target="aws", deployments="none", budget_usd="50")
    assert set(found) == {"Musubi", "Musubi-Budget"}


def test_on_one_machine_there_is_no_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(stacks(tmp_path, monkeypatch, target="local", budget_usd="50")) == {"Musubi"}


def test_each_deployment_with_dollars_has_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deployments(tmp_path)
    found = stacks(tmp_path, monkeypatch, target="aws", deployments=str(tmp_path / "deployments.yaml"))
    assert {name for name in found if name.endswith("-Budget")} == {
        "Musubi-prod-shop-Budget",
        "Musubi-prod-salon-Budget",
    }
