"""`musubi explain`: what the flows did, told from what they left behind."""

import random

import pytest

from functions.domain.playbook import Playbook, Scenario
from functions.ports import EventsReceived
from ops.explain.cards import explanation_of, unexplained
from ops.explain.known import Known
from tests.fakes.playbooks import (
    DAY_SECONDS,
    QUIET,
    campaign,
    days,
    evening_of_day,
    playbook,
    scenario,
    send,
)
from tests.fakes.world import World, jst
from tests.ops.explaining import explained_in, known_in, scenario_of
from tests.ops.plan.worlds import PEOPLE, as_event, busy_book, lived


def book(one: Scenario | None = None, **more: object) -> Playbook:
    path = one or scenario("purchase", send("offer"))
    return playbook(scenarios={"path": path}, **more)  # type: ignore[arg-type]


def after_a_purchase(one: Scenario | None = None, **more: object) -> World:
    world = World(book(one, **more))
    world.customer_with_line()
    world.ingest(world.purchase("c1"))
    world.run()
    return world


def test_a_message_is_explained_by_its_scenario_its_step_and_what_began_the_journey() -> None:
    [message] = explained_in(after_a_purchase())["sends"]
    assert (message["status"], message["message"], message["version"]) == ("sent", "offer", "hash-offer")
    assert message["because"] == "path, step offer, begun by purchase at 2026-11-02T03:00:00Z"


def test_a_message_of_a_campaign_is_explained_by_its_run_and_segment() -> None:
    world = after_a_purchase(scenario("cart_left"), campaigns={"weekly": campaign("news", once=jst(11, 3), segment="buyers")})  # fmt: skip
    world.advance(days=2)
    card = explained_in(world)
    assert card["sends"][0]["because"] == "campaign run weekly@2026-11-02T15:00:00Z, segment buyers"
    assert card["campaigns"] == [{"run": "weekly@2026-11-02T15:00:00Z", "targeted": True, "why_not": []}]


def _unconsenting(world: World) -> None:
    world.ingest(world.event("consent_withdrawn", "c1", purpose="marketing"))


def _gone(world: World) -> None:
    world.webhook(world.line_event("unfollow", "U1"))


def _complaining(world: World) -> None:
    world.ingest(world.event("complaint_opened", "c1", case_id="x"))


@pytest.mark.parametrize(
    ("happening", "reason"),
    [
        (_unconsenting, "no_consent"),
        (_gone, "unreachable"),
        (_complaining, "excluded:complaint"),
    ],
)
def test_a_message_that_was_stopped_says_by_what(happening: object, reason: str) -> None:
    world = after_a_purchase(scenario("purchase", days(1), send("offer")))
    happening(world)  # type: ignore[operator]
    world.advance(days=2)
    [message] = explained_in(world)["sends"]
    assert (message["status"], message["reason"]) == ("suppressed", reason)
    assert message["because"].startswith("path, step offer, begun by purchase")


def test_a_message_that_the_cap_stopped_names_the_cap() -> None:
    world = after_a_purchase(scenario("purchase", send("offer"), days(1), send("coupon", hold_days=0)))
    world.advance(days=2)
    assert [message["reason"] for message in explained_in(world)["sends"]] == [
        None,
        "capped:promotion_weekly",
    ]


def test_a_message_that_waits_is_pending_with_its_instant() -> None:
    world = World(book(scenario("purchase", send("offer")), quiet_hours=QUIET), start=jst(11, 2, 23))
    world.customer_with_line()
    world.ingest(world.purchase("c1"))
    world.run()
    [pending] = explained_in(world)["pending"]
    assert (pending["where"], pending["until"]) == ("held", "2026-11-02T22:00:00Z")


def test_a_journey_under_way_shows_its_next_step_and_when() -> None:
    world = after_a_purchase(scenario("purchase", evening_of_day(3), send("offer")))
    [journey] = scenario_of(explained_in(world))["journeys"]
    assert (journey["status"], journey["next_step"], journey["due"]) == ("active", "offer", "2026-11-05T10:00:00Z")  # fmt: skip


def why(world: World) -> list[str]:
    card = scenario_of(explained_in(world))
    told: list[str] = card["why_not"]
    return told


def test_a_scenario_whose_event_never_happened_says_so() -> None:
    world = World(book())
    world.customer_with_line()
    assert why(world) == ["purchase never happened"]


def test_a_provisional_event_starts_nothing_and_says_so() -> None:
    world = World(book())
    world.ingest(world.purchase("c1", status="provisional"))
    world.run()
    assert why(world) == ["purchase is only provisional"]


