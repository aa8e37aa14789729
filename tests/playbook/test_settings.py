"""playbook.yaml: the account's rules as they are written, compiled and doubted."""

from pathlib import Path

import pytest

from functions.domain import playbook as pb
from functions.playbook import load_playbook
from tests.playbook.test_lint import Folder

CAP = "  - {id: weekly, kinds: [promotion], limit: 1, window: 7d, hold_up_to: 4d}\n"
EXCLUSIONS = "exclusions: {inquiry: [promotion]}\n"
DAY_SECONDS = 86_400


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def compiled(folder: Folder) -> pb.Playbook:
    assert folder.faults == []
    return load_playbook(folder.path)


def test_caps_may_go_by_the_calendar_and_by_category(folder: Folder) -> None:
    more = (
        "  - {id: daily, kinds: [support, promotion], limit: 3, calendar: day}\n"
        "  - {id: coupons, kinds: [promotion], categories: [coupon], limit: 1, window: 30d}\n"
    )
    folder.change("playbook.yaml", CAP, CAP + more)
    assert compiled(folder).caps == [
        pb.Cap("weekly", ["promotion"], 1, 7 * DAY_SECONDS, 4 * DAY_SECONDS),
        pb.Cap("daily", ["support", "promotion"], 3, 0, calendar="day"),
        pb.Cap("coupons", ["promotion"], 1, 30 * DAY_SECONDS, categories=["coupon"]),
    ]


@pytest.mark.parametrize("window", ["", "window: 7d, calendar: week, "])
def test_a_cap_has_a_window_or_a_calendar(folder: Folder, window: str) -> None:
    folder.change("playbook.yaml", "window: 7d, ", window)
    assert folder.faults == [
        "playbook.yaml:4: caps.0: write window: 7d for a rolling window, or calendar: week; one of the two"
    ]


def test_an_exclusion_is_of_open_cases_or_an_expression(folder: Folder) -> None:
    rule = "  many: {when: 'segment(\"buyers\")', kinds: [promotion]}\n"
    folder.change("playbook.yaml", EXCLUSIONS, f"exclusions:\n  inquiry: [promotion]\n{rule}")
    book = compiled(folder)
    assert book.exclusions == {"inquiry": ["promotion"]}
    tree = ["cmp", ">=", ["count", "orders"], ["const", 1]]
    assert book.exclusion_rules == {"many": pb.Exclusion(tree, ["promotion"])}


@pytest.mark.parametrize(
    ("exclusion", "told"),
    [
        ("returns: [promotion]", "no event sets returns; known: complaint, inquiry, refund; or say for whom"),
        ("inquiry: {when: orders.count > 1, kinds: [promotion]}", "inquiry is what open cases set; give"),
        ("many: {when: order.count > 1, kinds: [promotion]}", "many: "),
        ("many: {when: orders.count > 1}", "exclusions.many.kinds"),
    ],
)
def test_an_exclusion_that_means_nothing_is_a_fault(folder: Folder, exclusion: str, told: str) -> None:
    folder.change("playbook.yaml", EXCLUSIONS, f"exclusions:\n  {exclusion}\n")
    (fault,) = folder.faults
    assert fault.startswith("playbook.yaml:")
    assert told in fault or "'kinds' is missing" in fault


def test_a_segment_that_only_an_exclusion_reads_is_used(folder: Folder) -> None:
    rule = "  gone: {when: 'segment(\"gone\")', kinds: [promotion]}\n"
    folder.change("segments.yaml", "  report: true\n", "")
    folder.change("playbook.yaml", EXCLUSIONS, f"exclusions:\n{rule}")
    assert (folder.faults, folder.warnings) == ([], [])


def test_holdout_sources_and_price_are_compiled(folder: Folder) -> None:
    more = (
        "holdout: {percent: 2.5, kinds: [promotion]}\n"
        "sources: {shop: {fresh_for: 26h}}\n"
        "price: {plan_yen: 15000, free_messages: 30000, yen_each: 3, messages_max: 50000, yen_max: 80000, "
        "reserve_percent: 10}\n"
    )
    folder.change("playbook.yaml", EXCLUSIONS, EXCLUSIONS + more)
    book = compiled(folder)
    assert book.holdout == pb.Holdout(2.5, ["promotion"])
    assert book.sources == {"shop": pb.Source(26 * 3_600)}
    assert book.price == pb.Price(15_000, 30_000, 3.0, 50_000, 80_000, 10)


