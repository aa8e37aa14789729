"""The four ready playbooks: sound, complete, on the trade's schedules, and each scenario fit for whom it is meant."""

import datetime as dt
import re
from collections.abc import Iterator
from functools import cache
from itertools import count, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from functions.domain import playbook as pb
from functions.domain.compiled import Compiled
from functions.domain.events import Event
from functions.domain.message_limits import content_faults
from functions.domain.profiles import Profile, fold_all
from functions.playbook import CheckResult, check_playbook
from functions.rendering import JinjaRenderer

READY = Path(__file__).parents[2] / "playbooks"
BOOKS = ("ec", "b2b", "store", "property")
THE_FIVE = {"onboarding", "repurchase", "churn_prevention", "win_back", "upsell"}
PRIORITIES = ["onboarding", "repurchase", "churn_prevention", "win_back", "upsell", "campaign"]
NOW = dt.datetime(2026, 11, 20, 3, tzinfo=dt.UTC)  # noon in Tokyo
DAY, HOUR = 86_400, 3_600
KANA = re.compile(r"[ぁ-ヶ]")
_numbers = count(1)

every_book = pytest.mark.parametrize("name", BOOKS)


@cache
def checked(name: str) -> CheckResult:
    return check_playbook(READY / name)


def book(name: str) -> pb.Playbook:
    playbook = checked(name).playbook
    assert playbook is not None, checked(name).faults
    return playbook


def sends(scenario: pb.Scenario) -> list[pb.Send]:
    return [step for step in scenario.steps if isinstance(step, pb.Send)]


def kinds_sent(playbook: pb.Playbook, scenario: pb.Scenario) -> list[str]:
    return [playbook.messages[send.message].kind for send in sends(scenario)]


def shown_texts(part: Any, key: str = "") -> Iterator[str]:
    """What people read of a message."""
    if isinstance(part, str) and key in ("text", "altText", "label"):
        yield part
    for inner, item in (
        part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    ):
        yield from shown_texts(item, str(inner))


# --- sound and complete


@every_book
def test_a_ready_playbook_has_neither_faults_nor_warnings(name: str) -> None:
    assert [*checked(name).faults, *checked(name).warnings] == []


@every_book
def test_the_five_scenarios_are_there_in_the_default_order(name: str) -> None:
    ranks = {scenario.rank for scenario in book(name).scenarios.values()}
    assert {PRIORITIES[rank] for rank in ranks} >= THE_FIVE
    assert all(PRIORITIES[campaign.rank] in PRIORITIES for campaign in book(name).campaigns.values())


def test_the_shop_runs_exactly_the_five() -> None:
    running = {name for name, scenario in book("ec").scenarios.items() if scenario.on}
    assert running == {"onboarding", "second_purchase", "upsell", "win_back", "churn_prevention"}


@pytest.mark.parametrize("name", ["b2b", "store", "property"])
def test_the_others_start_with_two(name: str) -> None:
    assert sum(scenario.on for scenario in book(name).scenarios.values()) == 2
    assert not any(campaign.on for campaign in book(name).campaigns.values())


@every_book
def test_the_house_rules_are_the_trades(name: str) -> None:
    playbook = book(name)
    assert playbook.caps[0] == pb.Cap("promotion_weekly", ["promotion"], 1, 7 * DAY, 4 * DAY)
    assert all(cap.kinds == ["promotion"] for cap in playbook.caps), "notifications are under no cap"
    quiet = playbook.quiet_hours
    assert quiet is not None
    assert (quiet.start, quiet.end) == (dt.time(21), dt.time(7))
    assert set(quiet.kinds) == {"support", "notification", "promotion"}
    assert {flag: ["promotion"] for flag in ("inquiry", "complaint", "refund")} == playbook.exclusions
    assert all(rule.kinds == ["promotion"] for rule in playbook.exclusion_rules.values())
    assert playbook.exclusion_rules
    assert playbook.holdout == pb.Holdout(5, ["promotion"])
    assert playbook.price == pb.Price(15_000, 30_000, 3)


