"""JSON from outside."""

import json

import msgspec
import pytest

from functions.domain.json_bodies import DEPTH_MAX, parsed


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def test_what_nests_as_deep_as_may_be_is_read_and_can_be_written_again() -> None:
    value = parsed(nested(DEPTH_MAX))
    assert json.loads(json.dumps(value)) == msgspec.json.decode(msgspec.json.encode(value)) == value


@pytest.mark.parametrize("depth", [DEPTH_MAX + 1, 500, 990, 100_000])
def test_what_nests_deeper_is_none(depth: int) -> None:
    with pytest.raises(ValueError, match="deep"):
        parsed(nested(depth))


@pytest.mark.parametrize("body", [b"", b"\xff", b"{", b"[" + b"9" * 5_000 + b"]"])
def test_what_is_no_json_is_none(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 — each has a message of its own
        parsed(body)
