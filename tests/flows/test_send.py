"""The send protocol: at most one copy, exactly one end on record, whatever happens in between."""

import datetime as dt
import functools
import itertools

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.domain.playbook import Cap, Message
from functions.domain.sends import Intent
from tests.fakes.crashes import crash_everywhere
from tests.fakes.line import Outcome
from tests.fakes.lockstep import schedules, side_by_side
from tests.fakes.playbooks import (
    DAY_SECONDS,
    ONE_PROMOTION_A_WEEK,
    QUIET,
    days,
    evening_of_day,
    playbook,
    scenario,
    send,
)
from tests.fakes.world import World, jst

PATH = scenario("cart_left", days(365), send("offer"), exit_when="orders.count >= 1")
BOOK = playbook(scenarios={"path": PATH})
KINDS = ["thanks", "tips", "offer"]
"""A support message, a notification and a promotion."""
DAY = dt.timedelta(days=1)


def fresh(**changes: object) -> World:
    """A linked friend who agreed to marketing."""
    world = World(msgspec.structs.replace(BOOK, **changes, version="changed") if changes else BOOK)
    world.customer_with_line()
    world.advance(minutes=1)
    return world


def ends(world: World) -> list[tuple[str, str]]:
    return [(record.status, record.reason) for record in world.records()]


def contacts(world: World) -> list[str]:
    return [contact.kind for contact in world.gate().contacts]


def cut_off_after_claim(world: World, *intents: Intent) -> None:
    """The worker is gone between claim and push; the messages are still in the queue."""
    world.enqueue(*intents)

    def hook(_number: int, name: str, side: str) -> None:
        if (name, side) == ("line.push", "before"):
            raise WorkerGone

    world.tap.watch(hook)
    for _ in intents:
        message = world.send_queue.waiting[0]
        world.send_queue.waiting = world.send_queue.waiting[1:]
        with pytest.raises(WorkerGone):
            world.deliver.deliver(_decoded(message.body))
        world.send_queue.waiting.append(message)
    world.tap.watch(None)


class WorkerGone(BaseException):
    """The worker is gone."""


def _decoded(body: str) -> Intent:
    return msgspec.json.decode(body, type=Intent)


def withdraw(world: World, purpose: str = "marketing") -> None:
    world.ingest(world.event("consent_withdrawn", "c1", purpose=purpose))
    world.decide_all()


# --- one copy, one record


@pytest.mark.parametrize("message", KINDS)
def test_a_crash_at_any_call_of_a_delivery_makes_one_copy_and_one_record(message: str) -> None:
    intent = fresh().intent(message)

    def act(world: World) -> None:
        world.enqueue(intent)
        world.run()

    def check(world: World) -> None:
        assert world.line.copies("U1") == [message]
        assert ends(world) == [("sent", "")]
        assert len(world.gate().contacts) == 1
        assert world.send_queue.waiting == []

    assert crash_everywhere(fresh, act, check) >= 8


@pytest.mark.parametrize("message", KINDS)
@pytest.mark.parametrize("outcome", ["accept_then_timeout", "accept_then_500", "timeout", "500"])
def test_a_crash_at_any_call_with_an_unanswered_push_makes_one_copy(message: str, outcome: Outcome) -> None:
    intent = fresh().intent(message)

    def act(world: World) -> None:
        world.line.script.extend([outcome, outcome, outcome])
        world.enqueue(intent)
        world.run()
        world.advance(hours=12)

    def check(world: World) -> None:
        assert world.line.copies("U1") == [message]
        assert ends(world) == [("sent", "")]
        assert {key for _, key in world.line.calls} == {intent.send_id}

    assert crash_everywhere(fresh, act, check) >= 14


def test_a_crash_at_any_two_calls_makes_one_copy_and_one_record() -> None:
    intent = fresh().intent()
    for first, second in itertools.product(range(14), repeat=2):
        world = fresh()
        world.enqueue(intent)
        world.tap.crash_once(first)
        world.step()
        world.tap.crash_once(second)
        world.run()
        assert world.line.copies("U1") == ["offer"], f"crashes at {first} and {second}"
        assert ends(world) == [("sent", "")]


