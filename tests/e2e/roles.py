"""Callers on the embedded engine that may do what a role, of people or of a function, may: no more, no less."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.people import PARTS
from infra.rights import QUEUES, TABLES
from ops.engine import clients
from ops.engine.server import REGION
from ops.target import Target

SECRETS = ("erasure", "ingest", "line", "link")
REFUSED = {"AccessDenied", "AccessDeniedException", "403"}


def session_of_role(target: Target, role: str) -> boto3.session.Session:
    """A user to whom the three policies of a role for people are attached."""
    iam, name = target.client("iam"), f"a-{role}"
    iam.create_user(UserName=name)
    for part in PARTS:
        iam.attach_user_policy(
            UserName=name, PolicyArn=target.output(f"Policy{role.capitalize()}{part.capitalize()}")
        )
    return _session(iam, name)


def session_of_function(target: Target, function: str) -> boto3.session.Session:
    """A user with the very policies of a function's role, which none but Lambda may assume."""
    iam, name = target.client("iam"), f"as-{function}"
    told = target.client("lambda").get_function_configuration(
        FunctionName=target.output(f"Function{function.capitalize()}")
    )
    role = told["Role"].rpartition("/")[2]
    iam.create_user(UserName=name)
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        iam.put_user_policy(UserName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    return _session(iam, name)


def _session(iam: Any, name: str) -> boto3.session.Session:
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.session.Session(
        botocore_session=botocore.session.Session(session_vars=clients.UNHEARD),
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        region_name=REGION,
    )


@contextmanager
def signed_in(session: boto3.session.Session) -> Iterator[None]:
    """Every command's clients are this caller's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients, "local_session", lambda: session)
        yield


@dataclass(frozen=True, slots=True)
class Probe:
    """One call of the API at a place. It changes nothing where it is let in by mistake: it names what is not there, or asks
    for what cannot be."""

    service: str
    call: str
    place: str = ""

    def named(self, target: Target) -> dict[str, Any]:
        """The call's parameters."""
        found: dict[str, Any] = getattr(self, f"_{self.service}")(target)
        return found

    def _dynamodb(self, target: Target) -> dict[str, Any]:
        sorted_too = self.place not in {"customers", "gates"}
        key = {"pk": {"S": "nobody"}, **({"sk": {"S": "nothing"}} if sorted_too else {})}
        there = {"ConditionExpression": "attribute_exists(pk)"}
        named: dict[str, dict[str, Any]] = {
            "get_item": {"Key": key},
            "put_item": {"Item": key, **there},
            "update_item": {"Key": key, **there},
            "delete_item": {"Key": key, **there},
            "query": {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": key["pk"]}},
            "scan": {"Limit": 1},
        }
        return {"TableName": target.output(f"Table{self.place.capitalize()}"), **named.get(self.call, {})}

    def _sqs(self, target: Target) -> dict[str, Any]:
        dead, name = self.place.startswith("dead/"), self.place.rpartition("/")[2].capitalize()
        url = target.output(f"Dead{name}Url" if dead else f"Queue{name}Url")
        too_late = {"MessageBody": "x", "DelaySeconds": 100_000} if self.call == "send_message" else {}
        return {"QueueUrl": url, **too_late}

    def _s3(self, target: Target) -> dict[str, Any]:
        bucket = {"Bucket": target.output("Bucket")}
        if self.call.endswith(("_bucket", "_bucket_policy")):
            return bucket | ({"Policy": "{}"} if self.call.startswith("put") else {})
        if self.call == "list_objects_v2":
            return bucket | {"Prefix": self.place}
        never = {"Body": b"x", "IfMatch": '"0"'} if self.call == "put_object" else {}
        return bucket | {"Key": self.place, **never}

    def _secretsmanager(self, target: Target) -> dict[str, Any]:
        too_soon = {"RecoveryWindowInDays": 1} if self.call == "delete_secret" else {}
        return {"SecretId": target.output(f"Secret{self.place.capitalize()}"), **too_soon}

    def _lambda(self, target: Target) -> dict[str, Any]:
        code = {"ZipFile": b"x", "DryRun": True} if self.call == "update_function_code" else {}
        return {"FunctionName": target.output(f"Function{self.place.capitalize()}"), **code}

    def _athena(self, target: Target) -> dict[str, Any]:
        stack = target.output("ScheduleGroup")  # it bears the stack's name
        return {"QueryString": "SELECT 1", "WorkGroup": self.place or stack}

    def _iam(self, _target: Target) -> dict[str, Any]:
        return {
            "create_user": {"UserName": "intruder"},
            "attach_user_policy": {
                "UserName": "nobody",
                "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess",
            },
            "put_role_policy": {"RoleName": "nobody", "PolicyName": "mine", "PolicyDocument": "{}"},
        }[self.call]

    def _cloudformation(self, _target: Target) -> dict[str, Any]:
        return {"StackName": self.place or "no-such-stack"}

    def _kms(self, _target: Target) -> dict[str, Any]:
        return {"KeyId": "00000000-0000-0000-0000-000000000000"}


def probes_of() -> dict[str, Probe]:
    """Every table in six ways, every queue, secret and a few prefixes, each under a short name."""
    ways = ("get", "put", "update", "delete")
    tables = {f"{way}:{table}": Probe("dynamodb", f"{way}_item", table) for way in ways for table in TABLES}
    whole = {f"{way}:{table}": Probe("dynamodb", way, table) for way in ("query", "scan") for table in TABLES}
    queues = {name: Probe("sqs", "send_message", name) for name in QUEUES}
    secrets = {f"{name}:secret": Probe("secretsmanager", "get_secret_value", name) for name in SECRETS}
    objects = {
        f"{word}:{prefix.partition('/')[0]}": Probe("s3", f"{call}_object", f"{prefix}x.json")
        for word, call in (("read", "get"), ("write", "put"), ("remove", "delete"))
        for prefix in ("playbooks/", "runs/", "facts/v1/", "erasures/", "incoming/")
    }
    whoever = {"users": Probe("iam", "create_user"), "purge": Probe("sqs", "purge_queue", "inbox")}
    return tables | whole | queues | secrets | objects | whoever


@cache
def _client(session: boto3.session.Session, service: str, url: str | None) -> Any:
    config = Config(proxies={}, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    return session.client(service, endpoint_url=url, config=config)  # type: ignore[call-overload]


def is_refused(target: Target, session: boto3.session.Session, probe: Probe) -> bool:
    """Whether the engine refuses the call for want of a right. Any other answer, an error too, means that it was let in."""
    try:
        getattr(_client(session, probe.service, target.engine_url), probe.call)(**probe.named(target))
    except ClientError as error:
        return error.response["Error"]["Code"] in REFUSED
    return False
