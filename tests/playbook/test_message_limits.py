"""LINE's limits: each at its edge, where the last allowed passes and the first refused does not."""

from typing import Any

import pytest

from functions.domain.message_limits import content_faults, graphemes, utf16_units

URL = "https://example.com/a"
Part = dict[str, Any]


def text(**more: Any) -> Part:
    return {"type": "text", "text": "a", **more}


def uri(label: str = "a", address: str = URL) -> Part:
    return {"type": "uri", "label": label, "uri": address}


def quick(*actions: Part) -> Part:
    return text(quickReply={"items": [{"type": "action", "action": action} for action in actions]})


def flex(*components: Part) -> Part:
    bubble = {"type": "bubble", "body": {"type": "box", "layout": "vertical", "contents": list(components)}}
    return {"type": "flex", "altText": "a", "contents": bubble}


def carousel(bubbles: int, size: int = 1) -> Part:
    one = {
        "type": "bubble",
        "body": {"type": "box", "layout": "vertical", "contents": [{"type": "text", "text": "a" * size}]},
    }
    return {"type": "flex", "altText": "a", "contents": {"type": "carousel", "contents": [one] * bubbles}}


def template(**parts: Any) -> Part:
    return {"type": "template", "altText": "a", "template": parts}


def buttons(count: int = 1, words: int = 1, **more: Any) -> Part:
    return template(type="buttons", text="a" * words, actions=[uri()] * count, **more)


def columns(count: int) -> Part:
    return template(type="carousel", columns=[{"text": "a", "actions": [uri()]}] * count)


def imagemap(actions: int, **more: Any) -> Part:
    action = {"type": "uri", "linkUri": URL, "area": {"x": 0, "y": 0, "width": 1, "height": 1}}
    base = {"type": "imagemap", "altText": "a", "baseUrl": URL, "baseSize": {"width": 1040, "height": 1040}}
    return {**base, "actions": [action] * actions, **more}


FLEX_TEXT = {"type": "text", "text": "a"}
FAMILY = "👨‍👩‍👧‍👦"

