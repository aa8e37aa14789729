"""Every kind of message object that LINE knows, and what each must hold."""

import json
from collections.abc import Callable
from typing import Any

from functions.domain.message_limits.parts import (
    Faults,
    LimitFault,
    Part,
    Path,
    action_faults,
    children_of,
    graphemes,
    number_faults,
    text_faults,
    uri_faults,
    url_faults,
)

OBJECTS_MAX = 5
TEXT_UNITS_MAX = 5_000
ALT_TEXT_UNITS_MAX = 1_500
QUICK_REPLIES_MAX = 13
SENDER_UNITS_MAX = 20
BUBBLE_BYTES_MAX = 30 * 1024
CAROUSEL_BYTES_MAX = 50 * 1024
BUBBLES_MAX = 12
COLUMNS_MAX = 10
IMAGEMAP_ACTIONS_MAX = 50
TITLE_GRAPHEMES_MAX = 40
LABEL_GRAPHEMES_MAX = 20
LABEL_GRAPHEMES_MAX_FLEX = 40
LABEL_GRAPHEMES_MAX_IMAGE = 12


def content_faults(content: list[Part]) -> list[LimitFault]:
    """Everything in a message's objects that LINE would refuse; texts as they will be sent, not as templates."""
    if not 1 <= len(content) <= OBJECTS_MAX:
        return [LimitFault((), f"a message has 1 to {OBJECTS_MAX} objects, this one has {len(content)}")]
    return [fault for number, part in enumerate(content) for fault in _object(part, (number,))]


def _object(part: Part, path: Path) -> Faults:
    check = _OBJECTS.get(str(part.get("type")))
    if check is None:
        yield LimitFault(
            (*path, "type"), f"{part.get('type')!r} is no message type; known: {', '.join(_OBJECTS)}"
        )
        return
    yield from check(part, path)
    if "quickReply" in part:
        yield from _quick_reply(part["quickReply"], (*path, "quickReply"))
    sender = part.get("sender")
    if isinstance(sender, dict):
        yield from text_faults(sender, "name", (*path, "sender"), SENDER_UNITS_MAX, needed=False)
        yield from url_faults(sender, "iconUrl", (*path, "sender"), needed=False)


def _quick_reply(part: Any, path: Path) -> Faults:
    items, faults = children_of(part if isinstance(part, dict) else {}, "items", path, 1, QUICK_REPLIES_MAX)
    yield from faults
    for number, item in enumerate(items):
        place = (*path, "items", number)
        yield from url_faults(item, "imageUrl", place, needed=False)
        yield from action_faults(item.get("action"), (*place, "action"), LABEL_GRAPHEMES_MAX)


def _media(part: Part, path: Path) -> Faults:
    yield from url_faults(part, "originalContentUrl", path)
    if part["type"] == "audio":
        yield from number_faults(part, "duration", path)
    else:
        yield from url_faults(part, "previewImageUrl", path)


def _location(part: Part, path: Path) -> Faults:
    for key in ("title", "address"):
        yield from text_faults(part, key, path, 100)
    for key in ("latitude", "longitude"):
        yield from number_faults(part, key, path)


def _sticker(part: Part, path: Path) -> Faults:
    for key in ("packageId", "stickerId"):
        yield from text_faults(part, key, path, 100)


def _imagemap(part: Part, path: Path) -> Faults:
    yield from text_faults(part, "altText", path, ALT_TEXT_UNITS_MAX)
    yield from url_faults(part, "baseUrl", path)
    size = part.get("baseSize")
    for key in ("width", "height"):
        yield from number_faults(size if isinstance(size, dict) else {}, key, (*path, "baseSize"))
    actions, faults = children_of(part, "actions", path, 0, IMAGEMAP_ACTIONS_MAX)
    yield from faults
    for number, action in enumerate(actions):
        if action.get("type") == "uri":
            yield from uri_faults(action, "linkUri", (*path, "actions", number))


