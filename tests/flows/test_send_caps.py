"""The send protocol: caps, alone and against everything at once."""

import functools

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.domain.playbook import Cap
from tests.fakes.lockstep import side_by_side
from tests.fakes.playbooks import (
    DAY_SECONDS,
    evening_of_day,
    playbook,
    scenario,
    send,
)
from tests.fakes.world import World, jst
from tests.flows.sending import CAPPED, DAY, OUTCOMES, assert_caps_hold, fresh


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
        tasks = [functools.partial(world.send, intent) for intent in [*intents, *chosen]]
        side_by_side(world.tap, data.draw(st.lists(st.integers(0, 5), max_size=40)), *tasks)
        world.advance(hours=data.draw(st.sampled_from([0, 1, 5, 23, 24, 25, 24 * 6, 24 * 7])))
    world.line.script.clear()
    world.advance(days=12)
    assert_caps_hold(world)
    keys = [push.key for push in world.line.pushes]
    assert len(keys) == len(set(keys))
    statuses = {record.send_id: record.status for record in world.records()}
    assert all(statuses[key] in ("sent", "unknown") for key in keys)


def test_a_cap_holds_for_the_whole_of_its_window_however_long() -> None:
    world = fresh(caps=[Cap("quarterly", ["promotion"], 1, 90 * DAY_SECONDS)])
    world.enqueue(world.intent())
    world.run()
    world.advance(days=45)
    world.enqueue(world.intent("thanks"), world.intent("coupon"))
    world.run()
    assert world.line.copies("U1") == ["offer", "thanks"]
