"""Template messages: buttons, confirm, carousel and image carousel."""

from functions.domain.message_limits.actions import action
from functions.domain.message_limits.counting import graphemes
from functions.domain.message_limits.rules import (
    Address,
    Faults,
    Items,
    LimitFault,
    Matching,
    Object,
    OneOf,
    Part,
    Path,
    Rule,
    Text,
    Typed,
)

COLUMNS_MAX = 10
TITLE_GRAPHEMES_MAX = 40
LABEL_GRAPHEMES_MAX = 20
IMAGE_LABEL_GRAPHEMES_MAX = 12
BUTTONS_TEXT_GRAPHEMES_MAX = 160
COLUMN_TEXT_GRAPHEMES_MAX = 120
CONFIRM_TEXT_GRAPHEMES_MAX = 240
BESIDE_GRAPHEMES_MAX = 60
URL_CHARACTERS_MAX = 2_000

_URL = Address(URL_CHARACTERS_MAX)
_PICTURES: dict[str, Rule] = {
    "imageAspectRatio": OneOf(("rectangle", "square")),
    "imageSize": OneOf(("cover", "contain")),
}
_BUTTON = action(LABEL_GRAPHEMES_MAX)


def _beside(part: Part, path: Path) -> Faults:
    """Beside a title or a picture there is room for less text."""
    text = part.get("text")
    if not isinstance(text, str) or not ("title" in part or "thumbnailImageUrl" in part):
        return
    if graphemes(text) > BESIDE_GRAPHEMES_MAX:
        yield LimitFault(
            (*path, "text"),
            f"'text' has {graphemes(text)} characters, LINE takes {BESIDE_GRAPHEMES_MAX} beside a title or a picture; "
            "shorten it",
        )


def _face(longest: int, actions: Items) -> dict[str, Rule]:
    return {
        "thumbnailImageUrl": _URL,
        "imageBackgroundColor": Matching(r"#[0-9A-Fa-f]{6}", "a colour such as #1A2B3C"),
        "title": Text(TITLE_GRAPHEMES_MAX, graphemes),
        "text": Text(longest, graphemes),
        "defaultAction": action(LABEL_GRAPHEMES_MAX, labelled=False),
        "actions": actions,
    }


def _alike(part: Part, path: Path) -> Faults:
    """Columns stand side by side: each has as many actions, and a picture or a title if any has."""
    columns = part.get("columns")
    rows = [one for one in columns if isinstance(one, dict)] if isinstance(columns, list) else []
    if len({len(one.get("actions") or ()) for one in rows}) > 1:
        yield LimitFault(
            (*path, "columns"), "all columns must have the same number of actions; even them out"
        )
    for key in ("thumbnailImageUrl", "title"):
        if len({one.get(key) is None for one in rows}) > 1:
            yield LimitFault((*path, "columns"), f"either every column has a {key!r} or none; even them out")


_COLUMN = Object(_face(COLUMN_TEXT_GRAPHEMES_MAX, Items(_BUTTON, 1, 3)), ("text", "actions"), (_beside,))
_IMAGE_COLUMN = Object(
    {"imageUrl": _URL, "action": action(IMAGE_LABEL_GRAPHEMES_MAX, labelled=False)}, ("imageUrl", "action")
)
TEMPLATE = Typed(
    {
        "buttons": Object(
            {
                "type": OneOf(("buttons",)),
                **_PICTURES,
                **_face(BUTTONS_TEXT_GRAPHEMES_MAX, Items(_BUTTON, 1, 4)),
            },
            ("text", "actions"),
            (_beside,),
        ),
        "confirm": Object(
            {
                "type": OneOf(("confirm",)),
                "text": Text(CONFIRM_TEXT_GRAPHEMES_MAX, graphemes),
                "actions": Items(_BUTTON, 2, 2),
            },
            ("text", "actions"),
        ),
        "carousel": Object(
            {"type": OneOf(("carousel",)), **_PICTURES, "columns": Items(_COLUMN, 1, COLUMNS_MAX)},
            ("columns",),
            (_alike,),
        ),
        "image_carousel": Object(
            {"type": OneOf(("image_carousel",)), "columns": Items(_IMAGE_COLUMN, 1, COLUMNS_MAX)},
            ("columns",),
        ),
    },
    "template",
)
