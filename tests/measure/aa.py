"""A/A and A/B experiments by the thousand, looked at every day: how often there is a false alarm, how often the interval
misses at any look, how often a real effect is found. `python -m tests.measure.aa` prints the figures.

Everything is drawn at once: arrays have the shape experiments × days × arms.
"""

import sys
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from functions.measure.statistics import sequential
from functions.measure.statistics.ratio import sample_ratio

Array = NDArray[np.float64]
ALPHA = 0.05


class World(NamedTuple):
    """One kind of experiment: people a day in both arms together, the treated's share of them, how many act, and, where
    `spread` is set, how unequal (a lognormal's sigma) what they spend is. `lift`: times the treated act more often."""

    name: str
    people_a_day: float
    share: float
    rate: float
    spread: float | None = None
    lift: float = 1.0
    days: int = 60


WORLDS = (
    World("conversion 1 %", 400, 0.5, 0.01),
    World("conversion 5 %", 200, 0.5, 0.05),
    World("conversion 30 %", 60, 0.5, 0.30),
    World("conversion 5 %, holdout of 5 %", 2_000, 0.95, 0.05),
    World("gross profit, 5 % buy", 200, 0.5, 0.05, spread=1.0),
    World("gross profit, 30 % buy", 60, 0.5, 0.30, spread=1.0),
    World("gross profit, 5 % buy, holdout of 5 %", 2_000, 0.95, 0.05, spread=1.0),
)
REAL = (
    World("conversion 5 % → 6.5 %", 400, 0.5, 0.05, lift=1.3),
    World("gross profit, 30 % → 39 % buy", 200, 0.5, 0.30, spread=1.0, lift=1.3),
)


class Looks(NamedTuple):
    """What daily looks saw: which experiments raised an alarm, and which had an interval that missed, at any look."""

    alarms: NDArray[np.bool_]
    misses: NDArray[np.bool_]
    looks: float


def lived(world: World, experiments: int, seed: int = 1) -> Looks:
    """Every experiment of a world, looked at after each day."""
    people, total, squares, acted = drawn(world, experiments, np.random.default_rng(seed))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / people
        if world.spread is None:
            variance = sequential.proportion_variance(people, total).sum(axis=2)
        else:
            variance = sequential.mean_variance(people, total, squares)
        size = sequential.effective_size(people[..., 0], people[..., 1])
        difference, error = mean[..., 0] - mean[..., 1], np.sqrt(variance)
        p = sequential.p_value(difference / error, size)
        reach = sequential.boundary(size, ALPHA) * error
    ready = (people.min(axis=2) >= sequential.FLOOR_PEOPLE) & (acted.min(axis=2) >= sequential.FLOOR_EVENTS)
    truth = world.rate * (world.lift - 1) * (_mean_spent(world) if world.spread is not None else 1.0)
    alarms = (ready & (p <= ALPHA)).any(axis=1)
    misses = (ready & (np.abs(difference - truth) > reach)).any(axis=1)
    return Looks(alarms, misses, float(ready.sum(axis=1).mean()))


def drawn(world: World, experiments: int, dice: np.random.Generator) -> tuple[Array, Array, Array, Array]:
    """Running people, sums, sums of squares and people who acted."""
    shape = (experiments, world.days)
    arms = (world.share, 1 - world.share)
    rates = (world.rate * world.lift, world.rate)
    people = np.stack([dice.poisson(world.people_a_day * arm, shape) for arm in arms], axis=2)
    acted = dice.binomial(people, rates)
    if world.spread is None:
        total = squares = acted.astype(float)
    else:
        spent = dice.lognormal(0.0, world.spread, int(acted.sum()))
        ends = np.concatenate([[0], acted.ravel().cumsum()])
        sums, sums2 = (np.concatenate([[0.0], one.cumsum()]) for one in (spent, spent**2))
        total, squares = ((one[ends[1:]] - one[ends[:-1]]).reshape(acted.shape) for one in (sums, sums2))
    return tuple(one.cumsum(axis=1).astype(float) for one in (people, total, squares, acted))  # type: ignore[return-value]


def _mean_spent(world: World) -> float:
    return float(np.exp((world.spread or 0.0) ** 2 / 2))


def naive_alarms(world: World, experiments: int, seed: int = 1) -> float:
    """The share of A/A experiments that stop at some look where a test for one look is looked at every day."""
    people, total, _, acted = drawn(world, experiments, np.random.default_rng(seed))
    rate = total.sum(axis=2) / people.sum(axis=2)
    error = np.sqrt(rate * (1 - rate) * (1 / people).sum(axis=2))
    mean = total / people
    z = np.abs(mean[..., 0] - mean[..., 1]) / np.where(error > 0, error, np.inf)
    ready = (people.min(axis=2) >= sequential.FLOOR_PEOPLE) & (acted.min(axis=2) >= sequential.FLOOR_EVENTS)
    return float((ready & (z > 1.96)).any(axis=1).mean())


def ratio_alarms(experiments: int, days: int, people_a_day: int, share: float, seed: int = 1) -> float:
    """The share of experiments, weighted evenly, whose sample ratio is suspected at any daily look."""
    dice = np.random.default_rng(seed)
    one = dice.binomial(people_a_day, share, (experiments, days)).cumsum(axis=1)
    both = people_a_day * np.arange(1, days + 1)
    return float(
        np.mean(
            [
                any(
                    sample_ratio([int(a), int(n - a)], [1, 1]).mismatch
                    for a, n in zip(row, both, strict=True)
                )
                for row in one
            ]
        )
    )


def main(experiments: int) -> int:
    """Print every world; 1 where any has more false alarms or misses than alpha."""
    worst = 0.0
    print(f"{experiments:,} experiments each, 60 daily looks, alpha {ALPHA:.0%}")
    for world in WORLDS:
        looks = lived(world, experiments)
        worst = max(worst, looks.alarms.mean(), looks.misses.mean())
        print(
            f"  A/A {world.name:40} false alarms {looks.alarms.mean():6.2%}   interval misses at any look "
            f"{looks.misses.mean():6.2%}   looks {looks.looks:.0f}"
        )
    print(
        f"  (a test for one look, looked at every day: {naive_alarms(WORLDS[1], experiments):.1%} false alarms)"
    )
    for world in REAL:
        looks = lived(world, experiments)
        worst = max(worst, looks.misses.mean())
        print(
            f"  A/B {world.name:40} found {looks.alarms.mean():6.2%}   interval misses {looks.misses.mean():6.2%}"
        )
    print(
        f"  sample ratio, even: suspected {ratio_alarms(200, 60, 200, 0.5):.2%}; 47 of 100: {ratio_alarms(200, 60, 200, 0.47):.0%}"
    )
    return int(worst > ALPHA)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000))
