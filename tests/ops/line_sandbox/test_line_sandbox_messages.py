"""What LINE accepts as a message, and the error it names otherwise: each limit at its edge and one beyond."""

from typing import Any

import pytest

from ops.line_sandbox.answers import Answer, JsonObject
from ops.line_sandbox.api import BODY_BYTES_MAX
from ops.line_sandbox.direct import DirectLine, text
from ops.line_sandbox.lengths import json_bytes
from ops.line_sandbox.sandbox import LineSandbox

HTTPS = "https://example.com/"
FAMILY = "👨‍👩‍👧"  # one grapheme of eight UTF-16 units


@pytest.fixture(scope="module")
def line() -> DirectLine:
    return DirectLine(LineSandbox())


def validated(line: DirectLine, *messages: JsonObject, endpoint: str = "push") -> Answer:
    return line.call("POST", f"/v2/bot/message/validate/{endpoint}", {"messages": list(messages)})


def problems(answer: Answer) -> list[tuple[str, str]]:
    assert answer.status == 400
    details = answer.body["details"]
    assert answer.body["message"] == f"The request body has {len(details)} error(s)"
    return [(detail["property"], detail["message"]) for detail in details]


def url(length: int) -> str:
    return HTTPS + "a" * (length - len(HTTPS))


def uri_action(length: int = 30, label: str = "Open") -> JsonObject:
    return {"type": "uri", "label": label, "uri": url(length)}


def postback(data_length: int = 1, label: str = "Choose") -> JsonObject:
    return {"type": "postback", "label": label, "data": "d" * data_length}


def quick_reply(count: int = 1, action: JsonObject | None = None) -> JsonObject:
    return text("Hi") | {
        "quickReply": {"items": [{"type": "action", "action": action or postback()}] * count}
    }


def buttons(**parts: Any) -> JsonObject:
    template = {"type": "buttons", "text": "Which?", "actions": [postback()], **parts}
    return {"type": "template", "altText": "Which?", "template": template}


def confirm(**parts: Any) -> JsonObject:
    template = {"type": "confirm", "text": "Sure?", "actions": [postback(), postback()], **parts}
    return {"type": "template", "altText": "Sure?", "template": template}


def carousel(count: int = 1, **parts: Any) -> JsonObject:
    column = {"text": "One", "actions": [postback()], **parts}
    return {
        "type": "template",
        "altText": "Some",
        "template": {"type": "carousel", "columns": [column] * count},
    }


def image_carousel(count: int = 1, label: str = "x") -> JsonObject:
    column = {"imageUrl": url(30), "action": postback(label=label)}
    return {
        "type": "template",
        "altText": "Some",
        "template": {"type": "image_carousel", "columns": [column] * count},
    }


def imagemap(count: int = 0, alt_text: str = "Map") -> JsonObject:
    area = {"x": 0, "y": 0, "width": 10, "height": 10}
    action = {"type": "uri", "linkUri": url(30), "area": area}
    return {
        "type": "imagemap",
        "baseUrl": url(30),
        "altText": alt_text,
        "baseSize": {"width": 1040, "height": 1040},
        "actions": [action] * count,
    }


def bubble(size: int = 200) -> JsonObject:
    """A bubble of exactly `size` bytes of JSON."""
    component = {"type": "text", "text": "x"}
    container = {"type": "bubble", "body": {"type": "box", "layout": "vertical", "contents": [component]}}
    component["text"] = "x" * (1 + size - json_bytes(container))
    return container


def flex(contents: JsonObject, alt_text: str = "Flex") -> JsonObject:
    return {"type": "flex", "altText": alt_text, "contents": contents}


def flex_carousel(count: int, size: int | None = None) -> JsonObject:
    """A carousel of bubbles; with `size`, of exactly so many bytes of JSON."""
    last = bubble()
    bubbles = [bubble(20_000 if size else 200) for _ in range(count - 1)] + [last]
    container = {"type": "carousel", "contents": bubbles}
    if size is not None:
        bubbles[-1] = bubble(json_bytes(last) + size - json_bytes(container))
    return flex(container)


