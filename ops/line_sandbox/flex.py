"""Flex messages: containers, their sizes, and the components within."""

from collections.abc import Callable

from ops.line_sandbox.actions import FLEX_BUTTON_LABEL, NO_LABEL, check_action
from ops.line_sandbox.checks import EMPTY, Part
from ops.line_sandbox.lengths import json_bytes

BUBBLE_BYTES_MAX = 30 * 1024
CAROUSEL_BYTES_MAX = 50 * 1024
CAROUSEL_BUBBLES_MAX = 12
CONTENTS_MAX = 1000
BLOCKS = ("header", "hero", "body", "footer")


def check_container(container: Part) -> None:
    """A bubble or a carousel of bubbles."""
    kind = container.one_of("type", ("bubble", "carousel"))
    if kind == "bubble":
        check_bubble(container)
    elif kind == "carousel":
        _check_size(container, CAROUSEL_BYTES_MAX)
        for bubble in container.children("contents", 1, CAROUSEL_BUBBLES_MAX):
            check_bubble(bubble)


def check_bubble(bubble: Part) -> None:
    """A bubble: at most 30 KB of JSON, and each block a component."""
    _check_size(bubble, BUBBLE_BYTES_MAX)
    for name in BLOCKS:
        block = bubble.child(name, required=False)
        if block:
            check_component(block)
    _check_own_action(bubble)


def check_component(component: Part) -> None:
    """One component and, in a box or a text, those within it."""
    kind = component.one_of("type", COMPONENT_CHECKS)
    if kind:
        COMPONENT_CHECKS[kind](component)
    _check_own_action(component)


def _check_size(container: Part, bytes_max: int) -> None:
    if json_bytes(container.value) > bytes_max:
        container.problems.add(container.path, f"Size must not exceed {bytes_max // 1024} KB")


def _check_own_action(part: Part) -> None:
    """A tap on the whole component; a button's is checked, with its label, as the button's."""
    if part.value.get("type") == "button":
        return
    action = part.child("action", required=False)
    if action:
        check_action(action, NO_LABEL)


def _check_box(box: Part) -> None:
    box.one_of("layout", ("horizontal", "vertical", "baseline"))
    if box.value.get("contents") is None:
        box.report("contents", EMPTY)
    for component in box.children("contents", 0, CONTENTS_MAX):
        check_component(component)


def _check_button(button: Part) -> None:
    action = button.child("action")
    if action:
        check_action(action, FLEX_BUTTON_LABEL)


def _check_text(text: Part) -> None:
    """A text has either `text` or spans; LINE sets no length of its own but the container's size."""
    if not text.value.get("contents"):
        text.text("text", BUBBLE_BYTES_MAX)
    for span in text.children("contents", 0, CONTENTS_MAX):
        check_component(span)


def _check_span(span: Part) -> None:
    span.text("text", BUBBLE_BYTES_MAX)


def _check_image(image: Part) -> None:
    image.url("url")


def _check_video(video: Part) -> None:
    video.url("url")
    video.url("previewUrl")
    alternative = video.child("altContent")
    if alternative:
        check_component(alternative)


def _check_nothing_more(component: Part) -> None:
    """Separators and fillers have only looks."""


COMPONENT_CHECKS: dict[str, Callable[[Part], None]] = {
    "box": _check_box,
    "button": _check_button,
    "image": _check_image,
    "video": _check_video,
    "icon": _check_image,
    "text": _check_text,
    "span": _check_span,
    "separator": _check_nothing_more,
    "filler": _check_nothing_more,
}
