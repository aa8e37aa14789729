"""The send protocol: what changes between a claim and its resume."""

import datetime as dt

import msgspec

from tests.fakes.playbooks import (
    QUIET,
    playbook,
)
from tests.fakes.world import World, jst
from tests.flows.sending import (
    PATH,
    cut_off_after_claim,
    ends,
    fresh,
    withdraw,
)


def test_an_opt_out_between_claim_and_redelivery_ends_as_unknown_without_a_push() -> None:
    world = fresh()
    cut_off_after_claim(world, world.intent())
    withdraw(world)
    world.run()
    assert world.line.calls == []
    assert ends(world) == [("unknown", "no_consent")]


def test_a_block_between_claim_and_redelivery_ends_as_unknown_without_a_push() -> None:
    world = fresh()
    cut_off_after_claim(world, world.intent())
    world.webhook(world.line_event("unfollow", "U1"))
    world.decide_all()
    world.run()
    assert world.line.calls == []
    assert ends(world) == [("unknown", "unreachable")]


def test_a_purchase_between_claim_and_redelivery_ends_as_unknown_without_a_push() -> None:
    world = fresh()
    cut_off_after_claim(world, world.intent())
    world.ingest(world.purchase("c1", status="provisional"))
    world.decide_all()
    world.run()
    assert world.line.calls == []
    assert ends(world) == [("unknown", "not_confirmed")]


def test_a_text_that_changed_between_claim_and_redelivery_is_not_pushed_under_the_old_key() -> None:
    world = fresh()
    intent = world.intent()
    cut_off_after_claim(world, intent)
    world.send_queue.waiting.clear()
    world.enqueue(msgspec.structs.replace(intent, message="coupon"))
    world.run()
    assert world.line.calls == []
    assert ends(world) == [("unknown", "content_changed")]


def test_a_resume_moves_the_contact_to_its_own_instant() -> None:
    world = fresh()
    cut_off_after_claim(world, world.intent())
    world.now += dt.timedelta(hours=3)
    world.run()
    (contact,) = world.gate().contacts
    assert contact.at == world.now
    assert world.line.copies("U1") == ["offer"]


def test_a_resume_in_quiet_hours_waits_for_the_morning_and_keeps_its_key() -> None:
    world = World(playbook(scenarios={"path": PATH}, quiet_hours=QUIET))
    world.customer_with_line()
    world.advance(to=jst(11, 2, 20, 59))
    intent = world.intent()
    cut_off_after_claim(world, intent)
    world.now = jst(11, 2, 21, 30)
    world.run()
    assert world.line.calls == []
    world.advance(to=jst(11, 3, 7))
    assert [(push.at, push.key) for push in world.line.pushes] == [(jst(11, 3, 7), intent.send_id)]
    assert ends(world) == [("sent", "")]


def test_a_resume_whose_wait_would_outlive_the_key_is_unknown() -> None:
    """Another promotion took the slot meanwhile: waiting a week would make a second copy."""
    world = fresh()
    first = world.intent(hold_days=8)
    cut_off_after_claim(world, first)
    gate = world.gate()
    other = msgspec.structs.replace(gate.contacts[0], send_id="other")
    world.customers.save_gate(msgspec.structs.replace(gate, contacts=[*gate.contacts, other]))
    world.advance(days=10)
    assert world.line.calls == []
    assert ends(world) == [("unknown", "capped:promotion_weekly")]


def test_a_redelivery_when_the_key_is_23_hours_old_is_unknown() -> None:
    world = fresh()
    cut_off_after_claim(world, world.intent())
    world.now += dt.timedelta(hours=23)
    world.run()
    assert world.line.calls == []
    assert ends(world) == [("unknown", "key_expired")]
