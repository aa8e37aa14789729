"""Text messages, and what stands in their texts for LINE's emoji and for mentions."""

import re

from functions.domain.message_limits.rules import (
    Faults,
    Items,
    LimitFault,
    Matching,
    Named,
    Number,
    Object,
    OneOf,
    Part,
    Path,
    Rule,
    Text,
    Typed,
)

TEXT_UNITS_MAX = 5_000
EMOJIS_MAX = 20
SUBSTITUTIONS_MAX = 100
ID_UNITS_MAX = 100
ID = Text(ID_UNITS_MAX)
_QUOTE = Text(TEXT_UNITS_MAX)
_BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_EMOJI: dict[str, Rule] = {"productId": ID, "emojiId": ID}
_MENTIONED = Typed(
    {
        "user": Object({"type": OneOf(("user",)), "userId": ID}, ("userId",)),
        "all": Object({"type": OneOf(("all",))}),
    },
    "mentionee",
)
_SUBSTITUTION = Typed(
    {
        "mention": Object({"type": OneOf(("mention",)), "mentionee": _MENTIONED}, ("mentionee",)),
        "emoji": Object({"type": OneOf(("emoji",)), **_EMOJI}, ("productId", "emojiId")),
    },
    "substitution",
)


def _at_their_signs(part: Part, path: Path) -> Faults:
    """Each emoji stands where the text has a $, counted in UTF-16 units."""
    text, emojis = part.get("text"), part.get("emojis")
    if not isinstance(text, str) or not isinstance(emojis, list):
        return
    units = text.encode("utf-16-le", errors="replace")
    for number, emoji in enumerate(emojis):
        index = emoji.get("index") if isinstance(emoji, dict) else None
        if isinstance(index, int) and units[2 * index : 2 * index + 2] != b"$\0":
            yield LimitFault(
                (*path, "emojis", number, "index"), f"there is no $ at {index}; count again, or use textV2"
            )


def _placeholders(part: Part, path: Path) -> Faults:
    """Every {name} in the text has its substitution, and every substitution its {name}; {{ and }} are braces."""
    text, given = part.get("text"), part.get("substitution", {})
    if not isinstance(text, str) or not isinstance(given, dict):
        return
    asked = {found[1] for found in _BRACES.finditer(text) if found[1] is not None}
    if any(found[0] in "{}" for found in _BRACES.finditer(text)):
        yield LimitFault((*path, "text"), "a brace stands alone in 'text'; double it to show it")
    for name in sorted(asked - given.keys()):
        yield LimitFault((*path, "text"), f"{{{name}}} in 'text' has no substitution; add it")
    for name in sorted(given.keys() - asked):
        yield LimitFault((*path, "substitution", name), f"'text' has no {{{name}}}; add it, or take this out")


TEXT = Object(
    {
        "text": Text(TEXT_UNITS_MAX),
        "emojis": Items(Object({"index": Number(whole=True), **_EMOJI}, ("index", *_EMOJI)), 0, EMOJIS_MAX),
        "quoteToken": _QUOTE,
    },
    ("text",),
    (_at_their_signs,),
)
TEXT_V2 = Object(
    {
        "text": Text(TEXT_UNITS_MAX),
        "substitution": Named(
            Matching(r"[A-Za-z0-9_]+", "a name of letters, digits and _"), _SUBSTITUTION, SUBSTITUTIONS_MAX
        ),
        "quoteToken": _QUOTE,
    },
    ("text",),
    (_placeholders,),
)
STICKER = Object({"packageId": ID, "stickerId": ID, "quoteToken": _QUOTE}, ("packageId", "stickerId"))
