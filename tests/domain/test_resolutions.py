"""A person's word on an unknown end, in the record and in the gate."""

import datetime as dt

import msgspec
import pytest

from functions.domain.gate import Claim, Contact, Gate
from functions.domain.resolutions import NotUnknown, gate_after, is_said, key_age, resolved
from functions.domain.sends import Outcome, Resolution, SendRecord, record_of
from tests.domain.strategies import HOUR, NOON, intent

BY, WHY = "arn:aws:iam::1:user/ann", "asked the customer"


def unknown(status: Outcome = "unknown") -> SendRecord:
    return record_of(intent(), status, "key_expired", NOON + 23 * HOUR)


def gate() -> Gate:
    one, other = intent().send_id, "another"
    claims = [
        Claim(
            name,
            "path/1",
            "offer",
            "U1",
            "h",
            NOON,
            NOON,
            NOON + dt.timedelta(days=8),
            "unknown",
            "key_expired",
        )
        for name in (one, other)
    ]
    return Gate(
        "c1", contacts=[Contact(one, "promotion", NOON), Contact(other, "promotion", NOON)], claims=claims
    )


@pytest.mark.parametrize("said", ["sent", "failed"])
def test_the_record_keeps_what_it_was_and_who_says_otherwise(said: str) -> None:
    record = resolved(unknown(), said, BY, WHY, NOON + 30 * HOUR)  # type: ignore[arg-type]
    assert record.status == said
    assert record.reason == {"sent": "", "failed": "resolved"}[said]
    assert record.resolved == Resolution("unknown", "key_expired", BY, NOON + 30 * HOUR, WHY)
    before = msgspec.structs.replace(record, status="unknown", reason="key_expired", resolved=None)
    assert before == unknown()
    assert is_said(record, said)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", ["sent", "failed", "suppressed"])
def test_a_known_end_cannot_be_resolved(status: Outcome) -> None:
    with pytest.raises(NotUnknown):
        resolved(unknown(status), "sent", BY, WHY, NOON)
    assert not is_said(unknown(status), "sent")


def test_a_failure_gives_its_own_slot_back_and_stays_marked() -> None:
    record = resolved(unknown(), "failed", BY, WHY, NOON)
    after = gate_after(gate(), record)
    assert [contact.send_id for contact in after.contacts] == ["another"]
    assert [(claim.send_id, claim.state) for claim in after.claims] == [
        (record.send_id, "failed"),
        ("another", "unknown"),
    ]
    assert gate_after(after, record) == after


def test_what_was_sent_counts_on() -> None:
    assert gate_after(gate(), resolved(unknown(), "sent", BY, WHY, NOON)) == gate()


def test_a_failure_that_nobody_resolved_changes_no_gate() -> None:
    assert gate_after(gate(), unknown("failed")) == gate()


def test_the_age_of_the_key_is_that_at_the_end() -> None:
    assert key_age(gate(), unknown()) == 23 * HOUR
    assert key_age(Gate("c1"), unknown()) is None
    assert key_age(None, unknown()) is None
