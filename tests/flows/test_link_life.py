"""Undo, merged customers, rewards and phone numbers: once, whatever crashes and whatever comes beside them."""

import datetime as dt
import functools

import msgspec
import pytest

from functions.decide.histories import history_of
from functions.domain.customers import rebuilt
from functions.domain.instants import format_instant
from functions.domain.link_decisions import given, undo_of
from functions.domain.links import Link
from functions.domain.playbook import Linking, Playbook
from functions.ports.messages import EventsReceived, InboxMessage
from tests.fakes.crashes import crash_everywhere
from tests.fakes.lockstep import schedules, side_by_side
from tests.fakes.queues import FakeInbox
from tests.fakes.world import World
from tests.flows.test_linking import BOOK, FRIEND, counts, fresh, link, link_of, taken_out, unlink

HASH = "0f" * 32
SCHEDULES = schedules(8)[::3]
OPERATOR = ("ann", "it was her mother")


def undoing(world: World, user: str = "U1") -> EventsReceived:
    event = undo_of(link_of(world, user), *OPERATOR, world.now)
    return EventsReceived(event.customer_id, [event])


def put(world: World, *messages: InboxMessage) -> None:
    FakeInbox(world.inbox_queue).put(messages)
    world.run()


def tied(book: Playbook = BOOK) -> World:
    """A friend of a day is linked, buys, and writes once more."""
    world = fresh(book)
    link(world)
    world.run()
    world.ingest(world.purchase("c1"))
    world.advance(minutes=5)
    world.webhook(world.line_event("message", "U1", event_id="message-2"))
    world.advance(minutes=5)
    return world


def apart(world: World) -> None:
    """Each has what is its own."""
    assert counts(world) == {"orders": 1, "line_linked": 1, "line_unlinked": 1}
    assert counts(world, FRIEND) == {"line_follow": 1, "line_message": 2}
    assert (world.gate().line_user_id, world.gate(FRIEND).line_user_id) == ("", "U1")
    assert link_of(world).status == "unlinked"
    assert world.dead() == []


def test_an_undo_gives_each_back_what_was_and_what_came_since() -> None:
    world = tied()
    put(world, undoing(world))
    apart(world)
    assert [journey.scenario for journey in world.customer(FRIEND).journeys] == ["welcome"]
    assert world.customer().journeys == []
    assert [contact.kind for contact in world.gate(FRIEND).contacts] == ["support"]
    world.advance(days=10)
    assert world.line.copies("U1") == ["welcome", "tips"]


def test_a_crash_at_any_call_of_an_undo_undoes_once() -> None:
    def act(world: World) -> None:
        put(world, undoing(world))

    assert crash_everywhere(tied, act, apart) > 20


def test_an_undo_told_twice_is_one() -> None:
    world = tied()
    message = undoing(world)
    put(world, message, message)
    before = (world.customer(), world.customer(FRIEND), world.gate(), world.gate(FRIEND))
    put(world, message)
    assert (world.customer(), world.customer(FRIEND), world.gate(), world.gate(FRIEND)) == before
    assert len(world.identities.audit_of("U1")) == 2


def test_a_webhook_event_beside_the_undo_is_the_friends_whatever_their_order() -> None:
    for schedule in SCHEDULES:
        world = tied()
        message = undoing(world)
        world.webhook(world.line_event("message", "U1", event_id="message-3"))
        tasks = [functools.partial(world.decide.handle, one) for one in (*taken_out(world), message)]
        for task, error in zip(tasks, side_by_side(world.tap, schedule, *tasks), strict=True):
            if error is not None:  # it comes again
                task()
        world.run()
        assert counts(world, FRIEND) == {"line_follow": 1, "line_message": 3}, schedule
        assert "line_message" not in counts(world), schedule


def test_consent_and_an_opt_out_go_to_whoever_said_so() -> None:
    world = tied()
    world.ingest(world.event("consent_withdrawn", "c1", purpose="news"))
    world.run()
    put(world, undoing(world))
    assert {name: one.value for name, one in world.gate().consent.items()} == {
        "marketing": True,
        "news": False,
    }
    assert {name: one.value for name, one in world.gate(FRIEND).consent.items()} == {"news": False}


def test_after_thirty_days_nothing_is_undone() -> None:
    world = tied()
    world.advance(days=31)
    put(world, undoing(world))
    assert link_of(world).status == "linked"
    assert world.customer(FRIEND).merged_into == "c1"


def test_the_crm_cannot_undo() -> None:
    world = tied()
    raw = world.event("line_unlinked", "c1", event_id="musubi:undo:1", line_user_id="U1", undo=True)
    assert world.ingest(raw).body["rejected"]
    raw["event_id"] = "u1"
    world.ingest(raw)
    world.run()
    assert counts(world)["line_message"] == 2


