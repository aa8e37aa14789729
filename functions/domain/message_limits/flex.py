"""Flex containers: bubbles and carousels of them, and every component within."""

from functions.domain.message_limits.actions import action
from functions.domain.message_limits.counting import json_bytes
from functions.domain.message_limits.rules import (
    Address,
    Faults,
    Flag,
    Items,
    LimitFault,
    Matching,
    Number,
    Object,
    OneOf,
    Part,
    Path,
    Rule,
    Text,
    Typed,
)

BUBBLE_BYTES_MAX = 30 * 1024
CAROUSEL_BYTES_MAX = 50 * 1024
BUBBLES_MAX = 12
CONTENTS_MAX = 1_000
LABEL_GRAPHEMES_MAX = 40
URL_CHARACTERS_MAX = 2_000
_VIDEO_SIZES = ("kilo", "mega", "giga")

# A Flex text has no length of its own but the container's size, which more characters than bytes never meet.
_WORDS = Text(BUBBLE_BYTES_MAX)
_URL = Address(URL_CHARACTERS_MAX)
_COLOUR = Matching(r"#([0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})", "a colour such as #1A2B3C or #1A2B3C80")
_RATIO = Matching(r"\d+(\.\d+)?:\d+(\.\d+)?", "width:height in quotes, such as '20:13'")
_PIXELS = r"\d+(\.\d+)?px"
_PERCENT = r"\d+(\.\d+)?%"
_STEPS = "none|xs|sm|md|lg|xl|xxl"
_SIZES = "xxs|xs|sm|md|lg|xl|xxl|3xl|4xl|5xl"
_SPACE = Matching(f"{_STEPS}|{_PIXELS}", "none, xs, sm, md, lg, xl, xxl or pixels such as 12px")
_OFFSET = Matching(
    f"{_STEPS}|-?{_PIXELS}|-?{_PERCENT}", "none, xs, sm, md, lg, xl, xxl, pixels (12px) or percent (50%)"
)
_LENGTH = Matching(f"{_PIXELS}|{_PERCENT}", "pixels (120px) or percent (50%)")
_FONT = Matching(f"{_SIZES}|{_PIXELS}", f"{_SIZES.replace('|', ', ')} or pixels such as 15px")
_PICTURE = Matching(
    f"{_SIZES}|full|{_PIXELS}|{_PERCENT}", f"{_SIZES.replace('|', ', ')}, full, pixels or percent"
)
_BORDER = Matching(
    f"none|light|normal|semi-bold|medium|bold|{_PIXELS}",
    "none, light, normal, semi-bold, medium, bold or pixels",
)
_WHOLE = Number(least=0, whole=True)
_TAP = action(LABEL_GRAPHEMES_MAX, labelled=False)
_GRAVITY = OneOf(("top", "bottom", "center"))
_ALIGN = OneOf(("start", "end", "center"))

_PLACED: dict[str, Rule] = {
    "margin": _SPACE,
    "position": OneOf(("relative", "absolute")),
    **dict.fromkeys(("offsetTop", "offsetBottom", "offsetStart", "offsetEnd"), _OFFSET),
}
_WRITTEN: dict[str, Rule] = {
    "text": _WORDS,
    "size": _FONT,
    "color": _COLOUR,
    "weight": OneOf(("regular", "bold")),
    "style": OneOf(("normal", "italic")),
    "decoration": OneOf(("none", "underline", "line-through")),
}


def _component(kind: str, fields: dict[str, Rule], *needed: str) -> Object:
    return Object({"type": OneOf((kind,)), **fields}, needed)


_SPANS = Items(Typed({"span": _component("span", _WRITTEN, "text")}, "span"), 0, CONTENTS_MAX)
_GRADIENT = _component(
    "linearGradient",
    {
        "angle": Matching(r"\d+(\.\d+)?deg", "an angle such as 90deg"),
        **dict.fromkeys(("startColor", "endColor", "centerColor"), _COLOUR),
        "centerPosition": Matching(_PERCENT, "percent, such as 50%"),
    },
    "angle",
    "startColor",
    "endColor",
)


def _something_written(part: Part, path: Path) -> Faults:
    """A text has either `text` or spans."""
    if not part.get("contents") and "text" not in part:
        yield LimitFault((*path, "text"), "'text' is missing; add it, or spans as contents")


def _children(part: Part, path: Path) -> Faults:
    """A baseline box holds texts and icons alone; icons stand nowhere else."""
    contents = part.get("contents")
    for number, child in enumerate(contents if isinstance(contents, list) else ()):
        kind = child.get("type") if isinstance(child, dict) else None
        place = (*path, "contents", number, "type")
        if part.get("layout") == "baseline" and kind in _COMPONENTS and kind not in _BASELINE:
            yield LimitFault(
                place, f"a baseline box holds no {kind}; known there: {', '.join(sorted(_BASELINE))}"
            )
        if part.get("layout") in ("horizontal", "vertical") and kind == "icon":
            yield LimitFault(place, "an icon stands in a box with layout: baseline only")


