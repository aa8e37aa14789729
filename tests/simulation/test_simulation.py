"""A few hundred seeds, and the simulator put to the test: each mistake on purpose must be seen, and seen again."""

import logging
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.simulation.mutants import MUTANTS, Mutation
from tests.simulation.run import run_seed

SEEDS = 200
SEEDS_TO_CATCH = 200
FAULTS_SEEN_MIN = 10


@pytest.fixture(autouse=True)
def _quiet_log() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_no_seed_violates_anything_while_every_fault_strikes() -> None:
    outcomes = [run_seed(seed) for seed in range(SEEDS)]
    assert {one.seed: one.violations for one in outcomes if one.violations} == {}
    struck = sum((one.faults for one in outcomes), Counter[str]())
    assert [kind for kind, count in struck.items() if count == 0 and kind != "dead_letters"] == []
    ends = sum((one.sends for one in outcomes), Counter[str]())
    assert all(ends[status] > FAULTS_SEEN_MIN for status in ("sent", "suppressed", "failed", "unknown"))


def test_a_seed_is_the_same_history_every_time() -> None:
    histories: list[list[str]] = [[], []]
    for history in histories:
        run_seed(7, history=history)
    assert histories[0] == histories[1]


@pytest.mark.parametrize("mutation", MUTANTS.values(), ids=MUTANTS.keys())
def test_a_protocol_broken_on_purpose_is_caught(mutation: Mutation) -> None:
    assert any(run_seed(seed, mutation).violations for seed in range(SEEDS_TO_CATCH))


def test_a_violation_is_seen_again_when_its_seed_is_replayed() -> None:
    broken = MUTANTS["key_from_attempt"]
    found = next(seed for seed in range(SEEDS) if run_seed(seed, broken).violations)
    history: list[str] = []
    assert run_seed(found, broken, history).violations == run_seed(found, broken).violations
    assert any("LINE accepts" in line for line in history)
