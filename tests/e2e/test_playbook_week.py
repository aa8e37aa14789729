"""A playbook is changed on a deployment that lives: nine days under it, then what they left behind."""

import csv
import datetime as dt
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from functions.aws.objects import IN_FORCE_SECONDS
from functions.aws.scans import S3Audits
from functions.domain.audits import part_of
from functions.domain.experiments import bucket, variant_at
from functions.domain.instants import format_instant
from functions.domain.sends import SendRecord
from infra.bundle import ROOT
from ops.accounts import every_customer
from ops.customer_card import find_customer
from tests.e2e.changed_playbook import VIP_MENU, changed_playbook
from tests.e2e.shop import Shop, wait_until
from tests.e2e.test_main_job import next_local

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("nights")]

PEOPLE = (
    "slow", "sleeper", "rainy", "spender", "joiner", "held_out", "answers", "silent", "opted_out",
    "returner", "stocked",
)  # fmt: skip
PRODUCT = "桜のバーム"


@dataclass
class Week:
    """Who lived it (name → customer id, LINE user id), and what was seen on the way."""

    directory: Path
    people: dict[str, tuple[str, str]]
    seen: dict[str, Any] = field(default_factory=dict)

    def customer(self, name: str) -> str:
        """The customer id of one of them."""
        return self.people[name][0]

    def user(self, name: str) -> str:
        """The LINE user id of one of them."""
        return self.people[name][1]


@pytest.fixture(scope="module")
def week(shop: Shop, nights: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Week]:
    """Nine days under the changed playbook, from a Monday at 11; ec is in force again at the end."""
    folder = tmp_path_factory.mktemp("week")
    next_local(shop, 11, weekday=0)
    people = {name: shop.new_customer(held_out=name == "held_out") for name in PEOPLE}
    week = Week(changed_playbook(folder / "changed"), people)
    with_history(shop, week, folder / "history.csv")
    week.seen["applied"] = shop.apply(str(week.directory), "--wait")
    shop.clock.settle()
    week.seen["sleeper after a quiet apply"] = shop.card(week.customer("sleeper"))["journeys"]
    shop.line.register_menus(VIP_MENU)
    monday(shop, week)
    tuesday(shop, week)
    until_wednesday_week(shop, week)
    yield week
    shop.apply(str(ROOT / "playbooks" / "ec"))


def with_history(shop: Shop, week: Week, file: Path) -> None:
    """All are friends whom the CRM knows; three of them bought long ago, as a file tells."""
    for customer, user in week.people.values():
        shop.link(customer, user)
    since = {
        "slow": dt.timedelta(days=46) - dt.timedelta(hours=2),  # 46 whole days: today at 13
        "sleeper": dt.timedelta(days=400),
        "rainy": dt.timedelta(days=20),
    }
    with file.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["event_id", "customer_id", "name", "occurred_at", "order_id", "amount"])
        for name, passed in since.items():
            for number in (1, 2):
                at = shop.clock.now - passed - dt.timedelta(days=2 - number)
                order, amount = f"old-{name}-{number}", 6000 if name == "sleeper" else 2000
                rows.writerow([order, week.customer(name), "purchase", format_instant(at), order, amount])
    assert shop.musubi("import", str(file)).exit_code == 0
    shop.clock.settle()


def monday(shop: Shop, week: Week) -> None:
    """What everybody does; the sleeper's journey starts because a person says so."""
    people = {name: customer for name, (customer, _) in week.people.items()}
    shop.post(
        shop.purchase(people["spender"], amount=12_000),
        shop.event(people["joiner"], "campaign_joined", campaign="autumn"),
        shop.event(people["held_out"], "campaign_joined", campaign="autumn"),
        shop.event(people["answers"], "favourite_added", product_id="p1"),
        shop.event(people["silent"], "favourite_added", product_id="p1"),
        shop.event(people["opted_out"], "consent_withdrawn", purpose="coupon"),
        shop.event(people["rainy"], "profile_updated", area="tokyo", favourite_category="skincare"),
        shop.event(people["stocked"], "review_posted", product_id="p1"),
    )
    shop.clock.settle()
    shop.post(shop.event(people["opted_out"], "coupon_used", coupon_id="c1", amount=100))
    correct(shop, people["returner"])
    week.seen["menu on Monday"] = shop.line.menu_of(week.user("spender"))
    week.seen["stocked at once"] = shop.explained(people["stocked"])["pending"]
    shop.pass_time(minutes=35)
    week.seen["stocked unheard of"] = shop.explained(people["stocked"])["pending"]
    shop.post(shop.event(people["stocked"], "tag_added", tag="restocked") | {"source": "warehouse"})
    week.seen["started"] = shop.musubi("apply", str(week.directory), "--start-journeys", "--wait")
    shop.clock.settle()


