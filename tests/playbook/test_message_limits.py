"""LINE's limits: each at its edge, where the last allowed passes and the first refused does not."""

import copy
from typing import Any

import pytest

from functions.domain.message_limits import content_faults, graphemes, utf16_units
from ops.line_sandbox.direct import DirectLine
from ops.line_sandbox.sandbox import LineSandbox

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
    ([imagemap(1)], [imagemap(1, baseSize={"width": 1040, "height": "1040"})], "'height' must be a number"),
    ([imagemap(1)], [imagemap(1, baseSize={"width": 1040, "height": 1040.5})], "must be a whole number"),
    ([imagemap(1)], [imagemap(1, baseSize=1040)], "'baseSize' must hold names with values"),
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


IMAGEMAP_AREA = {"x": 0, "y": 0, "width": 1, "height": 1}
BASES: dict[str, Part] = {
    "text": text(emojis=[{"index": 1, "productId": "p", "emojiId": "1"}], text="a$"),
    "textV2": {
        "type": "textV2",
        "text": "{{ {who} {smile}",
        "substitution": {
            "who": {"type": "mention", "mentionee": {"type": "user", "userId": "U1"}},
            "smile": {"type": "emoji", "productId": "p", "emojiId": "1"},
        },
    },
    "quick": text(
        sender={"name": "a", "iconUrl": URL},
        quickReply={
            "items": [{"type": "action", "imageUrl": URL, "action": {"type": "camera", "label": "a"}}]
        },
    ),
    "uri": quick({**uri(), "altUri": {"desktop": URL}}),
    "message": quick({"type": "message", "label": "a", "text": "a"}),
    "postback": quick(
        {
            "type": "postback",
            "label": "a",
            "data": "a",
            "displayText": "a",
            "inputOption": "openVoice",
            "fillInText": "a",
        }
    ),
    "picker": quick(
        {"type": "datetimepicker", "label": "a", "data": "a", "mode": "date", "initial": "2026-11-22"}
    ),
    "sticker": {"type": "sticker", "packageId": "1", "stickerId": "2"},
    "image": {"type": "image", "originalContentUrl": URL, "previewImageUrl": URL},
    "video": {"type": "video", "originalContentUrl": URL, "previewImageUrl": URL, "trackingId": "a"},
    "audio": {"type": "audio", "originalContentUrl": URL, "duration": 1},
    "location": {"type": "location", "title": "a", "address": "b", "latitude": 35, "longitude": 139},
    "imagemap": imagemap(
        1,
        video={
            "originalContentUrl": URL,
            "previewImageUrl": URL,
            "area": IMAGEMAP_AREA,
            "externalLink": {"linkUri": URL, "label": "a"},
        },
    ),
    "said": {
        **imagemap(0),
        "actions": [{"type": "message", "text": "a", "label": "a", "area": IMAGEMAP_AREA}],
    },
    "copied": {
        **imagemap(0),
        "actions": [{"type": "clipboard", "clipboardText": "a", "area": IMAGEMAP_AREA}],
    },
    "buttons": buttons(
        1, thumbnailImageUrl=URL, imageSize="cover", imageBackgroundColor="#ffffff", defaultAction=uri()
    ),
    "confirm": template(type="confirm", text="a", actions=[uri(), uri()]),
    "columns": template(
        type="carousel",
        imageAspectRatio="square",
        columns=[{"text": "a", "actions": [uri()]} for _ in range(2)],
    ),
    "images": template(type="image_carousel", columns=[{"imageUrl": URL, "action": uri()}]),
    "coupon": {"type": "coupon", "couponId": "c", "deliveryTag": "d"},
    "flex": flex(
        {
            "type": "text",
            "text": "a",
            "size": "3xl",
            "color": "#00000080",
            "maxLines": 0,
            "lineSpacing": "3px",
            "action": uri(),
        },
        {"type": "text", "contents": [{"type": "span", "text": "a", "weight": "bold"}]},
        {
            "type": "image",
            "url": URL,
            "aspectRatio": "20:13",
            "aspectMode": "cover",
            "size": "full",
            "animated": True,
        },
        {
            "type": "button",
            "action": uri(),
            "style": "link",
            "height": "sm",
            "margin": "4px",
            "offsetTop": "-10%",
        },
        {"type": "separator", "margin": "xl", "color": "#000000"},
        {
            "type": "box",
            "layout": "baseline",
            "contents": [{"type": "icon", "url": URL, "size": "sm"}, {"type": "text", "text": "a"}],
            "paddingAll": "10%",
            "borderWidth": "semi-bold",
            "cornerRadius": "md",
            "width": "50%",
            "justifyContent": "space-evenly",
            "background": {
                "type": "linearGradient",
                "angle": "0deg",
                "startColor": "#000000",
                "endColor": "#ffffff",
                "centerPosition": "10%",
            },
        },
    ),
    "hero": {
        "type": "flex",
        "altText": "a",
        "contents": {
            "type": "bubble",
            "size": "kilo",
            "direction": "ltr",
            "hero": {
                "type": "video",
                "url": URL,
                "previewUrl": URL,
                "altContent": {"type": "image", "url": URL},
                "action": uri(),
            },
            "styles": {"hero": {"backgroundColor": "#ffffff", "separator": True}},
        },
    },
}
COLUMN = {"text": "a", "actions": [uri()]}
SMILE = {"type": "emoji", "productId": "p", "emojiId": "1"}
SMILES = {f"a_{number}": SMILE for number in range(100)}
LONG_URL = "https://" + "a" * 1_992
LONG_URI = "https://" + "a" * 992
PARTS = "contents.body.contents"
Q = "quickReply.items.0"
LIMITS: list[tuple[str, str, Any, Any]] = [
    ("quick", "sender.iconUrl", LONG_URL, LONG_URL + "a"),
    ("quick", f"{Q}.type", "action", "button"),
    ("quick", f"{Q}.imageUrl", LONG_URL, LONG_URL + "a"),
    ("quick", f"{Q}.action.type", "cameraRoll", "richmenuswitch"),
    ("quick", f"{Q}.action.type", "location", "locations"),
    ("uri", f"{Q}.action.altUri.desktop", LONG_URI, LONG_URI + "a"),
    ("message", f"{Q}.action.text", FAMILY * 300, FAMILY * 301),
    ("postback", f"{Q}.action.displayText", FAMILY * 300, FAMILY * 301),
    ("postback", f"{Q}.action.data", "🍎" * 150, "🍎" * 151),
    ("postback", f"{Q}.action.inputOption", "openRichMenu", "openMenu"),
    ("postback", f"{Q}.action.fillInText", "a" * 1_000, "a" * 1_001),
    ("picker", f"{Q}.action.mode", "datetime", "day"),
    ("picker", f"{Q}.action.initial", "2026-11-22t19:00", "22.11.2026"),
    ("text", "emojis.0.index", 1, 0),
    ("text", "emojis", [{"index": 1, "productId": "p", "emojiId": "1"}] * 20, [{"index": 1, "productId": "p", "emojiId": "1"}] * 21),
    ("textV2", "text", "{who}{smile}" + "a" * 4_988, "{who}{smile}" + "a" * 4_989),
    ("textV2", "text", "}} {who}{smile}", "} {who}{smile}"),
    ("textV2", "text", "{who} {smile}", "{who} {smile} {other}"),
    ("textV2", "text", "{smile}{who}", "{smile}"),
    ("textV2", "substitution.who.type", "mention", "person"),
    ("textV2", "substitution.who.mentionee", {"type": "all"}, {"type": "everybody"}),
    ("textV2", "substitution.smile.emojiId", "2", ""),
    ("sticker", "packageId", "1" * 100, "1" * 101),
    ("image", "originalContentUrl", LONG_URL, LONG_URL + "a"),
    ("image", "previewImageUrl", URL, "http://example.com/a"),
    ("video", "trackingId", "a" * 100, "a" * 101),
    ("video", "trackingId", "a-1", "a 1"),
    ("audio", "duration", 1, 0),
    ("audio", "duration", 60_000, 1.5),
    ("location", "title", "a" * 100, "a" * 101),
    ("location", "address", "a" * 100, "a" * 101),
    ("location", "latitude", -90, -90.1),
    ("location", "longitude", 180, 180.1),
    ("imagemap", "altText", "a" * 1_500, "a" * 1_501),
    ("imagemap", "baseUrl", LONG_URL, LONG_URL + "a"),
    ("imagemap", "baseSize.width", 1, 0),
    ("imagemap", "actions.0.linkUri", LONG_URI, LONG_URI + "a"),
    ("imagemap", "actions.0.area.x", 0, -1),
    ("imagemap", "actions.0.area.width", 1, 0),
    ("imagemap", "video.originalContentUrl", LONG_URL, LONG_URL + "a"),
    ("imagemap", "video.externalLink.label", "a" * 30, "a" * 31),
    ("imagemap", "video.externalLink.linkUri", LONG_URI, LONG_URI + "a"),
    ("said", "actions.0.text", "a" * 400, "a" * 401),
    ("said", "actions.0.label", FAMILY * 100, FAMILY * 101),
    ("copied", "actions.0.clipboardText", "a" * 1_000, "a" * 1_001),
    ("buttons", "altText", "a" * 1_500, "a" * 1_501),
    ("buttons", "template.thumbnailImageUrl", LONG_URL, LONG_URL + "a"),
    ("buttons", "template.text", FAMILY * 60, FAMILY * 61),
    ("buttons", "template.imageSize", "contain", "fill"),
    ("buttons", "template.imageBackgroundColor", "#FFFFFF", "white"),
    ("buttons", "template.defaultAction", uri(), {"type": "camera"}),
    ("buttons", "template.actions.0.label", FAMILY * 20, FAMILY * 21),
    ("confirm", "template.actions", [uri()] * 2, [uri()] * 3),
    ("confirm", "template.actions", [uri()] * 2, [uri()]),
    ("columns", "template.columns.0.text", FAMILY * 120, FAMILY * 121),
    ("columns", "template.columns.0.actions", [uri()], [uri()] * 2),
    ("columns", "template.columns.0.title", None, "a"),
    ("columns", "template.imageAspectRatio", "rectangle", "round"),
    ("columns", "template.columns", [{"text": "a", "actions": [uri()] * 3}], [{"text": "a", "actions": [uri()] * 4}]),
    ("images", "template.columns", [{"imageUrl": URL, "action": uri()}] * 10, [{"imageUrl": URL, "action": uri()}] * 11),
    ("images", "template.columns.0.action.label", FAMILY * 12, FAMILY * 13),
    ("images", "template.columns.0.imageUrl", LONG_URL, LONG_URL + "a"),
    ("coupon", "couponId", "c" * 100, "c" * 101),
    ("coupon", "deliveryTag", "a" * 30, "a" * 31),
    ("flex", f"{PARTS}.0.size", "5xl", "6xl"),
    ("flex", f"{PARTS}.0.color", "#ABCDEF", "red"),
    ("flex", f"{PARTS}.0.maxLines", 2, -1),
    ("flex", f"{PARTS}.0.lineSpacing", "3.5px", "3"),
    ("flex", f"{PARTS}.0.action.label", FAMILY * 40, FAMILY * 41),
    ("flex", f"{PARTS}.0.wrap", True, "true"),
    ("flex", f"{PARTS}.1.contents.0.weight", "regular", "heavy"),
    ("flex", f"{PARTS}.1.contents.0.text", "a", ""),
    ("flex", f"{PARTS}.1.contents", [{"type": "span", "text": "a"}], []),
    ("flex", f"{PARTS}.2.aspectRatio", "1.5:1", "3x2"),
    ("flex", f"{PARTS}.2.aspectMode", "fit", "fill"),
    ("flex", f"{PARTS}.2.size", "30%", "huge"),
    ("flex", f"{PARTS}.2.url", LONG_URL, LONG_URL + "a"),
    ("flex", f"{PARTS}.3.style", "primary", "danger"),
    ("flex", f"{PARTS}.3.height", "md", "lg"),
    ("flex", f"{PARTS}.3.margin", "none", "5%"),
    ("flex", f"{PARTS}.3.offsetTop", "5%", "top"),
    ("flex", f"{PARTS}.3.flex", 3, 0.5),
    ("flex", f"{PARTS}.4", {"type": "filler", "flex": 2}, {"type": "spacer"}),
    ("flex", f"{PARTS}.5.layout", "baseline", "vertical"),
    ("flex", f"{PARTS}.5.contents.0", {"type": "text", "text": "a"}, {"type": "image", "url": URL}),
    ("flex", f"{PARTS}.5.paddingAll", "xxl", "3xl"),
    ("flex", f"{PARTS}.5.borderWidth", "1px", "thick"),
    ("flex", f"{PARTS}.5.cornerRadius", "4px", "round"),
    ("flex", f"{PARTS}.5.width", "120px", "md"),
    ("flex", f"{PARTS}.5.justifyContent", "center", "left"),
    ("flex", f"{PARTS}.5.background.angle", "45.5deg", "45"),
    ("flex", f"{PARTS}.5.background.centerPosition", "33.3%", "33"),
    ("flex", f"{PARTS}.5.background.type", "linearGradient", "radialGradient"),
    ("flex", "contents.body", {"type": "box", "layout": "vertical", "contents": []}, {"type": "text", "text": "a"}),
    ("text", "emojis.0.index", 1, 1.5),
    ("text", "quoteToken", "a" * 5_000, "a" * 5_001),
    ("textV2", "text", "{who}{smile}{{a b}}", "{who}{smile}{a b}"),
    ("location", "latitude", 90, 90.1),
    ("location", "longitude", -180, -180.1),
    ("imagemap", "actions.0.label", FAMILY * 100, FAMILY * 101),
    ("imagemap", "actions.0.area.y", 1, 1.5),
    ("imagemap", "video.externalLink.label", FAMILY * 30, FAMILY * 31),
    ("copied", "actions.0.label", FAMILY * 100, FAMILY * 101),
    ("buttons", "template.thumbnailImageUrl", URL, "http://example.com/a"),
    ("buttons", "template.title", FAMILY * 40, FAMILY * 41),
    ("buttons", "template.defaultAction.label", FAMILY * 20, FAMILY * 21),
    ("confirm", "template.text", FAMILY * 240, FAMILY * 241),
    ("columns", "template.columns", [COLUMN | {"title": FAMILY * 40}], [COLUMN | {"title": FAMILY * 41}]),
    ("columns", "template.columns", [COLUMN | {"title": "a", "text": "a" * 60}], [COLUMN | {"title": "a", "text": "a" * 61}]),
    ("columns", "template.columns", [COLUMN | {"imageBackgroundColor": "#ffffff"}], [COLUMN | {"imageBackgroundColor": "#fff"}]),
    ("columns", "template.columns", [COLUMN], [COLUMN | {"actions": []}]),
    ("columns", "template.columns", [COLUMN], []),
    ("images", "template.columns", [{"imageUrl": URL, "action": uri()}], []),
    ("flex", "contents.body.position", "absolute", "fixed"),
    ("flex", "contents.body.layout", "horizontal", "diagonal"),
    ("flex", "contents.body.alignItems", "center", "middle"),
    ("flex", f"{PARTS}.0.style", "italic", "oblique"),
    ("flex", f"{PARTS}.0.decoration", "underline", "blink"),
    ("flex", f"{PARTS}.2.align", "start", "left"),
    ("flex", f"{PARTS}.3.gravity", "center", "middle"),
    ("flex", f"{PARTS}.3.action.label", FAMILY * 40, FAMILY * 41),
    ("hero", "contents.hero.action.label", FAMILY * 40, FAMILY * 41),
    ("flex", "contents.size", "nano", "tiny"),
    ("flex", "contents", {"type": "carousel", "contents": [{"type": "bubble"}]}, {"type": "carousel"}),
    ("hero", "contents.size", "giga", "nano"),
    ("hero", "contents.direction", "rtl", "ttb"),
    ("hero", "contents.hero.previewUrl", LONG_URL, LONG_URL + "a"),
    ("hero", "contents.hero.altContent", {"type": "image", "url": URL}, {"type": "text", "text": "a"}),
    ("hero", "contents.hero", {"type": "image", "url": URL}, {"type": "button", "action": uri()}),
    ("hero", "contents.styles.hero.backgroundColor", "#000000", "black"),
]  # fmt: skip


