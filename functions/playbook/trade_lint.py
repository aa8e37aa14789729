"""Lint: the rules of the trade. Experience before discount, support in every branch, nothing lying about."""

from collections.abc import Iterator

from functions.playbook.draft import Draft, Part
from functions.playbook.expressions import used_segments
from functions.playbook.faults import PlaybookFault
from functions.playbook.message_lint import discount_place
from functions.playbook.message_models import MessageForm
from functions.playbook.scenario_models import Block, ScenarioForm, every_step

ONBOARDING = "onboarding"
DISCOUNTS_BELONG = ("win_back", "churn_prevention")


def uses_of(draft: Draft) -> dict[str, set[str]]:
    """Message → the priorities of the scenarios and campaigns that send it."""
    uses: dict[str, set[str]] = {}
    for part in draft.scenarios.values():
        for _, step in every_step(Block(("steps",), part.form.steps)):
            if step.send:
                uses.setdefault(step.send.message, set()).add(part.form.priority)
    for campaign in draft.campaigns.values():
        uses.setdefault(campaign.form.message, set()).add(campaign.form.priority)
    return uses


def _undeclared(draft: Draft) -> Iterator[tuple[Part[MessageForm], set[str], PlaybookFault]]:
    """Promotions that speak of a discount and declare no reason: with their uses, and the fault to be told."""
    uses = uses_of(draft)
    for name, part in draft.messages.items():
        place = discount_place(part.form)
        if place is not None and part.form.kind == "promotion" and part.form.discount_reason is None:
            message = "a discount here teaches people to wait for discounts; take it out, or declare discount_reason"
            yield part, uses.get(name, set()), part.fault(place, message)


def trade_faults(draft: Draft) -> Iterator[PlaybookFault]:
    """A discount in onboarding without a declared reason."""
    return (fault for _, uses, fault in _undeclared(draft) if ONBOARDING in uses)


def trade_warnings(draft: Draft) -> Iterator[PlaybookFault]:
    """Discounts outside the dormant and the leaving, branches without support, and what nobody uses."""
    for _, uses, fault in _undeclared(draft):
        if ONBOARDING not in uses and uses - set(DISCOUNTS_BELONG):
            yield fault
    for part in draft.scenarios.values():
        yield from _unsupported(part, draft)
    yield from _unused(draft)


def _unsupported(part: Part[ScenarioForm], draft: Draft) -> Iterator[PlaybookFault]:
    """The scenario as a whole, and each case of its branches, where they send without one support message."""
    whole = Block(("steps",), part.form.steps)
    branches = [
        Block((*place, "branch", number), case.steps or case.otherwise or [])
        for place, step in every_step(whole)
        for number, case in enumerate(step.branch or [])
    ]
    for block in (whole, *branches):
        sent = [step.send.message for _, step in every_step(block) if step.send]
        kinds = {draft.messages[name].form.kind for name in sent if name in draft.messages}
        if sent and kinds and "support" not in kinds:
            yield part.fault(block.place, "nothing here is a support message; help before you sell: add one")


def _unused(draft: Draft) -> Iterator[PlaybookFault]:
    """Nothing is said while a file that may use them cannot be read."""
    if not draft.sound("events", "segments", "scenarios", "campaigns"):
        return
    uses, segments = uses_of(draft), used_segments(draft)
    for name, part in draft.messages.items():
        if name not in uses:
            yield part.fault((), f"nothing sends the message {name}; send it, or take the file out")
    for name, segment in draft.segments.items():
        if name not in segments and not segment.form.report:
            yield segment.fault(
                (),
                f"nothing uses the segment {name}; use it, write report: true to keep it for reports, or take it out",
            )
