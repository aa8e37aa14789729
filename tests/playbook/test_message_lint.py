"""The lint of what messages say: every rule on a message that breaks it, and on the one beside it that does not."""

from pathlib import Path

import pytest

from functions.domain.playbook import Slot
from functions.playbook import load_playbook
from tests.playbook.test_lint import CARE, EVENTS, OFFER, SECOND, SEGMENTS, SOUND, WEEKLY, Folder

LINK = "https://example.com/new"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def message(kind: str, *objects: str, more: str = "") -> str:
    return f"kind: {kind}\n{more}content:\n" + "".join(f"  - {one}\n" for one in objects)


def text(words: str, more: str = "") -> str:
    return f'{{type: text, text: "{words}"{more}}}'


def flex(alt: str, *components: str) -> str:
    bubble = f"{{type: bubble, body: {{type: box, layout: vertical, contents: [{', '.join(components)}]}}}}"
    return f'{{type: flex, altText: "{alt}", contents: {bubble}}}'


def button(uri: str) -> str:
    return f'{{type: button, action: {{type: uri, label: 見る, uri: "{uri}"}}}}'


def card(*uris: str) -> str:
    actions = ", ".join(f'{{type: uri, label: 見る, uri: "{uri}"}}' for uri in uris)
    return f"{{text: 品, actions: [{actions}]}}"


def carousel(*cards: str, kind: str = "carousel") -> str:
    return f"{{type: template, altText: 3つから選べます, template: {{type: {kind}, columns: [{', '.join(cards)}]}}}}"


QUICK = ", quickReply: {items: [{type: action, action: {type: postback, label: はい, data: y}}]}"
BUTTON = button(LINK)

WARNED = {
    "a first line of 60 signs": (
        message("promotion", text("あ" * 60 + "\\n" + LINK)),
        message("promotion", text("あ" * 61 + "\\n" + LINK)),
        "the first line has 61",
    ),
    "a text of 300 signs": (
        message("promotion", text("あ\\n" + "い" * 274 + LINK)),
        message("promotion", text("あ\\n" + "い" * 276 + LINK)),
        "has 301 characters",
    ),
    "a long text within Flex": (
        message("promotion", flex("新作です", BUTTON, "{type: text, text: '" + "い" * 60 + "'}")),
        message("promotion", flex("新作です", BUTTON, '{type: text, text: "い\\n' + "い" * 299 + '"}')),
        "has 301 characters",
    ),
    "altText of 100 signs": (
        message("promotion", flex("あ" * 100, BUTTON)),
        message("promotion", flex("あ" * 101, BUTTON)),
        "altText has 101",
    ),
    "altText that says something": (
        message("promotion", flex("新作のお知らせ", BUTTON)),
        message("promotion", flex("お知らせ。", BUTTON)),
        "say the conclusion",
    ),
    "a link": (message("promotion", text(LINK)), message("promotion", text("新作です。")), "leads on"),
    "an answer": (
        message("promotion", text("新作です。", QUICK)),
        message("notification", text("届きました。")),
        "leads on",
    ),
    "a phone number": (
        message("support", text("お電話ください。03-1234-5678")),
        message("support", text("お電話ください。")),
        "leads on",
    ),
    "a place": (
        message("support", "{type: location, title: 店, address: 東京, latitude: 35, longitude: 139}"),
        message("support", "{type: sticker, packageId: '1', stickerId: '2'}"),
        "leads on",
    ),
    "thanks for support alone": (
        message("support", text("ありがとうございました。")),
        message("notification", text("ありがとうございました。")),
        "leads on",
    ),
    "a coupon": (
        message("promotion", "{type: coupon, couponId: c}", more="discount_reason: review\n"),
        message("promotion", text("感謝をこめて。"), more="discount_reason: review\n"),
        "leads on",
    ),
    "the same action twice": (
        message("promotion", text(LINK), flex("新作です", BUTTON)),
        message("promotion", text(LINK), flex("新作です", button(LINK + "er"))),
        "2 different actions",
    ),
    "an action and a coupon": (
        message("promotion", "{type: coupon, couponId: c}", more="discount_reason: review\n"),
        message("promotion", "{type: coupon, couponId: c}", text(LINK), more="discount_reason: review\n"),
        "2 different actions",
    ),
    "the cards of one carousel": (
        message("promotion", carousel(card(LINK), card(LINK + "2"))),
        message("promotion", carousel(card(LINK), card(LINK + "2")), text("https://example.com/all")),
        "2 different actions",
    ),
    "one action a card": (
        message("promotion", carousel(card(LINK, LINK), card(LINK, LINK))),
        message("promotion", carousel(card(LINK, LINK), card(LINK, LINK + "2"))),
        "this card has 2",
    ),
    "answers to one question": (
        message(
            "promotion",
            "{type: template, altText: どちらですか, template: {type: confirm, text: どちら, actions: ["
            "{type: postback, label: 忙しい, data: busy}, {type: postback, label: 忘れた, data: forgot}]}}",
        ),
        message(
            "promotion",
            "{type: template, altText: どちらですか, template: {type: confirm, text: どちら, actions: ["
            "{type: postback, label: 忙しい, data: busy}, {type: uri, label: 見る, uri: 'https://example.com'}]}}",
        ),
        "2 different actions",
    ),
    "a link over TLS": (
        message("promotion", text(LINK)),
        message("promotion", text("http://example.com/new")),
        "is not encrypted",
    ),
    "a button over TLS": (
        message("promotion", flex("新作です", BUTTON)),
        message("promotion", flex("新作です", button("http://example.com"))),
        "is not encrypted",
    ),
    "a host with a name": (
        message("promotion", text("https://10.example.com/new")),
        message("promotion", text("https://203.0.113.7/new")),
        "bare IP address",
    ),
    "a fallback that is said": (
        message("support", text("{{ name }}様、ありがとうございます"), more="fallbacks: {name: お客}\n"),
        message("support", text("ありがとうございます"), more="fallbacks: {name: お客}\n"),
        "no text says {{ name }}",
    ),
}


