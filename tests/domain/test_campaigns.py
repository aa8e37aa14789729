"""Campaigns: when they run, whom for, and one intent a person however often it is made."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain import playbook as pb
from functions.domain.campaigns import Recipient, Run, intent_of, is_occurrence, next_occurrence, recipient_of
from functions.domain.customers import Customer, folded, new_customer
from functions.domain.events import Event
from functions.domain.instants import Instant
from tests.domain.strategies import (
    DAY,
    HAS_BOUGHT,
    HOUR,
    NOON,
    SECOND,
    WEEK,
    ZONES,
    compiled,
    event,
    message,
    minutes_from,
    segment,
)

TOKYO = "Asia/Tokyo"
FRIDAY = 4


def local(text: str, zone: str = TOKYO) -> Instant:
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)


def campaign(**more: Any) -> pb.Campaign:
    return pb.Campaign("buyers", "promotion", 50, 86_400, "crm", **more)


def weekly(at: str = "20:00", weekday: int = FRIDAY) -> pb.Campaign:
    return campaign(weekly=pb.Weekly(weekday, dt.time.fromisoformat(at)))


# ---- when


@given(st.sampled_from(ZONES), minutes_from(NOON, 300), st.integers(-90, 90))
def test_what_is_an_occurrence_is_what_comes_next_and_nothing_beside_it(
    zone: str, after: Instant, minutes: int
) -> None:
    one = weekly("02:30")
    following = next_occurrence(one, zone, after)
    assert following is not None
    assert is_occurrence(one, zone, following)
    assert is_occurrence(one, zone, following + dt.timedelta(minutes=minutes)) == (minutes == 0)
    single = campaign(once=following)
    assert is_occurrence(single, zone, following)
    assert not is_occurrence(single, zone, following + SECOND)
    assert not is_occurrence(msgspec.structs.replace(single, on=False), zone, following)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("2026-11-20T19:59:59", "2026-11-20T20:00"),
        ("2026-11-20T20:00", "2026-11-27T20:00"),
        ("2026-11-21T00:00", "2026-11-27T20:00"),
        ("2026-11-19T23:00", "2026-11-20T20:00"),
    ],
)
def test_a_weekly_campaign_runs_on_its_day_and_never_now(after: str, expected: str) -> None:
    assert next_occurrence(weekly(), TOKYO, local(after)) == local(expected)


@pytest.mark.parametrize(
    ("zone", "after"), [("Europe/Berlin", "2026-03-27T21:00"), ("America/New_York", "2026-10-30T21:00")]
)
def test_a_weekly_campaign_keeps_its_local_time_when_clocks_change(zone: str, after: str) -> None:
    start = local(after, zone)
    then = next_occurrence(weekly(), zone, start)
    assert then is not None
    assert then.astimezone(ZoneInfo(zone)).strftime("%A %H:%M") == "Friday 20:00"
    assert then - start in (WEEK - 2 * HOUR, WEEK)


@given(
    minutes_from(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), 366),
    st.integers(0, 6),
    st.sampled_from(["00:00", "07:00", "20:00", "23:30"]),
    st.sampled_from(ZONES),
)
def test_a_weekly_campaign_runs_within_the_week_on_its_day(
    after: Instant, day: int, at: str, zone: str
) -> None:
    then = next_occurrence(weekly(at, day), zone, after)
    assert then is not None
    assert after < then <= after + WEEK + HOUR
    shown = then.astimezone(ZoneInfo(zone))
    assert (shown.weekday(), shown.time()) == (day, dt.time.fromisoformat(at))


def test_a_skipped_time_that_moves_past_midnight_still_has_its_week() -> None:
    """Nuuk skips Saturday 23:00 to midnight: half past eleven comes as half past midnight."""
    after = local("2026-03-22T12:00", "America/Nuuk")
    assert next_occurrence(weekly("23:30", 5), "America/Nuuk", after) == local(
        "2026-03-29T00:30", "America/Nuuk"
    )


def test_a_single_campaign_runs_once() -> None:
    once = campaign(once=NOON)
    assert next_occurrence(once, TOKYO, NOON - SECOND) == NOON
    assert next_occurrence(once, TOKYO, NOON) is None


def test_a_campaign_that_is_off_or_has_no_time_never_runs() -> None:
    assert next_occurrence(msgspec.structs.replace(weekly(), on=False), TOKYO, NOON) is None
    assert next_occurrence(campaign(once=NOON, on=False), TOKYO, NOON - DAY) is None
    assert next_occurrence(campaign(), TOKYO, NOON) is None


# ---- whom for

PLAYBOOK = compiled(
    segments={"buyers": segment(HAS_BOUGHT), "others": segment(["not", HAS_BOUGHT])},
    campaigns={
        "buyers": campaign(hold_seconds_max=60),
        "others": msgspec.structs.replace(campaign(), segment="others"),
    },
    messages={"promotion": message("promotion", nickname="you")},
)
RUN = Run("buyers", NOON, "v1", NOON + SECOND, 4)
LINKED = new_customer("c1", "U1", NOON, "e")


def recipient(*events: Event, run: Run = RUN, customer: Customer = LINKED) -> Recipient | None:
    return recipient_of(folded(customer, events, PLAYBOOK), run, PLAYBOOK)


def test_who_is_in_the_segment_is_a_recipient_with_frozen_values() -> None:
    assert recipient(event(), event("profile_updated", "p", nickname="Hana")) == Recipient(
        "c1", "U1", {"nickname": "Hana"}
    )
    assert recipient(event()) == Recipient("c1", "U1", {"nickname": "you"})


def test_who_is_not_in_the_segment_is_none() -> None:
    assert recipient() is None
    assert recipient(event(status="provisional")) is None


def test_whom_something_provisional_may_take_out_is_none() -> None:
    others = msgspec.structs.replace(RUN, campaign="others")
    assert recipient(run=others) is not None
    assert recipient(event(status="provisional"), run=others) is None


def test_who_has_no_line_user_or_was_merged_is_none() -> None:
    assert recipient(event(), customer=Customer("c1")) is None
    assert recipient(event(), customer=msgspec.structs.replace(LINKED, merged_into="c2")) is None


# ---- intents


def test_an_intent_of_a_run_is_whole_and_always_the_same() -> None:
    one = intent_of(Recipient("c1", "U1", {"nickname": "Hana"}), RUN, PLAYBOOK, "acc")
    assert one == intent_of(Recipient("c1", "U1", {"nickname": "Hana"}), RUN, PLAYBOOK, "acc")
    assert (one.source, one.step, one.campaign, one.scenario) == (
        "buyers@2026-11-20T03:00:00Z", "buyers", "buyers", "",
    )  # fmt: skip
    assert (one.kind, one.rank, one.playbook, one.hold_seconds_max) == ("promotion", 50, "v1", 60)
    assert (one.made_at, one.expires_at, one.values) == (RUN.made_at, RUN.made_at + DAY, {"nickname": "Hana"})


def test_a_send_id_is_of_one_run_line_user_and_account() -> None:
    other_run = msgspec.structs.replace(RUN, occurrence=NOON + WEEK)
    one = Recipient("c1", "U1", {})
    ids = [
        intent_of(one, RUN, PLAYBOOK, "acc").send_id,
        intent_of(one, other_run, PLAYBOOK, "acc").send_id,
        intent_of(Recipient("c1", "U2", {}), RUN, PLAYBOOK, "acc").send_id,
        intent_of(one, RUN, PLAYBOOK, "acc2").send_id,
        intent_of(one, msgspec.structs.replace(RUN, campaign="others"), PLAYBOOK, "acc").send_id,
    ]
    assert len(set(ids)) == 5


def test_two_customers_of_one_line_user_get_one_message() -> None:
    both = [intent_of(Recipient(name, "U1", {}), RUN, PLAYBOOK, "acc").send_id for name in ("c1", "anon:U1")]
    assert both[0] == both[1]


def test_no_intent_of_a_run_lives_longer_than_eight_days() -> None:
    patient = compiled(
        segments={"buyers": segment(HAS_BOUGHT)},
        campaigns={"buyers": msgspec.structs.replace(campaign(), expires_seconds=30 * 86_400)},
    )
    one = intent_of(Recipient("c1", "U1", {}), RUN, patient, "acc")
    assert one.expires_at == RUN.made_at + 8 * DAY
