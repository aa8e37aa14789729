"""Rows put back: each on condition that there is none under its key, 25 a request, many requests side by side."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from functions.aws.items import is_condition_failure
from functions.aws.statements import STATEMENTS_MAX, Statement, execute
from functions.aws.streams import RESTORED
from functions.ports.errors import Conflict, Retryable
from ops.backups.keeping import Row

WRITERS = 8
TRIES_MAX = 8
TAKEN = "taken_by"
"""The one attribute that is added to a row of identities (functions/aws/link_attempts.py); all else replaces what was read."""
_Item = TypeVar("_Item")


def marked(row: Row, restore_id: str) -> Row:
    """The row with the mark by which streams know that nothing new happened."""
    return {**row, RESTORED: {"S": restore_id}}


class PutBack:
    """One table, and whoever writes into it. `standing`: what to do of rows under whose key there is one."""

    def __init__(self, client: Any, table: str, on_rows: Callable[[int], None]) -> None:
        self._client = client
        self._table = table
        self._on_rows = on_rows

    def all(self, rows: Iterable[Row], standing: Callable[[Row], object] | None = None) -> int:
        """Put back what is not there; how many rows were. Each that stands already is handed over."""
        written = 0
        with ThreadPoolExecutor(WRITERS) as pool:
            for window in pages_of(rows, WRITERS * STATEMENTS_MAX):
                stood: list[Row] = []
                for part, left in pool.map(self._inserted, pages_of(window, STATEMENTS_MAX)):
                    written += part
                    stood += left
                if standing is not None:
                    list(pool.map(standing, stood))
                self._on_rows(len(window))
        return written

    def over(self, row: Row) -> bool:
        """Put the row in the place of what stands under its key; whether that was another. Conflict where somebody writes it
        each time."""
        for _ in range(TRIES_MAX):
            stands = self._client.get_item(
                TableName=self._table,
                Key={key: row[key] for key in ("pk", "sk") if key in row},
                ConsistentRead=True,
            ).get("Item")
            if stands == row:
                return False
            if self._replaced(row, stands or {}):
                return True
        raise Conflict(
            f"a row of {self._table} is written all the time; stop what writes it, and give the same command again"
        )

    def _replaced(self, row: Row, stands: Row) -> bool:
        """Whether it was written. In prose: what stands is still what was read, attribute by attribute, and nobody has taken up
        an attempt to link that was open; or nothing stands."""
        names = list(stands)
        same = [f"#n{i} = :v{i}" for i in range(len(names))]
        still = " AND ".join(
            [*same, *([] if TAKEN in stands else [f"attribute_not_exists({TAKEN})"])] if names else []
        )
        held: dict[str, Any] = {"ConditionExpression": still or "attribute_not_exists(pk)"}
        if names:
            held["ExpressionAttributeNames"] = {f"#n{i}": name for i, name in enumerate(names)}
            held["ExpressionAttributeValues"] = {f":v{i}": stands[name] for i, name in enumerate(names)}
        try:
            self._client.put_item(TableName=self._table, Item=row, **held)
        except ClientError as error:
            if is_condition_failure(error):
                return False
            raise
        return True

    def _inserted(self, rows: Sequence[Row]) -> tuple[int, list[Row]]:
        """How many were written, and those that stand. Some may have been written by a request whose answer was lost."""
        waiting, stood, written = _unlike(rows), [], 0
        for attempt in range(TRIES_MAX):
            became = execute(self._client, [_insert(self._table, row) for row in waiting])
            again = []
            for row, one in zip(waiting, became, strict=True):
                written += one == "written"
                if one == "overtaken":
                    stood.append(row)
                elif one == "undone":
                    again.append(row)
            if not again:
                return written, stood
            waiting = again
            time.sleep(0.1 * 2**attempt)
        raise Retryable(f"{self._table} is throttled; give the same command again, and it goes on")


def _unlike(rows: Sequence[Row]) -> list[Row]:
    """One row a key: a request may name each once."""
    return list({(row["pk"]["S"], row.get("sk", {}).get("S", "")): row for row in rows}.values())


def _insert(table: str, row: Row) -> Statement:
    names = list(row)
    values = ", ".join(f"'{name}': ?" for name in names)
    # Names are the deployment's own and its code's, never a parameter.
    return Statement(f'INSERT INTO "{table}" VALUE {{{values}}}', [row[name] for name in names])


def pages_of(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    """So many at a time."""
    left = iter(items)
    while page := list(islice(left, size)):
        yield page


def unless(rows: Iterable[Row], is_left_out: Callable[[Row], bool]) -> Iterator[Row]:
    """The rows without some of them."""
    return (row for row in rows if not is_left_out(row))
