"""How many people an experiment needs, and for how long it has to run: said before it begins."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from functions.domain.playbook import Measure, Playbook, Split

RATE, RISE = 0.05, 0.2
"""Where a scenario's target does not say from what to what: a rate of 5 % that rises by a fifth."""
_TARGET = re.compile(r"([0-9.]+)\s*[%％]\s*(?:→|->)\s*([0-9.]+)\s*[%％]")
DAY_SECONDS = 86_400


class Trial(NamedTuple):
    """An experiment of a scenario that is on: people an arm, with daily looks; days, None where nobody enters."""

    experiment: str
    people: int
    days: int | None


def trials(playbook: Playbook, entered: Mapping[str, int], over_days: int) -> Iterator[Trial]:
    """Of each scenario with a split, by how many entered it over so many days; all who enter are taken to come so far.

    What is to be found is the scenario's own target (`12% → 15%`).
    """
    # Here, for SciPy takes half a second and most playbooks have no experiment that is on.
    from functions.measure.statistics.planning import needed_for_rate, with_days  # noqa: PLC0415

    for name, scenario in sorted(playbook.scenarios.items()):
        splits = (
            [step.experiment for step in scenario.steps if isinstance(step, Split)] if scenario.on else []
        )
        for experiment in dict.fromkeys(splits):
            weights = list(playbook.experiments[experiment].variants.values())
            smallest, (rate, rise) = min(weights) / sum(weights), sought(scenario.target)
            share = smallest / (1 - smallest) if len(weights) == 2 else 1.0  # noqa: PLR2004 — of two arms
            needed = needed_for_rate(rate, rise, len(weights) - 1, share)
            window = _window_days(playbook.measure, playbook.experiments[experiment].measures)
            planned = with_days(needed, entered.get(name, 0) / max(over_days, 1), smallest, window)
            yield Trial(experiment, planned.daily, planned.days)


def sought(target: str) -> tuple[float, float]:
    """The rate that a target starts from, and by which part of itself it is to rise."""
    found = _TARGET.search(target)
    if found is None:
        return RATE, RISE
    before, after = float(found[1]) / 100, float(found[2]) / 100
    if not 0 < before < 1 or not 0 < after < 1 or before == after:
        return RATE, RISE
    return before, after / before - 1


def _window_days(measure: Measure, goal: str) -> int:
    if not measure.goals:
        return 0
    chosen = measure.goals.get(goal) or next(iter(measure.goals.values()))
    return -(-chosen.within_seconds // DAY_SECONDS)
