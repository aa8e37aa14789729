"""Approval: a campaign run above a size waits, frozen, for a second person's word on exactly this content and audience."""

import datetime as dt
import hashlib
from typing import Literal

import msgspec

from functions.domain.campaigns import Chunk, Run, run_expires_at
from functions.domain.compiled import Compiled
from functions.domain.instants import Instant

CLOCKS_APART_MAX = dt.timedelta(minutes=1)
"""Evaluate lets the run go by its own clock, and the sender ends its messages by another."""

Decision = Literal["approved", "rejected"]
Answer = Literal["go", "wait", "rejected"]


class FrozenList(msgspec.Struct, frozen=True):
    """A run whose pages are all frozen: how many people it is for, and the hash of what is said to whom."""

    targeted: int
    hash: str


class Awaiting(msgspec.Struct, frozen=True):
    """A run that waits for approval, and since when."""

    targeted: int
    hash: str
    since: Instant


class Approval(msgspec.Struct, frozen=True, omit_defaults=True):
    """A second person's word, bound to the hash of what that person saw. `also`: the hashes of the same list without
    people who were erased since."""

    decision: Decision
    hash: str
    by: str
    at: Instant
    why: str = ""
    also: list[str] = []

    def holds_for(self, hash_: str) -> bool:
        """Whether it was said of this list, or of this list before somebody on it was erased."""
        return hash_ == self.hash or hash_ in self.also


class RunHash:
    """sha256 over the message, the campaign's settings and every frozen page, in the order of the pages."""

    def __init__(self, run: Run, compiled: Compiled) -> None:
        campaign = compiled.playbook.campaigns[run.campaign]
        message = compiled.playbook.messages[campaign.message]
        self._sha = hashlib.sha256(
            msgspec.json.encode([run.source, campaign, message], order="deterministic")
        )
        self._targeted = 0

    def add(self, chunk: Chunk) -> None:
        """The next page."""
        self._sha.update(b"\n" + msgspec.json.encode(chunk, order="deterministic"))
        self._targeted += len(chunk.recipients)

    @property
    def frozen(self) -> FrozenList:
        """The list of which all pages were added."""
        return FrozenList(self._targeted, self._sha.hexdigest())


def over_at(run: Run, compiled: Compiled) -> Instant:
    """When the messages of a run that nobody approved have expired by everybody's clock, so that none of them is sent."""
    return run_expires_at(run, compiled) + CLOCKS_APART_MAX


def needs_approval(compiled: Compiled, targeted: int) -> bool:
    """By the playbook that the run was begun with: a later one cannot let it off."""
    above = compiled.playbook.approval_above
    return above is not None and targeted > above


def answer_of(
    run: Run, compiled: Compiled, frozen: FrozenList, approval: Approval | None, now: Instant
) -> Answer:
    """What becomes of the run now. One that nobody approved while its messages lived goes, and they end as expired."""
    if not needs_approval(compiled, frozen.targeted):
        return "go"
    if approval is not None and approval.decision == "rejected":
        return "rejected"
    if approval is not None and approval.holds_for(frozen.hash):
        return "go"
    return "go" if now >= over_at(run, compiled) else "wait"
