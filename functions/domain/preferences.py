"""What people choose for themselves: what to hear of no more, and at which hours; on a page, or by a word in the chat."""

import datetime as dt
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from functions.domain.events import Event
from functions.domain.instants import Instant
from functions.domain.playbook import Preferences
from functions.domain.profiles import Profile
from functions.domain.quiet_hours import ChosenHours

RECEIVE_FROM, RECEIVE_TO = "receive_from", "receive_to"
"""Attributes, local times such as 19:00: when somebody wishes to hear of promotions."""
EVERYTHING = "all"
"""The purpose whose withdrawal stops every message, support and notifications too."""
CHAT, PAGE = "chat", "preferences"
"""Sources of the events that follow."""


class Choice(msgspec.Struct, frozen=True):
    """What somebody has set on the page. `topics` and `everything`: True to hear of them; `hours` None: at any hour."""

    topics: Mapping[str, bool]
    everything: bool = True
    hours: ChosenHours | None = None


def chosen_hours(profile: Profile) -> ChosenHours | None:
    """The hours that a customer has chosen; None where none, or none that make a window, are known."""
    start, end = (_time(profile.attribute(name)) for name in (RECEIVE_FROM, RECEIVE_TO))
    return ChosenHours(start, end) if start is not None and end is not None and start != end else None


def _time(value: object) -> dt.time | None:
    try:
        return dt.time.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def said_in_chat(event: Event, preferences: Preferences) -> list[Event]:
    """What a chat message says of consent, as events of its customer: one where it is, as a whole and whatever its width
    and case, a word that the playbook names; none in any other case."""
    text = chat_text(event)
    for words, name in (
        (preferences.stop_words, "consent_withdrawn"),
        (preferences.resume_words, "consent_given"),
    ):
        if text and text in map(folded_text, words):
            return [_consent(f"{event.event_id}:{name}", event, name, preferences.stops)]
    return []


def chat_text(event: Event) -> str:
    """The text of a chat message, as words are compared; empty where it is none."""
    raw = event.properties.get("raw")
    message = raw.get("message") if event.name == "line_message" and isinstance(raw, Mapping) else None
    text = message.get("text") if isinstance(message, Mapping) else None
    return folded_text(text) if isinstance(text, str) else ""


def folded_text(text: str) -> str:
    """A text without differences of width, case and outer space (Unicode NFKC and case folding)."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def _consent(event_id: str, event: Event, name: str, purpose: str) -> Event:
    return Event(
        event_id, event.customer_id, name, event.occurred_at, source=CHAT, properties={"purpose": purpose}
    )


def events_of(
    choice: Choice, before: Choice, customer_id: str, user: str, form: str, at: Instant
) -> list[Event]:
    """What changes by a choice, as events that name the LINE user who chose; none of what stays as it was. `form` names the
    one submission, so that it counts once however often it is sent."""

    def event(name: str, key: str, properties: dict[str, Any]) -> Event:
        said = {**properties, "line_user_id": user}
        return Event(f"{PAGE}:{form}:{key}", customer_id, name, at, source=PAGE, properties=said)

    changed = [
        event("consent_given" if wanted else "consent_withdrawn", purpose, {"purpose": purpose})
        for purpose, wanted in _changed(choice, before)
    ]
    if choice.hours != before.hours:
        changed.append(event("profile_updated", "hours", _hours(choice.hours)))
    return changed


def _changed(choice: Choice, before: Choice) -> Iterator[tuple[str, bool]]:
    for topic, wanted in sorted(choice.topics.items()):
        if wanted != before.topics.get(topic, True):
            yield topic, wanted
    if choice.everything != before.everything:
        yield EVERYTHING, choice.everything


def _hours(hours: ChosenHours | None) -> dict[str, Any]:
    if hours is None:
        return {RECEIVE_FROM: None, RECEIVE_TO: None}
    return {RECEIVE_FROM: f"{hours.start:%H:%M}", RECEIVE_TO: f"{hours.end:%H:%M}"}


def choice_of(profile: Profile, topics: Iterable[str]) -> Choice:
    """What a customer has chosen so far: whatever nobody has withdrawn from is wanted."""

    def wanted(purpose: str) -> bool:
        register = profile.consent.get(purpose)
        return register is None or bool(register.value)

    return Choice({topic: wanted(topic) for topic in topics}, wanted(EVERYTHING), chosen_hours(profile))