def changed(base: Part, path: str, value: Any) -> Part:
    """The message with one value, given by its path, in place of what it has there; None takes it away."""
    message = copy.deepcopy(base)
    *way, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    place: Any = message
    for key in way:
        place = place[key]
    if value is None:
        place.pop(last, None)
    else:
        place[last] = value
    return message


@pytest.mark.parametrize("base", BASES)
def test_every_message_that_line_knows_is_taken_with_all_that_it_may_have(base: str) -> None:
    assert content_faults([BASES[base]]) == []


@pytest.mark.parametrize(("base", "path", "allowed", "refused"), LIMITS)
def test_a_property_is_taken_up_to_its_limit_and_refused_beyond(
    base: str, path: str, allowed: Any, refused: Any
) -> None:
    assert content_faults([changed(BASES[base], path, allowed)]) == []
    assert content_faults([changed(BASES[base], path, refused)])


SANDBOX = DirectLine(LineSandbox())


def refused_by_the_sandbox(content: list[Part]) -> Any:
    answer = SANDBOX.call("POST", "/v2/bot/message/validate/push", {"messages": content})
    return None if answer.status == 200 else answer.body


@pytest.mark.parametrize("base", BASES)
def test_the_sandbox_takes_every_message_too(base: str) -> None:
    assert refused_by_the_sandbox([BASES[base]]) is None


