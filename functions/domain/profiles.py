"""The profile: the fold of a customer's events, the same whatever the order in which they come."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from functions.domain.amendments import (
    UNTOUCHED,
    Amendments,
    amended_word,
    amendment_of,
    amendments_union,
    with_amendment,
    word_of,
)
from functions.domain.events import SAID_AT_LINE, Dictionary, Event, EventType, Scalar
from functions.domain.registers import (
    ConsentRegister,
    Register,
    attribute_written,
    attributes_union,
    facts_union,
    later,
    registers_union,
    said_in_full,
    with_consent,
)
from functions.domain.tallies import MILLIONTHS, Occurrence, Seen, Tally, counted, tally_union

__all__ = [
    "JOURNEY",
    "MILLIONTHS",
    "ZONE_DEFAULT",
    "Occurrence",
    "Profile",
    "Register",
    "Seen",
    "Tally",
    "amendments_of",
    "attribute_written",
    "attributes_said",
    "attributes_union",
    "fold",
    "fold_all",
    "later",
    "must_refold",
    "profile_union",
    "registers_union",
    "union_must_refold",
    "with_provisional",
    "written_by_journeys",
]

ZONE_DEFAULT = "Asia/Tokyo"
JOURNEY = "journey:"
"""The event ids under which journeys write attributes and tags begin so."""


@lru_cache(maxsize=1024)
def _known_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZONE_DEFAULT


class Profile(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything that segments read of one customer. `provisional` events wait here for their confirmation.

    `consent` by purpose; `friend`: whether the last that was heard is a follow; `linked`: tied to a customer of the
    CRM, which is no event of the fold; `amended`: what corrections said of events; `as_if`: the profile as it will be
    if all that is provisional is confirmed, kept only where that takes back or lessens what is folded already.
    """

    attributes: dict[str, Register] = {}
    tags: dict[str, Register] = {}
    tallies: dict[str, Tally] = {}
    provisional: dict[str, Event] = {}
    consent: dict[str, ConsentRegister] = {}
    friend: Register | None = None
    linked: bool = False
    amended: Amendments = {}
    as_if: "Profile | None" = None

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
    def blocked(self) -> bool:
        """Whether the last that LINE said is that the account was blocked; never heard of is not blocked."""
        return self.friend is not None and not self.friend.value

    def consented(self, purpose: str) -> bool:
        """Whether consent to the purpose was given and not withdrawn since."""
        register = self.consent.get(purpose)
        return register is not None and bool(register.value)

    @property
    def zone(self) -> str:
        """The customer's IANA zone; the default where none, or none that exists, is known."""
        zone = self.attribute("zone")
        return _known_zone(zone) if isinstance(zone, str) else ZONE_DEFAULT


def _write(registers: dict[str, Register], name: str, value: Any, event: Event) -> dict[str, Register]:
    new = Register(value, event.occurred_at, event.event_id)
    return {**registers, name: later(registers.get(name), new)}


def _attributes(profile: Profile, event: Event, event_type: EventType) -> dict[str, Register]:
    new = {
        name: Register(value, event.occurred_at, event.event_id)
        for name, value in attributes_said(event, event_type)
    }
    return attributes_union(profile.attributes, new) if new else profile.attributes


def attributes_said(event: Event, event_type: EventType) -> Iterator[tuple[str, Any]]:
    """The attributes that an event sets; one of no value is taken away."""
    if event.name == "profile_updated":
        # What a LINE user said itself names who said it, which is no attribute.
        told_by = "line_user_id" if event.source in SAID_AT_LINE else ""
        yield from ((name, value) for name, value in event.properties.items() if name != told_by)
        return
    if event.name == "inflow" and event.properties.get("source"):
        yield "inflow_source", event.properties["source"]
    for name, kind in event_type.properties.items():
        if kind.attribute and event.properties.get(name) is not None:
            yield name, event.properties[name]


def _tags(profile: Profile, event: Event) -> dict[str, Register]:
    if event.name in ("tag_added", "tag_removed"):
        return _write(profile.tags, str(event.properties["tag"]), event.name == "tag_added", event)
    return profile.tags


def _friend(profile: Profile, event: Event) -> Register | None:
    if event.name in ("line_follow", "line_unfollow"):
        new = Register(event.name == "line_follow", event.occurred_at, event.event_id)
        return later(profile.friend, new)
    return profile.friend


def _folded(profile: Profile, event: Event, dictionary: Dictionary) -> Profile:
    """The profile with an event in it, amended as the profile knows it to be."""
    event_type = dictionary.get(event.name)
    if event_type is None:
        return profile
    amended = amendment_of(event, profile.amended, dictionary)
    if amended.taken_back:
        return profile
    word = event_type.alias or event.name
    tally = counted(profile.tallies.get(word), event, event_type, amended.less)
    return msgspec.structs.replace(
        profile,
        attributes=_attributes(profile, event, event_type),
        tags=_tags(profile, event),
        tallies={**profile.tallies, word: tally},
        consent=with_consent(profile.consent, event, said_in_full),
        friend=_friend(profile, event),
    )


