"""Who is who: friends become customers and friends again, and nothing is counted, said or lost twice on the way."""

import datetime as dt
import functools
import uuid

import msgspec
import pytest

from functions.aws.queues import decode_inbox
from functions.domain.identity import Link
from functions.domain.playbook import Playbook
from functions.domain.sends import Intent
from functions.ports.messages import EventsReceived, InboxMessage, LineReceived
from tests.fakes.crashes import crash_everywhere
from tests.fakes.lockstep import schedules, side_by_side
from tests.fakes.playbooks import days, playbook, scenario, send
from tests.fakes.world import World

WELCOME = scenario("line_follow", send("welcome"), days(2), send("tips"), days(3), send("offer", hold_days=7))
PATH = scenario("cart_left", days(365), send("offer"))
BOOK = playbook(scenarios={"welcome": WELCOME, "path": PATH})
NO_CONSENT_NEEDED = playbook(scenarios={"path": PATH}, consent={})
FRIEND = "anon:U1"


def fresh(book: Playbook = BOOK) -> World:
    """A friend who added the account a day ago and wrote once; where the playbook has a welcome, it has come."""
    world = World(book)
    world.befriend("U1")
    world.webhook(world.line_event("follow", "U1", event_id="follow-1"))
    world.webhook(world.line_event("message", "U1", event_id="message-1"))
    world.advance(days=1)
    return world


def link(
    world: World, customer_id: str = "c1", user: str = "U1", *, minutes: int = 0, event_id: str = "link-1"
) -> None:
    world.ingest(
        world.linked(customer_id, user, at=world.now + dt.timedelta(minutes=minutes), event_id=event_id)
    )


def unlink(
    world: World, customer_id: str = "c1", user: str = "U1", *, event_id: str = "unlink-1", minutes: int = 0
) -> None:
    at = world.now + dt.timedelta(minutes=minutes)
    world.ingest(world.event("line_unlinked", customer_id, at=at, line_user_id=user, event_id=event_id))


def link_of(world: World, user: str = "U1") -> Link:
    found = world.identities.link_of(user)
    assert found is not None
    return found


def counts(world: World, customer_id: str = "c1") -> dict[str, int]:
    return {alias: tally.count for alias, tally in world.customer(customer_id).profile.tallies.items()}


def ends(world: World) -> list[tuple[str, str]]:
    return [(record.status, record.reason) for record in world.records()]


# --- linking


def test_linking_carries_over_what_was_known_of_the_anonymous_friend() -> None:
    world = fresh()
    world.ingest(world.purchase("c1"))
    link(world)
    world.run()
    assert counts(world) == {"line_follow": 1, "line_message": 1, "orders": 1, "line_linked": 1}
    assert [journey.scenario for journey in world.customer().journeys] == ["welcome"]
    assert [contact.kind for contact in world.gate().contacts] == ["support"]
    assert len(world.gate().claims) == 1
    assert world.customer(FRIEND).merged_into == world.gate(FRIEND).merged_into == "c1"
    assert (link_of(world).customer_id, link_of(world).status, link_of(world).method) == (
        "c1",
        "linked",
        "crm",
    )


def test_a_friends_journey_goes_on_under_the_customer() -> None:
    world = fresh()
    link(world)
    world.advance(days=10)
    assert world.line.copies("U1") == ["welcome", "tips", "offer"]
    assert {record.customer_id for record in world.records()} == {FRIEND, "c1"}


def test_a_crash_at_any_call_of_linking_merges_once() -> None:
    template = fresh()
    raws = [template.purchase("c1", event_id="order-1"), template.linked("c1", "U1", event_id="link-1")]

    def act(world: World) -> None:
        world.ingest(*raws)
        world.ingest(raws[1])
        world.advance(days=10)

    def check(world: World) -> None:
        assert counts(world) == {"line_follow": 1, "line_message": 1, "orders": 1, "line_linked": 1}
        assert world.line.copies("U1") == ["welcome", "tips", "offer"]
        assert world.customer().intended == {"welcome": 3}
        assert [alias.customer_id for alias in world.customer().aliases] == [FRIEND]
        assert len(world.identities.audit_of("U1")) == 1
        assert world.dead() == []

    assert crash_everywhere(fresh, act, check) > 100


