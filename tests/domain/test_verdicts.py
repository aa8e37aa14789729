"""The gate's answer to an intent: every reason, their order, and what no sequence of decisions may do."""

import datetime as dt
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.domain.gate import Claim, Contact, Gate, Hold, merged, with_facts
from functions.domain.instants import Instant, in_daily_window
from functions.domain.playbook import Cap, Kind, QuietHours
from functions.domain.profiles import Register
from functions.domain.sends import Intent
from functions.domain.verdicts import (
    Allow,
    Decision,
    Ended,
    Rules,
    Situation,
    Upcoming,
    Verdict,
    Wait,
    closed,
    decide,
    judge,
    unclaimed,
)
from tests.domain.strategies import DAY, HOUR, NOON, SECOND, WEEK, event, intent, linked_gate

DAY_SECONDS = 86_400
WEEKLY = Cap("weekly", ["promotion"], 1, 7 * DAY_SECONDS, 3 * DAY_SECONDS)
NIGHT = QuietHours(dt.time(21), dt.time(7), ["promotion", "notification"])
FREE = Rules(caps=[], quiet_hours=None, consent={}, exclusions={})
CONTENT = "c0ffee"


def rules(**more: Any) -> Rules:
    return msgspec.structs.replace(FREE, **more)


def situation(**more: Any) -> Situation:
    return Situation(**{"eligible": True, "zone": "Asia/Tokyo", **more})


def decided(
    one: Intent,
    gate: Gate | None = None,
    by: Rules = FREE,
    now: Instant = NOON,
    content: str = CONTENT,
    **more: Any,
) -> Decision:
    return decide(one, linked_gate() if gate is None else gate, by, situation(**more), content, now)


def verdict(
    one: Intent, gate: Gate | None = None, by: Rules = FREE, now: Instant = NOON, **more: Any
) -> Verdict:
    return decided(one, gate, by, now, **more).verdict


def suppressed(reason: str) -> Ended:
    return Ended("suppressed", reason)


def local(text: str, zone: str = "Asia/Tokyo") -> Instant:
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)


def contacted(*at: Instant, kind: Kind = "promotion") -> list[Contact]:
    return [Contact(f"earlier {number}", kind, instant) for number, instant in enumerate(at)]


def held(
    until: Instant, rank: int, source: str = "other", made_at: Instant = NOON, kind: Kind = "promotion"
) -> Hold:
    return Hold(f"held by {source}", kind, rank, until, f"{source}/1", made_at)


# ---- what is allowed


def test_what_nothing_forbids_is_claimed_whole() -> None:
    one = intent()
    allowed = decided(one)
    claim = Claim(one.send_id, "cart/1", "hello", "U1", CONTENT, NOON, NOON, NOON + WEEK + HOUR)
    assert allowed.verdict == Allow(claim)
    assert allowed.gate.claims == [claim]
    assert allowed.gate.contacts == [Contact(one.send_id, "promotion", NOON)]


def test_the_claim_outlives_its_intent_by_an_hour() -> None:
    one = intent(expires=2 * DAY)
    allowed = verdict(one)
    assert isinstance(allowed, Allow)
    assert allowed.claim.until == one.expires_at + HOUR


def test_a_decision_prunes_the_gate() -> None:
    old = contacted(NOON - 40 * DAY)
    assert old[0] not in decided(intent(), linked_gate(contacts=old)).gate.contacts


# ---- each reason


def test_after_its_end_an_intent_has_expired() -> None:
    one = intent()
    assert verdict(one, now=one.expires_at) == suppressed("expired")
    assert isinstance(verdict(one, now=one.expires_at - SECOND), Allow)


def test_so_late_that_a_claim_may_be_forgotten_the_end_is_unknown() -> None:
    one = intent()
    assert verdict(one, now=one.expires_at + HOUR - SECOND) == suppressed("expired")
    assert verdict(one, now=one.expires_at + HOUR) == Ended("unknown", "expired")


def test_a_source_that_was_switched_off_is_stopped() -> None:
    assert verdict(intent(), switched_off=True) == suppressed("stopped")


@pytest.mark.parametrize(
    "gate",
    [
        Gate("c1"),
        linked_gate("U2"),
        Gate("c1", link=Register(None, NOON, "e")),
        with_facts(linked_gate(), [event("line_unfollow", line_user_id="U1")]),
    ],
    ids=["no link", "another link", "unlinked", "blocked"],
)
def test_who_cannot_be_reached_is_unreachable(gate: Gate) -> None:
    assert verdict(intent(), gate) == suppressed("unreachable")