VALID: list[JsonObject] = [
    text("Hello"),
    {"type": "textV2", "text": "Hello {name}", "substitution": {}},
    {"type": "sticker", "packageId": "446", "stickerId": "1988"},
    {"type": "image", "originalContentUrl": url(30), "previewImageUrl": url(30)},
    {"type": "video", "originalContentUrl": url(30), "previewImageUrl": url(30), "trackingId": "t1"},
    {"type": "audio", "originalContentUrl": url(30), "duration": 60000},
    {"type": "location", "title": "Here", "address": "Tokyo", "latitude": 35.6, "longitude": 139.7},
    imagemap(1),
    buttons(),
    confirm(),
    carousel(),
    image_carousel(),
    flex(bubble()),
    flex_carousel(2),
    {"type": "coupon", "couponId": "01ABC"},
]


@pytest.mark.parametrize("message", VALID, ids=lambda message: message["type"])
def test_every_message_type_is_accepted(line: DirectLine, message: JsonObject) -> None:
    assert validated(line, message).status == 200


@pytest.mark.parametrize("endpoint", ["push", "multicast", "broadcast", "narrowcast", "reply"])
def test_each_kind_of_send_has_a_validation_that_answers_an_empty_object(
    line: DirectLine, endpoint: str
) -> None:
    answer = validated(line, text("Hello"), endpoint=endpoint)
    assert (answer.status, answer.body) == (200, {})


def test_validating_sends_nothing(line: DirectLine) -> None:
    validated(line, text("Hello"))
    assert line.sandbox.world.report().accepted == 0


def test_an_unknown_type_is_refused_with_the_list_of_types(line: DirectLine) -> None:
    ((path, message),) = problems(validated(line, {"type": "hologram"}))
    assert path == "messages[0].type"
    assert message.startswith("Must be one of the following values: [text, textV2, sticker,")


def test_the_error_body_counts_and_lists_every_error_by_its_property(line: DirectLine) -> None:
    answer = validated(line, text(""), text("a" * 5001))
    assert answer.body == {
        "message": "The request body has 2 error(s)",
        "details": [
            {"message": "May not be empty", "property": "messages[0].text"},
            {"message": "Length must be between 0 and 5000", "property": "messages[1].text"},
        ],
    }


@pytest.mark.parametrize("count", [1, 5])
def test_a_request_carries_one_to_five_messages(line: DirectLine, count: int) -> None:
    assert validated(line, *[text("Hello")] * count).status == 200


def test_no_message_is_an_error(line: DirectLine) -> None:
    assert problems(validated(line)) == [("messages", "May not be empty")]


def test_six_messages_are_an_error(line: DirectLine) -> None:
    assert problems(validated(line, *[text("Hello")] * 6)) == [("messages", "Size must be between 1 and 5")]


