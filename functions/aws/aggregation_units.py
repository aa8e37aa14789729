"""The registers of LINE's aggregation units: one item a month among the gates, under an id that no customer has.

Each name is an attribute of the item, with what it stands for; `names` counts them. A process reads an item once, and then
knows all names of the month but those that others take meanwhile.
"""

from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from functions.aws.allowances import RESERVED_PREFIX
from functions.aws.items import is_condition_failure
from functions.domain.aggregation_units import Unit, month_of, names_max
from functions.domain.instants import Instant

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_unit = msgspec.json.Decoder(Unit)
_COUNT, _KEY = "names", "pk"


class DynamoAggregationUnits:
    """The registers of one account in the gates table."""

    def __init__(self, client: "DynamoDBClient", table: str, account: str) -> None:
        self._client = client
        self._table = table
        self._account = account
        self._known: dict[str, set[str]] = {}
        self._refused: set[tuple[str, str]] = set()

    def take(self, unit: Unit, now: Instant) -> str:
        """The unit's name, where the month that it belongs to and the present one have room for it; empty where not."""
        months = dict.fromkeys((unit.month, month_of(now)))
        return unit.name if all(self._is_taken(unit, month) for month in months) else ""

    def _is_taken(self, unit: Unit, month: str) -> bool:
        if (unit.name, month) in self._refused:
            return False
        if month not in self._known:
            self._known[month] = _names(self._item(month))
        if unit.name not in self._known[month] and not self._take(unit, month):
            self._refused.add((unit.name, month))
            return False
        return True

    def _take(self, unit: Unit, month: str) -> bool:
        """Take the name in a month's register.

        In prose: nobody has taken it yet, and the register has room. What is full never gets emptier, so that whoever
        was refused is refused for good.
        """
        try:
            self._client.update_item(
                TableName=self._table,
                Key=self._at(month),
                UpdateExpression="SET #name = :unit ADD #names :one",
                ConditionExpression="attribute_not_exists(#name) AND (attribute_not_exists(#names) OR #names < :max)",
                ExpressionAttributeNames={"#name": unit.name, "#names": _COUNT},
                ExpressionAttributeValues={
                    ":unit": {"S": msgspec.json.encode(unit).decode()},
                    ":one": {"N": "1"},
                    ":max": {"N": str(names_max(unit, month))},
                },
            )
        except ClientError as error:
            if not is_condition_failure(error):
                raise
            self._known[month] = _names(self._item(month))
            return unit.name in self._known[month]
        self._known[month].add(unit.name)
        return True

    def of_month(self, month: str) -> list[Unit]:
        """All units of a month's register, by name."""
        item = self._item(month)
        return [_unit.decode(item[name]["S"]) for name in sorted(_names(item))]

    def _item(self, month: str) -> dict[str, Any]:
        answer = self._client.get_item(TableName=self._table, Key=self._at(month), ConsistentRead=True)
        return answer.get("Item", {})

    def _at(self, month: str) -> dict[str, Any]:
        return {_KEY: {"S": f"{RESERVED_PREFIX}units#{self._account}#{month}"}}


def _names(item: dict[str, Any]) -> set[str]:
    return item.keys() - {_KEY, _COUNT}
