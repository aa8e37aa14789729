"""Lint: the rules by which journeys begin, go on side by side and move to a newer version."""

from collections.abc import Iterator

from functions.domain.segments import Names, SegmentError, Tree, inlined, parse
from functions.domain.segments.tree import subtrees
from functions.playbook.draft import Draft, Part
from functions.playbook.expressions import names_in, segment_trees
from functions.playbook.faults import PlaybookFault
from functions.playbook.references import hint_for, known_faults
from functions.playbook.scenario_models import Block, ScenarioForm, every_step
from functions.playbook.sources import Place


def scenario_faults(draft: Draft) -> Iterator[PlaybookFault]:
    """Rules that name what is not there, contradict each other, or wait for what wakes nobody."""
    names, trees = names_in(draft), segment_trees(draft)
    for part in draft.scenarios.values():
        yield from _concurrency(part, draft)
        yield from _migration(part)
        for place, text in _waited_for(part.form):
            if _reads_context(text, names, trees):
                yield part.fault(
                    place,
                    "context(…) changes without the customer, so nobody would notice; use it in a campaign, a branch or when",
                )


def _waited_for(form: ScenarioForm) -> Iterator[tuple[Place, str]]:
    """The conditions whose change must wake the customer."""
    if form.entry.segment:
        yield ("entry", "segment"), f'segment("{form.entry.segment}")'
    for place, step in every_step(Block(("steps",), form.steps)):
        if step.wait and step.wait.until:
            yield (*place, "wait", "until"), step.wait.until


def _reads_context(text: str, names: Names, trees: dict[str, Tree]) -> bool:
    """What cannot be read is told elsewhere."""
    try:
        return any(node[0] == "context" for node in subtrees(inlined(parse(text, names), trees)))
    except SegmentError:
        return False


def _concurrency(part: Part[ScenarioForm], draft: Draft) -> Iterator[PlaybookFault]:
    """Scenarios beside which, or instead of which, this one runs: others that are there, each in one role."""
    rules = part.form.concurrency
    for role, names in (("not_with", rules.not_with), ("replaces", rules.replaces)):
        for number, name in enumerate(names):
            place = ("concurrency", role, number)
            if name == part.form.name:
                yield part.fault(
                    place, f"{name} is this scenario itself, which never runs twice; take it out"
                )
            else:
                yield from known_faults(part, place, name, draft, "scenarios")
            if role == "replaces" and name in rules.not_with:
                yield part.fault(place, f"{name} cannot both keep this out and give way to it; keep one")


def _migration(part: Part[ScenarioForm]) -> Iterator[PlaybookFault]:
    """Where journeys of older versions go on: at sends that are there, under names that are not."""
    sends = {step.send.step_name for _, step in every_step(Block(("steps",), part.form.steps)) if step.send}
    for old, new in (part.form.migrate or {}).items():
        if new not in sends:
            yield part.fault(("migrate", old), f"there is no step {new!r} here; {hint_for(new, sends)}")
        if old in sends:
            yield part.fault(
                ("migrate", old), f"the step {old} is still here and goes on as itself; take this out"
            )
