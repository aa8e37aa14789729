"""Unknown ends, and a person's word on them: the record that says it, and what the gate makes of it."""

import datetime as dt
from typing import Literal

import msgspec

from functions.domain.gate import Gate
from functions.domain.instants import Instant
from functions.domain.sends import Resolution, SendRecord

Said = Literal["sent", "failed"]
BY_HAND = "resolved"
"""The reason of a failure that nobody but a person knows of."""


class NotUnknown(ValueError):
    """The record has another end, which nobody may overwrite."""


def resolved(record: SendRecord, said: Said, by: str, why: str, now: Instant) -> SendRecord:
    """The record with what is said of it. Its instant stays: that is when the message was out of our hands.

    Raises NotUnknown where its end is known.
    """
    if record.status != "unknown":
        raise NotUnknown(f"{record.send_id} is {record.status}, not unknown")
    before = Resolution(record.status, record.reason, by, now, why)
    reason = BY_HAND if said == "failed" else ""
    return msgspec.structs.replace(record, status=said, reason=reason, resolved=before)


def is_said(record: SendRecord, said: Said) -> bool:
    """Whether a person has said just this of it: what is left to do, if anything, is in the gate."""
    return record.resolved is not None and record.status == said


def gate_after(gate: Gate, record: SendRecord) -> Gate:
    """The gate once a resolved record stands: what failed gives its slot back and stays marked, what was sent counts.

    Any number of times the same. A claim that was pruned meanwhile does not come back.
    """
    if record.resolved is None or record.status != "failed":
        return gate
    return msgspec.structs.replace(
        gate,
        contacts=[contact for contact in gate.contacts if contact.send_id != record.send_id],
        claims=[
            msgspec.structs.replace(claim, state="failed", reason=record.reason)
            if claim.send_id == record.send_id
            else claim
            for claim in gate.claims
        ],
    )


def key_age(gate: Gate | None, record: SendRecord) -> dt.timedelta | None:
    """How old the retry key was when the message ended; None where the gate has forgotten the claim."""
    claim = gate.claim(record.send_id) if gate else None
    return record.at - claim.key_at if claim else None