def correct(shop: Shop, customer: str) -> None:
    """Of two orders one is cancelled and one comes back in part; a third is told three days late."""
    late = shop.purchase(customer, amount=1000)
    late["occurred_at"] = format_instant(shop.clock.now - dt.timedelta(days=3))
    kept, cancelled = shop.purchase(customer, amount=5000), shop.purchase(customer, amount=2000)
    shop.post(kept, cancelled)
    shop.clock.settle()
    back = shop.event(customer, "item_returned", order_id=kept["properties"]["order_id"], amount=1500)
    gone = shop.event(customer, "order_cancelled", order_id=cancelled["properties"]["order_id"])
    shop.post(back, gone, late)
    shop.clock.settle()


def tuesday(shop: Shop, week: Week) -> None:
    """The first run finds nobody in the rain; then it rains."""
    next_local(shop, 12, weekday=1)
    shop.pass_time(minutes=30)
    week.seen["menu on Tuesday"] = shop.line.menu_of(week.user("spender"))
    week.seen["rain on Tuesday"] = shop.sends_of(week.customer("rainy"))
    shop.post(shop.event(week.customer("answers"), "tag_added", tag="answered"))
    for arguments in (["weather", "rain", "--key", "tokyo"], ["best_week_1", PRODUCT, "--key", "skincare"]):
        assert shop.musubi("context", "set", *arguments).exit_code == 0
    week.seen["rain since"] = time.monotonic()


def until_wednesday_week(shop: Shop, week: Week) -> None:
    """Friday's explanations, and the second campaign run; the joiner joins again."""
    next_local(shop, 12, weekday=4)
    week.seen["explained"] = {name: shop.explained(week.customer(name)) for name in ("joiner", "sleeper")}
    wait_until(lambda: time.monotonic() - week.seen["rain since"] > IN_FORCE_SECONDS)
    next_local(shop, 12, weekday=1)
    shop.post(shop.event(week.customer("joiner"), "campaign_joined", campaign="winter"))
    shop.pass_time(days=1)


def outcomes(records: list[SendRecord], source: str) -> list[tuple[str, str, str]]:
    """Step, status and reason of what came of one scenario or campaign, in order of time."""
    mine = [record for record in records if source in (record.scenario, record.campaign)]
    return [(one.step, one.status, one.reason) for one in sorted(mine, key=lambda one: (one.at, one.made_at))]


def test_time_alone_brings_a_customer_into_a_segment_whose_scenario_begins(shop: Shop, week: Week) -> None:
    customer = week.customer("slow")
    (begun,) = [
        card for card in shop.explained(customer)["scenarios"] if card["scenario"] == "churn_prevention"
    ]
    assert begun["journeys"][0]["because"].startswith("entered segment slowing")
    assert outcomes(shop.sends_of(customer), "churn_prevention")[0] == ("check", "sent", "")


def test_an_event_brings_a_customer_into_a_segment_whose_scenario_begins(shop: Shop, week: Week) -> None:
    assert outcomes(shop.sends_of(week.customer("spender")), "thanks") == [("thanks", "sent", "")]


def test_history_starts_nothing_and_nobody_enters_a_segment_because_it_was_defined(week: Week) -> None:
    assert week.seen["sleeper after a quiet apply"] == []


def test_apply_runs_the_backfill_to_its_end(shop: Shop, week: Week) -> None:
    applied = week.seen["applied"]
    assert applied.exit_code == 0, applied.output
    assert "The back-fill is done" in applied.stdout
    sleeper = find_customer(shop.stores, week.customer("sleeper"))
    assert sleeper is not None
    assert sleeper.segments_of == shop.stores.playbooks.in_force().version


def test_start_journeys_lets_members_of_new_segments_begin(shop: Shop, week: Week) -> None:
    started = week.seen["started"]
    assert started.exit_code == 0, started.output
    assert "start their journeys" in started.stdout
    assert outcomes(shop.sends_of(week.customer("sleeper")), "thanks") == [("thanks", "sent", "")]
    assert outcomes(shop.sends_of(week.customer("spender")), "thanks") == [("thanks", "sent", "")]