@pytest.mark.parametrize("rule", WARNED)
def test_a_message_at_the_edge_of_a_rule_passes_and_one_beyond_is_warned_of(
    folder: Folder, rule: str
) -> None:
    sound, doubtful, part = WARNED[rule]
    folder.write("messages/new.yaml", sound)
    folder.change(SECOND, "message: offer,", "message: new,")
    assert (folder.faults, folder.warnings) == ([], [])
    folder.write("messages/new.yaml", doubtful)
    assert folder.faults == []
    (warning,) = folder.warnings
    assert warning.startswith("messages/new.yaml:")
    assert part in warning


def test_a_warning_stands_on_the_line_of_what_it_is_about(folder: Folder) -> None:
    folder.write("messages/new.yaml", message("promotion", text(LINK), flex("画像", BUTTON)))
    folder.change(SECOND, "message: offer,", "message: new,")
    assert [warning.split(": ")[0] for warning in folder.warnings] == ["messages/new.yaml:4"]


# --- slots


SLOTS = """\
kind: support
fallbacks: {ranking_1: 定番の1品}
slots: {ranking_1: {context: ranking_1, by: favourite_category}}
content:
  - type: text
    text: "{{ ranking_1 }}が人気です。ありがとうございます。"
"""


def test_a_slot_names_its_fact_and_where_its_key_is(folder: Folder) -> None:
    folder.write(CARE, SLOTS)
    care = load_playbook(folder.path).messages["care"]
    assert (care.slots, care.category) == ({"ranking_1": Slot("ranking_1", by="favourite_category")}, "")
    folder.change(CARE, "by: favourite_category", "key: tokyo")
    folder.change(CARE, "kind: support", "kind: support\ncategory: news")
    other = load_playbook(folder.path).messages["care"]
    assert (other.slots, other.category) == ({"ranking_1": Slot("ranking_1", key="tokyo")}, "news")
    assert other.hash != care.hash


