"""Lint of events.yaml: that every word means one thing, and that corrections correct something."""

import keyword
from collections.abc import Iterator

from functions.domain.events import BUILT_IN, REDECLARABLE
from functions.domain.line_events import LINE_EVENTS
from functions.domain.segments.calls import near
from functions.domain.segments.tree import RESERVED, verb_words
from functions.playbook.draft import Draft, Part
from functions.playbook.faults import PlaybookFault
from functions.playbook.models import EventForm


def dictionary_faults(draft: Draft) -> Iterator[PlaybookFault]:
    """Words that cannot be read or mean two things, and corrections of what is not there."""
    own = REDECLARABLE & draft.events.keys()
    words: dict[str, str] = {name: name for name in (*BUILT_IN, *LINE_EVENTS) if name not in own}
    for name, part in draft.events.items():
        if (name in BUILT_IN and name not in own) or name.startswith("line_"):
            yield part.fault((), f"{name} is an event that every playbook has; name this one otherwise")
            continue
        yield from _word(name, part, words)
    yield from _verbs(draft, words)
    for part in draft.events.values():
        for key, kind in part.form.properties.items():
            if kind.attribute and key in words:
                yield part.fault(
                    ("properties", key),
                    f"the attribute {key} is also the name of an event or a verb; rename one",
                )
    for name, part in draft.events.items():
        if part.form.amends:
            yield from _amends(name, part, draft)


def _word(name: str, part: Part[EventForm], words: dict[str, str]) -> Iterator[PlaybookFault]:
    if not name.isidentifier() or keyword.iskeyword(name) or not name.isascii():
        yield part.fault(
            (), f"{name!r} cannot be read in a segment; name it with small letters, digits and _"
        )
    word = part.form.read_as or name
    if word in RESERVED:
        yield part.fault((), f"{word!r} has a meaning of its own in segments; give {name} another as:")
    if word in words:
        yield part.fault(
            ("as",), f"{name} and {words[word]} are both read as {word}; give one of them another as:"
        )
    words.setdefault(word, name)


def _verbs(draft: Draft, words: dict[str, str]) -> Iterator[PlaybookFault]:
    """A verb gives three words (bought, bought_in, days_since_bought); each must be its own."""
    for name, part in draft.events.items():
        form = part.form
        if not form.verb:
            continue
        if not any(kind.index for kind in form.properties.values()):
            yield part.fault(
                ("verb",),
                f"{form.verb} asks for indexed values, and {name} has none; "
                "write index: true on a property, or take the verb out",
            )
        taken = [word for word in verb_words(form.verb) if word in words or word in RESERVED]
        for word in taken:
            other = f"in {words[word]}" if word in words else "of segments"
            yield part.fault(("verb",), f"{word} is a word {other} already; choose another verb for {name}")
        words |= {word: name for word in verb_words(form.verb) if word not in words}


def _amends(name: str, part: Part[EventForm], draft: Draft) -> Iterator[PlaybookFault]:
    amends = part.form.amends
    assert amends is not None, "only corrections are looked at"
    if draft.lacks("events", amends.event):
        known = near(amends.event, draft.names["events"])
        yield part.fault(("amends", "event"), f"there is no event {amends.event!r} to amend; {known}")
    original = draft.events.get(amends.event)
    if original is None:
        return
    if original.form.amends:
        yield part.fault(
            ("amends", "event"), f"{amends.event} is a correction itself; name the event that it corrects"
        )
    for owner, form in ((name, part.form), (amends.event, original.form)):
        if amends.by not in form.properties:
            hint = near(amends.by, form.properties)
            yield part.fault(("amends", "by"), f"{owner} has no property {amends.by}; {hint}")
    for own, theirs in amends.less.items():
        if own not in part.form.properties or part.form.properties[own].type != "number":
            yield part.fault(
                ("amends", "less", own), f"{own} is no number of {name}; write it among its properties"
            )
        if theirs not in original.form.properties or not original.form.properties[theirs].sum:
            sums = [key for key, kind in original.form.properties.items() if kind.sum]
            yield part.fault(
                ("amends", "less", own), f"{theirs} is not summed on {amends.event}; {near(theirs, sums)}"
            )
