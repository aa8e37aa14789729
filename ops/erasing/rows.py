"""The tables, looked through row by row: the person's own rows go, what others' rows say of them is taken out.

All rows are read: a person may be named in a row of somebody else's under a key that tells nothing of it, as the customer
who claimed the same LINE user. Each write stands on its condition; what it does not hold for is left to the next sweep.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from functions.aws.erasing import PREFIX
from functions.aws.items import decode_customer, decode_gate, is_condition_failure
from functions.aws.once import hashed as digest_of
from functions.aws.parallel_scans import scanned
from functions.aws.send_reports import log_key
from functions.domain.customers import Customer
from functions.domain.erasure import ERASED, Person, anonymous_record, is_own_row, scrubbed
from functions.domain.gate import Gate
from functions.domain.sends import SendRecord
from functions.ports.errors import Conflict
from ops.stores import Stores

TABLES = ("gates", "customers", "timers", "identities", "events", "sends")
"""In this order: without gate and customer nothing is sent and nobody is woken."""
_record = msgspec.json.Decoder(SendRecord)


@dataclass(frozen=True, slots=True)
class Rows:
    """The tables of one deployment, and whom to take out. `dry`: only count."""

    stores: Stores
    person: Person
    dry: bool = False

    def sweep(self) -> Counter[str]:
        """How many rows were removed or changed, by table."""
        found: Counter[str] = Counter()
        for table in TABLES:
            for item in scanned(self._client, self._name(table), ConsistentRead=True):
                found[f"table:{table}"] += self._treat(table, item)
        return +found

    def unlock(self) -> None:
        """Take the gates and customers away, by their keys: from now on nothing is sent."""
        for table in ("gates", "customers"):
            for one in self.person.customer_ids:
                self._client.delete_item(TableName=self._name(table), Key={"pk": {"S": one}})

    @property
    def _client(self) -> Any:
        return self.stores.target.client("dynamodb")

    def _name(self, table: str) -> str:
        return str(getattr(self.stores.settings, f"table_{table}"))

    def _treat(self, table: str, item: Mapping[str, Any]) -> bool:
        """Whether the row was the person's, or named them. What was changed by others meanwhile counts, and stays."""
        pk, sk = item["pk"]["S"], item.get("sk", {}).get("S", "")
        if pk.startswith(PREFIX):
            return False
        if table == "sends":
            return self._send(item, pk)
        if is_own_row(table, pk, sk, self.person) or self._is_theirs(table, item):
            return self._delete(table, item)
        if table in ("gates", "customers"):
            return self._others(table, item, pk)
        return self._body(table, item)

    def _is_theirs(self, table: str, item: Mapping[str, Any]) -> bool:
        """Whether a row whose key tells nothing is about the person alone."""
        if table == "timers":
            body = json.loads(item["body"]["S"]) if "body" in item else {}
            named = (item.get("customer", {}).get("S"), body.get("customer_id"), body.get("line_user_id"))
            return bool(self.person.ids.intersection(filter(None, named)))
        if table != "identities":
            return False
        pk, sk, before = item["pk"]["S"], item["sk"]["S"], _plain(item)
        if pk in {f"tries#{digest_of(user)}" for user in self.person.line_users}:
            return True
        after = scrubbed(before, self.person, everywhere=True)
        if after == before:
            return False
        if pk.startswith("phone#"):
            return not _owners(after)  # nobody's number any more
        # What was kept of both sides before a tie is as good as their own rows.
        return sk == "tie" or not pk.startswith(("line#", "customer#"))

    def _delete(self, table: str, item: Mapping[str, Any]) -> bool:
        if not self.dry:
            key = {name: item[name] for name in ("pk", "sk") if name in item}
            self._client.delete_item(TableName=self._name(table), Key=key)
        return True

    def _others(self, table: str, item: Mapping[str, Any], pk: str) -> bool:
        """A gate or a customer of somebody else's."""
        if "body" not in item or pk.startswith("anon:#"):
            return False
        value = decode_gate(dict(item)) if table == "gates" else decode_customer(dict(item))
        changed = _without(value, self.person)
        if changed == value:
            return False
        if not self.dry:
            try:
                if isinstance(changed, Gate):
                    self.stores.customers.save_gate(changed)
                else:
                    self.stores.customers.save(changed)
            except Conflict:
                pass  # the next sweep finds it again
        return True

    def _body(self, table: str, item: Mapping[str, Any]) -> bool:
        """A row of somebody else's whose body, or another attribute, names the person."""
        before = _plain(item)
        after = scrubbed(before, self.person, everywhere=table == "identities")
        if after == before:
            return False
        if table == "identities":
            after = _settled(after)
        if not self.dry:
            attributes = {name: _typed(value, item[name]) for name, value in after.items() if name in item}
            self._put(table, item, {**item, **attributes})
        return True

    def _send(self, item: Mapping[str, Any], pk: str) -> bool:
        """A line of the send log. Of a campaign's the accounts keep that there was one."""
        body = item["body"]["S"]
        if pk not in self.person.ids and not self.person.lines.search(body):
            return False
        record = _record.decode(body)
        others = pk not in self.person.ids
        kept = anonymous_record(record, self.person, self.stores.settings.account)
        if kept is None and others:
            kept = msgspec.structs.replace(record, line_user_id=self.person.alias(record.line_user_id))
        if kept is not None and others and record.line_user_id not in self.person.ids:
            kept = record  # the id stands elsewhere in it
        if self.dry:
            return True
        if kept is not None:
            scrubbed_body = scrubbed(msgspec.to_builtins(kept), self.person)
            new_pk, new_sk = log_key(kept.customer_id, kept.made_at, kept.send_id)
            text = msgspec.json.encode(scrubbed_body).decode()
            row = {**item, "pk": {"S": new_pk}, "sk": {"S": new_sk}, "body": {"S": text}}
            self._client.put_item(TableName=self._name("sends"), Item=row)
            if (new_pk, new_sk) == (pk, item["sk"]["S"]):
                return True
        return self._delete("sends", item)

    def _put(self, table: str, item: Mapping[str, Any], row: Mapping[str, Any]) -> None:
        """Write the row on condition that its body is the one that was read; else the next sweep finds it again."""
        condition: dict[str, Any] = {}
        if "body" in item:
            condition = {
                "ConditionExpression": "body = :read",
                "ExpressionAttributeValues": {":read": item["body"]},
            }
        try:
            self._client.put_item(TableName=self._name(table), Item=dict(row), **condition)
        except ClientError as error:
            if not is_condition_failure(error):
                raise


