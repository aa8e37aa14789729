"""Every kind of message object that LINE knows, and what each must hold."""

from functions.domain.message_limits.actions import CLIPBOARD_UNITS_MAX, URI, action
from functions.domain.message_limits.counting import graphemes
from functions.domain.message_limits.flex import CONTAINER
from functions.domain.message_limits.rules import (
    Address,
    Items,
    LimitFault,
    Matching,
    Number,
    Object,
    OneOf,
    Part,
    Rule,
    Text,
    Typed,
    faults_of,
)
from functions.domain.message_limits.templates import TEMPLATE
from functions.domain.message_limits.texts import ID, STICKER, TEXT, TEXT_V2

OBJECTS_MAX = 5
ALT_TEXT_UNITS_MAX = 1_500
QUICK_REPLIES_MAX = 13
SENDER_UNITS_MAX = 20
PLACE_UNITS_MAX = 100
TRACKING_ID_UNITS_MAX = 100
DELIVERY_TAG_UNITS_MAX = 30
IMAGEMAP_ACTIONS_MAX = 50
IMAGEMAP_TEXT_UNITS_MAX = 400
IMAGEMAP_LABEL_GRAPHEMES_MAX = 100
LINK_LABEL_GRAPHEMES_MAX = 30
LABEL_GRAPHEMES_MAX = 20
URL_CHARACTERS_MAX = 2_000

_URL = Address(URL_CHARACTERS_MAX)
_ALT = Text(ALT_TEXT_UNITS_MAX)
_ABOVE_ZERO = Number(least=1, whole=True)
_AREA = Object(
    {
        **dict.fromkeys(("x", "y"), Number(least=0, whole=True)),
        **dict.fromkeys(("width", "height"), _ABOVE_ZERO),
    },
    ("x", "y", "width", "height"),
)


def _imagemap_action(kind: str, key: str, rule: Rule) -> Object:
    label = Text(IMAGEMAP_LABEL_GRAPHEMES_MAX, graphemes)
    return Object({"type": OneOf((kind,)), "label": label, "area": _AREA, key: rule}, ("area", key))


_IMAGEMAP_ACTION = Typed(
    {
        "uri": _imagemap_action("uri", "linkUri", URI),
        "message": _imagemap_action("message", "text", Text(IMAGEMAP_TEXT_UNITS_MAX)),
        "clipboard": _imagemap_action("clipboard", "clipboardText", Text(CLIPBOARD_UNITS_MAX)),
    },
    "imagemap action",
)
_LINK = Object({"linkUri": URI, "label": Text(LINK_LABEL_GRAPHEMES_MAX, graphemes)}, ("linkUri", "label"))
_IMAGEMAP_VIDEO = Object(
    {"originalContentUrl": _URL, "previewImageUrl": _URL, "area": _AREA, "externalLink": _LINK},
    ("originalContentUrl", "previewImageUrl", "area"),
)
_TRACKING = Matching(
    rf"[a-zA-Z0-9\-.=,+*()%$&;:@{{}}!?<>\[\]]{{1,{TRACKING_ID_UNITS_MAX}}}",
    f"at most {TRACKING_ID_UNITS_MAX} letters, digits and signs, without spaces",
)
_PICTURE: dict[str, Rule] = {"originalContentUrl": _URL, "previewImageUrl": _URL}
_OBJECTS: dict[str, Object] = {
    "text": TEXT,
    "textV2": TEXT_V2,
    "sticker": STICKER,
    "image": Object(_PICTURE, tuple(_PICTURE)),
    "video": Object({**_PICTURE, "trackingId": _TRACKING}, tuple(_PICTURE)),
    "audio": Object(
        {"originalContentUrl": _URL, "duration": _ABOVE_ZERO}, ("originalContentUrl", "duration")
    ),
    "location": Object(
        {
            **dict.fromkeys(("title", "address"), Text(PLACE_UNITS_MAX)),
            "latitude": Number(-90, 90),
            "longitude": Number(-180, 180),
        },
        ("title", "address", "latitude", "longitude"),
    ),
    "imagemap": Object(
        {
            "altText": _ALT,
            "baseUrl": _URL,
            "baseSize": Object(dict.fromkeys(("width", "height"), _ABOVE_ZERO), ("width", "height")),
            "video": _IMAGEMAP_VIDEO,
            "actions": Items(_IMAGEMAP_ACTION, 0, IMAGEMAP_ACTIONS_MAX),
        },
        ("altText", "baseUrl", "baseSize", "actions"),
    ),
    "template": Object({"altText": _ALT, "template": TEMPLATE}, ("altText", "template")),
    "flex": Object({"altText": _ALT, "contents": CONTAINER}, ("altText", "contents")),
    "coupon": Object({"couponId": ID, "deliveryTag": Text(DELIVERY_TAG_UNITS_MAX)}, ("couponId",)),
}
_QUICK_REPLY = Object(
    {
        "type": OneOf(("action",)),
        "imageUrl": _URL,
        "action": action(LABEL_GRAPHEMES_MAX, quick_reply=True),
    },
    ("type", "action"),
)
_COMMON: dict[str, Rule] = {
    "quickReply": Object({"items": Items(_QUICK_REPLY, 1, QUICK_REPLIES_MAX)}, ("items",)),
    "sender": Object({"name": Text(SENDER_UNITS_MAX), "iconUrl": _URL}),
}
MESSAGE = Typed(
    {
        kind: Object({"type": OneOf((kind,)), **_COMMON, **rule.fields}, rule.needed, rule.more)
        for kind, rule in _OBJECTS.items()
    },
    "message",
)


def content_faults(content: list[Part]) -> list[LimitFault]:
    """Everything in a message's objects that LINE would refuse; texts as they will be sent, not as templates."""
    if not 1 <= len(content) <= OBJECTS_MAX:
        return [LimitFault((), f"a message has 1 to {OBJECTS_MAX} objects, this one has {len(content)}")]
    return [fault for number, part in enumerate(content) for fault in faults_of(MESSAGE, part, (number,))]
