"""The breaker: what too many people block the account after is stopped, until a person looks at it.

A block counts for whatever the person was sent within the window before it: the campaign or scenario, and the segment
that it is for. Counts are kept by the day, in Japan, on which the message was sent, so that both sides of a rate speak
of the same messages.
"""

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo

import msgspec

from functions.domain.account import ACCOUNT_SCOPE, QUOTA_ZONE, UNTIL_LIFTED, Block, scopes_of_source
from functions.domain.gate import Gate, may_have_arrived
from functions.domain.instants import DAY, Instant
from functions.domain.playbook import Breaker, Playbook

WINDOW_MAX = dt.timedelta(hours=72)
CLOCKS_APART_MAX = dt.timedelta(minutes=1)
"""LINE's clock tells when somebody left, ours when the message went out."""


class Counts(msgspec.Struct, frozen=True):
    """How many messages of one scope were sent, and after how many of them the account was blocked; both since
    `lifted_at`, where its breaker was lifted within these days."""

    sent: int = 0
    blocked: int = 0
    lifted_at: Instant | None = None

    @property
    def percent(self) -> float:
        """The block rate."""
        return 100 * self.blocked / self.sent if self.sent else 0.0


def day_of(at: Instant) -> str:
    """The day in Japan under which a message sent at this instant is counted."""
    return at.astimezone(ZoneInfo(QUOTA_ZONE)).date().isoformat()


def days_until(now: Instant, window: dt.timedelta) -> list[str]:
    """The days on which messages were sent that a block now may count for."""
    return sorted(
        {day_of(now - number * DAY) for number in range(window // DAY + 1)} | {day_of(now - window)}
    )


def sent_before(
    gate: Gate, line_user_id: str, left_at: Instant, rule: Breaker, playbook: Playbook
) -> dict[str, Instant]:
    """What a person who left at this instant was sent within the window: scope → when the newest of it was sent."""
    begin, end = left_at - dt.timedelta(seconds=rule.window_seconds), left_at + CLOCKS_APART_MAX
    found: dict[str, Instant] = {}
    for claim in gate.claims:
        if claim.to == line_user_id and may_have_arrived(claim) and begin <= claim.key_at <= end:
            for scope in _scopes_of_passage(claim.passage, playbook):
                found[scope] = max(claim.key_at, found.get(scope, claim.key_at))
    return found


def _scopes_of_passage(passage: str, playbook: Playbook) -> list[str]:
    """A passage is `scenario/occurrence`, or `campaign@instant/occurrence` (`Intent.passage`)."""
    source, _, _ = passage.rpartition("/")
    campaign, is_run, _ = source.partition("@")
    scopes = scopes_of_source("" if is_run else source, campaign if is_run else "", playbook)
    return [scope for scope in scopes if scope != ACCOUNT_SCOPE]


def still_counting(sent: Mapping[str, Instant], counts: Mapping[str, Counts]) -> dict[str, Instant]:
    """Without what was sent before the breaker of its scope was lifted: whoever lifted it knew of that."""
    return {
        scope: at
        for scope, at in sent.items()
        if (lifted_at := counts.get(scope, Counts()).lifted_at) is None or at > lifted_at
    }


def opened(scope: str, counts: Counts, rule: Breaker, now: Instant) -> Block | None:
    """The block to write where the rate of enough sends is above the threshold."""
    if counts.sent < rule.sends_min or counts.percent <= rule.block_rate_percent:
        return None
    hours = rule.window_seconds / 3600
    why = (
        f"{counts.percent:.1f} % of {counts.sent:,} recipients blocked the account within {hours:g} h "
        f"({rule.block_rate_percent:g} % is the most)"
    )
    return Block("breaker_open", UNTIL_LIFTED, scope, by="the breaker", why=why, since=now)
