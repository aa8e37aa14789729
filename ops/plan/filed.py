"""People out of a file of events, as an import of that file would make them."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from functions.domain.compiled import Compiled
from functions.domain.customers import in_order
from functions.domain.events import Event
from functions.domain.identity import Link, link_after
from functions.domain.instants import Instant
from functions.domain.playbook import Playbook
from ops.errors import UserError
from ops.evaluate import FOREVER, Intake, take_in
from ops.event_files import EventFileError, read_events
from ops.plan.lives import EPOCH, Person

ASSUMED = "assumed"
ByCustomer = Mapping[str, Sequence[Event]]


def events_of(file: Path, playbook: Playbook, until: Instant = FOREVER) -> Intake:
    """The file's events by customer. UserError where it cannot be read."""
    try:
        return take_in(read_events(file, Compiled(playbook).dictionary), playbook.events, until)
    except EventFileError as error:
        raise UserError(str(error)) from None


def newest(events: ByCustomer) -> Instant:
    """The instant of the newest event. UserError where there is none."""
    found = max((event.occurred_at for mine in events.values() for event in mine), default=None)
    if found is None:
        raise UserError("The file holds no event that the playbook knows.")
    return found


def people_of(past: ByCustomer, playbook: Playbook, *, linked: bool) -> Iterator[Person]:
    """Everybody in the file. `linked`: all are tied to a LINE user and agree to what the playbook asks for."""
    users = users_of(past)
    for customer_id, events in past.items():
        mine = [msgspec.structs.replace(event, imported=True) for event in in_order(events)]
        person = Person(customer_id, past=mine, user=users.get(customer_id, ""))
        yield taken_as_linked(person, playbook) if linked else person


def taken_as_linked(person: Person, playbook: Playbook) -> Person:
    """The person with a LINE user and every consent, before anything that their events say."""
    user = person.user or made_up_user(person.customer_id)
    link = assumed_link(person.customer_id, user, purposes_of(playbook))
    return msgspec.structs.replace(person, past=[link, *person.past], user=user)


def users_of(past: ByCustomer) -> dict[str, str]:
    """Whom the file ties to which LINE user; a user whom two customers claim stays with the first."""
    links: dict[str, Link] = {}
    told = [
        event
        for events in past.values()
        for event in events
        if event.name in ("line_linked", "line_unlinked") and event.status == "confirmed"
    ]
    for event in in_order(told):
        user = str(event.properties["line_user_id"])
        after = link_after(links.get(user), event)
        if after is not None:
            links[user] = after
    newest_last = sorted(links.values(), key=lambda link: (link.linked_at, link.line_user_id))
    return {link.customer_id: link.line_user_id for link in newest_last if link.status != "unlinked"}


def purposes_of(playbook: Playbook) -> list[str]:
    """Every purpose that any kind of message asks consent for."""
    return sorted({purpose for purposes in playbook.consent.values() for purpose in purposes})


def assumed_link(customer_id: str, user: str, purposes: list[str]) -> Event:
    """The event by which somebody is taken to have agreed to everything, before anything that the file says."""
    told = {"line_user_id": user, "method": ASSUMED, "consent": purposes}
    return Event(
        f"{ASSUMED}-{customer_id}",
        customer_id,
        "line_linked",
        EPOCH,
        source=ASSUMED,
        properties=told,
        imported=True,
    )


def made_up_user(customer_id: str) -> str:
    """A LINE user id for somebody of whom the forecast assumes that there is one."""
    return "U" + hashlib.sha256(customer_id.encode()).hexdigest()[:32]
