"""History in: past events from a file, customer by customer, through the inbox like everything else."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

import msgspec

from functions.domain.events import Event, Fault, check_event
from functions.ports import EventsReceived
from ops.errors import UserError
from ops.event_files import EventFileError, read_events
from ops.stores import Stores

MESSAGES_A_CALL = 200
_Item = TypeVar("_Item")


class Imported(msgspec.Struct, frozen=True):
    """How much went in. `first_fault` names the line and the reason of the first rejected event."""

    events: int
    customers: int
    rejected: int
    first_fault: str


def import_file(stores: Stores, file: Path) -> Imported:
    """Every event of the file that the dictionary knows, folded without starting journeys. UserError for no such file."""
    dictionary, now = stores.playbooks.in_force().playbook.events, stores.now()
    good: list[Event] = []
    faults: list[str] = []
    try:
        for line, raw in read_events(file, dictionary):
            event = raw if isinstance(raw, Fault) else check_event(raw, dictionary, now)
            if isinstance(event, Fault):
                faults.append(f"{file}:{line}: {event.message}")
            else:
                good.append(event)
    except EventFileError as error:
        raise UserError(str(error)) from None
    customers = import_events(stores, good)
    return Imported(len(good), customers, len(faults), faults[0] if faults else "")


def import_events(
    stores: Stores, events: Iterable[Event], on_progress: Callable[[int], None] | None = None
) -> int:
    """Enqueue events as history, one message a customer; how many customers. `on_progress` gets each step's customers."""
    by_customer: dict[str, list[Event]] = {}
    for event in events:
        by_customer.setdefault(event.customer_id, []).append(event)
    messages = (EventsReceived(customer_id, mine, history=True) for customer_id, mine in by_customer.items())
    for group in _groups(messages, MESSAGES_A_CALL):
        stores.inbox.put(group)
        if on_progress:
            on_progress(len(group))
    return len(by_customer)


def _groups(items: Iterator[_Item], size: int) -> Iterator[list[_Item]]:
    while group := list(islice(items, size)):
        yield group
