"""The send protocol: what the account, the sources and the playbook's own rules keep back, and what is told of it."""

import datetime as dt

import msgspec

from functions.domain.account import Account, Block
from functions.domain.playbook import Cap, Exclusion, Message, Source
from functions.domain.sends import HoldNote
from tests.fakes.playbooks import DAY_SECONDS, days, playbook, scenario, send, when
from tests.fakes.world import World, jst
from tests.flows.sending import PATH, ends, fresh, quiet_world, withdraw

NEEDY = msgspec.structs.replace(PATH, needs=["shop"])


def resting_on_the_shop() -> World:
    return fresh(scenarios={"path": NEEDY}, sources={"shop": Source(3_600)})


def hear_of(world: World, source: str = "shop") -> None:
    world.ingest({**world.event("profile_updated", "c9"), "source": source})


# --- sources


def test_what_needs_a_source_waits_until_the_source_is_heard_of() -> None:
    world = resting_on_the_shop()
    world.enqueue(world.intent())
    world.advance(hours=2)
    assert (world.line.calls, world.records()) == ([], [])
    hear_of(world)
    heard_at = world.now
    world.advance(minutes=15)
    assert world.line.copies("U1") == ["offer"]
    (record,) = world.records()
    (note,) = record.holds
    assert (note.reason, note.until) == ("stale_data", record.at)
    assert heard_at < record.at <= heard_at + dt.timedelta(minutes=15)


def test_a_source_that_stays_silent_ends_it_as_stale() -> None:
    world = resting_on_the_shop()
    world.enqueue(world.intent(expires_seconds=3_600))
    world.advance(hours=2)
    assert (world.line.calls, ends(world)) == ([], [("suppressed", "stale_data")])


def test_the_copies_of_a_message_that_waits_become_one_again() -> None:
    """A crash after the hold was written makes two of one: asked again for days, they would double and double."""
    world = resting_on_the_shop()
    intent = world.intent()
    for _ in range(3):
        world.enqueue(intent)
        world.advance(minutes=2)
    assert len(world.timers.held) == 1
    world.advance(hours=9)
    assert len(world.timers.held) == 1


def test_what_needs_no_source_does_not_wait_for_any() -> None:
    world = fresh(scenarios={"path": NEEDY, "another": PATH}, sources={"shop": Source(3_600)})
    world.enqueue(world.intent("tips"), world.intent("thanks", source="another"))
    world.run()
    assert world.line.copies("U1") == ["thanks"]


def test_only_the_sources_that_the_playbook_names_are_noted_and_at_most_once_a_minute() -> None:
    world = resting_on_the_shop()
    hear_of(world)
    first = world.now
    world.advance(seconds=59)
    hear_of(world)
    hear_of(world, "somebody")
    assert world.account_state.read() == Account(heard={"shop": first})
    world.advance(seconds=1)
    hear_of(world)
    assert world.account_state.read().heard == {"shop": world.now}


def test_an_event_that_is_refused_tells_nothing_of_its_source() -> None:
    world = resting_on_the_shop()
    world.ingest({**world.event("no_such_event", "c9"), "source": "shop"})
    assert world.account_state.read().heard == {}


# --- the account


def test_a_month_that_is_used_up_ends_what_would_expire_and_holds_what_will_not() -> None:
    world = fresh()
    world.advance(to=jst(11, 28, 12))
    world.line.always = "monthly"
    first, second = world.intent("thanks"), world.intent("tips", expires_seconds=DAY_SECONDS)
    world.enqueue(first, second)
    world.run()
    assert world.account_state.read().blocks == [Block("over_quota", jst(12, 1))]
    assert len(world.line.calls) == 1
    assert world.gate().claims[1:] == []
    world.advance(hours=23)
    assert ends(world) == []
    world.advance(hours=1)
    assert ends(world) == [("suppressed", "over_quota")]
    assert len(world.line.calls) == 1
    world.line.always = "ok"
    world.advance(to=jst(12, 1))
    assert [(push.texts, push.at) for push in world.line.pushes] == [(["thanks"], jst(12, 1))]
    assert [note.reason for note in world.records()[-1].holds] == ["over_quota"]


def test_a_block_of_one_scenario_leaves_the_others_alone() -> None:
    world = fresh(scenarios={"path": PATH, "other": PATH})
    world.account_state.block(Block("breaker_open", world.now + dt.timedelta(hours=1), "scenario:path"))
    world.enqueue(world.intent("thanks"), world.intent("tips", source="other"))
    world.run()
    assert world.line.copies("U1") == ["tips"]
    world.advance(hours=1)
    assert world.line.copies("U1") == ["tips", "thanks"]


# --- rules of the playbook


