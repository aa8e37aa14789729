"""Lint: discounts. Experience before discount; they belong to the dormant and the leaving, anywhere else with a reason.

A segment of people at risk is known by its name: at_risk, dormant, churn, lapsed, leaving, inactive or silent in it.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from functions.domain.segments import Names, SegmentError, parse, segments_in
from functions.playbook.draft import Draft, Part
from functions.playbook.expressions import names_in
from functions.playbook.faults import PlaybookFault
from functions.playbook.message_models import MessageForm
from functions.playbook.message_reading import discount_place
from functions.playbook.scenario_models import Block, ScenarioForm, StepForm, every_step
from functions.playbook.sources import Place

ONBOARDING, WIN_BACK = "onboarding", "win_back"
DISCOUNTS_BELONG = (WIN_BACK, "churn_prevention")
_AT_RISK = re.compile(r"risk|dormant|churn|lapsed|leaving|inactive|silent|win_?back")


class Use(NamedTuple):
    """One sending of a message: by which priority, where, and under which conditions of the branches around it."""

    priority: str
    part: Part[ScenarioForm] | None
    place: Place
    conditions: list[str]


def uses_of(draft: Draft) -> dict[str, list[Use]]:
    """Message → every send of it, by scenarios and by campaigns."""
    uses: dict[str, list[Use]] = {}
    for part in draft.scenarios.values():
        for place, step in every_step(Block(("steps",), part.form.steps)):
            if step.send:
                use = Use(part.form.priority, part, (*place, "send"), _conditions(part.form, place))
                uses.setdefault(step.send.message, []).append(use)
    for campaign in draft.campaigns.values():
        uses.setdefault(campaign.form.message, []).append(Use(campaign.form.priority, None, (), []))
    return uses


def _conditions(form: ScenarioForm, place: Place) -> list[str]:
    """The conditions of the branch cases in which a step stands, from the outermost."""
    around: list[str] = []
    steps: dict[Place, StepForm] = dict(every_step(Block(("steps",), form.steps)))
    for depth in range(len(place)):
        step = steps.get(place[:depth])
        if step is not None and step.branch and place[depth] == "branch":
            case = step.branch[int(place[depth + 1])]
            around += [case.when] if case.when else []
    return around


def discount_faults(draft: Draft) -> Iterator[PlaybookFault]:
    """A discount in onboarding without a declared reason, but for people at risk."""
    names = names_in(draft)
    for part, uses, fault in _undeclared(draft):
        early = [use for use in uses if use.priority == ONBOARDING]
        if any(not _for_people_at_risk(use, names) for use in early):
            yield part.fault(fault.place, fault.message)


def discount_warnings(draft: Draft) -> Iterator[PlaybookFault]:
    """Discounts outside the dormant and the leaving without a declared reason, and win-backs that give them to all."""
    for part, uses, fault in _undeclared(draft):
        priorities = {use.priority for use in uses}
        if ONBOARDING not in priorities and priorities - set(DISCOUNTS_BELONG):
            yield part.fault(fault.place, fault.message)
    yield from _win_back(draft)


class _Told(NamedTuple):
    place: Place
    message: str


def _undeclared(draft: Draft) -> Iterator[tuple[Part[MessageForm], list[Use], _Told]]:
    """Promotions that speak of a discount and declare no reason: with their uses, and the fault to be told."""
    uses = uses_of(draft)
    for name, part in draft.messages.items():
        place = discount_place(part.form.content)
        if place is not None and part.form.kind == "promotion" and part.form.discount_reason is None:
            message = "a discount here teaches people to wait for discounts; take it out, or declare discount_reason"
            yield part, uses.get(name, []), _Told(place, message)


def _for_people_at_risk(use: Use, names: Names) -> bool:
    return any(_AT_RISK.search(name) for text in use.conditions for name in _segments(text, names))


def _segments(text: str, names: Names) -> set[str]:
    try:
        return set(segments_in(parse(text, names)))
    except SegmentError:
        return set()


def _win_back(draft: Draft) -> Iterator[PlaybookFault]:
    """Who forgot needs a reminder, who was busy a better time; the discount is for those whom the price kept away."""
    for name, uses in uses_of(draft).items():
        message = draft.messages.get(name)
        if message is None or discount_place(message.form.content) is None:
            continue
        for use in uses:
            if use.priority == WIN_BACK and use.part is not None and not use.conditions:
                yield use.part.fault(
                    use.place,
                    f"{name} gives everybody who comes here a discount; branch by reason (forgot, busy, price) and give "
                    "it only where the price was the reason",
                )
    for part in draft.scenarios.values():
        if part.form.priority == WIN_BACK:
            yield from _generous_branches(part, draft)


def _generous_branches(part: Part[ScenarioForm], draft: Draft) -> Iterator[PlaybookFault]:
    """A branch of which more than one case gives a discount."""
    for place, step in every_step(Block(("steps",), part.form.steps)):
        giving = [
            number
            for number, case in enumerate(step.branch or [])
            if case.when and _gives_discount(case.steps or [], draft)
        ]
        for number in giving[1:]:
            yield part.fault(
                (*place, "branch", number),
                "another case of this branch gives a discount already; keep it for those whom the price kept away",
            )


def _gives_discount(steps: list[StepForm], draft: Draft) -> bool:
    sent = [step.send.message for _, step in every_step(Block((), steps)) if step.send]
    forms = [draft.messages[name].form for name in sent if name in draft.messages]
    return any(discount_place(form.content) is not None for form in forms)
