"""What holds for the whole account: what is blocked, until when, and when each source of events was last heard of."""

import datetime as dt
from collections.abc import Container, Mapping, Sequence
from typing import Literal

import msgspec

from functions.domain.caps import period_end
from functions.domain.instants import Instant
from functions.domain.playbook import Kind, Playbook, Source
from functions.domain.sends import Intent
from functions.domain.watermarks import SourceLog, report_of

BlockReason = Literal["stopped", "breaker_open", "over_quota", "over_budget"]
STOPS: tuple[BlockReason, ...] = ("stopped", "breaker_open")
"""These stay until somebody lifts them; a month or a budget begins anew by itself."""

STOP_FOR = dt.timedelta(minutes=15)
"""How long sending stops where LINE refuses the channel (401, 403): then it is tried again."""
QUOTA_ZONE = "Asia/Tokyo"
"""LINE counts its messages by the calendar months of Japan."""


UNTIL_LIFTED = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
"""The end of a block that has none of its own."""
ACCOUNT_SCOPE = "account"


class Block(msgspec.Struct, frozen=True, omit_defaults=True):
    """Nothing is sent until `until`. `scope`: `account`, or `scenario:`, `campaign:` or `segment:` and a name; no `kinds`:
    all of them. `by` and `why` tell people who wrote it and for what; `since` when."""

    reason: BlockReason
    until: Instant
    scope: str = ACCOUNT_SCOPE
    kinds: list[Kind] = []
    by: str = ""
    why: str = ""
    since: Instant | None = None

    @property
    def is_open_ended(self) -> bool:
        """Whether nothing but lifting ends it."""
        return self.until >= UNTIL_LIFTED

    def concerns(self, kind: Kind, scopes: Container[str], now: Instant) -> bool:
        """Whether it blocks messages of this kind and these scopes (`scopes_of`) now."""
        return self.scope in scopes and (not self.kinds or kind in self.kinds) and self.until > now


class Account(msgspec.Struct, frozen=True):
    """`heard`: source → the newest instant at which events of it were received; `loads`: source → its files."""

    blocks: list[Block] = []
    heard: dict[str, Instant] = {}
    loads: dict[str, SourceLog] = {}

    def is_stopped(self, now: Instant) -> bool:
        """Whether the whole account is stopped, for messages of every kind and for what is no message."""
        return any(
            block.reason == "stopped"
            and block.scope == ACCOUNT_SCOPE
            and not block.kinds
            and block.until > now
            for block in self.blocks
        )


def scopes_of(intent: Intent, *playbooks: Playbook) -> list[str]:
    """Whatever a block may be of that stops this intent. The first of the playbooks that knows the source tells its segment."""
    return scopes_of_source(intent.scenario, intent.campaign, *playbooks)


def scopes_of_source(scenario: str, campaign: str, *playbooks: Playbook) -> list[str]:
    """As `scopes_of`, of a scenario or (where that is empty) a campaign."""
    source = f"scenario:{scenario}" if scenario else f"campaign:{campaign}"
    segment = segment_of(scenario, campaign, *playbooks)
    return [ACCOUNT_SCOPE, source, *([f"segment:{segment}"] if segment else [])]


def segment_of(scenario: str, campaign: str, *playbooks: Playbook) -> str:
    """The segment that a campaign is for, or that people enter a scenario by; empty where there is none."""
    for playbook in playbooks:
        if campaign in playbook.campaigns:
            return playbook.campaigns[campaign].segment
        if scenario in playbook.scenarios:
            entry = playbook.scenarios[scenario].entry
            return entry.segment if entry.on == "entered" else ""
    return ""


def refused_block(now: Instant) -> Block:
    """LINE refuses the channel itself."""
    return Block("stopped", now + STOP_FOR)


def quota_block(now: Instant) -> Block:
    """LINE's messages of this month are used up."""
    return Block("over_quota", period_end("month", now, QUOTA_ZONE))


def stale_sources(
    needs: Sequence[str], sources: Mapping[str, Source], account: Account, now: Instant, zone: str
) -> list[str]:
    """Of the sources that are needed those whose data is not complete enough, or of which nobody ever heard."""
    return [name for name in needs if not _is_fresh(name, sources.get(name), account, now, zone)]


def _is_fresh(name: str, source: Source | None, account: Account, now: Instant, zone: str) -> bool:
    if source is None:
        return False
    log = account.loads.get(name, SourceLog())
    return report_of(source, account.heard.get(name), log, now, zone).state == "fresh"
