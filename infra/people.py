"""Roles for people, as customer-managed policies: to be attached to whatever a company's people sign in with.

What each may is worked out in infra/roles.py from what its commands ask for; here it becomes statements on this deployment's
own resources. Nobody may assume a role of the stack, and no policy reaches IAM itself.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.acknowledged import acknowledge_star
from infra.catalog import Catalog
from infra.function import TABLE_KEY_ACTIONS, Function
from infra.objects import Objects
from infra.queues import Queues
from infra.rights import ANYWHERE, AS_THEY_WERE, Right, Rights, covers
from infra.roles import ROLES, rights_of
from infra.schedules import Schedules
from infra.secrets import Secrets
from infra.tables import Tables

BOOTSTRAP = "parameter/cdk-bootstrap/hnb659fds/version"
PARTS = ("data", "queues", "services")
_PART = {"dynamodb": "data", "s3": "data", "secretsmanager": "data", "sqs": "queues"}
OF_BUCKET = ("s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketLocation")
_ROWS = {
    f"dynamodb:{way}"
    for way in ("GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan")
}
_STARS = {
    "objects": "what is under it is made at run time",
    "scheduler": "one schedule a campaign, named when its playbook is applied",
    "logs": "every stream of one log group",
    "cloudformation": "the one stack, under any id",
    AS_THEY_WERE: "what recovery makes beside a table is named by the instant that somebody asks for",
    ANYWHERE: "AWS tells of these under no resource of its own; it is a list, or a figure, and nothing is changed by it",
}


@dataclass(frozen=True, slots=True)
class Places:
    """Everything of one deployment that somebody may have a right on."""

    tables: Tables
    queues: Queues
    objects: Objects
    secrets: Secrets
    schedules: Schedules
    catalog: Catalog
    key: kms.IKey
    functions: Mapping[str, Function]
    topic_arn: str

    def arns(self, right: Right) -> list[str]:
        """The resources that a right is on."""
        service, place = _service(right), right.place
        match service:
            case _ if place == ANYWHERE:
                return [ANYWHERE]
            case "dynamodb":
                return self._tables(place)
            case "sqs":
                dead = place.removeprefix("dead/")
                return [
                    (
                        self.queues.all_dead()[dead] if dead != place else self.queues.by_name[place].queue
                    ).queue_arn
                ]
            case "s3":
                bucket = self.objects.bucket
                return [
                    bucket.bucket_arn
                    if right.action in OF_BUCKET
                    else bucket.arn_for_objects(_pattern(place))
                ]
            case "secretsmanager":
                return [getattr(self.secrets, f"{place}_arn")]
            case "lambda" if place == "functions":
                return [function.live.function_arn for function in self.functions.values()]
            case "lambda":
                return [self.functions[place].live.function_arn]
            case "logs":
                return [function.log_group.log_group_arn for function in self.functions.values()]
            case "glue":
                return self.catalog.arns()
        return [self._only_one(service)]

    def _tables(self, place: str) -> list[str]:
        if place == AS_THEY_WERE:
            return [f"{table.table_arn}-at-*" for table in self.tables.by_name.values()]
        return [self.tables.by_name[place.partition("/")[0]].table_arn]

    def _only_one(self, service: str) -> str:
        return {
            # Asked for by name, a stack is this to IAM, whatever its id.
            "cloudformation": self._arn("cloudformation", f"stack/{cdk.Aws.STACK_NAME}/*"),
            "scheduler": self.schedules.campaigns_arn,
            "iam": self.schedules.campaign_role.role_arn,
            "athena": self.catalog.workgroup_arn,
            "sns": self.topic_arn,
            "cloudwatch": f"arn:{cdk.Aws.PARTITION}:cloudwatch::{cdk.Aws.ACCOUNT_ID}:dashboard/{cdk.Aws.STACK_NAME}",
            "ssm": self._arn("ssm", BOOTSTRAP),
        }[service]

    def _arn(self, service: str, rest: str) -> str:
        return f"arn:{cdk.Aws.PARTITION}:{service}:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}:{rest}"


class People(Construct):
    """Three policies a role, `<stack>-<role>-data`, `…-queues` and `…-services` (IAM takes 6,144 characters in one), under
    names that single sign-on can tell before they are there."""

    def __init__(self, scope: Construct, construct_id: str, *, places: Places) -> None:
        super().__init__(scope, construct_id)
        self.policies = {(role, part): self._policy(role, part, places) for role in ROLES for part in PARTS}

    def _policy(self, role: str, part: str, places: Places) -> iam.ManagedPolicy:
        rights = frozenset(one for one in rights_of(role) if _part(one) == part)
        policy = iam.ManagedPolicy(
            self,
            f"{role.capitalize()}{part.capitalize()}",
            managed_policy_name=f"{cdk.Aws.STACK_NAME}-{role}-{part}",
            description=f"Musubi: what a {role} may do (docs/operations.md, Who may do what)",
            statements=list(statements(rights, places)),
        )
        for arn, reason in _stars(rights, places):
            acknowledge_star(policy, arn, reason)
        return policy


def _service(right: Right) -> str:
    return right.action.partition(":")[0]


def _part(right: Right) -> str:
    return _PART.get(_service(right), "services")


def statements(rights: Rights, places: Places) -> Iterator[iam.PolicyStatement]:
    """As few as can be: what is under one condition and allows the same, stands in one."""
    together: dict[tuple[str, tuple[str, ...]], dict[str, None]] = defaultdict(dict)
    for (resource, rows), actions in _by_resource(rights, places).items():
        together[rows, tuple(sorted(actions))][resource] = None
    for (rows, same), resources in sorted(together.items()):
        yield _statement(same, resources, _condition(rows, same))
    for prefixes, action in _listed(rights):
        within = {"StringLikeIfExists": {"s3:prefix": [_pattern(one) for one in prefixes]}}
        yield _statement([action], [places.objects.bucket.bucket_arn], within if all(prefixes) else None)
    yield from _key(rights, places)


def _by_resource(rights: Rights, places: Places) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for right in sorted(_widest(rights)):
        if right.action not in OF_BUCKET[:2]:
            rows = right.place.partition("/")[2] if _service(right) == "dynamodb" else ""
            for arn in places.arns(right):
                found[arn, rows].add(right.action)
    return found


def _widest(rights: Rights) -> Rights:
    """Without those that another one holds."""
    return frozenset(one for one in rights if not any(covers(other, one) for other in rights if other != one))


def _condition(rows: str, actions: Iterable[str]) -> Mapping[str, Any] | None:
    if "iam:PassRole" in actions:
        return {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
    return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{rows}*"]}} if rows else None


def _listed(rights: Rights) -> Iterator[tuple[list[str], str]]:
    """What is listed of the bucket. Getting an object brings no prefix to hold a condition against, so that S3 says 404, not
    403, of one that is not there: the condition counts only where there is a prefix."""
    for action in OF_BUCKET[:2]:
        if prefixes := sorted(right.place for right in _widest(rights) if right.action == action):
            yield prefixes, action


def _key(rights: Rights, places: Places) -> Iterator[iam.PolicyStatement]:
    """The deployment's key, on its way through the services that hold what the role may read or write."""
    actions = {right.action for right in rights}
    needed = {
        "dynamodb": (
            *(TABLE_KEY_ACTIONS if actions & _ROWS else ()),
            # A table that is made under the key is granted its use, by whoever makes it.
            *_asked(actions, {"dynamodb:RestoreTableToPointInTime": "kms:CreateGrant"}),
        ),
        "s3": _asked(actions, {"s3:GetObject": "kms:Decrypt", "s3:PutObject": "kms:GenerateDataKey"}),
        "secretsmanager": _asked(
            actions,
            {
                "secretsmanager:GetSecretValue": "kms:Decrypt",
                "secretsmanager:PutSecretValue": "kms:GenerateDataKey",
            },
        ),
    }
    for service, asked in needed.items():
        if asked:
            through = {"StringEquals": {"kms:ViaService": f"{service}.{cdk.Aws.REGION}.amazonaws.com"}}
            yield _statement(asked, [places.key.key_arn], through)


def _asked(actions: set[str], of_key: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(asked for action, asked in of_key.items() if action in actions)


def _statement(
    actions: Iterable[str], resources: Iterable[str], conditions: Mapping[str, Any] | None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=conditions)


def _stars(rights: Rights, places: Places) -> Iterator[tuple[str, str]]:
    for right in sorted(rights):
        service = _service(right)
        for arn in places.arns(right):
            if right.place in (ANYWHERE, AS_THEY_WERE):
                yield arn, _STARS[right.place]
            elif service == "s3" and right.action not in OF_BUCKET and arn.endswith("*"):
                yield arn, _STARS["objects"]
            elif service in _STARS:
                yield arn, _STARS[service]


def _pattern(place: str) -> str:
    """Folders and beginnings of names get a star; the name of one object stays what it is."""
    return place if place[-1:].isalpha() else f"{place}*"