LIMITS: list[tuple[str, JsonObject, JsonObject, str]] = [
    ("text of 5,000", text("a" * 5000), text("a" * 5001), "messages[0].text"),
    ("text of 2,500 emoji", text("😀" * 2500), text("😀" * 2500 + "a"), "messages[0].text"),
    (
        "textV2 of 5,000",
        text("a" * 5000) | {"type": "textV2"},
        text("a" * 5001) | {"type": "textV2"},
        "messages[0].text",
    ),
    ("flex altText of 1,500", flex(bubble(), "a" * 1500), flex(bubble(), "a" * 1501), "messages[0].altText"),
    (
        "template altText of 1,500",
        buttons() | {"altText": "a" * 1500},
        buttons() | {"altText": "a" * 1501},
        "messages[0].altText",
    ),
    (
        "imagemap altText of 1,500",
        imagemap(alt_text="a" * 1500),
        imagemap(alt_text="a" * 1501),
        "messages[0].altText",
    ),
    (
        "URL of 2,000",
        {"type": "audio", "originalContentUrl": url(2000), "duration": 1},
        {"type": "audio", "originalContentUrl": url(2001), "duration": 1},
        "messages[0].originalContentUrl",
    ),
    (
        "URI action of 1,000",
        buttons(actions=[uri_action(1000)]),
        buttons(actions=[uri_action(1001)]),
        "messages[0].template.actions[0].uri",
    ),
    (
        "postback data of 300",
        buttons(actions=[postback(300)]),
        buttons(actions=[postback(301)]),
        "messages[0].template.actions[0].data",
    ),
    ("13 quick replies", quick_reply(13), quick_reply(14), "messages[0].quickReply.items"),
    (
        "sender name of 20",
        text("Hi") | {"sender": {"name": "a" * 20}},
        text("Hi") | {"sender": {"name": "a" * 21}},
        "messages[0].sender.name",
    ),
    ("bubble of 30 KB", flex(bubble(30 * 1024)), flex(bubble(30 * 1024 + 1)), "messages[0].contents"),
    (
        "carousel of 50 KB",
        flex_carousel(3, 50 * 1024),
        flex_carousel(3, 50 * 1024 + 1),
        "messages[0].contents",
    ),
    ("12 bubbles", flex_carousel(12), flex_carousel(13), "messages[0].contents.contents"),
    ("10 template columns", carousel(10), carousel(11), "messages[0].template.columns"),
    ("10 image columns", image_carousel(10), image_carousel(11), "messages[0].template.columns"),
    ("50 imagemap actions", imagemap(50), imagemap(51), "messages[0].actions"),
    (
        "4 buttons",
        buttons(actions=[postback()] * 4),
        buttons(actions=[postback()] * 5),
        "messages[0].template.actions",
    ),
    (
        "button label of 20 graphemes",
        buttons(actions=[postback(label=FAMILY * 20)]),
        buttons(actions=[postback(label=FAMILY * 21)]),
        "messages[0].template.actions[0].label",
    ),
    (
        "quick reply label of 20 graphemes",
        quick_reply(action=postback(label="👍🏽" * 20)),
        quick_reply(action=postback(label="👍🏽" * 21)),
        "messages[0].quickReply.items[0].action.label",
    ),
    (
        "message action of 300 graphemes",
        quick_reply(action={"type": "message", "label": "x", "text": FAMILY * 300}),
        quick_reply(action={"type": "message", "label": "x", "text": FAMILY * 301}),
        "messages[0].quickReply.items[0].action.text",
    ),
    (
        "image carousel label of 12",
        image_carousel(label="a" * 12),
        image_carousel(label="a" * 13),
        "messages[0].template.columns[0].action.label",
    ),
    (
        "buttons text of 160 graphemes",
        buttons(text=FAMILY * 160),
        buttons(text=FAMILY * 161),
        "messages[0].template.text",
    ),
    (
        "buttons text of 60 beside a title",
        buttons(text="a" * 60, title="T"),
        buttons(text="a" * 61, title="T"),
        "messages[0].template.text",
    ),
    (
        "template title of 40 graphemes",
        buttons(title=FAMILY * 40),
        buttons(title=FAMILY * 41),
        "messages[0].template.title",
    ),
    (
        "confirm text of 240 graphemes",
        confirm(text=FAMILY * 240),
        confirm(text=FAMILY * 241),
        "messages[0].template.text",
    ),
    (
        "column text of 120 graphemes",
        carousel(text=FAMILY * 120),
        carousel(text=FAMILY * 121),
        "messages[0].template.columns[0].text",
    ),
    (
        "column text of 60 beside an image",
        carousel(text="a" * 60, thumbnailImageUrl=url(30)),
        carousel(text="a" * 61, thumbnailImageUrl=url(30)),
        "messages[0].template.columns[0].text",
    ),
]


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit[0])
def test_a_limit_is_kept_at_its_edge_and_one_beyond_is_refused(
    line: DirectLine, limit: tuple[str, JsonObject, JsonObject, str]
) -> None:
    _, at_the_edge, beyond, path = limit
    assert validated(line, at_the_edge).status == 200
    assert [found for found, _ in problems(validated(line, beyond))] == [path]


