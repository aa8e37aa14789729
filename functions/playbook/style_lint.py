"""Lint: how a message speaks. One action; conclusion, reason, next step; short; nothing lost in the preview.

Everything here is a warning. A next step is a link, a button, an answer, a quick reply, a coupon, a place or a phone
number; support that says thanks needs none.
"""

import difflib
import ipaddress
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from functions.domain.events import BUILT_IN
from functions.domain.line_events import LINE_EVENTS
from functions.domain.message_limits import graphemes
from functions.playbook.draft import Draft, Part
from functions.playbook.expressions import event_type
from functions.playbook.faults import PlaybookFault
from functions.playbook.message_lint import filled_in
from functions.playbook.message_models import MessageForm
from functions.playbook.message_reading import (
    ADDRESS,
    DESTINATIONS,
    actions_of,
    cards_in,
    discount_place,
    has_next_step,
    parts_in,
    texts_in,
)
from functions.playbook.scenario_models import Block, every_step
from functions.playbook.sources import Place
from functions.rendering import RenderError, variables_of

FIRST_LINE_GRAPHEMES_MAX = 60
TEXT_GRAPHEMES_MAX = 300
ALT_TEXT_GRAPHEMES_MAX = 100
_THANKS = re.compile(r"ありがとう|お礼|感謝|thank", re.IGNORECASE)
_PLACEHOLDERS = frozenset(
    [
        "alt",
        "alttext",
        "alt_text",
        "text",
        "flex",
        "image",
        "imagemap",
        "template",
        "message",
        "sample",
        "test",
        "todo",
        "tbd",
        "xxx",
        "placeholder",
        "untitled",
        "代替テキスト",
        "テスト",
        "サンプル",
        "画像",
        "メッセージ",
        "フレックスメッセージ",
        "未定",
        "お知らせ",
    ]
)

Said = tuple[Part[MessageForm], list[dict[str, Any]]]
"""A message, and its content filled in with what stands in for gaps."""


def style_warnings(draft: Draft) -> Iterator[PlaybookFault]:
    """What would be read less, or done less, than it could be."""
    attributes = _attributes(draft)
    for part in draft.messages.values():
        yield from _actions(part)
        yield from _kind(part)
        yield from _links(part)
        yield from _variables(part, attributes)
        content = filled_in(part.form)
        if content is not None:
            said = part, content
            yield from (*_first_line(said), *_next_step(said), *_lengths(said), *_preview(said))


def _actions(part: Part[MessageForm]) -> Iterator[PlaybookFault]:
    actions = actions_of(part.form.content)
    if len(actions) > 1:
        yield part.fault(
            ("content",),
            f"{len(actions)} different actions in one message split attention; keep one: {', '.join(actions)}",
        )
    for place, own in cards_in(part.form.content):
        if len(own) > 1:
            yield part.fault(
                ("content", *place), f"this card has {len(own)} different actions; keep one: {', '.join(own)}"
            )


def _kind(part: Part[MessageForm]) -> Iterator[PlaybookFault]:
    place = discount_place(part.form.content)
    if place is not None and part.form.kind != "promotion":
        yield part.fault(
            place,
            f"a discount makes a {part.form.kind} message a promotion; write kind: promotion, or leave the discount out",
        )


def _links(part: Part[MessageForm]) -> Iterator[PlaybookFault]:
    """Where a tap leads: only over TLS, and to a host with a name."""
    for place, text in texts_in(part.form.content):
        found = [text] if place[-1] in DESTINATIONS else ADDRESS.findall(text) if place[-1] == "text" else []
        for address in found:
            if address.lower().startswith("http://"):
                yield part.fault(
                    ("content", *place), f"{address} is not encrypted; link to https:// instead of http://"
                )
            if _is_bare(address):
                yield part.fault(
                    ("content", *place),
                    f"{address} leads to a bare IP address, which nobody trusts; link to the host by its name",
                )


def _is_bare(address: str) -> bool:
    try:
        ipaddress.ip_address(urlsplit(address).hostname or "")
    except ValueError:
        return False
    return True