def test_a_menu_step_shows_the_menu_and_a_later_one_takes_it_away(week: Week) -> None:
    assert week.seen["menu on Monday"] == VIP_MENU
    assert week.seen["menu on Tuesday"] == ""


def test_a_split_puts_its_variant_on_record_and_keeps_to_it(shop: Shop, week: Week) -> None:
    customer = week.customer("joiner")
    variant = variant_at({"sample": 50, "free_shipping": 50}, bucket("first_perk", customer))
    perks = sorted(shop.sends_of(customer, f"perk_{variant}"), key=lambda one: one.at)
    assert [(one.variant, one.status) for one in perks] == [
        (f"first_perk:{variant}", "sent"),
        (f"first_perk:{variant}", "suppressed"),
    ]
    assert not [one for one in shop.sends_of(customer) if one.step.startswith("perk_") and one not in perks]


def test_who_is_held_out_gets_no_promotion_and_it_is_on_record(shop: Shop, week: Week) -> None:
    found = outcomes(shop.sends_of(week.customer("held_out")), "offers")
    assert {(status, reason) for _, status, reason in found} == {("suppressed", "holdout")}
    assert len(found) == 3
    assert shop.copies(week.user("held_out")) == 0


def test_the_cap_drops_what_is_far_too_early_and_holds_what_is_not(shop: Shop, week: Week) -> None:
    first, second, third, *_ = outcomes(shop.sends_of(week.customer("joiner")), "offers")
    assert first[1:] == ("sent", "")
    assert second == ("second", "suppressed", "capped:promotion_weekly")
    assert third == ("third", "sent", "")


def test_explain_tells_what_was_sent_capped_and_held_and_what_was_never_entered(week: Week) -> None:
    card = week.seen["explained"]["joiner"]
    sent, capped = card["sends"]
    assert (sent["status"], sent["because"].partition(",")[0]) == ("sent", "offers")
    assert "begun by campaign_joined" in sent["because"]
    assert (capped["step"], capped["reason"]) == ("second", "capped:promotion_weekly")
    (held,) = card["pending"]
    assert (held["step"], held["where"], held["reason"]) == ("third", "held", "capped:promotion_weekly")
    why = {one["scenario"]: one["why_not"] for one in card["scenarios"]}
    assert why["second_purchase"] == ["purchase never happened"]
    assert why["cart_left"] == ["the scenario is switched off"]
    slept = {one["scenario"]: one["why_not"] for one in week.seen["explained"]["sleeper"]["scenarios"]}
    assert slept["win_back"] == ["in segment dormant since before"]


def test_a_context_fact_counts_in_the_next_run_for_whom_and_with_what(shop: Shop, week: Week) -> None:
    assert week.seen["rain on Tuesday"] == []
    assert outcomes(shop.sends_of(week.customer("rainy")), "rainy") == [("rainy", "sent", "")]
    (delivery,) = shop.line.deliveries(week.user("rainy"))
    assert PRODUCT in json.dumps(delivery.messages, ensure_ascii=False)


def test_corrections_and_late_events_are_in_the_profile(shop: Shop, week: Week) -> None:
    customer = find_customer(shop.stores, week.customer("returner"))
    assert customer is not None
    orders = customer.profile.tallies["orders"]
    assert (orders.count, orders.sum_of("amount")) == (2, 5000 - 1500 + 1000)


def test_a_wait_until_goes_on_when_its_condition_holds_or_its_time_is_over(shop: Shop, week: Week) -> None:
    assert outcomes(shop.sends_of(week.customer("answers")), "asked") == [("in_time", "sent", "")]
    assert outcomes(shop.sends_of(week.customer("silent")), "asked") == [("too_late", "sent", "")]
    (answered,), (waited,) = (shop.sends_of(week.customer(name)) for name in ("answers", "silent"))
    assert waited.at - answered.at == dt.timedelta(days=1) - dt.timedelta(minutes=90)


