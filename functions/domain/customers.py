"""A customer: profile, journeys and outbox in one item, changed by one conditional write."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from functions.domain import playbook as pb
from functions.domain.compiled import Compiled
from functions.domain.events import Event
from functions.domain.instants import Instant
from functions.domain.journeys import (
    Emission,
    Journey,
    Tagging,
    advance,
    ended,
    entered,
    fingerprint,
    heard,
    kept,
    may_enter,
)
from functions.domain.profiles import Profile, Register, fold, fold_all, later, registers_union
from functions.domain.sends import EXPIRES_MAX, Intent, send_id_of

_JOURNEY = "journey:"
SEEN_KEPT = 64
"""So many of the newest events are known to the item itself; older duplicates are found in the event history."""

Versions = Mapping[str, Compiled]
"""Playbook version → playbook; holds every version that an active journey is pinned to."""


class Alias(msgspec.Struct, frozen=True, array_like=True):
    """An anonymous friend whose events, after `since` and up to `until`, are the customer's own (None: no bound)."""

    customer_id: str
    since: Instant | None = None
    until: Instant | None = None

    def covers(self, event: Event) -> bool:
        """Whether an event in the friend's history is the customer's."""
        begun = self.since is None or event.occurred_at > self.since
        return begun and (self.until is None or event.occurred_at <= self.until)


class Customer(msgspec.Struct, frozen=True, omit_defaults=True):
    """One customer. `seen` holds fingerprints of the newest events; `outbox` intents that wait to be enqueued;
    `armed_at` the instant of the one timer row; `intended` how many intents each source has made, for the accounts;
    `aliases` the anonymous friends whose history is this customer's; a friend who was unlinked again counts its
    history from `history_from` on."""

    customer_id: str
    version: int = 0
    link: Register | None = None
    profile: Profile = Profile()
    journeys: list[Journey] = []
    outbox: list[Intent] = []
    armed_at: Instant | None = None
    seen: list[str] = []
    intended: dict[str, int] = {}
    aliases: list[Alias] = []
    history_from: Instant | None = None
    merged_into: str = ""

    @property
    def line_user_id(self) -> str:
        """The LINE user that messages go to; empty where there is none."""
        return str(self.link.value or "") if self.link else ""

    def has_seen(self, event: Event) -> bool:
        """Whether this event is among the newest that are folded in, or is none of this customer's to fold.

        A provisional event is known once its confirmation is; what happened before `history_from` belongs to the
        customer that the friend was linked to then.
        """
        if self.history_from is not None and event.occurred_at <= self.history_from:
            return True
        return fingerprint(event.identity) in self.seen or fingerprint(event.event_id) in self.seen


def new_customer(customer_id: str, line_user_id: str, at: Instant, event_id: str) -> Customer:
    """A customer first heard of; an anonymous friend is linked to itself."""
    link = Register(line_user_id, at, event_id) if line_user_id else None
    return Customer(customer_id, link=link)


def in_order(events: Iterable[Event]) -> list[Event]:
    """As they happened, which need not be as they came."""
    return sorted(events, key=lambda event: (event.occurred_at, event.event_id, event.status))


def folded(customer: Customer, events: Iterable[Event], current: Compiled) -> Customer:
    """The customer with these new events in the profile; no journey hears of them.

    A provisional event whose confirmation is known already says nothing any more.
    """
    for event in events:
        if not customer.has_seen(event):
            profile = fold(customer.profile, event, current.dictionary)
            seen = [*customer.seen, fingerprint(event.identity)][-SEEN_KEPT:]
            customer = msgspec.structs.replace(customer, profile=profile, seen=seen)
    return customer


def rebuilt(customer: Customer, history: Sequence[Event], current: Compiled) -> Customer:
    """The customer with the profile folded anew from all events kept; what journeys tagged stays.

    `history` is in the order in which it was kept: what another worker has kept and not yet folded is among the
    newest, and so is known not to be new when that worker comes to fold it.
    """
    start = customer.history_from
    events = [event for event in history if start is None or event.occurred_at > start]
    profile = fold_all(in_order(events), current.dictionary)
    tags = {name: tag for name, tag in customer.profile.tags.items() if tag.event_id.startswith(_JOURNEY)}
    profile = msgspec.structs.replace(profile, tags=registers_union(profile.tags, tags))
    newest = [fingerprint(event.identity) for event in events if not event.imported][-SEEN_KEPT:]
    return msgspec.structs.replace(customer, profile=profile, seen=_newest([*customer.seen, *newest]))


