"""Events that are kept no longer: what they counted stays, whatever happens to the customer before or after."""

import datetime as dt
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from functions.domain.audits import AUDIT_PARTS
from functions.domain.bases import IN_FLIGHT
from functions.domain.events import Amendment, Event, EventType, PropertyType
from functions.domain.link_decisions import parting_of, undo_of
from functions.domain.links import undo_ends_at
from functions.domain.playbook import Playbook, Retention
from functions.ports.messages import AuditPart, CustomerRefresh, EventsReceived
from tests.fakes.playbooks import days, playbook, scenario, send
from tests.fakes.queues import FakeInbox
from tests.fakes.world import World

DAY = dt.timedelta(days=1)
KEPT = {"purchase": 60 * DAY, "page_view": 40 * DAY, "order_cancelled": 60 * DAY, "returned": 60 * DAY}
CUSTOMERS, USERS = ("c1", "c2", "c3"), ("U1", "U2")
ORDER = {"order_id": PropertyType("string", required=True)}
BOUGHT = {
    **ORDER,
    "amount": PropertyType("number", sum=True),
    "points": PropertyType("number"),
    "category": PropertyType("string", index=True),
    "shop": PropertyType("string", attribute=True),
}
EVENTS = {
    "purchase": EventType("an order", "orders", BOUGHT, keep_days=20),
    "page_view": EventType("a look", "views", {"page": PropertyType("string", index=True)}),
    "order_cancelled": EventType(
        "never was", "cancellations", ORDER, amends=Amendment("purchase", "order_id")
    ),
    "returned": EventType(
        "came back",
        "returns",
        {**ORDER, "worth": PropertyType("number", sum=True)},
        amends=Amendment("purchase", "order_id", {"worth": "points"}),
    ),
}
CHANGED = {
    **EVENTS,
    "purchase": EventType(
        "an order",
        "buys",
        {
            **BOUGHT,
            "amount": PropertyType("number"),
            "points": PropertyType("number", sum=True),
        },
        keep_days=20,
    ),
}
"""Other words and sums. What is folded away while a property is no index, or no attribute, cannot become one again."""
SCENARIOS = {"bought": scenario("purchase", send("offer"), days(3), send("care"))}
customers, users = st.sampled_from(CUSTOMERS), st.sampled_from(USERS)


def book(events: dict[str, EventType] = EVENTS, *, ends: bool = True) -> Playbook:
    kept = {name: int(span.total_seconds()) for name, span in KEPT.items()} if ends else {}
    made = playbook(scenarios=SCENARIOS, consent={})
    version = f"{made.version}-{next(iter(events.values())).alias}-{ends}"
    return msgspec.structs.replace(made, version=version, events=events, retention=Retention(events=kept))


def visit(world: World, *customer_ids: str) -> None:
    """As the nightly audit asks for it."""
    FakeInbox(world.inbox_queue).put([CustomerRefresh(one, world.now) for one in customer_ids])
    world.run()


