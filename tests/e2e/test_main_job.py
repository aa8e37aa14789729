"""The main job, end to end: real bundle, real template, least privilege, LINE as the sandbox behaves."""

import datetime as dt

import pytest

from tests.e2e.shop import Shop

TOKYO = dt.timezone(dt.timedelta(hours=9))

pytestmark = pytest.mark.e2e


def next_local(shop: Shop, hour: int, weekday: int | None = None) -> None:
    """Stand at the next full hour in Tokyo, on a weekday (0 is Monday) where one is given."""
    now = shop.clock.now.astimezone(TOKYO)
    target = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    while target < now or weekday not in (None, target.weekday()):
        target += dt.timedelta(days=1)
    shop.clock.advance_to(target)


def test_a_new_friend_is_welcomed_once_however_often_line_tells(shop: Shop) -> None:
    next_local(shop, 11)
    _, user = shop.new_customer()
    told = shop.line.follow(user)
    shop.line.send_events(told.events, redeliveries=2)
    shop.clock.settle()
    assert shop.copies(user) == 1
    assert [record.status for record in shop.sends_of(user)] == ["sent"]


def test_a_first_purchase_is_followed_up_on_days_1_7_14_and_30(shop: Shop) -> None:
    next_local(shop, 11)
    customer, user = shop.new_customer()
    shop.befriend(customer, user)
    purchase = shop.purchase(customer)
    shop.post(purchase)
    shop.post(purchase)
    shop.pass_time(days=31)
    sent = [record.step for record in shop.sends_of(customer) if record.scenario == "second_purchase"]
    assert sent == ["day1_support", "day7_related", "day14_coupon", "day30_next"]
    assert shop.line.report(with_users=False).duplicates == 0


def test_buying_again_ends_the_follow_up(shop: Shop) -> None:
    next_local(shop, 11)
    customer, user = shop.new_customer()
    shop.befriend(customer, user)
    shop.post(shop.purchase(customer))
    shop.pass_time(days=3)
    shop.post(shop.purchase(customer))
    shop.pass_time(days=14)
    steps = [record.step for record in shop.sends_of(customer) if record.scenario == "second_purchase"]
    assert steps == ["day1_support"]
    journeys = {journey["scenario"]: journey["status"] for journey in shop.card(customer)["journeys"]}
    assert journeys["second_purchase"] == "goal"


def test_the_weekly_campaign_reaches_buyers_and_yields_to_the_follow_up(shop: Shop) -> None:
    next_local(shop, 11, weekday=0)
    regular, regular_user = shop.new_customer()
    newcomer, newcomer_user = shop.new_customer()
    shop.befriend(regular, regular_user)
    shop.befriend(newcomer, newcomer_user)
    shop.post(shop.purchase(regular), shop.purchase(regular), shop.purchase(newcomer))
    shop.pass_time(days=7)
    assert [r.status for r in shop.sends_of(regular) if r.campaign == "weekly"] == ["sent"]
    weekly = [r for r in shop.sends_of(newcomer) if r.campaign == "weekly"]
    assert [(r.status, r.reason) for r in weekly] == [("suppressed", "outranked")]


def test_an_open_inquiry_stops_promotions_only(shop: Shop) -> None:
    next_local(shop, 11)
    customer, user = shop.new_customer()
    shop.befriend(customer, user)
    shop.post(shop.purchase(customer), shop.event(customer, "inquiry_opened", case_id="a"))
    shop.pass_time(days=8)
    outcome = {
        r.step: (r.status, r.reason) for r in shop.sends_of(customer) if r.scenario == "second_purchase"
    }
    assert outcome["day1_support"] == ("sent", "")
    assert outcome["day7_related"] == ("suppressed", "excluded:inquiry")


def test_nothing_leaves_in_quiet_hours(shop: Shop) -> None:
    next_local(shop, 22)
    _, user = shop.new_customer()
    shop.line.follow(user)
    shop.clock.settle()
    assert shop.copies(user) == 0
    shop.pass_time(hours=9)
    (delivery,) = shop.line.deliveries(user)
    assert delivery.at.astimezone(TOKYO).hour == 7


def test_who_blocked_gets_nothing_and_who_comes_back_is_reached_again(shop: Shop) -> None:
    next_local(shop, 11)
    customer, user = shop.new_customer()
    shop.befriend(customer, user)
    shop.line.block(user)
    shop.post(shop.purchase(customer))
    shop.pass_time(days=2)
    assert [(r.status, r.reason) for r in shop.sends_of(customer, "day1_support")] == [
        ("suppressed", "unreachable")
    ]
    shop.line.unblock(user)
    shop.pass_time(days=6)
    assert [r.status for r in shop.sends_of(customer, "day7_related")] == ["sent"]


def test_a_friend_who_links_is_one_customer_with_one_history(shop: Shop) -> None:
    next_local(shop, 11)
    customer, user = shop.new_customer()
    shop.line.follow(user)
    shop.clock.settle()
    assert shop.card(user)["links"][0]["status"] == "anonymous"
    shop.post(shop.purchase(customer))
    shop.post(shop.linked(customer, user))
    shop.clock.settle()
    card = shop.card(user)
    assert card == shop.card(customer)
    assert card["customer_id"] == customer
    assert [link["status"] for link in card["links"]] == ["linked"]
    assert "welcome" in {send["step"] for send in card["sends"]}


def test_the_accounts_close(shop: Shop) -> None:
    shop.pass_time(days=9)
    assert shop.accounts().is_closed
    report = shop.line.report(with_users=False)
    assert report.duplicates == 0
    assert report.sandbox_errors == []
