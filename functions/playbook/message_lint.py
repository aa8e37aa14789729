"""Lint: what a message is made of. Its templates, its values and slots, and LINE's limits. What is here is a fault."""

from collections.abc import Iterator
from typing import Any

from functions.domain.addresses import EXAMPLES
from functions.domain.message_limits import content_faults
from functions.playbook.draft import Draft, Part
from functions.playbook.faults import PlaybookFault
from functions.playbook.message_models import MessageForm
from functions.playbook.message_reading import parts_in, texts_in
from functions.rendering import JinjaRenderer, RenderError, variables_of


def message_faults(draft: Draft) -> Iterator[PlaybookFault]:
    """Templates that cannot be filled in for everybody, and what LINE would refuse."""
    for part in draft.messages.values():
        yield from faults_of(part)
        yield from _coupon_kind(part)


def faults_of(part: Part[MessageForm]) -> Iterator[PlaybookFault]:
    """What keeps a message from being filled in for everybody, or from being taken by LINE."""
    faults = [*_slot_faults(part), *_template_faults(part)]
    yield from faults or [*_limit_faults(part), *_moving_emoji(part)]


def filled_in(form: MessageForm) -> list[dict[str, Any]] | None:
    """The message as it is sent to somebody of whom nothing is known; None where it cannot be filled in."""
    try:
        return JinjaRenderer().render(form.content, {**EXAMPLES, **form.fallbacks})
    except RenderError:
        return None


def _slot_faults(part: Part[MessageForm]) -> Iterator[PlaybookFault]:
    """A fact may be unknown, or over: somebody gets what stands in for it."""
    for name in part.form.slots:
        if name not in part.form.fallbacks:
            yield part.fault(
                ("slots", name),
                f"the fact for {name} may be unknown; say what stands in for it: fallbacks: {{{name}: …}}",
            )


def _template_faults(part: Part[MessageForm]) -> Iterator[PlaybookFault]:
    """A message gets the customer's attributes of the names it has fallbacks for, and nothing else."""
    known = part.form.fallbacks.keys() | part.form.slots.keys() | EXAMPLES.keys()
    for place, text in texts_in(part.form.content):
        try:
            asked = variables_of(text)
        except RenderError as error:
            yield part.fault(("content", *place), str(error))
            continue
        for name in sorted(asked - known):
            yield part.fault(
                ("content", *place),
                f"the attribute {name} is not known of everybody; say what stands in for it: fallbacks: {{{name}: …}}",
            )


def _limit_faults(part: Part[MessageForm]) -> Iterator[PlaybookFault]:
    try:
        rendered = JinjaRenderer().render(part.form.content, {**EXAMPLES, **part.form.fallbacks})
    except RenderError as error:
        yield part.fault(("content",), f"with its fallbacks, {error}")
        return
    for fault in content_faults(rendered):
        yield part.fault(("content", *fault.path), fault.message)


def _moving_emoji(part: Part[MessageForm]) -> Iterator[PlaybookFault]:
    """Emoji stand at a count of characters, and a value of another length moves the rest of the text."""
    for place, one in parts_in(part.form.content):
        if one.get("emojis") and variables_of(str(one.get("text"))):
            yield part.fault(
                ("content", *place, "emojis"),
                "values of another length move these emoji; write type: textV2 with {name} in the text, and substitution",
            )


def _coupon_kind(part: Part[MessageForm]) -> Iterator[PlaybookFault]:
    for number, one in enumerate(part.form.content):
        if one.get("type") == "coupon" and part.form.kind != "promotion":
            yield part.fault(
                ("content", number),
                f"a coupon in a {part.form.kind} message would pass caps and consent for promotions; write kind: promotion",
            )