class TwoWorlds(RuleBasedStateMachine):
    """The same lives with and without retention. What comes is what the edges let in, and any copy of it at any time."""

    @initialize()
    def begin(self) -> None:
        self.ending, self.lasting = World(book()), World(book(ends=False))
        self.worlds = (self.ending, self.lasting)
        for world in self.worlds:
            world.befriend(*USERS)
        self.told: list[Event] = []
        self.number = 0

    def _each(self, happens: Any) -> None:
        for world in self.worlds:
            happens(world)
            world.run()
            assert world.dead() == []
        for world in self.worlds:
            world.now += dt.timedelta(minutes=1)

    def _tell(self, event: Event, *, history: bool = False) -> None:
        self.told.append(event)
        self._each(
            lambda world: FakeInbox(world.inbox_queue).put(
                [EventsReceived(event.customer_id, [event], history)]
            )
        )

    def _event(self, name: str, customer_id: str, ago: dt.timedelta, **properties: Any) -> Event:
        self.number += 1
        at = self.ending.now - ago
        return Event(f"e{self.number}", customer_id, name, at, source="shop", properties=properties)

    @rule(
        customer_id=customers,
        ago=st.integers(0, 59),
        amount=st.integers(1, 9),
        shop=st.sampled_from("ab"),
        category=st.sampled_from("xy"),
        order=st.integers(1, 6),
        history=st.booleans(),
        waits=st.booleans(),
    )
    def buy(
        self,
        customer_id: str,
        ago: int,
        amount: int,
        shop: str,
        category: str,
        order: int,
        history: bool,
        waits: bool,
    ) -> None:
        told: dict[str, Any] = {"amount": amount, "points": amount, "shop": shop, "category": category}
        event = self._event(
            "purchase", customer_id, ago * DAY, order_id=self._own(customer_id, order), **told
        )
        if waits:
            self._tell(msgspec.structs.replace(event, status="provisional"))
        self._tell(event, history=history)

    def _own(self, customer_id: str, order: int) -> str:
        """An order's number is used for some weeks: a correction names what is still kept."""
        return f"{customer_id}-{order}-{self.ending.now.toordinal() // 30}"

    @rule(customer_id=customers, ago=st.integers(0, 39), page=st.sampled_from("pq"))
    def look(self, customer_id: str, ago: int, page: str) -> None:
        self._tell(self._event("page_view", customer_id, ago * DAY, page=page))

    @rule(customer_id=customers, order=st.integers(1, 6), back=st.booleans(), ago=st.integers(0, 20))
    def correct(self, customer_id: str, order: int, back: bool, ago: int) -> None:
        number = self._own(customer_id, order)
        if back:
            self._tell(self._event("returned", customer_id, ago * DAY, order_id=number, worth=1))
        else:
            self._tell(self._event("order_cancelled", customer_id, ago * DAY, order_id=number))

    @rule(number=st.integers(0, 1_000), history=st.booleans())
    def tell_again(self, number: int, history: bool) -> None:
        if self.told:
            event = self.told[number % len(self.told)]
            self._each(
                lambda world: FakeInbox(world.inbox_queue).put(
                    [EventsReceived(event.customer_id, [event], history)]
                )
            )

    @rule(user=users)
    def write(self, user: str) -> None:
        for world in self.worlds:
            world.webhook(world.line_event("message", user))
        self._each(lambda world: None)

    @rule(customer_id=customers, user=users)
    def link(self, customer_id: str, user: str) -> None:
        self._tell(self._event("line_linked", customer_id, 0 * DAY, line_user_id=user))

    @rule(customer_id=customers, user=users)
    def unlink(self, customer_id: str, user: str) -> None:
        self._tell(self._event("line_unlinked", customer_id, 0 * DAY, line_user_id=user))

    @rule(user=users)
    def undo(self, user: str) -> None:
        link = self.ending.identities.link_of(user)
        if link is None or not link.tied:
            return
        event = undo_of(link, "somebody", "a mistake", self.ending.now)
        if event.occurred_at <= undo_ends_at(link):
            self._tell(event)

    @rule(loser=customers, into=customers)
    def merge(self, loser: str, into: str) -> None:
        if loser == into:
            return
        self._tell(self._event("customers_merged", loser, 0 * DAY, into=into))

    @rule(loser=customers)
    def part(self, loser: str) -> None:
        entry = self.ending.identities.merge_of(loser)
        if entry is not None:
            self._tell(parting_of(entry, "somebody", "two sisters", self.ending.now))

    @rule(number=st.sampled_from([1, 8, 35, 95, 130]))
    def wait(self, number: int) -> None:
        for world in self.worlds:
            world.advance(days=number)

    @rule(crash=st.integers(0, 30))
    def fold_away(self, crash: int) -> None:
        """Both are visited; the worker that folds away dies once, at one of its calls."""
        self.ending.tap.crash_once(crash)
        visit(self.ending, *CUSTOMERS)
        self.ending.tap.watch(None)
        visit(self.lasting, *CUSTOMERS)

    @rule(changed=st.booleans())
    def apply(self, changed: bool) -> None:
        events = CHANGED if changed else EVENTS
        self.ending.apply(book(events))
        self.lasting.apply(book(events, ends=False))
        for world in self.worlds:
            visit(world, *CUSTOMERS, *(f"anon:{user}" for user in USERS))

    @invariant()
    def profiles_are_the_same(self) -> None:
        for customer_id, body in self.lasting.customers.customer_bodies.items():
            there = self.lasting.customers.load(customer_id)
            here = self.ending.customers.load(customer_id)
            assert body
            assert there is not None
            assert here is not None
            assert here.merged_into == there.merged_into
            if not (here.refold or there.refold):
                assert here.profile == there.profile, customer_id
            assert [(one.scenario, one.status, one.trigger) for one in here.journeys] == [
                (one.scenario, one.status, one.trigger) for one in there.journeys
            ]


TestTwoWorlds = TwoWorlds.TestCase
TestTwoWorlds.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)


def bought(world: World, event_id: str, *, ago: dt.timedelta = 0 * DAY, customer_id: str = "c1") -> Event:
    return Event(
        event_id,
        customer_id,
        "purchase",
        world.now - ago,
        source="shop",
        properties={"order_id": event_id, "amount": 3, "points": 2, "category": "x", "shop": "a"},
    )


def tell(world: World, *events: Event, history: bool = False) -> None:
    for event in events:
        FakeInbox(world.inbox_queue).put([EventsReceived(event.customer_id, [event], history)])
    world.run()


@pytest.fixture
def world() -> World:
    """Two orders of the first day, and one that is a hundred days younger."""
    world = World(book())
    tell(world, bought(world, "o1"), bought(world, "o2"))
    world.advance(days=100)
    tell(world, bought(world, "o3"))
    return world


def kept(world: World, customer_id: str = "c1") -> list[str]:
    return [event.event_id for event in world.events.kept_of(customer_id).events]


