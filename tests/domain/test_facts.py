"""The facts: what is published of them, and whom they name."""

from pathlib import Path

import pytest

from functions.domain.facts import TABLES, person, without_line_users
from functions.domain.lake_schema import published_type
from ops.lake_schemas import schemas

LINE_USER = "U" + "0123456789abcdef" * 2


@pytest.mark.parametrize("name", ["facts.schema.json", "derived.schema.json", "live.schema.json"])
def test_the_published_schemas_are_those_of_the_code(name: str) -> None:
    """`python -m ops.lake_schemas` writes them."""
    assert Path("docs", name).read_text(encoding="utf-8") == schemas()[name]


def test_every_table_tells_when_which_row_is_newer_and_what_each_column_means() -> None:
    for table in TABLES.values():
        assert {"at", "seen_at"} <= set(table.names)
        assert set(table.key) <= set(table.names)
        assert table.meaning
        assert all(column.meaning for column in table.columns)


def test_an_unlinked_friend_bears_the_same_pseudonym_everywhere_and_a_customer_its_id() -> None:
    assert person("C1") == "C1"
    assert LINE_USER not in person(f"anon:{LINE_USER}")
    assert person(f"anon:{LINE_USER}") == person(f"anon:{LINE_USER}")
    told = without_line_users({"note": f"from {LINE_USER}", "list": [LINE_USER, 3]})
    assert LINE_USER not in str(told)
    assert person(f"anon:{LINE_USER}").removeprefix("anon:") in told["note"]


def test_a_type_that_athena_does_not_have_is_not_published() -> None:
    assert published_type("VARCHAR[]") == "array<string>"
    with pytest.raises(ValueError, match="UBIGINT"):
        published_type("UBIGINT")