def test_the_sandbox_takes_whatever_is_within_its_limits() -> None:
    within = [allowed for allowed, _, _ in EDGES]
    within += [[changed(BASES[base], path, allowed)] for base, path, allowed, _ in LIMITS]
    assert [content for content in within if refused_by_the_sandbox(content)] == []


NEEDED = [
    ("text", "text"),
    ("text", "emojis.0.index"),
    ("text", "emojis.0.productId"),
    ("text", "emojis.0.emojiId"),
    ("textV2", "text"),
    ("textV2", "substitution.smile.emojiId"),
    ("textV2", "substitution.who.mentionee"),
    ("textV2", "substitution.who.mentionee.userId"),
    ("textV2", "substitution.smile.productId"),
    ("quick", "quickReply.items"),
    ("quick", f"{Q}.action"),
    ("quick", f"{Q}.type"),
    ("quick", f"{Q}.action.label"),
    ("uri", f"{Q}.action.uri"),
    ("message", f"{Q}.action.text"),
    ("postback", f"{Q}.action.data"),
    ("picker", f"{Q}.action.data"),
    ("picker", f"{Q}.action.mode"),
    ("sticker", "packageId"),
    ("sticker", "stickerId"),
    ("image", "originalContentUrl"),
    ("image", "previewImageUrl"),
    ("video", "originalContentUrl"),
    ("video", "previewImageUrl"),
    ("audio", "originalContentUrl"),
    ("audio", "duration"),
    *(("location", key) for key in ("title", "address", "latitude", "longitude")),
    *(("imagemap", key) for key in ("baseUrl", "altText", "baseSize", "baseSize.width", "baseSize.height", "actions")),
    *(("imagemap", f"actions.0.{key}") for key in ("linkUri", "area", "area.x", "area.y", "area.width", "area.height")),
    *(("imagemap", f"video.{key}") for key in ("originalContentUrl", "previewImageUrl", "area")),
    *(("imagemap", f"video.externalLink.{key}") for key in ("linkUri", "label")),
    ("said", "actions.0.text"),
    ("said", "actions.0.area"),
    ("copied", "actions.0.clipboardText"),
    ("copied", "actions.0.area"),
    *(("buttons", key) for key in ("altText", "template", "template.text", "template.actions")),
    *(("confirm", f"template.{key}") for key in ("text", "actions")),
    *(("columns", f"template.{key}") for key in ("columns", "columns.0.text", "columns.0.actions")),
    *(("images", f"template.{key}") for key in ("columns", "columns.0.imageUrl", "columns.0.action")),
    ("coupon", "couponId"),
    *(("flex", key) for key in ("altText", "contents", "contents.type")),
    *(("flex", f"{PARTS}.{key}") for key in ("0.text", "1.contents.0.text", "2.url", "3.action", "3.action.label")),
    *(("flex", f"{PARTS}.5.{key}") for key in ("layout", "contents", "contents.0.url")),
    *(("flex", f"{PARTS}.5.background.{key}") for key in ("angle", "startColor", "endColor")),
    *(("hero", f"contents.hero.{key}") for key in ("url", "previewUrl", "altContent")),
]  # fmt: skip