def test_who_was_parted_may_be_tied_again_and_counts_everything_once() -> None:
    world = tied()
    put(world, undoing(world))
    world.advance(minutes=1)
    link(world, event_id="link-2")
    world.run()
    assert counts(world) == {
        "orders": 1,
        "line_linked": 2,
        "line_unlinked": 1,
        "line_follow": 1,
        "line_message": 2,
    }
    world.advance(days=10)
    assert world.line.copies("U1") == ["welcome", "tips", "offer"]


def test_a_decision_on_a_link_that_has_changed_since_is_void() -> None:
    world = fresh()
    link(world, "c1")
    link(world, "c2", event_id="link-2", minutes=1)
    world.run()
    decision = given(link_of(world), "c2", *OPERATOR, world.now + dt.timedelta(minutes=5))
    link(world, "c3", event_id="link-3", minutes=2)
    world.run()
    put(world, EventsReceived("c2", [decision]))
    assert (link_of(world).customer_id, link_of(world).claimed_by) == ("c1", "c3")


# --- policies


def with_policy(conflict: str = "review", several: str = "all") -> Playbook:
    return msgspec.structs.replace(BOOK, linking=Linking(conflict, several))  # type: ignore[arg-type]


def owners(world: World, *users: str) -> list[tuple[str, str]]:
    links: list[Link] = [link_of(world, user) for user in users]
    return [(link.customer_id if link.tied else "", link.status) for link in links]


@pytest.mark.parametrize(("policy", "owner", "status"), [("keep", "c1", "linked"), ("move", "c2", "linked")])
def test_a_claim_is_settled_as_the_playbook_says(policy: str, owner: str, status: str) -> None:
    def build() -> World:
        world = fresh(with_policy(policy))
        link(world, "c1")
        world.run()
        return world

    def act(world: World) -> None:
        link(world, "c2", event_id="link-2", minutes=1)
        world.run()

    def check(world: World) -> None:
        assert owners(world, "U1") == [(owner, status)]
        assert world.customer(FRIEND).merged_into == owner
        assert world.identities.reviews() == []
        assert world.dead() == []

    assert crash_everywhere(build, act, check) > 10


@pytest.mark.parametrize(
    ("policy", "first"),
    [("all", ("c1", "linked")), ("newest", ("", "unlinked")), ("review", ("c1", "linked"))],
)
def test_a_second_line_user_is_as_the_playbook_says(policy: str, first: tuple[str, str]) -> None:
    def build() -> World:
        world = fresh(with_policy(several=policy))
        link(world)
        world.run()
        return world

    def act(world: World) -> None:
        link(world, "c1", "U2", event_id="link-2", minutes=1)
        world.run()

    def check(world: World) -> None:
        second = ("", "conflict") if policy == "review" else ("c1", "linked")
        assert owners(world, "U1", "U2") == [first, second]
        assert world.gate().line_user_id == ("U1" if policy == "review" else "U2")
        assert [one.line_user_id for one in world.identities.reviews()] == (
            ["U2"] if policy == "review" else []
        )

    assert crash_everywhere(build, act, check) > 10


def test_when_the_newest_line_user_leaves_messages_go_to_the_one_that_stays() -> None:
    world = fresh()
    link(world)
    link(world, "c1", "U2", event_id="link-2", minutes=1)
    world.run()
    unlink(world, user="U2", minutes=2)
    world.run()
    assert (world.customer().line_user_id, world.gate().line_user_id) == ("U1", "U1")


# --- two customers become one


def test_a_crash_at_any_call_of_a_merge_merges_once() -> None:
    def build() -> World:
        world = tied()
        world.ingest(world.purchase("c2", event_id="order-9"))
        world.run()
        return world

    def act(world: World) -> None:
        world.ingest(world.event("customers_merged", "c1", event_id="m1", into="c2"))
        world.ingest(world.purchase("c1", event_id="order-10"))
        world.advance(days=10)

    def check(world: World) -> None:
        assert world.customer().merged_into == world.gate().merged_into == "c2"
        assert counts(world, "c2")["orders"] == 3
        assert counts(world, "c2")["line_message"] == 2
        assert owners(world, "U1") == [("c2", "linked")]
        assert world.gate("c2").line_user_id == "U1"
        assert world.line.copies("U1") == ["welcome", "tips", "offer"]
        assert world.dead() == []

    assert crash_everywhere(build, act, check) > 60


def test_an_event_that_was_known_of_the_merged_customer_counts_once() -> None:
    world = World(BOOK)
    raw = world.purchase("c1", event_id="order-1")
    world.ingest(raw, *(world.purchase("c1") for _ in range(70)))
    world.run()
    world.ingest(world.event("customers_merged", "c1", into="c2"))
    world.run()
    world.ingest(raw)
    world.ingest({**raw, "customer_id": "c2"})
    world.run()
    assert counts(world, "c2")["orders"] == 71