def test_the_same_intent_again_sends_nothing_and_changes_no_record() -> None:
    world = fresh()
    intent = world.intent()
    for _ in range(3):
        world.enqueue(intent, intent)
        world.run()
    (record,) = world.records()
    (contact,) = world.gate().contacts
    world.advance(days=7, hours=23)
    world.enqueue(intent)
    world.run()
    assert len(world.line.calls) == 1
    assert world.records() == [record]
    assert world.gate().contacts == [contact]


def test_a_late_duplicate_after_the_claim_was_pruned_sends_nothing_and_changes_no_record() -> None:
    world = fresh()
    intent = world.intent(expires_seconds=3600)
    world.enqueue(intent)
    world.run()
    world.advance(days=40)
    world.enqueue(world.intent("thanks"))  # whatever is decided next prunes the gate
    world.run()
    world.enqueue(intent)
    world.run()
    assert world.line.copies("U1") == ["offer", "thanks"]
    assert ends(world) == [("sent", ""), ("sent", "")]


def test_a_record_tells_what_was_sent_and_where_line_keeps_it() -> None:
    world = fresh()
    intent = world.intent()
    world.enqueue(intent)
    world.run()
    (record,) = world.records()
    told = (record.send_id, record.customer_id, record.line_user_id, record.message, record.message_hash)
    assert told == (intent.send_id, "c1", "U1", "offer", "hash-offer")
    assert (record.kind, record.scenario, record.step, record.playbook) == (
        "promotion",
        "path",
        "offer",
        BOOK.version,
    )
    assert record.request_id == "request-1"


def test_the_retry_key_is_the_send_id_at_every_attempt() -> None:
    world = fresh()
    world.line.script.extend(["timeout"] * 5)
    intent = world.intent()
    world.enqueue(intent)
    world.run()
    world.advance(hours=6)
    assert len(world.line.calls) == 6
    assert set(world.line.calls) == {("U1", intent.send_id)}


def test_every_attempt_says_the_same_although_the_profile_has_changed() -> None:
    greeting = Message(
        "support", "h", [{"type": "text", "text": "Hello {{ first_name }}"}], {"first_name": "you"}
    )
    book = playbook(scenarios={"path": scenario("purchase", send("hello"))}, messages={"hello": greeting})
    world = World(book)
    world.customer_with_line()
    world.ingest(world.event("profile_updated", "c1", first_name="Hana"))
    world.run()
    world.line.script.append("timeout")
    world.line.always = "timeout"
    world.ingest(world.purchase("c1"))
    world.run()
    world.ingest(world.event("profile_updated", "c1", first_name="Yuki"))
    world.line.always = "ok"
    world.advance(hours=2)
    assert world.line.copies("U1") == ["Hello Hana"]


# --- what LINE answers


def test_a_409_is_an_acceptance() -> None:
    world = fresh()
    world.line.script.append("accept_then_timeout")
    world.enqueue(world.intent())
    world.run()
    assert len(world.line.calls) == 2
    assert (ends(world), world.line.copies("U1")) == ([("sent", "")], ["offer"])
    assert world.records()[0].request_id == "request-1"


def test_timeouts_for_a_whole_day_end_as_unknown_and_never_push_with_an_old_key() -> None:
    world = fresh()
    world.line.always = "timeout"
    intent = world.intent()
    world.enqueue(intent)
    world.advance(hours=23, minutes=59)
    calls = len(world.line.calls)
    assert calls < 70
    world.line.always = "ok"
    world.advance(days=20)
    assert len(world.line.calls) == calls
    assert ends(world) == [("unknown", "key_expired")]
    assert contacts(world) == ["promotion"]


def test_what_may_have_arrived_keeps_its_place_in_the_window() -> None:
    world = fresh()
    world.line.always = "timeout"
    world.enqueue(world.intent())
    world.advance(days=2)
    world.line.always = "ok"
    world.enqueue(world.intent("coupon"))
    world.run()
    assert ends(world) == [("unknown", "key_expired"), ("suppressed", "capped:promotion_weekly")]


