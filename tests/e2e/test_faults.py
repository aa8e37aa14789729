"""Crashes, silence and opt-outs in the middle of a send: the sandbox counts at most one copy, and the log says why."""

import pytest

from ops.line_sandbox.faults import FaultRule
from tests.e2e.shop import Shop, wait_until
from tests.e2e.test_main_job import next_local

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def _no_faults_left(shop: Shop) -> object:
    yield
    shop.line.clear_faults()


@pytest.mark.parametrize("kind", ["slow", "accept_then_slow"])
def test_a_sender_killed_in_the_middle_of_a_push_sends_no_second_copy(shop: Shop, kind: str) -> None:
    next_local(shop, 11)
    _, user = shop.new_customer()
    before = shop.faults_struck(kind)
    shop.line.faults([FaultRule(kind=kind, endpoint="push", user=user, seconds=3, times=1)])  # type: ignore[arg-type]
    shop.line.follow(user)
    wait_until(lambda: shop.faults_struck(kind) > before)
    assert shop.kill_workers("send") >= 1
    shop.clock.settle()
    assert shop.copies(user) == 1
    assert [record.status for record in shop.sends_of(user)] == ["sent"]


@pytest.mark.parametrize("function", ["decide", "send"])
def test_workers_killed_all_along_lose_nobody_and_double_nobody(shop: Shop, function: str) -> None:
    next_local(shop, 11)
    users = [shop.new_customer()[1] for _ in range(12)]
    for number, user in enumerate(users):
        shop.line.follow(user)
        if number % 4 == 0:
            shop.kill_workers(function)
    shop.clock.settle()
    assert [shop.copies(user) for user in users] == [1] * len(users)


def test_an_opt_out_between_claim_and_redelivery_ends_as_unknown_not_as_a_message(shop: Shop) -> None:
    next_local(shop, 11)
    customer, user = shop.new_customer()
    shop.befriend(customer, user)
    shop.post(shop.purchase(customer))
    shop.line.faults([FaultRule(kind="drop_before", endpoint="push", user=user)])
    shop.pass_time(days=7, hours=8)
    before = shop.copies(user)
    assert shop.sends_of(customer, "day7_related") == []
    shop.post(shop.event(customer, "consent_withdrawn", purpose="marketing", version="1"))
    shop.clock.settle()
    shop.line.clear_faults()
    shop.pass_time(days=1)
    assert [(r.status, r.reason) for r in shop.sends_of(customer, "day7_related")] == [
        ("unknown", "no_consent")
    ]
    assert shop.copies(user) == before


def test_silence_after_acceptance_is_asked_again_with_the_same_key(shop: Shop) -> None:
    next_local(shop, 11)
    _, user = shop.new_customer()
    shop.line.faults([FaultRule(kind="accept_then_drop", endpoint="push", user=user, times=3)])
    shop.line.follow(user)
    shop.clock.settle()
    shop.pass_time(hours=2)
    assert shop.copies(user) == 1
    assert [record.status for record in shop.sends_of(user, "welcome")] == ["sent"]


def test_a_day_of_silence_ends_as_unknown(shop: Shop) -> None:
    next_local(shop, 11)
    _, user = shop.new_customer()
    shop.line.faults([FaultRule(kind="error_500", endpoint="push", user=user)])
    shop.line.follow(user)
    shop.clock.settle()
    shop.pass_time(days=2)
    assert [record.status for record in shop.sends_of(user, "welcome")] == ["unknown"]
    assert shop.copies(user) == 0


def test_a_definite_refusal_is_failed(shop: Shop) -> None:
    next_local(shop, 11)
    _, user = shop.new_customer()
    shop.line.faults([FaultRule(kind="bad_request_400", endpoint="push", user=user, times=1)])
    shop.line.follow(user)
    shop.clock.settle()
    assert [(r.status, r.reason) for r in shop.sends_of(user, "welcome")] == [("failed", "http_400")]


def test_the_rate_limit_only_delays(shop: Shop) -> None:
    next_local(shop, 11)
    _, user = shop.new_customer()
    shop.line.faults([FaultRule(kind="rate_429", endpoint="push", user=user, times=2)])
    shop.line.follow(user)
    shop.clock.settle()
    assert [record.status for record in shop.sends_of(user, "welcome")] == ["sent"]
    assert shop.copies(user) == 1
