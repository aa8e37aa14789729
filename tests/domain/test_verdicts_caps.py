"""Caps, and who yields to whom."""

import datetime as dt

import msgspec
import pytest

from functions.domain.arbitration import Upcoming
from functions.domain.claims import Allow, closed
from functions.domain.playbook import Cap
from functions.domain.verdicts import Ended, Wait
from tests.domain.strategies import DAY, HOUR, NOON, SECOND, WEEK, intent, linked_gate
from tests.domain.verdicts import (
    CONTENT,
    DAY_SECONDS,
    NIGHT,
    WEEKLY,
    campaign,
    capped,
    contacted,
    decided,
    held,
    promised,
    rules,
    suppressed,
    verdict,
)


def test_a_contact_one_window_ago_no_longer_counts() -> None:
    assert isinstance(capped(WEEK), Allow)


def test_a_contact_one_second_less_than_a_window_ago_holds_for_a_second() -> None:
    assert capped(WEEK - SECOND) == Wait(NOON + SECOND, "capped:weekly")


def test_a_cap_counts_its_own_kinds_alone() -> None:
    gate = linked_gate(contacts=contacted(NOON - DAY, kind="notification"))
    assert isinstance(verdict(intent(), gate, rules(caps=[WEEKLY])), Allow)
    assert isinstance(capped(DAY, kind="notification"), Allow)


def test_a_cap_over_several_kinds_counts_them_together() -> None:
    both = msgspec.structs.replace(WEEKLY, kinds=["promotion", "notification"])
    gate = linked_gate(contacts=contacted(NOON - WEEK + HOUR, kind="notification"))
    assert verdict(intent(), gate, rules(caps=[both])) == Wait(NOON + HOUR, "capped:weekly")


def test_with_a_limit_of_three_the_third_last_contact_opens_the_window() -> None:
    three = msgspec.structs.replace(WEEKLY, limit=3)
    assert isinstance(capped(DAY, 2 * DAY, cap=three), Allow)
    assert capped(DAY, 6 * DAY, 5 * DAY, cap=three) == Wait(NOON + DAY, "capped:weekly")
    assert capped(DAY, 6 * DAY, 5 * DAY, 4 * DAY, cap=three) == Wait(NOON + 2 * DAY, "capped:weekly")


def test_a_hold_of_exactly_the_longest_is_held_and_a_second_more_is_not() -> None:
    assert capped(4 * DAY) == Wait(NOON + 3 * DAY, "capped:weekly")
    assert capped(4 * DAY - SECOND) == suppressed("capped:weekly")


def test_the_intents_own_patience_goes_before_the_caps() -> None:
    assert capped(4 * DAY - HOUR, hold_seconds_max=4 * DAY_SECONDS) == Wait(
        NOON + 3 * DAY + HOUR, "capped:weekly"
    )
    assert capped(WEEK - SECOND, hold_seconds_max=0) == suppressed("capped:weekly")


def test_a_cap_without_patience_suppresses() -> None:
    impatient = msgspec.structs.replace(WEEKLY, hold_seconds_max=0)
    assert capped(WEEK - SECOND, cap=impatient) == suppressed("capped:weekly")


def test_what_would_expire_while_it_is_held_is_suppressed() -> None:
    assert capped(4 * DAY, expires=3 * DAY) == suppressed("capped:weekly")
    assert capped(4 * DAY, expires=3 * DAY + SECOND) == Wait(NOON + 3 * DAY, "capped:weekly")


def test_promotions_168_hours_apart_do_not_cap_each_other_by_seconds() -> None:
    by = rules(caps=[WEEKLY])
    first, second = intent("first"), intent("second", made_at=NOON + 168 * HOUR)
    sent = decided(first, by=by, now=NOON + 5 * SECOND)
    assert isinstance(sent.verdict, Allow)
    waits = decided(second, sent.gate, by, NOON + 168 * HOUR)
    assert waits.verdict == Wait(NOON + 168 * HOUR + 5 * SECOND, "capped:weekly")
    assert isinstance(verdict(second, waits.gate, by, waits.verdict.until), Allow)


def test_a_coupon_of_day_14_after_a_promotion_of_day_10_goes_on_day_17() -> None:
    by = rules(caps=[WEEKLY])
    related = intent(step="related", made_at=NOON + 10 * DAY)
    coupon = intent(step="coupon", made_at=NOON + 14 * DAY)
    sent = decided(related, by=by, now=NOON + 10 * DAY)
    waits = decided(coupon, sent.gate, by, NOON + 14 * DAY)
    assert waits.verdict == Wait(NOON + 17 * DAY, "capped:weekly")
    early = decided(coupon, waits.gate, by, NOON + 17 * DAY - SECOND)
    assert early.verdict == Wait(NOON + 17 * DAY, "capped:weekly")
    assert isinstance(verdict(coupon, early.gate, by, NOON + 17 * DAY), Allow)