def test_a_definite_400_at_first_is_failed_and_gives_the_slot_back() -> None:
    world = fresh()
    world.line.script.append("400")
    world.enqueue(world.intent())
    world.run()
    assert ends(world) == [("failed", "http_400")]
    assert world.gate().contacts == []
    world.enqueue(world.intent("coupon"))
    world.run()
    assert world.line.copies("U1") == ["coupon"]


def test_a_failed_intent_that_comes_again_is_not_pushed() -> None:
    world = fresh()
    world.line.script.append("400")
    intent = world.intent()
    world.enqueue(intent, intent)
    world.run()
    assert len(world.line.calls) == 1
    assert ends(world) == [("failed", "http_400")]


@pytest.mark.parametrize("earlier", ["timeout", "500", "accept_then_timeout"])
def test_a_400_after_an_unanswered_attempt_is_unknown(earlier: Outcome) -> None:
    world = fresh()
    world.line.script.extend([earlier, "400"])
    world.enqueue(world.intent())
    world.run()
    assert ends(world) == [("unknown", "http_400")]
    assert contacts(world) == ["promotion"]


def test_a_400_after_a_crash_between_claim_and_push_is_unknown() -> None:
    world = fresh()
    cut_off_after_claim(world, world.intent())
    world.line.script.append("400")
    world.run()
    assert ends(world) == [("unknown", "http_400")]


def test_a_crash_at_any_call_of_a_definite_failure_ends_once_and_sends_nothing() -> None:
    intent = fresh().intent()

    def act(world: World) -> None:
        world.line.always = "400"
        world.enqueue(intent)
        world.run()

    def check(world: World) -> None:
        assert [status for status, _ in ends(world)] in (["failed"], ["unknown"])
        assert len(world.gate().contacts) == (0 if ends(world)[0][0] == "failed" else 1)
        assert world.line.pushes == []

    assert crash_everywhere(fresh, act, check) >= 12


@pytest.mark.parametrize("outcome", ["401", "403", "monthly"])
def test_a_refusal_of_the_account_stops_it_and_what_was_refused_is_sent_later(outcome: Outcome) -> None:
    world = fresh()
    world.line.script.append(outcome)
    first = world.intent()
    world.enqueue(first, world.intent("thanks"))
    world.run()
    assert world.account_state.stopped_until() == world.now + dt.timedelta(minutes=15)
    assert len(world.line.calls) == 1
    assert (world.gate().claims, world.gate().contacts, world.records()) == ([], [], [])
    assert len(world.timers.held) == 2
    world.advance(minutes=15)
    assert sorted(world.line.copies("U1")) == ["offer", "thanks"]
    assert [status for status, _ in ends(world)] == ["sent", "sent"]


def test_an_account_that_stays_refused_for_days_sends_once_when_it_is_back() -> None:
    world = fresh()
    world.line.always = "monthly"
    world.enqueue(world.intent())
    world.advance(days=3)
    assert world.records() == []
    world.line.always = "ok"
    world.advance(hours=1)
    assert (world.line.copies("U1"), ends(world)) == (["offer"], [("sent", "")])


def test_a_refused_account_after_an_unanswered_attempt_keeps_the_claim() -> None:
    world = fresh()
    world.line.script.extend(["accept_then_timeout", "401"])
    world.enqueue(world.intent())
    world.run()
    assert contacts(world) == ["promotion"]
    world.advance(hours=1)
    assert (world.line.copies("U1"), ends(world)) == (["offer"], [("sent", "")])


def test_a_crash_at_any_call_of_an_account_refusal_sends_once_in_the_end() -> None:
    intent = fresh().intent()

    def act(world: World) -> None:
        world.line.script.extend(["401"])
        world.enqueue(intent)
        world.advance(hours=3)

    def check(world: World) -> None:
        assert (world.line.copies("U1"), ends(world)) == (["offer"], [("sent", "")])
        assert contacts(world) == ["promotion"]

    assert crash_everywhere(fresh, act, check) >= 14