EDGES: list[tuple[list[Part], list[Part], str]] = [
    ([text()] * 5, [text()] * 6, "1 to 5"),
    ([text()], [], "1 to 5"),
    ([text()], [{"type": "texts"}], "no message type"),
    ([text(text="a" * 5000)], [text(text="a" * 5001)], "takes 5000"),
    ([text(text="🍎" * 2500)], [text(text="🍎" * 2501)], "takes 5000"),
    ([text()], [text(text=" ")], "not empty"),
    ([text(sender={"name": "a" * 20})], [text(sender={"name": "a" * 21})], "takes 20"),
    ([quick(*[uri()] * 13)], [quick(*[uri()] * 14)], "1 to 13"),
    ([quick(uri(FAMILY * 20))], [quick(uri(FAMILY * 21))], "takes 20"),
    ([quick(uri())], [quick({"type": "uri", "uri": URL})], "'label'"),
    ([quick(uri())], [quick({"type": "jump", "label": "a"})], "no action type"),
    ([quick(uri(address="tel:" + "1" * 996))], [quick(uri(address="tel:" + "1" * 997))], "at most 1000"),
    ([quick(uri(address="line://ti/p/@a"))], [quick(uri(address="ftp://a"))], "must begin with"),
    (
        [quick({"type": "postback", "label": "a", "data": "a" * 300})],
        [quick({"type": "postback", "label": "a", "data": "a" * 301})],
        "takes 300",
    ),
    (
        [quick({"type": "clipboard", "label": "a", "clipboardText": "a" * 1000})],
        [quick({"type": "clipboard", "label": "a", "clipboardText": "a" * 1001})],
        "takes 1000",
    ),
    ([{**flex(FLEX_TEXT), "altText": "a" * 1500}], [{**flex(FLEX_TEXT), "altText": "a" * 1501}], "takes 1500"),
    ([flex(FLEX_TEXT)], [{"type": "flex", "altText": "a", "contents": {"type": "box"}}], "no container type"),
    ([flex({"type": "button", "action": uri("a" * 40)})], [flex({"type": "button", "action": uri("a" * 41)})], "takes 40"),
    ([flex({"type": "button", "action": uri()})], [flex({"type": "button"})], "'action' is missing"),
    ([flex({"type": "image", "url": URL})], [flex({"type": "image", "url": "http://example.com/a"})], "https://"),
    ([flex({"type": "text", "text": "a"})], [flex({"type": "text", "text": ""})], "not empty"),
    ([flex(*[{"type": "text", "text": "a" * 4900}] * 6)], [flex(*[{"type": "text", "text": "a" * 4900}] * 7)], "30720"),
    ([carousel(12)], [carousel(13)], "1 to 12"),
    ([carousel(10, 4900)], [carousel(11, 4900)], "51200"),
    ([buttons(4)], [buttons(5)], "1 to 4"),
    ([buttons(words=160)], [buttons(words=161)], "takes 160"),
    ([buttons(words=60, title="a")], [buttons(words=61, title="a")], "takes 60"),
    ([buttons(title="a" * 40)], [buttons(title="a" * 41)], "takes 40"),
    ([columns(10)], [columns(11)], "1 to 10"),
    ([template(type="confirm", text="a" * 240, actions=[uri()] * 2)], [template(type="confirm", text="a" * 241, actions=[uri()] * 2)], "240"),
    ([buttons()], [template(type="menu")], "no template type"),
    ([imagemap(50)], [imagemap(51)], "0 to 50"),
    ([imagemap(1)], [imagemap(1, baseSize={"width": 1040})], "'height'"),
    ([flex({"type": "box", "layout": "baseline", "contents": []})], [flex({"type": "box", "contents": []})], "'layout'"),
    (
        [{"type": "image", "originalContentUrl": URL, "previewImageUrl": "https://" + "a" * 1992}],
        [{"type": "image", "originalContentUrl": URL, "previewImageUrl": "https://" + "a" * 1993}],
        "at most 2000",
    ),
    ([{"type": "coupon", "couponId": "c"}], [{"type": "coupon"}], "couponId"),
    ([{"type": "sticker", "packageId": "1", "stickerId": "2"}], [{"type": "sticker", "packageId": "1"}], "stickerId"),
    ([{"type": "audio", "originalContentUrl": URL, "duration": 1}], [{"type": "audio", "originalContentUrl": URL}], "duration"),
    (
        [{"type": "location", "title": "a", "address": "b", "latitude": 35, "longitude": 139}],
        [{"type": "location", "title": "a", "address": "b", "latitude": 35}],
        "longitude",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("allowed", "refused", "part"), EDGES)
def test_the_last_that_line_takes_passes_and_the_first_that_it_refuses_does_not(
    allowed: list[Part], refused: list[Part], part: str
) -> None:
    assert content_faults(allowed) == []
    assert any(part in fault.message for fault in content_faults(refused)), content_faults(refused)


def test_a_fault_says_where_it_is() -> None:
    (fault,) = content_faults([text(), quick(uri(), uri("a" * 21))])
    assert fault.path == (1, "quickReply", "items", 1, "action", "label")


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("", 0),
        ("abc", 3),
        ("がぎ", 2),
        ("か\u3099", 1),
        ("👍🏽", 1),
        (FAMILY, 1),
        ("🇯🇵🇫🇷", 2),
        ("❤️", 1),
        ("\r\n", 1),
        ("葛󠄀", 1),
    ],
)
def test_what_people_see_as_one_sign_counts_once(word: str, count: int) -> None:
    assert graphemes(word) == count


def test_signs_beyond_the_basic_plane_count_twice_in_texts() -> None:
    assert (utf16_units("a葛🍎𠮷"), utf16_units("")) == (6, 0)
