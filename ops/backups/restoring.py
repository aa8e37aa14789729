"""Put the tables back, and what came after the backup, in an order in which any crash leaves something safe to go on from.

First who may not come back and what was said: identities with the suppressions, history, send log. Then gates, which know by
then all that was said since and by whom enough was had. Then timers and customers. Every row is written on condition that
there is none, or becomes both: said again, a restore goes on.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from functions.aws.erasing import PREFIX as ERASED_ROWS
from functions.aws.items import decode_customer, decode_gate, versioned_put
from functions.aws.parallel_scans import scanned
from functions.aws.send_reports import log_key
from functions.aws.stored import STAMP, encoded, stamp_of
from functions.aws.timers import moved_row
from functions.domain.customers import Customer
from functions.domain.erasure import identity_of, is_own_row
from functions.domain.gate import Gate, new_gate
from functions.domain.instants import Instant
from functions.domain.line_events import ANONYMOUS, is_anonymous
from functions.domain.registers import Register
from functions.domain.restoring import (
    ERASED,
    back,
    both_gates,
    goes_on,
    is_end,
    passages,
    rebuilt_gate,
    record_of_fact,
)
from functions.domain.retelling import stops
from functions.domain.sends import SendRecord
from functions.ports.errors import Conflict
from ops.backups.keeping import OnRows, Row, table_name
from ops.backups.known import Known
from ops.backups.lake import Since
from ops.backups.rows import PutBack, marked, pages_of, unless
from ops.backups.sources import Source
from ops.backups.telling import Telling
from ops.stores import Stores

ATTEMPTS_MAX = 8
CUSTOMERS_A_PAGE = 200
RESERVED = f"{ANONYMOUS}#"
_record = msgspec.json.Decoder(SendRecord)


@dataclass(slots=True)
class PuttingBack:
    """One restore. `over`: customers and identities that stand are put back as they were, too; `done` counts what was
    written, by what it is."""

    stores: Stores
    source: Source
    told: Telling
    restore_id: str
    now: Instant
    over: bool
    on_rows: OnRows
    done: Counter[str] = field(default_factory=Counter)
    _counting: threading.Lock = field(default_factory=threading.Lock)

    @property
    def since(self) -> Since:
        """The facts."""
        return self.told.since

    @property
    def known(self) -> Known:
        """Who is who."""
        return self.told.known

    def run(self) -> Counter[str]:
        """All tables."""
        self._identities()
        self._events()
        self._sends()
        self._gates()
        self._timers()
        self._customers()
        return self.done

    # --- tables whose rows are never changed once they are written

    def _identities(self) -> None:
        self._put("identities", self._rows("identities"), self._write_over if self.over else None)
        rows = (
            {
                "pk": {"S": f"{ERASED_ROWS}{digest}"},
                "sk": {"S": ERASED},
                STAMP: stamp_of(told),
                "body": {"S": encoded(told).decode()},
            }
            for digest, told in self.known.suppressions.items()
        )
        self._count("suppressions", self._table("identities").all(rows))

    def _write_over(self, row: Row) -> None:
        self._count("identities", self._table("identities").over(row))

    def _events(self) -> None:
        self._put("events", (marked(row, self.restore_id) for row in self._rows("events")))

    def _sends(self) -> None:
        self._forget_false_ends()
        self._put("sends", (marked(row, self.restore_id) for row in self._rows("sends")))
        self._count("sends since", self._table("sends").all(self._log_since()))

    def _forget_false_ends(self) -> None:
        """While the gates were gone messages ended as if everybody had been erased. They have no end, but of whoever was."""
        name = table_name(self.stores, "sends")
        for row in scanned(self._client, name, ConsistentRead=True):
            if "body" not in row or f'"{ERASED}"' not in row["body"]["S"]:
                continue
            record = _record.decode(row["body"]["S"])
            is_false = (record.status, record.reason) == (
                "suppressed",
                ERASED,
            ) and record.at >= self.source.at
            if is_false and self.stores.suppressions.find(identity_of(record.customer_id)) is None:
                self._client.delete_item(TableName=name, Key={"pk": row["pk"], "sk": row["sk"]})
                self._count("ends taken back", 1)

    def _log_since(self) -> Iterator[Row]:
        """The lines of the send log that were written since, as the lake tells them. What a scenario said to a friend who is
        lost nobody counts any more: its accounts are its customers'."""
        for told, sends in self.since.sends.items():
            customer_id, is_lost = self.known.customer_of(told), self.known.is_lost(told)
            user = "" if is_lost else self.known.user_of(customer_id)
            for send in filter(is_end, sends):
                if is_lost and not send.run:
                    continue
                pk, sk = log_key(customer_id, send.made_at, send.send_id)
                body = msgspec.json.encode(record_of_fact(send, customer_id, user)).decode()
                yield marked({"pk": {"S": pk}, "sk": {"S": sk}, "body": {"S": body}}, self.restore_id)

    # --- gates

    def _gates(self) -> None:
        rows = self._rows("gates")
        own: list[Row] = []
        seen: set[str] = set()

        def people() -> Iterator[Row]:
            for row in rows:
                if row["pk"]["S"].startswith(RESERVED):
                    own.append(row)
                    continue
                seen.add(row["pk"]["S"])
                yield self._gate_row(row)

        self._put("gates", people(), self._unite_gates)
        for row in own:
            self._fill_in(row)
        self._gates_since(seen)

    def _gate_row(self, row: Row) -> Row:
        """The row with what came since; the very row where nothing did."""
        then = decode_gate(row)
        rebuilt = self._rebuilt(then)
        if rebuilt == then:
            return row
        self._count("gates rebuilt", 1)
        put, _ = versioned_put("", rebuilt)
        return dict(put["Item"])

    def _rebuilt(self, gate: Gate) -> Gate:
        sends, journeys = self.told.sends_of(gate.customer_id), self.told.journeys_of(gate.customer_id)
        events = stops(self.told.events_of(gate.customer_id))
        if not sends and not events:
            return gate
        then = self.known.then.get(gate.customer_id)
        return rebuilt_gate(gate, sends, events, passages(then.journeys if then else [], journeys), self.now)

    def _unite_gates(self, row: Row) -> None:
        """A gate stands already: what it knows and what the backup and the lake know, in one."""
        self._unite(decode_gate(row))

    def _unite(self, then: Gate) -> None:
        for _ in range(ATTEMPTS_MAX):
            stands = self.stores.customers.load_gate(then.customer_id)
            united = self._rebuilt(then if stands is None else both_gates(then, stands))
            if stands is None:
                united = msgspec.structs.replace(united, version=0)
            elif united == stands:
                return
            try:
                self.stores.customers.save_gate(united)
            except Conflict:
                continue
            self._count("gates united", 1)
            return
        raise Conflict("a gate is written all the time; stop what writes it, and give the same command again")

    def _gates_since(self, seen: set[str]) -> None:
        """Of customers first heard of since the backup: what was said to them is known before they are."""
        for customer_id in self.told.first_heard_of_since(seen):
            user = customer_id.removeprefix(ANONYMOUS) if is_anonymous(customer_id) else ""
            self._unite(new_gate(customer_id, user, self.source.at, ""))

    def _fill_in(self, row: Row) -> None:
        """A row of the account's own: what it lacks comes back; what stands, as the stop, stays."""
        names = [name for name in row if name != "pk"]
        if not names:
            return
        self._client.update_item(
            TableName=table_name(self.stores, "gates"),
            Key={"pk": row["pk"]},
            UpdateExpression="SET "
            + ", ".join(f"#n{i} = if_not_exists(#n{i}, :v{i})" for i in range(len(names))),
            ExpressionAttributeNames={f"#n{i}": name for i, name in enumerate(names)},
            ExpressionAttributeValues={f":v{i}": row[name] for i, name in enumerate(names)},
        )
        self._count("gates", 1)

    # --- timers and customers

    def _timers(self) -> None:
        """What waits; customers are woken anew by what they themselves say is due."""
        waiting = (moved_row(row, self.now) for row in self._rows("timers") if "customer" not in row)
        self._put("timers", waiting)

    def _customers(self) -> None:
        seen: set[str] = set()
        for page in pages_of(self._rows("customers"), CUSTOMERS_A_PAGE):
            then = {row["pk"]["S"]: decode_customer(row) for row in page}
            backs = [self._back(one) for one in then.values()]
            # Rows first: a customer that stands is taken for one whose row is there.
            armed = (
                self.stores.timers.armed_row(one.customer_id, one.armed_at, self.now)
                for one in backs
                if one.armed_at
            )
            self._count("timers", self._table("timers").all(armed))
            rows = [dict(versioned_put("", one)[0]["Item"]) for one in backs]

            def unite(row: Row, then: dict[str, Customer] = then) -> None:
                self._unite_customers(then[row["pk"]["S"]])

            self._put("customers", (marked(row, self.restore_id) for row in rows), unite)
            seen |= then.keys()
        for customer_id in self.told.first_heard_of_since(seen):
            has_begun = bool(self.told.journeys_of(customer_id))
            if has_begun and self.stores.customers.load(customer_id) is None:
                self._unite_customers(Customer(customer_id))

    def _back(self, then: Customer, stands: Customer | None = None) -> Customer:
        facts = self.told.journeys_of(then.customer_id)
        tied = max(self.known.gone.get(then.customer_id, []), default=None)
        link = Register(tied[1], tied[0], "") if tied else None
        return back(then, facts, self.now, stands, link, self.known.units.get(then.customer_id, ""))

    def _unite_customers(self, then: Customer) -> None:
        """A customer stands already: kept where it is what became of that one, put back where it was begun anew."""
        for _ in range(ATTEMPTS_MAX):
            stands = self.stores.customers.load(then.customer_id)
            if stands is not None and goes_on(then, stands) and not self.over:
                return
            wanted = self._back(msgspec.structs.replace(then, version=0), stands)
            if stands is not None and msgspec.structs.replace(wanted, armed_at=stands.armed_at) == stands:
                return  # put back already, and woken
            try:
                saved = self.stores.customers.save(wanted)
            except Conflict:
                continue
            if saved.armed_at is not None:
                self.stores.timers.arm(saved.customer_id, saved.armed_at, self.now)
            self._count("customers", 1)
            return
        raise Conflict("a customer is written all the time; give the same command again")

    # --- all of them

    def _count(self, what: str, number: int) -> None:
        """Many write at once, some of them while `PutBack.all` goes on."""
        with self._counting:
            self.done[what] += number

    def _rows(self, table: str) -> Iterator[Row]:
        """The rows of a table, without those of whoever was erased since."""
        erased = self.known.erased
        if erased is None:
            return self.source.rows(table)
        return unless(
            self.source.rows(table),
            lambda row: is_own_row(table, row["pk"]["S"], row.get("sk", {}).get("S", ""), erased),
        )

    def _put(self, table: str, rows: Iterator[Row], standing: Callable[[Row], object] | None = None) -> None:
        self._count(table, self._table(table).all(rows, standing))

    def _table(self, table: str) -> PutBack:
        name = table_name(self.stores, table)
        return PutBack(self._client, name, lambda count: self.on_rows(table, count))

    @property
    def _client(self) -> Any:
        return self.stores.target.client("dynamodb")
