"""Reading the bodies of send requests: JSON, recipients, units and messages, or an error that names each fault."""

import json
import re
from dataclasses import dataclass
from typing import Any

from ops.line_sandbox.answers import JsonObject, RefusedError, refused
from ops.line_sandbox.checks import EMPTY, Part, Problems
from ops.line_sandbox.friends import is_recipient_id
from ops.line_sandbox.messages import check_messages

MULTICAST_RECIPIENTS_MAX = 500
UNIT = re.compile(r"[A-Za-z0-9_]{1,30}")


@dataclass(frozen=True, slots=True)
class Order:
    """A send request that holds what LINE asks for."""

    recipients: tuple[str, ...]
    messages: list[dict[str, Any]]
    unit: str = ""


class _DuplicateFieldError(ValueError):
    """A JSON object names one property twice; LINE refuses such a body."""


def parse_body(raw: bytes) -> JsonObject:
    """The body as a JSON object; RefusedError with 400 and LINE's wording otherwise."""
    try:
        body = json.loads(raw, object_pairs_hook=_unique_pairs)
    except _DuplicateFieldError as duplicate:
        raise _unparsable("-", "-", str(duplicate)) from None
    except json.JSONDecodeError as failure:
        raise _unparsable(failure.lineno, failure.colno) from None
    except (UnicodeDecodeError, RecursionError):
        raise _unparsable("-", "-") from None
    if not isinstance(body, dict):
        raise _unparsable(1, 1)
    return body


def read_push(body: JsonObject) -> Order:
    """`{to, messages, customAggregationUnits?, notificationDisabled?}` with one recipient."""
    to = body.get("to")
    if not is_recipient_id(to):
        raise _invalid_to(EMPTY if to in (None, "") else "Must be a user ID, group ID or room ID")
    return Order((str(to),), _checked_messages(body), _unit_of(body))


def read_multicast(body: JsonObject) -> Order:
    """`{to: [1 to 500 ids], messages, …}`."""
    to = body.get("to")
    if not isinstance(to, list) or not to:
        raise _invalid_to(EMPTY)
    if len(to) > MULTICAST_RECIPIENTS_MAX:
        raise _invalid_to(f"Size must be between 1 and {MULTICAST_RECIPIENTS_MAX}")
    if not all(is_recipient_id(one) for one in to):
        raise _invalid_to("Must be user IDs")
    return Order(tuple(to), _checked_messages(body), _unit_of(body))


def read_for_everybody(body: JsonObject) -> Order:
    """A broadcast's or narrowcast's `{messages, …}`; whom it reaches is the account's affair."""
    return Order((), _checked_messages(body))


def read_reply(body: JsonObject) -> tuple[str, list[dict[str, Any]]]:
    """The reply token and the messages of `{replyToken, messages}`."""
    messages = _checked_messages(body, needs_reply_token=True)
    return body["replyToken"], messages


def read_messages(body: JsonObject) -> list[dict[str, Any]]:
    """The messages of a request to validate them: `{messages}`."""
    return _checked_messages(body)


def _checked_messages(body: JsonObject, *, needs_reply_token: bool = False) -> list[dict[str, Any]]:
    """The messages, after everything about the body but its recipients was checked."""
    problems = Problems()
    part = Part(body, "", problems)
    if needs_reply_token:
        part.text("replyToken", 1000)
    check_messages(part)
    part.boolean("notificationDisabled")
    _check_units(part)
    problems.refuse_if_any()
    messages: list[dict[str, Any]] = body["messages"]
    return messages


def _check_units(part: Part) -> None:
    """At most one unit a request, of up to 30 letters, digits and underscores."""
    units = part.value.get("customAggregationUnits")
    if units is None:
        return
    if not isinstance(units, list):
        part.report("customAggregationUnits", "Must be an array")
    elif len(units) > 1:
        part.report("customAggregationUnits", "Size must be between 0 and 1")
    elif units and not (isinstance(units[0], str) and UNIT.fullmatch(units[0])):
        part.report("customAggregationUnits[0]", "Must be 1 to 30 letters, digits or underscores")


def _unit_of(body: JsonObject) -> str:
    units = body.get("customAggregationUnits")
    return units[0] if units else ""


def _unique_pairs(pairs: list[tuple[str, Any]]) -> JsonObject:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _DuplicateFieldError(f"Duplicate field '{twice}'")
    return values


def _unparsable(line: int | str, column: int | str, detail: str = "") -> RefusedError:
    message = f"The request body could not be parsed as JSON (line: {line}, column: {column})"
    return refused(400, message, [{"message": detail}] if detail else [])


def _invalid_to(reason: str) -> RefusedError:
    """LINE's wording for a malformed `to`; which line and column it never says."""
    message = "The property, 'to', in the request body is invalid (line: -, column: -)"
    return refused(400, message, [{"message": reason, "property": "to"}])