def _attributes(draft: Draft) -> set[str]:
    """The attributes that the dictionary declares, and those that scenarios set."""
    own = [event_type(part.form) for part in draft.events.values()]
    declared = {
        name
        for event in (*own, *BUILT_IN.values(), *LINE_EVENTS.values())
        for name, kind in event.properties.items()
        if kind.attribute
    }
    scenarios = [Block(("steps",), part.form.steps) for part in draft.scenarios.values()]
    return declared | {
        name for block in scenarios for _, step in every_step(block) for name in step.attribute or ()
    }


def _variables(part: Part[MessageForm], attributes: set[str]) -> Iterator[PlaybookFault]:
    """What is declared and never said, and what is nearly, but not quite, an attribute of the dictionary."""
    form = part.form
    asked = _asked(form)
    for name in form.fallbacks:
        if name not in asked:
            yield part.fault(
                ("fallbacks", name), f"no text says {{{{ {name} }}}}; say it, or take the fallback out"
            )
        if name not in form.slots:
            yield from _misspelt(part, ("fallbacks", name), name, attributes)
    for name, slot in form.slots.items():
        if slot.by is not None:
            yield from _misspelt(part, ("slots", name), slot.by, attributes)


def _asked(form: MessageForm) -> set[str]:
    asked: set[str] = set()
    for _, text in texts_in(form.content):
        try:
            asked |= variables_of(text)
        except RenderError:
            return {*form.fallbacks}
    return asked


def _misspelt(part: Part[MessageForm], place: Place, name: str, known: set[str]) -> Iterator[PlaybookFault]:
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.8)
    if name not in known and near:
        yield part.fault(
            place, f"no event sets the attribute {name}; did you mean {near[0]!r}? Otherwise declare it"
        )


def _first_line(said: Said) -> Iterator[PlaybookFault]:
    """The conclusion comes first: what is read in the list of chats, before anything is opened."""
    part, content = said
    for place, text in texts_in(content):
        if place[-1] == "text" and "quickReply" not in place and text.strip():
            first = text.strip().splitlines()[0]
            if graphemes(first) > FIRST_LINE_GRAPHEMES_MAX:
                yield part.fault(
                    ("content", *place),
                    f"the first line has {graphemes(first)} characters; say the conclusion in at most "
                    f"{FIRST_LINE_GRAPHEMES_MAX}, then the reason, then the next step",
                )
            return


def _next_step(said: Said) -> Iterator[PlaybookFault]:
    part, content = said
    thanks = part.form.kind == "support" and any(_THANKS.search(text) for _, text in texts_in(content))
    if not thanks and not has_next_step(content):
        yield part.fault(
            ("content",),
            "nothing here leads on; end with one next step: a link, a button, a quick reply or a phone number",
        )


def _lengths(said: Said) -> Iterator[PlaybookFault]:
    part, content = said
    for place, text in texts_in(content):
        if place[-1] == "text" and graphemes(text) > TEXT_GRAPHEMES_MAX:
            yield part.fault(
                ("content", *place),
                f"this text has {graphemes(text)} characters; details belong on the page it links to, so keep to "
                f"{TEXT_GRAPHEMES_MAX}",
            )


def _preview(said: Said) -> Iterator[PlaybookFault]:
    """altText is all that the notification and the list of chats show."""
    part, content = said
    for place, one in parts_in(content):
        text = one.get("altText")
        if not isinstance(text, str):
            continue
        if graphemes(text) > ALT_TEXT_GRAPHEMES_MAX:
            yield part.fault(
                ("content", *place, "altText"),
                f"altText has {graphemes(text)} characters, and the notification shows the first few; keep to "
                f"{ALT_TEXT_GRAPHEMES_MAX}",
            )
        if text.strip().strip("。.!！").casefold() in _PLACEHOLDERS:
            yield part.fault(
                ("content", *place, "altText"),
                f"altText is {text!r}, and people see nothing else in the notification; say the conclusion",
            )
