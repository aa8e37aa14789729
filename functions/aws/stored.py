"""Bodies of stored items that are read, changed and written back: what newer code has added is carried along."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from functions.domain.stored import FORMAT, Beyond, Carrying, carried, says_more
from functions.ports.errors import Retryable

_Value = TypeVar("_Value", bound=Carrying)
_encode = msgspec.json.Encoder().encode
STAMP = "format"
"""The attribute of a row that says by which format it was written last."""


def format_of(row: Mapping[str, Any]) -> int:
    """The format of a row; of what was written before there was a stamp, the first."""
    return int(row[STAMP]["N"]) if STAMP in row else 1


def stamp_of(value: Carrying) -> dict[str, str]:
    """The stamp of a row with this value: what newer code has said is still in it."""
    beyond = value.beyond
    return {"N": str(FORMAT if isinstance(beyond, msgspec.UnsetType) else max(FORMAT, beyond.format))}


def decoded(decoder: msgspec.json.Decoder[_Value], body: bytes, written: int = FORMAT) -> _Value:
    """The value of a body that code of the format `written` wrote, with what it says beyond what this code knows.

    Retryable where it is two formats ahead: it need not mean what it seems to, and waits for newer code. What an older
    format says, and this one does not know, was taken out on purpose, and goes.
    """
    if written > FORMAT + 1:
        raise Retryable(
            f"an item of format {written} was found, and this code reads up to {FORMAT + 1}: deploy a newer release"
        )
    value = decoder.decode(body)
    if written < FORMAT or _encode(value) == body:
        return value
    read = msgspec.json.decode(body)
    if not says_more(read, msgspec.json.decode(_encode(value))):
        return value
    return msgspec.structs.replace(value, beyond=Beyond(written, read))


def encoded(value: Carrying) -> bytes:
    """The body to write."""
    beyond = value.beyond
    if isinstance(beyond, msgspec.UnsetType):
        return _encode(value)
    known = msgspec.json.decode(_encode(beyond.body), type=type(value))
    now = msgspec.structs.replace(value, beyond=msgspec.UNSET)
    understood = msgspec.json.decode(_encode(known))
    return _encode(carried(beyond.body, understood, msgspec.json.decode(_encode(now))))


def over(before: bytes | None, decoder: msgspec.json.Decoder[Any], value: object) -> bytes:
    """The body of a value that replaces what `before` says, read a moment ago: as `encoded` for what is no `Carrying`."""
    body = _encode(value)
    if before is None:
        return body
    understood = _encode(decoder.decode(before))
    if understood == before:
        return body
    return _encode(carried(*map(msgspec.json.decode, (before, understood, body))))
