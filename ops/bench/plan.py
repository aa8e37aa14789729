"""What it costs to forecast four weeks of a hundred thousand customers."""

import datetime as dt
import random
import time
from collections.abc import Iterator
from pathlib import Path

from functions.domain.customers import in_order
from functions.domain.events import Event
from functions.domain.playbook import Playbook
from ops.bench.measure import Measure
from ops.check import sound_playbook
from ops.plan.assumed import Replay
from ops.plan.course import Terms
from ops.plan.filed import taken_as_linked
from ops.plan.lives import Person
from ops.plan.workers import forecast

PEOPLE, BESIDE = 100_000, 4_000
DAYS, REPLAYED_DAYS, WORKERS = 28, 14, 2
WALL_SECONDS_MAX = 300.0
SEED = 20261122
PLAYBOOK = Path("playbooks/ec")
NOW = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
YEAR_DAYS = 400.0
CATEGORIES = ("skincare", "hair", "food", "home", "baby")
LOYALTY = (0, 1, 1, 1, 1, 2, 2, 3, 5, 9)
"""Orders a customer has made: most one or two, a few many."""


def people(count: int, book: Playbook) -> Iterator[Person]:
    """So many customers of a shop: those who only look, buy once, come back; what they did lately comes again."""
    dice = random.Random(SEED)  # noqa: S311 — the same people each time
    replay = Replay(REPLAYED_DAYS, NOW, NOW + dt.timedelta(days=DAYS), book.events)
    for number in range(count):
        events = in_order(_life(f"c{number}", dice))
        person = taken_as_linked(Person(f"c{number}", past=events), book)
        yield from replay.of(person, events, newcomer=bool(events) and events[0].occurred_at > replay.begins)


def _life(customer_id: str, dice: random.Random) -> Iterator[Event]:
    known_days = dice.uniform(0, YEAR_DAYS)
    for number in range(dice.choice(LOYALTY)):
        yield _event(customer_id, "purchase", number, known_days, dice, order_id=f"{customer_id}-{number}", amount=dice.randrange(800, 12_000))  # fmt: skip
    for number in range(dice.randrange(5)):
        yield _event(
            customer_id, "product_view", number, known_days, dice, product_id=f"p{dice.randrange(500)}"
        )
    if dice.random() < 0.15:  # noqa: PLR2004
        yield _event(customer_id, "cart_left", 0, known_days, dice, cart_id=f"{customer_id}-cart")


def _event(
    customer_id: str, name: str, number: int, known_days: float, dice: random.Random, **more: str | int
) -> Event:
    at = NOW - dt.timedelta(days=dice.uniform(0, known_days))
    return Event(
        f"{name}-{customer_id}-{number}",
        customer_id,
        name,
        at,
        properties={"category": dice.choice(CATEGORIES), **more},
        imported=True,
    )


def plan_a_month() -> list[Measure]:
    """Wall seconds of the whole forecast with two processes, beside the processor time a customer of one."""
    book = sound_playbook(PLAYBOOK)
    terms = [Terms(book, [], {}, "bench", NOW, NOW + dt.timedelta(days=DAYS))]
    began = time.process_time()
    forecast(people(BESIDE, book), terms, 1, lambda _done: None)
    alone = time.process_time() - began
    began = time.perf_counter()
    [tally] = forecast(people(PEOPLE, book), terms, WORKERS, lambda _done: None)
    seconds = time.perf_counter() - began
    sent = sum(tally.sent.values())
    if not sent or tally.people["all",] < PEOPLE:
        raise RuntimeError("the forecast was not of all people, or sends nothing")
    told = f"{sent:,} messages; one process: {1000 * alone / BESIDE:.2f} ms of processor time a customer"
    return [Measure(f"forecast, {PEOPLE:,} customers × {DAYS} days, {WORKERS} processes", round(seconds, 1), "seconds", WALL_SECONDS_MAX, told)]  # fmt: skip
