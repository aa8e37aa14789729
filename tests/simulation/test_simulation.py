"""A few hundred seeds, and the simulator put to the test: each mistake on purpose must be seen, and seen again."""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import get_args

import pytest

from tests.simulation.every_mutant import EVERY_MUTANT
from tests.simulation.faults import LINE_FAULTS, Draw, Kind
from tests.simulation.run import Outcome, run_seed

SEEDS = 300
SEEDS_AN_ITEM = 25
SEEDS_TO_CATCH = 1000
SEEDS_TO_MEET_ALL = 600
"""The rarest reason decides in one world of some two hundred: who has met everything need not go on."""
ENDS_SEEN_MIN = 10
REASONS = (
    "held:stale_data",
    "held:quiet_hours",
    "held:no_answer",
    "held:rate_limit",
    "held:over_quota",
    "held:over_budget",
    "held:stopped",
    "held:breaker_open",
    "held:capped:promotions",
    "suppressed:capped:promotions",
    "suppressed:capped:coupons",
    "suppressed:capped:per_day",
    "suppressed:capped:per_week",
    "suppressed:stale_data",
    "suppressed:no_consent",
    "suppressed:holdout",
    "suppressed:excluded:complaint",
    "suppressed:excluded:rest",
    "suppressed:outranked",
    "suppressed:no_longer_eligible",
    "suppressed:unreachable",
    "unknown:key_expired",
)
"""What decides in these worlds: a rule that never does is not tested by them."""


@pytest.fixture(autouse=True)
def _quiet_log() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("first", range(0, SEEDS, SEEDS_AN_ITEM))
def test_no_seed_violates_anything(first: int) -> None:
    outcomes = [run_seed(seed) for seed in range(first, first + SEEDS_AN_ITEM)]
    assert {one.seed: one.violations for one in outcomes if one.violations} == {}


@dataclass
class Lived:
    """What some worlds lived through together."""

    faults: Counter[str] = field(default_factory=Counter)
    draws: Counter[Draw] = field(default_factory=Counter)
    sends: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """One world more."""
        self.faults += outcome.faults
        self.draws += outcome.draws
        self.sends += outcome.sends
        self.reasons += outcome.reasons

    def unmet(self) -> list[str]:
        """What none of them has met yet: faults, what is drawn, ends (but for a few), reasons."""
        faults = [*get_args(Kind), *(f"line_{outcome}" for outcome in LINE_FAULTS), "line_409", "line_down"]
        ends = ("sent", "suppressed", "failed", "unknown")
        return [
            *(kind for kind in faults if not self.faults[kind]),
            *(draw for draw in get_args(Draw) if not self.draws[draw]),
            *(status for status in ends if self.sends[status] <= ENDS_SEEN_MIN),
            *(reason for reason in REASONS if not self.reasons[reason]),
        ]


def test_every_fault_strikes_and_everything_is_drawn_and_decides() -> None:
    lived, violations = Lived(), {}
    for seed in range(1000, 1000 + SEEDS_TO_MEET_ALL):
        outcome = run_seed(seed)
        lived.add(outcome)
        if outcome.violations:
            violations[seed] = outcome.violations
        if not lived.unmet():
            break
    assert lived.unmet() == []
    assert violations == {}


def test_a_seed_is_the_same_history_every_time() -> None:
    histories: list[list[str]] = [[], []]
    for history in histories:
        run_seed(7, history=history)
    assert histories[0] == histories[1]


@pytest.mark.parametrize("name", EVERY_MUTANT)
def test_a_protocol_broken_on_purpose_is_caught(name: str) -> None:
    assert any(run_seed(seed, EVERY_MUTANT[name]).caught for seed in range(SEEDS_TO_CATCH))


def test_a_mutation_ends_with_its_seed() -> None:
    before = run_seed(7)
    for mutation in EVERY_MUTANT.values():
        run_seed(3, mutation)
    assert run_seed(7) == before


def test_a_violation_is_seen_again_when_its_seed_is_replayed() -> None:
    broken = EVERY_MUTANT["key_from_attempt"]
    found = next(seed for seed in range(SEEDS) if run_seed(seed, broken).violations)
    history: list[str] = []
    assert run_seed(found, broken, history).violations == run_seed(found, broken).violations
    assert any("LINE accepts" in line for line in history)
