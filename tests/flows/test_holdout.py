"""Holdouts and experiments, from the event to the send log: the same people, before and after linking."""

import msgspec

from functions.domain.experiments import is_held_out
from functions.domain.playbook import Experiment, Holdout, Playbook, Split
from tests.fakes.playbooks import days, playbook, scenario, send
from tests.fakes.world import World

OFFERS = {"offers": scenario("purchase", send("thanks"), days(1), send("offer"))}
PEOPLE = [f"c{number}" for number in range(12)]


def after_a_purchase_each(book: Playbook) -> World:
    world = World(book)
    for name in PEOPLE:
        world.customer_with_line(name, f"U-{name}")
    world.advance(minutes=1)
    for name in PEOPLE:
        world.ingest(world.purchase(name))
    world.advance(days=2)
    return world


def got(world: World, message: str) -> set[str]:
    return {push.to.removeprefix("U-") for push in world.line.pushes if push.texts == [message]}


def test_who_is_held_out_goes_through_the_journey_and_gets_none_of_its_promotions() -> None:
    book = playbook(scenarios=OFFERS, caps=[], holdout=Holdout(50, ["promotion"]))
    world = after_a_purchase_each(book)
    out = {name for name in PEOPLE if is_held_out(book, "offers", "promotion", name)}
    assert 0 < len(out) < len(PEOPLE)
    assert got(world, "thanks") == set(PEOPLE)
    assert got(world, "offer") == set(PEOPLE) - out
    suppressed = {(one.customer_id, one.reason) for one in world.records() if one.status == "suppressed"}
    assert suppressed == {(name, "holdout") for name in out}
    assert {journey.status for name in PEOPLE for journey in world.customer(name).journeys} == {"done"}


def test_a_scenarios_own_holdout_is_in_force_at_once_and_outlives_the_scenario() -> None:
    held = msgspec.structs.replace(OFFERS["offers"], holdout_percent=50)
    book = playbook(scenarios={"offers": held}, caps=[])
    out = {name for name in PEOPLE if is_held_out(book, "offers", "promotion", name)}
    world = World(book)
    for name in PEOPLE:
        world.customer_with_line(name, f"U-{name}")
        world.ingest(world.purchase(name))
    world.run()
    world.apply(playbook(scenarios={}, caps=[]))
    world.advance(days=2)
    assert 0 < len(out) < len(PEOPLE)
    assert got(world, "offer") == set(PEOPLE) - out


def test_linking_moves_nobody_out_of_a_holdout_or_a_variant() -> None:
    split = scenario(
        "line_follow",
        send("welcome"),
        Split("test", [("a", 2), ("b", 2)]),
        days(1),
        Split("test", [("a", 4), ("b", 5)]),
        send("offer"),
        send("coupon"),
    )
    book = playbook(
        scenarios={"hello": split},
        caps=[],
        consent={},
        holdout=Holdout(50, ["promotion"]),
        experiments={"test": Experiment("offer", {"a": 1, "b": 1})},
    )
    alone, linked = World(book), World(book)
    for world in (alone, linked):
        for name in PEOPLE:
            world.befriend(f"U-{name}")
            world.webhook(world.line_event("follow", f"U-{name}"))
        world.run()
    for name in PEOPLE:
        linked.ingest(linked.linked(name, f"U-{name}"))
    linked.run()
    for world in (alone, linked):
        world.advance(days=2)
    for message in ("offer", "coupon"):
        assert got(linked, message) == got(alone, message)
    variants = [
        {(one.line_user_id, one.variant) for one in world.records() if one.message == "coupon"}
        for world in (alone, linked)
    ]
    assert variants[0] == variants[1]
    assert {variant for _, variant in variants[0]} == {"test:a", "test:b"}