def test_an_expression_excludes_whom_it_holds_for_from_the_kinds_it_names() -> None:
    world = fresh(
        exclusion_rules={"buyers": Exclusion(when("orders.count >= 1"), ["promotion"])}, scenarios={}
    )
    world.ingest(world.purchase("c1"))
    world.decide_all()
    path = scenario("cart_left", days(365), send("offer"))
    world.apply(msgspec.structs.replace(world.book, scenarios={"path": path}, version="without exit"))
    world.enqueue(world.intent(), world.intent("thanks"))
    world.run()
    assert world.ends() == [("offer", "suppressed", "excluded:buyers"), ("thanks", "sent", "")]
    excluded = next(record for record in world.records() if record.message == "offer")
    assert excluded.facts["excluded"] == ["buyers"]


def test_a_message_of_a_category_is_stopped_by_a_withdrawal_of_that_category() -> None:
    coupon = Message("promotion", "h", [{"type": "text", "text": "coupon"}], category="coupon")
    path = scenario("cart_left", send("coupon"), days(1), send("tips"))
    world = World(playbook(scenarios={"cart": path}, messages={"coupon": coupon}))
    world.customer_with_line()
    withdraw(world, "coupon")
    world.ingest(world.event("cart_left", "c1"))
    world.advance(days=2)
    assert world.ends() == [("coupon", "suppressed", "no_consent"), ("tips", "sent", "")]


def test_a_cap_by_category_counts_the_messages_of_journeys_by_theirs() -> None:
    messages = {
        name: Message("promotion", name, [{"type": "text", "text": name}], category=category)
        for name, category in (("a", "coupon"), ("b", "news"), ("c", "coupon"))
    }
    path = scenario("cart_left", send("a"), days(1), send("b"), days(1), send("c"))
    coupons = Cap("coupon_monthly", ["promotion"], 1, 30 * DAY_SECONDS, categories=["coupon"])
    world = World(playbook(scenarios={"cart": path}, messages=messages, caps=[coupons]))
    world.customer_with_line()
    world.ingest(world.event("cart_left", "c1"))
    world.advance(days=3)
    assert world.ends() == [
        ("a", "sent", ""),
        ("b", "sent", ""),
        ("c", "suppressed", "capped:coupon_monthly"),
    ]


def test_a_calendar_day_is_the_customers_own() -> None:
    world = fresh(caps=[Cap("daily", ["notification"], 1, 0, DAY_SECONDS, "day")])
    world.advance(to=jst(11, 3, 23))
    world.enqueue(world.intent("tips"), world.intent("reminder"))
    world.advance(hours=2)
    assert [push.at for push in world.line.pushes] == [jst(11, 3, 23), jst(11, 4)]


# --- late looks


def test_of_two_reminders_that_one_late_look_makes_the_later_goes_alone() -> None:
    path = scenario("cart_left", days(0.25), send("reminder"), days(0.25), send("tips"))
    world = World(playbook(scenarios={"cart": path}))
    world.customer_with_line()
    world.ingest(world.event("cart_left", "c1"))
    world.run()
    world.outage(hours=15)
    world.advance(hours=1)
    assert world.line.copies("U1") == ["tips"]
    assert world.ends() == [("reminder", "suppressed", "outranked"), ("tips", "sent", "")]


def test_two_messages_without_a_wait_between_them_both_go_however_late() -> None:
    path = scenario("cart_left", days(0.25), send("reminder"), send("tips"))
    world = World(playbook(scenarios={"cart": path}))
    world.customer_with_line()
    world.ingest(world.event("cart_left", "c1"))
    world.run()
    world.outage(hours=15)
    world.run()
    assert sorted(world.line.copies("U1")) == ["reminder", "tips"]


# --- what is told


def test_a_purchase_that_is_provisional_when_a_hold_ends_leaves_the_message_unconfirmed() -> None:
    world = quiet_world(jst(11, 2, 22))
    world.enqueue(world.intent())
    world.run()
    world.ingest(world.purchase("c1", status="provisional"))
    world.advance(hours=12)
    assert (world.line.calls, ends(world)) == ([], [("suppressed", "not_confirmed")])


def test_a_record_tells_what_it_rested_on_and_for_what_it_waited() -> None:
    world = quiet_world(jst(11, 2, 22))
    world.enqueue(world.intent("tips"))
    world.advance(hours=12)
    (record,) = world.records()
    assert record.holds == [HoldNote(jst(11, 2, 22), "quiet_hours", jst(11, 3, 7))]
    assert record.facts == {"local": "2026-11-03T07:00+09:00", "zone": "Asia/Tokyo", "rank": 20}


def test_holds_for_want_of_an_answer_are_told_too() -> None:
    world = fresh()
    world.line.script.extend(["timeout", "timeout", "rate"])
    world.enqueue(world.intent())
    world.advance(hours=1)
    (record,) = world.records()
    assert [note.reason for note in record.holds] == ["no_answer", "rate_limit"]
