"""JSON from outside: read, and no deeper than whatever comes after can write it again."""

import json
from typing import Any

DEPTH_MAX = 64
"""Lists and objects within each other. Python's reader takes some 1,000, its writers and our own walks fewer."""


def parsed(body: bytes) -> Any:
    """The value. ValueError where the bytes are no JSON, or nest deeper than `DEPTH_MAX`."""
    try:
        value = json.loads(body)
    except RecursionError:
        raise ValueError("JSON that nests too deep") from None
    if _is_deep(value):
        raise ValueError(f"JSON that nests deeper than {DEPTH_MAX} levels")
    return value


def _is_deep(value: Any) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEPTH_MAX):
        inner = (one.values() if isinstance(one, dict) else one for one in level)
        level = [item for items in inner for item in items if isinstance(item, dict | list)]
        if not level:
            return False
    return True
