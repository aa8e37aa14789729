"""A CRM event folded: the units that `decide` takes for it, by the size of the customer's item."""

import datetime as dt
import math
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from functions.aws.objects import Objects, S3Playbooks
from functions.decide.erased import ForTheLiving
from functions.domain.events import Event
from functions.ports.messages import EventsReceived
from ops.bench import world
from ops.bench.capacity import READ_UNIT_BYTES, WRITE_UNIT_BYTES, item_bytes
from ops.bench.composition import compose_decide
from ops.bench.counting import Counter, Counts
from ops.bench.measure import Measure
from ops.bench.world import World

EVENTS: Final = (
    (1, "product_view"),
    (2, "purchase"),
    (8, "purchase"),
    (2, "favourite_changed"),
    (8, "favourite_changed"),
)
"""Size of the customer's item, and what happens to it: a view starts nothing, a purchase starts a journey and arms its
timer, news of a favourite makes an intent."""
SPARE_BYTES: Final = 24
"""So far below the full KB the customer's item is kept: numbers in it may grow by a digit or two."""
SCENARIO: Final = "favourite_news"
"""Switched on here: it sends at once upon an event of the CRM."""
PAD: Final = "note"


STEPS: Final = len(EVENTS) + 1
TIMED: Final = 60


class Folded(msgspec.Struct, frozen=True):
    """One event of one customer. `size_kb`: the customer's item at its largest, rounded up; `intents` that came of it."""

    size_kb: int
    intents: int
    counts: Counts

    @property
    def write_units_max(self) -> int:
        """The budget: two and the item, and the item once more to empty its outbox."""
        return 2 + self.size_kb * (2 if self.intents else 1)

    @property
    def read_units_max(self) -> int:
        """The budget: the item read once."""
        return math.ceil(self.size_kb * WRITE_UNIT_BYTES / READ_UNIT_BYTES)


class Folding:
    """`decide` with its calls counted, over customers as large as wanted."""

    def __init__(self, shop: World) -> None:
        self._flow, clients = compose_decide(shop.environment(), world.NOW)
        self._counter = Counter(shop.clients.client("dynamodb"))
        for each in clients.values():
            self._counter.watch(each)
        clients["dynamodb"].meta.events.register("before-parameter-build.dynamodb.PutItem", self._put)
        self._largest = 0
        self._number = 0

    def _put(self, params: dict[str, Any], **_: Any) -> None:
        if params["TableName"] == "customers":
            self._largest = max(self._largest, item_bytes(params["Item"]))

    def folded(self, size_kb: int, name: str) -> Folded:
        """An event upon a customer whose item comes to so many KB at most, or to the least that it can."""
        probe = self._one(name, pad=1)
        room = size_kb * WRITE_UNIT_BYTES - SPARE_BYTES - probe[0]
        largest, counts = self._one(name, pad=max(1, room))
        return Folded(math.ceil(largest / WRITE_UNIT_BYTES), counts.requests("sqs.SendMessageBatch"), counts)

    def _one(self, name: str, pad: int) -> tuple[int, Counts]:
        """A new customer with a history and a pad, then the event: the item at its largest, and what was counted."""
        self._number += 1
        customer_id = f"folding-{self._number:07}"
        self._flow.handle(EventsReceived(customer_id, list(_history(customer_id, pad)), history=True))
        self._largest = 0
        self._counter.taken()
        self._flow.handle(EventsReceived(customer_id, [_event(customer_id, name)]))
        return self._largest, self._counter.taken()


def _history(customer_id: str, pad: int) -> Iterator[Event]:
    at = world.NOW - dt.timedelta(days=40)
    told = {PAD: "x" * pad}
    yield Event("told", customer_id, "profile_updated", at, source="shop", properties=told)
    user = "U" + customer_id.encode().hex()[-32:].rjust(32, "0")
    link = {"line_user_id": user, "method": "login", "consent": ["marketing"]}
    yield Event("link", customer_id, "line_linked", at, source="shop", properties=link)


def _event(customer_id: str, name: str) -> Event:
    properties: dict[str, dict[str, Any]] = {
        "product_view": {"product_id": "p-1"},
        "purchase": {"order_id": "order-1", "amount": 4_800, "category": "skincare"},
        "favourite_changed": {"product_id": "p-1", "favourite_item": "化粧水", "favourite_change": "restock"},
    }
    at = world.NOW - dt.timedelta(minutes=1)
    return Event("event", customer_id, name, at, source="shop", properties=properties[name])


class Figures(msgspec.Struct, frozen=True):
    """All that was measured. `cpu_ms`: the processor time of an event that starts a journey, the median of many."""

    folded: list[Folded]
    cpu_ms: float


def folding(shop: World, advance: Callable[[], None]) -> Figures:
    """Each size, with and without an intent. An item of 1 KB holds no intent, nor the journey of a purchase."""
    _switch_on(shop)
    bench = Folding(shop)
    found = []
    for size_kb, name in EVENTS:
        one = bench.folded(size_kb, name)
        if one.size_kb != size_kb:
            raise RuntimeError(f"the customer of {size_kb} KB has come to {one.size_kb} KB by {name}")
        found.append(one)
        advance()
    cpu_ms = _timed(compose_decide(shop.environment(), world.NOW).flow)
    advance()
    return Figures(found, cpu_ms)


def _timed(flow: ForTheLiving) -> float:
    """Milliseconds of a purchase, over customers who all have the same history."""
    names = [f"timed-{number:07}" for number in range(TIMED)]
    for name in names:
        flow.handle(EventsReceived(name, list(_history(name, 1)), history=True))
    took = []
    for name in names:
        began = time.process_time()
        flow.handle(EventsReceived(name, [_event(name, "purchase")]))
        took.append(1000 * (time.process_time() - began))
    return statistics.median(took)


def _switch_on(shop: World) -> None:
    """The shop's playbook with the scenario on, in force."""
    scenario = msgspec.structs.replace(shop.playbook.scenarios[SCENARIO], on=True)
    scenarios = {**shop.playbook.scenarios, SCENARIO: scenario}
    playbook = msgspec.structs.replace(
        shop.playbook, scenarios=scenarios, version=f"{shop.playbook.version}-on"
    )
    S3Playbooks(Objects(shop.clients.client("s3"), world.BUCKET)).apply(playbook)


def rows(found: Figures) -> list[Measure]:
    """Each against its budget."""
    measures = []
    for one in found.folded:
        kind = f"CRM event folded, customer of {one.size_kb} KB" + (", an intent made" if one.intents else "")
        told = f"{one.counts.total('requests', 'dynamodb'):.0f} DynamoDB requests; least possible: keep it, write the customer: {1 + one.size_kb}"
        measures += [
            Measure(kind, one.counts.total("write_units"), "write units", one.write_units_max, told),
            Measure(kind, one.counts.total("read_units"), "read units", one.read_units_max, "the item, read once"),
        ]  # fmt: skip
    return measures
