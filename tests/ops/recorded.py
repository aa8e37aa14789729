"""What AWS is asked for while a command runs, as IAM sees it: actions, and the places of a deployment they are done at."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click
import pytest

from infra.rights import AS_THEY_WERE, NEEDS, TABLES, Right, Rights, command_of, covers, lacking
from ops.engine.clients import Clients

# What IAM calls otherwise than the API does.
ACTIONS = {
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:HeadBucket": "s3:ListBucket",
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "lambda:Invoke": "lambda:InvokeFunction",
}
TRANSACTED = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem", "Get": "GetItem"}  # fmt: skip
STATEMENT = re.compile(r'\s*(UPDATE|INSERT|DELETE|SELECT)\b(?:[^"]*?)"([^"]+)"', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Call:
    """One thing that IAM would be asked: may `action` be done on `place`, a table's or a queue's name, a secret's, or a
    bucket; `key` is a row's leading key, an object's key, or the prefix that is listed. None: no single one."""

    action: str
    place: str
    key: str | None = None


def calls_of(service: str, operation: str, params: Mapping[str, Any]) -> Iterator[Call]:
    """Everything that IAM is asked for one call of the API."""
    action = f"{service}:{operation}"
    action = ACTIONS.get(action, action)
    if service == "dynamodb":
        yield from _of_tables(action, params)
    elif service == "s3":
        yield from _of_objects(action, params)
    else:
        names = ("QueueUrl", "SecretId", "FunctionName")
        yield Call(action, next((str(params[name]) for name in names if name in params), ""))


def _of_tables(action: str, params: Mapping[str, Any]) -> Iterator[Call]:
    if "TransactItems" in params:
        for one in params["TransactItems"]:
            for kind, told in one.items():
                row = told.get("Key") or told.get("Item") or {}
                yield Call(f"dynamodb:{TRANSACTED[kind]}", told["TableName"], _pk(row))
    elif "RequestItems" in params:
        for table, asked in params["RequestItems"].items():
            rows = asked["Keys"] if isinstance(asked, dict) else [_row(one) for one in asked]
            yield from (Call(action, table, _pk(row)) for row in rows)
    elif "Statements" in params or "Statement" in params:
        for one in params.get("Statements") or [params]:
            found = STATEMENT.match(one["Statement"])
            assert found, one
            yield Call(f"dynamodb:PartiQL{found[1].capitalize()}", found[2])
    elif "KeyConditionExpression" in params:
        values = params["ExpressionAttributeValues"]
        named = re.match(r"\s*#?\w+\s*=\s*(:\w+)", params["KeyConditionExpression"])
        assert named, params
        yield Call(action, params["TableName"], values[named[1]]["S"])
    elif "SourceTableName" in params:
        yield Call(action, params["SourceTableName"])
        yield Call(action, params["TargetTableName"])
    else:
        row = params.get("Key") or params.get("Item")
        yield Call(action, params["TableName"], _pk(row) if row else None)


def _row(one: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (
        one["PutRequest"]["Item"] if "PutRequest" in one else one["DeleteRequest"]["Key"]
    )
    return found


def _pk(row: Mapping[str, Any]) -> str:
    return str(row["pk"]["S"])


def _of_objects(action: str, params: Mapping[str, Any]) -> Iterator[Call]:
    bucket = params["Bucket"]
    if "Delete" in params:
        for one in params["Delete"]["Objects"]:
            versioned = "Version" if "VersionId" in one else ""
            yield Call(f"{action}{versioned}", bucket, one["Key"])
    elif "CopySource" in params:
        yield Call("s3:GetObject", bucket, params["CopySource"]["Key"])
        yield Call("s3:PutObject", bucket, params["Key"])
    elif "Prefix" in params:
        yield Call(action, bucket, params["Prefix"])
    else:
        versioned = (
            "Version" if "VersionId" in params and action in {"s3:GetObject", "s3:DeleteObject"} else ""
        )
        yield Call(f"{action}{versioned}", bucket, params.get("Key"))


# Everybody may ask who they are, and on this machine alone the engine is asked how far streams are read.
ASKED_FREELY = {"sts:GetCallerIdentity", "lambda:ListEventSourceMappings"}
SECRETS = ("erasure", "ingest", "line", "link")


def right_of(call: Call) -> Right:
    """The call as a right on a place of a deployment, which the names in tests and of stacks tell. A place that no name tells
    is empty."""
    service, name = call.action.partition(":")[0], call.place.rpartition("/")[2].lower()
    if service == "s3":
        return Right(call.action, call.key or "")
    if service == "dynamodb" and "-at-" in name:
        return Right(call.action, AS_THEY_WERE)
    if service == "dynamodb":
        table = next((one for one in TABLES if one in name), "")
        return Right(call.action, table if call.key is None else f"{table}/{call.key}")
    if service == "sqs":
        return Right(call.action, _queue(name))
    if service == "secretsmanager":
        return Right(
            call.action,
            next((one for one in SECRETS if one in call.place.rpartition("secret:")[2].lower()), ""),
        )
    return Right(call.action, "")


def _queue(name: str) -> str:
    """`musubi-queuessenddead83275cc4-…` and `deployed-1-deadsendurl` → `dead/send`."""
    found = re.search(r"queues([a-z]+?)(dead)?[0-9a-f]{8}-", name) or re.search(r"queue([a-z]+)url()", name)
    if found:
        return f"dead/{found[1]}" if found[2] else found[1]
    dead = re.search(r"dead([a-z]+)url", name)
    return f"dead/{dead[1]}" if dead else ""


def is_held(granted: Rights, asked: Right) -> bool:
    """Whether it is granted; where no name tells the place, whether it is anywhere."""
    if asked.place and not asked.place.startswith("/"):
        return not list(lacking(granted, frozenset([asked])))
    return any(right.action == asked.action for right in granted)


class Recorder:
    """What each command asked for: by its entry in NEEDS."""

    def __init__(self) -> None:
        self.asked: dict[str, set[Right]] = defaultdict(set)
        self._running = ""

    def beyond(self) -> list[tuple[str, Right]]:
        """What commands asked for and NEEDS does not tell of."""
        return [
            (command, right)
            for command, rights in self.asked.items()
            for right in sorted(rights)
            if right.action not in ASKED_FREELY and not is_held(NEEDS.get(command, frozenset()), right)
        ]

    def unasked(self, command: str) -> Rights:
        """What NEEDS tells of a command and it did not ask for."""
        asked = self.asked[command]
        return frozenset(one for one in NEEDS[command] if not any(covers(one, right) for right in asked))

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear all that commands ask for from now on, by any client made from now on."""
        make, invoke = Clients._make, click.Command.invoke

        def made(clients: Clients, service: str) -> Any:
            client = make(clients, service)
            client.meta.events.register("before-parameter-build", self._heard)
            return client

        def invoked(command: click.Command, context: click.Context) -> Any:
            if isinstance(command, click.Group):
                return invoke(command, context)
            before, self._running = self._running, _name(command, context)
            try:
                return invoke(command, context)
            finally:
                self._running = before

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Clients, "_make", made)
            patch.setattr(click.Command, "invoke", invoked)
            yield

    def _heard(self, params: Mapping[str, Any], model: Any, **_more: Any) -> None:
        if self._running:
            for call in calls_of(model.service_model.service_name, model.name, params):
                self.asked[self._running].add(right_of(call))


def _name(command: click.Command, context: click.Context) -> str:
    """The entry of NEEDS that is running; the path of the command where it has none."""
    path = context.command_path.split()[1:]
    given = [option for one in command.params if context.params.get(one.name or "") for option in one.opts]
    return command_of([*path, *given]) or " ".join(path)