@pytest.mark.parametrize(("base", "path"), NEEDED)
def test_what_a_part_needs_may_not_be_left_out(base: str, path: str) -> None:
    assert content_faults([changed(BASES[base], path, None)])


ACTIONS: list[Part] = [
    uri(),
    {"type": "message", "label": "a", "text": "a"},
    {"type": "postback", "label": "a", "data": "a"},
    {"type": "datetimepicker", "label": "a", "data": "a", "mode": "time"},
    {"type": "clipboard", "label": "a", "clipboardText": "a"},
    *({"type": kind, "label": "a"} for kind in ("camera", "cameraRoll", "location")),
]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: str(action["type"]))
def test_a_quick_reply_of_any_action_has_a_label_of_twenty_graphemes(action: Part) -> None:
    def refused(**more: Any) -> bool:
        left = {key: value for key, value in {**action, **more}.items() if value is not None}
        return bool(content_faults([quick(left)]))

    assert not refused(label=FAMILY * 20)
    assert refused(label=FAMILY * 21)
    assert all(refused(**{key: None}) for key in action)


@pytest.mark.parametrize("action", ACTIONS[:5], ids=lambda action: str(action["type"]))
def test_what_an_action_needs_it_needs_everywhere(action: Part) -> None:
    def places(one: Part) -> list[Part]:
        column = {"imageUrl": URL, "action": one}
        return [
            template(type="buttons", text="a", actions=[one]),
            template(type="image_carousel", columns=[column]),
            flex({"type": "button", "action": one}),
        ]

    assert all(content_faults([message]) == [] for message in places(action))
    for key in action.keys() - {"label", "type"}:
        left = {name: value for name, value in action.items() if name != key}
        assert all(content_faults([message]) for message in places(left))


