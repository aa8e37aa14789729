"""The parts that KPIs are summed up from, day by day, and who is a friend and a member."""

import datetime as dt

from functions.domain.facts import CLICKS, FRIENDSHIPS, MEMBERSHIPS, SENDS
from functions.measure.happenings import happenings_of, path_to
from functions.measure.periods import Literal
from functions.measure.run import CLICK_DAYS, DAY_SECONDS, Run
from functions.measure.tables import CONTACTS, CONVERSIONS, DAILY, FRIENDS, MEMBERS, ORDERS

_PARTS = (
    "happened_sends",
    "happened_clicks",
    "happened_friends",
    "happened_conversions",
    "happened_orders",
    "happened_coupons",
)


def derive_daily(
    run: Run, ordered: set[dt.date], contacted: set[dt.date], converted: set[dt.date]
) -> set[dt.date]:
    """The partitions of `daily` that change, which it returns. A message or a click that comes late counts for as many
    days as a click may come after its message."""
    days = ordered | converted | run.until(contacted | run.days, CLICK_DAYS)
    back = run.since(days, CLICK_DAYS)
    run.workspace.view(SENDS, days)
    run.workspace.view(CLICKS, back)
    run.workspace.view(FRIENDSHIPS, days)
    run.drafts.view(CONTACTS, back, "contacts_now")
    run.drafts.view(CONVERSIONS, days, "conversions_now")
    run.drafts.view(ORDERS, days, "orders_now")
    measure = run.measure
    happenings_of(run, measure.coupon_event, days)
    run.make("coupons", "coupons", value_path=path_to(measure.coupon_value), id_path=path_to(measure.id))
    run.list_days("days_told", days)
    breaker = run.playbook.breaker
    values: dict[str, Literal] = {
        "look_back": CLICK_DAYS,
        "window": breaker.window_seconds if breaker else DAY_SECONDS,
        "first_goal": next(iter(measure.goals), ""),
        "dormant": measure.dormant_seconds,
    }
    for number, part in enumerate(_PARTS):
        run.make("happened" if number == 0 else "happened_more", part, **values)
        if number:
            run.execute("INSERT INTO happened BY NAME SELECT * FROM happened_more")
    run.make("daily_new", "daily", **values)
    run.workspace.view(DAILY, days, "daily_then")
    differing = run.differing(DAILY, "daily_new", "daily_then")
    run.write_days(DAILY, differing, "daily_new")
    return differing


def derive_friends_and_members(run: Run) -> None:
    """The snapshots of who follows the account, and who is in which segment."""
    for table, facts, file in ((FRIENDS, FRIENDSHIPS, "friends_now"), (MEMBERS, MEMBERSHIPS, "members_now")):
        run.view_then(table)
        run.workspace.view(facts, run.days)
        run.make(file, file)
        run.write_snapshot(table, file)
