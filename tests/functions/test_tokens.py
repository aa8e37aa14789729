"""Tokens: signed for one purpose, for a while, under at most two keys, by the injected clock."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.instants import Instant
from functions.tokens import KeysError, TokenExpired, TokenInvalid, Tokens

NOW = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
"""Years from any system's clock: nothing may ask that one."""
OLD, NEW, OTHER = "o" * 40, "n" * 40, "x" * 40
AGE = dt.timedelta(minutes=10)


class Time:
    def __init__(self) -> None:
        self.now: Instant = NOW

    def __call__(self) -> Instant:
        return self.now


def tokens(*keys: str, time: Time | None = None) -> Tokens:
    return Tokens(lambda: keys or (OLD,), time or Time())


def test_a_token_says_what_was_signed() -> None:
    token = tokens().sign("ticket", {"a": "あ", "n": 1})
    assert tokens().read("ticket", token, AGE) == {"a": "あ", "n": 1}
    assert not set(token) & set("+/=&?# ")


def test_a_token_counts_for_its_age_by_our_clock_and_not_longer() -> None:
    time = Time()
    token = tokens(time=time).sign("state", {})
    time.now = NOW + AGE
    assert tokens(time=time).read("state", token, AGE) == {}
    time.now = NOW + AGE + dt.timedelta(seconds=1)
    with pytest.raises(TokenExpired):
        tokens(time=time).read("state", token, AGE)


def test_a_token_of_the_future_is_refused() -> None:
    time = Time()
    time.now = NOW + dt.timedelta(days=1)
    token = tokens(time=time).sign("state", {})
    with pytest.raises((TokenExpired, TokenInvalid)):
        tokens().read("state", token, AGE)


def test_a_token_for_one_thing_never_passes_for_another() -> None:
    token = tokens().sign("friend", {"u": "U1"})
    with pytest.raises(TokenInvalid):
        tokens().read("unlink", token, AGE)


def test_the_newest_key_signs_and_the_one_before_it_still_counts() -> None:
    before, during = tokens(OLD).sign("ticket", {"k": 1}), tokens(OLD, NEW).sign("ticket", {"k": 2})
    assert tokens(OLD, NEW).read("ticket", before, AGE) == {"k": 1}
    assert tokens(NEW).read("ticket", during, AGE) == {"k": 2}
    with pytest.raises(TokenInvalid):
        tokens(NEW).read("ticket", before, AGE)
    with pytest.raises(TokenInvalid):
        tokens(NEW, OTHER).read("ticket", before, AGE)


@pytest.mark.parametrize("keys", [("",), ("short",), (OLD, ""), (OLD, NEW, OTHER)])
def test_nothing_is_signed_or_read_with_keys_that_keep_nobody_out(keys: tuple[str, ...]) -> None:
    token = tokens().sign("ticket", {})
    with pytest.raises(KeysError):
        tokens(*keys).sign("ticket", {})
    with pytest.raises(KeysError):
        tokens(*keys).read("ticket", token, AGE)


@given(st.integers(0, 400), st.characters())
def test_one_sign_changed_and_it_is_no_token(place: int, sign: str) -> None:
    token = tokens().sign("ticket", {"a": "attempt", "c": ["marketing"]})
    place %= len(token)
    changed = token[:place] + sign + token[place + 1 :]
    if changed == token:
        return
    # The last sign of base64 holds bits that mean nothing: another sign may say the same signature.
    try:
        read = tokens().read("ticket", changed, AGE)
    except TokenInvalid:
        return
    assert read == tokens().read("ticket", token, AGE)


@given(st.text(max_size=3_000))
def test_whatever_somebody_sends_is_refused_and_nothing_worse(text: str) -> None:
    with pytest.raises(TokenInvalid):
        tokens().read("ticket", text, AGE)


def test_what_fits_into_no_address_is_not_made_a_token() -> None:
    with pytest.raises(ValueError, match="fits into no address"):
        tokens().sign("ticket", {"a": [str(number) for number in range(10_000)]})