def test_an_intent_for_nobody_is_unreachable() -> None:
    assert verdict(intent(line_user_id=""), Gate("c1")) == suppressed("unreachable")


def consents(**words: bool) -> Gate:
    return linked_gate(consent={name: Register(word, NOON, "e") for name, word in words.items()})


@pytest.mark.parametrize(
    ("purposes", "gate", "allowed"),
    [
        ([], consents(), True),
        ([], consents(promotion=False), False),
        ([], consents(all=False), False),
        ([], consents(news=False), True),
        (["news"], consents(), False),
        (["news"], consents(news=True), True),
        (["news"], consents(news=False), False),
        (["news"], consents(other=True), False),
        (["news"], consents(news=True, promotion=False), False),
        (["news"], consents(news=True, all=False), False),
        (["news", "offers"], consents(offers=True), True),
        (["news", "offers"], consents(offers=True, news=False), False),
    ],
)
def test_consent_is_for_the_purpose_and_a_withdrawal_always_counts(
    purposes: list[str], gate: Gate, allowed: bool
) -> None:
    answer = verdict(intent(), gate, rules(consent={"promotion": purposes}))
    assert isinstance(answer, Allow) if allowed else answer == suppressed("no_consent")


def test_the_consent_that_another_kind_needs_is_not_asked_for() -> None:
    assert isinstance(verdict(intent(kind="support"), by=rules(consent={"promotion": ["news"]})), Allow)


def test_an_open_case_excludes_the_kinds_that_it_names() -> None:
    gate = with_facts(linked_gate(), [event("complaint_opened")])
    by = rules(exclusions={"complaint": ["promotion"], "inquiry": ["promotion"]})
    assert verdict(intent(), gate, by) == suppressed("excluded:complaint")
    assert isinstance(verdict(intent(kind="support"), gate, by), Allow)
    assert isinstance(verdict(intent(), gate, rules(exclusions={"inquiry": ["promotion"]})), Allow)


def test_one_of_two_cases_that_is_still_open_excludes() -> None:
    facts = [
        event("inquiry_opened", "e1", case_id="1"),
        event("inquiry_opened", "e2", case_id="2"),
        event("inquiry_closed", "e3", NOON + SECOND, case_id="1"),
    ]
    by = rules(exclusions={"inquiry": ["promotion"]})
    assert verdict(intent(), with_facts(linked_gate(), facts), by) == suppressed("excluded:inquiry")


def test_the_first_flag_that_excludes_is_told() -> None:
    gate = with_facts(linked_gate(), [event("refund_started"), event("complaint_opened", "e2")])
    by = rules(exclusions={"refund": ["promotion"], "complaint": ["support"]})
    assert verdict(intent(), gate, by) == suppressed("excluded:refund")


def test_who_bought_meanwhile_is_no_longer_eligible() -> None:
    assert verdict(intent(), eligible=False) == suppressed("no_longer_eligible")


def test_a_stopped_account_holds() -> None:
    assert verdict(intent(), stopped_until=NOON + HOUR) == Wait(NOON + HOUR, "stopped")
    assert isinstance(verdict(intent(), stopped_until=NOON), Allow)


def test_an_account_that_is_stopped_past_the_end_suppresses() -> None:
    one = intent(expires=HOUR)
    assert verdict(one, stopped_until=one.expires_at) == suppressed("stopped")


# ---- the order of the rules

NOW = local("2026-11-20T22:00")
BARRIERS: list[tuple[str, dict[str, Any]]] = [
    ("expired", {"made_at": NOW - WEEK}),
    ("stopped", {"switched_off": True}),
    ("unreachable", {"link": Register("U2", NOW, "e")}),
    ("no_consent", {"consent": {"all": Register(False, NOW, "e")}}),
    ("excluded:refund", {"cases": {"refund": {"": Register(True, NOW, "e")}}}),
    ("no_longer_eligible", {"eligible": False}),
    ("outranked", {"holds": [held(NOW + HOUR, 10, "cart", NOW + HOUR)]}),
    ("stopped", {"stopped_until": NOW + HOUR}),
    ("quiet_hours", {"quiet_hours": NIGHT}),
    ("capped:weekly", {"contacts": contacted(NOW - DAY)}),
]
BY = rules(caps=[WEEKLY], exclusions={"refund": ["promotion"]})