def test_the_rate_limit_makes_a_delayed_copy_and_burns_no_receive() -> None:
    world = fresh()
    world.line.script.append("rate")
    world.enqueue(world.intent())
    world.step()
    (waiting,) = world.send_queue.waiting
    assert waiting.receives == 0
    assert waiting.visible_at == world.now + dt.timedelta(seconds=2)
    assert world.records() == []
    world.advance(seconds=2)
    assert (world.line.copies("U1"), ends(world)) == (["offer"], [("sent", "")])


def test_a_long_rate_limit_ends_in_one_copy() -> None:
    world = fresh()
    world.line.script.extend(["rate"] * 50)
    world.enqueue(world.intent())
    world.advance(minutes=5)
    assert (world.line.copies("U1"), ends(world), world.dead()) == (["offer"], [("sent", "")], [])


def test_a_400_after_the_rate_limit_is_definite() -> None:
    """Every attempt was answered: nothing can have arrived."""
    world = fresh()
    world.line.script.extend(["rate", "400"])
    world.enqueue(world.intent())
    world.advance(minutes=1)
    assert ends(world) == [("failed", "http_400")]
    assert world.gate().contacts == []


def test_an_opt_out_after_the_rate_limit_is_a_suppression() -> None:
    world = fresh()
    world.line.script.append("rate")
    world.enqueue(world.intent())
    world.run()
    withdraw(world)
    world.advance(minutes=1)
    assert ends(world) == [("suppressed", "no_consent")]


def test_too_many_to_the_same_user_is_a_failure() -> None:
    world = fresh()
    world.line.script.append("same_user")
    world.enqueue(world.intent())
    world.run()
    assert ends(world) == [("failed", "same_user_limit")]
    assert world.gate().contacts == []


# --- what changes between claim and resume


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
    assert ends(world) == [("unknown", "no_longer_eligible")]


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


# --- ends without a push


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


# --- holds


def quiet_world(at: dt.datetime) -> World:
    world = World(playbook(scenarios={"path": PATH}, quiet_hours=QUIET))
    world.customer_with_line()
    world.advance(to=at)
    return world


def test_quiet_hours_hold_an_intent_as_a_timer_row_until_the_morning() -> None:
    world = quiet_world(jst(11, 2, 22))
    intent = world.intent("tips")
    world.enqueue(intent)
    world.run()
    assert world.timers.held == [(jst(11, 3, 7), intent)]
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


# --- caps


def test_two_promotions_a_few_seconds_less_than_a_week_apart_are_both_sent() -> None:
    world = fresh()
    world.enqueue(world.intent())
    world.run()
    sent_at = world.now
    world.advance(days=7, seconds=-5)
    world.enqueue(world.intent("coupon", hold_days=1))
    world.run()
    assert world.line.copies("U1") == ["offer"]
    world.advance(minutes=5)
    assert [(push.texts, push.at) for push in world.line.pushes] == [
        (["offer"], sent_at),
        (["coupon"], sent_at + 7 * DAY),
    ]


def test_a_promotion_exactly_a_week_later_is_sent_at_once() -> None:
    world = fresh()
    world.enqueue(world.intent())
    world.run()
    world.advance(days=7)
    world.enqueue(world.intent("coupon"))
    world.run()
    assert world.line.copies("U1") == ["offer", "coupon"]


def test_a_promotion_within_the_week_that_may_not_wait_is_suppressed() -> None:
    world = fresh()
    world.enqueue(world.intent(), world.intent("coupon"))
    world.run()
    assert world.ends() == [("coupon", "suppressed", "capped:promotion_weekly"), ("offer", "sent", "")]


def test_a_cap_on_promotions_drops_neither_support_nor_notifications() -> None:
    world = fresh()
    world.enqueue(*(world.intent(message) for message in ("offer", "thanks", "tips", "care", "reminder")))
    world.run()
    assert sorted(world.line.copies("U1")) == ["care", "offer", "reminder", "thanks", "tips"]


