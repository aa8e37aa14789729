"""The playbook that measuring is tested with: the shop's, with goals that are orders and one that is none."""

from functools import cache
from pathlib import Path

import msgspec

from functions.domain import playbook as pb
from functions.domain.events import Amendment, EventType, PropertyType
from functions.playbook import load_playbook

DAY_SECONDS = 86_400
_TEXT, _NUMBER = PropertyType("string"), PropertyType("number", sum=True)


@cache
def shop() -> pb.Playbook:
    """Orders are `purchase`, and `booking` may be cancelled too."""
    book = load_playbook(Path(__file__).parents[2] / "playbooks" / "ec")
    booking = EventType("a visit was booked", properties={"booking_id": _TEXT})
    cancelled = EventType("it was cancelled", amends=Amendment("booking", "booking_id"))
    goals = {
        "purchase": pb.Goal("purchase", 3 * DAY_SECONDS),
        "second": pb.Goal("purchase", 5 * DAY_SECONDS, 2),
        "visit": pb.Goal("booking", 2 * DAY_SECONDS),
    }
    return msgspec.structs.replace(
        book,
        events={**book.events, "booking": booking, "booking_cancelled": cancelled},
        measure=msgspec.structs.replace(book.measure, goals=goals, dormant_seconds=4 * DAY_SECONDS),
        price=pb.Price(plan_yen=100, free_messages=3, yen_each=2.5),
    )


@cache
def year() -> pb.Playbook:
    """The shop's own, at a price that changes what a message costs from month to month."""
    book = load_playbook(Path(__file__).parents[2] / "playbooks" / "ec")
    measure = msgspec.structs.replace(book.measure, dormant_seconds=60 * DAY_SECONDS)
    price = pb.Price(plan_yen=900, free_messages=300, yen_each=2.5)
    return msgspec.structs.replace(book, measure=measure, price=price)