def test_without_them_nothing_is_held_out_watched_or_limited(folder: Folder) -> None:
    book = compiled(folder)
    assert (book.holdout, book.sources, book.price, book.exclusion_rules) == (None, {}, pb.Price(), {})


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("holdout: {percent: 100, kinds: [promotion]}", "holdout.percent"),
        ("holdout: {percent: 0, kinds: [promotion]}", "holdout.percent"),
        ("sources: {line: {fresh_for: 1h}}", "line is LINE itself"),
        ("price: {plan_yen: 15000, yen_max: 10000}", "the plan alone costs 15000"),
        ("price: {plan_yen: -1}", "price.plan_yen"),
        ("price: {messages_max: 0}", "price.messages_max"),
        ("price: {reserve_percent: 41}", "price.reserve_percent"),
    ],
)
def test_numbers_that_cannot_be_meant_are_faults(folder: Folder, line: str, told: str) -> None:
    folder.change("playbook.yaml", EXCLUSIONS, f"{EXCLUSIONS}{line}\n")
    (fault,) = folder.faults
    assert told in fault


@pytest.mark.parametrize("name", ["scenarios/second.yaml", "campaigns/weekly.yaml"])
def test_a_source_that_is_needed_is_one_that_the_playbook_names(folder: Folder, name: str) -> None:
    folder.change(name, "owner: crm\n", "owner: crm\nneeds: [shop]\n")
    (fault,) = folder.faults
    assert fault.startswith(name)
    assert "there is no source 'shop'" in fault
    folder.change("playbook.yaml", EXCLUSIONS, EXCLUSIONS + "sources: {shop: {fresh_for: 26h}}\n")
    assert folder.faults == []


def test_a_campaigns_budget_is_compiled(folder: Folder) -> None:
    folder.change("playbook.yaml", EXCLUSIONS, EXCLUSIONS + "price: {yen_each: 2.5}\n")
    folder.change("campaigns/weekly.yaml", "owner: crm\n", "owner: crm\nyen_max: 9000\n")
    assert compiled(folder).campaigns["weekly"].yen_max == 9_000


@pytest.mark.parametrize(
    ("price", "told"),
    [
        ("", "what a message costs is not known; write price: {yen_each: 3} in playbook.yaml"),
        ("price: {yen_each: 2.5}\n", "2 yen do not pay for one message of 2.5 yen"),
    ],
)
def test_a_budget_is_one_that_messages_can_be_counted_against(folder: Folder, price: str, told: str) -> None:
    folder.change("playbook.yaml", EXCLUSIONS, EXCLUSIONS + price)
    folder.change("campaigns/weekly.yaml", "owner: crm\n", "owner: crm\nyen_max: 2\n")
    (fault,) = folder.faults
    assert fault.startswith("campaigns/weekly.yaml:")
    assert told in fault


# --- what is doubtful


def test_a_cap_of_a_category_that_no_message_bears_is_warned_of(folder: Folder) -> None:
    folder.change(
        "playbook.yaml",
        CAP,
        f"{CAP}  - {{id: c, kinds: [promotion], categories: [coupon], limit: 1, window: 9d}}\n",
    )
    (warning,) = folder.warnings
    assert warning.startswith("playbook.yaml:5: no message is of the category coupon")
    folder.change("messages/offer.yaml", "kind: promotion\n", "kind: promotion\ncategory: coupon\n")
    assert folder.warnings == []


def test_no_quiet_hours_are_warned_of(folder: Folder) -> None:
    folder.change("playbook.yaml", 'quiet_hours: {from: "21:00", to: "07:00", kinds: [promotion]}\n', "")
    (warning,) = folder.warnings
    assert "there are no quiet hours" in warning


@pytest.mark.parametrize(
    ("window", "warned"),
    [("7d", False), ("14d", False), ("6d", True)],
)
def test_promotions_without_a_weekly_cap_are_warned_of(folder: Folder, window: str, warned: bool) -> None:
    folder.change("playbook.yaml", "window: 7d", f"window: {window}")
    assert any("nothing caps promotions by the week" in warning for warning in folder.warnings) is warned


