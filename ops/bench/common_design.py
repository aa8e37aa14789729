"""The common design, as a baseline: one message an invocation, Powertools' idempotency around the send.

It does what such a function does in the field, no worse than need be: clients made once, a conditional cap counter,
one record a send, one structured log line, the same reads, the same rendering and the same client as ours. What it
cannot do is not added: it has no claim (a timeout after LINE accepted deletes the idempotency record, and the retry
sends again).
"""

import datetime as dt
from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
import msgspec
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent,
)

from functions.aws.items import decode_customer, decode_gate
from functions.domain.compiled import Compiled
from functions.domain.sends import Intent
from functions.line.messaging import LineMessaging
from functions.rendering import JinjaRenderer

IDEMPOTENCY_TABLE, COUNTERS_TABLE, SENDS_TABLE = "idempotency", "counters", "sends"
CAP = 1
Handler = Callable[[dict[str, Any], Any], Any]


@cache
def dynamodb() -> Any:
    """The one client of the process, Powertools' included."""
    return boto3.client("dynamodb")


def handler_of(line_url: str, token: str, compiled: Compiled) -> Handler:
    """The Lambda handler: an SQS event of one message."""
    logger = Logger(service="common-design")
    line = LineMessaging(line_url, _Token(token), 5.0)
    layer = DynamoDBPersistenceLayer(table_name=IDEMPOTENCY_TABLE, boto3_client=dynamodb())
    config = IdempotencyConfig(event_key_jmespath="powertools_json(Records[0].body).send_id")
    messages, renderer = compiled.playbook.messages, JinjaRenderer()

    @idempotent(persistence_store=layer, config=config)
    def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        intent = msgspec.json.decode(event["Records"][0]["body"], type=Intent)
        gate, customer = (
            decode_gate(_read("gates", intent.customer_id)),
            decode_customer(_read("customers", intent.customer_id)),
        )
        segment = compiled.playbook.segments[compiled.playbook.campaigns[intent.campaign].segment]
        if not gate.consent["marketing"].value or not compiled.holds(
            segment.when, customer.profile, intent.made_at
        ):
            return {"status": "suppressed"}
        _count_against_cap(intent)
        content = renderer.render(messages[intent.message].content, intent.values)
        accepted = line.push(intent.line_user_id, content, intent.send_id)
        _record(intent, accepted.request_id)
        logger.info(
            "message sent", send_id=intent.send_id, campaign=intent.campaign, request_id=accepted.request_id
        )
        return {"status": "sent", "send_id": intent.send_id}

    return handler


class _Token:
    """A token that is there from the start."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self) -> str:
        return self._token

    def forget(self) -> None:
        """There is no other one."""


def _read(table: str, customer_id: str) -> dict[str, Any]:
    answer = dynamodb().get_item(TableName=table, Key={"pk": {"S": customer_id}}, ConsistentRead=True)
    item: dict[str, Any] = answer["Item"]
    return item


def _count_against_cap(intent: Intent) -> None:
    """One more message of this week, unless that is one too many (ConditionalCheckFailedException)."""
    week = f"{intent.made_at:%G-W%V}"
    dynamodb().update_item(
        TableName=COUNTERS_TABLE,
        Key={"pk": {"S": f"{intent.customer_id}#{week}"}},
        UpdateExpression="ADD sent :one SET expires = :expires",
        ConditionExpression="attribute_not_exists(sent) OR sent < :cap",
        ExpressionAttributeValues={
            ":one": {"N": "1"},
            ":cap": {"N": str(CAP)},
            ":expires": {"N": str(int(intent.expires_at.timestamp()))},
        },
    )


def _record(intent: Intent, request_id: str) -> None:
    dynamodb().put_item(
        TableName=SENDS_TABLE,
        Item={
            "pk": {"S": intent.customer_id},
            "sk": {"S": intent.send_id},
            "status": {"S": "sent"},
            "at": {"S": dt.datetime.now(dt.UTC).isoformat()},
            "campaign": {"S": intent.campaign},
            "message": {"S": intent.message},
            "line_user_id": {"S": intent.line_user_id},
            "request_id": {"S": request_id},
        },
    )
