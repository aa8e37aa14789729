"""The lint: every rule on a playbook that breaks it, and nothing else."""

from pathlib import Path

import pytest

from functions.playbook import PlaybookFault, PlaybookFaults, check_playbook, load_playbook

SOUND = {
    "playbook.yaml": """\
account: main
zone: Asia/Tokyo
caps:
  - {id: weekly, kinds: [promotion], limit: 1, window: 7d, hold_up_to: 4d}
quiet_hours: {from: "21:00", to: "07:00", kinds: [promotion]}
consent: {promotion: [marketing], notification: [], support: []}
exclusions: {inquiry: [promotion]}
priorities: [onboarding, repurchase, win_back, churn_prevention, campaign]
""",
    "events.yaml": """\
purchase:
  meaning: an order was paid
  as: orders
  properties:
    order_id: {type: string, required: true}
    amount: {type: number, sum: true}
    category: {type: string, index: true}
""",
    "segments.yaml": """\
buyers: orders.count >= 1
gone:
  when: segment("buyers") and days_since(orders.last_at) > 180
  meaning: nobody writes to them yet
  report: true
""",
    "scenarios/second.yaml": """\
name: second
desired_action: buy again
target: "30% → 35%"
owner: crm
on: true
priority: repurchase
entry: {event: purchase, when: "orders.count == 1", fresh_for: 2d}
reentry: never
exit: orders.count >= 2
steps:
  - wait: {day: 1, at: "10:00"}
  - send: {name: care, message: care}
  - branch:
      - when: orders.amount > 5000
        steps:
          - send: {name: care_more, message: care}
      - otherwise: []
  - wait: {event: line_message, timeout: 24h, then: [end]}
  - send: {name: offer, message: offer, expires_after: 5d}
""",
    "campaigns/weekly.yaml": """\
name: weekly
segment: buyers
message: offer
owner: crm
on: true
schedule: {every: friday, at: "12:00"}
expires_after: 5d
""",
    "messages/care.yaml": """\
kind: support
fallbacks: {family_name: お客}
content:
  - type: text
    text: "{{ family_name }}様、ありがとうございます。"
""",
    "messages/offer.yaml": """\
kind: promotion
content:
  - type: text
    text: 新しい使い方です。https://example.com/new
""",
}


