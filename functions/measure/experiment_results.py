"""What experiments and holdouts have shown, as values: what reports print.

Everybody counts in the arm they were given, whatever became of the message; a person counts from the day on which the time to act (the goal's window) is over for them, so that who came yesterday does
not look like somebody who did not buy. Intervals and p are always-valid: these results may be read every day.
"""

import datetime as dt
from typing import Literal

import msgspec

from functions.measure.statistics.planning import Needed
from functions.measure.statistics.verdicts import Lack

Metric = Literal["conversion", "gross_profit"]
"""People who reached the goal; or yen a person: gross profit less coupons and messages."""
ScopeKind = Literal["all", "scenario", "campaign"]


class Arm(msgspec.Struct, frozen=True):
    """One group. `people`: those whose time to act is over; `waiting`: those for whom it is not; `conversions`: of people;
    `conversion_rate`: None where there are no people; `gross_profit`: yen a person, net of coupons and messages."""

    name: str
    people: int
    waiting: int
    conversions: int
    conversion_rate: float | None
    gross_profit: float | None


class Comparison(msgspec.Struct, frozen=True):
    """One arm against the control in one metric. `p` is Holm's over all arms, and the interval as wide as that asks for.

    `relative`: the difference as a part of the control's mean; None where that is not above zero.
    """

    metric: Metric
    arm: str
    control: str
    difference: float
    low: float | None
    high: float | None
    p: float | None
    relative: float | None
    fixed_low: float | None
    fixed_high: float | None
    fixed_p: float | None
    is_sure: bool


class ExperimentResult(msgspec.Struct, frozen=True):
    """`changes`: the one declared difference; `goal`: what is measured first; `first_at`: the first exposure;
    `needed`: people an arm and days, said from the rate of all arms together; `srm_p`: always-valid, of the sample ratio.

    `enough`: whether somebody may decide by it: sure or as large as planned, whole weeks, arms of the right size;
    `lacks`: why not, and `why_not` the same in English (`Lack.in_words("ja")` for Japanese).
    """

    experiment: str
    changes: str
    owner: str
    goal: str
    window_days: int
    first_at: dt.datetime | None
    days: int
    arms: list[Arm]
    comparisons: list[Comparison]
    srm_p: float
    needed: Needed | None
    enough: bool
    lacks: list[Lack]
    why_not: str


class Lift(msgspec.Struct, frozen=True):
    """Those who were to get messages against those held out, by intention to treat. `segment`: empty for everybody;
    `incremental`: difference × people not held out: conversions, and yen net of coupons and messages, that there would not
    have been."""

    scope_kind: ScopeKind
    scope: str
    segment: str
    goal: str
    window_days: int
    treated: Arm
    held_out: Arm
    conversion: Comparison
    gross_profit: Comparison
    incremental_conversions: float
    incremental_gross_profit: float
    srm_p: float
    needed: Needed | None
    enough: bool
    lacks: list[Lack]
    why_not: str