@pytest.mark.parametrize(
    ("base", "path", "meant"),
    [
        ("flex", "alttext", "altText"),
        ("text", "quickreply", "quickReply"),
        ("flex", f"{PARTS}.2.aspectratio", "aspectRatio"),
        ("flex", f"{PARTS}.0.colour", "color"),
        ("uri", f"{Q}.action.url", "uri"),
        ("buttons", "template.thumbnail", "thumbnailImageUrl"),
        ("hero", "contents.style", "styles"),
        ("text", "emoji", "emojis"),
        ("video", "trackingID", "trackingId"),
    ],
)
def test_a_misspelt_property_is_told_with_what_it_may_mean(base: str, path: str, meant: str) -> None:
    (fault,) = content_faults([changed(BASES[base], path, "x")])
    assert "is not known here" in fault.message
    assert f"did you mean {meant!r}?" in fault.message


@pytest.mark.parametrize(
    ("message", "meant"),
    [
        ({"type": "flexx"}, "flex"),
        (flex({"type": "txt", "text": "a"}), "text"),
        (template(type="carousell"), "carousel"),
        (quick({"type": "postbak", "label": "a", "data": "a"}), "postback"),
    ],
)
def test_a_misspelt_type_is_told_with_what_it_may_mean(message: Part, meant: str) -> None:
    (fault,) = content_faults([message])
    assert f"did you mean {meant!r}?" in fault.message


