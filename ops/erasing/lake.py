"""The lake's files without a person: rows stay, for figures are made of them, and say nothing any more of whose they are.

Every id becomes an alias that is the same in all files, so that a day that is derived anew comes to the same figures. Of what
the CRM told of an event numbers and indexed values (a category) are left; other texts become aliases too: a correction still
finds its order, and nobody finds the order's number.
"""

import io
import json
import re
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from functions.domain.erasure import Person

if TYPE_CHECKING:
    import pyarrow as pa

PREFIXES = ("facts/v1/", "derived/v1/")
WHO = ("customer_id", "unit", "owner", "said")
"""The columns that name a person."""
TOLD = ("order_id", "key")
"""Columns that hold what the CRM calls a person's things."""
_DAY = re.compile(r"/day=(\d{4}-\d\d-\d\d)/")

Indexed = Callable[[str], Collection[str]]
"""An event's name → its properties whose values are few and nobody's own."""


def is_of_lake(key: str) -> bool:
    """Whether it is a partition of facts, or of what is derived from them."""
    return key.startswith(PREFIXES) and key.endswith(".parquet")


def day_of(key: str) -> str:
    """The day of a partition or of a day's results, as YYYY-MM-DD."""
    found = _DAY.search(key)
    return found[1] if found else ""


def names(body: bytes, person: Person) -> bool:
    """Whether a Parquet file has a row of the person, in whichever column."""
    return bool(body) and _count(_places(_table(body), person)) > 0


def anonymous(body: bytes, person: Person, indexed: Indexed) -> bytes:
    """The file with aliases in place of the person; the same bytes where it has no row of them."""
    import pyarrow as pa  # noqa: PLC0415 — slow to import, and seldom needed
    import pyarrow.parquet as pq  # noqa: PLC0415

    table = _table(body)
    places = _places(table, person)
    if not _count(places):
        return body
    mine = pa.Table.from_pylist(
        [_alias(row, person, indexed) for row in table.filter(places).to_pylist()], schema=table.schema
    )
    import pyarrow.compute as pc  # noqa: PLC0415

    written = io.BytesIO()
    pq.write_table(pa.concat_tables([table.filter(pc.invert(places)), mine]), written, compression="zstd")
    return written.getvalue()


def _table(body: bytes) -> "pa.Table":
    import pyarrow.parquet as pq  # noqa: PLC0415

    return pq.read_table(io.BytesIO(body))


def _places(table: "pa.Table", person: Person) -> "pa.ChunkedArray":
    """Which rows are the person's, or have one of the ids in a text."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    ids = sorted(person.ids)
    places = pa.chunked_array([pa.array([False] * table.num_rows, pa.bool_())])
    for column in table.schema:
        if column.name in WHO:
            found = pc.is_in(table[column.name], value_set=pa.array(ids))
        elif pa.types.is_string(column.type):
            found = _said(table[column.name], ids, person)
        else:
            continue
        places = pc.or_(places, pc.fill_null(found, fill_value=False))
    return places


def _count(places: "pa.ChunkedArray") -> int:
    return sum(chunk.true_count for chunk in places.chunks)


def _said(texts: "pa.ChunkedArray", ids: Sequence[str], person: Person) -> "pa.ChunkedArray":
    """Which texts have an id as a word of its own. Few have the letters of one at all: only those are looked at closely."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    likely = pc.match_substring(texts, ids[0])
    for one in ids[1:]:
        likely = pc.or_(likely, pc.match_substring(texts, one))
    if not _count(likely):
        return likely
    close = (
        bool(one and person.words.search(text))
        for one, text in zip(likely.to_pylist(), texts.to_pylist(), strict=True)
    )
    return pa.chunked_array([pa.array(close, pa.bool_())])


def _alias(row: dict[str, Any], person: Person, indexed: Indexed) -> dict[str, Any]:
    is_mine = row.get("customer_id") in person.ids
    after = dict(row)
    for column, value in row.items():
        if (column in WHO and value in person.ids) or (column in TOLD and is_mine and value):
            after[column] = person.alias(value)
        elif column == "properties" and value:
            after[column] = _properties(value, person, indexed(row["name"]) if is_mine else None)
        elif isinstance(value, str) and column not in WHO:
            after[column] = person.words.sub(lambda found: person.alias(found[0]), value)
    return after


def _properties(text: str, person: Person, kept: Collection[str] | None) -> str:
    """Of the person's own event what says nothing of them; of another's (`kept` is None) all but the person's ids."""
    if kept is None:
        return person.words.sub(lambda found: person.alias(found[0]), text)
    told = {
        key: value if key in kept or not isinstance(value, str) else person.alias(value)
        for key, value in json.loads(text).items()
        if not isinstance(value, dict | list)
    }
    return _properties(json.dumps(told, ensure_ascii=False, sort_keys=True), person, None)
