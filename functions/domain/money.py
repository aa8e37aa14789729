"""Money: what a month's messages cost, how many of them the quota and the budgets let pass, and who stops first.

Sending and the forecast go by the same functions, so that what `plan` warns of is what the sender holds back.
"""

from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from functions.domain.account import QUOTA_ZONE, UNTIL_LIFTED, Block
from functions.domain.caps import period_end
from functions.domain.instants import Instant
from functions.domain.playbook import Kind, Playbook, Price
from functions.domain.sends import Intent

Reason = Literal["over_quota", "over_budget"]
Tier = Literal["prompt", "scenario", "campaign"]
TIERS: tuple[Tier, ...] = ("prompt", "scenario", "campaign")
"""Who may use up how much of a month, from what matters most: support and notifications, promotions of scenarios,
promotions of campaigns."""


class Purse(msgspec.Struct, frozen=True):
    """What a message is paid from: a part of the month, and the campaign run's own budget where there is one.

    `run`: the run (`campaign@occurrence`), empty where the campaign has no budget of its own.
    """

    tier: Tier
    run: str = ""


class LineUsage(msgspec.Struct, frozen=True):
    """What LINE says of the month: its limit (None: it sets none) and the messages that it has counted, about."""

    limit: int | None
    used: int


class Count(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one counter holds, in messages. `used`: what was reserved; all else only where it counts a month.

    `line_total`, `line_limit`: what LINE said at `told_at`, when `used` stood at `used_then`; `reserved_at`: the last
    reservation; `beyond`: what LINE has surely counted that is not ours, by any of its answers of this month.
    """

    used: int = 0
    line_total: int = 0
    used_then: int = 0
    line_limit: int | None = None
    told_at: Instant | None = None
    reserved_at: Instant | None = None
    beyond: int = 0

    @property
    def external(self) -> int:
        """What LINE has counted and nobody here has reserved: sent by hand, or before the first reservation.

        LINE's answer is late: in the midst of a campaign it is less than what we have reserved, and would hide it.
        """
        return max(self.beyond, self.line_total - self.used_then)

    @property
    def taken(self) -> int:
        """All of the month's messages as far as anybody knows, what is reserved and not sent yet included."""
        return self.used + self.external


def surely_beyond(count: Count, usage: LineUsage) -> int:
    """What LINE has counted that is surely not ours. `count`: as it is after LINE's answer, so that whatever LINE may have
    counted of ours is in it."""
    return max(count.beyond, usage.used - count.used)


class Limit(msgspec.Struct, frozen=True):
    """So many messages at most, and what it is called when there are no more."""

    messages: int
    reason: Reason


def month_of(now: Instant) -> str:
    """The month that LINE counts by, such as `2026-11`."""
    return now.astimezone(ZoneInfo(QUOTA_ZONE)).strftime("%Y-%m")


def month_counter(now: Instant) -> str:
    """The name of the counter of the month."""
    return f"month#{month_of(now)}"


def run_counter(run: str) -> str:
    """The name of the counter of a campaign run."""
    return f"run#{run}"


def tier_of(kind: Kind | str, *, by_campaign: bool) -> Tier:
    """Where a message stands when the month runs out."""
    if kind != "promotion":
        return "prompt"
    return "campaign" if by_campaign else "scenario"


def purse_of(intent: Intent, playbook: Playbook) -> Purse:
    """What this message is paid from, by the budgets of the playbook in force."""
    tier = tier_of(intent.kind, by_campaign=bool(intent.campaign))
    budget = run_limit(intent.source, playbook) if intent.campaign else None
    return Purse(tier, "" if budget is None else intent.source)


def yen_of(messages: int, price: Price) -> Decimal:
    """What a month of so many messages costs: the plan, and each message beyond the free ones."""
    return price.plan_yen + max(0, messages - price.free_messages) * _each(price)


def month_limit(price: Price, line_limit: int | None) -> Limit | None:
    """The tightest of LINE's quota and our own limits on a month; None where there is none at all."""
    limits = []
    if line_limit is not None:
        limits.append(Limit(line_limit, "over_quota"))
    if price.messages_max is not None:
        limits.append(Limit(price.messages_max, "over_quota"))
    if price.yen_max is not None and price.yen_each:
        beyond = max(0, price.yen_max - price.plan_yen) // _each(price)
        limits.append(Limit(price.free_messages + int(beyond), "over_budget"))
    return min(limits, key=lambda limit: limit.messages, default=None)


def percent_used(count: Count, limit: Limit) -> int:
    """How much of a month is used, reserved messages included; 100 of a month that allows none."""
    return min(100, 100 * count.taken // limit.messages) if limit.messages > 0 else 100


def tier_limit(limit: Limit | None, tier: Tier, reserve_percent: int) -> Limit | None:
    """How far into the month this tier may go: each tier leaves `reserve_percent` of it to every one that matters more."""
    if limit is None:
        return None
    kept = limit.messages * reserve_percent // 100 * TIERS.index(tier)
    return Limit(max(0, limit.messages - kept), limit.reason)


def run_limit(run: str, playbook: Playbook) -> Limit | None:
    """How many messages a campaign run's own budget pays for; None where it has none. Every message counts in full,
    those that are free with the plan too."""
    campaign, each = playbook.campaigns.get(run.partition("@")[0]), _each(playbook.price)
    if campaign is None or campaign.yen_max is None or not each:
        return None
    return Limit(int(campaign.yen_max // each), "over_budget")


def refusal_of(reason: Reason, now: Instant, *, of_run: bool) -> Block:
    """The block that a message without a unit meets. The month begins anew by itself, a run's budget does not; until
    then it waits as at any block, since units come back and limits are raised."""
    return Block(reason, UNTIL_LIFTED if of_run else period_end("month", now, QUOTA_ZONE))


def _each(price: Price) -> Decimal:
    """Decimal as it was written: 2.2 yen are not a float's 2.2000000000000001776."""
    return Decimal(str(price.yen_each))