@every_book
def test_every_scenario_says_what_it_wants_from_where_to_where_and_who_answers(name: str) -> None:
    for scenario in book(name).scenarios.values():
        assert KANA.search(scenario.desired_action)
        assert re.search(r"\d+% → \d+%", scenario.target), scenario.target
        assert scenario.owner


@every_book
def test_every_file_names_its_schema(name: str) -> None:
    folders = {
        "scenarios": "scenario",
        "campaigns": "campaign",
        "messages": "message",
        "surveys": "survey",
    }
    for path in (READY / name).rglob("*.yaml"):
        folder = path.parent.name
        schema = f"../../schema/{folders[folder]}" if folder in folders else f"../schema/{path.stem}"
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first == f"# yaml-language-server: $schema={schema}.schema.json", path


# --- help before selling


@every_book
def test_every_scenario_helps_before_it_offers_a_discount(name: str) -> None:
    playbook = book(name)
    for scenario in playbook.scenarios.values():
        kinds = kinds_sent(playbook, scenario)
        assert "support" in kinds
        offers = [
            n for n, send in enumerate(sends(scenario)) if playbook.messages[send.message].discount_reason
        ]
        assert not offers or kinds.index("support") < offers[0], scenario.desired_action


@every_book
def test_win_back_asks_why_and_offers_a_discount_to_price_alone(name: str) -> None:
    playbook = book(name)
    scenario = playbook.scenarios["win_back"]
    wait = next(step for step in scenario.steps if isinstance(step, pb.WaitForEvent))
    assert (wait.event, wait.timeout_seconds) == ("survey_answered", 3 * DAY)
    branch = next(step for step in scenario.steps if isinstance(step, pb.Branch))
    (for_price, price_starts), (_, busy_starts) = branch.cases
    assert "'price'" in str(for_price)
    for number, step in enumerate(scenario.steps):
        if isinstance(step, pb.Send) and playbook.messages[step.message].discount_reason:
            assert price_starts <= number < busy_starts, step.name
    ways = sorted([price_starts, busy_starts, branch.otherwise, len(scenario.steps)])
    for start, end in pairwise(ways):
        sent = [step for step in scenario.steps[start:end] if isinstance(step, pb.Send)]
        assert [playbook.messages[step.message].kind for step in sent] == ["support", "promotion"]


@every_book
def test_no_friend_gets_a_discount_in_the_first_days_of_onboarding(name: str) -> None:
    """The first ten days help; what comes later declares why."""
    playbook = book(name)
    scenario, day = playbook.scenarios["onboarding"], 0
    for step in scenario.steps:
        day = step.day if isinstance(step, pb.WaitUntilLocal) and step.day is not None else day
        if isinstance(step, pb.Send) and day <= 10:
            assert not playbook.messages[step.message].discount_reason, step.name


@every_book
def test_a_promotion_outlives_the_hold_of_the_weekly_cap(name: str) -> None:
    playbook = book(name)
    for scenario in playbook.scenarios.values():
        for send in sends(scenario):
            if playbook.messages[send.message].kind == "promotion":
                hold = 4 * DAY if send.hold_seconds_max is None else send.hold_seconds_max
                assert send.expires_seconds > hold, send.name


# --- messages


@every_book
def test_every_message_keeps_lines_limits_for_somebody_of_whom_nothing_is_known(name: str) -> None:
    for key, message in book(name).messages.items():
        rendered = JinjaRenderer().render(message.content, message.fallbacks)
        assert content_faults(rendered) == [], key
        assert "{{" not in str(rendered), key


@every_book
def test_every_message_is_japanese_and_names_the_obstacle_it_removes(name: str) -> None:
    for key, message in book(name).messages.items():
        texts = list(shown_texts(message.content))
        assert texts, key
        assert any(KANA.search(text) for text in texts), key
        assert message.removes, key


@every_book
def test_messages_come_in_several_forms(name: str) -> None:
    contents = [part for message in book(name).messages.values() for part in message.content]
    assert {part["type"] for part in contents} >= {"text", "flex"}
    assert any("quickReply" in part for part in contents)