def _newest(seen: list[str]) -> list[str]:
    return list(dict.fromkeys(reversed(seen)))[:SEEN_KEPT][::-1]


def take_in(
    customer: Customer,
    events: Iterable[Event],
    current: Compiled,
    versions: Versions,
    account: str,
    now: Instant,
) -> Customer:
    """The customer after new events, live: folded, heard by the journeys, with the intents that follow.

    Before a journey hears an event it is moved to where it stood when the event happened.
    """
    versions = {**versions, current.version: current}
    for event in in_order(events):
        customer = moved_on(customer, versions, account, now, until=min(event.occurred_at, now))
        customer = _heard(folded(customer, [event], current), event, current, versions, now)
    return moved_on(customer, versions, account, now)


def take_in_again(
    customer: Customer,
    history: Sequence[Event],
    current: Compiled,
    versions: Versions,
    account: str,
    now: Instant,
) -> Customer:
    """The customer with the whole history folded anew, where it is unsure whether an old event was ever folded.

    Journeys hear what is not among the newest and did not come as history; what one of them started from once it
    does not start from again.
    """
    versions = {**versions, current.version: current}
    unheard = [event for event in in_order(history) if not customer.has_seen(event) and not event.imported]
    customer = rebuilt(customer, history, current)
    for event in unheard:
        customer = moved_on(customer, versions, account, now, until=min(event.occurred_at, now))
        customer = _heard(customer, event, current, versions, now)
    return moved_on(customer, versions, account, now)


def _heard(customer: Customer, event: Event, current: Compiled, versions: Versions, now: Instant) -> Customer:
    return _enter(_hear(customer, event, versions), event, current, now)


def _hear(customer: Customer, event: Event, versions: Versions) -> Customer:
    journeys = [
        heard(journey, versions[journey.version].playbook.scenarios[journey.scenario], event)
        if journey.active
        else journey
        for journey in customer.journeys
    ]
    return msgspec.structs.replace(customer, journeys=journeys)


def _enter(customer: Customer, event: Event, current: Compiled, now: Instant) -> Customer:
    journeys = list(customer.journeys)
    for name, scenario in current.playbook.scenarios.items():
        if not may_enter(scenario, name, journeys, event, now):
            continue
        if not current.holds(scenario.entry.when, customer.profile, now):
            continue
        if _finish(scenario, current, customer.profile, now):
            continue
        journeys.append(entered(name, current.version, customer.customer_id, journeys, event))
    return msgspec.structs.replace(customer, journeys=journeys)


def _finish(scenario: pb.Scenario, compiled: Compiled, profile: Profile, now: Instant) -> str:
    """`goal` or `exited` where the scenario's own conditions end a journey now; empty where it goes on."""
    if scenario.goal is not None and compiled.holds(scenario.goal, profile, now):
        return "goal"
    return "exited" if compiled.stops(scenario.exit, profile, now) else ""


def moved_on(
    customer: Customer, versions: Versions, account: str, now: Instant, *, until: Instant | None = None
) -> Customer:
    """The customer with every journey as far as time (`until`; now, unless told) and profile take it.

    The intents that follow stand in the outbox.
    """
    journeys = []
    for journey in customer.journeys:
        moved = journey
        if journey.active:
            customer, moved = _move(customer, journey, versions[journey.version], account, now, until)
        journeys.append(moved)
    return msgspec.structs.replace(customer, journeys=kept(journeys, now))