@pytest.mark.parametrize(
    ("old", "new", "line", "part"),
    [
        (
            "fallbacks: {ranking_1: 定番の1品}\n",
            "",
            2,
            "say what stands in for it: fallbacks: {ranking_1: …}",
        ),
        ("by: favourite_category", "by: area, key: tokyo", 3, "by and key exclude each other"),
        ("context: ranking_1, ", "", 3, "'context' is missing"),
        ("context: ranking_1,", "contxt: ranking_1,", 3, "did you mean 'context'?"),
        ("by: favourite_category", 'key: ""', 3, "must not be empty"),
    ],
)
def test_a_faulty_slot_is_told(folder: Folder, old: str, new: str, line: int, part: str) -> None:
    folder.write(CARE, SLOTS)
    folder.change(CARE, old, new)
    assert any(fault.startswith(f"{CARE}:{line}: ") and part in fault for fault in folder.faults), (
        folder.faults
    )


def test_a_slot_that_no_text_says_is_warned_of(folder: Folder) -> None:
    folder.write(CARE, SLOTS.replace("{{ ranking_1 }}", "定番"))
    assert [warning.partition(";")[0] for warning in folder.warnings] == [
        f"{CARE}:2: no text says {{{{ ranking_1 }}}}"
    ]


DECLARED = "{type: string, index: true}\n    favourite_category: {type: string, attribute: true}"


@pytest.mark.parametrize("place", ["slot", "variable"])
def test_an_attribute_that_is_nearly_one_of_the_dictionary_is_warned_of(folder: Folder, place: str) -> None:
    folder.change(EVENTS, "{type: string, index: true}", DECLARED)
    folder.write(CARE, SLOTS)
    assert folder.warnings == []
    if place == "slot":
        folder.change(CARE, "by: favourite_category", "by: favorite_category")
    else:
        folder.write(
            CARE, SLOTS.replace("ranking_1", "favorite_category").replace("\nslots:", "\n# slots:", 1)
        )
    (warning,) = folder.warnings
    assert "did you mean 'favourite_category'?" in warning


def test_an_attribute_that_a_scenario_sets_is_one_that_is_known(folder: Folder) -> None:
    folder.write(CARE, SLOTS)
    folder.change(SECOND, "2\nsteps:\n", "2\nsteps:\n  - set: {favorite_category: hair}\n")
    (warning,) = folder.warnings
    assert "did you mean 'favorite_category'?" in warning
    folder.change(CARE, "favourite_category", "favorite_category")
    assert folder.warnings == []


# --- what LINE would refuse for some people only


def test_emoji_that_a_value_would_move_are_a_fault(folder: Folder) -> None:
    emoji = ", emojis: [{index: 0, productId: p, emojiId: '1'}]"
    fallbacks = "fallbacks: {name: お客}\n"
    folder.write(CARE, message("support", text("$ありがとう、お客様", emoji)))
    assert folder.faults == []
    folder.write(CARE, message("support", text("$ありがとう、{{ name }}様", emoji), more=fallbacks))
    (fault,) = folder.faults
    assert "write type: textV2" in fault


def test_a_coupon_is_a_promotion(folder: Folder) -> None:
    coupon = "{type: coupon, couponId: c}"
    folder.write(CARE, message("support", text("ありがとう"), coupon))
    assert [fault.partition(";")[0] for fault in folder.faults] == [
        f"{CARE}:4: a coupon in a support message would pass caps and consent for promotions"
    ]


def test_a_coupon_counts_as_a_discount(folder: Folder) -> None:
    folder.write(OFFER, message("promotion", "{type: coupon, couponId: c}"))
    assert [warning.split(";")[0] for warning in folder.warnings] == [
        f"{OFFER}:3: a discount here teaches people to wait for discounts"
    ]


# --- discounts


SALE = "今だけ割引です。"
BRANCH = """\
  - branch:
      - when: segment("gone")
        steps:
          - send: {name: thanks, message: care}
          - send: {name: offer, message: offer, expires_after: 5d}
      - when: orders.count >= 3
        steps:
          - send: {name: care_2, message: care}
      - otherwise:
          - send: {name: care_3, message: care}
"""


EARLY = "  - branch:\n      - when: segment("


