"""Rejected events: by cause, without what is personal, and mended as declared."""

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.rejects import Mend, MendError, Rejection, Wanted, grouped, mended, shape_of

NOW = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)


def rejection(raw: Any, code: str = "wrong_type", message: str = "", hours: int = 0) -> Rejection:
    told = message or "purchase: the property 'amount' must be a finite number; got a str."
    return Rejection("rejected/k.json", 0, NOW + dt.timedelta(hours=hours), code, told, raw)


def raw(**properties: Any) -> dict[str, Any]:
    return {"event_id": "e1", "customer_id": "花子", "name": "purchase", "properties": properties}


def test_a_cause_is_code_name_and_property() -> None:
    one = rejection(raw(amount="4,800"))
    assert (one.cause, one.at_fault, one.event_id) == ("wrong_type purchase.amount", "amount", "e1")
    assert rejection("what", "malformed", "an event must be an object.").cause == "malformed"


def test_groups_are_the_largest_first_and_show_shapes_only() -> None:
    one, other = grouped(
        [rejection(raw(amount="x"), hours=n) for n in (2, 1)] + [rejection({}, "malformed", "m")]
    )
    assert ([member.received_at.hour for member in one.members], len(other.members)) == ([1, 2], 1)
    assert one.example == {
        "event_id": "string",
        "customer_id": "string",
        "name": "purchase",
        "properties": {"amount": "string"},
    }


@given(st.recursive(st.text(min_size=5) | st.integers() | st.none(), lambda one: st.lists(one) | st.dictionaries(st.just("k"), one)))  # fmt: skip
def test_a_shape_tells_no_value(value: Any) -> None:
    shown = shape_of({"event_id": value, "properties": {"p": value}})
    kinds = {"string", "number", "nothing", "list", "object", "boolean"}
    assert {shown["event_id"], *shown["properties"].values()} <= kinds


@pytest.mark.parametrize(
    ("mend", "before", "after"),
    [
        (Mend(rename="order"), raw(a=1), {**raw(a=1), "name": "order"}),
        (Mend(rename_property={"orderId": "order_id"}), raw(orderId="1"), raw(order_id="1")),
        (Mend(convert={"amount": "number"}), raw(amount=" ¥4,800 "), raw(amount=4800)),
        (Mend(convert={"amount": "number"}), raw(amount="12.50"), raw(amount=12.5)),
        (Mend(convert={"amount": "number"}), raw(amount="４，８００"), raw(amount=4800)),
        (Mend(convert={"id": "string"}), raw(id=7), raw(id="7")),
        (Mend(convert={"on": "boolean"}), raw(on="YES"), raw(on=True)),
        (Mend(convert={"on": "boolean"}), raw(on=0), raw(on=False)),
        (Mend(convert={"gone": "number"}), raw(a=1), raw(a=1)),
        (Mend(values={"state": {"済": "paid"}}), raw(state="済"), raw(state="paid")),
        (Mend(values={"state": {"1": "paid"}}), raw(state=1), raw(state="paid")),
        (Mend(set={"currency": "JPY"}), raw(a=1), raw(a=1, currency="JPY")),
        (Mend(drop=["note"]), raw(a=1, note="x"), raw(a=1)),
    ],
)
def test_a_mend_does_what_it_declares(mend: Mend, before: Any, after: Any) -> None:
    assert mended(before, mend) == after


@pytest.mark.parametrize(
    ("mend", "before"),
    [
        (Mend(convert={"amount": "number"}), raw(amount="much")),
        (Mend(convert={"amount": "number"}), raw(amount="nan")),
        (Mend(convert={"amount": "string"}), raw(amount=[1])),
        (Mend(convert={"on": "boolean"}), raw(on="perhaps")),
        (Mend(rename_property={"a": "b"}), raw(a=1, b=2)),
        (Mend(drop=["a"]), "no object"),
        (Mend(drop=["a"]), {"properties": [1]}),
    ],
)
def test_what_cannot_be_mended_says_why_and_quotes_no_value(mend: Mend, before: Any) -> None:
    with pytest.raises(MendError) as error:
        mended(before, mend)
    assert "much" not in str(error.value)
    assert "perhaps" not in str(error.value)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers() | st.text(max_size=3)))
def test_to_mend_twice_is_to_mend_once(properties: dict[str, Any]) -> None:
    mend = Mend(rename="x", convert={"a": "string"}, set={"b": 1}, drop=["c"])
    once = mended(raw(**properties), mend)
    assert mended(once, mend) == once


def test_a_mend_has_no_other_keys() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert({"event_id": "x"}, Mend)


@pytest.mark.parametrize(
    ("wanted", "meets"),
    [
        (Wanted(), True), (Wanted(cause="AMOUNT"), True), (Wanted(cause="price"), False),
        (Wanted(code="malformed"), False), (Wanted(name="purchase"), True), (Wanted(property="amount"), True),
        (Wanted(property="amoun"), False), (Wanted(since=NOW), True), (Wanted(until=NOW - dt.timedelta(1)), False),
    ],
)  # fmt: skip
def test_filters(wanted: Wanted, meets: bool) -> None:
    assert wanted.meets(rejection(raw(amount="x"))) is meets