def _move(
    customer: Customer,
    journey: Journey,
    compiled: Compiled,
    account: str,
    now: Instant,
    until: Instant | None,
) -> tuple[Customer, Journey]:
    scenario = compiled.playbook.scenarios[journey.scenario]
    finished = _finish(scenario, compiled, customer.profile, now)
    if finished:
        return customer, ended(journey, "goal" if finished == "goal" else "exited", now)
    deeds: list[Emission | Tagging] = []

    def holds(tree: pb.Expression) -> bool:
        return compiled.holds(tree, _with_tags(customer.profile, journey, deeds), now)

    moved = advance(journey, scenario, holds, customer.profile.zone, now, until=until, done=deeds)
    intents = [
        _intent(customer, journey, deed, compiled, account, now)
        for deed in deeds
        if isinstance(deed, Emission)
    ]
    profile = _with_tags(customer.profile, journey, deeds)
    return _intending(msgspec.structs.replace(customer, profile=profile), intents), moved.journey


def _with_tags(profile: Profile, journey: Journey, deeds: Iterable[Emission | Tagging]) -> Profile:
    """The profile with the tags that a journey set and took away; a later step of it wins."""
    tags = profile.tags
    for deed in deeds:
        if isinstance(deed, Tagging):
            written_by = f"{_JOURNEY}{journey.journey_id}:{deed.number:04}"
            register = Register(not deed.remove, deed.due, written_by)
            tags = {**tags, deed.tag: later(tags.get(deed.tag), register)}
    return msgspec.structs.replace(profile, tags=tags) if tags is not profile.tags else profile


def _intending(customer: Customer, intents: Sequence[Intent]) -> Customer:
    counts = Counter(customer.intended)
    counts.update(intent.source for intent in intents)
    return msgspec.structs.replace(customer, outbox=[*customer.outbox, *intents], intended=dict(counts))


def _intent(
    customer: Customer, journey: Journey, emission: Emission, compiled: Compiled, account: str, now: Instant
) -> Intent:
    step, scenario = emission.step, compiled.playbook.scenarios[journey.scenario]
    message = compiled.playbook.messages[step.message]
    user, occurrence = customer.line_user_id, str(journey.occurrence)
    return Intent(
        send_id=send_id_of(account, journey.scenario, journey.journey_id, step.name, user, occurrence),
        customer_id=customer.customer_id,
        line_user_id=user,
        kind=message.kind,
        source=journey.scenario,
        journey=journey.journey_id,
        step=step.name,
        occurrence=occurrence,
        message=step.message,
        message_hash=message.hash,
        playbook=compiled.version,
        rank=scenario.rank,
        made_at=now,
        expires_at=min(now + EXPIRES_MAX, now + step_expiry(step)),
        values=frozen_values(message, customer.profile),
        scenario=journey.scenario,
        hold_seconds_max=step.hold_seconds_max,
    )


def step_expiry(step: pb.Send) -> dt.timedelta:
    """How long after its making a step's message may still be pushed."""
    return dt.timedelta(seconds=step.expires_seconds)


def frozen_values(message: pb.Message, profile: Profile) -> dict[str, object]:
    """What the message's variables stand for, for good: the profile's attributes, else the declared fallbacks."""
    known = {name: profile.attribute(name) for name in message.fallbacks}
    return {name: message.fallbacks[name] if value is None else value for name, value in known.items()}


def pinned_versions(customer: Customer) -> set[str]:
    """The playbook versions that the active journeys go by."""
    return {journey.version for journey in customer.journeys if journey.active}


def next_due(customer: Customer) -> Instant | None:
    """When time next moves any of the journeys."""
    return min((j.due for j in customer.journeys if j.active and j.due is not None), default=None)


def emptied(customer: Customer, enqueued: Iterable[str]) -> Customer:
    """The customer without the intents that are enqueued now."""
    gone = set(enqueued)
    return msgspec.structs.replace(customer, outbox=[i for i in customer.outbox if i.send_id not in gone])


def still_eligible(intent: Intent, customer: Customer, compiled: Compiled, now: Instant) -> bool:
    """Whether what caused the intent still holds: the journey would not have ended, the segment not been left."""
    scenario = compiled.playbook.scenarios.get(intent.scenario)
    if scenario is not None:
        return not _finish(scenario, compiled, customer.profile, now)
    campaign = compiled.playbook.campaigns[intent.campaign]
    return compiled.remains(compiled.playbook.segments[campaign.segment].when, customer.profile, now)
