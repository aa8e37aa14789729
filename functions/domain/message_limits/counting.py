"""How LINE counts: UTF-16 units in texts, graphemes in labels and templates, bytes of JSON in Flex containers."""

import json
import unicodedata

_JOINER = "\u200d"


def utf16_units(text: str) -> int:
    """How LINE counts texts: signs beyond the basic plane (most emoji) count twice."""
    return len(text) + sum(sign > "\uffff" for sign in text)


def graphemes(text: str) -> int:
    """What people see as one sign: combining marks, joined emoji, skin tones and flags count with their base."""
    count, before, regionals = 0, "", 0
    for sign in text:
        regional = "\U0001f1e6" <= sign <= "\U0001f1ff"
        joined = before == _JOINER or _extends(sign) or (before == "\r" and sign == "\n")
        if not joined and not (regional and regionals % 2):
            count += 1
        regionals = regionals + 1 if regional else 0
        before = sign
    return max(count, 1) if text else 0


def json_bytes(value: object) -> int:
    """How LINE measures Flex containers: UTF-8 bytes of the compact JSON."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))


def _extends(sign: str) -> bool:
    return (
        sign in (_JOINER, "\u200c")
        or "\U0001f3fb" <= sign <= "\U0001f3ff"
        or "\U000e0020" <= sign <= "\U000e007f"
        or unicodedata.category(sign) in ("Mn", "Me", "Mc")
    )