def test_a_scenario_that_is_off_says_so() -> None:
    assert why(after_a_purchase(scenario("purchase", send("offer"), on=False))) == ["the scenario is switched off"]  # fmt: skip


def test_an_entry_condition_that_failed_is_told_with_its_value_at_that_time() -> None:
    world = after_a_purchase(
        scenario("purchase", send("offer"), entry_when="orders.count >= 2 and carts.count == 0")
    )
    world.advance(hours=1)
    world.ingest(world.event("cart_left", "c1"))
    world.run()
    assert why(world) == ["purchase at 2026-11-02T03:00:00Z: orders.count >= 2 is false: orders.count = 1"]


def test_a_goal_that_was_reached_before_is_told() -> None:
    world = after_a_purchase(scenario("purchase", send("offer"), goal="orders.count >= 1"))
    assert why(world) == ["purchase at 2026-11-02T03:00:00Z: its goal was reached already: orders.count >= 1 is true: orders.count = 1"]  # fmt: skip


def test_an_event_that_came_as_history_is_told() -> None:
    world = World(book())
    raw = world.purchase("c1")
    world.import_history(EventsReceived("c1", [as_event(raw)], history=True))
    world.run()
    assert why(world) == ["purchase at 2026-11-02T03:00:00Z: it came as history, which starts nothing"]


@pytest.mark.parametrize(
    ("reentry", "told"),
    [
        (None, "entered once already, at 2026-11-02T03:00:00Z, and it takes nobody twice"),
        (30 * DAY_SECONDS, "entered at 2026-11-02T03:00:00Z; again from 2026-12-02T03:00:00Z on"),
    ],
)
def test_the_rule_of_entering_again_is_told(reentry: int | None, told: str) -> None:
    world = after_a_purchase(scenario("purchase", send("offer"), reentry_seconds=reentry))
    world.advance(days=3)
    world.ingest(world.purchase("c1"))
    world.run()
    assert why(world) == [f"purchase at 2026-11-05T03:00:00Z: {told}"]


def test_a_campaign_tells_by_clause_why_somebody_is_not_on_its_list() -> None:
    world = World(book(campaigns={"weekly": campaign("news", once=jst(11, 3), segment="buyers")}))
    world.ingest(world.event("cart_left", "c1"))
    world.run()
    world.advance(days=1)
    [run] = explained_in(world)["campaigns"]
    assert run["why_not"] == [
        "no LINE user to send to",
        "segment buyers: orders.count >= 1 is false: orders.count = 0",
    ]


def test_who_was_tied_to_a_line_user_after_the_run_is_told_so() -> None:
    world = after_a_purchase(campaigns={"weekly": campaign("news", once=jst(11, 1, 12), segment="everybody")})
    late = World(book(campaigns={"weekly": campaign("news", once=jst(11, 3))}))
    late.ingest(late.purchase("c1"))
    late.advance(days=1)
    late.customer_with_line()
    [run] = explained_in(late)["campaigns"]
    assert run["why_not"] == ["tied to a LINE user only since 2026-11-03T03:00:00Z"]
    assert explained_in(world)["campaigns"] == []


@pytest.mark.parametrize("seed", range(4))
def test_of_a_busy_world_nothing_is_left_unexplained(seed: int) -> None:
    world, dice = World(busy_book()), random.Random(seed)
    lived(world, dice, days_back=20)
    cards = [explained_in(world, f"c{n}") for n in range(PEOPLE) if world.customers.load(f"c{n}")]
    assert sum(len(card["sends"]) for card in cards) > PEOPLE
    assert all(message["because"] for card in cards for message in card["sends"])
    assert not [card["unexplained"] for card in cards if card["unexplained"]]
    assert all(one["journeys"] or one["why_not"] for card in cards for one in card["scenarios"])
    assert all(run["targeted"] or run["why_not"] for card in cards for run in card["campaigns"])


def test_a_record_that_is_missing_is_found_unexplained() -> None:
    known = known_in(after_a_purchase())
    lost: Known = Known(**{**{name: getattr(known, name) for name in known.__slots__}, "records": []})
    assert unexplained(known) == []
    assert unexplained(lost) == ["1 of path"]


def test_one_scenario_can_be_asked_about_alone() -> None:
    world = after_a_purchase()
    card = explanation_of(known_in(world), "other")
    assert (card["sends"], card["scenarios"], card["campaigns"]) == ([], [], [])
