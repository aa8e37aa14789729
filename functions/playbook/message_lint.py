"""Lint: what a message says. Its templates, its values, LINE's limits, and one action a message."""

import re
from collections.abc import Iterator
from typing import Any

from functions.domain.message_limits import content_faults
from functions.playbook.draft import Draft, Part
from functions.playbook.faults import PlaybookFault
from functions.playbook.message_models import MessageForm
from functions.playbook.sources import Place
from functions.rendering import JinjaRenderer, RenderError, variables_of

_ADDRESS = re.compile(r"https?://[^\s、。」）)]+")
_DISCOUNT = re.compile(r"クーポン|割引|値引|半額|[%％]|(?<![A-Za-z])OFF(?![A-Za-z])|オフ")
_SHOWN = ("text", "altText", "label", "title", "displayText")
_TARGETS = ("uri", "linkUri", "data", "clipboardText")


def texts_in(part: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Every string of a message's content, and where it stands."""
    if isinstance(part, str):
        yield place, part
    items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, item in items:
        yield from texts_in(item, (*place, key))


def message_faults(draft: Draft) -> Iterator[PlaybookFault]:
    """Templates that cannot be filled in for everybody, and what LINE would refuse."""
    for part in draft.messages.values():
        faults = list(_template_faults(part))
        yield from faults or _limit_faults(part)


def _template_faults(part: Part[MessageForm]) -> Iterator[PlaybookFault]:
    """A message gets the customer's attributes of the names it has fallbacks for, and nothing else."""
    for place, text in texts_in(part.form.content):
        try:
            asked = variables_of(text)
        except RenderError as error:
            yield part.fault(("content", *place), str(error))
            continue
        for name in sorted(asked - part.form.fallbacks.keys()):
            yield part.fault(
                ("content", *place),
                f"the attribute {name} is not known of everybody; say what stands in for it: fallbacks: {{{name}: …}}",
            )


def _limit_faults(part: Part[MessageForm]) -> Iterator[PlaybookFault]:
    """The message as it is sent to somebody of whom nothing is known."""
    try:
        rendered = JinjaRenderer().render(part.form.content, part.form.fallbacks)
    except RenderError as error:
        yield part.fault(("content",), f"with its fallbacks, {error}")
        return
    for fault in content_faults(rendered):
        yield part.fault(("content", *fault.path), fault.message)


def message_warnings(draft: Draft) -> Iterator[PlaybookFault]:
    """More than one thing to do in a message; a discount in what calls itself no promotion."""
    for part in draft.messages.values():
        targets = sorted(set(_targets(part.form.content)))
        if len(targets) > 1:
            yield part.fault(
                ("content",),
                f"{len(targets)} different actions in one message split attention; keep one: {', '.join(targets)}",
            )
        place = discount_place(part.form)
        if place is not None and part.form.kind != "promotion":
            yield part.fault(
                place,
                f"a discount makes a {part.form.kind} message a promotion; write kind: promotion, or leave the discount out",
            )


def _targets(part: Any) -> Iterator[str]:
    """Where taps and addresses lead; quick replies are answers, not actions."""
    for place, text in texts_in(part):
        if "quickReply" in place or not place:
            continue
        if place[-1] in _TARGETS:
            yield text
        elif place[-1] == "text":
            yield from _ADDRESS.findall(text)


def discount_place(form: MessageForm) -> Place | None:
    """Where a message speaks of a discount in what people see; None where it does not."""
    for place, text in texts_in(form.content):
        if place[-1] in _SHOWN and _DISCOUNT.search(re.sub(r"\{%.*?%\}", "", text, flags=re.DOTALL)):
            return ("content", *place)
    return None
