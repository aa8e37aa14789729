"""Stop and resume on the running engine: nothing goes out meanwhile, and what waited goes at once, once."""

import time

import pytest

from functions.aws.account import CACHE_SECONDS
from functions.domain.breaker import days_until
from functions.domain.instants import DAY
from tests.e2e.shop import Shop
from tests.e2e.test_main_job import next_local

pytestmark = pytest.mark.e2e


def stop(shop: Shop, *of: str) -> None:
    answer = shop.musubi("stop", *of, "--why", "a test")
    assert answer.exit_code == 0, answer.output
    time.sleep(CACHE_SECONDS + 0.5)


def resume(shop: Shop, *of: str) -> str:
    answer = shop.musubi("resume", *of)
    assert answer.exit_code == 0, answer.output
    shop.clock.settle()
    return answer.stdout


def test_a_stopped_account_sends_nothing_and_a_resume_brings_back_what_waited(shop: Shop) -> None:
    next_local(shop, 11)
    stop(shop)
    _, user = shop.new_customer()
    shop.line.follow(user)
    shop.pass_time(hours=2)
    assert shop.copies(user) == 0
    assert "a test" in shop.musubi("blocks", "--format", "json").stdout
    assert "are back in the queue" in resume(shop)
    assert shop.copies(user) == 1
    assert shop.musubi("blocks").stdout == "Nothing is stopped.\n"
    shop.pass_time(hours=8)
    assert shop.copies(user) == 1
    assert [record.status for record in shop.sends_of(user)] == ["sent"]


def test_whoever_blocks_after_a_message_counts_for_its_scenario(shop: Shop) -> None:
    next_local(shop, 11)
    _, user = shop.new_customer()
    shop.line.follow(user)
    shop.clock.settle()
    (welcome,) = shop.sends_of(user)
    scope, days = f"scenario:{welcome.scenario}", days_until(shop.clock.now, DAY)
    before = shop.stores.reactions.counts([scope], days)[scope].blocked
    shop.line.block(user)
    shop.clock.settle()
    assert shop.stores.reactions.counts([scope], days)[scope].blocked == before + 1


def test_a_stopped_scenario_leaves_the_others_alone(shop: Shop) -> None:
    next_local(shop, 11)
    stop(shop, "--scenario", "second_purchase")
    customer, user = shop.new_customer()
    shop.befriend(customer, user)
    welcomed = shop.copies(user)
    assert welcomed == 1
    shop.post(shop.purchase(customer))
    shop.pass_time(days=2)
    assert shop.sends_of(customer, "day1_support") == []
    resume(shop, "--scenario", "second_purchase")
    assert [record.status for record in shop.sends_of(customer, "day1_support")] == ["sent"]
    assert shop.line.report(with_users=False).duplicates == 0
