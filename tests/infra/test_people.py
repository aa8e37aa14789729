"""Roles for people: what their policies allow and what they do not, conditions included, and that IAM takes them."""

import json
from typing import Any

import pytest

from infra.people import PARTS
from infra.rights import ACCOUNT_ROWS, ANYWHERE, NEEDS, Right, covers, lacking, may
from infra.roles import BESIDE, COMMANDS, ROLES, rights_of, roles_of
from tests.infra.conftest import Template
from tests.infra.policies import allows, is_told_anywhere
from tests.infra.test_several_accounts import Read
from tests.infra.test_stack import as_list, resources

CHARACTERS_MAX = 6_144
# As long as an environment's and an account's name make it, and as CloudFormation ends the names that it makes.
STACK, ENDING = "Musubi-production-flagship", "-1ABCDEFGHIJKL"


class Policies:
    """Every role's statements, with ARNs as the stack would have them; `arn` finds one of them by a part of its name."""

    def __init__(self, template: Template) -> None:
        self._read = Read(STACK, template)
        self.template = template
        self.by_role: dict[str, list[dict[str, Any]]] = {role: [] for role in ROLES}
        for one in self.documents():
            self.by_role[one["role"]] += one["document"]["Statement"]

    def documents(self) -> list[dict[str, Any]]:
        found = []
        for one in resources(self.template, "AWS::IAM::ManagedPolicy").values():
            properties = self._resolved(one)
            role, part = properties["ManagedPolicyName"].removeprefix(f"{STACK}-").split("-")
            found.append({"role": role, "part": part, "document": properties["PolicyDocument"]})
        return found

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._resolved(one) for one in value]
        if isinstance(value, dict):
            if len(value) == 1 and next(iter(value)) in {"Ref", "Fn::GetAtt", "Fn::Join"}:
                return self._read.text(value)
            return {name: self._resolved(one) for name, one in value.items()}
        return value

    def arn(self, part: str) -> str:
        """The one resource of the stack whose logical id begins so."""
        names = [name for name in self.template["Resources"] if name.startswith(part)]
        kinds = ("AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::IAM::Role", "AWS::SecretsManager::Secret")  # fmt: skip
        (name,) = [name for name in names if self.template["Resources"][name]["Type"] in kinds]
        return f"arn:aws:{STACK}-{name}"

    def may(self, role: str, action: str, resource: str, **context: Any) -> bool:
        return allows(self.by_role[role], action, resource, **context)


@pytest.fixture(scope="module")
def policies(template: Template) -> Policies:
    return Policies(template)


def test_iam_takes_every_policy_of_a_deployment_with_long_names(policies: Policies) -> None:
    found = policies.documents()
    assert {(one["role"], one["part"]) for one in found} == {(role, part) for role in ROLES for part in PARTS}
    for one in found:
        # The ARNs above lack the service, the region, the account, the kind and the ending: some 60 characters.
        text = json.dumps(one["document"], separators=(",", ":"))
        size = len(text) + text.count("arn:aws:Musubi") * len(
            f"dynamodb:ap-northeast-1:000000000000:table/{ENDING}"
        )
        assert size <= CHARACTERS_MAX, (one["role"], one["part"], size)


def test_nothing_is_allowed_by_a_star_but_what_aws_tells_under_no_resource(policies: Policies) -> None:
    for one in policies.documents():
        for statement in one["document"]["Statement"]:
            assert statement["Effect"] == "Allow"
            actions = as_list(statement["Action"])
            assert not [action for action in actions if "*" in action]
            assert ANYWHERE not in as_list(statement["Resource"]) or is_told_anywhere(statement)