def test_what_needs_a_source_never_heard_of_waits_and_then_goes_or_ends(shop: Shop, week: Week) -> None:
    for moment, step in (("stocked at once", "unheard"), ("stocked unheard of", "heard")):
        (held,) = week.seen[moment]
        assert (held["step"], held["where"], held["reason"]) == (step, "held", "stale_data")
    assert outcomes(shop.sends_of(week.customer("stocked")), "stocked") == [
        ("unheard", "suppressed", "stale_data"),
        ("heard", "sent", ""),
    ]


def test_a_category_that_was_opted_out_of_stops_while_others_go_on(shop: Shop, week: Week) -> None:
    assert outcomes(shop.sends_of(week.customer("opted_out")), "coupons") == [
        ("coupon", "suppressed", "no_consent"),
        ("picks", "sent", ""),
    ]


def test_the_audit_finds_nothing_after_a_week_and_finds_what_was_tampered_with(
    shop: Shop, week: Week
) -> None:
    whole = shop.musubi("audit", "--format", "json")
    told = json.loads(whole.stdout)
    assert (whole.exit_code, told["differences"], told["overdue"], told["found"]) == (0, 0, 0, [])
    assert told["looked"] >= len(PEOPLE)
    customer = find_customer(shop.stores, week.customer("spender"))
    assert customer is not None
    assert customer.segments
    tampered = shop.stores.customers.save(msgspec.structs.replace(customer, segments=customer.segments[1:]))
    broken = shop.musubi("audit", "--format", "json")
    shop.stores.customers.save(msgspec.structs.replace(tampered, segments=customer.segments))
    assert broken.exit_code == 1
    (found,) = json.loads(broken.stdout)["found"]
    assert (found["customer_id"], found["missing"]) == (customer.customer_id, customer.segments[:1])


def test_the_nightly_order_of_the_schedule_writes_its_report(shop: Shop, week: Week) -> None:
    scheduler, group = shop.stores.target.client("scheduler"), shop.stores.settings.schedule_group
    names = [one["Name"] for one in scheduler.list_schedules(GroupName=group)["Schedules"]]
    inputs = [scheduler.get_schedule(GroupName=group, Name=name)["Target"]["Input"] for name in names]
    (order,) = [text for text in inputs if "audit_at" in text]
    body = order.replace("<aws.scheduler.scheduled-time>", format_instant(shop.clock.now))
    queue = shop.stores.settings.queue_evaluate_url
    shop.stores.target.client("sqs").send_message(QueueUrl=queue, MessageBody=body)
    shop.clock.settle()
    part = part_of(shop.clock.now)
    report = S3Audits(shop.stores.objects).report(f"{shop.clock.now:%Y-%m-%d}", part)
    assert report is not None
    asked = json.loads(shop.musubi("audit", "--part", str(part), "--format", "json").stdout)
    assert (report.done, report.differences, report.looked) == (True, 0, asked["looked"])


def test_nothing_is_unexplained_of_anybody(shop: Shop, week: Week) -> None:
    everybody = shop.musubi("explain", "--all")
    assert everybody.exit_code == 0
    assert everybody.stderr.rstrip().endswith("unexplained: 0")
    assert len(everybody.stdout.splitlines()) >= len(PEOPLE)


def test_plan_forecasts_from_the_deployment_and_writes_its_page(
    shop: Shop, week: Week, tmp_path: Path
) -> None:
    page = tmp_path / "plan.html"
    ec = str(ROOT / "playbooks" / "ec")
    answer = shop.musubi("plan", ec, "--days", "7", "--html", str(page))
    assert answer.exit_code == 0, answer.output
    in_force = shop.stores.playbooks.in_force().version
    customers = sum(1 for _ in every_customer(shop.stores))
    assert f"compared with {in_force}" in " ".join(answer.stdout.split())
    assert f"{customers:,} customers" in " ".join(answer.stdout.split())
    assert "<svg" in page.read_text(encoding="utf-8")


def test_previous_goes_back_and_versions_tell_the_course(shop: Shop, week: Week) -> None:
    before = json.loads(shop.musubi("versions", "--format", "json").stdout)
    assert shop.musubi("apply", "--previous").exit_code == 0
    after = json.loads(shop.musubi("versions", "--format", "json").stdout)
    assert after[:-1] == before
    assert [row["version"] for row in after[-3:]] == [
        before[-2]["version"], before[-1]["version"], before[-2]["version"],
    ]  # fmt: skip
    pointer = json.loads(shop.stores.objects.read("playbooks/in-force.json") or b"{}")
    assert pointer["version"] == before[-2]["version"]
