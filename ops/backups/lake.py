"""What the lake tells of the time after a backup: facts, by whose they are, each in its newest version.

Facts wait as raw lines until the night merges them into a day's file. A day's file that nobody wrote since the backup tells
nothing new, and is not read.
"""

import datetime as dt
import gzip
import io
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from functions.domain.facts import (
    CLICKS,
    EVENTS,
    FRIENDSHIPS,
    JOURNEYS,
    PEOPLE,
    SENDS,
    Click,
    EventFact,
    Friendship,
    JourneyFact,
    PersonFact,
    Send,
)
from functions.domain.lake import Table
from ops.stores import Stores

MARGIN_SECONDS = 300.0
"""Clocks differ, and a stream is read a little later: what is looked at twice changes nothing."""
Happened = EventFact | Click | Friendship
_Fact = TypeVar("_Fact", bound=msgspec.Struct)


class Since(msgspec.Struct, frozen=True):
    """Facts since a backup: by the customer's id as facts have it."""

    sends: dict[str, list[Send]]
    journeys: dict[str, list[JourneyFact]]
    happened: dict[str, list[Happened]]
    people: list[PersonFact]

    @property
    def named(self) -> set[str]:
        """Everybody of whom anything is told."""
        return {*self.sends, *self.journeys, *self.happened}


def facts_since(stores: Stores, wall: float) -> Since:
    """All that was written since, a little before it included."""
    since = wall - MARGIN_SECONDS
    happened: dict[str, list[Happened]] = defaultdict(list)
    for found in (
        _facts(stores, EVENTS, EventFact, since),
        _facts(stores, CLICKS, Click, since),
        _facts(stores, FRIENDSHIPS, Friendship, since),
    ):
        for one in found:
            happened[one.customer_id].append(one)
    return Since(
        _by_customer(_facts(stores, SENDS, Send, since)),
        _by_customer(_facts(stores, JOURNEYS, JourneyFact, since)),
        dict(happened),
        _facts(stores, PEOPLE, PersonFact, since),
    )


def _by_customer(facts: list[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for one in facts:
        found[one.customer_id].append(one)
    return dict(found)


def _facts(stores: Stores, table: Table, kind: type[_Fact], since: float) -> list[_Fact]:
    newest: dict[tuple[Any, ...], Any] = {}
    for row in _rows(stores, table, kind, since):
        fact: Any = row
        if fact.seen_at.timestamp() < since:
            continue
        key = tuple(getattr(fact, name) for name in table.key)
        if key not in newest or newest[key].seen_at < fact.seen_at:
            newest[key] = fact
    return list(newest.values())


def _rows(stores: Stores, table: Table, kind: type[_Fact], since: float) -> Iterator[_Fact]:
    decoder = msgspec.json.Decoder(kind)
    for key in _written(stores, table.raw_prefix, since):
        for line in gzip.decompress(stores.objects.read(key) or gzip.compress(b"")).splitlines():
            yield decoder.decode(line)
    for key in _written(stores, table.prefix, since):
        yield from (_told(row, kind) for row in _parquet(stores.objects.read(key) or b""))


def _written(stores: Stores, prefix: str, since: float) -> Iterator[str]:
    pages = stores.target.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=stores.settings.bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            if item["LastModified"].timestamp() >= since:
                yield item["Key"]


def _parquet(body: bytes) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq  # noqa: PLC0415 — slow to import, and only a restore reads it

    rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(body)).to_pylist() if body else []
    return rows


def _told(row: dict[str, Any], kind: type[_Fact]) -> _Fact:
    """A row of a file as the fact that it was: instants are UTC without a zone there."""
    aware = {
        name: value.replace(tzinfo=dt.UTC) if isinstance(value, dt.datetime) and not value.tzinfo else value
        for name, value in row.items()
    }
    return msgspec.convert(aware, kind)