def test_a_coupon_on_day_14_after_a_promotion_on_day_10_waits_until_day_17() -> None:
    first_purchase = scenario(
        "purchase",
        evening_of_day(7),
        send("reminder"),
        evening_of_day(10),
        send("offer", hold_days=7),
        evening_of_day(14),
        send("coupon", hold_days=7),
    )
    world = World(playbook(scenarios={"first_purchase": first_purchase}))
    world.customer_with_line()
    world.ingest(world.purchase("c1"))
    world.advance(days=30)
    assert [(push.texts[0], push.at) for push in world.line.pushes] == [
        ("reminder", jst(11, 9, 19)),
        ("offer", jst(11, 12, 19)),
        ("coupon", jst(11, 19, 19)),
    ]


def test_a_held_promotion_keeps_its_slot_from_one_of_lower_rank() -> None:
    world = fresh()
    world.enqueue(world.intent(occurrence="0"))
    world.run()
    world.advance(days=6)
    world.enqueue(world.intent("coupon", hold_days=7, rank=20, source="path", occurrence="2"))
    world.run()
    world.advance(days=1, seconds=-1)
    world.enqueue(world.intent("news", rank=50, hold_days=2, occurrence="3"))
    world.run()
    world.advance(days=1)
    assert world.line.copies("U1") == ["offer", "coupon"]


def test_a_cap_of_two_lets_two_pass_and_holds_the_third_until_the_first_is_a_window_ago() -> None:
    cap = Cap("daily", ["promotion", "notification"], 2, DAY_SECONDS, hold_seconds_max=DAY_SECONDS)
    world = fresh(caps=[cap])
    for number, message in enumerate(["offer", "tips", "coupon"]):
        world.advance(hours=1)
        world.enqueue(world.intent(message, occurrence=str(number)))
        world.run()
    first = world.line.pushes[0].at
    world.advance(days=2)
    assert [push.texts[0] for push in world.line.pushes] == ["offer", "tips", "coupon"]
    assert world.line.pushes[2].at == first + DAY


# --- several workers


SCHEDULES = schedules(8)


@pytest.mark.parametrize("outcome", ["ok", "accept_then_timeout", "timeout", "rate", "401"])
@pytest.mark.parametrize("message", KINDS)
def test_two_workers_with_one_intent_make_one_copy_whatever_their_order(
    message: str, outcome: Outcome
) -> None:
    for schedule in SCHEDULES[:: 3 if outcome == "ok" else 7]:
        world = fresh()
        world.line.script.append(outcome)
        task = functools.partial(world.deliver.deliver, world.intent(message))
        assert side_by_side(world.tap, schedule, task, task) == [None, None]
        world.advance(hours=2)
        assert world.line.copies("U1") == [message], schedule
        assert ends(world) == [("sent", "")]
        assert len(world.gate().contacts) == 1


def test_a_worker_paused_at_any_call_while_another_goes_through_makes_one_copy() -> None:
    intent = fresh().intent()
    for point in range(14):
        world = fresh()
        world.enqueue(intent)
        world.tap.once(point, functools.partial(world.deliver.deliver, intent))
        world.run()
        assert (world.line.copies("U1"), ends(world)) == (["offer"], [("sent", "")]), f"paused at {point}"


@pytest.mark.parametrize("refusal", ["401", "400"])
def test_a_refusal_of_one_worker_does_not_undo_what_another_worker_had_accepted(refusal: Outcome) -> None:
    """Both push the same intent; LINE refuses one of them and takes the other. Whatever comes later, there is one copy."""
    for schedule in schedules(7):
        world = fresh()
        intent = world.intent()
        world.line.script.extend([refusal, "ok"])
        task = functools.partial(world.deliver.deliver, intent)
        assert side_by_side(world.tap, schedule, task, task) == [None, None]
        world.line.always = "401"  # the account stays refused for more than a day
        world.advance(hours=30)
        world.line.always = "ok"
        world.enqueue(intent)
        world.advance(days=3)
        assert len(world.line.copies("U1")) <= 1, schedule
        if world.line.copies("U1"):
            assert ends(world)[0][0] in ("sent", "unknown"), schedule
            assert contacts(world) == ["promotion"], schedule


