"""Outcomes held against each other: differences by name, and what is still lacking before anybody decides by them."""

from collections.abc import Sequence
from typing import NamedTuple

from functions.measure.experiment_results import Arm, Comparison, Metric
from functions.measure.outcomes import Outcome
from functions.measure.statistics.many import holm
from functions.measure.statistics.planning import (
    ALPHA,
    DAYS_MIN,
    DETECTS,
    Needed,
    needed_for_rate,
    with_days,
)
from functions.measure.statistics.verdicts import Lack, Verdict, compared, too_small


class Pair(NamedTuple):
    """One group and the one that it is held against."""

    arm: str
    control: str
    treated: Outcome
    base: Outcome


def arm_of(name: str, outcome: Outcome) -> Arm:
    """An arm as it is shown."""
    people = outcome.people
    rate, mean = outcome.conversion.mean, outcome.profit.mean
    return Arm(
        name,
        people,
        outcome.waiting,
        outcome.converted,
        rate if people else None,
        mean if people else None,
    )


def held_against(metric: Metric, pairs: Sequence[Pair]) -> list[Comparison]:
    """Each pair in one metric. The chance that any of the intervals ever misses is ALPHA: each is as wide as that asks for,
    and p are Holm's over all pairs."""
    verdicts = [_verdict(metric, pair, ALPHA / len(pairs)) for pair in pairs]
    adjusted = holm([1.0 if one.p is None else one.p for one in verdicts])
    return [
        _named(metric, pair, verdict, p) for pair, verdict, p in zip(pairs, verdicts, adjusted, strict=True)
    ]


def _verdict(metric: Metric, pair: Pair, level: float) -> Verdict:
    one, other = pair.treated, pair.base
    if metric == "conversion":
        acted = min(one.converted, other.converted)
        return compared(one.conversion, other.conversion, level, is_rate=True, acted=acted)
    acted = min(one.buyers, other.buyers)
    return compared(one.profit, other.profit, level, is_rate=False, acted=acted)


def _named(metric: Metric, pair: Pair, verdict: Verdict, p: float) -> Comparison:
    base = pair.base.conversion.mean if metric == "conversion" else pair.base.profit.mean
    return Comparison(
        metric=metric,
        arm=pair.arm,
        control=pair.control,
        difference=verdict.difference,
        low=verdict.low,
        high=verdict.high,
        p=None if verdict.p is None else p,
        relative=verdict.difference / base if base > 0 else None,
        fixed_low=verdict.fixed_low,
        fixed_high=verdict.fixed_high,
        fixed_p=verdict.fixed_p,
        is_sure=verdict.is_sure,
    )


def planned(
    outcomes: Sequence[Outcome], smallest: float, comparisons: int, days: int, window: int
) -> Needed | None:
    """People and days that a rise by a fifth of the rate asks for, the rate being that of all arms together; None before
    anybody has converted. `smallest`: the share of the smallest arm among all that come, `days` that they have come for.
    """
    people, converted = sum(one.people for one in outcomes), sum(one.converted for one in outcomes)
    if not 0 < converted < people:
        return None
    share = min(1.0, smallest / (1 - smallest)) if len(outcomes) == 2 else 1.0  # noqa: PLR2004 — of two arms
    found = needed_for_rate(converted / people, DETECTS, comparisons, share)
    came = people + sum(one.waiting for one in outcomes)
    return with_days(found, came / max(days, 1), smallest, window)


def lacks_of(
    pairs: Sequence[Pair],
    comparisons: Sequence[Comparison],
    days: int,
    needed: Needed | None,
    *,
    mismatch: bool,
) -> list[Lack]:
    """Why nobody should decide by these comparisons yet; nothing where somebody may."""
    if not any(pair.treated.people or pair.base.people for pair in pairs):
        return [Lack("nobody")]
    found = [Lack("ratio")] if mismatch else []
    for pair in pairs:
        acted = min(pair.treated.converted, pair.base.converted)
        found += too_small(pair.treated.conversion, pair.base.conversion, acted)
    if days < DAYS_MIN:
        found.append(Lack("days", days, DAYS_MIN))
    smallest = min(min(pair.treated.people, pair.base.people) for pair in pairs)
    is_settled = any(one.is_sure for one in comparisons)
    if needed is not None and not is_settled and smallest < needed.daily:
        found.append(Lack("planned", smallest, needed.daily))
    return list({lack.code: lack for lack in reversed(found)}.values())[::-1]


def told(lacks: Sequence[Lack]) -> str:
    """What is lacking, in English; empty where nothing is."""
    return "; ".join(lack.in_words() for lack in lacks)