def test_a_cap_of_the_calendar_week_is_a_weekly_one_and_one_of_a_category_is_not(folder: Folder) -> None:
    folder.change("playbook.yaml", "window: 7d", "calendar: week")
    assert folder.warnings == []
    folder.change("playbook.yaml", "calendar: week", "calendar: week, categories: [coupon]")
    assert any("nothing caps promotions" in warning for warning in folder.warnings)


def test_without_promotions_no_weekly_cap_is_missed(folder: Folder) -> None:
    folder.change("playbook.yaml", "caps:\n" + CAP, "caps: []\n")
    folder.change("messages/offer.yaml", "kind: promotion", "kind: support")
    assert folder.warnings == []


def test_a_send_that_expires_before_a_cap_lets_it_pass_is_warned_of(folder: Folder) -> None:
    folder.change("scenarios/second.yaml", "expires_after: 5d", "expires_after: 3d")
    folder.change("campaigns/weekly.yaml", "expires_after: 5d", "expires_after: 36h")
    advice = "write a longer expires_after, or a shorter hold_up_to"
    assert folder.warnings == [
        f"campaigns/weekly.yaml:7: a cap may hold offer for 4d, and it expires after 1.5d; {advice}",
        f"scenarios/second.yaml:19: a cap may hold offer for 4d, and it expires after 3d; {advice}",
    ]


def test_a_send_with_less_patience_than_the_cap_is_not_warned_of(folder: Folder) -> None:
    folder.change("scenarios/second.yaml", "expires_after: 5d", "expires_after: 3d, hold_up_to: 3d")
    assert folder.warnings == []
    folder.change("scenarios/second.yaml", "hold_up_to: 3d", "hold_up_to: 80h")
    assert len(folder.warnings) == 1


def test_the_breaker_is_on_unless_it_is_switched_off(folder: Folder) -> None:
    assert compiled(folder).breaker == pb.Breaker(2.0, 200, DAY_SECONDS)
    folder.change(
        "playbook.yaml",
        EXCLUSIONS,
        f"{EXCLUSIONS}breaker: {{block_rate_percent: 0.5, sends_min: 1000, window: 48h}}\n",
    )
    assert compiled(folder).breaker == pb.Breaker(0.5, 1_000, 2 * DAY_SECONDS)
    folder.change("playbook.yaml", "breaker: {", "breaker: {on: false, ")
    assert compiled(folder).breaker is None


@pytest.mark.parametrize(
    ("breaker", "told"),
    [
        ("{window: 4d}", "a block so late says little of a message; write 72h or less"),
        ("{block_rate_percent: 0}", "must be more than 0"),
        ("{sends_min: 1}", "must be at least 20"),
    ],
)
def test_a_breaker_that_cannot_tell_anything_is_a_fault(folder: Folder, breaker: str, told: str) -> None:
    folder.change("playbook.yaml", EXCLUSIONS, f"{EXCLUSIONS}breaker: {breaker}\n")
    (fault,) = folder.faults
    assert told in fault


def test_linking_is_reviewed_unless_the_playbook_says_otherwise(folder: Folder) -> None:
    assert compiled(folder).linking == pb.Linking("review", "all")
    folder.change("playbook.yaml", CAP, CAP + "linking: {conflict: move, several_line_users: newest}\n")
    assert compiled(folder).linking == pb.Linking("move", "newest")


def test_a_policy_that_is_none_is_named(folder: Folder) -> None:
    folder.change("playbook.yaml", CAP, CAP + "linking: {conflict: both}\n")
    (fault,) = folder.faults
    assert "linking.conflict" in fault


def add(folder: Folder, text: str) -> None:
    folder.change("playbook.yaml", EXCLUSIONS, EXCLUSIONS + text)


