"""The calls of a client that change something, each noted with what it was given; and what SQS refuses and moto does not."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

READS = ("Get", "List", "Describe", "Query", "Scan", "Head", "BatchGet", "Receive")


@dataclass(frozen=True)
class Change:
    """A call that changes something: the operation and its parameters."""

    operation: str
    given: dict[str, Any]


def watch(client: Any, changes: list[Change]) -> None:
    """Note every call that is no mere look, and refuse what SQS refuses and moto does not."""

    def noted(params: dict[str, Any], model: Any, **_: Any) -> None:
        if not model.name.startswith(READS):
            changes.append(Change(model.name, dict(params)))
        if model.name == "SendMessageBatch":
            _refuse(params["Entries"])

    client.meta.events.register("before-parameter-build.*.*", noted)


SQS_BYTES_MAX = 1024 * 1024


def _refuse(entries: list[dict[str, str]]) -> None:
    """SQS takes what XML 1.0 can say, and 1 MiB a request (API reference, SendMessageBatch)."""
    for one in entries:
        if any(sign in one["MessageBody"] for sign in ("\ufffe", "\uffff")):
            raise ClientError({"Error": {"Code": "InvalidMessageContents"}}, "SendMessageBatch")
    if sum(len(one["MessageBody"].encode()) for one in entries) > SQS_BYTES_MAX:
        raise ClientError({"Error": {"Code": "BatchRequestTooLong"}}, "SendMessageBatch")
