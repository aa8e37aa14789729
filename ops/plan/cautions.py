"""What in a forecast somebody should look at before the playbook is applied."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from functions.domain.playbook import Playbook
from ops.plan.quota import Month
from ops.plan.trials import trials

SMALL = 30
"""Fewer people than that show nothing, whatever comes of it."""

Code = Literal[
    "nobody_reachable",
    "segment_empty",
    "segment_small",
    "nobody_enters",
    "nothing_sent",
    "cap_never_reached",
    "messages_max",
    "yen_max",
    "month_runs_out",
    "campaign_yen_max",
    "experiment_people",
    "experiment_days",
]


class Caution(msgspec.Struct, frozen=True):
    """One warning: what kind, about which name, and the number that it rests on."""

    code: Code
    about: str
    number: float = 0


class Findings(msgspec.Struct, frozen=True):
    """What the warnings are read from. `sizes`, `entered`, `targeted`, `sent` by name; `reasons` that held or stopped
    anything; `beyond_budget`: messages beyond what a campaign's own budget pays for, by campaign; `eventful`: events are
    assumed to come, so that a scenario that begins with one could be entered; `days`: over how many people entered."""

    playbook: Playbook
    reachable: int
    sizes: dict[str, int]
    entered: dict[str, int]
    targeted: dict[str, int]
    sent: dict[str, int]
    reasons: set[str]
    months: list[Month]
    eventful: bool
    beyond_budget: dict[str, int] = {}
    days: int = 0


def cautions(found: Findings) -> list[Caution]:
    """All warnings, the gravest first."""
    return [
        *_over(found),
        *([] if found.reachable else [Caution("nobody_reachable", "")]),
        *_segments(found),
        *_scenarios(found),
        *_campaigns(found),
        *_experiments(found),
        *_caps(found),
    ]


def _over(found: Findings) -> Iterator[Caution]:
    for month in found.months:
        if "messages_max" in month.over:
            yield Caution("messages_max", month.month, month.messages)
        if "yen_max" in month.over:
            yield Caution("yen_max", month.month, month.yen)
        if month.waiting:
            yield Caution("month_runs_out", month.month, month.waiting)
    for name, messages in sorted(found.beyond_budget.items()):
        if messages > 0:
            yield Caution("campaign_yen_max", name, messages)


def _segments(found: Findings) -> Iterator[Caution]:
    """Segments that somebody is to be sent to: those of campaigns, and those that scenarios begin with."""
    book = found.playbook
    used = {campaign.segment for campaign in book.campaigns.values() if campaign.on}
    used |= {one.entry.segment for one in book.scenarios.values() if one.on and one.entry.segment}
    for name in sorted(used):
        size = found.sizes.get(name, 0)
        if not size:
            yield Caution("segment_empty", name)
        elif size < SMALL:
            yield Caution("segment_small", name, size)


def _scenarios(found: Findings) -> Iterator[Caution]:
    for name, scenario in sorted(found.playbook.scenarios.items()):
        could = found.eventful or scenario.entry.segment
        if scenario.on and could and not found.entered.get(name):
            yield Caution("nobody_enters", name)


def _campaigns(found: Findings) -> Iterator[Caution]:
    for name in sorted(found.playbook.campaigns):
        if found.targeted.get(name) and not found.sent.get(name):
            yield Caution("nothing_sent", name, found.targeted[name])


def _caps(found: Findings) -> Iterator[Caution]:
    for cap in found.playbook.caps:
        if f"capped:{cap.id}" not in found.reasons:
            yield Caution("cap_never_reached", cap.id)


def _experiments(found: Findings) -> Iterator[Caution]:
    """How many people each needs an arm, or, where anybody comes, for how many days it has to run."""
    for experiment, people, days in trials(found.playbook, found.entered, found.days):
        yield Caution("experiment_people", experiment, people)
        if days is not None:
            yield Caution("experiment_days", experiment, days)