@pytest.mark.parametrize(
    "first", range(len(BARRIERS)), ids=[f"{n} {name}" for n, (name, _) in enumerate(BARRIERS)]
)
def test_of_several_reasons_the_first_of_the_order_is_told(first: int) -> None:
    put = {key: value for _, parts in BARRIERS[first:] for key, value in parts.items()}
    made_at = put.pop("made_at", NOW - DAY)
    by = msgspec.structs.replace(BY, quiet_hours=put.pop("quiet_hours", None))
    around = {key: put.pop(key) for key in ("switched_off", "eligible", "stopped_until") if key in put}
    refused = judge(
        intent(made_at=made_at), msgspec.structs.replace(linked_gate(), **put), by, situation(**around), NOW
    )
    assert isinstance(refused, Wait | Ended)
    assert refused.reason == BARRIERS[first][0]


def test_caps_are_asked_in_their_order() -> None:
    caps = [WEEKLY, Cap("daily", ["promotion"], 1, DAY_SECONDS, DAY_SECONDS)]
    gate = linked_gate(contacts=contacted(NOON - HOUR))
    assert verdict(intent(), gate, rules(caps=caps)) == suppressed("capped:weekly")
    assert verdict(intent(), gate, rules(caps=caps[::-1])) == Wait(NOON + 23 * HOUR, "capped:daily")


# ---- caps