@pytest.mark.parametrize(
    ("names", "allowed"), [(list(SMILES), True), ([*SMILES, "x"], False), (["a b"], False)]
)
def test_a_text_has_at_most_a_hundred_substitutions_with_plain_names(names: list[str], allowed: bool) -> None:
    words = "".join(f"{{{name}}}" for name in names)
    message = {"type": "textV2", "text": words, "substitution": dict.fromkeys(names, SMILE)}
    assert (content_faults([message]) == []) is allowed


def test_a_column_without_actions_is_refused() -> None:
    assert content_faults([template(type="carousel", columns=[{"text": "a"}])])


def test_an_icon_stands_beside_a_text_in_a_baseline_box_alone() -> None:
    icon = {"type": "icon", "url": URL}
    assert [fault.path[-1] for fault in content_faults([flex(icon)])] == ["type"]


def test_a_bubble_within_a_carousel_is_bounded_too() -> None:
    message = carousel(1, 30_700)
    assert [fault.path for fault in content_faults([message])] == [(0, "contents", "contents", 0)]


@pytest.mark.parametrize("kind", ["camera", "cameraRoll", "location", "richmenuswitch"])
def test_an_action_that_works_elsewhere_alone_is_told_so(kind: str) -> None:
    (fault,) = content_faults([template(type="buttons", text="a", actions=[{"type": kind, "label": "a"}])])
    assert f"{kind!r} is an action of" in fault.message


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
