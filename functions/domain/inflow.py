"""Where friends come from: sources of ours, each with an address of its own, and the event of who came by it."""

import hashlib

import msgspec

from functions.domain.events import Event
from functions.domain.instants import Instant


class InflowSource(msgspec.Struct, frozen=True, omit_defaults=True):
    """A poster, an advertisement, a shop's counter: what leads to its own address. `digest` names the token in it."""

    name: str
    digest: str
    created_at: Instant
    by: str
    label: str = ""
    campaign: str = ""
    closed_at: Instant | None = None


def token_digest(token: str) -> str:
    """What a token is known by, that nobody can make a token of."""
    return hashlib.sha256(token.encode()).hexdigest()


def inflow_event(source: InflowSource, customer_id: str, line_user_id: str, at: Instant) -> Event:
    """That a LINE user came by a source. Whoever comes by it again came by it already: the id says who and whence."""
    said = hashlib.sha256(f"{source.name}\x1f{line_user_id}".encode()).hexdigest()[:32]
    campaign = {"campaign": source.campaign} if source.campaign else {}
    return Event(
        event_id=f"line:inflow:{said}",
        customer_id=customer_id,
        name="inflow",
        occurred_at=at,
        source="line",
        properties={"source": source.name, "line_user_id": line_user_id, **campaign},
    )
