"""Claims: ended, resumed, unclaimed, whatever the sequence."""

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.domain.claims import Allow, closed, decide, unclaimed
from functions.domain.gate import Contact, Gate
from functions.domain.instants import MINUTE, in_daily_window
from functions.domain.verdicts import Ended, Wait
from tests.domain.strategies import DAY, HOUR, NOON, SECOND, intent, linked_gate
from tests.domain.verdicts import (
    CAPS,
    CONTENT,
    FREE,
    NIGHT,
    WEEKLY,
    World,
    claimed,
    contacted,
    decided,
    local,
    rules,
    situation,
    steps,
    stopped,
    suppressed,
    verdict,
)


@pytest.mark.parametrize("outcome", ["suppressed", "failed", "unknown"])
def test_what_has_ended_stays_ended_with_its_reason(outcome: Any) -> None:
    one = intent()
    gate = closed(linked_gate(), one, CONTENT, Ended(outcome, "erased"), NOON)
    again = decided(one, gate)
    assert again.verdict == Ended(outcome, "erased")
    assert again.gate == gate


def test_what_has_ended_keeps_its_reason_however_late_it_comes_back() -> None:
    one = intent()
    gate = decided(one, eligible=False).gate
    assert verdict(one, gate, now=one.expires_at + 2 * DAY) == suppressed("no_longer_eligible")


def test_a_resume_uses_the_same_claim_and_moves_the_contact_to_now() -> None:
    one = intent()
    first = decided(one)
    assert isinstance(first.verdict, Allow)
    again = decided(one, first.gate, rules(caps=[WEEKLY]), NOON + HOUR)
    taken_up = msgspec.structs.replace(first.verdict.claim, attempt=2)
    assert again.verdict == Allow(taken_up, resumed=True)
    assert again.gate.claims == [taken_up]
    assert again.gate.contacts == [Contact(one.send_id, "promotion", NOON + HOUR)]


def test_a_resume_may_go_until_its_key_is_23_hours_old() -> None:
    one = intent()
    gate = claimed(one)
    assert isinstance(verdict(one, gate, now=NOON + 23 * HOUR - SECOND), Allow)
    assert verdict(one, gate, now=NOON + 23 * HOUR) == Ended("unknown", "key_expired")


def test_a_second_resume_does_not_renew_the_key() -> None:
    one = intent()
    gate = decided(one, claimed(one), now=NOON + 20 * HOUR).gate
    assert verdict(one, gate, now=NOON + 23 * HOUR) == Ended("unknown", "key_expired")


def test_a_resume_with_other_content_is_unknown() -> None:
    one = intent()
    changed = decide(one, claimed(one), FREE, situation(), "another", NOON + HOUR)
    assert changed.verdict == Ended("unknown", "content_changed")


def test_a_resume_that_is_forbidden_meanwhile_is_unknown_and_keeps_its_slot() -> None:
    one = intent()
    ended = decided(one, claimed(one), now=NOON + HOUR, eligible=False)
    assert ended.verdict == Ended("unknown", "no_longer_eligible")
    assert ended.gate.contacts == [Contact(one.send_id, "promotion", NOON)]
    assert ended.gate.claims[0].state == "unknown"


def test_a_resume_in_quiet_hours_waits_for_the_morning_with_its_slot() -> None:
    by, at = rules(quiet_hours=NIGHT), local("2026-11-20T20:59")
    one = intent(made_at=at)
    gate = decided(one, by=by, now=at).gate
    waits = decided(one, gate, by, at + HOUR)
    assert waits.verdict == Wait(local("2026-11-21T07:00"), "quiet_hours")
    assert (waits.gate.claims, waits.gate.contacts) == (gate.claims, gate.contacts)
    assert isinstance(verdict(one, waits.gate, by, waits.verdict.until), Allow)


def test_a_resume_that_would_wait_past_its_key_is_unknown() -> None:
    one, until = intent(), NOON + 23 * HOUR
    gate, late = claimed(one), until - MINUTE
    assert verdict(one, gate, now=late, blocks=stopped(until)) == Ended("unknown", "stopped")
    assert verdict(one, gate, now=late, blocks=stopped(until - SECOND)) == Wait(until - SECOND, "stopped")


