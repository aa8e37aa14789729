"""How LINE counts: UTF-16 code units for texts, grapheme clusters for labels and templates, bytes for Flex."""

import json
import unicodedata

ZERO_WIDTH_JOINER = "\u200d"
ZERO_WIDTH_NON_JOINER = "\u200c"
MARK_CATEGORIES = frozenset({"Mn", "Me", "Mc"})
CONTROL_CATEGORIES = frozenset({"Cc", "Zl", "Zp"})
HANGUL_SYLLABLES = range(0xAC00, 0xD7A4)
TRAILING_JAMO = 28
JAMO = {
    "L": (range(0x1100, 0x1160), range(0xA960, 0xA97D)),
    "V": (range(0x1160, 0x11A8), range(0xD7B0, 0xD7C7)),
    "T": (range(0x11A8, 0x1200), range(0xD7CB, 0xD7FC)),
}
HANGUL_JOINS = {"L": ("L", "V", "LV", "LVT"), "V": ("V", "T"), "LV": ("V", "T"), "T": ("T",), "LVT": ("T",)}


def utf16_units(text: str) -> int:
    """UTF-16 code units: an emoji outside the Basic Multilingual Plane counts as two."""
    return len(text) + sum(character > "\uffff" for character in text)


def json_bytes(value: object) -> int:
    """UTF-8 bytes of the compact JSON."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))


def graphemes(text: str) -> int:
    """Extended grapheme clusters after Unicode's annex 29, as far as the standard library knows the classes."""
    if text.isascii() and "\r\n" not in text:
        return len(text)
    count = 0
    cluster = ""
    for character in text:
        if cluster and _continues(cluster, character):
            cluster += character
        else:
            count += 1
            cluster = character
    return count


def _continues(cluster: str, character: str) -> bool:
    """Whether `character` belongs to the cluster before it."""
    last = cluster[-1]
    if last == "\r" and character == "\n":
        return True
    if _is_control(last) or _is_control(character):
        return False
    if _is_extend(character):
        return True
    if last == ZERO_WIDTH_JOINER:
        return _is_pictographic(cluster[0]) and _is_pictographic(character)
    if _is_regional(character):
        return _is_regional(last) and _trailing_regionals(cluster) % 2 == 1
    return _hangul_joins(last, character)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in CONTROL_CATEGORIES


def _is_extend(character: str) -> bool:
    """Combining marks, variation selectors (category Mn), joiners, skin tones and the tags of subdivision flags."""
    return (
        unicodedata.category(character) in MARK_CATEGORIES
        or character in (ZERO_WIDTH_JOINER, ZERO_WIDTH_NON_JOINER)
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
    )


def _is_pictographic(character: str) -> bool:
    """Near enough: signs of the category So and what emoji are drawn from."""
    return unicodedata.category(character) == "So" or "\U0001f000" <= character <= "\U0001faff"


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _trailing_regionals(cluster: str) -> int:
    return len(cluster) - len(cluster.rstrip("".join(map(chr, range(0x1F1E6, 0x1F200)))))


def _hangul_joins(last: str, character: str) -> bool:
    """Leading, vowel and trailing jamo form one syllable; so do a syllable and the jamo that complete it."""
    return _hangul_class(character) in HANGUL_JOINS.get(_hangul_class(last), ())


def _hangul_class(character: str) -> str:
    """Unicode's Hangul_Syllable_Type: L, V, T, LV, LVT, or empty for what is no Hangul."""
    code = ord(character)
    if code in HANGUL_SYLLABLES:
        return "LVT" if (code - HANGUL_SYLLABLES.start) % TRAILING_JAMO else "LV"
    return next((name for name, ranges in JAMO.items() if any(code in one for one in ranges)), "")
