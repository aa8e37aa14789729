"""The send protocol: ends without a push, and holds."""

import datetime as dt

import pytest

from functions.domain.playbook import Message
from functions.domain.sends import held
from tests.fakes.crashes import crash_everywhere
from tests.fakes.playbooks import (
    playbook,
)
from tests.fakes.world import World, jst
from tests.flows.sending import (
    BOOK,
    KINDS,
    PATH,
    cut_off_after_claim,
    ends,
    fresh,
    quiet_world,
    withdraw,
)


def test_a_customer_without_a_gate_gets_nothing() -> None:
    world = fresh()
    world.customers.gate_bodies.clear()
    world.enqueue(world.intent())
    world.run()
    assert (world.line.calls, ends(world)) == ([], [("suppressed", "erased")])
    assert world.customers.load_gate("c1") is None


def test_an_intent_that_expired_before_its_claim_is_suppressed() -> None:
    world = fresh()
    intent = world.intent(expires_seconds=3600)
    world.now = intent.expires_at
    world.enqueue(intent)
    world.run()
    assert (world.line.calls, ends(world)) == ([], [("suppressed", "expired")])


def test_an_intent_is_pushed_until_the_last_moment_before_it_expires() -> None:
    world = fresh()
    intent = world.intent(expires_seconds=3600)
    world.now = intent.expires_at - dt.timedelta(microseconds=1)
    world.enqueue(intent)
    world.run()
    assert ends(world) == [("sent", "")]


@pytest.mark.parametrize("minutes_late", [0, 59, 60, 61, 24 * 60, 8 * 24 * 60])
def test_an_intent_that_expired_after_its_claim_is_unknown_however_late_it_comes(minutes_late: int) -> None:
    """Dead letters are replayed up to 14 days later; what was claimed may have arrived."""
    world = fresh()
    intent = world.intent(expires_seconds=3600)
    cut_off_after_claim(world, intent)
    world.now = intent.expires_at + dt.timedelta(minutes=minutes_late)
    world.run()
    assert world.line.calls == []
    assert ends(world) == [("unknown", "expired")]


def test_a_claim_that_another_decision_pruned_ends_as_unknown_all_the_same() -> None:
    world = fresh()
    intent = world.intent(expires_seconds=3600)
    cut_off_after_claim(world, intent)
    (waiting,) = world.send_queue.waiting
    world.send_queue.waiting.clear()
    world.advance(days=1)
    world.enqueue(world.intent("thanks"))
    world.run()
    assert [claim.step for claim in world.gate().claims] == ["thanks"]
    world.send_queue.waiting.append(waiting)
    world.run()
    assert ends(world) == [("sent", ""), ("unknown", "expired")]


def test_a_message_that_cannot_be_rendered_fails_and_takes_no_slot() -> None:
    bad = Message("promotion", "h", [{"type": "text", "text": "{{ missing }}"}])
    world = World(playbook(scenarios={"path": PATH}, messages={"bad": bad}))
    world.customer_with_line()
    world.enqueue(world.intent("bad"), world.intent())
    world.run()
    assert ends(world) == [("failed", "render_error"), ("sent", "")]


def test_no_consent_no_promotion() -> None:
    world = World(BOOK)
    world.befriend("U1")
    world.ingest(world.event("line_linked", "c1", line_user_id="U1", consent=[]))
    world.run()
    world.enqueue(world.intent(), world.intent("tips"), world.intent("thanks"))
    world.run()
    assert world.ends() == [
        ("offer", "suppressed", "no_consent"),
        ("thanks", "sent", ""),
        ("tips", "sent", ""),
    ]


@pytest.mark.parametrize(
    ("purpose", "stopped"),
    [
        ("marketing", {"offer"}),
        ("promotion", {"offer"}),
        ("notification", {"tips"}),
        ("all", {"offer", "tips", "thanks"}),
    ],
)
def test_a_withdrawal_stops_what_it_names_also_what_is_queued_already(
    purpose: str, stopped: set[str]
) -> None:
    world = fresh()
    world.enqueue(*(world.intent(message) for message in KINDS))
    withdraw(world, purpose)
    world.run()
    assert {end[0] for end in world.ends() if end[1:] == ("suppressed", "no_consent")} == stopped
    assert set(world.line.copies("U1")) == set(KINDS) - stopped


@pytest.mark.parametrize("flag", ["inquiry", "complaint"])
def test_support_passes_an_open_case_and_a_promotion_does_not(flag: str) -> None:
    world = fresh()
    world.ingest(world.event(f"{flag}_opened", "c1", case_id="1"))
    world.run()
    world.enqueue(*(world.intent(message) for message in KINDS))
    world.run()
    assert world.ends() == [
        ("offer", "suppressed", f"excluded:{flag}"),
        ("thanks", "sent", ""),
        ("tips", "sent", ""),
    ]