def test_a_resume_of_what_has_expired_is_unknown() -> None:
    one = intent(expires=HOUR)
    assert verdict(one, claimed(one), now=one.expires_at) == Ended("unknown", "expired")


@pytest.mark.parametrize("late", [HOUR, 4 * DAY, 13 * DAY], ids=str)
def test_a_claim_that_comes_back_long_after_its_end_is_still_unknown(late: dt.timedelta) -> None:
    """From a dead-letter queue, say: what was asked of LINE may have arrived, whenever that is looked at."""
    one = intent()
    ended = verdict(one, claimed(one), now=one.expires_at + late)
    assert isinstance(ended, Ended)
    assert ended.outcome == "unknown"


def test_a_resume_replaced_by_a_later_step_is_unknown() -> None:
    earlier, later = intent(step="one"), intent(step="two", made_at=NOON + HOUR)
    gate = claimed(later, claimed(earlier))
    assert verdict(earlier, gate, now=NOON + HOUR) == Ended("unknown", "outranked")


def test_what_the_account_was_refused_is_as_if_never_claimed() -> None:
    one, before = intent(), linked_gate(contacts=contacted(NOON - DAY))
    allowed = decided(one, before)
    assert isinstance(allowed.verdict, Allow)
    assert unclaimed(allowed.gate, one, allowed.verdict.claim) == before


def test_what_another_worker_took_up_since_stays_claimed() -> None:
    one = intent()
    first = decided(one)
    assert isinstance(first.verdict, Allow)
    second = decided(one, first.gate, now=NOON + SECOND)
    assert unclaimed(second.gate, one, first.verdict.claim) == second.gate


def test_an_end_from_outside_marks_a_claim_even_where_there_was_none() -> None:
    gate = closed(linked_gate(), intent(), "", Ended("failed", "render_error"), NOON)
    assert [(claim.state, claim.reason) for claim in gate.claims] == [("failed", "render_error")]
    assert gate.contacts == []


def test_a_hold_is_replaced_by_its_next() -> None:
    one = intent()
    first = decided(one, blocks=stopped(NOON + MINUTE)).gate
    again = decided(one, first, blocks=stopped(NOON + 2 * MINUTE)).gate
    assert [hold.until for hold in again.holds] == [NOON + 2 * MINUTE]


def test_what_ends_is_held_no_longer() -> None:
    one = intent()
    gate = decided(one, blocks=stopped(NOON + HOUR)).gate
    assert decided(one, gate, eligible=False).gate.holds == []


@settings(max_examples=250)
@given(st.lists(steps, max_size=40))
def test_no_sequence_of_decisions_exceeds_a_cap(sequence: list[tuple[str, int, int]]) -> None:
    world = World()
    for step in sequence:
        world.run(*step)
        for cap in CAPS:
            assert all(count <= cap.limit for count in world.in_window(cap))


@settings(max_examples=250)
@given(st.lists(steps, max_size=40))
def test_no_sequence_suppresses_what_may_have_arrived_nor_pushes_what_has_ended(
    sequence: list[tuple[str, int, int]],
) -> None:
    world = World()
    for action, number, seconds in sequence:
        one = world.intent(number)
        before, maybe_arrived = world.gate.claim(one.send_id), one.send_id in world.pushed
        decision = world.run(action, number, seconds)
        if decision is None:
            continue
        answer = decision.verdict
        if isinstance(answer, Ended) and maybe_arrived:
            assert answer.outcome == "unknown"
        if isinstance(answer, Allow):
            assert world.now < one.expires_at
            assert before is None or before.state == "open"
            assert answer.resumed == maybe_arrived
            assert answer.resumed or answer.claim.key_at == world.now
            assert one.kind == "support" or not in_daily_window(
                world.now, NIGHT.start, NIGHT.end, "Asia/Tokyo"
            )
        if isinstance(answer, Wait):
            assert world.now < answer.until < one.expires_at


@given(st.lists(steps, max_size=25))
def test_the_gate_survives_writing_and_reading(sequence: list[tuple[str, int, int]]) -> None:
    world = World()
    for step in sequence:
        world.run(*step)
    assert msgspec.json.decode(msgspec.json.encode(world.gate), type=Gate) == world.gate