def test_a_failure_gives_its_slot_back_and_the_unknown_keeps_it() -> None:
    by, first, second = rules(caps=[WEEKLY]), intent("first"), intent("second")
    sent = decided(first, by=by).gate
    failed = closed(sent, first, CONTENT, Ended("failed", "no such user"), NOON)
    assert isinstance(verdict(second, failed, by), Allow)
    unknown = closed(sent, first, CONTENT, Ended("unknown", "timed out"), NOON)
    assert verdict(second, unknown, by) == suppressed("capped:weekly")


def test_what_was_suppressed_takes_no_slot() -> None:
    ended = decided(intent("first"), by=rules(caps=[WEEKLY]), switched_off=True)
    assert ended.gate.contacts == []
    assert isinstance(verdict(intent("second"), ended.gate, rules(caps=[WEEKLY])), Allow)


def test_a_cap_of_31_days_counts_all_of_them() -> None:
    monthly = Cap("monthly", ["promotion"], 1, 31 * DAY_SECONDS, DAY_SECONDS)
    assert capped(31 * DAY - SECOND, cap=monthly) == Wait(NOON + SECOND, "capped:monthly")


def test_a_cap_counts_all_of_a_window_that_is_longer_than_contacts_are_kept_otherwise() -> None:
    season = Cap("season", ["promotion"], 1, 90 * DAY_SECONDS, DAY_SECONDS)
    assert capped(90 * DAY - SECOND, cap=season) == Wait(NOON + SECOND, "capped:season")
    assert isinstance(capped(90 * DAY, cap=season), Allow)


@pytest.mark.parametrize("ahead", [dt.timedelta(), HOUR, 6 * DAY, WEEK - SECOND])
def test_a_campaign_yields_to_a_better_promotion_within_its_window(ahead: dt.timedelta) -> None:
    assert verdict(campaign(), by=rules(caps=[WEEKLY]), upcoming=promised(NOON + ahead)) == suppressed(
        "outranked"
    )


def test_who_yields_waits_no_longer_than_the_caps_of_its_own_kind_let_it() -> None:
    patient = Cap("notices", ["notification"], 9, DAY_SECONDS, 8 * DAY_SECONDS)
    by = rules(caps=[WEEKLY, patient])
    assert verdict(campaign(expires=8 * DAY), by=by, upcoming=promised(NOON + HOUR)) == suppressed(
        "outranked"
    )


def test_a_campaign_yields_to_a_better_promotion_that_is_due_already() -> None:
    """Its timer comes within the minute; the campaign of the same local time must not be quicker."""
    late = promised(NOON - 5 * SECOND)
    assert verdict(campaign(), by=rules(caps=[WEEKLY]), upcoming=late) == suppressed("outranked")


def test_what_is_due_already_takes_its_slot_now_and_not_when_it_was_due() -> None:
    two = rules(caps=[msgspec.structs.replace(WEEKLY, limit=2)])
    just_gone = linked_gate(contacts=contacted(NOON - WEEK - SECOND))
    assert isinstance(verdict(campaign(), just_gone, two, upcoming=promised(NOON - 5 * SECOND)), Allow)
    patient = campaign(expires=8 * DAY, hold_seconds_max=8 * DAY_SECONDS)
    waits = verdict(patient, by=rules(caps=[WEEKLY]), upcoming=promised(NOON - 5 * SECOND))
    assert waits == Wait(NOON + WEEK, "outranked")


def test_a_campaign_does_not_yield_to_what_comes_after_its_window() -> None:
    assert isinstance(verdict(campaign(), by=rules(caps=[WEEKLY]), upcoming=promised(NOON + WEEK)), Allow)


@pytest.mark.parametrize("rank", [50, 51])
def test_a_campaign_does_not_yield_to_its_equals(rank: int) -> None:
    ahead = promised(NOON + DAY, rank)
    assert isinstance(verdict(campaign(), by=rules(caps=[WEEKLY]), upcoming=ahead), Allow)


def test_a_campaign_does_not_yield_to_what_its_cap_does_not_count() -> None:
    ahead = promised(NOON + DAY, kind="notification")
    assert isinstance(verdict(campaign(), by=rules(caps=[WEEKLY]), upcoming=ahead), Allow)