MISSING: list[tuple[JsonObject, str]] = [
    ({"type": "text"}, "text"),
    ({"type": "text", "text": None}, "text"),
    ({"type": "sticker", "packageId": "1"}, "stickerId"),
    ({"type": "image", "originalContentUrl": url(30)}, "previewImageUrl"),
    ({"type": "audio", "originalContentUrl": url(30)}, "duration"),
    ({"type": "location", "title": "T", "address": "A", "latitude": 1}, "longitude"),
    ({"type": "coupon"}, "couponId"),
    ({"type": "flex", "altText": "A"}, "contents"),
    ({"type": "flex", "contents": bubble()}, "altText"),
    ({"type": "template", "altText": "A"}, "template"),
    ({key: value for key, value in imagemap().items() if key != "actions"}, "actions"),
    ({"text": "no type"}, "type"),
]


@pytest.mark.parametrize(("message", "name"), MISSING)
def test_what_a_type_needs_may_not_be_left_out(line: DirectLine, message: JsonObject, name: str) -> None:
    assert problems(validated(line, message)) == [(f"messages[0].{name}", "May not be empty")]


WRONG: list[tuple[str, JsonObject, str]] = [
    (
        "media over http",
        {"type": "audio", "originalContentUrl": "http://example.com/", "duration": 1},
        "originalContentUrl",
    ),
    (
        "an action to a script",
        buttons(actions=[uri_action() | {"uri": "javascript:x"}]),
        "template.actions[0].uri",
    ),
    ("a text that is no string", {"type": "text", "text": 5}, "text"),
    ("a duration of true", {"type": "audio", "originalContentUrl": url(30), "duration": True}, "duration"),
    ("a duration of nothing", {"type": "audio", "originalContentUrl": url(30), "duration": 0}, "duration"),
    ("a sender that is no object", text("Hi") | {"sender": "me"}, "sender"),
    ("quick replies that are no array", text("Hi") | {"quickReply": {"items": {}}}, "quickReply.items"),
    (
        "a quick reply of no kind",
        text("Hi") | {"quickReply": {"items": [{"action": postback()}]}},
        "quickReply.items[0].type",
    ),
    (
        "an emoji that is beside its sign",
        text("a$") | {"emojis": [{"index": 0, "productId": "p", "emojiId": "1"}]},
        "emojis[0].index",
    ),
    (
        "an emoji of no product",
        text("$") | {"emojis": [{"index": 0, "emojiId": "1"}]},
        "emojis[0].productId",
    ),
    (
        "a mention of nobody",
        {
            "type": "textV2",
            "text": "{a}",
            "substitution": {"a": {"type": "mention", "mentionee": {"type": "user"}}},
        },
        "substitution.a.mentionee.userId",
    ),
    (
        "a substitution of no kind",
        {"type": "textV2", "text": "{a}", "substitution": {"a": {"type": "name"}}},
        "substitution.a.type",
    ),
    (
        "a camera outside quick replies",
        buttons(actions=[{"type": "camera", "label": "x"}]),
        "template.actions[0].type",
    ),
    (
        "a switch of rich menus in a message",
        quick_reply(1, {"type": "richmenuswitch", "label": "x", "richMenuAliasId": "a", "data": "d"}),
        "quickReply.items[0].action.type",
    ),
    (
        "a title in one column alone",
        {
            "type": "template",
            "altText": "A",
            "template": {
                "type": "carousel",
                "columns": [
                    {"text": "One", "title": "T", "actions": [postback()]},
                    {"text": "Two", "actions": [postback()]},
                ],
            },
        },
        "template.columns",
    ),
    (
        "an imagemap area without width",
        imagemap() | {"actions": [{"type": "message", "text": "x", "area": {"x": 0, "y": 0, "height": 1}}]},
        "actions[0].area.width",
    ),
    (
        "an imagemap video without area",
        imagemap() | {"video": {"originalContentUrl": url(30), "previewImageUrl": url(30)}},
        "video.area",
    ),
    ("an unknown action", buttons(actions=[{"type": "wave", "label": "x"}]), "template.actions[0].type"),
    (
        "an unknown template",
        {"type": "template", "altText": "A", "template": {"type": "list"}},
        "template.type",
    ),
    ("an unknown container", flex({"type": "window"}), "contents.type"),
    ("an unknown component", flex({"type": "bubble", "body": {"type": "table"}}), "contents.body.type"),
    (
        "a box without layout",
        flex({"type": "bubble", "body": {"type": "box", "contents": []}}),
        "contents.body.layout",
    ),
    (
        "a Flex button without action",
        flex({"type": "bubble", "footer": {"type": "button"}}),
        "contents.footer.action",
    ),
    (
        "a Flex image over http",
        flex({"type": "bubble", "hero": {"type": "image", "url": "http://x"}}),
        "contents.hero.url",
    ),
    (
        "an imagemap action without area",
        imagemap() | {"actions": [{"type": "message", "text": "x"}]},
        "actions[0].area",
    ),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong[0])
