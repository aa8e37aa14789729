"""Tables in memory: conditional writes, transactions, buckets of timers."""

import datetime as dt
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

import msgspec

from functions.domain.account import Account, Block
from functions.domain.bases import Base, Kept, split
from functions.domain.breaker import Counts, day_of
from functions.domain.customers import Customer
from functions.domain.erasure import Suppression, hashed, lifted
from functions.domain.events import Event
from functions.domain.gate import Gate
from functions.domain.identity import Tied
from functions.domain.instants import Instant, format_instant, minute_of
from functions.domain.link_changes import Joining, LinkChange, MergeEntry, Reward
from functions.domain.links import AuditEntry, Link, Review
from functions.domain.phones import CustomerPhone, PhoneOwners
from functions.domain.sends import BatchOrder, Intent, MenuOrder, Order, SendRecord
from functions.domain.undoing import Keepsake
from functions.domain.watermarks import LoadNote, SourceLog, accepted, noted
from functions.ports.customers import Both, Written
from functions.ports.errors import Conflict
from functions.ports.timers import DueRow
from tests.fakes.encoded import kept, read


class FakeCustomers:
    """Customers and gates, each written on condition of its version."""

    def __init__(self) -> None:
        self.customer_bodies: dict[str, bytes] = {}
        self.gate_bodies: dict[str, bytes] = {}

    def load(self, customer_id: str) -> Customer | None:
        """The customer."""
        return read(self.customer_bodies.get(customer_id), Customer)

    def load_gate(self, customer_id: str) -> Gate | None:
        """The gate."""
        return read(self.gate_bodies.get(customer_id), Gate)

    def load_both(self, customer_id: str) -> Both:
        """Gate and customer."""
        return self.load_gate(customer_id), self.load(customer_id)

    def load_many(self, customer_ids: Collection[str]) -> dict[str, Both]:
        """Gate and customer of each."""
        return {one: self.load_both(one) for one in customer_ids}

    def save(self, customer: Customer) -> Customer:
        """Conflict unless nobody wrote since it was read."""
        self.check(customer)
        return self.write(customer)

    def save_gate(self, gate: Gate) -> Gate:
        """As `save`."""
        self.check_gate(gate)
        return self.write_gate(gate)

    def save_gates(self, gates: Sequence[Gate]) -> list[Written]:
        """Each alone, on its own condition."""
        assert len({gate.customer_id for gate in gates}) == len(gates), "two writes of one gate in one batch"
        return [self._saved(gate) for gate in gates]

    def _saved(self, gate: Gate) -> Written:
        assert gate.version, "a gate that was never read cannot be updated"
        try:
            self.save_gate(gate)
        except Conflict:
            return "overtaken"
        return "written"

    def check(self, customer: Customer) -> None:
        """The condition of a write."""
        _check(self.load(customer.customer_id), customer)

    def check_gate(self, gate: Gate) -> None:
        """The condition of a write."""
        _check(self.load_gate(gate.customer_id), gate)

    def write(self, customer: Customer) -> Customer:
        """Write, its condition being checked."""
        written = msgspec.structs.replace(customer, version=customer.version + 1)
        self.customer_bodies[customer.customer_id] = kept(written, Customer)
        return written

    def write_gate(self, gate: Gate) -> Gate:
        """Write, its condition being checked."""
        written = msgspec.structs.replace(gate, version=gate.version + 1)
        self.gate_bodies[gate.customer_id] = kept(written, Gate)
        return written


def _check(stored: Customer | Gate | None, value: Customer | Gate) -> None:
    if (stored.version if stored else 0) != value.version:
        raise Conflict(f"{value.customer_id} was changed by somebody else")


