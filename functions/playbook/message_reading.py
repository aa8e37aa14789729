"""What a message says to a reader: its strings and where they stand, and what it offers to do."""

import re
from collections.abc import Iterator
from typing import Any

from functions.playbook.sources import Place

ADDRESS = re.compile(r"https?://[^\s、。」)）]+")
PHONE = re.compile(r"(?<!\d)0\d{1,4}-?\d{1,4}-?\d{3,4}(?!\d)")
DESTINATIONS = ("uri", "linkUri", "clipboardText")
ANSWERS = ("postback", "message", "datetimepicker", "camera", "cameraRoll", "location")
_DISCOUNT = re.compile(r"クーポン|割引|値引|半額|[%％]|(?<![A-Za-z])OFF(?![A-Za-z])|オフ")
_SHOWN = ("text", "altText", "label", "title", "displayText")
_STATEMENT = re.compile(r"\{%.*?%\}", re.DOTALL)


def texts_in(part: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Every string of a message's content, and where it stands."""
    if isinstance(part, str):
        yield place, part
    items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, item in items:
        yield from texts_in(item, (*place, key))


def parts_in(part: Any, place: Place = ()) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Every object of a message's content, and where it stands."""
    if isinstance(part, dict):
        yield place, part
    items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, item in items:
        yield from parts_in(item, (*place, key))


def actions_of(content: list[dict[str, Any]]) -> list[str]:
    """What a message asks people to do, each once.

    The cards of a carousel are one choice, and so are the answers that it offers; quick replies are answers to what
    was said, not actions of their own.
    """
    found: set[str] = set()
    for place, part in parts_in(content):
        if "quickReply" not in place:
            found |= {_card(content, place) or target for target in _targets(part)}
    return sorted(found)


def _targets(part: dict[str, Any]) -> Iterator[str]:
    """Where one object leads, by itself."""
    for key, value in part.items():
        if key in DESTINATIONS and isinstance(value, str):
            yield value
        elif key == "text" and isinstance(value, str):
            yield from ADDRESS.findall(value)
    if part.get("type") in ANSWERS and ("data" in part or "label" in part):
        yield "an answer"
    if part.get("type") == "coupon":
        yield "a coupon"


def _card(content: list[dict[str, Any]], place: Place) -> str:
    """The carousel in one of whose cards a place lies; empty where it lies in none."""
    for depth in range(1, len(place) - 1):
        around = _at(content, place[:depth])
        is_carousel = isinstance(around, dict) and around.get("type") in ("carousel", "image_carousel")
        if is_carousel and place[depth] in ("contents", "columns"):
            return f"a card of {'.'.join(map(str, place[:depth]))}"
    return ""


def cards_in(content: list[dict[str, Any]]) -> Iterator[tuple[Place, list[str]]]:
    """Every card of a carousel, and what it asks people to do."""
    for place, part in parts_in(content):
        if part.get("type") in ("carousel", "image_carousel"):
            key = "contents" if "contents" in part else "columns"
            for number, card in enumerate(part.get(key) or []):
                if isinstance(card, dict):
                    yield (*place, key, number), actions_of([card])


def _at(content: Any, place: Place) -> Any:
    for key in place:
        content = content[key]
    return content


def has_next_step(content: list[dict[str, Any]]) -> bool:
    """Whether people can do something: tap, answer, go somewhere, ring somebody up."""
    return any(_leads_on(part) for _, part in parts_in(content))


def _leads_on(part: dict[str, Any]) -> bool:
    text = part.get("text")
    rings = isinstance(text, str) and PHONE.search(text) is not None
    return rings or part.get("type") == "location" or any(_targets(part))


def discount_place(content: list[dict[str, Any]]) -> Place | None:
    """Where a message speaks of a discount in what people see, or gives a coupon; None where it does not."""
    for number, part in enumerate(content):
        if part.get("type") == "coupon":
            return ("content", number)
    for place, text in texts_in(content):
        if place[-1] in _SHOWN and _DISCOUNT.search(_STATEMENT.sub("", text)):
            return ("content", *place)
    return None
