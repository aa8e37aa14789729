"""Mentions of a person: found wherever they are meant, and nowhere else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.erasure import Person, hashed, identity_of, is_own_row, scrubbed

USER = "U" + "0" * 31 + "1"
PERSON = Person(["42", f"anon:{USER}"], [USER], "token")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"customer_id": "42"}, {"customer_id": "erased"}),
        ({"order_id": "42", "amount": 42}, {"order_id": "42", "amount": 42}),
        ({"text": f"from {USER}."}, {"text": "from erased."}),
        ({"text": f"x{USER}"}, {"text": f"x{USER}"}),
        ([f"anon:{USER}", None], ["erased", None]),
        ({USER: [1], "other": {"merged_into": f"anon:{USER}"}}, {"other": {"merged_into": "erased"}}),
        ({"next_key": "421"}, {"next_key": "421"}),
    ],
)
def test_customer_ids_are_meant_in_their_fields_and_line_users_everywhere(before: Any, after: Any) -> None:
    assert scrubbed(before, PERSON) == after


def test_in_prose_an_id_is_meant_where_it_stands_alone() -> None:
    assert scrubbed({"why": "42 asked, 142 did not"}, PERSON, prose=True) == {
        "why": "erased asked, 142 did not"
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("42U01 anon:", max_size=6) | st.sampled_from([USER, f"anon:{USER}", "42"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["customer_id", "why", USER, "42"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(JSON, st.booleans(), st.booleans())
def test_what_was_scrubbed_names_nobody_and_stays_as_it_is(value: Any, everywhere: bool, prose: bool) -> None:
    once = scrubbed(value, PERSON, everywhere=everywhere, prose=prose)
    assert scrubbed(once, PERSON, everywhere=everywhere, prose=prose) == once
    assert not [text for text in _texts(once) if PERSON.lines.search(text)]


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(text for one in value.values() for text in _texts(one))]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value] if isinstance(value, str) else []


@given(JSON)
def test_what_names_nobody_is_given_back_as_it_was(value: Any) -> None:
    nobody = Person(["nobody-known"], ["U" + "f" * 32], "token")
    assert scrubbed(value, nobody, everywhere=True, prose=True) == value


@pytest.mark.parametrize(
    ("pk", "sk", "own"),
    [
        ("customer#42", "line#U9", True),
        ("customer#421", "line#U9", False),
        ("customer#7", f"line#{USER}", True),
        ("reward#customer#42", "reward", True),
        (f"line#{USER}", "audit#2026#e#1", True),
        ("line#U9", "audit#2026-11-01T00:00:00Z#customer#42#1", False),
        ("review", f"line#{USER}", True),
    ],
)
def test_a_row_of_the_identities_is_the_persons_by_its_key(pk: str, sk: str, own: bool) -> None:
    assert is_own_row("identities", pk, sk, PERSON) is own


def test_a_hash_tells_customers_from_line_users_and_keys_from_each_other() -> None:
    names = {hashed(key, one) for key in ("a", "b") for one in (identity_of("U1"), identity_of("anon:U1"))}
    assert len(names) == 4


def test_an_alias_is_the_same_for_one_user_and_another_for_each_erasure() -> None:
    assert PERSON.alias(USER) == PERSON.alias(USER) != PERSON.alias("U2")
    assert Person([], [], "other").alias(USER) != PERSON.alias(USER)
