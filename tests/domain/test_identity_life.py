"""The whole life of links: whatever happens in whatever order, everybody keeps what is theirs.

The production flow over the fakes, against a plain model: sets of event ids, and who has which LINE user.
"""

import datetime as dt
import itertools
from collections import Counter
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from functions.decide.histories import history_of
from functions.domain.customers import Customer, rebuilt
from functions.domain.events import Event, check_event
from functions.domain.link_decisions import given, kept_free, parting_of, undo_of
from functions.domain.links import Link, undo_ends_at
from functions.domain.playbook import Linking
from functions.ports.messages import EventsReceived
from tests.fakes.playbooks import days, playbook, scenario, send
from tests.fakes.queues import FakeInbox
from tests.fakes.world import World

CUSTOMERS = ("c1", "c2", "c3")
USERS = ("U1", "U2")
CONFLICTS = ("review", "keep", "move")
SEVERAL = ("all", "newest", "review")
WINDOW = dt.timedelta(days=7)
SCENARIOS = {
    "welcome": scenario("line_follow", send("welcome"), days(2), send("tips")),
    "chat": scenario("line_message", days(1), send("thanks"), reentry_seconds=5 * 86_400),
    "bought": scenario("purchase", send("offer"), days(3), send("care")),
}
ONCE = ("welcome", "tips")
customers, users = st.sampled_from(CUSTOMERS), st.sampled_from(USERS)


def anon(user: str) -> str:
    return f"anon:{user}"