@every_book
def test_copy_makes_no_claim_that_the_law_asks_proof_of(name: str) -> None:
    """Words of 薬機法 and 景表法: cures, certainties, superlatives, free-for-ever."""
    risky = re.compile(
        r"治る|治療|効く|即効|若返|アンチエイジング|必ず痩|絶対|業界(初|No)|No\.?1|日本一|世界一|最安|完全無料|永久"
    )
    for key, message in book(name).messages.items():
        for text in shown_texts(message.content):
            assert not risky.search(text), (key, text)


# --- schedules: (day, time) of every wait for a day; None stands for an instant or a while

Point = tuple[int | None, str]


def schedule(scenario: pb.Scenario) -> list[Point]:
    found: list[Point] = []
    for step in scenario.steps:
        if isinstance(step, pb.WaitUntilLocal):
            found.append((step.day, step.at.strftime("%H:%M")))
        elif isinstance(step, pb.WaitFor):
            found.append((None, f"{step.seconds // HOUR}h"))
    return found


SCHEDULES: dict[tuple[str, str], list[Point]] = {
    ("ec", "onboarding"): [(1, "12:00"), (3, "19:00")],
    ("ec", "second_purchase"): [(1, "10:00"), (7, "19:00"), (14, "19:00"), (30, "19:00")],
    ("ec", "upsell"): [(1, "10:00"), (4, "12:00"), (10, "19:00")],
    ("ec", "cart_left"): [(None, "3h"), (None, "21h")],
    ("ec", "after_care"): [(30, "12:00"), (90, "19:00")],
    ("ec", "replenishment"): [(None, "12:00"), (5, "19:00")],
    ("ec", "birthday"): [(None, "12:00"), (7, "10:00")],
    ("store", "repurchase"): [(None, "1h"), (7, "12:00"), (14, "12:00")],
    ("store", "maintenance"): [(None, "12:00"), (2, "19:00")],
}


@pytest.mark.parametrize(("name", "scenario"), SCHEDULES)
def test_the_schedule_is_the_trades(name: str, scenario: str) -> None:
    assert schedule(book(name).scenarios[scenario]) == SCHEDULES[name, scenario]


@pytest.mark.parametrize(
    ("name", "scenario"),
    [
        *((name, "onboarding") for name in BOOKS),
        ("ec", "after_care"),
        ("b2b", "download"),
        ("property", "repurchase"),
    ],
)
def test_what_the_trade_sends_at_once_waits_for_nothing(name: str, scenario: str) -> None:
    playbook = book(name)
    first = playbook.scenarios[scenario].steps[0]
    assert isinstance(first, pb.Send)
    assert playbook.messages[first.message].kind == "support"


def test_a_download_is_followed_by_an_article_the_next_day_and_by_the_consultation_last() -> None:
    download = book("b2b").scenarios["download"]
    assert schedule(download)[0] == (1, "10:00")
    assert [send.message for send in sends(download)][:2] == ["download_summary", "download_article"]
    assert [send.message for send in sends(download)][-2:] == ["download_checklist", "consultation"]


def test_a_hot_lead_is_offered_the_consultation_earlier() -> None:
    steps = book("b2b").scenarios["download"].steps
    wait = next(step for step in steps if isinstance(step, pb.WaitForEvent))
    hot = next(
        n for n, step in enumerate(steps) if isinstance(step, pb.Send) and step.name == "hot_consultation"
    )
    case = next(
        n for n, step in enumerate(steps) if isinstance(step, pb.Send) and step.message == "download_case"
    )
    assert (wait.event, hot < case) == ("price_page_viewed", True)


# --- segments

