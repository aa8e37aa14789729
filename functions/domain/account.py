"""What holds for the whole account: what is blocked, until when, and when each source of events was last heard of."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from functions.domain.caps import period_end
from functions.domain.instants import Instant
from functions.domain.playbook import Kind, Source
from functions.domain.sends import Intent

BlockReason = Literal["stopped", "breaker_open", "over_quota", "over_budget"]

STOP_FOR = dt.timedelta(minutes=15)
"""How long sending stops where LINE refuses the channel (401, 403): then it is tried again."""
QUOTA_ZONE = "Asia/Tokyo"
"""LINE counts its messages by the calendar months of Japan."""


class Block(msgspec.Struct, frozen=True, omit_defaults=True):
    """Nothing is sent until `until`. `scope`: `account`, `scenario:<name>` or `campaign:<name>`; no `kinds`: all."""

    reason: BlockReason
    until: Instant
    scope: str = "account"
    kinds: list[Kind] = []

    def concerns(self, intent: Intent, now: Instant) -> bool:
        """Whether it blocks this intent now."""
        source = f"scenario:{intent.scenario}" if intent.scenario else f"campaign:{intent.campaign}"
        concerned = self.scope in ("account", source) and (not self.kinds or intent.kind in self.kinds)
        return concerned and self.until > now


class Account(msgspec.Struct, frozen=True):
    """`heard`: source → the newest instant at which events of it were received."""

    blocks: list[Block] = []
    heard: dict[str, Instant] = {}


def refused_block(now: Instant) -> Block:
    """LINE refuses the channel itself."""
    return Block("stopped", now + STOP_FOR)


def quota_block(now: Instant) -> Block:
    """LINE's messages of this month are used up."""
    return Block("over_quota", period_end("month", now, QUOTA_ZONE))


def stale_sources(
    needs: Sequence[str], sources: Mapping[str, Source], heard: Mapping[str, Instant], now: Instant
) -> list[str]:
    """Of the sources that are needed those whose newest word is too old, or of which nobody ever heard."""
    return [name for name in needs if not _is_fresh(sources.get(name), heard.get(name), now)]


def _is_fresh(source: Source | None, heard_at: Instant | None, now: Instant) -> bool:
    if source is None or heard_at is None:
        return False
    return now - heard_at < dt.timedelta(seconds=source.fresh_seconds)
