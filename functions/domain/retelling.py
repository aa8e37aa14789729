"""Events told again from the facts that were made of them: word for word, or not at all. Pure.

Facts leave out what is personal: whoever told of that has to tell it anew (ops/backups says what).
"""

import json
from collections.abc import Collection, Iterable, Mapping

from functions.domain.events import BUILT_IN, CASE_FLAGS, SAID_AT_LINE, Event
from functions.domain.facts import Click, EventFact, Friendship
from functions.domain.instants import Instant

_PROVISIONAL = "~provisional"
_NEEDS_LINE_USER = frozenset({"line_linked", "line_unlinked"})
UNTOLD = frozenset({"profile_updated", "phone_known"})
"""Events whose properties are personal and stand in no file: whoever told them has to tell them again."""


def event_of_fact(fact: EventFact | Click | Friendship, customer_id: str, line_user_id: str) -> Event | None:
    """The event that a fact was made of; None where the fact tells too little of it to be heard again.

    `line_user_id`: the LINE user that it was about, where one is known.
    """
    match fact:
        case Friendship():
            name = "line_follow" if fact.change == "follow" else "line_unfollow"
            return _told(fact.event_id, customer_id, name, fact.at, "line", {}, line_user_id)
        case Click():
            name = "link_previewed" if fact.agent == "preview" else "link_clicked"
            told = {
                key: getattr(fact, key)
                for key in ("send_id", "link", "scenario", "campaign", "step", "agent")
            }
            properties = {key: value for key, value in told.items() if value}
            return Event(fact.click_id, customer_id, name, fact.at, source="click", properties=properties)
        case EventFact():
            return _event(fact, customer_id, line_user_id)


def _event(fact: EventFact, customer_id: str, line_user_id: str) -> Event | None:
    if fact.name in UNTOLD or (fact.name.startswith("line_") and fact.name not in BUILT_IN):
        return None
    properties = json.loads(fact.properties)
    if fact.name in _NEEDS_LINE_USER:
        return _told(
            fact.event_id,
            customer_id,
            fact.name,
            fact.at,
            fact.source,
            properties,
            line_user_id,
            fact.imported,
        )
    if fact.source in SAID_AT_LINE and line_user_id:
        properties["line_user_id"] = line_user_id
    provisional = fact.status == "provisional"
    return Event(
        fact.event_id.removesuffix(_PROVISIONAL) if provisional else fact.event_id,
        customer_id,
        fact.name,
        fact.at,
        "provisional" if provisional else "confirmed",
        fact.source,
        properties,
        fact.imported,
    )


def _told(
    event_id: str,
    customer_id: str,
    name: str,
    at: Instant,
    source: str,
    properties: Mapping[str, object],
    line_user_id: str,
    imported: bool = False,  # noqa: FBT001, FBT002 — a field of the event
) -> Event | None:
    """An event that means nothing without its LINE user."""
    if not line_user_id:
        return None
    told = {**properties, "line_user_id": line_user_id}
    return Event(event_id, customer_id, name, at, source=source, properties=told, imported=imported)


STOPS = frozenset({"line_unfollow", "line_follow", "consent_withdrawn", "consent_given", *CASE_FLAGS})


def stops(events: Iterable[Event]) -> list[Event]:
    """Those that a gate keeps and that need no link to be settled first: blocks, consent, cases."""
    return [one for one in events if one.name in STOPS]


def line_user_of(gone: Collection[tuple[Instant, str]]) -> str:
    """Whom a customer was tied to since the backup; empty where it was nobody, or several. The instants with them are when
    each friend was looked at last, not when it was tied."""
    users = {user for _, user in gone}
    return users.pop() if len(users) == 1 else ""