def test_rows_go_and_what_they_counted_stays(world: World) -> None:
    before = world.customer().profile
    visit(world, "c1")
    assert kept(world) == ["o3"]
    assert world.events.identities_of("c1") == {"o3"}
    assert world.customer().profile == before
    assert (before.tallies["orders"].count, before.tallies["orders"].sum_of("amount")) == (3, 9)


def test_what_may_be_on_its_way_is_waited_for() -> None:
    world = World(book())
    tell(world, bought(world, "o1"))
    world.advance(days=(KEPT["purchase"] + IN_FLIGHT).days - 1)
    visit(world, "c1")
    assert kept(world) == ["o1"]
    world.advance(days=2)
    visit(world, "c1")
    assert kept(world) == []


@pytest.mark.parametrize("history", [False, True])
def test_a_copy_of_what_is_folded_away_counts_nothing(world: World, history: bool) -> None:
    first = bought(world, "o1", ago=100 * DAY)
    visit(world, "c1")
    before = world.customer().profile
    tell(world, first, history=history)
    tell(world, bought(world, "never seen", ago=100 * DAY), history=history)
    assert world.customer().profile == before
    assert world.events.identities_of("c1") == {"o3"}
    assert [(one["code"], one["event"]["event_id"]) for one in world.rejected.kept] == [
        ("too_old", "o1"),
        ("too_old", "never seen"),
    ]
    assert world.measures.last["EventsTooOld"] == 1


@pytest.mark.parametrize("history", [False, True])
def test_what_comes_while_the_line_is_drawn_is_counted_or_set_aside(history: bool) -> None:
    """At every call of the worker that takes it in, another one folds away."""
    point, is_over, ends = 0, False, set()
    while not is_over:
        world = World(book())
        tell(world, bought(world, "o1"))
        world.advance(days=100)
        world.tap.once(point, partial(world.decide.handle, CustomerRefresh("c1", world.now)))
        tell(world, bought(world, "late", ago=99 * DAY), history=history)
        is_over = world.tap.points <= point
        world.tap.watch(None)
        visit(world, "c1")
        counted = world.customer().profile.tallies["orders"].count
        assert counted + len(world.rejected.kept) >= 2, point
        assert counted in (1, 2), point
        ends.add((counted, len(world.rejected.kept)))
        point += 1
    assert {(1, 1), (2, 0)} <= ends


def test_a_crash_at_any_call_loses_and_doubles_nothing() -> None:
    """Each worker that folds away dies once, before or after one of its calls; the next one ends what it began."""
    point, is_over = 0, False
    while not is_over:
        world = World(book())
        tell(world, bought(world, "o1"), bought(world, "o2"))
        world.advance(days=100)
        tell(world, bought(world, "o3"))
        before = world.customer().profile
        world.tap.crash_once(point)
        visit(world, "c1")
        is_over = world.tap.points <= point
        world.tap.watch(None)
        visit(world, "c1")
        assert world.customer().profile == before, point
        assert kept(world) == ["o3"], point
        assert world.events.identities_of("c1") == {"o3"}, point
        assert world.events.kept_of("c1").base.tallies["purchase"].count == 2, point
        assert not world.customer().folding_away
        point += 1
    assert point > 10


def test_a_later_dictionary_reads_the_base_in_its_own_words(world: World) -> None:
    visit(world, "c1")
    world.apply(book(CHANGED))
    visit(world, "c1")
    buys = world.customer().profile.tallies["buys"]
    assert (buys.count, buys.sum_of("points")) == (3, 6)
    assert "orders" not in world.customer().profile.tallies


def test_nothing_is_folded_away_while_two_customers_may_be_parted(world: World) -> None:
    tell(world, bought(world, "theirs", ago=0 * DAY, customer_id="c2"))
    world.advance(days=92)
    merge = Event("m1", "c2", "customers_merged", world.now, source="crm", properties={"into": "c1"})
    tell(world, merge)
    visit(world, "c1")
    assert kept(world) == ["o1", "o2", "o3", "m1"]
    entry = world.identities.merge_of("c2")
    assert entry is not None
    tell(world, parting_of(entry, "somebody", "two sisters", world.now))
    visit(world, "c1", "c2")
    assert [one for one in (*kept(world), *kept(world, "c2")) if one[0] in "ot"] == []
    assert [world.customer(one).profile.tallies["orders"].count for one in ("c1", "c2")] == [3, 1]


def test_the_nightly_audit_asks_for_it_once_there_is_something() -> None:
    world = World(book())
    tell(world, bought(world, "o1"))
    world.advance(days=95)
    for part in range(AUDIT_PARTS):
        world.auditing.run(AuditPart("night", part), lambda: 900.0)
    world.run()
    assert kept(world) == []
    for part in range(AUDIT_PARTS):
        world.auditing.run(AuditPart("next", part), lambda: 900.0)
    assert world.inbox_queue.receive(lambda _count: 0) is None
