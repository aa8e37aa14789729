"""Events that are assumed to come: a forecast knows the customers, and not what they will do."""

import datetime as dt
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from functions.domain.customers import in_order
from functions.domain.events import Dictionary, Event
from functions.domain.instants import Instant
from ops.plan.filed import ASSUMED
from ops.plan.lives import Person


def with_assumed(
    people: Iterable[Person], ahead: Mapping[str, Sequence[Event]], stranger: Callable[[str], Person]
) -> Iterator[Person]:
    """The people with the events that are assumed of them; whom nobody knows yet comes last, made by `stranger`."""
    known = set()
    for person in people:
        known.add(person.customer_id)
        mine = ahead.get(person.customer_id)
        yield msgspec.structs.replace(person, ahead=in_order([*person.ahead, *mine])) if mine else person
    for customer_id, events in ahead.items():
        if customer_id not in known:
            yield msgspec.structs.replace(stranger(customer_id), ahead=in_order(events))


class Replay(msgspec.Struct, frozen=True):
    """The last `days` before `start` come again, one after the other, until `end`.

    Somebody whose history began within them comes again as somebody else, new each time: as many people buy for the
    first time as did then. Everybody else does again what they did.
    """

    days: int
    start: Instant
    end: Instant
    dictionary: Dictionary

    def of(self, person: Person, lately: Sequence[Event], *, newcomer: bool) -> Iterator[Person]:
        """The person with what comes again (`lately`: the person's events of those days), and who comes like them."""
        events = in_order(event for event in lately if event.occurred_at > self.begins)
        if not events:
            yield person
        elif newcomer:
            yield person
            for number in self._rounds():
                ahead = self._again(events, number, also=["line_user_id"])
                if ahead:
                    yield _like(person, number, ahead)
        else:
            ahead = [event for number in self._rounds() for event in self._again(events, number)]
            yield msgspec.structs.replace(person, ahead=in_order([*person.ahead, *ahead]))

    @property
    def begins(self) -> Instant:
        """The instant after which events come again."""
        return self.start - dt.timedelta(days=self.days)

    def _rounds(self) -> range:
        return range(1, math.ceil((self.end - self.start) / dt.timedelta(days=self.days)) + 1)

    def _again(self, events: Iterable[Event], number: int, also: Iterable[str] = ()) -> list[Event]:
        """The events of one round. What corrects an earlier event corrects the one that came again with it."""
        shift = dt.timedelta(days=self.days * number)
        names = {*also, *(kind.amends.by for kind in self.dictionary.values() if kind.amends)}
        return [
            _shifted(event, number, shift, names) for event in events if event.occurred_at + shift <= self.end
        ]


def _like(person: Person, number: int, ahead: list[Event]) -> Person:
    """Somebody who comes anew: tied to a LINE user from the outset if the other one is by now."""
    name, user = f"{person.customer_id}+{number}", person.user and f"{person.user}+{number}"
    taken_for_granted = [event for event in person.past if event.source == ASSUMED]
    return Person(name, past=taken_for_granted, ahead=ahead, user=user)


def _shifted(event: Event, number: int, shift: dt.timedelta, names: set[str]) -> Event:
    """Another event of the same kind, later; the properties of these names name other things."""
    properties = {
        name: f"{value}+{number}" if name in names and isinstance(value, str) else value
        for name, value in event.properties.items()
    }
    return msgspec.structs.replace(
        event,
        event_id=f"{event.event_id}+{number}",
        occurred_at=event.occurred_at + shift,
        properties=properties,
        imported=False,
    )
