"""Values as the stores keep them: JSON, so that what does not survive its codec is found at once."""

from typing import TypeVar

import msgspec

Value = TypeVar("Value")


def kept(value: object, shape: type[Value]) -> bytes:
    """The value as JSON. It must come back the same."""
    body = msgspec.json.encode(value)
    assert msgspec.json.decode(body, type=shape) == value, f"{value!r} does not survive its codec"
    return body


def read(body: bytes | None, shape: type[Value]) -> Value | None:
    """What was kept; None where nothing was."""
    return None if body is None else msgspec.json.decode(body, type=shape)
