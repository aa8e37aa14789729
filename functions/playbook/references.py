"""Lint: what the parts of a playbook call each other by. Everything here is a fault."""

import difflib
from collections.abc import Iterable, Iterator

from functions.domain.events import BUILT_IN
from functions.domain.line_events import LINE_EVENTS
from functions.playbook.dictionary_lint import dictionary_faults
from functions.playbook.draft import Draft, Part
from functions.playbook.faults import PlaybookFault
from functions.playbook.models import DEFAULT_MENU, Form
from functions.playbook.scenario_models import Block, ScenarioForm, StepForm, every_step
from functions.playbook.sources import Place


def reference_faults(draft: Draft) -> Iterator[PlaybookFault]:
    """Names that mean nothing, that mean two things, or that are not the file's own."""
    yield from dictionary_faults(draft)
    yield from _file_names(draft)
    for part in draft.scenarios.values():
        yield from _scenario(part, draft)
    for campaign in draft.campaigns.values():
        yield from known_faults(campaign, ("segment",), campaign.form.segment, draft, "segments")
        yield from known_faults(campaign, ("message",), campaign.form.message, draft, "messages")
        yield from _priority(campaign, campaign.form.priority, draft)


def _file_names(draft: Draft) -> Iterator[PlaybookFault]:
    parts: list[tuple[str, Part[Form], str | None]] = [
        *((stem, part, part.form.name) for stem, part in draft.scenarios.items()),
        *((stem, part, part.form.name) for stem, part in draft.campaigns.items()),
        *((stem, part, part.form.name) for stem, part in draft.messages.items()),
        *((stem, part, part.form.name) for stem, part in draft.surveys.items()),
    ]
    for stem, part, name in parts:
        if name is not None and name != stem:
            yield part.fault(
                ("name",), f"the name is {name}, and the file is {stem}.yaml; make them the same"
            )
    for stem, message in draft.messages.items():
        if not stem.isidentifier() or not stem.isascii():
            yield message.fault((), f"{stem!r} is no name; call the file by small letters, digits and _")


def known_faults(
    part: Part[Form], place: Place, name: str, draft: Draft, what: str
) -> Iterator[PlaybookFault]:
    """A reference to a file or an entry that may have faults of its own, but is there."""
    if draft.lacks(what, name):
        yield part.fault(place, f"there is no {what[:-1]} {name!r}; {hint_for(name, draft.names[what])}")


def hint_for(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"did you mean {near[0]!r}?" if near else "write it, or take the reference out"


def _priority(part: Part[Form], name: str, draft: Draft) -> Iterator[PlaybookFault]:
    if draft.settings and name not in draft.settings.form.priorities:
        known = draft.settings.form.priorities
        yield part.fault(
            ("priority",), f"{name!r} is no priority of playbook.yaml; choose one of {', '.join(known)}"
        )


def _scenario(part: Part[ScenarioForm], draft: Draft) -> Iterator[PlaybookFault]:
    form = part.form
    yield from _priority(part, form.priority, draft)
    if form.entry.event:
        yield from _event(part, ("entry", "event"), form.entry.event, draft)
    if form.entry.segment:
        yield from known_faults(part, ("entry", "segment"), form.entry.segment, draft, "segments")
    seen: dict[str, int] = {}
    for place, step in every_step(Block(("steps",), form.steps)):
        yield from _step(part, place, step, draft)
        if step.send:
            name, line = step.send.step_name, part.source.line((*place, "send"))
            if name in seen:
                yield part.fault(
                    (*place, "send", "name"),
                    f"the step {name} is there already, on line {seen[name]}; give each send a name of its own",
                )
            seen.setdefault(name, line)


def _step(part: Part[ScenarioForm], place: Place, step: StepForm, draft: Draft) -> Iterator[PlaybookFault]:
    if step.send:
        yield from known_faults(part, (*place, "send", "message"), step.send.message, draft, "messages")
    if step.survey:
        yield from known_faults(part, (*place, "survey"), step.survey, draft, "surveys")
    if step.wait and step.wait.event:
        yield from _event(part, (*place, "wait", "event"), step.wait.event, draft)
    if step.rich_menu and draft.settings:
        known = {DEFAULT_MENU, *draft.settings.form.rich_menus}
        if step.rich_menu not in known:
            hint = hint_for(step.rich_menu, known)
            message = f"rich_menus of playbook.yaml has no {step.rich_menu!r}; {hint}"
            yield part.fault((*place, "rich_menu"), message)
    for name in step.attribute or ():
        if name in words_in(draft):
            yield part.fault(
                (*place, "set", name), f"the attribute {name} is also the name of an event; rename one"
            )


def words_in(draft: Draft) -> set[str]:
    """What events are read as."""
    return {*BUILT_IN, *LINE_EVENTS, *(part.form.read_as or name for name, part in draft.events.items())}


def _event(part: Part[ScenarioForm], place: Place, name: str, draft: Draft) -> Iterator[PlaybookFault]:
    given = {*BUILT_IN, *LINE_EVENTS}
    if name not in given and draft.lacks("events", name):
        yield part.fault(
            place, f"there is no event {name!r}; {hint_for(name, given | draft.names['events'])}"
        )
