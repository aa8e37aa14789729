"""Tags by hand: whom they are meant for, and the events that set and take them away."""

import csv
import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from functions.domain.customers import Customer
from functions.domain.events import ID_CHARACTERS_MAX, Event
from functions.domain.instants import Instant
from ops.customer_card import find_customer
from ops.errors import UserError
from ops.stores import Stores

CUSTOMERS_MAX = 100_000
TAG_CHARACTERS_MAX = 64
OPERATOR = "operator"
JUST_AFTER = dt.timedelta(milliseconds=1)
"""The last word wins, also where a virtual clock stands still between two commands."""
COLUMN = "customer_id"


class Named(NamedTuple):
    """Somebody who is meant, and where it is written (a file's line, or the command line)."""

    identifier: str
    where: str


class Chosen(NamedTuple):
    """Of those who are meant: whom the change is for, whom it changes nothing for, and who is unknown."""

    changing: list[Customer]
    unchanged: int
    unknown: list[Named]


def checked_tag(tag: str) -> str:
    """The tag without spaces around it. UserError where nobody could read it in a segment."""
    tag = tag.strip()
    if not 0 < len(tag) <= TAG_CHARACTERS_MAX or not tag.isprintable():
        raise UserError(f"A tag has 1 to {TAG_CHARACTERS_MAX} printable characters.")
    return tag


def named_in(file: Path) -> list[Named]:
    """One identifier a line; of a CSV with a column customer_id, that column. UserError where it cannot be read."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            found = list(_named(file, csv.reader(opened)))
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{file} is no list of customers: {error}.") from None
    if len(found) > CUSTOMERS_MAX:
        raise UserError(
            f"{file} names {len(found):,} customers; at most {CUSTOMERS_MAX:,} are tagged at once."
        )
    return found


def _named(file: Path, rows: Iterator[list[str]]) -> Iterator[Named]:
    column = 0
    for number, row in enumerate(rows, start=1):
        if number == 1 and COLUMN in row:
            column = row.index(COLUMN)
        elif row and any(cell.strip() for cell in row):
            cell = row[column].strip() if column < len(row) else ""
            if not 0 < len(cell) <= ID_CHARACTERS_MAX:
                raise UserError(f"{file}:{number}: no customer is named here.")
            yield Named(cell, f"{file}:{number}")


def chosen(stores: Stores, named: Sequence[Named], tag: str, *, add: bool) -> Chosen:
    """Who is meant, each once, by customer id or LINE user id; an unlinked friend is a customer like any other."""
    changing: dict[str, Customer] = {}
    unchanged, unknown = set[str](), list[Named]()
    for one in named:
        customer = find_customer(stores, one.identifier)
        if customer is None:
            unknown.append(one)
        elif customer.profile.has_tag(tag) == add:
            unchanged.add(customer.customer_id)
        else:
            changing[customer.customer_id] = customer
    return Chosen(list(changing.values()), len(unchanged), unknown)


def tagging(customer: Customer, tag: str, by: str, why: str, now: Instant, *, add: bool) -> Event:
    """The event. Its id derives from the state that it changes: said twice before it is folded, it is one event."""
    before = customer.profile.tags.get(tag)
    said = "\x1f".join((customer.customer_id, tag, str(add), before.event_id if before else ""))
    digest = hashlib.sha256(said.encode()).hexdigest()[:32]
    return Event(
        event_id=f"{OPERATOR}:tag:{digest}",
        customer_id=customer.customer_id,
        name="tag_added" if add else "tag_removed",
        occurred_at=max(now, before.at + JUST_AFTER) if before else now,
        source=OPERATOR,
        properties={"tag": tag, "by": by, **({"why": why} if why else {})},
    )