EVERYWHERE = {"vip", "linked_friends", "unlinked_friends"}
SEGMENTS = {
    "ec": {
        *(
            "buyers",
            "never_bought",
            "first_purchase",
            "f2_candidates",
            "repeat",
            "active",
            "slowing",
            "dormant",
        ),
        *("rfm_best", "rfm_growing", "rfm_at_risk", "skincare_buyers", "toner_replenishment"),
        *("rfm_champions", "fading", "due_soon", "morning_people"),
        *("women_30s_toner_3_months", "cart_abandoners", "viewed_not_bought", "coupon_unused"),
        *(
            "campaign_participants",
            "returners",
            "birthday_month",
            "birthday_soon",
            "third_delivery_near",
            "rainy_area",
        ),
    },
    "b2b": {
        *("leads", "never_downloaded", "customers", "first_month", "renewed", "silent_leads", "churned"),
        *("hot_lead", "warm_lead", "engaged_30_days", "price_viewed_not_booked", "seminar_participants"),
        *("usage_declining", "renewal_near", "seats_nearly_full", "contract_anniversary", "cancels_often"),
    },
    "store": {
        *("never_visited", "visitors", "first_visit", "f2_candidates", "repeat", "slowing", "dormant"),
        *(
            "rfm_best",
            "rfm_at_risk",
            "maintenance_due",
            "color_maintenance",
            "women_40s_color_2_months",
            "viewed_not_booked",
        ),
        *("cancels_often", "coupon_unused", "campaign_participants", "visits_5", "birthday_month"),
        *("near_and_rain", "near_and_quiet"),
    },
    "property": {
        *("leads", "never_inquired", "first_inquiry", "toured_not_signed", "owners", "repeat_owners"),
        *("cooling_leads", "silent_leads", "hot_lead", "warm_lead", "engaged_60_days", "viewed_not_booked"),
        *("coupon_unused", "inspection_near", "handover_anniversary", "birthday_month", "repeated_repairs"),
        *("family_30s", "event_participants", "storm_area_owners"),
    },
}


@every_book
def test_the_ready_segments_are_there_and_say_in_japanese_who_is_in_them(name: str) -> None:
    segments = book(name).segments
    assert SEGMENTS[name] | EVERYWHERE <= segments.keys()
    assert [key for key, segment in segments.items() if not re.search(r"[ぁ-ヶ一-龠]", segment.meaning)] == []


# --- each scenario begins for whom it is meant, and does not end at once


class Past(NamedTuple):
    """An event so many days ago."""

    name: str
    days: float = 0
    properties: dict[str, Any] = {}  # noqa: RUF012 — read only


def ago(name: str, days: float = 0, **properties: Any) -> Past:
    return Past(name, days, properties)


def local_date(days: int) -> str:
    """The date so many days ahead, in Tokyo."""
    return (NOW + dt.timedelta(hours=9, days=days)).date().isoformat()


def profile_of(name: str, past: list[Past]) -> Profile:
    compiled = Compiled(book(name))
    events = [
        Event(f"event-{next(_numbers)}", "someone", one.name, NOW - dt.timedelta(days=one.days), properties=one.properties)
        for one in past
    ]  # fmt: skip
    return fold_all(events, compiled.dictionary)


def order(days: float, order_id: str = "", **properties: Any) -> Past:
    return ago("purchase", days, order_id=order_id or f"order-{days}", amount=4_800, **properties)


def visited(days: float, menu: str = "cut") -> Past:
    return ago("visit", days, visit_id=f"visit-{days}", amount=6_000, menu=menu)


SIGNED = ago("contract_signed", 310, contract_id="c", amount=300_000, plan="basic", renewal_on=local_date(55))
OWNER = ago("handed_over", 400, contract_id="c", handover_on=local_date(-400), inspection_on=local_date(30))

