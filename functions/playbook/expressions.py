"""The expressions of a draft: where they stand, what is wrong with them, and the trees they come to."""

from collections.abc import Iterator
from typing import NamedTuple

from pydantic import BaseModel

from functions.domain.events import BUILT_IN, Amendment, EventType, PropertyType
from functions.domain.line_events import LINE_EVENTS
from functions.domain.segments import Names, SegmentError, Tree, inlined, names_of, parse, segments_in
from functions.playbook.draft import Draft, Part
from functions.playbook.faults import PlaybookFault
from functions.playbook.models import DAY_SECONDS, EventForm
from functions.playbook.scenario_models import Block, ScenarioForm, every_step
from functions.playbook.sources import Place


class Written(NamedTuple):
    """One expression as it is written, and where."""

    part: Part[BaseModel]
    place: Place
    text: str
    what: str


def event_type(form: EventForm) -> EventType:
    """A word of events.yaml as the domain knows it."""
    properties = {
        name: PropertyType(one.type, one.required, one.sum, one.index, one.attribute, one.unit, one.meaning)
        for name, one in form.properties.items()
    }
    amends = Amendment(form.amends.event, form.amends.by, form.amends.less) if form.amends else None
    return EventType(form.meaning, form.read_as, properties, form.verb, form.keep // DAY_SECONDS, amends)


def names_in(draft: Draft) -> Names:
    """What the draft's expressions may speak of: its own events, those every playbook has, and its segments."""
    own = {name: event_type(part.form) for name, part in draft.events.items()}
    return names_of({**BUILT_IN, **LINE_EVENTS, **own}, draft.names.get("segments", ()))


def written_in(draft: Draft) -> Iterator[Written]:
    """Every expression outside segments.yaml."""
    if draft.settings:
        for name, form in draft.settings.form.exclusions.items():
            if form.when is not None:
                yield Written(draft.settings, ("exclusions", name, "when"), form.when, name)
    for name, part in draft.scenarios.items():
        for place, text in _of_scenario(part.form):
            yield Written(part, place, text, name)
    for name, survey in draft.surveys.items():
        for number, question in enumerate(survey.form.questions):
            if question.when:
                yield Written(survey, ("questions", number, "when"), question.when, name)


def _of_scenario(form: ScenarioForm) -> Iterator[tuple[Place, str]]:
    ends: list[tuple[Place, str | None]] = [
        (("entry", "when"), form.entry.when),
        (("exit",), form.exit),
        (("goal",), form.goal),
    ]
    yield from ((place, text) for place, text in ends if text)
    for place, step in every_step(Block(("steps",), form.steps)):
        for number, case in enumerate(step.branch or []):
            if case.when:
                yield (*place, "branch", number, "when"), case.when
        if step.wait and step.wait.until:
            yield (*place, "wait", "until"), step.wait.until


def segment_trees(draft: Draft) -> dict[str, Tree]:
    """The trees of all segments that can be parsed, references and all."""
    names, trees = names_in(draft), {}
    for name, part in draft.segments.items():
        try:
            trees[name] = parse(part.form.when, names)
        except SegmentError:
            continue
    return trees


def used_segments(draft: Draft) -> set[str]:
    """The segments that a campaign, a scenario or another segment refers to."""
    names, trees = names_in(draft), list(segment_trees(draft).values())
    for written in written_in(draft):
        try:
            trees.append(parse(written.text, names))
        except SegmentError:
            continue
    entries = {part.form.entry.segment for part in draft.scenarios.values() if part.form.entry.segment}
    audiences = {part.form.segment for part in draft.campaigns.values()}
    return {name for tree in trees for name in segments_in(tree)} | audiences | entries


def expression_faults(draft: Draft) -> Iterator[PlaybookFault]:
    """What is wrong with the expressions. Nothing is said while the words they are made of are not sound."""
    if not draft.sound("events") or "segments" not in draft.names:
        return
    names, trees = names_in(draft), segment_trees(draft)
    segments = [Written(part, ("when",), part.form.when, name) for name, part in draft.segments.items()]
    for written in (*segments, *written_in(draft)):
        try:
            inlined(parse(written.text, names), trees)
        except SegmentError as error:
            if not _follows(written, names, trees, draft):
                yield written.part.fault(written.place, f"{written.what}: {error}")


def _follows(written: Written, names: Names, trees: dict[str, Tree], draft: Draft) -> bool:
    """Whether the fault is only that of a segment that it refers to, which is told there."""
    try:
        referred = segments_in(parse(written.text, names))
    except SegmentError:
        return False
    return any(name in draft.names["segments"] and name not in trees for name in referred)
