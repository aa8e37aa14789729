"""The profile: the fold of a customer's events, the same whatever the order in which they come."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from functions.domain.events import Dictionary, Event, EventType, Scalar
from functions.domain.instants import Instant

MILLIONTHS = 1_000_000
ZONE_DEFAULT = "Asia/Tokyo"


@lru_cache(maxsize=1024)
def _known_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZONE_DEFAULT


class Register(msgspec.Struct, frozen=True, array_like=True):
    """A value whose last writer wins, by (`at`, `event_id`)."""

    value: Any
    at: Instant
    event_id: str


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """How often, and when last, one value of an indexed property occurred."""

    count: int
    last_at: Instant


class Tally(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one kind of event adds up to.

    `sums` are kept in millionths, as integers, so that they add up the same in whatever order;
    `by` counts each value of each indexed property.
    """

    count: int
    first_at: Instant
    last_at: Instant
    sums: dict[str, int] = {}
    by: dict[str, dict[str, Seen]] = {}

    def sum_of(self, name: str) -> int | float | None:
        """The sum of a property in its own unit; whole sums are integers; None where the property never occurred."""
        millionths = self.sums.get(name)
        if millionths is None:
            return None
        whole, rest = divmod(millionths, MILLIONTHS)
        return whole if not rest else millionths / MILLIONTHS


class Profile(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything that segments read of one customer. `provisional` events wait here for their confirmation."""

    attributes: dict[str, Register] = {}
    tags: dict[str, Register] = {}
    tallies: dict[str, Tally] = {}
    provisional: dict[str, Event] = {}

    def attribute(self, name: str) -> Scalar | None:
        """The value of an attribute, None where it is not known."""
        register = self.attributes.get(name)
        return None if register is None else register.value

    def has_tag(self, name: str) -> bool:
        """Whether the customer bears the tag now."""
        register = self.tags.get(name)
        return register is not None and bool(register.value)

    @property
    def tag_names(self) -> list[str]:
        """The tags borne now, sorted."""
        return sorted(name for name in self.tags if self.has_tag(name))

    @property
    def zone(self) -> str:
        """The customer's IANA zone; the default where none, or none that exists, is known."""
        zone = self.attribute("zone")
        return _known_zone(zone) if isinstance(zone, str) else ZONE_DEFAULT


def later(old: Register | None, new: Register) -> Register:
    """Of two writes of one register, the one that wins."""
    return new if old is None or (new.at, new.event_id) > (old.at, old.event_id) else old


def _write(registers: dict[str, Register], name: str, value: Any, event: Event) -> dict[str, Register]:
    new = Register(value, event.occurred_at, event.event_id)
    return {**registers, name: later(registers.get(name), new)}


def _millionths(value: Any) -> int:
    return value * MILLIONTHS if isinstance(value, int) else round(value * MILLIONTHS)


def _counted(old: Tally | None, event: Event, event_type: EventType) -> Tally:
    at = event.occurred_at
    sums = dict(old.sums) if old else {}
    by = {name: dict(values) for name, values in old.by.items()} if old else {}
    for name, kind in event_type.properties.items():
        value = event.properties.get(name)
        if value is None:
            continue
        if kind.sum:
            sums[name] = sums.get(name, 0) + _millionths(value)
        if kind.index:
            values = by.setdefault(name, {})
            seen = values.get(str(value))
            values[str(value)] = Seen(1, at) if seen is None else Seen(seen.count + 1, max(seen.last_at, at))
    if old is None:
        return Tally(1, at, at, sums, by)
    return Tally(old.count + 1, min(old.first_at, at), max(old.last_at, at), sums, by)


def _attributes(profile: Profile, event: Event, event_type: EventType) -> dict[str, Register]:
    attributes = profile.attributes
    if event.name == "profile_updated":
        for name, value in event.properties.items():
            attributes = _write(attributes, name, value, event)
        return attributes
    for name, kind in event_type.properties.items():
        if kind.attribute and event.properties.get(name) is not None:
            attributes = _write(attributes, name, event.properties[name], event)
    return attributes


def _tags(profile: Profile, event: Event) -> dict[str, Register]:
    if event.name in ("tag_added", "tag_removed"):
        return _write(profile.tags, str(event.properties["tag"]), event.name == "tag_added", event)
    return profile.tags


def _folded(profile: Profile, event: Event, dictionary: Dictionary) -> Profile:
    event_type = dictionary.get(event.name)
    if event_type is None:
        return profile
    alias = event_type.alias or event.name
    tallies = {**profile.tallies, alias: _counted(profile.tallies.get(alias), event, event_type)}
    return msgspec.structs.replace(
        profile,
        attributes=_attributes(profile, event, event_type),
        tags=_tags(profile, event),
        tallies=tallies,
    )


def fold(profile: Profile, event: Event, dictionary: Dictionary) -> Profile:
    """The profile with one more event in it. The caller has made sure that it is not in it already.

    A provisional event is set aside until its confirmation, with the same id, takes its place.
    """
    if event.status == "provisional":
        waiting = msgspec.structs.replace(event, imported=False)
        return msgspec.structs.replace(profile, provisional={**profile.provisional, event.event_id: waiting})
    if event.event_id in profile.provisional:
        rest = {key: value for key, value in profile.provisional.items() if key != event.event_id}
        profile = msgspec.structs.replace(profile, provisional=rest)
    return _folded(profile, event, dictionary)


def fold_all(events: Iterable[Event], dictionary: Dictionary) -> Profile:
    """The profile of a set of events: duplicates count once, a confirmed event replaces its provisional one."""
    unique = {event.identity: event for event in events}
    profile = Profile()
    for event in unique.values():
        if event.status == "confirmed" or event.event_id not in unique:
            profile = fold(profile, event, dictionary)
    return profile


def with_provisional(profile: Profile, dictionary: Dictionary) -> Profile:
    """The profile as it will be if all that is provisional is confirmed. It may stop a message, never cause one."""
    for event in profile.provisional.values():
        profile = _folded(profile, event, dictionary)
    return profile


def _tally_union(left: Tally | None, right: Tally) -> Tally:
    if left is None:
        return right
    by = {name: dict(values) for name, values in left.by.items()}
    for name, values in right.by.items():
        mine = by.setdefault(name, {})
        for value, seen in values.items():
            known = mine.get(value)
            mine[value] = (
                seen if known is None else Seen(known.count + seen.count, max(known.last_at, seen.last_at))
            )
    sums = {
        name: left.sums.get(name, 0) + right.sums.get(name, 0)
        for name in left.sums.keys() | right.sums.keys()
    }
    return Tally(
        left.count + right.count,
        min(left.first_at, right.first_at),
        max(left.last_at, right.last_at),
        sums,
        by,
    )


def registers_union(left: dict[str, Register], right: dict[str, Register]) -> dict[str, Register]:
    """Both sets of registers, each with its last writer."""
    return {**left, **{name: later(left.get(name), register) for name, register in right.items()}}


def profile_union(left: Profile, right: Profile) -> Profile:
    """The profile of two disjoint sets of events, from the profile of each."""
    tallies = dict(left.tallies)
    for alias, tally in right.tallies.items():
        tallies[alias] = _tally_union(tallies.get(alias), tally)
    return Profile(
        attributes=registers_union(left.attributes, right.attributes),
        tags=registers_union(left.tags, right.tags),
        tallies=tallies,
        provisional={**left.provisional, **right.provisional},
    )
