"""`musubi explain`: what the flows did, told from what they left behind."""

import random

import msgspec
import pytest

from functions.domain.playbook import Exclusion, Playbook, Scenario
from functions.ports.messages import EventsReceived
from ops.explain.cards import explanation_of, unexplained
from ops.explain.facts import fact_words
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
    when,
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


def test_a_message_that_is_no_longer_right_says_by_which_condition_and_value() -> None:
    world = after_a_purchase(scenario("purchase", send("offer"), exit_when="orders.count >= 2"))
    late = World(book(scenario("purchase", send("offer"), exit_when="orders.count >= 2"), quiet_hours=QUIET), start=jst(11, 2, 23))  # fmt: skip
    late.customer_with_line()
    late.ingest(late.purchase("c1"))
    late.run()
    late.ingest(late.purchase("c1"))
    late.advance(days=1)
    [message] = explained_in(late)["sends"]
    assert (message["reason"], message["why"]) == (
        "no_longer_eligible",
        ["its exit was reached: orders.count >= 2 is true: orders.count = 2"],
    )
    assert explained_in(world)["sends"][0]["why"] == []


def test_a_message_that_something_provisional_stopped_says_so() -> None:
    world = World(book(scenario("purchase", send("offer"), exit_when="orders.count >= 2"), quiet_hours=QUIET), start=jst(11, 2, 23))  # fmt: skip
    world.customer_with_line()
    world.ingest(world.purchase("c1"))
    world.run()
    world.ingest(world.purchase("c1", status="provisional"))
    world.advance(days=1)
    [message] = explained_in(world)["sends"]
    assert (message["reason"], message["why"]) == (
        "not_confirmed",
        ["its exit was reached: only by something that was not yet confirmed"],
    )


def test_a_message_to_somebody_who_left_a_campaigns_segment_says_by_which_clause() -> None:
    world = World(
        book(
            scenario("cart_left"),
            quiet_hours=QUIET,
            campaigns={"weekly": campaign("news", once=jst(11, 3), segment="newcomers")},
            segments={"newcomers": "orders.count == 1"},
        ),
    )
    world.customer_with_line()
    world.ingest(world.purchase("c1"))
    world.run()
    world.advance(hours=13)
    world.ingest(world.purchase("c1"))
    world.advance(days=1)
    [message] = explained_in(world)["sends"]
    assert (message["reason"], message["why"]) == (
        "no_longer_eligible",
        ["segment newcomers: orders.count == 1 is false: orders.count = 2"],
    )


def test_a_message_that_a_rule_of_the_playbook_excluded_says_by_which_clause() -> None:
    rule = Exclusion(when("orders.count >= 1"), ["promotion"])
    world = World(msgspec.structs.replace(book(), exclusion_rules={"buyers": rule}))
    world.customer_with_line()
    world.ingest(world.purchase("c1"))
    world.run()
    [message] = explained_in(world)["sends"]
    assert (message["reason"], message["why"]) == (
        "excluded:buyers",
        ["exclusion buyers: orders.count >= 1 is true: orders.count = 1"],
    )


def test_a_message_whose_journey_gave_way_says_when_it_ended() -> None:
    world = World(
        playbook(
            scenarios={
                "path": scenario("purchase", send("offer"), days(1), send("coupon")),
                "other": msgspec.structs.replace(
                    scenario("cart_left", days(1), send("news")), replaces=["path"]
                ),
            },
            quiet_hours=QUIET,
        ),
        start=jst(11, 2, 23),
    )
    world.customer_with_line()
    world.ingest(world.purchase("c1"))
    world.run()
    world.ingest(world.event("cart_left", "c1"))
    world.advance(hours=12)
    [message] = explained_in(world)["sends"]
    assert (message["reason"], message["why"]) == (
        "no_longer_eligible",
        ["its journey had ended (exited) at 2026-11-02T14:00:00Z"],
    )


def test_facts_are_told_in_words() -> None:
    facts = {
        "local": "2026-11-06T12:00+09:00",
        "zone": "Asia/Tokyo",
        "rank": 5,
        "given": ["marketing"],
        "withdrawn": ["coupon"],
        "open": ["complaint"],
        "excluded": ["high_returns"],
        "stale": ["shop"],
        "holdout": True,
        "blocks": [["over_quota", "account", "2026-12-01T00:00:00Z"]],
        "counted": {"weekly": [1, "2026-11-05T00:00:00Z"], "daily": [0]},
        "better": [["2026-11-09T10:00:00Z", "promotion", 1]],
    }
    assert fact_words(facts) == [
        "2026-11-06T12:00+09:00 on their clock (Asia/Tokyo)",
        "consent to marketing",
        "consent withdrawn: coupon",
        "open: complaint",
        "excluded by high_returns",
        "no fresh data from shop",
        "held out for comparison",
        "over_quota for account until 2026-12-01T00:00:00Z",
        "1 counted against weekly (newest 2026-11-05T00:00:00Z)",
        "0 counted against daily",
        "a promotion of rank 1 at 2026-11-09T10:00:00Z goes before its own rank 5",
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
