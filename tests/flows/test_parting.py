"""Customers that the CRM merged, and parted again: in steps, whatever crashes between any two, and each with its own."""

import functools

import pytest

from functions.decide.histories import history_of
from functions.domain.customers import rebuilt
from functions.domain.link_decisions import parting_of
from functions.domain.links import Link
from functions.ports.messages import EventsReceived
from tests.fakes.crashes import crash_everywhere
from tests.fakes.lockstep import schedules, side_by_side
from tests.fakes.world import World
from tests.flows.test_link_life import put
from tests.flows.test_linking import FRIEND, counts, fresh, link, link_of, taken_out, unlink

SCHEDULES = schedules(8)[::3]
MANY = 30
"""So many LINE users that the links of one customer pass a transaction's hundred items."""


def parting(world: World, loser: str = "c2") -> EventsReceived:
    entry = world.identities.merge_of(loser)
    assert entry is not None
    return EventsReceived(loser, [parting_of(entry, "ann", "two sisters", world.now)])


def merge(world: World, loser: str = "c2", winner: str = "c1", *, event_id: str = "") -> None:
    world.ingest(world.event("customers_merged", loser, event_id=event_id, into=winner))


def merged() -> World:
    """Hana's friend U1 of some days is c2, who buys; c1 has U3; the CRM makes c1 of both, and each goes on."""
    world = fresh()
    world.befriend("U3")
    link(world, "c1", "U3", event_id="link-3")
    link(world, "c2")
    world.run()
    world.ingest(world.purchase("c2"), world.purchase("c1"))
    world.advance(minutes=5)
    merge(world)
    world.advance(minutes=5)
    world.ingest(world.purchase("c2"), world.event("consent_given", "c2", purpose="news"))
    world.webhook(world.line_event("message", "U1", event_id="message-2"))
    world.webhook(world.line_event("message", "U3", event_id="message-3"))
    world.advance(minutes=5)
    return world


def one(world: World) -> None:
    assert counts(world)["orders"] == 3
    assert counts(world)["line_message"] == 3
    assert {link_of(world, user).customer_id for user in ("U1", "U3")} == {"c1"}
    assert world.customer("c2").merged_into == world.gate("c2").merged_into == "c1"


def apart(world: World) -> None:
    """Each has what is its own."""
    assert (counts(world)["orders"], counts(world, "c2")["orders"]) == (1, 2)
    assert (counts(world)["line_message"], counts(world, "c2")["line_message"]) == (1, 2)
    assert (link_of(world).customer_id, link_of(world, "U3").customer_id) == ("c2", "c1")
    assert (world.gate("c2").line_user_id, world.gate().line_user_id) == ("U1", "U3")
    assert (world.customer("c2").line_user_id, world.customer().line_user_id) == ("U1", "U3")
    assert "news" in world.gate("c2").consent
    assert "news" not in world.gate().consent
    for customer_id in ("c1", "c2"):
        customer = world.customer(customer_id)
        history = history_of(world.events, customer)
        assert rebuilt(customer, history.events, world.playbooks.in_force()).profile == customer.profile
    assert world.dead() == []


def test_what_is_told_again_with_another_date_stays_as_it_was_kept_first() -> None:
    """A decision that a dead letter held up is given once more, and its first telling comes after the merge."""
    world = fresh()
    link(world, "c2")
    world.run()
    late = world.event("inquiry_opened", "c2", event_id="told-twice")
    world.advance(days=1)
    world.ingest(world.event("inquiry_opened", "c2", event_id="told-twice"))
    world.advance(minutes=5)
    merge(world)
    world.advance(minutes=5)
    world.ingest(late)
    world.run()
    customer = world.customer("c1")
    history = history_of(world.events, customer)
    assert counts(world)["inquiry_opened"] == 1
    assert rebuilt(customer, history.events, world.playbooks.in_force()).profile == customer.profile


def test_an_undone_merge_gives_each_back_what_was_and_what_came_since() -> None:
    world = merged()
    one(world)
    put(world, parting(world))
    apart(world)
    sent = {contact.send_id for contact in world.gate("c2").contacts}
    assert sent == {contact.send_id for contact in world.gate().contacts}, "what was sent counts for both"
    world.advance(days=10)
    assert world.line.copies("U1") == ["welcome", "tips", "offer"]
    assert world.line.copies("U3") == []


def test_a_crash_at_any_call_of_the_undo_undoes_once() -> None:
    def act(world: World) -> None:
        put(world, parting(world))

    assert crash_everywhere(merged, act, apart) > 30


