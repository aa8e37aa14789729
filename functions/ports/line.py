"""LINE's Messaging API."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from functions.domain.aggregation_units import Unit
from functions.domain.instants import Instant
from functions.domain.money import LineUsage


class Accepted(msgspec.Struct, frozen=True):
    """LINE took the message in (200, or 409 on a repeat): `request_id` is that of the accepted request."""

    request_id: str


class Line(Protocol):
    """The Messaging API."""

    def push(
        self, to: str, messages: Sequence[Mapping[str, Any]], retry_key: str, unit: str = ""
    ) -> Accepted:
        """Push 1–5 message objects. `unit`: what LINE counts them under. Raises Rejected, AccountRefused, RateLimited or
        Unknown."""

    def multicast(
        self, to: Sequence[str], messages: Sequence[Mapping[str, Any]], retry_key: str, unit: str = ""
    ) -> Accepted:
        """Send the same 1–5 message objects to up to 500 users; all of them or none. Raises as `push` does."""

    def link_menu(self, user: str, rich_menu_id: str) -> None:
        """Show one user this rich menu; any number of times. Raises as `push` does."""

    def unlink_menu(self, user: str) -> None:
        """Show one user the account's default again; any number of times. Raises as `push` does."""


class AggregationUnits(Protocol):
    """The registers of the names under which LINE counts, one a month in Japan."""

    def take(self, unit: Unit, now: Instant) -> str:
        """The unit's name, taken for this month; empty where LINE would not count under it. The same in every attempt."""

    def of_month(self, month: str) -> list[Unit]:
        """All units of a month (2026-11)."""


class LineQuota(Protocol):
    """What LINE tells of its monthly quota."""

    def usage(self) -> LineUsage:
        """The limit and the use of this month. Raises MusubiError where LINE does not tell."""
