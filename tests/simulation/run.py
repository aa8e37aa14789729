"""One seed: one playbook, a few lives, faults on the way, and the reckoning."""

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from functions.domain.playbook import Playbook
from tests.fakes.world import START
from tests.simulation.books import random_book, random_rules
from tests.simulation.faults import Faults
from tests.simulation.invariants import violations_along_the_way, violations_at_the_end
from tests.simulation.lives import DAYS, DEEDS_MAX, Lives
from tests.simulation.world import SimulatedWorld

DRAIN_DAYS = 12
REPLAYS_MAX = 5


class Outcome(NamedTuple):
    """What came of a seed: the violations, how often each fault struck, at how many points a crash might have."""

    seed: int
    violations: list[str]
    faults: Counter[str]
    points: int
    sends: Counter[str]


def run_seed(
    seed: int,
    mutate: Callable[[SimulatedWorld], None] = lambda _world: None,
    history: list[str] | None = None,
) -> Outcome:
    """Live through one seed. The same seed gives the same history. `mutate` breaks the world's flows on purpose."""
    random_ = random.Random(seed)
    rules = random_rules(random_)
    book = random_book(random_, rules)
    faults = Faults(random_)
    world = SimulatedWorld(book, random_, faults, mutate, history)
    violations: list[str] = []
    try:
        violations.extend(_lived_through(world, random_book(random_, rules)))
    except Exception as error:  # noqa: BLE001 — what no flow expects is a violation of its own
        violations.append(f"{type(error).__name__}: {error}")
    sends = Counter[str](record.status for record in world.records())
    return Outcome(seed, list(dict.fromkeys(violations)), faults.counts, world.points, sends)


def _lived_through(world: SimulatedWorld, next_book: Playbook) -> Iterator[str]:
    """The violations, as they come up."""
    lives, random_ = Lives(world), world.random
    lives.begin()
    hours = sorted(random_.uniform(0, 24 * DAYS) for _ in range(random_.randint(6, DEEDS_MAX)))
    applied_at = random_.randrange(len(hours)) if random_.random() < 0.5 else -1
    for number, hour in enumerate(hours):
        world.advance(to=max(world.now, START + dt.timedelta(hours=hour)))
        yield from violations_along_the_way(world)
        if number == applied_at:
            world.apply(next_book)
        lives.deed()
    _drain(world)
    yield from violations_at_the_end(world)


def _drain(world: SimulatedWorld) -> None:
    """The faults end, no campaign begins any more, dead letters are sent back, and time does the rest."""
    world.faults.calm = True
    world.tell("CALM: no fault strikes any more")
    for _ in range(REPLAYS_MAX):
        world.advance(hours=1)
        world.schedules.by_campaign.clear()
        dead = world.replay_dead_letters()
        world.faults.counts["dead_letters"] += dead
        if not dead:
            break
    world.advance(days=DRAIN_DAYS)
