"""The accounts of what was sent, by scenario and by campaign run.

Both sides are counted independently: whom each scenario and each campaign run is for, and what the send log says.
The log is read before the customers, and after the runs' lists, so that what goes on meanwhile counts as pending.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from functions.aws.parallel_scans import scanned
from functions.aws.send_reports import field_text
from functions.domain.accounts import (
    Accounts,
    Frozen,
    accounts_from,
)
from functions.domain.customers import Customer
from functions.domain.instants import Instant
from functions.domain.sends import SendRecord
from ops.books import Books, End, Tally, gone_row, run_row, scenario_row
from ops.held import held_by_source
from ops.runs import FrozenLists, RunFiles, named, run_files
from ops.stores import Stores


class _Made(msgspec.Struct, frozen=True):
    """What the accounts need of a `Customer`."""

    intended: dict[str, int] = {}
    merged_into: str = ""


_made = msgspec.json.Decoder(_Made)


class Bookkeeper:
    """Keeps the accounts of one deployment; asked again, it reads again only what may have changed."""

    def __init__(self, stores: Stores, campaign: str = "", scenario: str = "") -> None:
        self._stores = stores
        self._campaign, self._scenario = named(campaign), scenario
        self._lists = FrozenLists(stores)

    @property
    def _everything(self) -> bool:
        return not (self._campaign or self._scenario)

    def books(self) -> Books:
        """The accounts as they are now."""
        now = self._stores.now()
        files = run_files(self._stores, self._campaign) if self._campaign or self._everything else []
        frozen = {one.source: self._lists.frozen(one) for one in files}
        held = held_by_source(self._stores)
        tallies = self._tallies(files, frozen, now)
        made = self._made() if self._scenario or self._everything else {}
        scenarios = sorted({*made, *(source for source in tallies if "@" not in source)})
        rows = [scenario_row(name, made.get(name, 0), tallies.get(name), held) for name in scenarios]
        rows += [run_row(source, one, tallies.get(source), held) for source, one in frozen.items()]
        gone = sorted(source for source in tallies if "@" in source and source not in frozen)
        rows += [gone_row(source, tallies[source]) for source in gone]
        return Books(rows)

    def _made(self) -> Counter[str]:
        """How many intents each scenario has made."""
        total: Counter[str] = Counter()
        table, client = self._stores.settings.table_customers, self._stores.target.client("dynamodb")
        for item in scanned(client, table, ConsistentRead=True):
            made = _made.decode(item["body"]["S"])
            if not made.merged_into:
                total.update(made.intended)
        return total if self._everything else Counter({self._scenario: total[self._scenario]})

    def _tallies(self, files: list[RunFiles], frozen: dict[str, Frozen], now: Instant) -> dict[str, Tally]:
        """What the log says of each source. Nothing of a list that was not whole was enqueued when it was read."""
        tallies: dict[str, Tally] = {}
        for record in self._records(files, frozen):
            source = record.run or record.scenario
            listed = frozen.get(source)
            if not self._concerns(record) or (listed is not None and not listed.is_whole):
                continue
            if listed is None and record.run and record.made_at >= now:
                continue  # begun since the lists were read
            if source not in tallies:
                tallies[source] = Tally(listed.twins if listed else frozenset())
            tallies[source].add(record)
        return tallies

    def _concerns(self, record: SendRecord) -> bool:
        if self._everything:
            return True
        mine = self._campaign in (record.campaign, record.run) if self._campaign else False
        return mine or bool(self._scenario and record.scenario == self._scenario)

    def _records(self, files: list[RunFiles], frozen: dict[str, Frozen]) -> Iterator[SendRecord]:
        """The records that may concern, by the cheaper way: key by key, or the whole log."""
        reports = self._stores.reports
        people = sum(one.names.count + len(one.twins) for one in frozen.values())
        if self._campaign and not self._scenario and files and reports.is_dearer_than(people):
            for one in files:
                yield from reports.at(person.key for person in self._lists.people(one))
            return
        yield from reports.scan(*self._texts())

    def _texts(self) -> list[str]:
        texts = [field_text("scenario", self._scenario)] if self._scenario else []
        if self._campaign:
            name = "run" if "@" in self._campaign else "campaign"
            texts.append(field_text(name, self._campaign))
        return texts


def every_customer(stores: Stores) -> Iterator[Customer]:
    """All customers, anonymous friends included; not those merged into another."""
    start_key = ""
    while True:
        customers, start_key = stores.audience.page(0, 1, start_key)
        yield from (customer for customer in customers if not customer.merged_into)
        if not start_key:
            return


def targeted_by_scenario(customers: Iterable[Customer]) -> Counter[str]:
    """How many intents each scenario has made."""
    total: Counter[str] = Counter()
    for customer in customers:
        total.update(customer.intended)
    return total


def targeted_by_run(stores: Stores) -> Counter[str]:
    """How many messages each campaign run (`campaign@occurrence`) is for, from its frozen pages."""
    lists = FrozenLists(stores)
    return Counter({one.source: lists.frozen(one).names.count for one in run_files(stores)})


def accounts_of(targeted: int, records: Iterable[SendRecord]) -> Accounts:
    """The accounts of so many targeted messages, from their records; what has no record is pending."""
    ended = {record.send_id: record for record in records}.values()
    ends: Counter[End] = Counter(
        (one.status, one.reason if one.status == "suppressed" else "") for one in ended
    )
    return accounts_from(targeted, ends)


def accounts(stores: Stores, campaign: str = "", scenario: str = "") -> Accounts:
    """The accounts of everything, of one campaign (all its runs, or one `campaign@occurrence`), or of one scenario."""
    return Bookkeeper(stores, campaign, scenario).books().total
