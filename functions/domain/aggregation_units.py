"""LINE's aggregation units: the names under which LINE counts how often messages were opened and tapped.

A channel has 1,000 names a calendar month in Japan; LINE sends under the 1,001st without it, and says nothing. So each
name is taken in a register before it is used, and stands for one step and variant of a scenario in a month, or for one
run of a campaign. It hangs on when the message was made: every attempt bears the same one.
"""

import datetime as dt
import hashlib

import msgspec

from functions.domain.instants import Instant
from functions.domain.sends import Intent

JAPAN = dt.timezone(dt.timedelta(hours=9))
NAMES_A_MONTH_MAX = 1_000
"""LINE's own limit (Messaging API reference, customAggregationUnits)."""
NEW_NAMES_A_MONTH_MAX = 950
"""The rest is for names of the month before, whose messages were made before midnight and go after it."""
_HASH_DIGITS = 20


class Unit(msgspec.Struct, frozen=True, omit_defaults=True):
    """A name and what it stands for. `made_at`: when the message was made that first bore it."""

    name: str
    made_at: Instant
    scenario: str = ""
    campaign: str = ""
    step: str = ""
    variant: str = ""
    run: str = ""

    @property
    def month(self) -> str:
        """The month in Japan that the name belongs to."""
        return month_of(self.made_at)


def month_of(at: Instant) -> str:
    """The calendar month in Japan, such as 2026-11."""
    return at.astimezone(JAPAN).strftime("%Y-%m")


def unit_of(intent: Intent) -> Unit:
    """The unit that an intent's message is counted under."""
    run = intent.source if intent.campaign else ""
    told = ("run", run) if run else ("step", intent.scenario, intent.step, intent.variant)
    digest = hashlib.sha256("\x1f".join(told).encode()).hexdigest()[:_HASH_DIGITS]
    name = f"m{month_of(intent.made_at).replace('-', '')}_{digest}"
    return Unit(name, intent.made_at, intent.scenario, intent.campaign, intent.step, intent.variant, run)


def names_max(unit: Unit, month: str) -> int:
    """How many names a month's register may hold before this one is refused."""
    return NEW_NAMES_A_MONTH_MAX if unit.month == month else NAMES_A_MONTH_MAX