def test_an_undo_told_twice_and_the_merge_told_again_change_nothing() -> None:
    world = merged()
    message = parting(world)
    put(world, message, message)
    before = [world.customer(name) for name in ("c1", "c2")]
    put(world, message)
    world.ingest(
        {**world.event("customers_merged", "c2", event_id="customers_merged-1", at=world.now, into="c1")}
    )
    world.run()
    apart(world)
    assert [name.journeys for name in before] == [world.customer(one).journeys for one in ("c1", "c2")]


def test_whatever_comes_beside_the_undo_goes_to_whom_it_is_of() -> None:
    for schedule in SCHEDULES:
        world = merged()
        message = parting(world)
        world.webhook(world.line_event("message", "U1", event_id="message-4"))
        world.ingest(world.purchase("c2"))
        tasks = [functools.partial(world.decide.handle, told) for told in (*taken_out(world), message)]
        for task, error in zip(tasks, side_by_side(world.tap, schedule, *tasks), strict=True):
            if error is not None:  # it comes again
                task()
        world.run()
        assert (counts(world)["orders"], counts(world, "c2")["orders"]) == (1, 3), schedule
        assert (counts(world)["line_message"], counts(world, "c2")["line_message"]) == (1, 3), schedule


def test_who_was_parted_may_be_merged_again_and_counts_everything_once() -> None:
    world = merged()
    put(world, parting(world))
    world.advance(minutes=1)
    merge(world)
    world.advance(minutes=1)
    one(world)
    world.ingest(world.purchase("c2"))
    world.run()
    assert counts(world)["orders"] == 4
    world.advance(minutes=1)
    put(world, parting(world))
    assert (counts(world)["orders"], counts(world, "c2")["orders"]) == (1, 3)


@pytest.mark.parametrize("days", [29, 31])
def test_within_thirty_days_alone(days: int) -> None:
    world = merged()
    world.advance(days=days)
    put(world, parting(world))
    assert bool(world.customer("c2").merged_into) == (days > 30)


def test_what_was_merged_later_is_parted_first() -> None:
    world = merged()
    merge(world, "c1", "c9")
    world.run()
    put(world, parting(world))
    assert world.customer("c2").merged_into == "c1"
    put(world, parting(world, "c1"))
    put(world, parting(world))
    apart(world)


def many() -> World:
    world = fresh()
    for number in range(MANY):
        user = f"M{number:02}"
        world.befriend(user)
        link(world, "c2", user, event_id=f"link-{user}")
    link(world, "c1")
    world.run()
    world.advance(minutes=5)
    return world


def owners(world: World) -> set[str]:
    return {link_of(world, f"M{number:02}").customer_id for number in range(MANY)}


def test_a_customer_of_many_line_users_is_merged_and_parted() -> None:
    world = many()
    merge(world)
    world.run()
    assert owners(world) == {"c1"}
    assert len(world.identities.audit_of("M07")) == 2
    world.advance(minutes=5)
    put(world, parting(world))
    assert owners(world) == {"c2"}
    assert [entry.method for entry in world.identities.audit_of("M07")] == [
        "crm",
        "customers_merged",
        "customers_parted",
    ]
    assert world.dead() == []


def few() -> World:
    world = fresh()
    world.befriend("U3")
    link(world, "c2")
    link(world, "c2", "U3", event_id="link-3")
    world.run()
    world.advance(minutes=5)
    return world


def test_between_any_two_transactions_of_a_merge_everybody_has_an_owner() -> None:
    """After a crash, and before the event comes again, what is told of either finds the one whom both are."""

    def act(world: World) -> None:
        merge(world, event_id="merge-1")
        world.run()
        world.webhook(world.line_event("message", "U3", event_id="message-3"))
        world.webhook(world.line_event("message", "U1", event_id="message-2"))
        unlink(world, "c1", "U1", minutes=1)
        world.advance(minutes=5)

    def check(world: World) -> None:
        known: list[Link] = [link_of(world, user) for user in ("U1", "U3")]
        assert [(link_.customer_id, link_.status) for link_ in known] == [
            ("c1", "unlinked"),
            ("c1", "linked"),
        ]
        assert world.gate().line_user_id == "U3"
        assert counts(world)["line_message"] == 3
        assert world.customer(FRIEND).merged_into == ""
        assert world.dead() == []

    assert crash_everywhere(few, act, check) > 40


def test_a_link_that_was_not_brought_along_yet_is_found_by_whom_it_was_said_to_be() -> None:
    world = few()
    stale = {user: world.identities._links[user] for user in ("U1", "U3")}
    merge(world)
    world.run()
    world.identities._links.update(stale)  # as if the worker had died after the first transaction
    unlink(world, "c1", "U1", minutes=1)
    world.run()
    assert (link_of(world).customer_id, link_of(world).status) == ("c1", "unlinked")
    assert world.gate().line_user_id == "U3"
