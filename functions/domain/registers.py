"""Registers: values that events write and whose last writer wins, whatever the order in which the events come."""

from collections.abc import Iterator
from typing import Any

import msgspec

from functions.domain.events import Event
from functions.domain.instants import Instant


class Register(msgspec.Struct, frozen=True, array_like=True):
    """A value whose last writer wins, by (`at`, `event_id`)."""

    value: Any
    at: Instant
    event_id: str


def later(old: Register | None, new: Register) -> Register:
    """Of two writes of one register, the one that wins."""
    return new if old is None or (new.at, new.event_id) > (old.at, old.event_id) else old


def stronger(old: Register | None, new: Register) -> Register:
    """Of two facts of one instant False wins, whatever their ids: a withdrawal beats the consent that it withdraws, and
    a case is closed after it is opened, also where a source tells only the day."""
    if old is None or (new.at, not new.value, new.event_id) > (old.at, not old.value, old.event_id):
        return new
    return old


def registers_union(left: dict[str, Register], right: dict[str, Register]) -> dict[str, Register]:
    """Both sets of registers, each with its last writer."""
    return {**left, **{name: later(left.get(name), register) for name, register in right.items()}}


def facts_union(left: dict[str, Register], right: dict[str, Register]) -> dict[str, Register]:
    """Both sets of facts, each with the stronger one."""
    return {**left, **{name: stronger(left.get(name), register) for name, register in right.items()}}


def consent_said(event: Event) -> Iterator[tuple[str, bool]]:
    """The purposes that an event speaks of, and whether it consents to them."""
    if event.name in ("consent_given", "consent_withdrawn"):
        yield str(event.properties["purpose"]), event.name == "consent_given"
    if event.name == "line_linked":
        for purpose in event.properties.get("consent", []):
            yield str(purpose), True


def with_consent(consent: dict[str, Register], event: Event) -> dict[str, Register]:
    """The consent by purpose after an event; the same registers where it says nothing of consent."""
    for purpose, given in consent_said(event):
        new = Register(given, event.occurred_at, event.event_id)
        consent = {**consent, purpose: stronger(consent.get(purpose), new)}
    return consent