def test_the_same_news_again_changes_nothing() -> None:
    world = fresh()
    link(world)
    world.run()
    before = (world.customer(), world.gate(), link_of(world))
    link(world)
    world.run()
    assert (world.customer(), world.gate(), link_of(world)) == before
    assert len(world.identities.audit_of("U1")) == 1


def test_a_redelivered_event_of_the_friend_counts_once_after_linking_too() -> None:
    world = fresh()
    link(world)
    world.run()
    for event_id, kind in (("follow-1", "follow"), ("message-1", "message")):
        world.webhook(world.line_event(kind, "U1", event_id=event_id, at=world.now - dt.timedelta(days=1)))
    world.run()
    assert counts(world) == {"line_follow": 1, "line_message": 1, "line_linked": 1}
    world.advance(days=10)
    assert world.line.copies("U1") == ["welcome", "tips", "offer"]


def test_an_old_event_of_the_friend_counts_once_although_64_newer_ones_followed() -> None:
    world = fresh()
    link(world)
    world.run()
    world.ingest(*(world.purchase("c1") for _ in range(70)))
    world.run()
    world.webhook(
        world.line_event("message", "U1", event_id="message-1", at=world.now - dt.timedelta(days=1))
    )
    world.run()
    assert counts(world) == {"line_follow": 1, "line_message": 1, "line_linked": 1, "orders": 70}


SCHEDULES = schedules(8)[::3]


def together(world: World, schedule: tuple[int, ...], *messages: InboxMessage) -> None:
    tasks = [functools.partial(world.decide.handle, message) for message in messages]
    for message, error in zip(messages, side_by_side(world.tap, schedule, *tasks), strict=True):
        if error is not None:  # it comes again
            world.decide.handle(message)


def taken_out(world: World) -> list[InboxMessage]:
    """What waits in the inbox, for workers of one's own."""
    messages = [decode_inbox(waiting.body) for waiting in world.inbox_queue.waiting]
    world.inbox_queue.waiting.clear()
    return messages


def test_a_webhook_event_beside_the_linking_counts_once_whatever_their_order() -> None:
    for schedule in SCHEDULES:
        world = fresh()
        link(world)
        world.webhook(world.line_event("postback", "U1"))
        together(world, schedule, *taken_out(world))
        world.run()
        assert counts(world) == {"line_follow": 1, "line_message": 1, "line_postback": 1, "line_linked": 1}, (
            schedule
        )
        world.advance(days=10)
        assert world.line.copies("U1") == ["welcome", "tips", "offer"]


def test_a_block_beside_the_linking_is_never_lost() -> None:
    for schedule in SCHEDULES:
        world = fresh()
        link(world)
        world.webhook(world.line_event("unfollow", "U1"))
        together(world, schedule, *taken_out(world))
        world.run()
        assert not world.gate().reaches("U1"), schedule


def test_an_opt_out_beside_the_linking_is_never_lost() -> None:
    for schedule in SCHEDULES:
        world = fresh()
        link(world)
        world.ingest(
            world.event("consent_withdrawn", "c1", purpose="all", at=world.now + dt.timedelta(minutes=1))
        )
        together(world, schedule, *taken_out(world))
        world.run()
        assert not world.gate().consent["all"].value, schedule


def test_a_wake_of_the_friend_beside_the_linking_moves_the_journey_once() -> None:
    for schedule in SCHEDULES:
        world = fresh()
        world.now += dt.timedelta(days=1)
        link(world)
        world.wake(FRIEND)
        together(world, schedule, *taken_out(world))
        world.tick()
        world.run()
        assert world.line.copies("U1") == ["welcome", "tips"], schedule
        assert world.customer().intended == {"welcome": 2}


def test_two_links_of_one_user_at_once_leave_one_owner_and_one_conflict() -> None:
    for schedule in SCHEDULES:
        world = fresh()
        link(world, "c1", event_id="link-1")
        link(world, "c2", event_id="link-2", minutes=1)
        together(world, schedule, *taken_out(world))
        world.run()
        owner = link_of(world).customer_id
        assert world.customer(FRIEND).merged_into == owner
        assert sum("line_follow" in counts(world, customer_id) for customer_id in ("c1", "c2")) == 1


# --- merge in flight


def in_flight(world: World, message: str = "offer") -> Intent:
    """An intent of the anonymous friend."""
    return world.intent(message, FRIEND, "U1")


