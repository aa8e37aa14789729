"""Actions of buttons, quick replies, templates and Flex components."""

from collections.abc import Callable
from dataclasses import dataclass

from ops.line_sandbox.checks import Part
from ops.line_sandbox.lengths import graphemes

URI_LENGTH_MAX = 1000
POSTBACK_DATA_LENGTH_MAX = 300
ACTION_TEXT_LENGTH_MAX = 300
CLIPBOARD_LENGTH_MAX = 1000
FILL_IN_LENGTH_MAX = 1000
URI_SCHEMES = ("https://", "http://", "line:", "tel:")


@dataclass(frozen=True, slots=True)
class LabelRule:
    """How long an action's label may be, in graphemes, where the action stands."""

    length_max: int
    required: bool
    in_quick_reply: bool = False


TEMPLATE_LABEL = LabelRule(20, required=True)
QUICK_REPLY_LABEL = LabelRule(20, required=True, in_quick_reply=True)
IMAGE_CAROUSEL_LABEL = LabelRule(12, required=False)
FLEX_BUTTON_LABEL = LabelRule(40, required=True)
NO_LABEL = LabelRule(40, required=False)


def check_action(action: Part, label: LabelRule) -> None:
    """One action object: its type, its label and what its type asks for."""
    kind = action.one_of("type", ACTION_CHECKS if label.in_quick_reply else ELSEWHERE)
    action.text("label", label.length_max, required=label.required, count=graphemes)
    if kind:
        ACTION_CHECKS[kind](action)


def _check_postback(action: Part) -> None:
    action.text("data", POSTBACK_DATA_LENGTH_MAX)
    action.text("displayText", ACTION_TEXT_LENGTH_MAX, required=False, count=graphemes)
    action.text("fillInText", FILL_IN_LENGTH_MAX, required=False)
    if action.value.get("inputOption") is not None:
        action.one_of("inputOption", ("closeRichMenu", "openRichMenu", "openKeyboard", "openVoice"))


def _check_message(action: Part) -> None:
    action.text("text", ACTION_TEXT_LENGTH_MAX, count=graphemes)


def _check_uri(action: Part) -> None:
    action.uri("uri", URI_SCHEMES, URI_LENGTH_MAX)
    desktop = action.child("altUri", required=False)
    if desktop:
        desktop.uri("desktop", URI_SCHEMES, URI_LENGTH_MAX, required=False)


def _check_datetime_picker(action: Part) -> None:
    action.text("data", POSTBACK_DATA_LENGTH_MAX)
    action.one_of("mode", ("date", "time", "datetime"))


def _check_clipboard(action: Part) -> None:
    action.text("clipboardText", CLIPBOARD_LENGTH_MAX)


def _check_nothing_more(action: Part) -> None:
    """Camera, camera roll and location carry a label alone."""


ACTION_CHECKS: dict[str, Callable[[Part], None]] = {
    "postback": _check_postback,
    "message": _check_message,
    "uri": _check_uri,
    "datetimepicker": _check_datetime_picker,
    "clipboard": _check_clipboard,
    "camera": _check_nothing_more,
    "cameraRoll": _check_nothing_more,
    "location": _check_nothing_more,
}
# Only rich menus switch rich menus, and only quick replies open the camera or ask where somebody is.
ELSEWHERE = [kind for kind in ACTION_CHECKS if ACTION_CHECKS[kind] is not _check_nothing_more]