class FakeIdentities:
    """Links and audit, written in one transaction with both sides."""

    def __init__(self, customers: FakeCustomers) -> None:
        self._customers = customers
        self._links: dict[str, bytes] = {}
        self._audit: dict[tuple[str, str, str], bytes] = {}
        self._reviews: dict[str, bytes] = {}
        self._keepsakes: dict[str, bytes] = {}
        self._merge_keepsakes: dict[str, bytes] = {}
        self._phones: dict[str, bytes] = {}
        self._owners: dict[str, bytes] = {}
        self.rewards: dict[tuple[str, str], Reward] = {}
        self.merged: dict[str, MergeEntry] = {}

    def link_of(self, line_user_id: str) -> Link | None:
        """The link of a LINE user."""
        return read(self._links.get(line_user_id), Link)

    def links_of(self, customer_id: str) -> list[Link]:
        """The links that name this customer."""
        found = [msgspec.json.decode(body, type=Link) for _, body in sorted(self._links.items())]
        return [link for link in found if customer_id in (link.customer_id, link.claimed_by, link.came_by)]

    def keepsake_of(self, line_user_id: str) -> Keepsake | None:
        """What was kept of the last tie."""
        return read(self._keepsakes.get(line_user_id), Keepsake)

    def merge_of(self, customer_id: str) -> MergeEntry | None:
        """What a customer became last."""
        return self.merged.get(customer_id)

    def keepsake_of_merge(self, customer_id: str) -> Keepsake | None:
        """What was kept for an undo of that."""
        return read(self._merge_keepsakes.get(customer_id), Keepsake)

    def is_rewarded(self, line_user_id: str, customer_id: str) -> bool:
        """Whether one of both has had the reward."""
        return bool({("line", line_user_id), ("customer", customer_id)} & self.rewards.keys())

    def save_tied(self, change: LinkChange) -> None:
        """All or nothing."""
        self._check_link(change)
        rewards = _reward_keys(change.reward)
        if rewards & self.rewards.keys():
            raise Conflict("it was rewarded by somebody else")
        if change.sides is not None:
            self._check_sides(change.sides)
            self._write_sides(change.sides)
        self._write_link(change)
        if change.keepsake is not None:
            self._keepsakes[change.link.line_user_id] = kept(change.keepsake, Keepsake)
        for key in rewards:
            assert change.reward is not None
            self.rewards[key] = change.reward

    def save_joined(self, joining: Joining) -> None:
        """All or nothing."""
        rewards = _reward_keys(joining.reward)
        if rewards & self.rewards.keys():
            raise Conflict("one of them was changed by somebody else")
        self._check_sides(joining.sides)
        self._write_sides(joining.sides)
        self.merged[joining.entry.customer_id] = joining.entry
        if joining.keepsake is not None:
            self._merge_keepsakes[joining.entry.customer_id] = kept(joining.keepsake, Keepsake)
        for key in rewards:
            assert joining.reward is not None
            self.rewards[key] = joining.reward

    def _check_link(self, change: LinkChange) -> None:
        stored = self.link_of(change.link.line_user_id)
        if (stored.version if stored else 0) != change.link.version or _entry(change) in self._audit:
            raise Conflict("the link was changed by somebody else")

    def _write_link(self, change: LinkChange) -> None:
        link, user = change.link, change.link.line_user_id
        self._links[user] = kept(msgspec.structs.replace(link, version=link.version + 1), Link)
        self._audit[_entry(change)] = kept(change.audit, AuditEntry)
        self._reviews.pop(user, None)
        if change.review is not None:
            self._reviews[user] = kept(change.review, Review)

    def _check_sides(self, sides: Tied) -> None:
        for customer in (sides.customer, sides.friend):
            self._customers.check(customer)
        for gate in (sides.gate, sides.friend_gate):
            self._customers.check_gate(gate)

    def _write_sides(self, sides: Tied) -> None:
        for customer in (sides.customer, sides.friend):
            self._customers.write(customer)
        for gate in (sides.gate, sides.friend_gate):
            self._customers.write_gate(gate)

    def all_links(self) -> list[Link]:
        """The links of all LINE users."""
        return [msgspec.json.decode(body, type=Link) for _, body in sorted(self._links.items())]

    def reviews(self) -> list[Review]:
        """What waits for a decision."""
        return [msgspec.json.decode(body, type=Review) for _, body in sorted(self._reviews.items())]

    def audit_of(self, line_user_id: str) -> list[AuditEntry]:
        """What was noted about a LINE user, oldest first."""
        found = [msgspec.json.decode(body, type=AuditEntry) for body in self._audit.values()]
        return sorted((one for one in found if one.line_user_id == line_user_id), key=lambda one: one.at)

    def phone_of(self, customer_id: str) -> CustomerPhone | None:
        """What is known of a customer's number."""
        return read(self._phones.get(customer_id), CustomerPhone)

    def phone_owners(self, phone_hash: str) -> PhoneOwners:
        """Who has a number."""
        return read(self._owners.get(phone_hash), PhoneOwners) or PhoneOwners(phone_hash)

    def save_phone(self, phone: CustomerPhone, owners: Sequence[PhoneOwners]) -> None:
        """All or nothing."""
        stored = self.phone_of(phone.customer_id)
        if (stored.version if stored else 0) != phone.version:
            raise Conflict("the number was changed by somebody else")
        if any(self.phone_owners(one.phone_hash).version != one.version for one in owners):
            raise Conflict("its owners were changed by somebody else")
        written = msgspec.structs.replace(phone, version=phone.version + 1)
        self._phones[phone.customer_id] = kept(written, CustomerPhone)
        for one in owners:
            body = kept(msgspec.structs.replace(one, version=one.version + 1), PhoneOwners)
            self._owners[one.phone_hash] = body


