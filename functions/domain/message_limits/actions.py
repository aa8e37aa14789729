"""What a tap does: the actions, where each may stand, and how long its label may be."""

from functions.domain.message_limits.counting import graphemes
from functions.domain.message_limits.rules import Address, Matching, Object, OneOf, Rule, Text, Typed

URI_CHARACTERS_MAX = 1_000
DATA_UNITS_MAX = 300
SPOKEN_GRAPHEMES_MAX = 300
CLIPBOARD_UNITS_MAX = 1_000
FILL_IN_UNITS_MAX = 1_000
URI = Address(URI_CHARACTERS_MAX, ("https://", "http://", "line:", "tel:"))

_DATA = Text(DATA_UNITS_MAX)
_SPOKEN = Text(SPOKEN_GRAPHEMES_MAX, graphemes)
_WHEN = Matching(
    r"\d{4}-\d{2}-\d{2}([tT]\d{2}:\d{2})?|\d{2}:\d{2}", "a date, a time or both, such as 2026-11-22t19:00"
)
_EVERYWHERE: dict[str, tuple[dict[str, Rule], tuple[str, ...]]] = {
    "uri": ({"uri": URI, "altUri": Object({"desktop": URI})}, ("uri",)),
    "message": ({"text": _SPOKEN}, ("text",)),
    "postback": (
        {
            "data": _DATA,
            "displayText": _SPOKEN,
            "text": _SPOKEN,
            "inputOption": OneOf(("closeRichMenu", "openRichMenu", "openKeyboard", "openVoice")),
            "fillInText": Text(FILL_IN_UNITS_MAX),
        },
        ("data",),
    ),
    "datetimepicker": (
        {
            "data": _DATA,
            "mode": OneOf(("date", "time", "datetime")),
            "initial": _WHEN,
            "max": _WHEN,
            "min": _WHEN,
        },
        ("data", "mode"),
    ),
    "clipboard": ({"clipboardText": Text(CLIPBOARD_UNITS_MAX)}, ("clipboardText",)),
}
_QUICK_REPLIES_ONLY = ("camera", "cameraRoll", "location")
_MENU_ONLY = {"richmenuswitch": "is an action of rich menus alone; use another"}
_REPLY_ONLY = dict.fromkeys(_QUICK_REPLIES_ONLY, "is an action of quick replies alone; use another")


def action(longest: int, *, labelled: bool = True, quick_reply: bool = False) -> Typed:
    """An action whose label has at most `longest` graphemes; `labelled` where people must read what a tap does."""
    types = {**_EVERYWHERE, **({kind: ({}, ()) for kind in _QUICK_REPLIES_ONLY} if quick_reply else {})}
    label = ("label",) if labelled else ()
    return Typed(
        {
            kind: Object(
                {"type": OneOf((kind,)), "label": Text(longest, graphemes), **fields}, (*label, *needed)
            )
            for kind, (fields, needed) in types.items()
        },
        "action",
        _MENU_ONLY if quick_reply else {**_MENU_ONLY, **_REPLY_ONLY},
    )
