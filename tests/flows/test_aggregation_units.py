"""LINE's aggregation units: one name a step and variant or run and month, taken before it is used, the same in every attempt."""

import dataclasses
import datetime as dt
import re
from typing import Any

import msgspec
import pytest

from functions.domain.aggregation_units import (
    NAMES_A_MONTH_MAX,
    NEW_NAMES_A_MONTH_MAX,
    Unit,
    month_of,
    unit_of,
)
from functions.domain.playbook import Links, Playbook
from tests.fakes.objects import FakeAudience
from tests.fakes.playbooks import campaign, playbook, scenario, send
from tests.fakes.world import World, jst

DAY = dt.timedelta(days=1)


def book(*, insight: bool = True, **changes: Any) -> Playbook:
    made = playbook(scenarios={"path": scenario("purchase", send("thanks"), send("tips"))}, **changes)
    return msgspec.structs.replace(made, links=Links(insight=insight))


def bought(world: World) -> World:
    world.customer_with_line()
    world.ingest(world.purchase("c1"))
    world.run()
    return world


def test_each_step_has_a_name_of_its_own_that_line_takes() -> None:
    world = bought(World(book()))
    names = [push.unit for push in world.line.pushes]
    assert len(set(names)) == len(names) == 2
    assert all(re.fullmatch(r"[A-Za-z0-9_]{1,30}", name) for name in names)
    told = {unit.name: (unit.scenario, unit.step) for unit in world.units.of_month("2026-11")}
    assert {told[name] for name in names} == {("path", "thanks"), ("path", "tips")}


def test_without_the_playbooks_word_nothing_is_counted_by_line() -> None:
    world = bought(World(book(insight=False)))
    assert {push.unit for push in world.line.pushes} == {""}
    assert world.units.months == {}


def test_everybodys_same_step_has_the_same_name_and_a_variant_another() -> None:
    world = World(book())
    world.customer_with_line()
    one = world.intent("offer")
    assert unit_of(one) == unit_of(msgspec.structs.replace(one, send_id="other", customer_id="c2"))
    assert unit_of(one).name != unit_of(msgspec.structs.replace(one, variant="b")).name


def test_a_name_belongs_to_a_month_of_japan() -> None:
    world = World(book())
    world.customer_with_line()
    one = world.intent("offer")
    last, first = jst(11, 30, 23, 59), jst(12, 1, 0, 0)
    names = [unit_of(msgspec.structs.replace(one, made_at=at)).name for at in (last, first)]
    assert names[0].startswith("m202611_")
    assert names[1].startswith("m202612_")


def test_every_attempt_bears_the_same_name_also_past_the_end_of_a_month() -> None:
    world = World(book(), start=jst(11, 30, 23, 58))
    world.line.script.extend(["timeout"] * 6)
    bought(world)
    world.advance(days=1)
    assert {push.unit[:8] for push in world.line.pushes} == {"m202611_"}
    assert {record.status for record in world.records()} == {"sent"}
    # What is used in December counts there too.
    december = {unit.name for unit in world.units.of_month("2026-12")}
    assert {push.unit for push in world.line.pushes if push.at >= jst(12, 1)} <= december


def filled(world: World, count: int, month: str = "2026-11") -> None:
    at = dt.datetime.fromisoformat(f"{month}-15T00:00:00+00:00")
    world.units.months[month] = {f"n{one}": Unit(f"n{one}", at) for one in range(count)}


@pytest.mark.parametrize(
    ("taken", "bears"), [(NEW_NAMES_A_MONTH_MAX - 2, True), (NEW_NAMES_A_MONTH_MAX, False)]
)
def test_a_full_month_takes_no_further_name_and_the_message_goes_without(taken: int, *, bears: bool) -> None:
    world = World(book())
    filled(world, taken)
    bought(world)
    assert [bool(push.unit) for push in world.line.pushes] == [bears, bears]
    assert all(len(names) <= NAMES_A_MONTH_MAX for names in world.units.months.values())


def test_a_run_is_counted_under_one_name_whether_together_or_alone() -> None:
    once = dt.datetime(2026, 11, 3, 3, 0, tzinfo=dt.UTC)
    world = World(book(campaigns={"mail": campaign("thanks", once=once)}))
    world.audience = FakeAudience(world.customers, page_size=50, crowded=True)
    world.evaluation = dataclasses.replace(world.evaluation, audience=world.audience, multicast_min=3)
    for number in range(5):
        world.customer_with_line(f"c{number}", f"U{number}")
    world.advance(days=2)
    (unit,) = [one for one in world.units.of_month("2026-11") if one.campaign]
    assert world.line.multicasts
    assert {push.unit for push in world.line.pushes} == {unit.name}
    assert (unit.run, unit.step, month_of(unit.made_at)) == ("mail@2026-11-03T03:00:00Z", "mail", "2026-11")