_BASELINE = frozenset({"icon", "text", "filler", "separator"})
_COMPONENTS: dict[str, Object] = {
    "button": _component(
        "button",
        {
            **_PLACED,
            "action": action(LABEL_GRAPHEMES_MAX),
            "flex": _WHOLE,
            "height": OneOf(("sm", "md")),
            "style": OneOf(("primary", "secondary", "link")),
            "color": _COLOUR,
            "gravity": _GRAVITY,
            "adjustMode": OneOf(("shrink-to-fit",)),
            "scaling": Flag(),
        },
        "action",
    ),
    "image": _component(
        "image",
        {
            **_PLACED,
            "url": _URL,
            "flex": _WHOLE,
            "align": _ALIGN,
            "gravity": _GRAVITY,
            "size": _PICTURE,
            "aspectRatio": _RATIO,
            "aspectMode": OneOf(("cover", "fit")),
            "backgroundColor": _COLOUR,
            "action": _TAP,
            "animated": Flag(),
        },
        "url",
    ),
    "icon": _component(
        "icon", {**_PLACED, "url": _URL, "size": _FONT, "aspectRatio": _RATIO, "scaling": Flag()}, "url"
    ),
    "text": Object(
        {
            "type": OneOf(("text",)),
            **_PLACED,
            **_WRITTEN,
            "contents": _SPANS,
            "flex": _WHOLE,
            "align": _ALIGN,
            "gravity": _GRAVITY,
            "wrap": Flag(),
            "lineSpacing": Matching(_PIXELS, "pixels such as 10px"),
            "maxLines": _WHOLE,
            "adjustMode": OneOf(("shrink-to-fit",)),
            "scaling": Flag(),
            "action": _TAP,
        },
        (),
        (_something_written,),
    ),
    "separator": _component("separator", {"margin": _SPACE, "color": _COLOUR}),
    "filler": _component("filler", {"flex": _WHOLE}),
}
_BOX = Object(
    {
        "type": OneOf(("box",)),
        **_PLACED,
        "layout": OneOf(("horizontal", "vertical", "baseline")),
        "contents": Items(Typed(_COMPONENTS, "component"), 0, CONTENTS_MAX),
        "flex": _WHOLE,
        "spacing": _SPACE,
        **dict.fromkeys(("backgroundColor", "borderColor"), _COLOUR),
        "borderWidth": _BORDER,
        "cornerRadius": _SPACE,
        **dict.fromkeys(("width", "maxWidth", "height", "maxHeight"), _LENGTH),
        **dict.fromkeys(("paddingAll", "paddingTop", "paddingBottom", "paddingStart", "paddingEnd"), _OFFSET),
        "justifyContent": OneOf(
            ("center", "flex-start", "flex-end", "space-between", "space-around", "space-evenly")
        ),
        "alignItems": OneOf(("center", "flex-start", "flex-end")),
        "background": Typed({"linearGradient": _GRADIENT}, "background"),
        "action": _TAP,
    },
    ("layout", "contents"),
    (_children,),
)
_COMPONENTS["box"] = _BOX
_BLOCK = Typed({"box": _BOX}, "block")
_VIDEO = _component(
    "video",
    {
        "url": _URL,
        "previewUrl": _URL,
        "altContent": Typed({"box": _BOX, "image": _COMPONENTS["image"]}, "altContent"),
        "aspectRatio": _RATIO,
        "action": action(LABEL_GRAPHEMES_MAX),
    },
    "url",
    "previewUrl",
    "altContent",
)


def _bubble_size(part: Part, path: Path) -> Faults:
    yield from _size(part, path, BUBBLE_BYTES_MAX)


def _carousel_size(part: Part, path: Path) -> Faults:
    yield from _size(part, path, CAROUSEL_BYTES_MAX)


def _size(part: Part, path: Path, longest: int) -> Faults:
    size = json_bytes(part)
    if size > longest:
        yield LimitFault(path, f"this has {size} bytes as JSON, LINE takes {longest}; take something out")


def _room_for_video(part: Part, path: Path) -> Faults:
    hero = part.get("hero")
    if (
        isinstance(hero, dict)
        and hero.get("type") == "video"
        and part.get("size", "mega") not in _VIDEO_SIZES
    ):
        yield LimitFault((*path, "size"), f"a video needs a bubble of size {', '.join(_VIDEO_SIZES)}")


_BLOCK_STYLE = Object({"backgroundColor": _COLOUR, "separator": Flag(), "separatorColor": _COLOUR})
BUBBLE = Object(
    {
        "type": OneOf(("bubble",)),
        "size": OneOf(("nano", "micro", "deca", "hecto", "kilo", "mega", "giga")),
        "direction": OneOf(("ltr", "rtl")),
        **dict.fromkeys(("header", "body", "footer"), _BLOCK),
        "hero": Typed({"box": _BOX, "image": _COMPONENTS["image"], "video": _VIDEO}, "hero"),
        "styles": Object(dict.fromkeys(("header", "hero", "body", "footer"), _BLOCK_STYLE)),
        "action": _TAP,
    },
    (),
    (_bubble_size, _room_for_video),
)
_BUBBLES = Items(Typed({"bubble": BUBBLE}, "bubble"), 1, BUBBLES_MAX)
CONTAINER = Typed(
    {
        "bubble": BUBBLE,
        "carousel": Object(
            {"type": OneOf(("carousel",)), "contents": _BUBBLES}, ("contents",), (_carousel_size,)
        ),
    },
    "container",
)
