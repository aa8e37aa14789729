"""The audit: kept memberships beside a full recompute, on a sample that comes round to everybody."""

import datetime as dt
import itertools
from typing import Any

import msgspec
import pytest

from functions.domain.audits import AUDIT_PARTS, AuditReport, part_of
from functions.domain.customers import Customer
from functions.ports.messages import AuditPart
from tests.fakes.crashes import crash_everywhere
from tests.fakes.playbooks import from_segment, playbook, send
from tests.fakes.queues import FakeContinuation
from tests.fakes.world import START, World
from tests.flows.test_decide_segments import with_events

BOOK = playbook(segments={"buyers": "orders.count >= 1", "quiet": "days_since(orders.last_at) >= 10"})
PEOPLE = 40


def fresh() -> World:
    world = World(BOOK)
    world.ingest(*(world.purchase(f"c{number}") for number in range(PEOPLE)))
    world.run()
    return world


def audit(world: World, name: str = "2026-11-02") -> list[AuditReport]:
    for part in range(AUDIT_PARTS):
        FakeContinuation(world.evaluate_queue).again(AuditPart(name, part))
    world.run()
    found = [world.audits.report(name, part) for part in range(AUDIT_PARTS)]
    assert all(report is not None and report.done for report in found)
    return [report for report in found if report is not None]


def spoil(world: World, customer_id: str = "c7", **more: Any) -> Customer:
    """The item is written as no flow would write it."""
    return world.customers.save(msgspec.structs.replace(world.customer(customer_id), **more))


def test_what_the_flows_keep_is_what_a_recompute_says() -> None:
    world = fresh()
    world.advance(days=11)
    reports = audit(world)
    assert sum(report.looked for report in reports) == PEOPLE
    assert [report.found for report in reports] == [[]] * AUDIT_PARTS
    assert world.measures.last == {
        "MembershipDifferences": 0,
        "MembershipsOverdue": 0,
        "RejectedForgotten": 0,
    }


@pytest.mark.parametrize(("days", "told"), [(30, 0), (31, 1)])
def test_what_was_rejected_and_forgotten_for_a_month_is_told(days: int, told: int) -> None:
    world = fresh()
    world.ingest(world.event("teleported", "c1"))
    world.advance(days=days)
    audit(world)
    assert world.measures.last["RejectedForgotten"] == told


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"segments": []}, (2, 0, False)),
        ({"segments_due": None}, (0, 0, True)),
        ({"segments_due": START + dt.timedelta(days=300)}, (0, 0, True)),
    ],
)
def test_a_membership_or_a_due_instant_that_is_wrong_is_found_and_counted(
    wrong: dict[str, Any], told: tuple[int, int, bool]
) -> None:
    world = fresh()
    spoil(world, **wrong)
    reports = audit(world)
    (found,) = [difference for report in reports for difference in report.found]
    assert (found.customer_id, (len(found.missing), len(found.surplus), found.wakes_late)) == ("c7", told)
    assert sum(report.differences for report in reports) == 1


def test_a_membership_too_many_is_found() -> None:
    world = fresh()
    kept = world.customer("c7").segments
    spoil(world, segments=sorted([*kept, BOOK.segments["quiet"].hash]))
    (found,) = [difference for report in audit(world) for difference in report.found]
    assert found.surplus == [BOOK.segments["quiet"].hash]


def test_the_last_part_that_differs_is_what_the_metric_says() -> None:
    world = fresh()
    spoil(world, segments=[])
    for part in range(AUDIT_PARTS):
        FakeContinuation(world.evaluate_queue).again(AuditPart("a", part))
        world.run()
        report = world.audits.report("a", part)
        assert report is not None
        assert world.measures.last["MembershipDifferences"] == report.differences


@pytest.mark.parametrize(
    ("late", "overdue"), [(dt.timedelta(minutes=9), 0), (dt.timedelta(minutes=11), PEOPLE)]
)
def test_who_waits_for_a_timer_is_no_difference_and_overdue_only_after_ten_minutes(
    late: dt.timedelta, overdue: int
) -> None:
    world = fresh()
    world.now += dt.timedelta(days=10) + late
    reports = audit(world)
    assert sum(report.differences for report in reports) == 0
    assert sum(report.overdue for report in reports) == overdue


def test_who_is_still_to_be_back_filled_is_behind_and_no_difference() -> None:
    world = fresh()
    world.apply(playbook(segments={"early": "orders.count <= 3"}))
    reports = audit(world)
    assert sum(report.differences for report in reports) == 0
    assert sum(report.behind for report in reports) == PEOPLE


def test_who_is_still_to_be_folded_by_another_dictionary_is_behind_and_no_difference() -> None:
    world = fresh()
    spoil(world, segments=[])
    world.apply(with_events(BOOK, "v2", purchase="sales"))
    reports = audit(world)
    assert sum(report.differences for report in reports) == 0
    assert sum(report.behind for report in reports) == PEOPLE


def test_a_friend_who_became_a_customer_is_no_person_of_its_own() -> None:
    world = World(BOOK)
    world.customer_with_line()
    reports = audit(world)
    assert [sum(getattr(report, name) for report in reports) for name in ("looked", "behind")] == [2, 0]


def test_a_crash_at_any_call_ends_in_the_same_report() -> None:
    def build() -> World:
        world = fresh()
        spoil(world, segments=[])
        world.audience.page_size = 1
        return world

    expected = audit(build())
    part = next(report.part for report in expected if report.differences)

    def act(world: World) -> None:
        FakeContinuation(world.evaluate_queue).again(AuditPart("2026-11-02", part))
        world.run()

    def check(world: World) -> None:
        assert world.audits.report("2026-11-02", part) == expected[part]
        assert world.measures.last["MembershipDifferences"] == 1

    assert crash_everywhere(build, act, check) > 10


def test_with_little_time_left_another_invocation_goes_on() -> None:
    world = fresh()
    world.audience.page_size = 1
    left = itertools.cycle([900.0, 0.0])
    world.time_left = lambda: next(left)
    assert sum(report.looked for report in audit(world)) == PEOPLE


def test_every_day_has_its_part_and_sixteen_days_have_all() -> None:
    assert {part_of(START + dt.timedelta(days=n)) for n in range(AUDIT_PARTS)} == set(range(AUDIT_PARTS))


def test_a_report_names_nobody_but_by_customer_id() -> None:
    world = World(playbook(scenarios={"x": from_segment("everybody", send("care"))}))
    world.customer_with_line("c1", "U1")
    world.ingest(world.event("profile_updated", "c1", family_name="Yamada"))
    world.run()
    spoil(world, "c1", segments=[])
    reports = audit(world)
    assert sum(report.differences for report in reports) == 1
    assert b"Yamada" not in msgspec.json.encode(reports)
    assert b"U1" not in msgspec.json.encode(reports)
