"""Dead letters: why a message died, whom it concerns, and what will become of it when it runs again."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable
from typing import Literal

import msgspec

from functions.domain.claims import Allow, Decision
from functions.domain.gate import Claim
from functions.domain.instants import Instant
from functions.domain.sends import SendRecord
from functions.domain.verdicts import Ended, Wait

RECEIVES_MAX = 5
"""A message that failed so many times moves to the dead letters: `maxReceiveCount` of infra/queues.py."""
NO_ANSWER = "no answer (timed out or killed)"
UNKNOWN_CAUSE = "unknown cause"

_VARYING = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\b[0-9a-f]{16,}\b|\d+")
_CAUSE_CHARACTERS_MAX = 300

Fate = Literal[
    "push",
    "push_again",
    "wait",
    "suppressed",
    "failed",
    "unknown",
    "ended",
    "elsewhere",
    "rerun",
    "fails",
    "stays",
    "cleared",
]


class FailureNote(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a message failed the last time that it could. It names no customer and quotes no payload.

    `kind` is the error's type, with AWS's error code where it has one; `text` is kept of our own errors only; `place`
    is the last line of ours, as `functions/send/flow.py:99`; `receives` counts how often the message was tried.
    """

    message_id: str
    kind: str
    text: str = ""
    place: str = ""
    function: str = ""
    receives: int = 0
    first_received_at: Instant | None = None
    failed_at: Instant | None = None


class Letter(msgspec.Struct, frozen=True):
    """One message of a dead-letter queue, hidden from others for a while.

    `queue` is the name of what the dead-letter queue serves; `receipt` stands for this receipt of the message; `moved`:
    it came from its work queue after too many failures; `refusal`: why EventBridge could not deliver it.
    """

    message_id: str
    queue: str
    body: str
    sent_at: Instant
    receipt: str = ""
    moved: bool = True
    refusal: str = ""
    note: FailureNote | None = None

    @property
    def cause(self) -> str:
        """Why it died, the same text for all letters that died of the same."""
        if self.note is not None:
            return _cause_told(self.note)
        if self.refusal:
            return f"not delivered: {_general(self.refusal)}"
        return NO_ANSWER if self.moved else UNKNOWN_CAUSE

    @property
    def since(self) -> Instant:
        """When it failed last, as far as that is known; else when it was first put into its queue."""
        return (self.note and self.note.failed_at) or self.sent_at


def _cause_told(note: FailureNote) -> str:
    told = f"{note.kind}: {_general(note.text)}" if note.text else note.kind
    return f"{told} ({note.place})" if note.place else told


def _general(text: str) -> str:
    """The text without ids and numbers, which tell apart what died of the same."""
    return _VARYING.sub("…", text)[:_CAUSE_CHARACTERS_MAX]


class Subject(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a message is about: the shape of its payload without what it says."""

    kind: str
    customer_id: str = ""
    line_user_id: str = ""
    scenario: str = ""
    campaign: str = ""
    step: str = ""
    send_id: str = ""
    detail: str = ""


UNREADABLE = Subject("unreadable")


class Prediction(msgspec.Struct, frozen=True, omit_defaults=True):
    """What becomes of a letter that is replayed now.

    push, push_again (with the key of an earlier attempt), wait, suppressed, failed, unknown: the gate's verdict;
    ended: it is on record already, so that nothing happens; elsewhere: a batch has claimed it and brings it to its end;
    rerun: its flow is safe to repeat; fails: it would die again;
    stays: nobody can read it, and it is left where it is; cleared: an interrupted replay put it back already, and only
    deletes it.
    """

    fate: Fate
    reason: str = ""
    until: Instant | None = None

    @property
    def told(self) -> str:
        """In a word or two: `unknown: key_expired`."""
        return told_end(self.fate, self.reason)


RERUN = Prediction("rerun")
STAYS = Prediction("stays", "unreadable")
CLEARED = Prediction("cleared", "is back already")


def predicted(decision: Decision, claim: Claim | None) -> Prediction:
    """What the gate would do; `claim` is what it holds of this intent now."""
    match decision.verdict:
        case Allow(resumed=resumed):
            return Prediction("push_again" if resumed else "push")
        case Wait(until=until, reason=reason):
            return Prediction("wait", reason, until)
        case Ended(outcome=outcome, reason=reason):
            if claim is not None and claim.state != "open":
                return Prediction("ended", told_end(outcome, reason))
            return Prediction(outcome, reason)
        case _:
            return Prediction("elsewhere")


def ended(record: SendRecord) -> Prediction:
    """What has an end on record keeps it."""
    return Prediction("ended", told_end(record.status, record.reason))


def told_end(outcome: str, reason: str) -> str:
    """An end in one word or two: `sent`, `unknown: key_expired`."""
    return f"{outcome}: {reason}" if reason else outcome


class Filters(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which letters are meant. Empty: all. `cause` is a part of its text; `customer` may be a LINE user too;
    `before` and `after` bound the instant of the last failure; `limit`: at most so many are put back."""

    queue: str = ""
    cause: str = ""
    customer: str = ""
    scenario: str = ""
    campaign: str = ""
    before: Instant | None = None
    after: Instant | None = None
    limit: int | None = None

    def match(self, letter: Letter, subject: Subject) -> bool:
        """Whether this letter is meant, whatever the limit."""
        return (
            self.queue in ("", letter.queue)
            and self.cause.casefold() in letter.cause.casefold()
            and self.customer in ("", subject.customer_id, subject.line_user_id)
            and self.scenario in ("", subject.scenario)
            and self.campaign in ("", subject.campaign)
            and (self.before is None or letter.since <= self.before)
            and (self.after is None or letter.since >= self.after)
        )


def aged(filters: Filters, now: Instant, older_seconds: float | None, newer_seconds: float | None) -> Filters:
    """The filters bound to instants, so that a replay that goes on later means the same letters."""
    return msgspec.structs.replace(
        filters,
        before=None if older_seconds is None else now - dt.timedelta(seconds=older_seconds),
        after=None if newer_seconds is None else now - dt.timedelta(seconds=newer_seconds),
    )


class Seen(msgspec.Struct, frozen=True):
    """A letter, whom it concerns, and what a replay would do (where that was asked)."""

    letter: Letter
    subject: Subject
    prediction: Prediction | None = None


def counted(seen: Iterable[Seen]) -> dict[str, int]:
    """How many letters a replay would do what with, the most first: `{"push": 12, "unknown: key_expired": 3}`."""
    counts = Counter(one.prediction.told for one in seen if one.prediction is not None)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


class Group(msgspec.Struct, frozen=True):
    """All letters of one queue that died of the same, the oldest first."""

    queue: str
    cause: str
    seen: list[Seen]

    @property
    def oldest(self) -> Instant:
        """The last failure of the one that failed first."""
        return self.seen[0].letter.since

    @property
    def newest(self) -> Instant:
        """The last failure of the one that failed last."""
        return self.seen[-1].letter.since


def grouped(seen: Iterable[Seen]) -> list[Group]:
    """By queue and cause, the largest group first."""
    groups: dict[tuple[str, str], list[Seen]] = {}
    for one in seen:
        groups.setdefault((one.letter.queue, one.letter.cause), []).append(one)
    found = [
        Group(queue, cause, sorted(members, key=lambda member: member.letter.since))
        for (queue, cause), members in groups.items()
    ]
    return sorted(found, key=lambda group: (-len(group.seen), group.queue, group.cause))
