"""One group held against another in one number: what may be said of it today, and what is still lacking."""

from typing import Literal

import msgspec

from functions.measure.statistics import fixed, sequential
from functions.measure.statistics.samples import Sample
from functions.measure.statistics.sequential import FLOOR_EVENTS, FLOOR_PEOPLE

LackCode = Literal["nobody", "people", "conversions", "planned", "days", "ratio", "no_control", "no_measure"]

_WORDS: dict[str, tuple[str, str]] = {
    "nobody": ("nobody has been through it yet", "まだだれも対象になっていません"),
    "people": (
        "the smallest group has {have:,.0f} people, and {need:,.0f} are needed",
        "いちばん小さい群が{have:,.0f}人です({need:,.0f}人必要)",
    ),
    "conversions": (
        "in one group only {have:,.0f} people acted, and {need:,.0f} are needed",
        "行動した方が{have:,.0f}人だけの群があります({need:,.0f}人必要)",
    ),
    "planned": (
        "{have:,.0f} of {need:,.0f} people planned for the smallest group",
        "いちばん小さい群は予定{need:,.0f}人のうち{have:,.0f}人です",
    ),
    "days": (
        "it has run for {have:,.0f} of at least {need:,.0f} days",
        "まだ{have:,.0f}日です(少なくとも{need:,.0f}日)",
    ),
    "ratio": (
        "the groups are not as large as their shares say: do not believe the result, find out who is missing",
        "群の人数が決めた割合と合いません。結果を信じず、だれが抜けたかを調べてください",
    ),
    "no_control": (
        "nobody is held out, so there is nothing to compare with",
        "比べるための方(holdout)がいません",
    ),
    "no_measure": ("the playbook has no section measure", "playbook.yaml に measure がありません"),
}


class Lack(msgspec.Struct, frozen=True):
    """What is not enough, and by how much."""

    code: LackCode
    have: float = 0.0
    need: float = 0.0

    def in_words(self, language: Literal["en", "ja"] = "en") -> str:
        """One clause, without a full stop."""
        return _WORDS[self.code][language == "ja"].format(have=self.have, need=self.need)


class Verdict(msgspec.Struct, frozen=True):
    """The difference in means (treated less control). The interval and p are always-valid: they may be looked at daily.

    None while the groups are too small for any to hold. `fixed_*`: the same for one look settled beforehand.
    """

    difference: float
    low: float | None = None
    high: float | None = None
    p: float | None = None
    fixed_low: float | None = None
    fixed_high: float | None = None
    fixed_p: float | None = None

    @property
    def is_sure(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def compared(treated: Sample, control: Sample, level: float, *, is_rate: bool, acted: int) -> Verdict:
    """The verdict at this level. `acted`: how many did anything at all, in the group in which fewest did."""
    if too_small(treated, control, acted):
        return Verdict(treated.mean - control.mean)
    always = (sequential.proportions if is_rate else sequential.means)(treated, control, level)
    once = (fixed.proportions if is_rate else fixed.means)(treated, control, level)
    return Verdict(always.difference, always.low, always.high, always.p, once.low, once.high, once.p)


def too_small(treated: Sample, control: Sample, acted: int) -> list[Lack]:
    """What keeps two groups from being compared at all."""
    people = min(treated.people, control.people)
    found = [Lack("people", people, FLOOR_PEOPLE)] if people < FLOOR_PEOPLE else []
    return [*found, Lack("conversions", acted, FLOOR_EVENTS)] if acted < FLOOR_EVENTS else found