def test_customers_merged_in_a_circle_are_one_and_stay_one() -> None:
    world = World(BOOK)
    world.ingest(world.purchase("c1"), world.purchase("c2"))
    world.run()
    for loser, winner in (("c1", "c2"), ("c2", "c1"), ("c1", "c1")):
        world.ingest(world.event("customers_merged", loser, into=winner))
        world.run()
    assert world.customer("c1").merged_into == "c2"
    assert counts(world, "c2")["orders"] == 2
    assert world.dead() == []


# --- the reward


def promised(world: World, customer_id: str, user: str, minutes: int) -> None:
    raw = world.linked(customer_id, user, at=world.now + dt.timedelta(minutes=minutes))
    raw["properties"]["reward"] = True
    world.ingest(raw)


def test_the_reward_is_given_once_to_customer_and_line_user_whatever_crashes() -> None:
    def act(world: World) -> None:
        promised(world, "c1", "U1", 0)
        world.run()
        unlink(world, minutes=1)
        world.run()
        promised(world, "c2", "U1", 2)
        promised(world, "c1", "U2", 3)
        promised(world, "c3", "U3", 4)
        world.run()

    def check(world: World) -> None:
        attributes = {
            one: world.customer(one).profile.attribute("link_rewarded_at") for one in ("c1", "c2", "c3")
        }
        assert attributes["c1"] == format_instant(world.identities.rewards["customer", "c1"].at)
        assert attributes["c2"] is None
        assert attributes["c3"] is not None
        assert {user for kind, user in world.identities.rewards if kind == "line"} == {"U1", "U3"}

    assert crash_everywhere(fresh, act, check) > 60


def test_the_reward_outlives_every_fold() -> None:
    world = fresh()
    promised(world, "c1", "U1", 0)
    world.run()
    put(world, undoing(world))
    world.ingest(world.purchase("c1"))
    world.run()
    assert world.customer().profile.attribute("link_rewarded_at") is not None
    assert world.customer(FRIEND).profile.attribute("link_rewarded_at") is None


# --- phone numbers


def has_phone(world: World, customer_id: str, phone_hash: str | None = HASH, minutes: int = 0) -> None:
    at = world.now + dt.timedelta(minutes=minutes)
    world.ingest(world.event("profile_updated", customer_id, at=at, phone_hash=phone_hash or ""))


def phone_known(world: World, user: str = "U1", event_id: str = "p1") -> None:
    world.ingest(
        world.event("phone_known", "crm-says", event_id=event_id, line_user_id=user, phone_hash=HASH)
    )


def test_a_friend_whose_number_one_customer_has_is_linked_whatever_crashes() -> None:
    def act(world: World) -> None:
        has_phone(world, "c1")
        world.run()
        phone_known(world)
        phone_known(world)
        world.run()

    def check(world: World) -> None:
        assert owners(world, "U1") == [("c1", "linked")]
        assert link_of(world).method == "phone_hash"
        assert world.customers.load("crm-says") is None
        assert world.dead() == []

    assert crash_everywhere(fresh, act, check) > 30


def test_a_number_that_several_have_is_for_somebody_to_decide() -> None:
    world = fresh()
    has_phone(world, "c1")
    has_phone(world, "c2")
    world.run()
    phone_known(world)
    world.run()
    (review,) = world.identities.reviews()
    assert (review.reason, review.candidates) == ("phone", ["c1", "c2"])
    assert link_of(world).owner == FRIEND
    put(world, EventsReceived("c2", [given(link_of(world), "c2", *OPERATOR, world.now)]))
    assert owners(world, "U1") == [("c2", "linked")]
    assert world.identities.reviews() == []


def test_the_newest_word_on_a_number_counts_whatever_the_order() -> None:
    for order in ((0, 1), (1, 0)):
        world = fresh()
        for number in order:
            has_phone(world, "c1", (HASH, "ff" * 32)[number], minutes=number)
            world.run()
        assert world.identities.phone_owners(HASH).customers == []
        assert world.identities.phone_owners("ff" * 32).customers == ["c1"]
        phone_known(world)
        world.run()
        assert world.identities.link_of("U1") is None


def test_a_number_does_not_take_a_linked_friend_away() -> None:
    world = fresh()
    link(world, "c2")
    has_phone(world, "c1", minutes=1)
    world.run()
    world.now += dt.timedelta(minutes=5)
    phone_known(world)
    world.run()
    assert (link_of(world).customer_id, link_of(world).claimed_by) == ("c2", "c1")


def test_what_is_provisional_under_a_merged_id_is_kept_as_the_others() -> None:
    """Folded one by one it is the same as folded anew."""
    world = World(BOOK)
    world.ingest(world.event("customers_merged", "c1", into="c2"))
    world.run()
    world.ingest(world.purchase("c1", event_id="order-1", status="provisional"))
    world.run()
    customer = world.customer("c2")
    again = rebuilt(customer, history_of(world.events, customer).events, world.playbooks.in_force())
    assert again.profile == customer.profile
