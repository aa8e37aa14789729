"""docs/models.md: what the models are worth, from real purchases that they have not seen."""

from collections.abc import Iterator

from functions.measure.models.returning import WEEKS
from ops.models.datasets import (
    JOURNEY_CUT,
    Shop,
    cdnow,
    journey,
    journey_consumables,
    journey_hours,
    journey_orders,
)
from ops.models.judging import Group, Habits, Judged, judged, judged_hours, judged_intervals

AHEAD_DAYS = 90

_HEAD = f"""# What the models are worth

Written by `musubi models judge --write docs/models.md`; a test compares. Everything is fitted on the days before a cut and
judged on days after it, which no model has seen. AUC is how often, of two customers, the one who ordered again had the
higher score: 0.5 is a coin, 1.0 a prophet. Calibration puts customers in five groups by what was predicted for them.

* **BG/NBD** (Fader, Hardie and Lee 2005) gives `orders_expected` within 90 days, and `p_alive` of those who have ordered on
  two days or more. In the unit of weeks.
* **One-time buyers** BG/NBD always calls alive. Of them `p_alive` is the probability of any second order within two years of
  the first, by how long others took for theirs (Kaplan and Meier over {WEEKS} weeks, falling off beyond what has been
  seen). How many orders all of them will make together BG/NBD tells well, so it tells that of them too.
* **Intervals** of each item (else category) are lognormal; one's own mean is shrunk to that of all, by so many intervals as
  the variances within and between people ask for.
* **Hours** are where one's clicks, orders and words lie, each spread over its neighbours and everybody's added.

Honestly: recency alone ranks nearly as well as BG/NBD; what the model adds is a number of orders to count with. Nothing
here tells one-time buyers apart but time, and it tells them apart hardly better than a coin: use their figures for groups,
not for persons. BG/NBD finds too few orders at CDNOW, whose buyers came back more than they had before. At the cosmetics
counter it finds nobody who dies (a → 0): a year is too short there, and `p_alive` says nothing yet. A personal hour is
right somewhat more often than everybody's; it is measured on visits to a supermarket, not on a phone.
"""


def document() -> str:
    """The whole page. Some ten seconds."""
    shops = [cdnow(), cdnow(whole=True), journey(journey_orders())]
    parts = [_HEAD, *(section(shop) for shop in shops)]
    intervals, hours = judged_intervals(journey_consumables(), JOURNEY_CUT), judged_hours(journey_hours())
    return "\n".join([*parts, *_habits(intervals, hours)]) + "\n"


def section(shop: Shop) -> str:
    """One shop's figures."""
    return "\n".join(_section(judged(shop, AHEAD_DAYS)))


def _section(one: Judged) -> Iterator[str]:
    model = one.model
    yield f"## {one.shop}\n"
    yield (
        f"{one.customers:,} customers, {one.once:.0%} of whom had ordered on one day only; {one.ahead_days} days after the cut.\n"
    )
    yield "| | |\n|---|---:|"
    yield f"| r, α, a, b | {model.r:.3f}, {model.alpha:.3f}, {model.a:.3f}, {model.b:.3f} |"
    yield f"| days with orders, expected | {one.orders[0]:,.0f} |"
    yield f"| days with orders that came | {one.orders[1]:,.0f} |"
    yield f"| … of one-time buyers: expected, came | {one.orders_once[0]:,.0f}, {one.orders_once[1]:,.0f} |"
    yield f"| AUC of expected orders: who orders at all | {one.auc_expected:.3f} |"
    yield f"| AUC of recency alone | {one.auc_recency:.3f} |"
    yield f"| AUC of p(alive), of those with two days or more | {one.auc_alive:.3f} |"
    yield f"| AUC of a second order, of one-time buyers | {one.auc_returns:.3f} |"
    yield "\n| orders, all customers | people | expected each | came each |\n|---|---:|---:|---:|"
    yield from _rows(one.groups)
    yield "\n| second order, one-time buyers | people | predicted | came |\n|---|---:|---:|---:|"
    yield from _rows(one.returns)
    yield ""


def _rows(groups: list[Group]) -> Iterator[str]:
    for number, (people, predicted, came) in enumerate(groups, start=1):
        yield f"| {number} | {people:,} | {predicted:.3f} | {came:.3f} |"


def _habits(intervals: Habits, hours: Habits) -> Iterator[str]:
    yield "## Intervals and hours: Complete Journey\n"
    yield (
        f"{intervals.cases:,} next purchases of eight consumables: by which factor the day was missed, in the middle; and "
        f"{hours.cases:,} next visits after five: how often within an hour of the one named.\n"
    )
    yield "| | everybody's | one's own | both | weight of everybody's |\n|---|---:|---:|---:|---:|"
    missed, hits = intervals.figures, hours.figures
    yield (
        f"| interval, missed by a factor of | {missed['item']:.2f} | {missed['own']:.2f} | {missed['both']:.2f} "
        f"| {intervals.weight:.1f} |"
    )
    yield f"| hour, hit | {hits['crowd']:.0%} | {hits['own']:.0%} | {hits['both']:.0%} | {hours.weight:.0f} |"
