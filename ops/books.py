"""The rows of the accounts: one scenario or campaign run each, and how their records are added up."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import msgspec

from functions.domain.accounts import (
    STRENGTH,
    Accounts,
    Frozen,
    Names,
    State,
    accounts_from,
    missing_of_run,
    number_of,
    state_of_run,
)
from functions.domain.sends import Outcome, SendRecord
from ops.held import Waiting

End = tuple[Outcome, str]


class Row(msgspec.Struct, frozen=True):
    """One scenario, or one campaign run: its accounts, where its pending messages are, and what it lacks."""

    kind: str
    name: str
    state: State
    accounts: Accounts
    held: list[Waiting]
    queued: int
    missing: list[str]

    @property
    def is_finished(self) -> bool:
        """Whether everybody has one end."""
        return self.state in ("finished", "settled") and not self.missing

    def as_json(self) -> dict[str, Any]:
        """The contract's keys, and where it stands."""
        return {
            "kind": self.kind,
            "name": self.name,
            "state": self.state,
            "finished": self.is_finished,
            **self.accounts.as_json(),
            "held": [one.as_json() for one in self.held],
            "queued": self.queued,
            "missing": self.missing,
        }


class Books(msgspec.Struct, frozen=True):
    """All rows that were asked for."""

    rows: list[Row]

    @property
    def total(self) -> Accounts:
        """All of them added up."""
        ends: Counter[End] = Counter()
        for row in self.rows:
            one = row.accounts
            ends.update({("suppressed", reason): count for reason, count in one.suppressed.items()})
            ends.update({("sent", ""): one.sent, ("failed", ""): one.failed, ("unknown", ""): one.unknown})
        return accounts_from(sum(row.accounts.targeted for row in self.rows), ends)

    @property
    def is_finished(self) -> bool:
        """Whether every row is."""
        return all(row.is_finished for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """The contract's keys of everything, whether it is finished, and the rows."""
        return {
            **self.total.as_json(),
            "finished": self.is_finished,
            "rows": [row.as_json() for row in self.rows],
        }


@dataclass(slots=True)
class Tally:
    """What became of one source's messages, added up record by record, in memory that grows with reasons alone.

    `twins` may have a record under each of two customer ids: of these the likeliest to have arrived counts.
    """

    twins: frozenset[int] = frozenset()
    ends: Counter[End] = field(default_factory=Counter)
    names: Names = field(default_factory=Names)
    _of_twins: dict[int, End] = field(default_factory=dict)

    def add(self, record: SendRecord) -> None:
        """Count one record more."""
        end: End = (record.status, record.reason if record.status == "suppressed" else "")
        number = number_of(record.send_id)
        earlier = self._of_twins.get(number)
        if number in self.twins:
            self._of_twins[number] = max(earlier or end, end, key=lambda one: STRENGTH[one[0]])
        if earlier is not None:
            self.ends[earlier] -= 1
            end = self._of_twins[number]
        else:
            self.names = self.names.with_name(record.send_id)
        self.ends[end] += 1


def scenario_row(name: str, targeted: int, tally: Tally | None, held: dict[str, list[Waiting]]) -> Row:
    """A scenario. It is never finished, for who comes may start it: with nothing pending it is settled."""
    accounts = accounts_from(targeted, tally.ends if tally else {})
    missing = [f"{accounts.pending:,} have no end"] if accounts.pending > 0 else []
    if accounts.pending < 0:
        missing = ["the send log has more ends than the customers have intents; ask again"]
    waiting, queued = _where(accounts.pending, held.get(name, []))
    return Row("scenario", name, "running" if missing else "settled", accounts, waiting, queued, missing)


def run_row(source: str, frozen: Frozen, tally: Tally | None, held: dict[str, list[Waiting]]) -> Row:
    """A run, by its list and what the log says of it."""
    tally = tally or Tally()
    accounts = accounts_from(frozen.names.count, tally.ends)
    missing = missing_of_run(frozen, accounts, tally.names)
    state = state_of_run(frozen, accounts.pending)
    waiting, queued = _where(accounts.pending, held.get(source, []))
    return Row("campaign run", source, state, accounts, waiting, queued, missing)


def gone_row(source: str, tally: Tally) -> Row:
    """A run of which there is no list: nobody can say whom it was for."""
    accounts = accounts_from(tally.names.count, tally.ends)
    missing = ["its frozen list is not in the bucket: whom it was for cannot be told"]
    return Row("campaign run", source, "list is gone", accounts, [], 0, missing)


def _where(pending: int, held: list[Waiting]) -> tuple[list[Waiting], int]:
    """Where pending messages are: held, and the rest in a queue, an outbox or at a worker."""
    return (held, max(0, pending - sum(one.messages for one in held))) if pending > 0 else ([], 0)
