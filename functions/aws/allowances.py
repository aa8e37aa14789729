"""Counters of reserved messages: items among the gates, under ids that no customer has."""

import datetime as dt
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.aws.items import decode_gate, is_condition_failure
from functions.domain.gate import Claim
from functions.domain.instants import Instant, parse_instant
from functions.domain.money import Count, LineUsage

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

logger = logging.getLogger(__name__)

RESERVED_PREFIX = "anon:#"
"""Customer ids may be anything but the reserved prefix `anon:`, and no LINE user id starts with #."""
_NAMES = {"#used": "used"}


class DynamoAllowances:
    """The counters of one account in the gates table.

    An item is small, so that a reservation is one write unit; instants have all their digits, and compare as texts.
    `once`: a client that repeats nothing. A release that was done, and not answered, would else be done twice.
    """

    def __init__(
        self, client: "DynamoDBClient", table: str, account: str, once: "DynamoDBClient | None" = None
    ) -> None:
        self._client = client
        self._once = once or client
        self._table = table
        self._account = account

    def count(self, counter: str) -> Count:
        """What a counter holds, read consistently."""
        return _count(self._item(counter))

    def reserve(
        self, counter: str, units: int, used_max: int | None, told_at: Instant | None, now: Instant
    ) -> tuple[bool, Count]:
        """Add units on condition.

        In prose: so many units are free below `used_max`, or nothing is counted yet; and LINE has said nothing new.
        """
        if used_max is not None and units > used_max:
            return False, self.count(counter)
        conditions = ["attribute_not_exists(told_at)" if told_at is None else "told_at = :told"]
        values: dict[str, Any] = {":units": {"N": str(units)}, ":now": {"S": _digits(now)}}
        if told_at is not None:
            values[":told"] = {"S": _digits(told_at)}
        if used_max is not None:
            conditions.append("(attribute_not_exists(#used) OR #used <= :bound)")
            values[":bound"] = {"N": str(used_max - units)}
        change = "ADD #used :units SET reserved_at = :now"
        item, done = self._update(counter, change, " AND ".join(conditions), values, _NAMES)
        return done, _count(item)

    def release(self, counter: str, units: int) -> None:
        """Take units off on condition that so many are counted. A failure leaves them counted: the safe side."""
        values: dict[str, Any] = {":minus": {"N": str(-units)}, ":units": {"N": str(units)}}
        try:
            _item, done = self._update(
                counter, "ADD #used :minus", "#used >= :units", values, _NAMES, self._once
            )
        except (BotoCoreError, ClientError) as error:
            logger.warning("%s unspent messages stay counted (%s)", units, type(error).__name__)
            return
        if not done:
            logger.warning("%s unspent messages are not counted any more", units)

    def begin_asking(self, counter: str, now: Instant, every: dt.timedelta) -> Count | None:
        """Note who asks, on condition that nobody has asked, or longer ago than `every`."""
        values: dict[str, Any] = {":now": {"S": _digits(now)}, ":before": {"S": _digits(now - every)}}
        free = "attribute_not_exists(asked_at) OR asked_at <= :before"
        try:
            item, done = self._update(counter, "SET asked_at = :now", free, values)
        except (BotoCoreError, ClientError) as error:
            logger.warning("LINE is not asked now (%s)", type(error).__name__)
            return None
        return _count(item) if done else None

    def note(self, counter: str, usage: LineUsage, asked: Count, now: Instant) -> None:
        """Keep LINE's word on condition that there is none, or an older one."""
        values: dict[str, Any] = {
            ":total": {"N": str(usage.used)},
            ":then": {"N": str(asked.used)},
            ":beyond": {"N": str(asked.beyond)},
            ":now": {"S": _digits(now)},
        }
        change = "SET line_total = :total, used_then = :then, beyond = :beyond, told_at = :now"
        if usage.limit is None:
            change += " REMOVE line_limit"
        else:
            change += ", line_limit = :limit"
            values[":limit"] = {"N": str(usage.limit)}
        try:
            self._update(counter, change, "attribute_not_exists(told_at) OR told_at < :now", values)
        except (BotoCoreError, ClientError) as error:
            logger.warning("what LINE said is not kept (%s)", type(error).__name__)

    def correct(self, counter: str, seen: Count, used: int) -> bool:
        """Set `used` on condition that it is what was seen, and that nothing was reserved meanwhile.

        `used_then` moves along: LINE's figure then shows what had been hidden behind messages counted too many.
        """
        values: dict[str, Any] = {
            ":used": {"N": str(used)},
            ":then": {"N": str(max(0, seen.used_then + used - seen.used))},
            ":seen": {"N": str(seen.used)},
        }
        unchanged = "#used = :seen" if seen.used else "(attribute_not_exists(#used) OR #used = :seen)"
        quiet = "attribute_not_exists(reserved_at)"
        if seen.reserved_at:
            quiet = "reserved_at = :reserved"
            values[":reserved"] = {"S": _digits(seen.reserved_at)}
        change = "SET #used = :used, used_then = :then"
        return self._update(counter, change, f"{unchanged} AND {quiet}", values, _NAMES)[1]

    def claims(self) -> Iterator[Claim]:
        """The claims in all gates: a full scan, for recounting."""
        for page in self._client.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True):
            for item in page["Items"]:
                if not item["pk"]["S"].startswith(RESERVED_PREFIX):
                    yield from decode_gate(item).claims

    def _item(self, counter: str) -> dict[str, Any]:
        answer = self._client.get_item(TableName=self._table, Key=self._key(counter), ConsistentRead=True)
        return answer.get("Item", {})

    def _key(self, counter: str) -> dict[str, Any]:
        kind, _, name = counter.partition("#")
        return {"pk": {"S": f"{RESERVED_PREFIX}{kind}#{self._account}#{name}"}}

    def _update(
        self,
        counter: str,
        change: str,
        condition: str,
        values: dict[str, Any],
        names: dict[str, str] | None = None,
        client: "DynamoDBClient | None" = None,
    ) -> tuple[dict[str, Any], bool]:
        """One conditional update: the item as it is now, and whether the condition held."""
        try:
            answer = (client or self._client).update_item(
                TableName=self._table,
                Key=self._key(counter),
                UpdateExpression=change,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **({"ExpressionAttributeNames": names} if names else {}),  # type: ignore[arg-type]
            )
        except ClientError as error:
            if not is_condition_failure(error):
                raise
            # The refusal brings the item along that the condition failed on.
            return error.response.get("Item") or self._item(counter), False  # type: ignore[return-value]
        return answer["Attributes"], True


def _count(item: dict[str, Any]) -> Count:
    return Count(
        used=_number(item, "used") or 0,
        line_total=_number(item, "line_total") or 0,
        used_then=_number(item, "used_then") or 0,
        line_limit=_number(item, "line_limit"),
        told_at=_instant(item, "told_at"),
        reserved_at=_instant(item, "reserved_at"),
        beyond=_number(item, "beyond") or 0,
    )


def _number(item: dict[str, Any], name: str) -> int | None:
    return int(item[name]["N"]) if name in item else None


def _instant(item: dict[str, Any], name: str) -> Instant | None:
    return parse_instant(item[name]["S"]) if name in item else None


def _digits(instant: Instant) -> str:
    return instant.astimezone(dt.UTC).isoformat(timespec="microseconds")
