"""Everything that is known of one person, from which the explanation is read."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from functions.decide.histories import history_of
from functions.domain.bases import Base, start_of
from functions.domain.campaigns import Chunk, Run
from functions.domain.compiled import Compiled
from functions.domain.customers import Customer, in_order
from functions.domain.events import Event
from functions.domain.gate import Gate
from functions.domain.instants import Instant
from functions.domain.profiles import fold_all
from functions.domain.sends import Intent, SendRecord
from ops.accounts import every_customer
from ops.plan.deployed import held_messages
from ops.plan.lives import Held
from ops.stores import Stores

_run = msgspec.json.Decoder(Run)
_chunk = msgspec.json.Decoder(Chunk)


@dataclass(frozen=True, slots=True)
class FrozenRun:
    """A campaign run and whom it is for: LINE users by the id of the customer that they were then."""

    run: Run
    recipients: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Known:
    """One person at one instant. `whole`: nothing was left out because it came later than that instant."""

    account: str
    now: Instant
    current: Compiled
    version: Callable[[str], Compiled]
    customer: Customer
    gate: Gate | None
    records: list[SendRecord]
    events: list[Event]
    held: list[Held]
    runs: list[FrozenRun] = field(default_factory=list)
    bases: list[Base] = field(default_factory=list)
    whole: bool = True

    @property
    def owners(self) -> list[str]:
        """The customer's own id first."""
        return owners_of(self.customer)

    @property
    def exact_from(self) -> Instant | None:
        """From when on profiles of the past are exact, where the instant asked for lies before: a base has no dates."""
        lines = [line for base in self.bases for line in base.until.values()]
        return max((line for line in lines if line > self.now), default=None)

    def targeted_by(self, frozen: FrozenRun) -> bool:
        """Whether the run's frozen list has this person."""
        return any(owner in frozen.recipients for owner in self.owners)

    @property
    def waiting(self) -> list[Intent]:
        """The intents that have not ended: in the outbox, or held."""
        ended = {record.send_id for record in self.records}
        found = {intent.send_id: intent for intent in self.customer.outbox}
        found |= {held.intent.send_id: held.intent for held in self.held}
        return [intent for send_id, intent in found.items() if send_id not in ended]


def owners_of(customer: Customer) -> list[str]:
    """The ids under which anything may be kept of a customer."""
    return list(dict.fromkeys([customer.customer_id, *(alias.customer_id for alias in customer.aliases)]))


class Archive:
    """A deployment, read once for as many people as are asked about."""

    def __init__(self, stores: Stores, at: Instant | None = None) -> None:
        self._stores = stores
        self._now, self._whole = at or stores.now(), at is None
        self._current = stores.playbooks.in_force()
        self._held = held_messages(stores)
        self._runs = list(frozen_runs(stores))

    def one(self, customer: Customer) -> Known:
        """What is known of one customer."""
        sends = self._stores.sends
        return self._known(customer, [r for owner in owners_of(customer) for r in sends.of_customer(owner)])

    def everybody(self) -> Iterator[Known]:
        """Everybody; the send log is read once."""
        records: dict[str, list[SendRecord]] = defaultdict(list)
        for record in self._stores.sends.all():
            records[record.customer_id].append(record)
        for customer in every_customer(self._stores):
            yield self._known(customer, [r for owner in owners_of(customer) for r in records[owner]])

    def _known(self, customer: Customer, records: Iterable[SendRecord]) -> Known:
        stores, owners, (events, bases) = self._stores, owners_of(customer), self._history(customer)
        if not self._whole:
            customer = _as_of(customer, events, bases, self._current, self._now)
        return Known(
            account=stores.settings.account,
            now=self._now,
            current=self._current,
            version=stores.playbooks.version,
            customer=customer,
            gate=stores.customers.load_gate(customer.customer_id),
            records=sorted((r for r in records if r.at <= self._now), key=lambda r: (r.at, r.send_id)),
            events=events,
            bases=bases,
            held=[h for owner in owners for h in self._held.get(owner, []) if h.intent.made_at <= self._now],
            runs=[frozen for frozen in self._runs if frozen.run.made_at <= self._now],
            whole=self._whole,
        )

    def _history(self, customer: Customer) -> tuple[list[Event], list[Base]]:
        events, bases = history_of(self._stores.events, customer)
        start = customer.history_from
        mine = [event for event in events if start is None or event.occurred_at > start]
        return in_order(event for event in mine if event.occurred_at <= self._now), bases


def _as_of(
    customer: Customer, events: list[Event], bases: list[Base], current: Compiled, at: Instant
) -> Customer:
    """The customer without what came later: the profile as it was, and no journey that had not begun."""
    return msgspec.structs.replace(
        customer,
        profile=fold_all(events, current.dictionary, start_of(bases, current.dictionary)),
        journeys=[journey for journey in customer.journeys if journey.entered_at <= at],
        outbox=[intent for intent in customer.outbox if intent.made_at <= at],
    )


def frozen_runs(stores: Stores) -> Iterator[FrozenRun]:
    """Every campaign run that was begun, with its list as far as it is frozen, in order of time."""
    runs: dict[str, Run] = {}
    recipients: dict[str, dict[str, str]] = defaultdict(dict)
    pages = stores.target.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=stores.settings.bucket, Prefix="runs/"):
        for item in page.get("Contents", []):
            _, campaign, occurrence, *rest = item["Key"].split("/")
            name = f"{campaign}@{occurrence}"
            if rest == ["run.json"]:
                runs[name] = _run.decode(stores.objects.read(item["Key"]) or b"")
            elif rest[0] == "pages" and rest[-1].endswith(".json"):
                chunk = _chunk.decode(stores.objects.read(item["Key"]) or b"")
                recipients[name] |= {one.customer_id: one.line_user_id for one in chunk.recipients}
    for name, run in sorted(runs.items(), key=lambda row: (row[1].occurrence, row[0])):
        yield FrozenRun(run, recipients[name])
