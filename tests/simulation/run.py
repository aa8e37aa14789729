"""One seed: one playbook, a few lives, faults on the way, and the reckoning."""

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

from functions.domain.playbook import Playbook
from tests.fakes.world import START
from tests.simulation.books import changed_between, drawn_in, random_book
from tests.simulation.faults import Draw, Faults
from tests.simulation.invariants import violations_along_the_way, violations_at_the_end
from tests.simulation.lives import DEEDS_MAX, Lives
from tests.simulation.rules import random_rules, redrawn
from tests.simulation.world import SimulatedWorld

DRAIN_DAYS = 18
REPLAYS_MAX = 5
DAYS = (6, 6, 6, 10)
"""How long a life is; a weekly campaign comes twice in the longest."""

Mutation = Callable[[SimulatedWorld], None]


def matters_where(is_meant: Callable[[Playbook, Playbook], bool]) -> Callable[[Mutation], Mutation]:
    """Of a mutation that changes next to nothing under other playbooks than these, the first and the next: the worlds of
    others need not be lived through."""

    def mark(mutation: Mutation) -> Mutation:
        mutation.is_meant = is_meant  # type: ignore[attr-defined]
        return mutation

    return mark


UNFIT = ("AttributeError:", "NameError:", "TypeError:")


class Outcome(NamedTuple):
    """What came of a seed: the violations, how often each fault struck and what else was drawn, at how many points a
    crash might have, how the messages ended and why, with each reason to wait as `held:…`."""

    seed: int
    violations: list[str]
    faults: Counter[str]
    draws: Counter[Draw]
    points: int
    sends: Counter[str]
    reasons: Counter[str]

    @property
    def caught(self) -> list[str]:
        """The violations that tell of a broken protocol. What Python raises where code fits no other tells only that the
        mutant itself is broken, and tests nothing."""
        return [one for one in self.violations if not one.startswith(UNFIT)]


def sound(_world: SimulatedWorld) -> None:
    """No mutation at all."""


def run_seed(seed: int, mutate: Mutation = sound, history: list[str] | None = None) -> Outcome:
    """Live through one seed. The same seed gives the same history. `mutate` breaks the world's flows on purpose; what it
    patches is mended when the seed is over."""
    random_ = random.Random(seed)
    rules = random_rules(random_)
    book = random_book(random_, rules)
    next_book = random_book(random_, redrawn(random_, rules))
    faults = Faults(random_)
    violations: list[str] = []
    if not getattr(mutate, "is_meant", lambda *_books: True)(book, next_book):
        return Outcome(seed, [], faults.counts, faults.draws, 0, Counter(), Counter())
    with ExitStack() as patches:
        world = SimulatedWorld(book, random_, faults, mutate, history, patches)
        try:
            violations.extend(_lived_through(world, next_book))
        except Exception as error:  # noqa: BLE001 — what no flow expects is a violation of its own
            violations.append(f"{type(error).__name__}: {error}")
    records = world.records()
    sends = Counter[str](record.status for record in records)
    reasons = Counter[str](f"{record.status}:{record.reason}" for record in records if record.reason)
    reasons.update(f"held:{note.reason}" for record in records for note in record.holds)
    return Outcome(
        seed, list(dict.fromkeys(violations)), faults.counts, faults.draws, world.points, sends, reasons
    )


def _lived_through(world: SimulatedWorld, next_book: Playbook) -> Iterator[str]:
    """The violations, as they come up."""
    lives, random_, draws = Lives(world), world.random, world.faults.draws
    draws.update(drawn_in(world.book, next_book))  # type: ignore[arg-type]
    lives.begin()
    days = random_.choice(DAYS)
    hours = sorted(random_.uniform(0, 24 * days) for _ in range(random_.randint(6, DEEDS_MAX)))
    applied_at = random_.randrange(len(hours)) if random_.random() < 0.5 else -1
    for number, hour in enumerate(hours):
        world.advance(to=max(world.now, START + dt.timedelta(hours=hour)))
        yield from violations_along_the_way(world)
        if number == applied_at:
            draws.update(changed_between(world.book, next_book))  # type: ignore[arg-type]
            world.deploy(next_book, midway=random_.random() < 0.5)
        lives.deed()
    world.advance(to=max(world.now, START + dt.timedelta(days=days)))
    _drain(world, lives)
    yield from violations_at_the_end(world)


def _drain(world: SimulatedWorld, lives: Lives) -> None:
    """The faults end, no campaign begins any more, what was stopped is resumed, dead letters are sent back, and time does
    the rest."""
    world.calm()
    lives.operators.resume_all()
    for _ in range(REPLAYS_MAX):
        world.advance(hours=1)
        world.schedules.by_campaign.clear()
        dead = world.replay_dead_letters()
        world.faults.counts["dead_letters"] += dead
        if not dead:
            break
    world.schedules.close()  # a late copy of an old order would arm the next occurrence
    world.advance(days=DRAIN_DAYS)
