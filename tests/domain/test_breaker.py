"""The breaker: for what a block counts, and when it opens."""

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain import playbook as pb
from functions.domain.account import UNTIL_LIFTED
from functions.domain.breaker import (
    WINDOW_MAX,
    Counts,
    day_of,
    days_until,
    opened,
    sent_before,
    still_counting,
)
from functions.domain.gate import Claim, ClaimState
from functions.domain.instants import Instant
from tests.domain.strategies import DAY, HOUR, NOON, SECOND, compiled, linked_gate, scenario
from tests.domain.verdicts import local

RULE = pb.Breaker()
WEEKLY = pb.Campaign("vips", "hello", 50, 3_600, "crm")
BOOK = compiled(scenarios={"cart": scenario()}, campaigns={"weekly": WEEKLY}).playbook


def claim(passage: str, key_at: Instant, to: str = "U1", state: ClaimState = "open") -> Claim:
    return Claim(f"{passage} {key_at}", passage, "s", to, "h", key_at, key_at, key_at + DAY, state)


def before(*claims: Claim, user: str = "U1", **more: Any) -> dict[str, Instant]:
    rule = msgspec.structs.replace(RULE, **more)
    return sent_before(linked_gate(claims=list(claims)), user, NOON, rule, BOOK)


RUN = "weekly@2026-11-20T03:00:00Z/1"


def test_a_block_counts_for_the_source_of_what_was_sent_and_for_its_segment() -> None:
    assert before(claim("cart/3", NOON - HOUR), claim(RUN, NOON - 2 * HOUR)) == {
        "scenario:cart": NOON - HOUR,
        "campaign:weekly": NOON - 2 * HOUR,
        "segment:vips": NOON - 2 * HOUR,
    }


def test_a_source_that_the_playbook_no_longer_has_counts_without_a_segment() -> None:
    assert set(before(claim("gone@2026-11-20T03:00:00Z/1", NOON))) == {"campaign:gone"}


def test_of_several_messages_of_one_source_the_newest_counts() -> None:
    assert before(claim("cart/1", NOON - 2 * HOUR), claim("cart/2", NOON - HOUR)) == {
        "scenario:cart": NOON - HOUR
    }


@pytest.mark.parametrize(
    ("one", "counts"),
    [
        (claim("cart/1", NOON - DAY), True),
        (claim("cart/1", NOON - DAY - SECOND), False),
        (claim("cart/1", NOON + 30 * SECOND), True),
        (claim("cart/1", NOON + HOUR), False),
        (claim("cart/1", NOON, to="U2"), False),
        (claim("cart/1", NOON, state="unknown"), True),
        (claim("cart/1", NOON, state="suppressed"), False),
        (claim("cart/1", NOON, state="failed"), False),
    ],
)
def test_only_what_may_have_arrived_within_the_window_counts(one: Claim, counts: bool) -> None:
    assert bool(before(one)) is counts


def test_the_window_is_the_playbooks() -> None:
    assert before(claim("cart/1", NOON - 2 * DAY), window_seconds=2 * 86_400)
    assert not before(claim("cart/1", NOON - 2 * HOUR), window_seconds=3_600)


@pytest.mark.parametrize(
    ("sent", "blocked", "opens"),
    [
        (199, 199, False),
        (200, 4, False),
        (200, 5, True),
        (1_000, 20, False),
        (1_000, 21, True),
        (0, 5, False),
    ],
)
def test_it_opens_above_the_threshold_of_enough_sends(sent: int, blocked: int, opens: bool) -> None:
    block = opened("campaign:weekly", Counts(sent, blocked), RULE, NOON)
    assert (block is not None) is opens
    if block is not None:
        assert (block.reason, block.scope, block.until, block.since) == (
            "breaker_open",
            "campaign:weekly",
            UNTIL_LIFTED,
            NOON,
        )


def test_it_says_why() -> None:
    block = opened("campaign:weekly", Counts(1_000, 31), RULE, NOON)
    assert block is not None
    assert block.why == "3.1 % of 1,000 recipients blocked the account within 24 h (2 % is the most)"


def test_the_rule_is_the_playbooks() -> None:
    strict = pb.Breaker(block_rate_percent=0.5, sends_min=100)
    assert opened("segment:vips", Counts(100, 1), strict, NOON)
    assert not opened("segment:vips", Counts(99, 50), strict, NOON)


def test_what_was_sent_before_it_was_lifted_counts_no_more() -> None:
    sent = {"campaign:weekly": NOON, "segment:vips": NOON, "scenario:cart": NOON + SECOND}
    counts = {
        "campaign:weekly": Counts(),
        **dict.fromkeys(("segment:vips", "scenario:cart"), Counts(0, 0, NOON)),
    }
    assert still_counting(sent, counts) == {"campaign:weekly": NOON, "scenario:cart": NOON + SECOND}
    assert still_counting(sent, {}) == sent


def test_days_are_those_of_japan() -> None:
    assert day_of(local("2026-11-20T23:59:59")) == "2026-11-20"
    assert day_of(local("2026-11-21T00:00")) == "2026-11-21"


@given(
    st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 1, 1)),  # noqa: DTZ001 — made aware below
    st.floats(0, 1),
    st.integers(3_600, int(WINDOW_MAX.total_seconds())),
)
def test_whatever_a_block_may_count_for_is_on_one_of_the_days(
    at: dt.datetime, part: float, seconds: int
) -> None:
    now, window = at.replace(tzinfo=dt.UTC), dt.timedelta(seconds=seconds)
    days = days_until(now, window)
    assert day_of(now - part * window) in days
    assert len(days) <= 5
