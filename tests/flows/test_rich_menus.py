"""Rich menus: the latest wish is brought about, however often and in whatever order the orders come."""

import datetime as dt

import pytest

from functions.domain.account import Block
from functions.domain.playbook import RichMenu, Scenario
from functions.domain.sends import MenuOrder
from functions.send.menus import ATTEMPTS_MAX
from tests.fakes.crashes import crash_everywhere
from tests.fakes.line import Outcome
from tests.fakes.playbooks import days, playbook, scenario, send
from tests.fakes.queues import FakeSendQueue
from tests.fakes.world import World

MENUS = {"vip": "richmenu-vip", "cart": "richmenu-cart"}
SCENARIOS = {
    "vip": scenario("purchase", RichMenu("vip"), days(1), RichMenu("")),
    "cart": scenario("cart_left", RichMenu("cart")),
}


def fresh(scenarios: dict[str, Scenario] = SCENARIOS) -> World:
    world = World(playbook(scenarios=scenarios, rich_menus=MENUS))
    world.customer_with_line()
    world.advance(minutes=1)
    return world


def bought() -> World:
    world = fresh()
    world.ingest(world.purchase("c1"))
    return world


def waiting_orders(world: World) -> int:
    return len(world.send_queue.waiting) + len(world.timers.menus)


def test_a_menu_is_shown_and_taken_away_when_its_step_comes() -> None:
    world = bought()
    world.run()
    assert world.line.menus == {"U1": "richmenu-vip"}
    world.advance(days=2)
    assert world.line.menus == {"U1": ""}
    assert world.line.calls == [("U1", "richmenu-vip"), ("U1", "default")]
    assert world.records() == []


def test_a_crash_at_any_call_leaves_the_wished_menu() -> None:
    def check(world: World) -> None:
        assert world.line.menus == {"U1": ""}
        assert world.dead() == []

    def act(world: World) -> None:
        world.ingest(world.purchase("c1", event_id="p1"))
        world.advance(days=2)

    assert crash_everywhere(fresh, act, check) > 10


def test_an_order_that_a_later_wish_overtook_is_void() -> None:
    world = bought()
    world.decide_all()
    late = world.send_queue.waiting
    world.send_queue.waiting = []
    world.now += dt.timedelta(minutes=1)
    world.ingest(world.event("cart_left", "c1"))
    world.run()
    assert world.line.menus == {"U1": "richmenu-cart"}
    world.send_queue.waiting = late
    world.run()
    assert world.line.menus == {"U1": "richmenu-cart"}


@pytest.mark.parametrize("outcome", ["timeout", "500", "accept_then_timeout", "rate", "401"])
def test_what_is_not_answered_or_refused_for_now_comes_again(outcome: Outcome) -> None:
    world = bought()
    world.line.script.extend([outcome] * 3)
    world.run()
    assert waiting_orders(world) == 1
    world.advance(hours=1)
    assert world.line.menus == {"U1": "richmenu-vip"}
    assert waiting_orders(world) == 0


def test_an_order_is_given_up_after_more_than_eight_days_of_silence(caplog: pytest.LogCaptureFixture) -> None:
    world = fresh({"cart": SCENARIOS["cart"]})
    world.line.always = "timeout"
    world.ingest(world.event("cart_left", "c1"))
    world.advance(days=8)
    assert waiting_orders(world) == 1
    world.advance(hours=12)
    assert (waiting_orders(world), len(world.line.calls)) == (0, ATTEMPTS_MAX)
    assert "given up" in caplog.text
    assert "U1" not in caplog.text


def test_a_refused_menu_is_dropped_and_told_without_saying_whose_it_was(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = bought()
    world.line.script.append("400")
    world.run()
    assert (waiting_orders(world), world.dead()) == (0, [])
    assert "LINE refuses the rich menu 'vip' (http_400)" in caplog.text
    assert "U1" not in caplog.text
    assert "c1" not in caplog.text


def test_a_menu_that_the_playbook_in_force_does_not_have_is_not_asked_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = bought()
    world.decide_all()
    world.apply(playbook(scenarios=SCENARIOS))
    world.run()
    assert world.line.calls == []
    assert "no such menu" in caplog.text


def test_nothing_is_shown_to_somebody_who_left() -> None:
    world = bought()
    world.decide_all()
    world.webhook(world.line_event("unfollow", "U1"))
    world.decide_all()
    world.run()
    assert world.line.calls == []


def test_while_the_account_is_stopped_menus_wait() -> None:
    world = bought()
    world.account_state.block(Block("stopped", world.now + dt.timedelta(hours=1)))
    world.run()
    assert world.line.calls == []
    world.advance(hours=2)
    assert world.line.menus == {"U1": "richmenu-vip"}


def test_copies_of_an_order_that_wait_for_long_become_one_again() -> None:
    world = bought()
    world.decide_all()
    (body,) = (message.body for message in world.send_queue.waiting)
    world.account_state.block(Block("stopped", world.now + dt.timedelta(hours=4)))
    for _ in range(5):
        world.send_queue.put([body])
        world.advance(seconds=7)
    world.advance(hours=3)
    assert waiting_orders(world) == 1
    world.advance(hours=2)
    assert (waiting_orders(world), world.line.menus) == (0, {"U1": "richmenu-vip"})


def test_what_was_wished_before_there_was_a_line_user_is_shown_once_there_is_one() -> None:
    world = World(playbook(scenarios={"cart": SCENARIOS["cart"]}, rich_menus=MENUS))
    world.ingest(world.event("cart_left", "c1"))
    world.run()
    assert world.line.calls == []
    world.advance(minutes=5)
    world.customer_with_line()
    assert world.line.menus == {"U1": "richmenu-cart"}


def test_a_friends_menu_is_still_the_persons_after_linking() -> None:
    world = World(playbook(scenarios={"hello": scenario("line_follow", RichMenu("vip"))}, rich_menus=MENUS))
    world.befriend("U1")
    world.webhook(world.line_event("follow", "U1"))
    world.decide_all()
    order = world.send_queue.waiting
    world.send_queue.waiting = []
    world.customer_with_line()
    world.send_queue.waiting = order
    world.run()
    assert world.line.menus == {"U1": "richmenu-vip"}


def test_an_order_of_a_customer_who_was_erased_is_dropped() -> None:
    world = fresh()
    FakeSendQueue(world.send_queue).put([MenuOrder("menu:x", "nobody", "U9", "vip")])
    world.run()
    assert (world.line.calls, world.dead()) == ([], [])


def test_messages_and_menus_travel_in_one_outbox() -> None:
    world = fresh({"both": scenario("purchase", send("thanks"), RichMenu("vip"))})
    world.ingest(world.purchase("c1"))
    world.send_queue.refuses = lambda position: position == 1
    world.step()
    assert (len(world.customer().outbox), world.customer().menu_order is None) == (0, False)
    world.run()
    assert (world.line.copies("U1"), world.line.menus) == (["thanks"], {"U1": "richmenu-vip"})
    assert world.customer().orders == []


def test_who_comes_back_sees_the_menu_that_was_wished_meanwhile() -> None:
    world = fresh()
    world.line.block("U1")
    world.webhook(world.line_event("unfollow", "U1"))
    world.ingest(world.event("cart_left", "c1"))
    world.advance(hours=1)
    assert world.line.menus == {}
    world.befriend("U1")
    world.webhook(world.line_event("follow", "U1"))
    world.advance(hours=1)
    assert world.line.menus == {"U1": "richmenu-cart"}