def test_an_intent_of_the_friend_is_delivered_once_after_the_merge() -> None:
    world = fresh()
    intent = in_flight(world)
    world.enqueue(intent)
    link(world)
    world.decide_all()
    world.enqueue(intent)
    world.run()
    assert world.line.copies("U1") == ["welcome", "offer"]
    assert [record.status for record in world.records()] == ["sent", "sent"]


def test_a_merge_at_any_point_of_a_delivery_makes_one_copy_and_keeps_the_cap() -> None:
    for point in range(16):
        world = fresh(NO_CONSENT_NEEDED)
        world.enqueue(in_flight(world))
        link(world)
        world.tap.once(point, world.decide_all)
        world.step_send()
        world.tap.watch(None)
        world.run()
        assert world.line.copies("U1") == ["offer"], f"merged at point {point}"
        assert [contact.kind for contact in world.gate().contacts] == ["promotion"], (
            f"merged at point {point}"
        )
        world.enqueue(world.intent("coupon"))
        world.run()
        assert ends(world)[-1] == ("suppressed", "capped:promotion_weekly")


def test_the_same_step_of_friend_and_customer_is_said_once() -> None:
    """Both made an intent of the same passage before they were known to be one."""
    world = fresh(NO_CONSENT_NEEDED)
    link(world)
    world.run()
    for customer_id, journey in ((FRIEND, "j1"), ("c1", "j2")):
        intent = world.intent("thanks", customer_id)
        world.enqueue(
            msgspec.structs.replace(
                intent, journey=journey, send_id=str(uuid.uuid5(uuid.NAMESPACE_URL, journey))
            )
        )
    world.run()
    assert world.line.copies("U1") == ["thanks"]
    assert ends(world) == [("sent", ""), ("suppressed", "outranked")]


def test_a_claim_that_was_cut_off_before_the_merge_is_resumed_after_it() -> None:
    world = fresh()
    intent = in_flight(world, "care")
    world.enqueue(intent)
    world.line.script.append("accept_then_timeout")
    world.line.script.append("timeout")
    world.step_send()
    link(world)
    world.advance(hours=1)
    assert world.line.copies("U1") == ["welcome", "care"]
    assert ends(world)[-1] == ("sent", "")
    assert {key for _, key in world.line.calls if key == intent.send_id} == {intent.send_id}


def test_friend_and_customer_on_the_same_journey_get_each_step_once() -> None:
    """The CRM's follow event of the customer started the same scenario: linking leaves one of the two journeys."""
    book = playbook(scenarios={"thank": scenario("line_message", send("thanks"), days(1), send("care"))})
    world = World(book)
    world.befriend("U1")
    link(world)
    world.run()
    unlink(world, minutes=1)
    world.advance(minutes=2)
    world.webhook(world.line_event("message", "U1"))
    world.run()
    assert world.line.copies("U1") == ["thanks"]
    link(world, event_id="link-2", minutes=2)
    world.run()
    world.webhook(world.line_event("message", "U1"))
    world.advance(days=3)
    assert world.line.copies("U1") == ["thanks", "care"]


# --- conflicts


def test_a_user_who_is_claimed_by_another_customer_stays_with_the_first_and_the_claim_is_noted() -> None:
    world = fresh()
    link(world, "c1")
    world.run()
    link(world, "c2", event_id="link-2", minutes=1)
    world.run()
    found = link_of(world)
    assert (found.customer_id, found.status, found.claimed_by) == ("c1", "conflict", "c2")
    assert world.customer("c2").line_user_id == ""
    assert world.gate("c2").line_user_id == ""
    assert [entry.after.status for entry in world.identities.audit_of("U1")] == ["linked", "conflict"]
    world.advance(days=10)
    assert world.line.copies("U1") == ["welcome", "tips", "offer"]


def test_the_owner_who_says_it_again_settles_the_conflict() -> None:
    world = fresh()
    link(world, "c1")
    link(world, "c2", event_id="link-2", minutes=1)
    link(world, "c1", event_id="link-3", minutes=2)
    world.run()
    assert (link_of(world).customer_id, link_of(world).status, link_of(world).claimed_by) == (
        "c1",
        "linked",
        "",
    )
    assert counts(world)["line_follow"] == 1