def capped(*ago: dt.timedelta, cap: Cap = WEEKLY, **more: Any) -> Verdict:
    return verdict(
        intent(**more), linked_gate(contacts=contacted(*(NOON - one for one in ago))), rules(caps=[cap])
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


# ---- quiet hours


@pytest.mark.parametrize(
    ("zone", "now", "until"),
    [
        ("Asia/Tokyo", "2026-11-20T21:00", "2026-11-21T07:00"),
        ("Asia/Tokyo", "2026-11-21T00:00", "2026-11-21T07:00"),
        ("Asia/Tokyo", "2026-11-21T06:59:59", "2026-11-21T07:00"),
        ("Europe/Berlin", "2026-03-28T22:00", "2026-03-29T07:00"),  # the night is an hour short
        ("Europe/Berlin", "2026-10-24T22:00", "2026-10-25T07:00"),  # and an hour long
        ("America/New_York", "2026-03-07T23:30", "2026-03-08T07:00"),
        ("America/New_York", "2026-11-01T00:30", "2026-11-01T07:00"),
    ],
)
def test_in_quiet_hours_a_message_waits_for_the_local_morning(zone: str, now: str, until: str) -> None:
    at = local(now, zone)
    waits = verdict(intent(made_at=at), by=rules(quiet_hours=NIGHT), now=at, zone=zone)
    assert waits == Wait(local(until, zone), "quiet_hours")


@pytest.mark.parametrize("now", ["2026-11-20T20:59:59", "2026-11-20T07:00", "2026-11-20T12:00"])
def test_outside_quiet_hours_nothing_waits(now: str) -> None:
    at = local(now)
    assert isinstance(verdict(intent(made_at=at), by=rules(quiet_hours=NIGHT), now=at), Allow)


def test_quiet_hours_are_for_the_kinds_that_they_name() -> None:
    at = local("2026-11-20T23:00")
    assert isinstance(verdict(intent(kind="support", made_at=at), by=rules(quiet_hours=NIGHT), now=at), Allow)


def test_what_expires_before_the_morning_is_suppressed() -> None:
    at = local("2026-11-20T23:00")
    assert verdict(intent(made_at=at, expires=8 * HOUR), by=rules(quiet_hours=NIGHT), now=at) == suppressed(
        "quiet_hours"
    )


def test_a_promotion_held_over_night_goes_in_the_morning() -> None:
    by, at = rules(quiet_hours=NIGHT), local("2026-11-20T22:00")
    one = intent(made_at=at)
    night = decided(one, by=by, now=at)
    assert isinstance(night.verdict, Wait)
    assert night.gate.holds == [Hold(one.send_id, "promotion", 10, night.verdict.until, "cart/1", at)]
    morning = decided(one, night.gate, by, night.verdict.until)
    assert isinstance(morning.verdict, Allow)
    assert morning.gate.holds == []


@pytest.mark.parametrize("earlier_first", [True, False])
def test_of_two_steps_held_over_night_the_later_goes_alone(earlier_first: bool) -> None:
    by, at = rules(quiet_hours=NIGHT), local("2026-11-20T22:00")
    earlier, later = intent(step="one", made_at=at), intent(step="two", made_at=at + HOUR)
    gate = decided(later, decided(earlier, by=by, now=at).gate, by, at + HOUR).gate
    morning = local("2026-11-21T07:00")
    answers = {}
    for one in (earlier, later) if earlier_first else (later, earlier):
        decision = decided(one, gate, by, morning)
        answers[one.step], gate = decision.verdict, decision.gate
    assert answers["one"] == suppressed("outranked")
    assert isinstance(answers["two"], Allow)


# ---- what replaces what


def claimed(one: Intent, gate: Gate | None = None) -> Gate:
    return decided(one, gate, now=one.made_at).gate


def test_a_later_step_of_the_same_passage_replaces_an_earlier() -> None:
    gate = claimed(intent(step="two", made_at=NOON + HOUR))
    assert verdict(intent(step="one"), gate, now=NOON + HOUR) == suppressed("outranked")


def test_a_later_step_that_may_have_arrived_replaces_an_earlier() -> None:
    later = intent(step="two", made_at=NOON + HOUR)
    gate = closed(claimed(later), later, CONTENT, Ended("unknown", "timed out"), NOON)
    assert verdict(intent(step="one"), gate, now=NOON + HOUR) == suppressed("outranked")


def test_a_later_step_that_failed_replaces_nothing() -> None:
    later = intent(step="two", made_at=NOON + HOUR)
    gate = closed(claimed(later), later, CONTENT, Ended("failed", "no such user"), NOON)
    assert isinstance(verdict(intent(step="one"), gate, now=NOON + HOUR), Allow)


def test_an_earlier_step_replaces_nothing() -> None:
    assert isinstance(
        verdict(intent(step="two", made_at=NOON + HOUR), claimed(intent(step="one")), now=NOON + HOUR), Allow
    )


def test_two_messages_made_at_one_instant_both_go() -> None:
    assert isinstance(verdict(intent(step="two"), claimed(intent(step="one"))), Allow)


@pytest.mark.parametrize("other", [{"source": "another"}, {"occurrence": "2"}], ids=str)
def test_another_passage_replaces_nothing(other: dict[str, Any]) -> None:
    gate = claimed(intent(step="two", made_at=NOON + HOUR, **other))
    assert isinstance(verdict(intent(step="one"), gate, now=NOON + HOUR), Allow)


def test_the_same_step_that_was_claimed_before_linking_is_not_sent_again() -> None:
    friends = msgspec.structs.replace(intent(), send_id="the friend's")
    both = merged(linked_gate(), claimed(friends))
    assert verdict(intent(), both) == suppressed("outranked")


def test_the_same_step_for_another_line_user_is_another_message() -> None:
    friends = msgspec.structs.replace(intent(line_user_id="U2"), send_id="the friend's")
    both = merged(linked_gate(), claimed(friends, linked_gate("U2")))
    assert isinstance(verdict(intent(), both), Allow)


# ---- who yields to whom


def promised(at: Instant, rank: int = 1, kind: Kind = "promotion") -> list[Upcoming]:
    return [Upcoming(at, kind, rank)]


def campaign(**more: Any) -> Intent:
    return intent("weekly@2026-11-20T03:00:00Z", rank=50, scenario="", campaign="weekly", **more)


@pytest.mark.parametrize("ahead", [dt.timedelta(), HOUR, 6 * DAY, WEEK - SECOND])
def test_a_campaign_yields_to_a_better_promotion_within_its_window(ahead: dt.timedelta) -> None:
    assert verdict(campaign(), by=rules(caps=[WEEKLY]), upcoming=promised(NOON + ahead)) == suppressed(
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
    daily = rules(caps=[Cap("daily", ["promotion"], 1, DAY_SECONDS, 2 * DAY_SECONDS)])
    ahead = [*promised(NOON + 2 * HOUR), *promised(NOON + HOUR)]
    assert verdict(campaign(), by=daily, upcoming=ahead) == Wait(NOON + 26 * HOUR, "outranked")


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
    assert verdict(campaign(), recent, two, upcoming=promised(NOON + DAY)) == suppressed("outranked")
    assert isinstance(verdict(campaign(), old, two, upcoming=promised(NOON + DAY)), Allow)


# ---- again: ended, resumed, unclaimed


@pytest.mark.parametrize("outcome", ["suppressed", "failed", "unknown"])
def test_what_has_ended_stays_ended_with_its_reason(outcome: Any) -> None:
    one = intent()
    gate = closed(linked_gate(), one, CONTENT, Ended(outcome, "why"), NOON)
    again = decided(one, gate)
    assert again.verdict == Ended(outcome, "why")
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
    gate = claimed(one)
    assert verdict(one, gate, now=NOON + HOUR, stopped_until=until) == Ended("unknown", "stopped")
    assert verdict(one, gate, now=NOON + HOUR, stopped_until=until - SECOND) == Wait(
        until - SECOND, "stopped"
    )


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
    first = decided(one, stopped_until=NOON + HOUR).gate
    again = decided(one, first, stopped_until=NOON + 2 * HOUR).gate
    assert [hold.until for hold in again.holds] == [NOON + 2 * HOUR]


def test_what_ends_is_held_no_longer() -> None:
    one = intent()
    gate = decided(one, stopped_until=NOON + HOUR).gate
    assert decided(one, gate, eligible=False).gate.holds == []


# ---- whatever the sequence

CAPS = [
    Cap("weekly", ["promotion"], 1, 7 * DAY_SECONDS, 3 * DAY_SECONDS),
    Cap("daily", ["promotion", "notification"], 2, DAY_SECONDS, DAY_SECONDS),
    Cap("hourly", ["support", "promotion", "notification"], 3, 3600, 3600),
]
CAPPED = rules(caps=CAPS, quiet_hours=NIGHT)
KINDS: list[Kind] = ["promotion", "notification", "support"]
steps = st.tuples(
    st.sampled_from(["decide"] * 6 + ["fail", "doubt", "refuse", "forbid"]),
    st.integers(0, 11),
    st.sampled_from([0, 1, 60, 1800, 3600, 6 * 3600, 12 * 3600, DAY_SECONDS, 3 * DAY_SECONDS]),
)


class World:
    """One customer's gate under a sequence of decisions, and what LINE may have seen of them."""

    def __init__(self) -> None:
        self.gate, self.now = linked_gate(), NOON
        self.intents: dict[int, Intent] = {}
        self.pushed: dict[str, list[Instant]] = {}
        self.claims: dict[str, Claim] = {}
        self.unsettled: set[str] = set()

    def intent(self, number: int) -> Intent:
        known = self.intents.get(number)
        if known is None:
            source = f"source {number // 3}"
            known = self.intents[number] = intent(
                source, f"step {number}", self.now, kind=KINDS[number % 3], rank=number % 4, expires=5 * DAY
            )
        return known

    def run(self, action: str, number: int, seconds: int) -> Decision | None:
        self.now += seconds * SECOND
        one = self.intent(number)
        if action in ("fail", "refuse"):
            self.settle(one, action)
            return None
        if action == "doubt":
            if one.send_id in self.unsettled:
                self.gate = closed(self.gate, one, CONTENT, Ended("unknown", "timed out"), self.now)
                self.unsettled.discard(one.send_id)
            return None
        ahead = [Upcoming(self.now + DAY, "promotion", 2)] if number % 2 else []
        decision = decided(one, self.gate, CAPPED, self.now, eligible=action != "forbid", upcoming=ahead)
        assert decision == decided(
            one, self.gate, CAPPED, self.now, eligible=action != "forbid", upcoming=ahead
        )
        self.gate = decision.gate
        if isinstance(decision.verdict, Allow):
            self.pushed.setdefault(one.send_id, []).append(self.now)
            self.claims[one.send_id] = decision.verdict.claim
            self.unsettled.add(one.send_id)
        elif isinstance(decision.verdict, Ended):
            self.unsettled.discard(one.send_id)
        return decision

    def settle(self, one: Intent, action: str) -> None:
        """A definite refusal, which only a first attempt can have."""
        if one.send_id not in self.unsettled or len(self.pushed[one.send_id]) > 1:
            return
        self.unsettled.discard(one.send_id)
        del self.pushed[one.send_id]
        if action == "fail":
            self.gate = closed(self.gate, one, CONTENT, Ended("failed", "no such user"), self.now)
        else:
            self.gate = unclaimed(self.gate, one, self.claims[one.send_id])

    def in_window(self, cap: Cap) -> Iterator[int]:
        """How many messages may have arrived in each window that ends with one of them."""
        window = dt.timedelta(seconds=cap.window_seconds)
        counted = {one.send_id for one in self.intents.values() if one.kind in cap.kinds}
        pushes = [
            (at, send_id) for send_id, times in self.pushed.items() if send_id in counted for at in times
        ]
        for end, _ in pushes:
            yield len({send_id for at, send_id in pushes if end - window < at <= end})


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