MEANT_FOR: dict[tuple[str, str], list[Past]] = {
    ("ec", "onboarding"): [ago("line_follow")],
    ("ec", "welcome_survey"): [ago("line_follow")],
    ("ec", "second_purchase"): [order(0)],
    ("ec", "upsell"): [order(40), order(0)],
    ("ec", "churn_prevention"): [order(200), order(46)],
    ("ec", "win_back"): [order(181)],
    ("ec", "cart_left"): [order(60), ago("cart_left", cart_id="k", cart_item="化粧水")],
    ("ec", "viewed_not_bought"): [order(60), ago("product_view", 1.1, product_id="p")],
    ("ec", "recommendation"): [ago("category_view", d, category="skincare") for d in (3, 2, 0.1)],
    ("ec", "replenishment"): [order(25.5, item="toner")],
    ("ec", "due_again"): [order(30), ago("profile_updated", 0.1, due_item="toner", due_on=local_date(4))],
    ("ec", "after_care"): [order(0, item="device")],
    ("ec", "subscription_third"): [
        ago("subscription_renewed", 60, subscription_id="s"),
        ago("subscription_renewed", 20, subscription_id="s", next_delivery_on=local_date(10)),
    ],
    ("ec", "favourite_news"): [ago("favourite_changed", product_id="p", favourite_change="restock")],
    ("ec", "birthday"): [ago("profile_updated", 9, birthday=f"1990{local_date(7)[4:]}")],
    ("ec", "vip_reached"): [order(d) for d in (90, 60, 40, 20, 1)],
    ("ec", "returners_support"): [
        *(order(d, f"o{d}") for d in (50, 30)),
        *(ago("item_returned", d - 5, order_id=f"o{d}", amount=4_800) for d in (50, 30)),
    ],
    ("ec", "review_request"): [order(3), ago("order_delivered", order_id="order-3")],
    ("b2b", "onboarding"): [ago("line_follow")],
    ("b2b", "download"): [ago("material_downloaded", material_id="m", topic="closing")],
    ("b2b", "repurchase"): [SIGNED],
    ("b2b", "churn_prevention"): [SIGNED, ago("usage_reported", 1, usage_trend="down", seat_usage=40)],
    ("b2b", "upsell"): [SIGNED, ago("usage_reported", 1, usage_trend="up", seat_usage=94)],
    ("b2b", "win_back"): [ago("material_downloaded", 61, material_id="m"), ago("article_read", 70, article_id="a")],
    ("b2b", "activation"): [ago("contract_signed", contract_id="c", amount=1, plan="basic")],
    ("b2b", "seminar_reminder"): [ago("seminar_applied", 9, seminar_id="s", seminar_on=local_date(1))],
    ("store", "onboarding"): [ago("line_follow")],
    ("store", "repurchase"): [visited(45), ago("booking_made", 3, booking_id="b", visit_on=local_date(0)), visited(0)],
    ("store", "maintenance"): [visited(58.5)],
    ("store", "churn_prevention"): [visited(140), visited(76)],
    ("store", "win_back"): [visited(151)],
    ("store", "upsell"): [visited(0, "color")],
    ("store", "cancel_care"): [
        ago("booking_made", 3, booking_id="b", visit_on=local_date(4)),
        ago("booking_cancelled", booking_id="b"),
    ],
    ("store", "no_show_care"): [
        ago("booking_made", 3, booking_id="b", visit_on=local_date(0)),
        ago("no_show", booking_id="b"),
    ],
    ("store", "booking_reminder"): [ago("booking_made", 3, booking_id="b", visit_on=local_date(2))],
    ("store", "birthday_month"): [ago("profile_updated", 9, birthday=f"1990-{local_date(0)[5:7]}-28")],
    ("store", "visit_count"): [visited(d) for d in (200, 150, 100, 50, 0)],
    ("property", "onboarding"): [ago("line_follow")],
    ("property", "tour_thanks"): [ago("tour_booked", 5, booking_id="b"), ago("tour_attended", booking_id="b")],
    ("property", "repurchase"): [ago("contract_signed", 200, contract_id="c", amount=4e7, kind="custom"), ago("handed_over", contract_id="c")],
    ("property", "inspection"): [OWNER],
    ("property", "churn_prevention"): [ago("tour_attended", 22, booking_id="b"), ago("property_viewed", 23, property_id="p")],
    ("property", "win_back"): [ago("document_requested", 91, request_id="r", topic="custom")],
    ("property", "upsell"): [ago("contract_signed", 600, contract_id="c", amount=4e7, kind="custom"), OWNER],
}  # fmt: skip