def test_erasure_and_retention_are_compiled_and_unsaid_they_keep_everything(folder: Folder) -> None:
    assert (compiled(folder).follow_again, compiled(folder).retention) == ("stay_out", pb.Retention())
    add(
        folder,
        "erasure: {follow_again: new_person}\nretention: {sends: 400d, events: {line_beacon: 40d, purchase: 5y}}\n",
    )
    book = compiled(folder)
    assert book.follow_again == "new_person"
    assert book.retention == pb.Retention(
        400 * DAY_SECONDS, {"line_beacon": 40 * DAY_SECONDS, "purchase": 5 * 365 * DAY_SECONDS}
    )
    assert book.folded_away == {"purchase": 5 * 365 * DAY_SECONDS}
    assert (book.ends_after("purchase"), book.ends_after("line_beacon")) == (None, 40 * DAY_SECONDS)


@pytest.mark.parametrize(
    ("retention", "told"),
    [
        ("{sends: 34d}", "write 35d or more"),
        ("{events: {line_beacon: 5d}}", "write 35d or more"),
        ("{events: {line_message: 40d}}", "line_message says how things stand"),
        ("{events: {consent_given: 40d}}", "consent_given says how things stand"),
        ("{events: {purchase: 34d}}", "write 35d or more"),
        ("{events: {purchase: 3w}}", "write it like 400d or 5y"),
    ],
)
def test_nothing_is_let_go_that_a_profile_or_a_copy_may_need(
    folder: Folder, retention: str, told: str
) -> None:
    add(folder, f"retention: {retention}\n")
    (fault,) = folder.faults
    assert told in fault


PREFERENCES = "preferences: {words: {stop: [配信停止], resume: [配信再開]}, topics: {promotion: お得な情報}, hours: true}\n"


def test_what_people_may_choose_is_compiled(folder: Folder) -> None:
    folder.change("playbook.yaml", EXCLUSIONS, EXCLUSIONS + PREFERENCES)
    assert compiled(folder).preferences == pb.Preferences(
        ["配信停止"], ["配信再開"], "promotion", {"promotion": "お得な情報"}, hours=True
    )
    assert folder.warnings == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("{stop: [配信停止]}", "there is no way back"),
        ("{stop: [STOP], resume: [stop ]}", "stop both stops and resumes"),
    ],
)
def test_words_that_lead_nowhere_or_both_ways_are_faults(folder: Folder, words: str, said: str) -> None:
    folder.change("playbook.yaml", EXCLUSIONS, f"{EXCLUSIONS}preferences: {{words: {words}}}\n")
    (fault,) = folder.faults
    assert said in fault


def test_a_topic_that_no_message_bears_is_warned_of(folder: Folder) -> None:
    folder.change("playbook.yaml", EXCLUSIONS, EXCLUSIONS + PREFERENCES.replace("promotion:", "coupon:"))
    (warning,) = folder.warnings
    assert "no message is of the category coupon" in warning


def test_a_window_that_looks_further_back_than_its_event_is_kept_is_a_fault(folder: Folder) -> None:
    folder.change("events.yaml", "  as: orders\n", "  as: orders\n  keep: 90d\n")
    add(folder, "retention: {events: {purchase: 60d}}\n")
    line = 1 + (folder.path / "events.yaml").read_text(encoding="utf-8").split("keep: 90d")[0].count("\n")
    (fault,) = folder.faults
    assert fault.startswith(f"events.yaml:{line}: ")
    assert "windows look 90d back at purchase, which playbook.yaml keeps for 60d" in fault


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ("{returned: 60d}", "returned corrects purchase, which is kept for good"),
        ("{returned: 60d, purchase: 61d}", "returned corrects purchase, which is kept for 61d"),
        ("{returned: 61d, purchase: 61d}", ""),
        ("{purchase: 61d}", ""),
    ],
)
def test_a_correction_is_kept_as_long_as_what_it_corrects(folder: Folder, kept: str, told: str) -> None:
    more = "\nreturned:\n  meaning: it came back\n  amends: {event: purchase, by: order_id}\n  properties: {order_id: {type: string, required: true}}\n"
    events = (folder.path / "events.yaml").read_text(encoding="utf-8")
    folder.write("events.yaml", events + more)
    add(folder, f"retention: {{events: {kept}}}\n")
    found = [fault for fault in folder.faults if fault.startswith("playbook.yaml:")]
    assert [told in fault for fault in found] == ([True] if told else [])
