"""What DynamoDB charges: the size of an item, and the units of reading and writing it, by its published rules.

Sizes are those of the developer guide ("DynamoDB item sizes and formats"): names and texts in UTF-8, a number one byte
for each two significant digits and one more, a list or map three bytes and one for each thing in it.
"""

import base64
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

WRITE_UNIT_BYTES: Final = 1024
READ_UNIT_BYTES: Final = 4096
CONTAINER_BYTES: Final = 3
TRANSACTIONAL: Final = 2

Item = Mapping[str, Mapping[str, Any]]


def item_bytes(item: Item | None) -> int:
    """The size of an item in DynamoDB's own JSON; nothing is 0 bytes."""
    return sum(len(name.encode()) + value_bytes(value) for name, value in (item or {}).items())


def value_bytes(value: Mapping[str, Any]) -> int:
    """The size of one value, such as `{"S": "…"}`."""
    [(kind, content)] = value.items()
    if kind in ("SS", "NS", "BS"):
        return sum(_scalar_bytes(kind[0], one) for one in content)
    if kind == "L":
        return CONTAINER_BYTES + sum(1 + value_bytes(one) for one in content)
    if kind == "M":
        inner = (1 + len(name.encode()) + value_bytes(one) for name, one in content.items())
        return CONTAINER_BYTES + sum(inner)
    return _scalar_bytes(kind, content)


def _scalar_bytes(kind: str, content: Any) -> int:
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return number_bytes(content)
    if kind == "B":
        return len(base64.b64decode(content) if isinstance(content, str) else content)
    return 1  # BOOL, NULL


def number_bytes(text: str) -> int:
    """A number's size: its significant digits in pairs that begin at the decimal point, and its sign."""
    sign, digits = text.startswith("-"), text.lstrip("+-").lower()
    mantissa, _, exponent = digits.partition("e")
    whole, _, part = mantissa.partition(".")
    point = len(whole) + int(exponent or 0)
    figures = (whole + part).rstrip("0")
    leading = len(figures) - len(figures.lstrip("0"))
    figures, point = figures[leading:], point - leading
    if not figures:
        return 1
    first_pair = point % 2  # an odd number of digits before the point: the first digit stands alone
    return 1 + math.ceil((len(figures) + first_pair) / 2) + sign


def write_units(before_bytes: int, after_bytes: int) -> int:
    """Units of one write: by the larger of the item before and after, at least one."""
    return max(1, math.ceil(max(before_bytes, after_bytes) / WRITE_UNIT_BYTES))


def read_units(size_bytes: int, *, consistent: bool) -> float:
    """Units of one read, or of all that one query reads: at least one, and half where it need not be the newest."""
    units = max(1, math.ceil(size_bytes / READ_UNIT_BYTES))
    return float(units) if consistent else units / 2


def read_units_together(items: Iterable[Item], *, consistent: bool) -> float:
    """Units of a query or a scan: what it reads is added up first, then rounded up once."""
    return read_units(sum(item_bytes(item) for item in items), consistent=consistent)