@every_book
def test_of_every_scenario_it_is_said_whom_it_is_meant_for(name: str) -> None:
    assert {scenario for where, scenario in MEANT_FOR if where == name} == book(name).scenarios.keys()


def begins(name: str, scenario: str, profile: Profile) -> bool:
    compiled = Compiled(book(name))
    entry = compiled.playbook.scenarios[scenario].entry
    inside = compiled.playbook.segments[entry.segment].when if entry.segment else None
    return compiled.holds(inside, profile, NOW) and compiled.holds(entry.when, profile, NOW)


@pytest.mark.parametrize(("name", "scenario"), MEANT_FOR)
def test_a_scenario_begins_for_whom_it_is_meant_and_does_not_end_at_once(name: str, scenario: str) -> None:
    profile, form = profile_of(name, MEANT_FOR[name, scenario]), book(name).scenarios[scenario]
    assert begins(name, scenario, profile)
    compiled = Compiled(book(name))
    for end in (form.exit, form.goal):
        assert end is None or not compiled.holds(end, profile, NOW)


ENDED_BY: dict[tuple[str, str], Past] = {
    ("ec", "onboarding"): order(0),
    ("ec", "second_purchase"): order(0),
    ("ec", "upsell"): order(0, "another"),
    ("ec", "churn_prevention"): order(0),
    ("ec", "win_back"): order(0),
    ("ec", "cart_left"): order(-0.1),
    ("ec", "viewed_not_bought"): order(0),
    ("ec", "recommendation"): order(0),
    ("ec", "replenishment"): order(0, item="toner"),
    ("ec", "due_again"): order(0),
    ("ec", "subscription_third"): ago("subscription_cancelled", subscription_id="s"),
    ("b2b", "onboarding"): ago("consultation_booked", booking_id="b"),
    ("b2b", "repurchase"): ago("contract_renewed", contract_id="c", renewal_on=local_date(365)),
    ("b2b", "churn_prevention"): ago("contract_ended", contract_id="c"),
    ("b2b", "upsell"): ago("seats_added", contract_id="c", amount=50_000),
    ("b2b", "win_back"): ago("article_read", article_id="b"),
    ("b2b", "seminar_reminder"): ago("seminar_cancelled", seminar_id="s"),
    ("store", "repurchase"): ago("booking_made", -0.1, booking_id="b2"),
    ("store", "maintenance"): ago("booking_made", booking_id="b2"),
    ("store", "churn_prevention"): ago("booking_made", booking_id="b2"),
    ("store", "win_back"): visited(0),
    ("store", "cancel_care"): ago("booking_made", -0.1, booking_id="b2"),
    ("store", "booking_reminder"): ago("booking_cancelled", booking_id="b"),
    ("property", "tour_thanks"): ago("consultation_booked", -0.1, booking_id="b2"),
    ("property", "inspection"): ago("inspection_booked", booking_id="b2"),
    ("property", "win_back"): ago("survey_answered", survey="silent", reason="done"),
    ("property", "upsell"): ago("contract_signed", contract_id="c2", amount=900_000, kind="reform"),
}


@pytest.mark.parametrize(("name", "scenario"), ENDED_BY)
def test_what_was_wanted_or_is_over_ends_the_scenario(name: str, scenario: str) -> None:
    profile = profile_of(name, [*MEANT_FOR[name, scenario], ENDED_BY[name, scenario]])
    assert Compiled(book(name)).holds(book(name).scenarios[scenario].exit, profile, NOW)


def test_the_returners_get_help_and_no_promotions() -> None:
    compiled = Compiled(book("ec"))
    profile = profile_of("ec", MEANT_FOR["ec", "returners_support"])
    assert compiled.holds(compiled.playbook.exclusion_rules["high_returns"].when, profile, NOW)
    assert set(kinds_sent(compiled.playbook, compiled.playbook.scenarios["returners_support"])) == {"support"}