def _entry(change: LinkChange) -> tuple[str, str, str]:
    audit = change.audit
    return audit.line_user_id, format_instant(audit.at), f"{audit.event_id}#{audit.after.version}"


def _reward_keys(reward: Reward | None) -> set[tuple[str, str]]:
    names = (("line", reward.line_user_id), ("customer", reward.customer_id)) if reward else ()
    return {(kind, name) for kind, name in names if name}


class FakeEvents:
    """The history by customer and identity."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], bytes] = {}
        self._bases: dict[str, bytes] = {}
        self.unattributed: list[Event] = []

    def put_new(self, event: Event) -> bool:
        """Whether it was new."""
        key = (event.customer_id, event.identity)
        if key in self._rows:
            return False
        self._rows[key] = kept(event, Event)
        return True

    def put_all(self, customer_id: str, events: Sequence[Event]) -> None:
        """Keep all."""
        for event in events:
            self._rows[customer_id, event.identity] = kept(event, Event)

    def identities_of(self, customer_id: str) -> set[str]:
        """The identities kept."""
        return {identity for owner, identity in self._rows if owner == customer_id}

    def all_of(self, customer_id: str) -> list[Event]:
        """The events kept, in the order in which they were kept."""
        return self.kept_of(customer_id).events

    def kept_of(self, customer_id: str) -> Kept:
        """The same, with the base."""
        base = read(self._bases.get(customer_id), Base) or Base()
        return split(self._rows_of(customer_id), base)

    def save_base(self, customer_id: str, base: Base) -> None:
        """On its version."""
        known = read(self._bases.get(customer_id), Base) or Base()
        if known.version != base.version:
            raise Conflict("the base has changed")
        self._bases[customer_id] = kept(msgspec.structs.replace(base, version=base.version + 1), Base)

    def remove(self, customer_id: str, identities: Sequence[str]) -> None:
        """Those that are there."""
        for identity in identities:
            self._rows.pop((customer_id, identity), None)

    def _rows_of(self, customer_id: str) -> list[Event]:
        keys = [key for key in self._rows if key[0] == customer_id]
        return [msgspec.json.decode(self._rows[key], type=Event) for key in keys]

    def has(self, customer_id: str, identity: str) -> bool:
        """Whether it is kept."""
        return (customer_id, identity) in self._rows

    def keep_unattributed(self, event: Event) -> None:
        """Keep what LINE ties to nobody."""
        body = kept(event, Event)
        if event not in self.unattributed:
            self.unattributed.append(msgspec.json.decode(body, type=Event))


class FakeSends:
    """The send log: the first record of a send stays."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], bytes] = {}

    def record_all(self, records: Sequence[SendRecord]) -> list[Written]:
        """Each unless there is one."""
        return [self.record(record) for record in records]

    def record(self, record: SendRecord) -> Written:
        """One of them."""
        key = _send_key(record.customer_id, record.made_at, record.send_id)
        if key in self._rows:
            return "overtaken"
        self._rows[key] = kept(record, SendRecord)
        return "written"

    def find(self, customer_id: str, made_at: Instant, send_id: str) -> SendRecord | None:
        """The record of one intent."""
        return read(self._rows.get(_send_key(customer_id, made_at, send_id)), SendRecord)

    def resolve(self, before: SendRecord, after: SendRecord) -> bool:
        """Whether `after` stands now."""
        key = _send_key(before.customer_id, before.made_at, before.send_id)
        stored = read(self._rows.get(key), SendRecord)
        if stored == before and before.status == "unknown":
            self._rows[key] = kept(after, SendRecord)
            return True
        return stored == after

    def all(self) -> list[SendRecord]:
        """Every record, in the order in which they ended."""
        return [msgspec.json.decode(body, type=SendRecord) for body in self._rows.values()]


