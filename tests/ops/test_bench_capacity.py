"""Sizes and units by DynamoDB's published rules. The sizes asserted here are those that DynamoDB Local told."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.bench.capacity import item_bytes, number_bytes, read_units, write_units
from ops.bench.statements import read_statement


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": ""}, 0),
        ({"S": "花子"}, 6),
        ({"N": "0"}, 1),
        ({"N": "1"}, 2),
        ({"N": "1200"}, 2),
        ({"N": "12000"}, 3),
        ({"N": "-12"}, 3),
        ({"N": "1.2"}, 3),
        ({"N": "0.12"}, 2),
        ({"N": "1E+20"}, 2),
        ({"N": "20261125"}, 5),
        ({"N": "12345678901234567890123456789012345678"}, 20),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"B": b"abcd"}, 4),
        ({"L": []}, 3),
        ({"L": [{"S": "abc"}, {"N": "1"}, {"BOOL": True}]}, 12),
        ({"M": {}}, 3),
        ({"M": {"k": {"S": "abc"}, "kk": {"N": "12"}}}, 13),
        ({"M": {"k": {"L": [{"M": {}}]}}}, 12),
        ({"SS": ["ab", "c"]}, 3),
        ({"NS": ["1", "123"]}, 5),
    ],
)
def test_a_value_is_as_large_as_dynamodb_says(value: dict[str, object], size: int) -> None:
    assert item_bytes({"a": value}) == len("a") + size


def test_names_count_in_utf8_and_nothing_has_no_size() -> None:
    assert item_bytes({"名前": {"S": "x"}}) == 7
    assert item_bytes(None) == 0


@given(st.integers(min_value=-(10**37), max_value=10**37))
def test_zeros_behind_a_number_add_less_than_they_would_as_digits(number: int) -> None:
    assert number_bytes(str(number)) <= 1 + math.ceil(len(str(abs(number))) / 2) + 1
    assert number_bytes(f"{number}") >= number_bytes(str(number).rstrip("0") or "0") - 1


@pytest.mark.parametrize(
    ("before", "after", "units"), [(0, 1, 1), (0, 1024, 1), (0, 1025, 2), (3000, 10, 3), (0, 0, 1)]
)
def test_a_write_costs_by_the_larger_of_before_and_after(before: int, after: int, units: int) -> None:
    assert write_units(before, after) == units


@pytest.mark.parametrize(("size", "units"), [(0, 1), (4096, 1), (4097, 2), (8192, 2)])
def test_a_read_costs_by_four_kilobytes_and_half_where_it_need_not_be_consistent(
    size: int, units: int
) -> None:
    assert read_units(size, consistent=True) == units
    assert read_units(size, consistent=False) == units / 2


def test_an_insert_names_its_whole_item() -> None:
    found = read_statement("INSERT INTO \"sends\" VALUE {'pk': ?, 'sk': ?}", [{"S": "c1"}, {"S": "s1"}])
    assert found == ("insert", "sends", {"pk": {"S": "c1"}, "sk": {"S": "s1"}})


def test_an_update_names_what_its_condition_equals_and_not_what_it_sets() -> None:
    text = 'UPDATE "gates" SET body = ? SET version = ? WHERE pk = ? AND version = ?'
    found = read_statement(text, [{"S": "b"}, {"N": "2"}, {"S": "c1"}, {"N": "1"}])
    assert found == ("update", "gates", {"pk": {"S": "c1"}, "version": {"N": "1"}})


def test_what_is_no_statement_is_refused() -> None:
    with pytest.raises(ValueError, match="no PartiQL"):
        read_statement("DROP TABLE gates", [])
