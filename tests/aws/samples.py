"""Values to keep: each with something in every field that a codec could lose."""

import datetime as dt

from functions.domain.customers import Alias, Customer
from functions.domain.events import Event
from functions.domain.gate import Claim, Contact, Gate, Hold
from functions.domain.instants import Instant
from functions.domain.journeys import Journey
from functions.domain.profiles import Profile, Register, Seen, Tally
from functions.domain.sends import HoldNote, Intent, Outcome, SendRecord, record_of, send_id_of

NOW = dt.datetime(2026, 11, 2, 3, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
MINUTE = dt.timedelta(minutes=1)


def event(event_id: str = "e1", customer_id: str = "c1", at: Instant = NOW, **properties: object) -> Event:
    """A purchase."""
    return Event(
        event_id, customer_id, "purchase", at, source="店", properties={"order_id": "1", **properties}
    )


def intent(step: str = "offer", customer_id: str = "c1", made_at: Instant = NOW) -> Intent:
    """A whole intent."""
    return Intent(
        send_id=send_id_of("main", "path", "j1", step, "U1", "1"),
        customer_id=customer_id,
        line_user_id="U1",
        kind="promotion",
        source="path",
        journey="j1",
        step=step,
        occurrence="1",
        message="offer",
        message_hash="h",
        playbook="v1",
        rank=20,
        made_at=made_at,
        expires_at=made_at + dt.timedelta(days=8),
        values={"first_name": "花", "orders": 3, "amount": 12.5, "gold": True},
        scenario="path",
        variant="a",
        hold_seconds_max=0,
        category="coupon",
        due_at=made_at,
        overtaken=True,
        holds=[HoldNote(NOW, "quiet_hours", NOW + MINUTE)],
    )


def record(
    step: str = "offer", status: Outcome = "sent", customer_id: str = "c1", made_at: Instant = NOW
) -> SendRecord:
    """The end of that intent."""
    facts = {
        "local": "2026-11-02T12:00+09:00",
        "rank": 20,
        "counted": {"weekly": [1, "2026-11-01T03:00:00Z"]},
    }
    one = intent(step, customer_id, made_at)
    return record_of(one, status, "", made_at + SECOND, "request-1", facts)


def customer(customer_id: str = "c1") -> Customer:
    """A customer with something everywhere."""
    register = Register("U1", NOW, "e1")
    return Customer(
        customer_id,
        link=register,
        profile=Profile(
            attributes={"名前": Register("花", NOW, "e1"), "gold": Register(True, NOW, "e2")},
            tags={"vip": Register(True, NOW, "e1")},
            tallies={
                "orders": Tally(2, NOW, NOW + SECOND, {"amount": 10**18}, {"category": {"a": Seen(2, NOW)}})
            },
            provisional={"e9": event("e9")},
        ),
        journeys=[Journey("j1", "path", "v1", 1, NOW, "f", since=NOW, due=NOW + MINUTE)],
        outbox=[intent()],
        armed_at=NOW + MINUTE,
        seen=["0123456789ab"],
        intended={"path": 1},
        aliases=[Alias("anon:U1")],
    )


def gate(customer_id: str = "c1") -> Gate:
    """A gate with something everywhere."""
    register = Register(True, NOW, "e1")
    return Gate(
        customer_id,
        link=Register("U1", NOW, "e1"),
        friends={"U1": register},
        consent={"marketing": register},
        cases={"inquiry": {"": register}},
        contacts=[Contact("s1", "promotion", NOW, "coupon")],
        claims=[Claim("s1", "path/1", "offer", "U1", "hash", NOW, NOW, NOW + MINUTE)],
        holds=[Hold("s2", "promotion", 20, NOW, "path/1", NOW, "quiet_hours", "coupon")],
    )
