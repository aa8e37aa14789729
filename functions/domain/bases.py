"""The base: what a customer's old events come to, when they themselves are kept no longer.

A kind of event that has a retention is folded away when it is older than that and nothing of it can be on its way any
more. What it counted stays in the base, by the event's own name, so that the words of a later dictionary can be read from
it; every fold of the history starts there. Only events of the CRM are folded away: they are the customer's for good, whoever
is linked or unlinked. And where a customer became this one, its events are folded away when the two can be parted no more, so
that no base ever has to be divided.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from functions.domain.amendments import Amendments, amendment_of, amendments_union, with_amendment, word_of
from functions.domain.events import SAID_AT_LINE, Dictionary, Event, EventType
from functions.domain.instants import Instant
from functions.domain.profiles import Profile, attributes_said
from functions.domain.registers import Register, attributes_union
from functions.domain.stored import Carrying
from functions.domain.tallies import Tally, as_read, counted, tally_union

IN_FLIGHT = dt.timedelta(days=31)
"""What was taken in at the last moment may still be on its way: two weeks in a queue of dead letters, and two more in that
of its replay. Until then it is counted as if there were no retention."""
FOLDED_EVERY = dt.timedelta(days=7)
"""So often at most one customer's old events are folded away."""


class Base(Carrying, msgspec.Struct, frozen=True, omit_defaults=True):
    """What the events of one partition of the history come to, up to and with the instants `until` by their names.

    `tallies` and `attributes` by the name of the event, with the sum of every number it has; `amended` by the name of the
    original; `others` the same lines for customers who became this one and whose old events are in here, too; `settled`: ids of events in here whose provisional events are dated later and still kept.
    """

    version: int = 0
    until: dict[str, Instant] = {}
    tallies: dict[str, Tally] = {}
    attributes: dict[str, dict[str, Register]] = {}
    amended: Amendments = {}
    others: dict[str, dict[str, Instant]] = {}
    settled: list[str] = []

    def is_over(self, event: Event) -> bool:
        """Whether the event is in here, or came too late to be, so that its row says nothing any more."""
        if event.status == "provisional" and event.event_id in self.settled:
            return True
        return lies_behind(event, self.until)

    def took(self, event: Event, customer_id: str) -> bool:
        """Whether an event that is kept under another customer, who became this one, is in here."""
        if event.status == "provisional" and event.event_id in self.settled:
            return True
        return lies_behind(event, self.others.get(customer_id, {}))


class Kept(msgspec.Struct, frozen=True):
    """One partition of the history: the events in the order in which they were kept, and the base that they follow.

    `over`: the identities of rows that are in the base by now and still have to go.
    """

    events: list[Event]
    base: Base = Base()
    over: list[str] = []


def split(rows: Iterable[Event], base: Base) -> Kept:
    """The rows of a partition, without those that its base stands for."""
    rows = list(rows)
    over = [event.identity for event in rows if base.is_over(event)]
    gone = set(over)
    return Kept([event for event in rows if event.identity not in gone], base, over)


def lies_behind(event: Event, until: Mapping[str, Instant]) -> bool:
    """Whether an event of the CRM happened when its kind has been folded away."""
    line = until.get(event.name)
    return line is not None and event.occurred_at <= line and event.source not in SAID_AT_LINE


def lines_of(kept_seconds: Mapping[str, int], names: Iterable[str], now: Instant) -> dict[str, Instant]:
    """Up to when events of each of these names are folded away now, of those that have a retention."""
    return {
        name: now - dt.timedelta(seconds=kept_seconds[name]) - IN_FLIGHT
        for name in names
        if name in kept_seconds
    }


def later_lines(left: Mapping[str, Instant], right: Mapping[str, Instant]) -> dict[str, Instant]:
    """Of two sets of lines, the later one of each name: no line is ever drawn back."""
    return {
        name: max(lines[name] for lines in (left, right) if name in lines)
        for name in sorted(left.keys() | right.keys())
    }


def has_old(
    profile: Profile, before: Mapping[str, Instant], lines: Mapping[str, Instant], dictionary: Dictionary
) -> bool:
    """Whether events of this profile may lie between the lines of `before` and those of now. It may say so once too
    often, and does not before there is a week of them. What was taken back has no tally, but its correction has one."""
    for name, line in lines.items():
        last = before.get(name)
        if last is not None and line - last < FOLDED_EVERY:
            continue
        if any(one.name == name and one.occurred_at <= line for one in profile.provisional.values()):
            return True
        words = {word_of(one, dictionary) for one in (name, *_corrections_of(name, dictionary))}
        tallies = [profile.tallies[word] for word in words if word in profile.tallies]
        if any(one.first_at <= line and (last is None or one.last_at > last) for one in tallies):
            return True
    return False


