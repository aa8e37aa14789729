"""Gates as rows: nothing of one is lost, and what a busy customer's gate remembers fits one write unit."""

import datetime as dt
import hashlib
import random
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.aws.items import decode_gate, versioned_put
from functions.domain.gate import Claim, Contact, Gate
from functions.domain.registers import Register
from ops.bench.capacity import item_bytes
from tests.aws import samples

WRITE_UNIT_BYTES = 1024


def _row(gate: Gate) -> dict[str, dict[str, str]]:
    put, _ = versioned_put("gates", gate)
    item: dict[str, dict[str, str]] = put["Item"]
    return item


def test_a_gate_comes_back_as_it_was_written_with_its_next_version() -> None:
    put, written = versioned_put("gates", samples.gate())
    assert decode_gate(put["Item"]) == written
    assert written.version == samples.gate().version + 1


@given(st.dictionaries(st.text(max_size=8), st.booleans(), max_size=4), st.text(max_size=40))
def test_whatever_its_texts_a_gate_comes_back(consent: dict[str, bool], source: str) -> None:
    gate = Gate("c", consent={name: Register(given, samples.NOW, source) for name, given in consent.items()})
    put, written = versioned_put("gates", gate)
    assert decode_gate(put["Item"]) == written


@pytest.mark.parametrize(("claims", "contacts"), [(1, 13), (2, 10), (3, 8)])
def test_beside_its_live_claims_a_gate_has_room_for_the_messages_of_a_month(
    claims: int, contacts: int
) -> None:
    assert item_bytes(_row(_busy(claims, contacts))) <= WRITE_UNIT_BYTES
    assert item_bytes(_row(_busy(claims, contacts + 10))) > WRITE_UNIT_BYTES


def _busy(claims: int, contacts: int) -> Gate:
    """A gate whose ids and instants no codec can guess: one message every other day, of three kinds of journeys."""
    dice = random.Random(1)
    user = f"U{dice.getrandbits(128):032x}"

    def some_id() -> str:
        return str(uuid.UUID(int=dice.getrandbits(128)))

    def at(days: float) -> dt.datetime:
        return samples.NOW + dt.timedelta(days=days, microseconds=dice.randrange(10**9))

    return Gate(
        "C-00012345",
        version=120,
        link=Register(user, at(-90), some_id()),
        friends={user: Register(True, at(-91), f"line:{some_id()}")},
        consent={"marketing": Register(True, at(-90), some_id())},
        contacts=[
            Contact(
                some_id(),
                dice.choice(["promotion", "notification", "support"]),
                at(-2 * number),
                dice.choice(["", "coupon"]),
            )
            for number in range(contacts)
        ],
        claims=[
            Claim(
                some_id(),
                f"second_purchase#{some_id()}",
                f"reminder_{number}",
                user,
                hashlib.sha256(some_id().encode()).hexdigest(),
                made_at=at(0),
                key_at=at(0),
                until=at(3),
            )
            for number in range(claims)
        ],
    )