def test_an_unlinked_user_may_be_linked_to_another_customer() -> None:
    world = fresh()
    link(world, "c1")
    unlink(world, minutes=1)
    link(world, "c2", event_id="link-2", minutes=2)
    world.run()
    assert (link_of(world).customer_id, link_of(world).status) == ("c2", "linked")
    assert (world.gate("c1").line_user_id, world.gate("c2").line_user_id) == ("", "U1")


# --- unlinking


def test_unlinking_makes_the_friend_anonymous_again_with_its_contacts_counted() -> None:
    world = fresh()
    link(world)
    world.run()
    world.enqueue(world.intent())
    world.run()
    unlink(world, minutes=1)
    world.run()
    friend = world.gate(FRIEND)
    assert (world.gate().line_user_id, friend.line_user_id, friend.merged_into) == ("", "U1", "")
    assert sorted(contact.kind for contact in friend.contacts) == ["promotion", "support"]
    assert link_of(world).owner == FRIEND
    world.webhook(world.line_event("message", "U1", at=world.now + dt.timedelta(minutes=2)))
    world.run()
    assert counts(world, FRIEND) == {"line_message": 1}


def test_a_crash_at_any_call_of_unlinking_unties_once() -> None:
    def build() -> World:
        world = fresh()
        link(world)
        world.run()
        return world

    def act(world: World) -> None:
        unlink(world, minutes=1)
        world.run()

    def check(world: World) -> None:
        assert link_of(world).status == "unlinked"
        assert (world.gate().line_user_id, world.gate(FRIEND).line_user_id) == ("", "U1")
        assert len(world.identities.audit_of("U1")) == 2
        assert counts(world)["line_unlinked"] == 1
        assert world.dead() == []

    assert crash_everywhere(build, act, check) > 14


def test_an_unlinked_customer_gets_nothing_any_more_also_what_is_queued() -> None:
    world = fresh()
    link(world)
    world.run()
    world.enqueue(world.intent("thanks"))
    unlink(world, minutes=1)
    world.decide_all()
    world.run()
    world.advance(days=10)
    assert world.line.copies("U1") == ["welcome"]
    assert {reason for status, reason in ends(world) if status == "suppressed"} == {"unreachable"}


def test_a_consent_given_as_a_customer_does_not_outlive_the_tie() -> None:
    world = fresh()
    link(world)
    unlink(world, minutes=1)
    world.run()
    world.enqueue(in_flight(world))
    world.run()
    assert ends(world)[-1] == ("suppressed", "no_consent")


def test_an_unlink_that_overtakes_its_link_holds() -> None:
    world = fresh()
    unlink(world, minutes=1)
    world.run()
    link(world)
    world.run()
    assert world.gate().line_user_id == ""
    world.enqueue(world.intent())
    world.run()
    assert world.line.copies("U1") == ["welcome"]


def test_of_two_users_of_one_customer_the_one_linked_last_is_sent_to_whatever_the_order() -> None:
    users = []
    for order in ([0, 1], [1, 0]):
        world = World(BOOK)
        raws = [
            world.linked("c1", "U1", event_id="link-1"),
            world.linked("c1", "U2", event_id="link-2", at=world.now + dt.timedelta(minutes=1)),
        ]
        for number in order:
            world.ingest(raws[number])
            world.run()
        users.append((world.customer().line_user_id, world.gate().line_user_id))
    assert users == [("U2", "U2")] * 2


def test_a_claim_of_the_friend_outlives_link_and_unlink() -> None:
    """Pushed, but its end not recorded; then tied and untied. A redelivery that would wait a week must not push anew."""
    world = fresh(NO_CONSENT_NEEDED)
    world.enqueue(world.intent("offer", FRIEND, hold_days=8))
    world.line.script.extend(["accept_then_timeout", "timeout"])
    world.step_send()
    link(world)
    unlink(world, minutes=1)
    world.decide_all()
    world.advance(days=20)
    assert world.line.copies("U1") == ["offer"]
    assert [status for status, _ in ends(world)] in (["sent"], ["unknown"])


@pytest.mark.parametrize("kind", ["follow", "message"])
def test_a_redelivered_event_from_before_the_tie_starts_nothing_anew_after_it_ended(kind: str) -> None:
    """What the friend did before it was linked belongs to the customer now."""
    world = fresh()
    link(world)
    world.run()
    unlink(world, minutes=1)
    world.run()
    world.webhook(world.line_event(kind, "U1", event_id=f"{kind}-1", at=world.now - dt.timedelta(days=1)))
    world.run()
    assert world.customer(FRIEND).profile.tallies == {}
    assert not any(journey.active for journey in world.customer(FRIEND).journeys)
    assert world.line.copies("U1") == ["welcome"]


