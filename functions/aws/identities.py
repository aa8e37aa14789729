"""The identity map: link and audit of each LINE user, the reverse lookup from the customer, and what waits for a decision.

| pk | sk | is |
|---|---|---|
| `line#<user>` | `link` | the link, with its version |
| `line#<user>` | `audit#<instant>#<event>#<version>` | one change of it, for good |
| `line#<user>` | `tie` | what was kept of both sides before the last tie; ages |
| `customer#<id>` | `line#<user>` | that this link names the customer, or did |
| `customer#<id>` | `merged`, `tie` | whom it became last; what was kept of both sides before, which ages |
| `customer#<id>` | `audit#<instant>#<event>` | that it became another one, or was parted from it, for good |
| `customer#<id>` | `phone` | its phone number's hash |
| `review` | `line#<user>` | what somebody has to decide |
| `reward#line#<user>`, `reward#customer#<id>` | `reward` | that the reward for linking was given |
| `phone#<hash>` | `owners` | who has the number |
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from botocore.exceptions import ClientError

from functions.aws.items import is_condition_failure, versioned_put
from functions.aws.parallel_scans import scanned
from functions.aws.stored import STAMP, decoded, encoded, format_of, stamp_of
from functions.domain.identity import Tied
from functions.domain.instants import format_instant
from functions.domain.link_changes import Joining, LinkChange, MergeEntry, Reward
from functions.domain.links import KEEPSAKES_KEPT, AuditEntry, Link, Review
from functions.domain.phones import CustomerPhone, PhoneOwners
from functions.domain.stored import Carrying
from functions.domain.undoing import Keepsake
from functions.ports.errors import Conflict

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

Write = dict[str, Any]
"""One item of a transaction: {"Put": …} or {"Delete": …}."""
_Value = TypeVar("_Value")
_PLAIN = Carrying()
_ABSENT = {"ConditionExpression": "attribute_not_exists(pk)"}


class DynamoIdentities:
    """The identities table, and the tables that change in one transaction with it."""

    def __init__(self, client: "DynamoDBClient", identities: str, customers: str, gates: str) -> None:
        self._client = client
        self._identities = identities
        self._customers = customers
        self._gates = gates

    # --- what is known

    def link_of(self, line_user_id: str) -> Link | None:
        """The link of a LINE user, read consistently."""
        return self._get(f"line#{line_user_id}", "link", Link)

    def links_of(self, customer_id: str) -> list[Link]:
        """The links that name this customer, as owner (now, or last) or as claimant."""
        rows = self._query(f"customer#{customer_id}", "line#")
        found = [self.link_of(row["sk"]["S"].removeprefix("line#")) for row in rows]
        return [link for link in found if link and customer_id in _named(link)]

    def keepsake_of(self, line_user_id: str) -> Keepsake | None:
        """What was kept of the last tie."""
        return self._get(f"line#{line_user_id}", "tie", Keepsake)

    def merge_of(self, customer_id: str) -> MergeEntry | None:
        """What this customer became last."""
        return self._get(f"customer#{customer_id}", "merged", MergeEntry)

    def keepsake_of_merge(self, customer_id: str) -> Keepsake | None:
        """What was kept for an undo of that."""
        return self._get(f"customer#{customer_id}", "tie", Keepsake)

    def is_rewarded(self, line_user_id: str, customer_id: str) -> bool:
        """Whether one of both has had the reward."""
        return any(self._item(pk, "reward") for pk in _reward_keys(line_user_id, customer_id))

    def reviews(self) -> list[Review]:
        """The links that wait for a decision, by LINE user."""
        return [msgspec.json.decode(row["body"]["S"], type=Review) for row in self._query("review", "line#")]

    def all_links(self) -> list[Link]:
        """The links of all LINE users, by LINE user; the whole table is read."""
        rows = scanned(
            self._client,
            self._identities,
            FilterExpression="sk = :link",
            ExpressionAttributeValues={":link": {"S": "link"}},
        )
        found = [_read(row, Link) for row in rows]
        return sorted(found, key=lambda link: link.line_user_id)

    def audit_of(self, line_user_id: str) -> list[AuditEntry]:
        """What was noted about a LINE user's link, oldest first."""
        rows = self._query(f"line#{line_user_id}", "audit#")
        return [msgspec.json.decode(row["body"]["S"], type=AuditEntry) for row in rows]

    def phone_of(self, customer_id: str) -> CustomerPhone | None:
        """What is known of a customer's number."""
        return self._get(f"customer#{customer_id}", "phone", CustomerPhone)

    def phone_owners(self, phone_hash: str) -> PhoneOwners:
        """The customers who have a number."""
        return self._get(f"phone#{phone_hash}", "owners", PhoneOwners) or PhoneOwners(phone_hash)

    def _get(self, pk: str, sk: str, shape: type[_Value]) -> _Value | None:
        item = self._item(pk, sk)
        return _read(item, shape) if item else None

    def _item(self, pk: str, sk: str) -> dict[str, Any] | None:
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        return self._client.get_item(TableName=self._identities, Key=key, ConsistentRead=True).get("Item")

    def _query(self, pk: str, begins: str) -> list[dict[str, Any]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._identities,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": {"S": pk}, ":sk": {"S": begins}},
            ConsistentRead=True,
        )
        return [item for page in pages for item in page["Items"]]

    # --- what changes

    def save_tied(self, change: LinkChange) -> None:
        """All or nothing: the link (while its version is the one read), its reverse rows, the audit, and what goes with it."""
        writes = list(self._link_writes(change))
        if change.sides is not None:
            writes += self._side_writes(change.sides)
        if change.keepsake is not None:
            writes.append(self._keepsake_put(f"line#{change.link.line_user_id}", change.keepsake))
        if change.reward is not None:
            writes += self._reward_puts(change.reward)
        self._write(writes)

    def save_joined(self, joining: Joining) -> None:
        """All or nothing: both customers and gates, and what is noted of it. The versions of both are the condition."""
        entry = joining.entry
        pk, name = (
            f"customer#{entry.customer_id}",
            f"audit#{format_instant(entry.undone_at or entry.at)}#{entry.undone_by or entry.event_id}",
        )
        writes = self._side_writes(joining.sides)
        writes += [{"Put": self._row(pk, "merged", entry)}, {"Put": self._row(pk, name, entry)}]
        if joining.keepsake is not None:
            writes.append(self._keepsake_put(pk, joining.keepsake))
        if joining.reward is not None:
            writes += self._reward_puts(joining.reward)
        self._write(writes)

    def save_phone(self, phone: CustomerPhone, owners: Sequence[PhoneOwners]) -> None:
        """All or nothing: the customer's number, and who has it."""
        rows = [(f"customer#{phone.customer_id}", "phone", phone)]
        self._write(
            [
                *({"Put": self._versioned(pk, sk, value)} for pk, sk, value in rows),
                *({"Put": self._versioned(f"phone#{one.phone_hash}", "owners", one)} for one in owners),
            ]
        )

    def _write(self, writes: Sequence[Write]) -> None:
        try:
            self._client.transact_write_items(TransactItems=list(writes))  # type: ignore[arg-type]
        except ClientError as error:
            if is_condition_failure(error):
                raise Conflict("one side of the link was changed by somebody else") from None
            raise

    def _link_writes(self, change: LinkChange) -> Iterator[Write]:
        link, before = change.link, change.audit.before
        yield {"Put": self._versioned(f"line#{link.line_user_id}", "link", link)}
        yield {"Put": self._audit_put(change.audit)}
        for customer_id in _named(link):
            pk, sk = f"customer#{customer_id}", f"line#{link.line_user_id}"
            yield {"Put": {"TableName": self._identities, "Item": {"pk": {"S": pk}, "sk": {"S": sk}}}}
        if change.review is not None:
            yield {"Put": self._row("review", f"line#{link.line_user_id}", change.review)}
        elif before is not None and before.status == "conflict":
            key = {"pk": {"S": "review"}, "sk": {"S": f"line#{link.line_user_id}"}}
            yield {"Delete": {"TableName": self._identities, "Key": key}}

    def _side_writes(self, sides: Tied) -> list[Write]:
        puts = [versioned_put(self._customers, value)[0] for value in (sides.customer, sides.friend)]
        puts += [versioned_put(self._gates, value)[0] for value in (sides.gate, sides.friend_gate)]
        return [{"Put": put} for put in puts]

    def _audit_put(self, audit: AuditEntry) -> dict[str, Any]:
        """The audit is append-only: the row must not be there yet. It names the version of the link that it is about, for
        the same event, told again, may find another link than the first time."""
        name = f"audit#{format_instant(audit.at)}#{audit.event_id}#{audit.after.version}"
        return {**self._row(f"line#{audit.line_user_id}", name, audit), **_ABSENT}

    def _keepsake_put(self, pk: str, keepsake: Keepsake) -> Write:
        """What was kept of an earlier tie makes way: it can no longer be undone."""
        row = self._row(pk, "tie", keepsake)
        row["Item"]["ttl"] = {"N": str(int((keepsake.at + KEEPSAKES_KEPT).timestamp()))}
        return {"Put": row}

    def _reward_puts(self, reward: Reward) -> list[Write]:
        """On condition that neither the LINE user nor the customer has ever had it."""
        keys = _reward_keys(reward.line_user_id, reward.customer_id)
        return [{"Put": {**self._row(pk, "reward", reward), **_ABSENT}} for pk in keys]

    def _versioned(self, pk: str, sk: str, value: Link | CustomerPhone | PhoneOwners) -> dict[str, Any]:
        """On condition that the row bears the version that was read, or is not there where none was."""
        written = msgspec.structs.replace(value, version=value.version + 1)
        put = self._row(pk, sk, written)
        put["Item"]["version"] = {"N": str(written.version)}
        if value.version == 0:
            return {**put, **_ABSENT}
        values = {":read": {"N": str(value.version)}}
        return {**put, "ConditionExpression": "version = :read", "ExpressionAttributeValues": values}

    def _row(self, pk: str, sk: str, value: object) -> dict[str, Any]:
        body = encoded(value) if isinstance(value, Carrying) else msgspec.json.encode(value)
        stamp = stamp_of(value if isinstance(value, Carrying) else _PLAIN)
        return {
            "TableName": self._identities,
            "Item": {"pk": {"S": pk}, "sk": {"S": sk}, STAMP: stamp, "body": {"S": body.decode()}},
        }


def _read(row: dict[str, Any], shape: type[_Value]) -> _Value:
    """What a row says, with what newer code has said of it where it may be written back."""
    body = row["body"]["S"]
    if issubclass(shape, Carrying):
        return decoded(msgspec.json.Decoder(shape), body.encode(), format_of(row))
    return msgspec.json.decode(body, type=shape)


def _named(link: Link) -> list[str]:
    """The customers from whom a link is found."""
    return list(dict.fromkeys(filter(None, (link.customer_id, link.claimed_by, link.came_by))))


def _reward_keys(line_user_id: str, customer_id: str) -> list[str]:
    names = (("line", line_user_id), ("customer", customer_id))
    return [f"reward#{kind}#{name}" for kind, name in names if name]