def fold(profile: Profile, event: Event, dictionary: Dictionary) -> Profile:
    """The profile with one more event in it. The caller has made sure that it is not in it already, and that the
    profile need not be folded anew (`must_refold`).

    A provisional event is set aside until its confirmation, with the same id, takes its place.
    """
    if event.status == "provisional":
        return msgspec.structs.replace(
            profile, provisional={**profile.provisional, event.event_id: _waiting(event)}
        )
    rest = profile.provisional
    if event.event_id in rest:
        rest = {key: value for key, value in rest.items() if key != event.event_id}
    amended = with_amendment(profile.amended, event, dictionary)
    return _folded(msgspec.structs.replace(profile, provisional=rest, amended=amended), event, dictionary)


def _waiting(event: Event) -> Event:
    # Whose it is goes without saying, and of two copies under two ids of one person there is one.
    return msgspec.structs.replace(event, imported=False, customer_id="")


def must_refold(profile: Profile, events: Sequence[Event], dictionary: Dictionary) -> bool:
    """Whether these events cannot be folded one by one: a correction came after what it corrects, so that the profile
    has to be folded anew from the whole history. It may say so once too often, never once too seldom."""
    if not events or profile.as_if is not None:
        return bool(events)
    words = {*profile.tallies, *(word_of(event.name, dictionary) for event in events)}
    if any(amended_word(event, dictionary) in words for event in events if amended_word(event, dictionary)):
        return True
    foreseen = amendments_of(profile.provisional.values(), dictionary)
    return any(word_of(event.name, dictionary) in foreseen for event in events)


def amendments_of(events: Iterable[Event], dictionary: Dictionary) -> Amendments:
    """What these events say of others."""
    said: Amendments = {}
    for event in events:
        said = with_amendment(said, event, dictionary)
    return said


def fold_all(events: Iterable[Event], dictionary: Dictionary, start: Profile | None = None) -> Profile:
    """The profile of a set of events: duplicates count once, a confirmed event replaces its provisional one, and
    corrections amend their originals, wherever they stand. `start`: what older events come to that are kept no longer."""
    start = start or Profile()
    unique = {event.identity: event for event in events}
    confirmed = [event for event in unique.values() if event.status == "confirmed"]
    waiting = {
        event.event_id: _waiting(event)
        for event in unique.values()
        if event.status == "provisional" and event.event_id not in unique
    }
    profile = _all_folded(start, confirmed, dictionary)
    if not waiting:
        return profile
    foreseen = amendments_of(waiting.values(), dictionary)
    touched = bool(foreseen) and any(
        amendment_of(event, foreseen, dictionary) != UNTOUCHED
        and not amendment_of(event, profile.amended, dictionary).taken_back
        for event in confirmed
    )
    as_if = _all_folded(start, [*confirmed, *waiting.values()], dictionary) if touched else None
    return msgspec.structs.replace(profile, provisional=waiting, as_if=as_if)


def _all_folded(start: Profile, events: Sequence[Event], dictionary: Dictionary) -> Profile:
    amended = amendments_union(start.amended, amendments_of(events, dictionary))
    profile = msgspec.structs.replace(start, amended=amended)
    for event in events:
        profile = _folded(profile, event, dictionary)
    return profile


def with_provisional(profile: Profile, dictionary: Dictionary) -> Profile:
    """The profile as it will be if all that is provisional is confirmed. It may stop a message, never cause one."""
    if profile.as_if is not None:
        own = written_by_journeys(profile)
        return msgspec.structs.replace(
            profile.as_if,
            attributes=attributes_union(profile.as_if.attributes, own.attributes),
            tags=registers_union(profile.as_if.tags, own.tags),
            linked=profile.linked,
            provisional=profile.provisional,
        )
    waiting = profile.provisional.values()
    amended = amendments_union(profile.amended, amendments_of(waiting, dictionary))
    profile = msgspec.structs.replace(profile, amended=amended)
    for event in waiting:
        profile = _folded(profile, event, dictionary)
    return profile


def written_by_journeys(profile: Profile) -> Profile:
    """What no event of the history says: the attributes and tags that journeys set, and whether it is linked."""
    return Profile(attributes=_own(profile.attributes), tags=_own(profile.tags), linked=profile.linked)


def _own(registers: Mapping[str, Register]) -> dict[str, Register]:
    return {name: register for name, register in registers.items() if register.event_id.startswith(JOURNEY)}


def profile_union(left: Profile, right: Profile) -> Profile:
    """The profile of two disjoint sets of events, from the profile of each; exact unless `union_must_refold`."""
    tallies = dict(left.tallies)
    for word, tally in right.tallies.items():
        tallies[word] = tally_union(tallies.get(word), tally)
    friend = later(left.friend, right.friend) if right.friend else left.friend
    return Profile(
        attributes=attributes_union(left.attributes, right.attributes),
        tags=registers_union(left.tags, right.tags),
        tallies=tallies,
        provisional={**left.provisional, **right.provisional},
        consent=facts_union(left.consent, right.consent),
        friend=friend,
        linked=left.linked or right.linked,
        amended=amendments_union(left.amended, right.amended),
    )


def union_must_refold(left: Profile, right: Profile) -> bool:
    """Whether corrections on one side may touch what happened on the other, so that the union of both profiles is not
    exact and the whole history has to be folded anew. It may say so once too often, never once too seldom."""
    return any(
        one.as_if is not None
        or bool(one.amended.keys() & other.tallies.keys())
        or bool(one.provisional and other.tallies)
        for one, other in ((left, right), (right, left))
    )