def branched(folder: Folder, priority: str) -> None:
    """The discount only in the first case of a branch."""
    folder.change(OFFER, "新しい使い方です。", SALE)
    folder.change(SECOND, "priority: repurchase", f"priority: {priority}")
    folder.change(SECOND, "  - send: {name: offer, message: offer, expires_after: 5d}\n", BRANCH)
    folder.change(WEEKLY, "message: offer", "message: care")
    folder.change("playbook.yaml", ", hold_up_to: 4d", "")


@pytest.mark.parametrize(("segment", "at_risk"), [("churn_risk", True), ("gone", False)])
def test_in_onboarding_a_discount_is_for_people_at_risk(folder: Folder, segment: str, at_risk: bool) -> None:
    branched(folder, "onboarding")
    folder.change(SEGMENTS, "gone:", f"{segment}:")
    folder.change(SECOND, 'segment("gone")', f'segment("{segment}")')
    assert (folder.faults == []) is at_risk


@pytest.mark.parametrize("where", ["before", "otherwise"])
def test_in_onboarding_a_discount_beside_the_people_at_risk_is_a_fault(folder: Folder, where: str) -> None:
    branched(folder, "onboarding")
    folder.change(SEGMENTS, "gone:", "at_risk:")
    folder.change(SECOND, 'segment("gone")', 'segment("at_risk")')
    assert folder.faults == []
    if where == "before":
        folder.change(SECOND, EARLY, f"  - send: {{name: early, message: offer, expires_after: 5d}}\n{EARLY}")
    else:
        folder.change(
            SECOND, "name: care_3, message: care", "name: care_3, expires_after: 5d, message: offer"
        )
    assert [fault.split(":")[0] for fault in folder.faults] == [OFFER]


def test_a_win_back_gives_a_discount_in_one_case_of_a_branch(folder: Folder) -> None:
    branched(folder, "win_back")
    assert (folder.faults, folder.warnings) == ([], [])


def test_a_win_back_that_gives_everybody_a_discount_is_warned_of(folder: Folder) -> None:
    branched(folder, "win_back")
    folder.change(SECOND, "name: care_3, message: care", "name: care_3, expires_after: 5d, message: offer")
    (_unsupported, warning) = folder.warnings
    assert warning.startswith(f"{SECOND}:28: offer gives everybody who comes here a discount")


def test_a_win_back_that_gives_a_discount_for_more_than_one_reason_is_warned_of(folder: Folder) -> None:
    branched(folder, "win_back")
    folder.change(
        SECOND,
        "- send: {name: care_2",
        "- send: {name: off_2, message: offer, expires_after: 5d}\n          - send: {name: care_2",
    )
    (warning,) = folder.warnings
    assert warning.startswith(f"{SECOND}:24: another case of this branch gives a discount already")


def test_churn_prevention_may_give_a_discount_without_a_branch(folder: Folder) -> None:
    branched(folder, "churn_prevention")
    folder.change(SECOND, EARLY, f"  - send: {{name: early, message: offer, expires_after: 5d}}\n{EARLY}")
    assert (folder.faults, folder.warnings) == ([], [])


# --- notifications


def test_a_campaign_that_sends_a_notification_to_a_segment_is_warned_of(folder: Folder) -> None:
    folder.change(OFFER, "kind: promotion", "kind: notification")
    (warning,) = folder.warnings
    assert warning.startswith(f"{WEEKLY}:3: offer is a notification")


def test_a_campaign_may_send_a_notification_to_a_segment_of_dates(folder: Folder) -> None:
    folder.change(OFFER, "kind: promotion", "kind: notification")
    folder.change(
        SEGMENTS, "buyers: orders.count >= 1", "buyers: orders.count >= 1 and is_month_of(birthday)"
    )
    assert folder.warnings == []


def test_every_declared_reason_of_a_discount_is_taken(folder: Folder) -> None:
    folder.change(OFFER, "新しい使い方です。", SALE)
    for reason in ("win-back", "repeat perk", "vip", "near expiry", "rainy day", "first purchase"):
        folder.write(
            OFFER, SOUND[OFFER].replace("kind: promotion", f"kind: promotion\ndiscount_reason: {reason}")
        )
        assert (folder.faults, folder.warnings) == ([], [])