class Folder:
    """A sound playbook on disk, to be spoilt in one place."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name, text in SOUND.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        (self.path / name).parent.mkdir(exist_ok=True)
        (self.path / name).write_text(text, encoding="utf-8")

    def change(self, name: str, old: str, new: str) -> None:
        text = (self.path / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def shown(self, found: list[PlaybookFault]) -> list[str]:
        return [str(fault).removeprefix(f"{self.path}/") for fault in found]

    @property
    def faults(self) -> list[str]:
        return self.shown(check_playbook(self.path).faults)

    @property
    def warnings(self) -> list[str]:
        return self.shown(check_playbook(self.path).warnings)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_sound_playbook_has_neither_faults_nor_warnings(folder: Folder) -> None:
    result = check_playbook(folder.path)
    assert (result.faults, result.warnings) == ([], [])
    assert result.playbook == load_playbook(folder.path)


SECOND, WEEKLY, CARE, OFFER = (
    "scenarios/second.yaml",
    "campaigns/weekly.yaml",
    "messages/care.yaml",
    "messages/offer.yaml",
)
SETTINGS, EVENTS, SEGMENTS = "playbook.yaml", "events.yaml", "segments.yaml"

FAULTS = [
    # form
    (SETTINGS, "zone: Asia/Tokyo", "zone: Asia/Edo", 2, "Asia/Tokyo"),
    (SETTINGS, "window: 7d", "window: 1 week", 4, "write it like 90s, 30m, 3h or 7d"),
    (SETTINGS, "window: 7d", "window: 0d", 4, "more than 0s"),
    (SETTINGS, 'from: "21:00"', 'from: "24:00"', 5, "time of day"),
    (SETTINGS, 'to: "07:00"', 'to: "21:00"', 5, "quiet hours"),
    (SETTINGS, ", support: []", "", 6, "'support' is missing"),
    (SETTINGS, "inquiry:", "bad_mood:", 7, "known: complaint, inquiry, refund"),
    (SETTINGS, "[onboarding,", "[onboarding, onboarding,", 8, "twice"),
    (SETTINGS, "kinds: [promotion], limit", "kinds: [promo], limit", 4, "must be one of"),
    (SETTINGS, "limit: 1", "limit: many", 4, "whole number"),
    (SECOND, "priority: repurchase", "prioritee: repurchase", 6, "did you mean 'priority'?"),
    (SECOND, "owner: crm\n", "", 1, "'owner' is missing"),
    (SECOND, "on: true", "on: perhaps", 5, "true or false"),
    (SECOND, "reentry: never", "reentry: sometimes", 8, "never, or after 90d"),
    (SECOND, 'at: "10:00"', 'at: "25:00"', 11, "time of day"),
    (SECOND, '{day: 1, at: "10:00"}', "{day: 1}", 11, "write {for: 3h}"),
    (SECOND, "- send: {name: care, message: care}", "- sends: {message: care}", 12, "did you mean 'send'?"),
    (SECOND, "- send: {name: care, message: care}", "- stop", 12, "is no step"),
    (SECOND, "- send: {name: care, message: care}", "- tag: {add: a, remove: b}", 12, "write {add: a_tag}"),
    (SECOND, "- otherwise: []", "- {otherwise: [], when: orders.count > 1}", 17, "as the last case"),
    (SECOND, "- send: {name: care, message: care}", "- {send: {message: care}, tag: {add: a}}", 12, "begin each with its own dash"),
    (SECOND, "- otherwise: []", "- otherwise: []\n      - {when: orders.count > 1, steps: []}", 13, "last case"),
    (SECOND, "expires_after: 5d", "expires_after: 9d", 19, "at most 8d"),
    (WEEKLY, 'at: "12:00"', 'once: "2026-11-27 12:00"', 6, "every: friday"),
    (WEEKLY, 'every: friday, at: "12:00"', "once: tomorrow", 6, "2026-11-27 12:00"),
    (CARE, "family_name: お客", "family_name: {a: b}", 2, "fallback"),
    (EVENTS, "{type: number, sum: true}", "{type: string, sum: true}", 6, "only a number"),
    (EVENTS, "{type: string, index: true}", "{type: number, index: true}", 7, "only a string"),
    (EVENTS, "category:", "count:", 4, "meaning of its own"),
    (EVENTS, "as: orders", "as: tags", 3, "meaning of its own"),
    # YAML
    (SECOND, "owner: crm\n", "owner: crm\nowner: cs\n", 5, "written twice, first on line 4"),
    (SEGMENTS, "buyers: orders.count >= 1", "buyers: [", 3, "no YAML"),
    (SEGMENTS, "buyers: orders.count >= 1", "buyers: *other", 1, "references"),
    (SEGMENTS, "buyers: orders.count >= 1", "buyers: !!python/none x", 1, "tag"),
    # references
    (SECOND, "message: offer,", "message: ofer,", 19, "did you mean 'offer'?"),
    (SECOND, "event: purchase,", "event: purchased,", 7, "did you mean 'purchase'?"),
    (SECOND, "then: [end]", "then: [{send: {name: more, message: ofer}}]", 18, "did you mean 'offer'?"),
    (SECOND, "then: [end]", "on_timeout: [{send: {name: more, message: ofer}}]", 18, "did you mean 'offer'?"),
    (SECOND, "event: line_message,", "event: line_massage,", 18, "did you mean 'line_message'?"),
    (SECOND, "priority: repurchase", "priority: retention", 6, "no priority of playbook.yaml"),
    (SECOND, "name: offer,", "name: care,", 19, "there already, on line 12"),
    (SECOND, "name: second", "name: third", 1, "second.yaml"),
    (WEEKLY, "segment: buyers", "segment: buyer", 2, "did you mean 'buyers'?"),
    (WEEKLY, "message: offer", "message: over", 3, "did you mean 'offer'?"),
    (WEEKLY, "owner: crm", "owner: crm\npriority: low", 5, "no priority"),
    (EVENTS, "purchase:", "line_bought:", 1, "every playbook has"),
    (EVENTS, "purchase:", "consent_given:", 1, "every playbook has"),
    (EVENTS, "as: orders", "as: tag_added", 3, "both read as tag_added"),
    (EVENTS, "{type: string, required: true}", "{type: string, attribute: true}\n    orders: {type: string, attribute: true}", 6, "also the name of an event"),
    # expressions
    (SEGMENTS, "orders.count >= 1", "order.count >= 1", 1, "buyers: no event is read as 'order'; did you mean orders?"),
    (SEGMENTS, 'segment("buyers")', 'segment("gone")', 3, "circle: gone → gone"),
    (SEGMENTS, 'segment("buyers")', 'segment("byers")', 3, "did you mean buyers?"),
    (SECOND, "when: orders.amount > 5000", "when: orders.amount > '5000'", 14, "never true"),
    (SECOND, 'when: "orders.count == 1"', 'when: "orders.count = 1"', 7, "write =="),
    (SEGMENTS, "orders.count >= 1", "orders.count >= １", 1, "in half width"),
    (SEGMENTS, "orders.count >= 1", "“vip” in tags", 1, "in half width"),
    (SECOND, "exit: orders.count >= 2", "exit: orders.count", 9, "compare it"),
    # messages
    (CARE, "{{ family_name }}", "{{ family_name", 5, "template cannot be read"),
    (CARE, "{{ family_name }}", "{{ family_name }", 5, "write {{ name }}"),
    (CARE, "{{ family_name }}", "{{ given_name }}", 5, "fallbacks: {given_name: …}"),
    (CARE, "{{ family_name }}", "{{ family_name|shout }}", 5, "no filter 'shout'"),
    (CARE, "{{ family_name }}", "{{ family_name * 9 }}", 5, "operator *"),
    (CARE, "{{ family_name }}", "{{ family_name / 0 }}", 3, "with its fallbacks"),
    (CARE, "type: text", "type: texts", 4, "no message type"),
    (CARE, "お客", "x" * 5000, 5, "LINE takes 5000"),
    (OFFER, "https://example.com/new", "割引です" * 2000, 4, "LINE takes 5000"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "line", "part"), FAULTS)
def test_a_fault_is_told_with_its_file_its_line_and_how_to_mend_it(
    folder: Folder, file: str, old: str, new: str, line: int, part: str
) -> None:
    folder.change(file, old, new)
    here = [fault for fault in folder.faults if fault.startswith(f"{file}:{line}: ") and part in fault]
    assert here, folder.faults
    assert check_playbook(folder.path).playbook is None


ONCE = [row for row in FAULTS if row[0] in (SEGMENTS, CARE, OFFER, WEEKLY) and row[3] != 2]


@pytest.mark.parametrize(("file", "old", "new", "line", "part"), ONCE)
def test_one_mistake_is_told_once_and_drags_no_others_along(
    folder: Folder, file: str, old: str, new: str, line: int, part: str
) -> None:
    folder.change(file, old, new)
    assert len(folder.faults) == 1, folder.faults


def test_all_faults_come_at_once_in_the_order_of_the_files(folder: Folder) -> None:
    folder.change(SETTINGS, "limit: 1", "limit: many")
    folder.change(SEGMENTS, "orders.count >= 1", "order.count >= 1")
    folder.change(SECOND, "message: offer,", "message: ofer,")
    folder.change(CARE, "type: text", "type: texts")
    with pytest.raises(PlaybookFaults) as caught:
        load_playbook(folder.path)
    shown = folder.shown(caught.value.faults)
    assert [fault.split(": ")[0] for fault in shown] == [
        f"{CARE}:4",
        f"{SETTINGS}:4",
        f"{SECOND}:19",
        f"{SEGMENTS}:1",
    ]


@pytest.mark.parametrize("name", [SETTINGS, EVENTS, SEGMENTS])
def test_a_missing_file_is_told_by_its_name(folder: Folder, name: str) -> None:
    (folder.path / name).unlink()
    assert any(fault.startswith(f"{name}:1: the file is missing") for fault in folder.faults)


def test_a_missing_directory_is_one_fault(tmp_path: Path) -> None:
    (fault,) = check_playbook(tmp_path / "nowhere").faults
    assert "no such directory" in str(fault)


@pytest.mark.parametrize("name", ["scenarios/other.yml", "scenario/other.yaml", "notes.yaml"])
def test_yaml_that_nobody_reads_is_a_fault(folder: Folder, name: str) -> None:
    folder.write(name, "a: 1")
    assert any(fault.startswith(f"{name}:1: nothing reads this file") for fault in folder.faults)


def test_a_file_that_is_not_utf_8_is_a_fault(folder: Folder) -> None:
    (folder.path / CARE).write_bytes("kind: 日本".encode("shift-jis"))
    assert folder.faults == [f"{CARE}:1: the file is not UTF-8; save it as UTF-8"]


@pytest.mark.parametrize("name", ["spring-sale", "春", "1st"])
def test_a_message_whose_file_bears_no_name_is_a_fault(folder: Folder, name: str) -> None:
    folder.write(f"messages/{name}.yaml", (folder.path / CARE).read_text(encoding="utf-8"))
    assert any(f"{name!r} is no name" in fault for fault in folder.faults), folder.faults


def test_a_message_that_cannot_be_read_is_not_told_to_be_no_support(folder: Folder) -> None:
    folder.change(CARE, "kind: support", "kind: suport")
    assert [warning for warning in folder.warnings if "support" in warning] == []


def test_what_a_file_that_cannot_be_read_may_use_is_not_told_to_be_unused(folder: Folder) -> None:
    folder.change(SECOND, "reentry: never", "reentry: sometimes")
    folder.change(WEEKLY, "message: offer", "message: care")
    assert [warning for warning in folder.warnings if "nothing sends" in warning] == []
    folder.change(SECOND, "reentry: sometimes", "reentry: never")
    folder.change(SECOND, "message: offer,", "message: care,")
    assert [warning for warning in folder.warnings if "nothing sends the message offer" in warning]


def test_a_category_that_an_unread_message_may_bear_is_not_told_to_be_borne_by_none(folder: Folder) -> None:
    folder.change(SETTINGS, "kinds: [promotion], limit", "kinds: [promotion], categories: [coupon], limit")
    assert [warning for warning in folder.warnings if "of the category coupon" in warning]
    folder.change(CARE, "kind: support", "kind: suport\ncategory: coupon")
    assert [warning for warning in folder.warnings if "of the category coupon" in warning] == []


def test_a_broken_message_does_not_make_its_scenario_wrong(folder: Folder) -> None:
    folder.change(CARE, "kind: support", "kind: help")
    assert len(folder.faults) == 1


SALE = "今だけ割引です。"


@pytest.mark.parametrize(
    "words",
    ["クーポン", "2割引", "20%OFF", "20\N{FULLWIDTH PERCENT SIGN}", "20%", "半額", "値引き", "500円オフ"],
)
def test_a_discount_outside_the_dormant_and_the_leaving_is_warned_of(folder: Folder, words: str) -> None:
    folder.change(OFFER, "新しい使い方です。", f"{words}です。")
    assert [warning for warning in folder.warnings if warning.startswith(f"{OFFER}:4: a discount")]
    assert folder.faults == []


@pytest.mark.parametrize("words", ["OFFICE", "オンライン", "{% if true %}新{% endif %}しい"])
def test_what_only_looks_like_a_discount_is_none(folder: Folder, words: str) -> None:
    folder.change(OFFER, "新しい使い方です。", f"{words}です。")
    assert folder.warnings == []


def test_a_declared_reason_allows_a_discount(folder: Folder) -> None:
    folder.change(OFFER, "新しい使い方です。", SALE)
    folder.change(OFFER, "kind: promotion", "kind: promotion\ndiscount_reason: first purchase")
    assert (folder.faults, folder.warnings) == ([], [])


@pytest.mark.parametrize("priority", ["win_back", "churn_prevention"])
def test_the_dormant_and_the_leaving_may_get_a_discount(folder: Folder, priority: str) -> None:
    folder.change(OFFER, "新しい使い方です。", SALE)
    folder.change(SECOND, "name: offer, message: offer", "name: offer, message: care")
    folder.change(WEEKLY, "owner: crm", f"owner: crm\npriority: {priority}")
    assert (folder.faults, folder.warnings) == ([], [])


def test_a_discount_in_onboarding_is_a_fault_unless_its_reason_is_declared(folder: Folder) -> None:
    folder.change(OFFER, "新しい使い方です。", SALE)
    folder.change(SECOND, "priority: repurchase", "priority: onboarding")
    assert [fault.split(":")[0] for fault in folder.faults] == [OFFER]
    folder.change(OFFER, "kind: promotion", "kind: promotion\ndiscount_reason: link reward")
    assert folder.faults == []


def test_a_discount_makes_any_message_a_promotion(folder: Folder) -> None:
    folder.change(CARE, "ありがとうございます。", SALE)
    assert [warning for warning in folder.warnings if "makes a support message a promotion" in warning]


def test_a_branch_without_a_support_message_is_warned_of(folder: Folder) -> None:
    folder.change(SECOND, "name: care_more, message: care", "name: care_more, message: offer")
    assert [
        warning
        for warning in folder.warnings
        if warning.startswith(f"{SECOND}:14: nothing here is a support")
    ]


def test_a_scenario_without_a_support_message_is_warned_of(folder: Folder) -> None:
    folder.change(SECOND, "message: care", "message: offer")
    assert [
        warning
        for warning in folder.warnings
        if warning.startswith(f"{SECOND}:10: nothing here is a support")
    ]


def test_two_actions_in_one_message_are_warned_of_and_quick_replies_are_not(folder: Folder) -> None:
    folder.change(OFFER, "新しい使い方です。", "https://example.com/old か ")
    assert [warning for warning in folder.warnings if "2 different actions" in warning]
    reply = "{type: action, action: {type: postback, label: はい, data: yes}}"
    folder.write(OFFER, SOUND[OFFER] + f"    quickReply: {{items: [{reply}]}}\n")
    assert folder.warnings == []


def test_what_nobody_uses_is_warned_of(folder: Folder) -> None:
    folder.write("messages/spare.yaml", SOUND[CARE])
    folder.change(SEGMENTS, "  report: true\n", "")
    assert [warning.split(";")[0] for warning in folder.warnings] == [
        "messages/spare.yaml:1: nothing sends the message spare",
        "segments.yaml:2: nothing uses the segment gone",
    ]
