"""Registers: values that events write and whose last writer wins, whatever the order in which the events come."""

from collections.abc import Iterator
from typing import Any, Protocol, TypeVar

import msgspec

from functions.domain.events import Event
from functions.domain.instants import Instant


class Register(msgspec.Struct, frozen=True, array_like=True):
    """A value whose last writer wins, by (`at`, `event_id`)."""

    value: Any
    at: Instant
    event_id: str


class ConsentRegister(Register, frozen=True, array_like=True):
    """Whether somebody agrees to a purpose: to which version of its text, and which source says so."""

    version: str = ""
    source: str = ""


_Register = TypeVar("_Register", bound=Register)
_Made_co = TypeVar("_Made_co", bound=Register, covariant=True)


def later(old: _Register | None, new: _Register) -> _Register:
    """Of two writes of one register, the one that wins."""
    return new if old is None or (new.at, new.event_id) > (old.at, old.event_id) else old


FIRST_WINS = frozenset({"inflow_source"})
"""Attributes that stay as they were first said: where somebody came from does not change."""


def attribute_written(name: str, old: Register | None, new: Register) -> Register:
    """Of two writes of one attribute, the one that wins: the last, but for those of `FIRST_WINS`."""
    if name not in FIRST_WINS or old is None:
        return later(old, new)
    return new if (new.at, new.event_id) < (old.at, old.event_id) else old


def stronger(old: _Register | None, new: _Register) -> _Register:
    """Of two facts of one instant False wins, whatever their ids: a withdrawal beats the consent that it withdraws, and
    a case is closed after it is opened, also where a source tells only the day."""
    if old is None or (new.at, not new.value, new.event_id) > (old.at, not old.value, old.event_id):
        return new
    return old


def registers_union(left: dict[str, _Register], right: dict[str, _Register]) -> dict[str, _Register]:
    """Both sets of registers, each with its last writer."""
    return {**left, **{name: later(left.get(name), register) for name, register in right.items()}}


def attributes_union(left: dict[str, Register], right: dict[str, Register]) -> dict[str, Register]:
    """Both sets of attributes, each with the write that wins."""
    return {
        **left,
        **{name: attribute_written(name, left.get(name), register) for name, register in right.items()},
    }


def facts_union(left: dict[str, _Register], right: dict[str, _Register]) -> dict[str, _Register]:
    """Both sets of facts, each with the stronger one."""
    return {**left, **{name: stronger(left.get(name), register) for name, register in right.items()}}


def consent_version(event: Event) -> str:
    """The version of the text that an event agrees to, or withdraws from; empty where it says none."""
    return str(event.properties.get("version") or event.properties.get("consent_version") or "")


def consent_said(event: Event) -> Iterator[tuple[str, bool]]:
    """The purposes that an event speaks of, and whether it consents to them."""
    if event.name in ("consent_given", "consent_withdrawn"):
        yield str(event.properties["purpose"]), event.name == "consent_given"
    if event.name == "line_linked":
        for purpose in event.properties.get("consent", []):
            yield str(purpose), True


def said_plainly(event: Event, *, given: bool) -> Register:
    """What the gate keeps of a consent: no more than it decides by."""
    return Register(given, event.occurred_at, event.event_id)


def said_in_full(event: Event, *, given: bool) -> ConsentRegister:
    """What the profile keeps of a consent: all that has to be shown of it."""
    return ConsentRegister(
        given, event.occurred_at, event.event_id, version=consent_version(event), source=event.source
    )


class _Said(Protocol[_Made_co]):
    def __call__(self, event: Event, *, given: bool) -> _Made_co: ...


def with_consent(consent: dict[str, _Register], event: Event, said: _Said[_Register]) -> dict[str, _Register]:
    """The consent by purpose after an event; the same registers where it says nothing of consent."""
    for purpose, given in consent_said(event):
        new = said(event, given=given)
        consent = {**consent, purpose: stronger(consent.get(purpose), new)}
    return consent