def _corrections_of(name: str, dictionary: Dictionary) -> list[str]:
    return [one for one, kind in dictionary.items() if kind.amends is not None and kind.amends.event == name]


def folded_away(
    base: Base,
    events: Iterable[Event],
    lines: Mapping[str, Instant],
    said: Amendments,
    dictionary: Dictionary,
    others: Iterable[str] = (),
) -> Base:
    """The base with all of these events that lie behind the lines, each once. `said`: what all corrections of the customer
    say, wherever they are kept; `others`: under which other customers events of this one are kept.

    The lines are drawn also where nothing lies behind them: what another worker keeps there at this very moment must not
    count.
    """
    until = later_lines(base.until, lines)
    unique = {event.identity: event for event in events}.values()
    old = [event for event in unique if event.status == "confirmed" and lies_behind(event, until)]
    for event in old:
        base = _with(base, event, said, dictionary)
    ids = {event.event_id for event in old}
    settled = {event.event_id for event in unique if event.status == "provisional"} & ids
    return msgspec.structs.replace(
        base,
        until=until,
        others={**base.others, **dict.fromkeys(others, until)},
        settled=sorted({*base.settled, *settled}),
    )


def _with(base: Base, event: Event, said: Amendments, dictionary: Dictionary) -> Base:
    """The base with one more event in it, amended as it is known to be."""
    event_type = dictionary[event.name]
    amended = amendment_of(event, said, dictionary)
    if amended.taken_back:
        return base
    name, wide = event.name, _every_number(event, event_type)
    registers = {
        key: Register(value, event.occurred_at, event.event_id)
        for key, value in attributes_said(event, event_type)
    }
    attributes = base.attributes
    if registers:
        attributes = {**attributes, name: attributes_union(attributes.get(name, {}), registers)}
    return msgspec.structs.replace(
        base,
        tallies={**base.tallies, name: counted(base.tallies.get(name), event, wide, amended.less)},
        attributes=attributes,
        amended=amendments_union(base.amended, _said_of(event, event_type, dictionary)),
    )


def _said_of(event: Event, event_type: EventType, dictionary: Dictionary) -> Amendments:
    """What a correction says, by the name of the event that it corrects."""
    if event_type.amends is None:
        return {}
    original = event_type.amends.event
    return {original: said for said in with_amendment({}, event, dictionary).values()}  # noqa: B035 — of one word


def _every_number(event: Event, event_type: EventType) -> EventType:
    """The type with all its numbers summed, for a later dictionary may ask for another sum."""
    properties = {
        name: msgspec.structs.replace(kind, sum=True)
        if kind.type == "number" and isinstance(event.properties.get(name), int | float)
        else kind
        for name, kind in event_type.properties.items()
    }
    return msgspec.structs.replace(event_type, properties=properties)


def start_of(bases: Sequence[Base], dictionary: Dictionary) -> Profile:
    """The profile that these bases alone come to, in the words of this dictionary. What it does not know, or no longer
    sums, indexes or keeps as an attribute, is left out."""
    profile = Profile()
    for base in bases:
        tallies, attributes = dict(profile.tallies), profile.attributes
        for name, tally in base.tallies.items():
            if name in dictionary:
                word = word_of(name, dictionary)
                tallies[word] = tally_union(tallies.get(word), as_read(tally, dictionary[name]))
        for name, registers in base.attributes.items():
            kinds = dictionary[name].properties if name in dictionary else {}
            named = {key: one for key, one in registers.items() if key in kinds and kinds[key].attribute}
            attributes = attributes_union(attributes, named)
        profile = msgspec.structs.replace(
            profile,
            tallies=tallies,
            attributes=attributes,
            amended=amendments_union(profile.amended, _in_words(base.amended, dictionary)),
        )
    return profile


def _in_words(amended: Amendments, dictionary: Dictionary) -> Amendments:
    read: Amendments = {}
    for name, said in amended.items():
        if name in dictionary:
            read = amendments_union(read, {word_of(name, dictionary): said})
    return read