def _without(value: Customer | Gate, person: Person) -> Customer | Gate:
    """Somebody else's row without the person: also without the alias, of which no history is left."""
    plain = scrubbed(msgspec.to_builtins(value), person)
    changed = msgspec.convert(plain, type(value), strict=False)
    if isinstance(changed, Customer):
        aliases = [alias for alias in changed.aliases if alias.customer_id != ERASED]
        changed = msgspec.structs.replace(changed, aliases=aliases)
    return changed


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """The row's texts but for its key, with JSON opened."""
    return {
        name: _opened(value["S"]) for name, value in item.items() if "S" in value and name not in ("pk", "sk")
    }


def _opened(text: str) -> Any:
    if not text.startswith(("{", "[")):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _typed(value: Any, before: Mapping[str, Any]) -> dict[str, Any]:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return {"S": text} if text != before["S"] else dict(before)


def _settled(row: dict[str, Any]) -> dict[str, Any]:
    """A claim of an erased customer upon somebody else's LINE user is no conflict any more."""
    body = row.get("body")
    if isinstance(body, dict) and body.get("claimed_by") == ERASED and body.get("status") == "conflict":
        body = {**body, "status": "linked", "claimed_by": ""}
    if isinstance(body, dict) and "customers" in body:
        body = {**body, "customers": _owners(row)}
    return {**row, "body": body}


def _owners(row: Mapping[str, Any]) -> list[str]:
    """Those of a phone number who are left."""
    body = row.get("body")
    named = body.get("customers") if isinstance(body, dict) else None
    return [one for one in named or [] if one != ERASED]
