"""Lint: the rules of the trade. Support in every branch, notifications from people's own doing, nothing lying about."""

from collections.abc import Iterator
from typing import Any

from functions.domain.segments import SegmentError, inlined
from functions.playbook.discount_lint import uses_of
from functions.playbook.draft import Draft, Part
from functions.playbook.expressions import segment_trees, used_segments
from functions.playbook.faults import PlaybookFault
from functions.playbook.models import CampaignForm
from functions.playbook.scenario_models import Block, ScenarioForm, every_step

_OF_DATES = frozenset({"days_until", "days_until_anniversary", "month_of"})
"""What a segment's tree says where it goes by a date of the customer's own."""


def trade_warnings(draft: Draft) -> Iterator[PlaybookFault]:
    """Branches without support, notifications that nobody's doing caused, and what nobody uses."""
    for part in draft.scenarios.values():
        yield from _unsupported(part, draft)
    for campaign in draft.campaigns.values():
        yield from _uncalled(campaign, draft)
    yield from _unused(draft)


def _uncalled(part: Part[CampaignForm], draft: Draft) -> Iterator[PlaybookFault]:
    """A notification comes from the customer's own behaviour or dates: a campaign to a segment of dates may send it."""
    message = draft.messages.get(part.form.message)
    if message is None or message.form.kind != "notification" or _goes_by_dates(part.form.segment, draft):
        return
    yield part.fault(
        ("message",),
        f"{part.form.message} is a notification, and nothing that these people did or dated calls for it; send it from "
        "a scenario that their behaviour starts, or write kind: promotion",
    )


def _goes_by_dates(segment: str, draft: Draft) -> bool:
    trees = segment_trees(draft)
    try:
        tree: Any = inlined(trees[segment], trees)
    except (KeyError, SegmentError):
        return True  # told where the segment stands
    return bool(_OF_DATES & set(_words(tree)))


def _words(tree: Any) -> Iterator[str]:
    for part in tree if isinstance(tree, list) else []:
        yield from (part,) if isinstance(part, str) else _words(part)


def _unsupported(part: Part[ScenarioForm], draft: Draft) -> Iterator[PlaybookFault]:
    """The scenario as a whole, and each case of its branches, where they send without one support message. A message that
    cannot be read may be one."""
    whole = Block(("steps",), part.form.steps)
    branches = [
        Block((*place, "branch", number), case.steps or case.otherwise or [])
        for place, step in every_step(whole)
        for number, case in enumerate(step.branch or [])
    ]
    for block in (whole, *branches):
        sent = [step.send.message for _, step in every_step(block) if step.send]
        kinds = {draft.messages[name].form.kind if name in draft.messages else "unread" for name in sent}
        if sent and not kinds & {"support", "unread"}:
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