def test_two_workers_with_two_promotions_send_one_of_them() -> None:
    for schedule in SCHEDULES[::3]:
        world = fresh()
        tasks = [functools.partial(world.deliver.deliver, world.intent(name)) for name in ("offer", "coupon")]
        assert side_by_side(world.tap, schedule, *tasks) == [None, None]
        assert len(world.line.copies("U1")) == 1
        assert sorted(ends(world)) == [("sent", ""), ("suppressed", "capped:promotion_weekly")]


def test_a_contended_gate_is_tried_again_by_redelivery_and_loses_nothing() -> None:
    world = fresh()
    world.enqueue(world.intent())
    left = [20]

    def disturb(_number: int, name: str, side: str) -> None:
        if (name, side) == ("customers.load_both", "after") and left[0]:
            left[0] -= 1
            gate = world.gate()
            world.customers.save_gate(msgspec.structs.replace(gate, holds=gate.holds))

    world.tap.watch(disturb)
    world.run()
    assert (world.line.copies("U1"), ends(world), world.dead()) == (["offer"], [("sent", "")], [])


# --- caps, whatever happens


CAPS = [
    ONE_PROMOTION_A_WEEK,
    Cap("two_a_day", ["promotion", "notification"], 2, DAY_SECONDS, 3 * DAY_SECONDS),
]
CAPPED = playbook(scenarios={"path": PATH}, caps=CAPS)
OUTCOMES: list[Outcome] = ["ok", "ok", "ok", "timeout", "accept_then_timeout", "rate", "400", "401", "500"]


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_no_interleaving_ever_exceeds_a_cap_or_makes_a_second_copy(data: st.DataObject) -> None:
    world = World(CAPPED)
    world.customer_with_line()
    for round_number in range(data.draw(st.integers(1, 4))):
        names = data.draw(
            st.lists(
                st.sampled_from(["offer", "coupon", "tips", "reminder", "thanks"]), min_size=1, max_size=4
            )
        )
        intents = [
            world.intent(
                name,
                occurrence=f"{round_number}-{number}",
                hold_days=data.draw(st.sampled_from([None, 0, 2, 8])),
            )
            for number, name in enumerate(names)
        ]
        chosen = [
            intents[data.draw(st.integers(0, len(intents) - 1))] for _ in range(data.draw(st.integers(1, 3)))
        ]
        world.line.script.extend(data.draw(st.lists(st.sampled_from(OUTCOMES), max_size=4)))
        tasks = [functools.partial(world.deliver.deliver, intent) for intent in [*intents, *chosen]]
        side_by_side(world.tap, data.draw(st.lists(st.integers(0, 5), max_size=40)), *tasks)
        world.advance(hours=data.draw(st.sampled_from([0, 1, 5, 23, 24, 25, 24 * 6, 24 * 7])))
    world.line.script.clear()
    world.advance(days=12)
    assert_caps_hold(world)
    keys = [push.key for push in world.line.pushes]
    assert len(keys) == len(set(keys))
    statuses = {record.send_id: record.status for record in world.records()}
    assert all(statuses[key] in ("sent", "unknown") for key in keys)


def assert_caps_hold(world: World) -> None:
    kinds = {name: message.kind for name, message in world.book.messages.items()}
    for cap in world.book.caps:
        window = dt.timedelta(seconds=cap.window_seconds)
        instants = [push.at for push in world.line.pushes if kinds[push.texts[0]] in cap.kinds]
        for at in instants:
            within = [one for one in instants if at <= one < at + window]
            assert len(within) <= cap.limit, f"{len(within)} messages within {cap.id} from {at}"


def test_a_cap_holds_for_the_whole_of_its_window_however_long() -> None:
    world = fresh(caps=[Cap("quarterly", ["promotion"], 1, 90 * DAY_SECONDS)])
    world.enqueue(world.intent())
    world.run()
    world.advance(days=45)
    world.enqueue(world.intent("thanks"), world.intent("coupon"))
    world.run()
    assert world.line.copies("U1") == ["offer", "thanks"]