def test_without_a_cap_nobody_yields() -> None:
    assert isinstance(verdict(campaign(), upcoming=promised(NOON + DAY)), Allow)


def test_what_yields_waits_if_it_may() -> None:
    patient = campaign(expires=8 * DAY, hold_seconds_max=8 * DAY_SECONDS)
    waits = verdict(patient, by=rules(caps=[WEEKLY]), upcoming=promised(NOON + HOUR))
    assert waits == Wait(NOON + HOUR + WEEK, "outranked")


def test_what_yields_waits_for_the_last_of_the_better_ones() -> None:
    """The second of them is held for the first, and goes a day after it."""
    daily = rules(caps=[Cap("daily", ["promotion"], 1, DAY_SECONDS, 3 * DAY_SECONDS)])
    ahead = [*promised(NOON + 2 * HOUR), *promised(NOON + HOUR)]
    patient = campaign(expires=WEEK)
    assert verdict(patient, by=daily, upcoming=ahead) == Wait(NOON + 49 * HOUR, "outranked")


def test_what_yields_does_not_wait_for_what_will_be_dropped() -> None:
    daily = rules(caps=[Cap("daily", ["promotion"], 1, DAY_SECONDS, 3 * DAY_SECONDS)])
    impatient = Upcoming(NOON + 2 * HOUR, "promotion", 1, hold_seconds_max=0)
    ahead = [impatient, *promised(NOON + HOUR)]
    assert verdict(campaign(expires=WEEK), by=daily, upcoming=ahead) == Wait(NOON + 25 * HOUR, "outranked")


def test_a_campaign_yields_to_a_better_promotion_that_is_held() -> None:
    gate = linked_gate(holds=[held(NOON + DAY, 1)])
    assert verdict(campaign(), gate, rules(caps=[WEEKLY])) == suppressed("outranked")


def test_a_hold_whose_time_has_come_still_goes_first() -> None:
    gate = linked_gate(holds=[held(NOON - SECOND, 1)])
    assert verdict(campaign(), gate, rules(caps=[WEEKLY])) == suppressed("outranked")


def test_the_better_promotion_does_not_yield() -> None:
    gate = linked_gate(holds=[held(NOON + DAY, 50)])
    assert isinstance(
        verdict(intent(rank=1), gate, rules(caps=[WEEKLY]), upcoming=promised(NOON + DAY, 50)), Allow
    )


def test_with_a_limit_of_two_there_is_room_beside_one_better_promotion() -> None:
    two = rules(caps=[msgspec.structs.replace(WEEKLY, limit=2)])
    one_ahead, two_ahead = promised(NOON + DAY), [*promised(NOON + DAY), *promised(NOON + 2 * DAY)]
    assert isinstance(verdict(campaign(), by=two, upcoming=one_ahead), Allow)
    assert verdict(campaign(), by=two, upcoming=two_ahead) == suppressed("outranked")


def test_a_contact_that_still_counts_when_the_better_one_is_due_takes_room() -> None:
    two = rules(caps=[msgspec.structs.replace(WEEKLY, limit=2)])
    recent, old = (linked_gate(contacts=contacted(NOON - ago)) for ago in (5 * DAY, 6 * DAY))
    assert verdict(campaign(), recent, two, upcoming=promised(NOON + DAY)) == Wait(
        NOON + 2 * DAY, "outranked"
    )
    assert isinstance(verdict(campaign(), old, two, upcoming=promised(NOON + DAY)), Allow)


def test_what_yields_is_as_patient_as_the_caps_that_count_it_and_no_other() -> None:
    caps = [WEEKLY, Cap("support_daily", ["support"], 3, DAY_SECONDS, 30 * DAY_SECONDS)]
    outranked = verdict(campaign(expires=30 * DAY), by=rules(caps=caps), upcoming=promised(NOON + DAY))
    assert outranked == suppressed("outranked")


def test_what_is_better_is_foreseen_for_when_the_quiet_hours_let_it_go() -> None:
    half_a_day = Cap("half_a_day", ["promotion"], 1, DAY_SECONDS // 2)
    tonight = promised(NOON + 10 * HOUR)  # 22:00 in Tokyo, where the night ends at 7:00
    assert isinstance(
        verdict(campaign(), by=rules(caps=[half_a_day], quiet_hours=NIGHT), upcoming=tonight), Allow
    )
    assert verdict(campaign(), by=rules(caps=[half_a_day]), upcoming=tonight) == suppressed("outranked")
