"""The identity map: link and audit of each LINE user, and the reverse lookup from the customer."""

from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from functions.aws.items import is_condition_failure, versioned_put
from functions.domain.identity import AuditEntry, Link, Tied
from functions.domain.instants import format_instant
from functions.ports import Conflict

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_link = msgspec.json.Decoder(Link)


class DynamoIdentities:
    """The identities table, and the tables that change in one transaction with it."""

    def __init__(self, client: "DynamoDBClient", identities: str, customers: str, gates: str) -> None:
        self._client = client
        self._identities = identities
        self._customers = customers
        self._gates = gates

    def link_of(self, line_user_id: str) -> Link | None:
        """The link of a LINE user, read consistently."""
        key = {"pk": {"S": f"line#{line_user_id}"}, "sk": {"S": "link"}}
        item = self._client.get_item(TableName=self._identities, Key=key, ConsistentRead=True).get("Item")
        return _link.decode(item["body"]["S"]) if item else None

    def links_of(self, customer_id: str) -> list[Link]:
        """The links in which this customer is, or was last, one side."""
        answer = self._client.query(
            TableName=self._identities,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"customer#{customer_id}"}},
            ConsistentRead=True,
        )
        users = [item["sk"]["S"].removeprefix("line#") for item in answer["Items"]]
        return [link for link in map(self.link_of, users) if link is not None]

    def save_tied(self, link: Link, audit: AuditEntry, sides: Tied | None) -> None:
        """All or nothing: the link (while its version is the one read), its reverse, the audit, customers and gates."""
        puts = [self._link_put(link), self._reverse_put(link), self._audit_put(audit)]
        if sides is not None:
            puts += [versioned_put(self._customers, value)[0] for value in (sides.customer, sides.friend)]
            puts += [versioned_put(self._gates, value)[0] for value in (sides.gate, sides.friend_gate)]
        try:
            self._client.transact_write_items(TransactItems=[{"Put": put} for put in puts])  # type: ignore[typeddict-item]
        except ClientError as error:
            if is_condition_failure(error):
                raise Conflict("one side of the link was changed by somebody else") from None
            raise

    def _link_put(self, link: Link) -> dict[str, Any]:
        written = msgspec.structs.replace(link, version=link.version + 1)
        put = self._row(f"line#{link.line_user_id}", "link", written)
        put["Item"]["version"] = {"N": str(written.version)}
        if link.version == 0:
            return {**put, "ConditionExpression": "attribute_not_exists(pk)"}
        values = {":read": {"N": str(link.version)}}
        return {**put, "ConditionExpression": "version = :read", "ExpressionAttributeValues": values}

    def _reverse_put(self, link: Link) -> dict[str, Any]:
        return self._row(f"customer#{link.customer_id}", f"line#{link.line_user_id}", link)

    def _audit_put(self, audit: AuditEntry) -> dict[str, Any]:
        """The audit is append-only: the row must not be there yet. It names the version of the link that it is about, for
        the same event, told again, may find another link than the first time."""
        name = f"audit#{format_instant(audit.at)}#{audit.event_id}#{audit.after.version}"
        row = self._row(f"line#{audit.line_user_id}", name, audit)
        return {**row, "ConditionExpression": "attribute_not_exists(pk)"}

    def _row(self, pk: str, sk: str, value: Link | AuditEntry) -> dict[str, Any]:
        body = msgspec.json.encode(value).decode()
        return {
            "TableName": self._identities,
            "Item": {"pk": {"S": pk}, "sk": {"S": sk}, "body": {"S": body}},
        }