def _send_key(customer_id: str, made_at: Instant, send_id: str) -> tuple[str, str]:
    return customer_id, f"{format_instant(made_at)}#{send_id}"


_ORDERS: dict[str, type[Order]] = {"intent": Intent, "batch": BatchOrder, "menu": MenuOrder}
_KINDS = {shape: kind for kind, shape in _ORDERS.items()}


class FakeTimers:
    """Rows in buckets of a minute and a shard; what waits for the same instant is one row."""

    def __init__(self, shards: int = 2) -> None:
        self._shards = shards
        self._rows: dict[tuple[str, str], tuple[Instant, str, bytes | None]] = {}

    def arm(self, customer_id: str, due: Instant, now: Instant) -> None:
        """Wake a customer."""
        self._put(customer_id, f"customer#{customer_id}", due, now, None)

    def look_at_link(self, attempt_id: str, due: Instant, now: Instant) -> None:
        """Look at an attempt to link."""
        self._put(attempt_id, f"link#{attempt_id}", due, now, None)

    def hold(self, order: Order, until: Instant, now: Instant) -> None:
        """Take an order up again."""
        of = order.send_id if isinstance(order, BatchOrder) else order.customer_id
        self._put(of, f"{_KINDS[type(order)]}#{order.send_id}", until, now, kept(order, type(order)))

    def _put(self, of: str, name: str, due: Instant, now: Instant, order: bytes | None) -> None:
        shard = zlib.crc32(of.encode()) % self._shards
        key = (_bucket(max(due, now), shard), f"{name}#{format_instant(due)}")
        self._rows[key] = (due, of, order)

    def due_in(self, minute: Instant, now: Instant) -> Iterator[DueRow]:
        """The rows of one minute that are due."""
        for shard in range(self._shards):
            bucket = _bucket(minute, shard)
            for key in sorted(key for key in self._rows if key[0] == bucket):
                due, of, body = self._rows[key]
                if due <= now:
                    shape = _ORDERS.get(key[1].partition("#")[0])
                    link, customer = (of, "") if key[1].startswith("link#") else ("", "" if body else of)
                    yield DueRow(key, due, customer, read(body, shape) if shape else None, link)

    def done(self, rows: Sequence[DueRow]) -> None:
        """Take rows away."""
        for row in rows:
            self._rows.pop(row.key, None)

    def taken(self, row: DueRow) -> None:
        """Take a row away on condition that it is the one that was read."""
        if self._rows.get(row.key, (None, "", None))[2] == msgspec.json.encode(row.order):
            del self._rows[row.key]

    @property
    def next_due(self) -> Instant | None:
        """When the first of all rows is due."""
        return min((due for due, _, _ in self._rows.values()), default=None)

    @property
    def held(self) -> list[tuple[Instant, Intent]]:
        """The intents that wait, with when they come up."""
        waiting = [
            (due, msgspec.json.decode(body, type=Intent))
            for key, (due, _, body) in self._rows.items()
            if body and key[1].startswith("intent#")
        ]
        return sorted(waiting, key=lambda item: item[0])

    @property
    def menus(self) -> list[MenuOrder]:
        """The orders for menus that wait."""
        bodies = [body for key, (_, _, body) in self._rows.items() if body and key[1].startswith("menu#")]
        return [msgspec.json.decode(body, type=MenuOrder) for body in bodies]

    @property
    def armed(self) -> list[tuple[Instant, str]]:
        """The customers that will be woken, with when."""
        return sorted((due, customer_id) for due, customer_id, body in self._rows.values() if body is None)


def _bucket(instant: Instant, shard: int) -> str:
    return f"{format_instant(minute_of(instant))}#{shard}"


