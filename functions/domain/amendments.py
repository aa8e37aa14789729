"""Corrections: what events say about earlier ones, and the earlier ones as they count then.

A correction names its originals by a property that both bear, such as an order id. The profile remembers what was said,
so that an original that comes after its correction is folded amended. A correction itself is never amended.
"""

import msgspec

from functions.domain.events import Dictionary, Event
from functions.domain.tallies import in_millionths


class Amended(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of the originals of one key: taken back entirely, or their sums lessened by so many millionths."""

    taken_back: bool = False
    less: dict[str, int] = {}


Amendments = dict[str, dict[str, Amended]]
"""The name under which the original is read → its key (`order_id=o1`) → what corrections said of it."""

UNTOUCHED = Amended()


def word_of(name: str, dictionary: Dictionary) -> str:
    """The name under which an event is read; empty where the dictionary does not know it."""
    event_type = dictionary.get(name)
    return (event_type.alias or name) if event_type else ""


def amended_word(event: Event, dictionary: Dictionary) -> str:
    """The word whose events this one corrects; empty where it is no correction."""
    event_type = dictionary.get(event.name)
    if event_type is None or event_type.amends is None:
        return ""
    if event.properties.get(event_type.amends.by) is None:
        return ""
    return word_of(event_type.amends.event, dictionary)


def with_amendment(amendments: Amendments, event: Event, dictionary: Dictionary) -> Amendments:
    """The amendments with what this event says; the same where it is no correction."""
    word = amended_word(event, dictionary)
    amends = dictionary[event.name].amends if word else None
    if amends is None:
        return amendments
    key = _key(amends.by, event)
    said = Amended(
        not amends.less,
        {
            theirs: in_millionths(event.properties[own])
            for own, theirs in amends.less.items()
            if event.properties.get(own) is not None
        },
    )
    known = amendments.get(word, {})
    return {**amendments, word: {**known, key: _both(known.get(key, UNTOUCHED), said)}}


def _both(left: Amended, right: Amended) -> Amended:
    less = {
        name: left.less.get(name, 0) + right.less.get(name, 0)
        for name in left.less.keys() | right.less.keys()
    }
    return Amended(left.taken_back or right.taken_back, less)


def amendments_union(left: Amendments, right: Amendments) -> Amendments:
    """What the corrections of two disjoint sets of events say."""
    union = dict(left)
    for word, keys in right.items():
        mine = dict(union.get(word, {}))
        for key, said in keys.items():
            mine[key] = _both(mine.get(key, UNTOUCHED), said)
        union[word] = mine
    return union


def amendment_of(event: Event, amendments: Amendments, dictionary: Dictionary) -> Amended:
    """What corrections said of this event. Several may correct a kind of event, each by another property."""
    event_type = dictionary.get(event.name)
    if event_type is None or event_type.amends is not None:
        return UNTOUCHED
    known = amendments.get(event_type.alias or event.name)
    if not known:
        return UNTOUCHED
    said = UNTOUCHED
    for name in _named_by(event.name, dictionary):
        said = _both(said, known.get(_key(name, event), UNTOUCHED))
    return said


def _key(name: str, event: Event) -> str:
    return f"{name}={event.properties.get(name)}"


def _named_by(name: str, dictionary: Dictionary) -> set[str]:
    """The properties by which corrections name events of this name."""
    return {
        one.amends.by for one in dictionary.values() if one.amends is not None and one.amends.event == name
    }