def test_a_promotion_passes_again_only_when_every_case_is_closed() -> None:
    world = fresh()
    for name, case, expected in [
        ("inquiry_opened", "1", "suppressed"),
        ("inquiry_opened", "2", "suppressed"),
        ("inquiry_closed", "1", "suppressed"),
        ("inquiry_closed", "2", "sent"),
    ]:
        world.advance(minutes=1)
        world.ingest(world.event(name, "c1", case_id=case))
        world.run()
        world.enqueue(world.intent(occurrence=name + case))
        world.run()
        assert ends(world)[-1][0] == expected


def test_a_refund_in_progress_stops_promotions_provisional_or_not() -> None:
    world = fresh()
    world.ingest({**world.event("refund_started", "c1"), "status": "provisional"})
    world.run()
    world.enqueue(world.intent())
    world.run()
    assert ends(world) == [("suppressed", "excluded:refund")]


def test_what_a_friend_blocks_is_not_pushed() -> None:
    world = fresh()
    world.webhook(world.line_event("unfollow", "U1"))
    world.run()
    world.enqueue(world.intent("thanks"))
    world.run()
    assert (world.line.calls, ends(world)) == ([], [("suppressed", "unreachable")])


def test_quiet_hours_hold_an_intent_as_a_timer_row_until_the_morning() -> None:
    world = quiet_world(jst(11, 2, 22))
    intent = world.intent("tips")
    world.enqueue(intent)
    world.run()
    assert world.timers.held == [(jst(11, 3, 7), held(intent, "quiet_hours", jst(11, 3, 7), world.now))]
    assert (world.send_queue.waiting, world.records()) == ([], [])
    world.advance(to=jst(11, 3, 6, 59))
    assert world.line.calls == []
    world.advance(minutes=1)
    assert [(push.texts, push.at) for push in world.line.pushes] == [(["tips"], jst(11, 3, 7))]


def test_support_is_not_held_at_night() -> None:
    world = quiet_world(jst(11, 2, 22))
    world.enqueue(world.intent("thanks"))
    world.run()
    assert world.line.copies("U1") == ["thanks"]


def test_quiet_hours_go_by_the_customers_own_zone() -> None:
    world = quiet_world(jst(11, 2, 22))
    world.ingest(world.event("profile_updated", "c1", zone="Europe/London"))  # 13:00 there
    world.run()
    world.enqueue(world.intent("tips"))
    world.run()
    assert world.line.copies("U1") == ["tips"]


@pytest.mark.parametrize(
    ("hour", "minute", "held"), [(20, 59, False), (21, 0, True), (6, 59, True), (7, 0, False)]
)
def test_quiet_hours_begin_at_nine_and_end_at_seven(hour: int, minute: int, held: bool) -> None:
    world = quiet_world(jst(11, 3, hour, minute))
    world.enqueue(world.intent("tips"))
    world.run()
    assert (world.line.copies("U1") == []) is held


def test_a_hold_that_would_outlive_the_intent_is_a_suppression() -> None:
    world = quiet_world(jst(11, 2, 22))
    world.enqueue(world.intent("tips", expires_seconds=3600))
    world.run()
    assert ends(world) == [("suppressed", "quiet_hours")]


def test_a_short_hold_waits_in_the_queue_not_as_a_timer() -> None:
    world = quiet_world(jst(11, 3, 6, 59) + dt.timedelta(seconds=30))
    world.enqueue(world.intent("tips"))
    world.step()
    assert world.timers.held == []
    world.advance(seconds=30)
    assert world.line.copies("U1") == ["tips"]


def test_a_crash_at_any_call_of_a_hold_sends_once_in_the_morning() -> None:
    def build() -> World:
        return quiet_world(jst(11, 2, 22))

    intent = build().intent("tips")

    def act(world: World) -> None:
        world.enqueue(intent)
        world.advance(hours=12)

    def check(world: World) -> None:
        assert [(push.texts, push.at) for push in world.line.pushes] == [(["tips"], jst(11, 3, 7))]
        assert ends(world) == [("sent", "")]
        assert world.timers.held == []

    assert crash_everywhere(build, act, check) >= 20


def test_an_opt_out_during_a_hold_is_a_suppression() -> None:
    world = quiet_world(jst(11, 2, 22))
    world.enqueue(world.intent("tips"))
    world.run()
    withdraw(world, "notification")
    world.advance(hours=12)
    assert (world.line.calls, ends(world)) == ([], [("suppressed", "no_consent")])


def test_a_reminder_held_overnight_gives_way_to_the_next_one() -> None:
    world = quiet_world(jst(11, 2, 22))
    world.enqueue(world.intent("reminder", step="first"))
    world.run()
    world.advance(hours=3)
    world.enqueue(world.intent("tips", step="second"))
    world.advance(to=jst(11, 3, 8))
    assert world.line.copies("U1") == ["tips"]
    assert world.ends() == [("reminder", "suppressed", "outranked"), ("tips", "sent", "")]