def test_no_role_reaches_iam_keys_or_the_stack_itself(policies: Policies) -> None:
    for role in ROLES:
        actions = {action for one in policies.by_role[role] for action in as_list(one["Action"])}
        assert {one for one in actions if one.startswith("iam:")} <= {"iam:PassRole"}
        # DynamoDB asks for the grant when it makes a table under the key; who may, and through what, is held below.
        actions -= {"kms:CreateGrant"}
        assert not [one for one in actions if one.startswith(("sts:", "kms:Put", "kms:Create", "kms:Sched"))]
        assert {one for one in actions if one.startswith("cloudformation:")} <= {
            "cloudformation:DescribeStacks",
            "cloudformation:ListStackResources",
        }
        assert "lambda:UpdateFunctionCode" not in actions


def test_the_campaign_role_is_passed_to_the_scheduler_alone(policies: Policies) -> None:
    role = policies.arn("SchedulesCampaignRole")
    assert policies.may("marketer", "iam:PassRole", role, iam_PassedToService="scheduler.amazonaws.com")
    assert not policies.may("marketer", "iam:PassRole", role, iam_PassedToService="lambda.amazonaws.com")
    assert not policies.may("operator", "iam:PassRole", role, iam_PassedToService="scheduler.amazonaws.com")


@pytest.mark.parametrize(
    ("role", "action", "place", "key", "allowed"),
    [
        ("marketer", "GetItem", "TablesGates", "anon:#account#main", True),
        ("marketer", "GetItem", "TablesGates", "customer-1", False),
        ("marketer", "GetItem", "TablesGates", "anon:U0123", False),
        ("marketer", "UpdateItem", "TablesGates", "anon:#account#main", False),
        ("marketer", "GetItem", "TablesIdentities", "line#U0123", True),
        ("marketer", "GetItem", "TablesIdentities", "customer#c1", False),
        ("operator", "UpdateItem", "TablesGates", "anon:#account#main", True),
        ("operator", "UpdateItem", "TablesGates", "customer-1", False),
        ("support", "GetItem", "TablesGates", "customer-1", True),
        ("support", "UpdateItem", "TablesGates", "anon:#account#main", False),
        ("analyst", "GetItem", "TablesGates", "anon:#account#main", False),
    ],
)  # fmt: skip
def test_rows_that_are_no_persons_are_told_from_those_that_are(
    policies: Policies, role: str, action: str, place: str, key: str, *, allowed: bool
) -> None:
    """The engine does not know the condition on a row's key."""
    table = policies.arn(place)
    assert policies.may(role, f"dynamodb:{action}", table, dynamodb_LeadingKeys=[key]) is allowed


def test_a_condition_on_rows_stands_where_a_call_names_one(policies: Policies) -> None:
    """Without a key ForAllValues holds of itself: a scan under such a condition would be free."""
    for role in ROLES:
        for one in policies.by_role[role]:
            if "dynamodb:LeadingKeys" in json.dumps(one.get("Condition", {})):
                assert set(as_list(one["Action"])) <= {f"dynamodb:{name}" for name in ("GetItem", "UpdateItem", "PutItem", "DeleteItem", "Query")}  # fmt: skip


def test_objects_are_listed_under_the_prefixes_of_the_role(policies: Policies) -> None:
    bucket = policies.arn("ObjectsBucket")
    assert policies.may("analyst", "s3:ListBucket", bucket, s3_prefix="facts/v1/")
    assert not policies.may("analyst", "s3:ListBucket", bucket, s3_prefix="runs/")
    assert not policies.may("analyst", "s3:ListBucket", bucket, s3_prefix="")
    assert policies.may("marketer", "s3:PutObject", f"{bucket}/playbooks/context.json")
    assert not policies.may("analyst", "s3:PutObject", f"{bucket}/facts/v1/x.parquet")


def test_the_key_is_used_through_the_services_that_hold_what_a_role_may_read(policies: Policies) -> None:
    key = policies.arn("EncryptionKey")
    through = {
        role: {
            service
            for service in ("dynamodb", "s3", "secretsmanager", "sqs")
            if policies.may(
                role, "kms:Decrypt", key, kms_ViaService=f"{service}.ap-northeast-1.amazonaws.com"
            )
        }
        for role in ROLES
    }
    assert through == {
        "marketer": {"dynamodb", "s3"},
        "analyst": {"s3"},
        "support": {"dynamodb", "s3", "secretsmanager"},
        "operator": {"dynamodb", "s3"},
        "administrator": {"dynamodb", "s3", "secretsmanager"},
    }
    assert not any(policies.may(role, "kms:Decrypt", key) for role in ROLES)


