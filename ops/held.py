"""Messages that are held: by which reason, and until when. Read from the timers, by source."""

from collections.abc import Iterator
from typing import Any

import msgspec

from functions.aws.parallel_scans import scanned
from functions.aws.send_reports import field_text
from functions.domain.accounts import number_of
from functions.domain.instants import Instant, format_instant, parse_instant
from functions.domain.sends import HoldNote
from ops.stores import Stores


class HeldMessage(msgspec.Struct, frozen=True):
    """What the accounts need of a held `Intent`; `until` is its timer's. What has no source is a menu, and no message."""

    send_id: str
    source: str = ""
    holds: list[HoldNote] = []
    until: Instant | None = None

    @property
    def reason(self) -> str:
        """What it waits for."""
        return self.holds[-1].reason if self.holds else ""


class Waiting(msgspec.Struct, frozen=True):
    """Messages held for one reason; the first of them come up at `first`, the last at `last`."""

    reason: str
    messages: int
    first: Instant
    last: Instant

    def as_json(self) -> dict[str, Any]:
        """Instants as texts."""
        return {
            "reason": self.reason,
            "messages": self.messages,
            "first": format_instant(self.first),
            "last": format_instant(self.last),
        }

    def with_one(self, until: Instant) -> "Waiting":
        """One more."""
        return Waiting(self.reason, self.messages + 1, min(self.first, until), max(self.last, until))


_held = msgspec.json.Decoder(HeldMessage)


def held_of(stores: Stores, source: str = "") -> Iterator[HeldMessage]:
    """Every held message once, of one source where one is named. All timers are read: they hold what is due, no past.

    80 bytes a held message stay in memory, so that a row that is about to go and its successor count as one.
    """
    condition: dict[str, Any] = {"FilterExpression": "attribute_exists(body)"}
    if source:
        condition = {
            "FilterExpression": "contains(body, :source)",
            "ExpressionAttributeValues": {":source": {"S": field_text("source", source)}},
        }
    seen: set[int] = set()
    table, client = stores.settings.table_timers, stores.target.client("dynamodb")
    for item in scanned(client, table, **condition):
        held = _held.decode(item["body"]["S"])
        number = number_of(held.send_id)
        if held.source and number not in seen and source in ("", held.source):
            seen.add(number)
            yield msgspec.structs.replace(held, until=parse_instant(item["due"]["S"]))


def held_by_source(stores: Stores) -> dict[str, list[Waiting]]:
    """What is held of each source, by reason."""
    found: dict[tuple[str, str], Waiting] = {}
    for held in held_of(stores):
        assert held.until is not None
        key = (held.source, held.reason)
        earlier = found.get(key)
        found[key] = (
            earlier.with_one(held.until) if earlier else Waiting(held.reason, 1, held.until, held.until)
        )
    by_source: dict[str, list[Waiting]] = {}
    for (source, _), waiting in sorted(found.items()):
        by_source.setdefault(source, []).append(waiting)
    return by_source
