"""Faults, drawn from the seed: how often each kind strikes in this world, and how often it did."""

import random
from collections import Counter
from types import MappingProxyType
from typing import Literal, NamedTuple

from tests.fakes.line import Outcome

Kind = Literal[
    "crash",
    "overtaken",
    "table_conflict",
    "table_throttled",
    "table_unanswered",
    "table_conflict_with_itself",
    "table_answers_known",
    "queue_refuses",
    "queue_duplicates",
    "queue_late_copy",
    "queue_impatient",
    "queue_delays",
    "queue_fails",
    "line_slow",
    "quota_untold",
    "clock_differs",
    "event_repeated",
    "event_late",
]
Draw = Literal[
    "playbook_applied",
    "applied_midway",
    "back_fill",
    "history_imported",
    "calendar_cap",
    "category_cap",
    "needs_fresh",
    "exclusion_rule",
    "consent_of_two_kinds",
    "reads_context",
    "dictionary_changed",
    "experiment_changed",
    "holdout_changed",
    "caps_changed",
    "consent_changed",
    "quiet_hours_changed",
    "context_changed",
    "zone_changed",
    "correction",
    "event_refused",
    "link_undone",
    "customers_merged",
    "customers_parted",
    "said_in_chat",
    "hours_chosen",
    "quota_small",
    "quota_late",
    "sent_by_hand",
    "month_limited",
    "run_limited",
    "breaker_watches",
    "breaker_opened",
    "stopped",
    "resumed",
    "needs_approval",
    "run_approved",
    "run_rejected",
]
"""What is no fault, and has to happen all the same."""
LINE_FAULTS: tuple[Outcome, ...] = (
    "timeout",
    "500",
    "accept_then_timeout",
    "accept_then_500",
    "rate",
    "same_user",
    "400",
    "401",
    "403",
    "monthly",
)
_OUTAGES: tuple[tuple[Outcome, ...], ...] = (
    ("timeout",),
    ("accept_then_timeout",),
    ("accept_then_timeout",),
    ("500",),
    ("timeout", "accept_then_500", "same_user", "400"),
    ("timeout", "accept_then_timeout", "400"),
)
_SELDOM: frozenset[str] = frozenset({"401", "403", "monthly"})
"""These stop the whole account for a while: a world in which they come all the time would see nothing else."""
_RATES = {
    "crash": (0.0, 0.002, 0.01, 0.03),
    "overtaken": (0.0, 0.01, 0.05, 0.15),
    "table_conflict": (0.0, 0.01, 0.05),
    "table_throttled": (0.0, 0.005, 0.02),
    "table_unanswered": (0.0, 0.005, 0.02),
    "table_conflict_with_itself": (0.0, 0.01, 0.05),
    "table_answers_known": (0.0, 0.02, 0.1),
    "queue_refuses": (0.0, 0.02, 0.2),
    "queue_duplicates": (0.0, 0.05, 0.3),
    "queue_impatient": (0.0, 0.2, 0.5),
    "queue_late_copy": (0.0, 0.01, 0.05),
    "queue_delays": (0.0, 0.05, 0.2),
    "queue_fails": (0.0, 0.02, 0.1),
    "line_slow": (0.0, 0.05, 0.3),
    "quota_untold": (0.0, 0.0, 0.3),
    "event_repeated": (0.0, 0.1, 0.3),
    "event_late": (0.0, 0.2, 0.5),
}
CLOCKS_APART_SECONDS: tuple[float, ...] = (0, 0, 0.5, 5)
"""How far a worker's clock may be from the true time, either way."""


class Outage(NamedTuple):
    """LINE answers every call in one of these ways, for so many hours."""

    from_hour: float
    hours: float
    answers: tuple[Outcome, ...]


class TableFault(Exception):
    """What boto3 raises and no flow knows: throttled, or no answer, after all its own attempts."""


class Faults:
    """One world's faults. `counts` says how often each struck, and `draws` what else came up; `calm` ends the faults.
    `down`: LINE's answer to every call for some hours from some hour on, where it has a bad day."""

    def __init__(self, random_: random.Random, *, calm: bool = False) -> None:
        self._random = random_
        self.counts: Counter[str] = Counter()
        self.draws: Counter[Draw] = Counter()
        self.calm = calm
        self.rates = MappingProxyType({kind: random_.choice(rates) for kind, rates in _RATES.items()})
        self.clocks_apart = random_.choice(CLOCKS_APART_SECONDS)
        self.down: Outage | None = None
        if random_.random() < 0.5:
            self.down = Outage(
                random_.uniform(0, 60), random_.choice((2, 10, 30, 60)), random_.choice(_OUTAGES)
            )
        self._line_rate = random_.choice((0.0, 0.05, 0.2, 0.5))
        self._line_faults = random_.sample(LINE_FAULTS, random_.randint(1, len(LINE_FAULTS)))

    def strikes(self, kind: Kind, times: int = 1) -> bool:
        """Whether this kind of fault strikes here and now, where it strikes so many times as often as elsewhere."""
        if self.calm or self._random.random() >= times * self.rates[kind]:
            return False
        self.counts[kind] += 1
        return True

    def line_outcome(self, hour: float) -> Outcome:
        """How LINE answers a call at this hour, apart from what it knows of the retry key."""
        if self.down and not self.calm and 0 <= hour - self.down.from_hour < self.down.hours:
            self.counts["line_down"] += 1
            return self._random.choice(self.down.answers)
        if self.calm or self._random.random() >= self._line_rate:
            return "ok"
        outcome = self._random.choice(self._line_faults)
        if outcome in _SELDOM and self._random.random() < 0.8:
            return "ok"
        self.counts[f"line_{outcome}"] += 1
        return outcome

    def clock_error(self) -> float:
        """By how many seconds the clock of a worker is wrong."""
        if self.calm or not self.clocks_apart:
            return 0.0
        self.counts["clock_differs"] += 1
        return self._random.uniform(-self.clocks_apart, self.clocks_apart)
