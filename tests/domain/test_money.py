"""Money: what a month costs, what the limits let pass, and who stops first."""

import datetime as dt
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.account import Block
from functions.domain.money import (
    TIERS,
    Count,
    Limit,
    LineUsage,
    Purse,
    Tier,
    month_limit,
    month_of,
    purse_of,
    refusal_of,
    run_limit,
    surely_beyond,
    tier_limit,
    yen_of,
)
from functions.domain.playbook import Price
from tests.aws.samples import intent
from tests.fakes.playbooks import campaign, playbook

NOON = dt.datetime(2026, 11, 2, 3, 0, tzinfo=dt.UTC)
RUN = "news@2026-11-02T03:00:00Z"
PRICES = st.builds(
    Price,
    plan_yen=st.integers(0, 20_000),
    free_messages=st.integers(0, 40_000),
    yen_each=st.sampled_from([0.1, 0.3, 1, 2.2, 2.5, 2.8, 3]),
    yen_max=st.integers(20_000, 3_000_000),
)


@given(PRICES)
def test_the_limit_in_messages_is_the_last_number_that_the_budget_pays_for(price: Price) -> None:
    limit = month_limit(price, None)
    assert limit is not None
    assert limit.reason == "over_budget"
    assert yen_of(limit.messages, price) <= Decimal(price.yen_max or 0) < yen_of(limit.messages + 1, price)


@pytest.mark.parametrize(
    ("price", "line_limit", "binding"),
    [
        (Price(), None, None),
        (Price(), 200, Limit(200, "over_quota")),
        (Price(messages_max=150), 200, Limit(150, "over_quota")),
        (Price(15_000, 30_000, 3, yen_max=15_300), 40_000, Limit(30_100, "over_budget")),
        (Price(15_000, 30_000, 3, yen_max=15_300), 30_000, Limit(30_000, "over_quota")),
        (Price(15_000, 30_000, 2.2, yen_max=15_011), None, Limit(30_005, "over_budget")),
        (Price(5_000, 5_000, 0, yen_max=5_000), None, None),
    ],
)
def test_the_tightest_limit_binds_and_names_the_reason(
    price: Price, line_limit: int | None, binding: Limit | None
) -> None:
    assert month_limit(price, line_limit) == binding


@given(st.integers(0, 10**9), st.integers(0, 40))
def test_what_matters_less_stops_earlier(messages: int, percent: int) -> None:
    limits = [tier_limit(Limit(messages, "over_quota"), tier, percent) for tier in TIERS]
    sizes = [limit.messages for limit in limits if limit]
    assert sizes[0] == messages
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] >= messages * (100 - 2 * percent) // 100


def test_campaigns_stop_at_ninety_percent_and_scenarios_at_ninety_five() -> None:
    limits = [tier_limit(Limit(30_000, "over_quota"), tier, 5) for tier in TIERS]
    assert [limit.messages for limit in limits if limit] == [30_000, 28_500, 27_000]
    assert tier_limit(None, "campaign", 5) is None


@pytest.mark.parametrize(
    ("kind", "of_campaign", "tier"),
    [
        ("support", False, "prompt"),
        ("notification", True, "prompt"),
        ("promotion", False, "scenario"),
        ("promotion", True, "campaign"),
    ],
)
def test_a_message_is_paid_from_where_it_matters(kind: str, of_campaign: bool, tier: Tier) -> None:
    source = {"scenario": "", "campaign": "news", "source": RUN} if of_campaign else {}
    one = msgspec.structs.replace(intent(), kind=kind, **source)
    assert purse_of(one, playbook(campaigns={"news": campaign("news")})) == Purse(tier)


def test_a_campaign_with_a_budget_has_a_purse_for_each_run() -> None:
    news = msgspec.structs.replace(campaign("news"), yen_max=100)
    book = msgspec.structs.replace(
        playbook(campaigns={"news": news}), price=Price(yen_each=3, free_messages=9)
    )
    one = msgspec.structs.replace(intent(), scenario="", campaign="news", source=RUN)
    assert purse_of(one, book) == Purse("campaign", RUN)
    assert run_limit(RUN, book) == Limit(33, "over_budget")
    assert run_limit("gone@2026-11-02T03:00:00Z", book) is None


def test_the_month_is_japans() -> None:
    assert month_of(dt.datetime(2026, 11, 30, 14, 59, tzinfo=dt.UTC)) == "2026-11"
    assert month_of(dt.datetime(2026, 11, 30, 15, 0, tzinfo=dt.UTC)) == "2026-12"


@given(st.integers(0, 999), st.integers(0, 999), st.integers(0, 999))
def test_nothing_that_line_has_counted_is_forgotten_and_nothing_counts_twice(
    used_then: int, line_total: int, since: int
) -> None:
    count = Count(used=used_then + since, line_total=line_total, used_then=used_then)
    assert count.taken == max(used_then, line_total) + since


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
def test_what_others_sent_counts_from_when_it_was_seen_and_is_never_thought_more_by_a_late_answer(
    theirs: int, ours: int, in_hand: int, late: int, since: int
) -> None:
    """`theirs`: counted by LINE and not ours; `in_hand`: reserved and not sent yet; `late`: what LINE has not counted yet."""
    quiet = Count(used=ours)
    quiet = msgspec.structs.replace(quiet, beyond=surely_beyond(quiet, LineUsage(None, theirs + ours)))
    busy = msgspec.structs.replace(quiet, used=ours + since + in_hand)
    usage = LineUsage(None, theirs + max(0, ours + since - late))
    told = msgspec.structs.replace(
        busy, line_total=usage.used, used_then=busy.used, beyond=surely_beyond(busy, usage)
    )
    assert (told.beyond, told.taken) == (theirs, theirs + busy.used)


def test_the_month_begins_anew_by_itself_and_a_runs_budget_does_not() -> None:
    midnight = dt.datetime(2026, 11, 30, 15, 0, tzinfo=dt.UTC)
    assert refusal_of("over_budget", NOON, of_run=False) == Block("over_budget", midnight)
    assert refusal_of("over_budget", NOON, of_run=True).is_open_ended