def test_the_administrator_alone_may_take_tables_away_and_only_those_that_recovery_has_made(
    policies: Policies,
) -> None:
    table, key = policies.arn("TablesGates"), policies.arn("EncryptionKey")
    made = f"{table}-at-20261126T020000Z"
    for action in ("RestoreTableToPointInTime", "DeleteTable", "Scan"):
        may = {role for role in ROLES if policies.may(role, f"dynamodb:{action}", made)}
        assert may == {"administrator"}, action
    assert not any(policies.may(role, "dynamodb:DeleteTable", table) for role in ROLES)
    through = {"kms_ViaService": "dynamodb.ap-northeast-1.amazonaws.com"}
    assert {role for role in ROLES if policies.may(role, "kms:CreateGrant", key, **through)} == {
        "administrator"
    }


def test_secrets_are_the_administrators_but_for_the_key_under_which_ids_are_hashed() -> None:
    read = {
        role: {one.place for one in rights_of(role) if one.action == "secretsmanager:GetSecretValue"}
        for role in ROLES
    }
    assert read == {
        "marketer": set(),
        "analyst": set(),
        "support": {"erasure"},
        "operator": set(),
        "administrator": {"erasure", "ingest", "line", "link"},
    }


def test_secrets_are_written_by_the_administrator_alone() -> None:
    for role in ROLES:
        written = {one.place for one in rights_of(role) if one.action == "secretsmanager:PutSecretValue"}
        assert written == ({"erasure", "ingest", "line", "link"} if role == "administrator" else set())


def test_analysts_reach_no_table_and_no_list_of_people() -> None:
    rights = rights_of("analyst")
    assert not [one for one in rights if one.action.startswith("dynamodb:")]
    assert not [one for one in rights if one.place.startswith(("runs/", "audits/", "rejected/", "incoming/"))]


def test_every_command_is_somebodys_and_the_administrators() -> None:
    assert set(NEEDS) == {command for command in NEEDS if roles_of(command)}
    assert set(COMMANDS) == set(ROLES) >= set(BESIDE)
    assert all(set(commands) <= set(NEEDS) for commands in COMMANDS.values())
    assert all("administrator" in roles_of(command) for command in NEEDS)


@pytest.mark.parametrize(
    ("command", "others"),
    [
        ("apply", {"marketer"}),
        ("approve", {"marketer"}),
        ("erase", set()),
        ("export", {"support"}),
        ("links undo", {"support"}),
        ("links source create", set()),
        ("stop", {"operator"}),
        ("unknown resolve", {"operator"}),
        ("quota --recount", {"operator"}),
        ("check", {"marketer", "analyst", "support", "operator"}),
    ],
)
def test_who_may_use_what_can_do_harm(command: str, others: set[str]) -> None:
    assert set(roles_of(command)) == others | {"administrator"}


def test_a_right_is_wider_or_it_is_not() -> None:
    rows = Right("dynamodb:GetItem", ACCOUNT_ROWS)
    assert covers(Right("dynamodb:GetItem", "gates"), rows)
    assert covers(rows, Right("dynamodb:GetItem", "gates/anon:#account#main"))
    assert not covers(rows, Right("dynamodb:GetItem", "gates/anon:U1"))
    assert not covers(rows, Right("dynamodb:GetItem", "gates"))
    assert not covers(Right("s3:GetObject", "runs/"), Right("s3:GetObject", "playbooks/x"))
    assert list(lacking(may("sqs:SendMessage", "send"), may("sqs:SendMessage", "send", "bulk"))) == [
        Right("sqs:SendMessage", "bulk")
    ]