def test_a_wrong_part_is_named_by_its_path(line: DirectLine, wrong: tuple[str, JsonObject, str]) -> None:
    _, message, path = wrong
    assert [found for found, _ in problems(validated(line, message))] == [f"messages[0].{path}"]


def test_all_columns_of_a_carousel_have_equally_many_actions(line: DirectLine) -> None:
    message = carousel(2)
    message["template"]["columns"] = [
        {"text": "One", "actions": [postback()]},
        {"text": "Two", "actions": [postback(), postback()]},
    ]
    assert [path for path, _ in problems(validated(line, message))] == ["messages[0].template.columns"]


def test_a_body_that_is_no_json_names_line_and_column(line: DirectLine) -> None:
    answer = line.call("POST", "/v2/bot/message/push", b'{"to":\n!}')
    assert answer.status == 400
    assert answer.body == {"message": "The request body could not be parsed as JSON (line: 2, column: 1)"}


@pytest.mark.parametrize("raw", [b"[]", b'"text"', b"\xff\xfe", b"[" * 100_000, b"5"])
def test_a_body_that_is_no_json_object_is_refused(line: DirectLine, raw: bytes) -> None:
    answer = line.call("POST", "/v2/bot/message/push", raw)
    assert answer.status == 400
    assert answer.body["message"].startswith("The request body could not be parsed as JSON (line: ")


def test_a_property_named_twice_is_refused(line: DirectLine) -> None:
    answer = line.call("POST", "/v2/bot/message/push", b'{"to": "a", "to": "b"}')
    assert answer.status == 400
    assert answer.body["details"] == [{"message": "Duplicate field 'to'"}]


def test_a_body_over_2_mb_is_refused_with_413(line: DirectLine) -> None:
    assert line.call("POST", "/v2/bot/message/push", b" " * BODY_BYTES_MAX).status == 400
    assert line.call("POST", "/v2/bot/message/push", b" " * (BODY_BYTES_MAX + 1)).status == 413


@pytest.mark.parametrize("units", [[], ["a" * 30], ["Spring_2026"]])
def test_one_aggregation_unit_of_30_letters_digits_or_underscores_is_accepted(units: list[str]) -> None:
    line = DirectLine(LineSandbox())
    line.sandbox.world.friends.befriend_if_unknown("U" + "0" * 32)
    assert line.push("U" + "0" * 32, text("Hi"), customAggregationUnits=units).status == 200


@pytest.mark.parametrize("units", [["a", "b"], ["a" * 31], ["a-b"], [""], ["春"], [1], "a"])
def test_any_other_aggregation_unit_is_refused(line: DirectLine, units: object) -> None:
    answer = line.push("U" + "0" * 32, text("Hi"), customAggregationUnits=units)
    assert [path.partition("[")[0] for path, _ in problems(answer)] == ["customAggregationUnits"]