class FakeAccountState:
    """Blocks, of which the longer stays, and when each source was last heard of."""

    def __init__(self) -> None:
        self._blocks: dict[tuple[str, str, tuple[str, ...]], Block] = {}
        self._heard: dict[str, Instant] = {}
        self._loads: dict[str, SourceLog] = {}

    def read(self) -> Account:
        """All of it."""
        return Account(list(self._blocks.values()), dict(self._heard), dict(self._loads))

    def note_load(self, source: str, note: LoadNote, rows_within: float | None) -> None:
        """Once a load."""
        self._loads[source] = noted(self._loads.get(source, SourceLog()), note, rows_within)

    def accept_loads(self, source: str) -> bool:
        """All of them are right."""
        log = self._loads.get(source, SourceLog())
        self._loads[source] = accepted(log)
        return accepted(log) != log

    def block(self, block: Block) -> None:
        """Keep the longer one."""
        key = (block.reason, block.scope, tuple(block.kinds))
        earlier = self._blocks.get(key)
        if earlier is None or earlier.until < block.until:
            self._blocks[key] = block

    def lift(self, block: Block) -> bool:
        """Take it away while it is this one."""
        key = (block.reason, block.scope, tuple(block.kinds))
        known = self._blocks.get(key)
        if known is None or known.until != block.until:
            return False
        del self._blocks[key]
        return True

    def heard_from(self, source: str, at: Instant) -> None:
        """Note it, at most once a minute."""
        known = self._heard.get(source)
        if known is None or known <= at - dt.timedelta(minutes=1):
            self._heard[source] = at


class FakeReactions:
    """Counters by day and scope; each event once."""

    def __init__(self) -> None:
        self._sent: Counter[tuple[str, str]] = Counter()
        self._blocked: Counter[tuple[str, str]] = Counter()
        self._forgiven: dict[tuple[str, str], tuple[int, int, Instant]] = {}
        self._events: set[str] = set()

    def count_sent(self, scopes: Mapping[str, int], at: Instant) -> None:
        """Count sends."""
        self._sent.update({(day_of(at), scope): number for scope, number in scopes.items()})

    def count_block(self, event_id: str, sent: Mapping[str, Instant]) -> bool:
        """Count a block, once an event."""
        if event_id in self._events:
            return False
        self._events.add(event_id)
        self._blocked.update((day_of(at), scope) for scope, at in sent.items())
        return True

    def counts(self, scopes: Iterable[str], days: Sequence[str]) -> dict[str, Counts]:
        """What is counted."""
        return {scope: self._counts(scope, days) for scope in scopes}

    def _counts(self, scope: str, days: Sequence[str]) -> Counts:
        places = [(day, scope) for day in days]
        forgiven = [self._forgiven[place] for place in places if place in self._forgiven]
        return Counts(
            sum(self._sent[place] for place in places) - sum(sent for sent, _, _ in forgiven),
            sum(self._blocked[place] for place in places) - sum(blocked for _, blocked, _ in forgiven),
            max((at for _, _, at in forgiven), default=None),
        )

    def forgive(self, scope: str, days: Sequence[str], at: Instant) -> None:
        """Count from here."""
        for place in ((day, scope) for day in days):
            self._forgiven[place] = (self._sent[place], self._blocked[place], at)


class FakeSuppressions:
    """Who was erased."""

    def __init__(self) -> None:
        self.rows: dict[str, Suppression] = {}

    def find(self, identity: str) -> Suppression | None:
        """That it was erased, and is not lifted."""
        found = self.known(identity)
        return None if found is None or found.lifted_at else found

    def known(self, identity: str) -> Suppression | None:
        """What is kept of it."""
        hashed("key", identity)  # as the adapter does: an id that has no hash is found out
        return self.rows.get(identity)

    def all(self) -> list[tuple[str, Suppression]]:
        """All, each by a name that tells nobody."""
        found = [(sha256(name.encode()).hexdigest(), one) for name, one in self.rows.items()]
        return sorted(found, key=lambda one: (one[1].at, one[0]))

    def put(self, identity: str, suppression: Suppression) -> None:
        """Suppress it."""
        self.rows[identity] = suppression

    def lift(self, identity: str, suppression: Suppression, at: Instant) -> None:
        """Let a new person begin."""
        self.rows[identity] = lifted(suppression, at)