class LinkLife(RuleBasedStateMachine):
    """Each rule is one thing that happens; all that follows from it has happened before the next."""

    @initialize(conflict=st.sampled_from(CONFLICTS), several=st.sampled_from(SEVERAL))
    def begin(self, conflict: Any, several: Any) -> None:
        book = playbook(scenarios=SCENARIOS, consent={})
        self.world = World(msgspec.structs.replace(book, linking=Linking(conflict, several)))
        self.world.befriend(*USERS)
        self.has: dict[str, set[str]] = {}
        self.owner: dict[str, str] = {}
        self.into: dict[str, str] = {}
        self.lent: dict[str, set[str]] = {}
        self.borne: dict[str, set[str]] = {}
        self.all: Counter[str] = Counter()

    # --- what happens

    def _tell(self, raw: dict[str, Any]) -> None:
        self.world.ingest(raw)
        self._run(raw["event_id"], raw["customer_id"])

    def _run(self, event_id: str, customer_id: str) -> None:
        """All that follows; then the model learns who is tied to whom, and takes the history along."""
        before = {user: self._tied(user) for user in USERS}
        self.world.run()
        assert self.world.dead() == []
        for user in USERS:
            self._follow(user, before[user], self._tied(user))
        self._give(customer_id, event_id)
        self.world.now += dt.timedelta(minutes=1)

    def _follow(self, user: str, before: str, after: str) -> None:
        if before and self._now(before) != after:
            self.lent.pop(user, None)
        if after and self._now(before) != after:
            brought = self.has.pop(anon(user), set())
            self.lent[user] = set(brought)
            self.has.setdefault(after, set()).update(brought)
            link = self._link(user)
            assert link is not None
            self._bear(link.said_of, brought)

    def _give(self, named: str, event_id: str) -> None:
        """Whoever it was told of has it now; and it would go back to each who has become somebody else since."""
        self.has.setdefault(self._now(named), set()).add(event_id)
        self._bear(named, {event_id})
        self.all[event_id] += 1

    def _bear(self, named: str, event_ids: set[str]) -> None:
        while named in self.into:
            self.borne[named] |= event_ids
            named = self.into[named]

    def _now(self, customer_id: str) -> str:
        while customer_id in self.into:
            customer_id = self.into[customer_id]
        return customer_id

    def _link(self, user: str) -> Link | None:
        return self.world.identities.link_of(user)

    def _tied(self, user: str) -> str:
        link = self._link(user)
        return self._now(link.customer_id) if link is not None and link.tied else ""

    def _hook(self, kind: str, user: str) -> None:
        raw = self.world.line_event(kind, user)
        self.world.webhook(raw)
        link = self._link(user)
        owner = link.said_of if link is not None and link.tied else anon(user)
        name = f"line:{raw['webhookEventId']}"
        self._run(name, owner)
        if user in self.lent:
            self.lent[user].add(name)

    @rule(user=users)
    def follow(self, user: str) -> None:
        self.world.line.friends.add(user)
        self._hook("follow", user)

    @rule(user=users)
    def block(self, user: str) -> None:
        self.world.line.block(user)
        self._hook("unfollow", user)

    @rule(user=users)
    def write(self, user: str) -> None:
        self._hook("message", user)

    @rule(customer_id=customers)
    def buy(self, customer_id: str) -> None:
        self._tell(self.world.purchase(customer_id))

    @rule(customer_id=customers, user=users)
    def link(self, customer_id: str, user: str) -> None:
        raw = self.world.linked(customer_id, user)
        raw["properties"]["reward"] = True
        self._tell(raw)

    @rule(customer_id=customers, user=users)
    def unlink(self, customer_id: str, user: str) -> None:
        self._tell(self.world.event("line_unlinked", customer_id, line_user_id=user, method="page"))

    @rule(customer_id=customers)
    def bring_history(self, customer_id: str) -> None:
        raw = self.world.purchase(customer_id, at=self.world.now - dt.timedelta(days=40))
        event = check_event(raw, self.world.book.events, self.world.now)
        assert isinstance(event, Event)
        self.world.import_history(EventsReceived(customer_id, [event], history=True))
        self._run(event.event_id, customer_id)

    @rule(loser=customers, winner=customers)
    def merge(self, loser: str, winner: str) -> None:
        raw = self.world.event("customers_merged", loser, into=winner)
        self.world.ingest(raw)
        self.world.run()
        assert self.world.dead() == []
        stays = self._now(winner)
        if loser not in self.into and stays != loser:
            self.borne[loser] = self.has.pop(loser, set())
            self.has.setdefault(stays, set()).update(self.borne[loser])
            self.into[loser] = stays
        self._give(loser, raw["event_id"])
        self.world.now += dt.timedelta(minutes=1)

    @rule(loser=customers)
    def part(self, loser: str) -> None:
        """What the CRM made one is two again: unless it is too late, or who stayed has become somebody else since."""
        entry = self.world.identities.merge_of(loser)
        if entry is None:
            return
        event = parting_of(entry, "somebody", "two sisters", self.world.now)
        FakeInbox(self.world.inbox_queue).put([EventsReceived(loser, [event])] * 2)
        self.world.run()
        assert self.world.dead() == []
        stays = self.into.get(loser)
        if stays is not None and stays not in self.into and event.occurred_at <= entry.undo_ends_at:
            del self.into[loser]
            self.has[loser] = self.borne.pop(loser)
            self.has[stays] -= self.has[loser]
        self._give(loser, event.event_id)
        self.world.now += dt.timedelta(minutes=1)

    @rule(customer_id=customers, user=users)
    def decide(self, customer_id: str, user: str) -> None:
        link = self._link(user)
        if link is not None and link.status == "conflict":
            self._say(given(link, customer_id, "somebody", "asked them", self.world.now))

    @rule(user=users)
    def let_be(self, user: str) -> None:
        link = self._link(user)
        if link is not None and link.status == "conflict" and not link.customer_id and link.claimed_by:
            self._say(kept_free(link, "somebody", "asked them", self.world.now))

    def _say(self, event: Event) -> None:
        FakeInbox(self.world.inbox_queue).put([EventsReceived(event.customer_id, [event])])
        self._run(event.event_id, event.customer_id)

    @rule(user=users)
    def undo(self, user: str) -> None:
        link = self._link(user)
        if link is None or not link.tied:
            return
        event = undo_of(link, "somebody", "it was their mother", self.world.now)
        owner, lent = self._now(link.customer_id), self.lent.get(user, set())
        FakeInbox(self.world.inbox_queue).put([EventsReceived(event.customer_id, [event])] * 2)
        self.world.run()
        assert self.world.dead() == []
        if event.occurred_at <= undo_ends_at(link):
            self.has[owner] = self.has.get(owner, set()) - lent
            self.has[anon(user)] = lent
            self.borne = {name: mine - lent for name, mine in self.borne.items()}
            self.lent.pop(user, None)
            assert not self._tied(user)
        self._give(event.customer_id, event.event_id)
        self.world.now += dt.timedelta(minutes=1)

    @rule(
        customer_id=customers,
        user=users,
        undo=st.booleans(),
        again=st.booleans(),
        number=st.sampled_from([0, 1, 3]),
    )
    def meet_and_part(self, customer_id: str, user: str, undo: bool, again: bool, number: int) -> None:
        """What chance alone seldom puts together: a friend of some days is linked, buys, and is alone again."""
        self.follow(user)
        self.wait(number)
        self.link(customer_id, user)
        self.buy(customer_id)
        self.wait(1)
        if undo:
            self.undo(user)
        else:
            self.unlink(self._tied(user) or customer_id, user)
        if again:
            self.follow(user)
            self.wait(3)

    @rule(
        first=customers,
        second=customers,
        third=customers,
        user=users,
        how=st.sampled_from(["give", "free", "unlink"]),
    )
    def dispute(self, first: str, second: str, third: str, user: str, how: str) -> None:
        """One is linked, another claims, and it comes to an end."""
        self.link(first, user)
        self.link(second, user)
        self.write(user)
        if how == "give":
            self.decide(third, user)
        elif how == "free":
            self.let_be(user)
        else:
            self.unlink(third, user)

    @rule(
        loser=customers,
        winner=customers,
        user=users,
        early=st.booleans(),
        undo=st.booleans(),
        again=st.booleans(),
        number=st.sampled_from([0, 1, 3]),
    )
    def meet_merge_and_part(
        self, loser: str, winner: str, user: str, early: bool, undo: bool, again: bool, number: int
    ) -> None:
        """Two customers are one for a while, in which one of them gets a LINE user, or brings one."""
        self.follow(user)
        if early:
            self.link(loser, user)
            self.wait(number)
        self.merge(loser, winner)
        if not early:
            self.link(loser, user)
        self.buy(loser)
        self.buy(winner)
        self.write(user)
        self.wait(number)
        if undo:
            self.undo(user)
        self.part(loser)
        if again:
            self.write(user)
            self.merge(loser, winner)

    @rule(number=st.sampled_from([1, 4, 35]))
    def wait(self, number: int) -> None:
        self.world.advance(days=number)

    # --- what always holds

    def _live(self) -> list[Customer]:
        loaded = [self.world.customers.load(one) for one in self.world.customers.customer_bodies]
        return [one for one in loaded if one is not None and not one.merged_into]

    def _events_of(self, customer: Customer) -> list[Event]:
        start = customer.history_from
        history = history_of(self.world.events, customer).events
        return [event for event in history if start is None or event.occurred_at > start]

    @invariant()
    def everybody_has_what_is_theirs(self) -> None:
        for customer in self._live():
            found = {event.event_id for event in self._events_of(customer)}
            assert found == self.has.get(customer.customer_id, set()), customer.customer_id

    @invariant()
    def no_event_is_lost_or_shared(self) -> None:
        kept = Counter(
            event_id
            for customer in self._live()
            for event_id in {event.event_id for event in self._events_of(customer)}
        )
        assert kept == Counter(dict.fromkeys(self.all, 1))

    @invariant()
    def profiles_are_folds(self) -> None:
        current = self.world.playbooks.in_force()
        for customer in self._live():
            if not customer.refold:
                history = history_of(self.world.events, customer)
                assert rebuilt(customer, history.events, current).profile == customer.profile

    @invariant()
    def everybody_has_one_owner(self) -> None:
        for user in USERS:
            link = self._link(user)
            friend = self.world.customers.load(anon(user))
            receivers = [one.customer_id for one in self._live() if one.line_user_id == user]
            if link is not None and link.tied:
                assert friend is not None
                assert friend.merged_into
                assert set(receivers) <= {link.customer_id}
                assert link in self.world.identities.links_of(link.customer_id)
                assert link.customer_id not in self.into
                assert link.claimed_by not in self.into
            elif friend is not None:
                assert not friend.merged_into
                assert receivers == [anon(user)]

    @invariant()
    def messages_go_to_the_newest_of_a_customers_line_users(self) -> None:
        for customer in self._live():
            if customer.customer_id.startswith("anon:"):
                continue
            mine = [link for link in self.world.identities.links_of(customer.customer_id) if link.tied]
            tied = {link.line_user_id for link in mine if link.customer_id == customer.customer_id}
            assert (customer.line_user_id in tied) if tied else not customer.line_user_id
            assert self.world.gate(customer.customer_id).line_user_id == customer.line_user_id

    @invariant()
    def no_cap_is_lowered(self) -> None:
        since = self.world.now - WINDOW
        for user in USERS:
            owner = self._tied(user) or anon(user)
            gate = self.world.customers.load_gate(owner)
            counted = {contact.send_id for contact in gate.contacts} if gate else set()
            sent = {
                one.send_id
                for one in self.world.records()
                if one.line_user_id == user and one.status == "sent" and one.at > since
            }
            assert sent <= counted, user

    @invariant()
    def nobody_gets_more_than_the_cap(self) -> None:
        for user in USERS:
            offers = sorted(
                one.at
                for one in self.world.records()
                if one.line_user_id == user and one.status == "sent" and one.kind == "promotion"
            )
            assert all(later - one >= WINDOW for one, later in itertools.pairwise(offers))

    @invariant()
    def no_journey_runs_twice(self) -> None:
        for user in USERS:
            told = Counter(self.world.line.copies(user))
            assert all(told[message] <= 1 for message in ONCE), told
        for customer in self._live():
            ids = Counter(journey.journey_id for journey in customer.journeys)
            assert all(count == 1 for count in ids.values())
            running = Counter(one.scenario for one in customer.journeys if one.active)
            assert all(count == 1 for count in running.values())

    @invariant()
    def everybody_is_rewarded_once(self) -> None:
        given_to = Counter(
            (kind, name)
            for (kind, name), reward in self.world.identities.rewards.items()
            if reward.line_user_id
        )
        assert all(count == 1 for count in given_to.values())
        events = {reward.event_id for reward in self.world.identities.rewards.values() if reward.line_user_id}
        assert len(events) <= min(len(USERS), len(CUSTOMERS))

    @invariant()
    def what_waits_for_a_decision_is_listed(self) -> None:
        waiting = [user for user in USERS if (link := self._link(user)) and link.status == "conflict"]
        assert [one.line_user_id for one in self.world.identities.reviews()] == waiting

    @invariant()
    def the_policy_is_kept(self) -> None:
        linking = self.world.book.linking
        links = [link for user in USERS if (link := self._link(user))]
        if linking.conflict != "review":
            assert not any(link.status == "conflict" and link.customer_id for link in links)
        if linking.several_line_users == "newest" and not self.into:
            owners = Counter(link.customer_id for link in links if link.tied)
            assert all(count == 1 for count in owners.values())


LinkLife.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=20,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
TestLinkLife = LinkLife.TestCase
