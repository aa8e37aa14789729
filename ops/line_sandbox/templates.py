"""Template messages: buttons, confirm, carousel and image carousel. Their texts count graphemes."""

from collections.abc import Callable

from ops.line_sandbox.actions import IMAGE_CAROUSEL_LABEL, NO_LABEL, TEMPLATE_LABEL, check_action
from ops.line_sandbox.checks import Part
from ops.line_sandbox.lengths import graphemes

COLUMNS_MAX = 10
TITLE_LENGTH_MAX = 40
CONFIRM_TEXT_LENGTH_MAX = 240
BUTTONS_TEXT_LENGTH_MAX = 160
BUTTONS_TEXT_BESIDE_TITLE_OR_IMAGE_LENGTH_MAX = 60
COLUMN_TEXT_LENGTH_MAX = 120
COLUMN_TEXT_BESIDE_TITLE_OR_IMAGE_LENGTH_MAX = 60


def check_template(template: Part) -> None:
    """The `template` object of a template message."""
    kind = template.one_of("type", TEMPLATE_CHECKS)
    if kind:
        TEMPLATE_CHECKS[kind](template)


def _check_actions(part: Part, count_min: int, count_max: int) -> None:
    for action in part.children("actions", count_min, count_max):
        check_action(action, TEMPLATE_LABEL)


def _check_face(part: Part, text_max: int, text_max_beside: int) -> None:
    """Image, title, text and the action of the whole: a title or an image leaves the text less room."""
    part.url("thumbnailImageUrl", required=False)
    part.text("title", TITLE_LENGTH_MAX, required=False, count=graphemes)
    beside = part.value.get("thumbnailImageUrl") or part.value.get("title")
    part.text("text", text_max_beside if beside else text_max, count=graphemes)
    default_action = part.child("defaultAction", required=False)
    if default_action:
        check_action(default_action, NO_LABEL)


def _check_buttons(template: Part) -> None:
    _check_face(template, BUTTONS_TEXT_LENGTH_MAX, BUTTONS_TEXT_BESIDE_TITLE_OR_IMAGE_LENGTH_MAX)
    _check_actions(template, 1, 4)


def _check_confirm(template: Part) -> None:
    template.text("text", CONFIRM_TEXT_LENGTH_MAX, count=graphemes)
    _check_actions(template, 2, 2)


def _check_carousel(template: Part) -> None:
    columns = template.children("columns", 1, COLUMNS_MAX)
    for column in columns:
        _check_face(column, COLUMN_TEXT_LENGTH_MAX, COLUMN_TEXT_BESIDE_TITLE_OR_IMAGE_LENGTH_MAX)
        _check_actions(column, 1, 3)
    if len({len(column.value.get("actions") or ()) for column in columns}) > 1:
        template.report("columns", "The number of actions must be the same in all columns")
    for name in ("thumbnailImageUrl", "title"):
        if len({column.value.get(name) is None for column in columns}) > 1:
            template.report("columns", f"{name} must be set in all columns or in none")


def _check_image_carousel(template: Part) -> None:
    for column in template.children("columns", 1, COLUMNS_MAX):
        column.url("imageUrl")
        action = column.child("action")
        if action:
            check_action(action, IMAGE_CAROUSEL_LABEL)


TEMPLATE_CHECKS: dict[str, Callable[[Part], None]] = {
    "buttons": _check_buttons,
    "confirm": _check_confirm,
    "carousel": _check_carousel,
    "image_carousel": _check_image_carousel,
}