def _flex(part: Part, path: Path) -> Faults:
    yield from text_faults(part, "altText", path, ALT_TEXT_UNITS_MAX)
    contents, place = part.get("contents"), (*path, "contents")
    if not isinstance(contents, dict) or contents.get("type") not in ("bubble", "carousel"):
        yield LimitFault(place, "'contents' must be an object of type bubble or carousel")
        return
    bubbles = [(contents, place)]
    if contents["type"] == "carousel":
        yield from _size(contents, place, CAROUSEL_BYTES_MAX)
        items, faults = children_of(contents, "contents", place, 1, BUBBLES_MAX)
        yield from faults
        bubbles = [(item, (*place, "contents", number)) for number, item in enumerate(items)]
    for bubble, at in bubbles:
        yield from _size(bubble, at, BUBBLE_BYTES_MAX)
        yield from _components(bubble, at)


def _size(part: Part, path: Path, longest: int) -> Faults:
    size = len(json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))
    if size > longest:
        yield LimitFault(path, f"this has {size} bytes as JSON, LINE takes {longest}; take something out")


def _components(part: Any, path: Path) -> Faults:
    """Every component below, however deep: its text, its picture, its action."""
    if isinstance(part, list):
        for number, item in enumerate(part):
            yield from _components(item, (*path, number))
    if not isinstance(part, dict):
        return
    kind = part.get("type")
    if kind == "text" and "contents" not in part:
        yield from text_faults(part, "text", path, TEXT_UNITS_MAX)
    if kind == "box" and part.get("layout") not in ("horizontal", "vertical", "baseline"):
        yield LimitFault((*path, "layout"), "'layout' must be horizontal, vertical or baseline")
    if kind in ("image", "icon", "video"):
        yield from url_faults(part, "url", path)
    if kind == "button" or "action" in part:
        yield from action_faults(
            part.get("action"), (*path, "action"), LABEL_GRAPHEMES_MAX_FLEX, labelled=kind == "button"
        )
    for key, item in part.items():
        if key != "action":
            yield from _components(item, (*path, key))


def _template(part: Part, path: Path) -> Faults:
    yield from text_faults(part, "altText", path, ALT_TEXT_UNITS_MAX)
    template, place = part.get("template"), (*path, "template")
    kind = template.get("type") if isinstance(template, dict) else None
    if not isinstance(template, dict) or kind not in ("buttons", "confirm", "carousel", "image_carousel"):
        yield LimitFault(place, "'template' must be of type buttons, confirm, carousel or image_carousel")
    elif kind == "buttons":
        yield from _face(template, place, 160, 60, 4)
    elif kind == "confirm":
        yield from _face(template, place, 240, 240, 2)
    else:
        yield from _columns(template, place)


def _columns(template: Part, path: Path) -> Faults:
    columns, faults = children_of(template, "columns", path, 1, COLUMNS_MAX)
    yield from faults
    for number, column in enumerate(columns):
        at = (*path, "columns", number)
        if template["type"] == "carousel":
            yield from _face(column, at, 120, 60, 3)
        else:
            yield from url_faults(column, "imageUrl", at)
            yield from action_faults(
                column.get("action"), (*at, "action"), LABEL_GRAPHEMES_MAX_IMAGE, labelled=False
            )


def _face(part: Part, path: Path, longest: int, longest_beside: int, actions_max: int) -> Faults:
    """A text with buttons. Beside a title or a picture there is room for less text."""
    beside = part.get("title") is not None or part.get("thumbnailImageUrl") is not None
    yield from text_faults(part, "title", path, TITLE_GRAPHEMES_MAX, graphemes, needed=False)
    yield from text_faults(part, "text", path, longest_beside if beside else longest, graphemes)
    yield from url_faults(part, "thumbnailImageUrl", path, needed=False)
    actions, faults = children_of(part, "actions", path, 1, actions_max)
    yield from faults
    for number, action in enumerate(actions):
        yield from action_faults(action, (*path, "actions", number), LABEL_GRAPHEMES_MAX)


_OBJECTS: dict[str, Callable[[Part, Path], Faults]] = {
    "text": lambda part, path: text_faults(part, "text", path, TEXT_UNITS_MAX),
    "textV2": lambda part, path: text_faults(part, "text", path, TEXT_UNITS_MAX),
    "sticker": _sticker,
    "image": _media,
    "video": _media,
    "audio": _media,
    "location": _location,
    "imagemap": _imagemap,
    "template": _template,
    "flex": _flex,
    "coupon": lambda part, path: text_faults(part, "couponId", path, 100),
}