def test_the_audit_tells_every_change_with_what_was_before_and_after() -> None:
    world = fresh()
    link(world)
    unlink(world, minutes=1)
    link(world, event_id="link-2", minutes=2)
    world.run()
    entries = world.identities.audit_of("U1")
    assert [(entry.before and entry.before.status, entry.after.status) for entry in entries] == [
        (None, "linked"),
        ("linked", "unlinked"),
        ("unlinked", "linked"),
    ]


def test_an_imported_link_ties_as_a_live_one_does() -> None:
    world = fresh()
    link(world)
    (message,) = taken_out(world)
    assert isinstance(message, EventsReceived)
    world.import_history(msgspec.structs.replace(message, history=True))
    world.import_history(msgspec.structs.replace(message, history=True))
    world.advance(days=10)
    assert world.gate().line_user_id == "U1"
    assert counts(world) == {"line_follow": 1, "line_message": 1, "line_linked": 1}
    assert world.line.copies("U1") == ["welcome", "tips", "offer"]


def test_a_provisional_link_ties_nobody() -> None:
    world = fresh()
    world.ingest({**world.linked("c1", "U1"), "status": "provisional"})
    world.run()
    assert world.identities.link_of("U1") is None


def test_a_webhook_event_of_an_unlinked_user_that_is_worked_on_late_goes_to_the_friend() -> None:
    world = fresh()
    link(world)
    world.run()
    unlink(world, minutes=1)
    world.run()
    raw = world.line_event("unfollow", "U1", at=world.now + dt.timedelta(minutes=5))
    world.decide.handle(LineReceived(raw, world.now))
    assert not world.gate(FRIEND).reaches("U1")


def test_what_a_friend_did_before_an_unlink_reaches_the_customer_although_it_comes_after_it() -> None:
    def act(world: World) -> None:
        world.ingest(world.linked("c1", "U1", event_id="l1"))
        world.advance(hours=1)
        world.ingest(world.event("line_unlinked", "c1", event_id="l2", line_user_id="U1"))
        world.run()
        before = world.now - dt.timedelta(minutes=5)
        world.webhook(world.line_event("unfollow", "U1", at=before, event_id="01H"))
        world.run()

    def check(world: World) -> None:
        assert world.customer("c1").profile.blocked
        assert not world.customer("anon:U1").profile.blocked
        assert not world.gate("anon:U1").reaches("U1")

    assert crash_everywhere(lambda: World(playbook()), act, check) > 40


def test_an_unlink_that_comes_late_gives_the_friend_back_what_it_did_after_it() -> None:
    world = World(playbook())
    start = world.now
    world.advance(hours=2)
    world.webhook(world.line_event("unfollow", "U1", at=start + dt.timedelta(hours=1)))
    world.run()
    world.ingest(world.linked("c1", "U1", at=start - dt.timedelta(hours=1)))
    world.run()
    assert world.customer("c1").profile.blocked
    world.ingest(world.event("line_unlinked", "c1", at=start, line_user_id="U1"))
    world.run()
    world.webhook(world.line_event("message", "U1", message={"type": "text", "id": "1", "text": "hi"}))
    world.run()
    assert not world.customer("c1").profile.blocked
    assert world.customer("anon:U1").profile.blocked


def test_a_claim_told_again_after_the_other_customer_let_go_is_taken_in_and_stuck_nowhere() -> None:
    """Told first it is a conflict; told again it finds another link, and has something else to note for the audit."""
    world = fresh()
    link(world, "c1")
    world.advance(hours=1)
    link(world, "c2", event_id="claim-1")
    world.run()
    claimed_at = world.now
    world.advance(hours=1)
    world.ingest(world.event("line_unlinked", "c1", line_user_id="U1"))
    world.run()
    world.ingest(world.linked("c2", "U1", at=claimed_at, event_id="claim-1"))
    world.advance(days=1)
    assert world.dead() == []
    found = world.identities.link_of("U1")
    assert found is not None
    assert (found.customer_id, found.status) == ("c2", "linked")
    assert len(world.identities.audit_of("U1")) == 4
