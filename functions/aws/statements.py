"""Many conditional writes in one request: DynamoDB's BatchExecuteStatement, each statement on its own condition.

A statement costs what the single write costs; a request costs the sender's CPU once instead of 25 times.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.ports.customers import Written

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

STATEMENTS_MAX = 25
"""In one request, by DynamoDB's limit."""
_CONDITION = ("ConditionalCheckFailed", "DuplicateItem")
_OURS = ("AccessDenied", "ResourceNotFound", "ValidationError")
"""Faults of the deployment or of the code: no other try will do better."""


class Statement(NamedTuple):
    """A PartiQL statement and its parameters, in DynamoDB's JSON."""

    text: str
    parameters: list[dict[str, Any]]


def execute(client: "DynamoDBClient", statements: Sequence[Statement]) -> list[Written]:
    """What became of each statement, all on different items. Only an answer that names the condition is a refusal of it:
    a throttle, or an error inside DynamoDB, leaves open whether it was done. RuntimeError where it refuses the statement."""
    written: list[Written] = []
    for start in range(0, len(statements), STATEMENTS_MAX):
        part = statements[start : start + STATEMENTS_MAX]
        answer = client.batch_execute_statement(
            Statements=[{"Statement": one.text, "Parameters": one.parameters} for one in part]
        )
        written += [_what_became(response.get("Error", {})) for response in answer["Responses"]]
    return written


def _what_became(error: Any) -> Written:
    if not error:
        return "written"
    code = str(error.get("Code", ""))
    if code in _OURS:
        raise RuntimeError(f"DynamoDB refuses a statement of a batch: {code}")
    return "overtaken" if code in _CONDITION else "undone"
