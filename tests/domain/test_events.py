"""An event is checked against the dictionary; each fault has its code and says how to mend it."""

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.events import BUILT_IN, CASE_FLAGS, Event, EventType, Fault, PropertyType, check_event
from functions.domain.gate import Gate, with_facts
from functions.domain.instants import format_instant
from functions.domain.profiles import Profile, fold_all, with_provisional
from tests.domain.strategies import DAY, EVENTS, NOON, SECOND

TYPED = {
    **EVENTS,
    "typed": EventType(
        "one of each",
        properties={
            "string": PropertyType("string"),
            "number": PropertyType("number"),
            "boolean": PropertyType("boolean"),
            "instant": PropertyType("instant"),
            "list": PropertyType("list"),
        },
    ),
}


def raw(name: str = "purchase", **more: Any) -> dict[str, Any]:
    properties = {"properties": {"order_id": "o1"}} if name == "purchase" else {}
    return {
        "event_id": "e1",
        "customer_id": "c1",
        "name": name,
        "occurred_at": "2026-11-20T03:00:00Z",
        **properties,
        **more,
    }


def taken_in(value: object) -> Event:
    event = check_event(value, TYPED, NOON)
    assert isinstance(event, Event), event
    return event


def fault(value: object) -> Fault:
    found = check_event(value, TYPED, NOON)
    assert isinstance(found, Fault), found
    return found


def test_a_good_event_is_taken_in_whole() -> None:
    properties = {"order_id": "o1", "amount": 4800, "category": "skincare"}
    assert taken_in(raw(source="shop", status="provisional", properties=properties)) == Event(
        "e1", "c1", "purchase", NOON, "provisional", "shop", properties
    )


def test_an_event_is_confirmed_unless_it_says_otherwise() -> None:
    assert taken_in(raw()).status == "confirmed"


def test_a_confirmation_is_another_fact_than_the_provisional_event() -> None:
    assert taken_in(raw()).identity != taken_in(raw(status="provisional")).identity


def test_no_confirmed_id_is_taken_for_another_events_provisional_one() -> None:
    provisional = taken_in(raw(status="provisional"))
    found = check_event(raw(event_id=provisional.identity), TYPED, NOON)
    assert isinstance(found, Fault) or found.identity != provisional.identity


@pytest.mark.parametrize("value", [None, 5, "text", [], [raw()], True])
def test_an_event_must_be_an_object(value: object) -> None:
    assert fault(value) == Fault("malformed", "an event must be an object.")


@pytest.mark.parametrize("key", ["event_id", "customer_id", "name"])
@pytest.mark.parametrize("value", [None, "", 5, True, ["e1"], "x" * 129])
def test_ids_and_names_are_strings_of_1_to_128_characters(key: str, value: object) -> None:
    assert fault(raw() | {key: value}) == Fault(
        "malformed", f"'{key}' must be a string of 1 to 128 characters.", key
    )


def test_an_id_of_128_characters_is_taken_in() -> None:
    assert taken_in(raw(event_id="x" * 128)).event_id == "x" * 128


def test_the_prefix_of_anonymous_friends_is_reserved() -> None:
    assert fault(raw(customer_id="anon:U1")) == Fault(
        "malformed", "'customer_id' must be the CRM's own; the prefix 'anon:' is reserved.", "customer_id"
    )


@pytest.mark.parametrize("event_id", ["line:01FZ74A0TDDPYRVKNK77XKC3ZR", "e1~provisional"])
def test_ids_that_musubi_gives_itself_are_reserved(event_id: str) -> None:
    assert fault(raw(event_id=event_id)) == Fault(
        "malformed",
        "'event_id' must be the source's own; 'line:…', 'musubi:…' and '…~provisional' are reserved.",
        "event_id",
    )


def test_an_unknown_event_is_told_with_the_known_ones() -> None:
    assert fault(raw("bought")) == Fault(
        "unknown_event",
        "'bought' is not in the event dictionary; known: cart_left, purchase, typed, visit.",
        "name",
    )


@pytest.mark.parametrize("name", ["line_follow", "line_unfollow", "line_message"])
def test_what_line_says_does_not_come_in_from_the_crm(name: str) -> None:
    assert fault(raw(name)).code == "unknown_event"


@pytest.mark.parametrize("name", sorted(CASE_FLAGS))
def test_every_playbook_knows_the_events_of_cases(name: str) -> None:
    assert taken_in(raw(name, properties={"case_id": "7"})).properties == {"case_id": "7"}


@pytest.mark.parametrize("value", [None, "", "yesterday", 1730430245, ["x"], "0001-01-01T00:00:00+09:00"])
def test_the_instant_must_be_one(value: object) -> None:
    found = fault(raw(occurred_at=value))
    assert found.code == "malformed"
    assert found.message.startswith("'occurred_at' ")


def test_a_missing_instant_is_told() -> None:
    without = raw()
    del without["occurred_at"]
    assert fault(without).code == "malformed"


def test_an_event_may_lie_a_day_ahead_and_no_more() -> None:
    assert taken_in(raw(occurred_at=format_instant(NOON + DAY))).occurred_at == NOON + DAY
    assert fault(raw(occurred_at=format_instant(NOON + DAY + SECOND))) == Fault(
        "in_future", "'occurred_at' lies more than a day ahead of now.", "occurred_at"
    )


@pytest.mark.parametrize("value", ["done", "", None, 1, ["confirmed"], {}])
def test_the_status_is_one_of_two(value: object) -> None:
    assert fault(raw(status=value)) == Fault(
        "malformed", "'status' must be 'provisional' or 'confirmed'.", "status"
    )


@pytest.mark.parametrize("value", ["text", 5, ["order_id"], True])
def test_properties_are_an_object(value: object) -> None:
    assert fault(raw(properties=value)) == Fault("malformed", "'properties' must be an object.")


@pytest.mark.parametrize("properties", [{}, None, {"order_id": None}, {"amount": 1}])
def test_a_required_property_must_be_there(properties: object) -> None:
    assert fault(raw(properties=properties)) == Fault(
        "missing_property",
        "purchase needs the property 'order_id' (a string of at most 1024 characters).",
        "order_id",
    )


def test_a_property_without_a_value_is_left_out() -> None:
    assert taken_in(raw(properties={"order_id": "o1", "amount": None})).properties == {"order_id": "o1"}


def test_a_property_that_the_dictionary_does_not_name_is_kept() -> None:
    assert taken_in(raw(properties={"order_id": "o1", "x": [1]})).properties == {"order_id": "o1", "x": [1]}


GOOD: list[tuple[str, object]] = [
    ("string", ""),
    ("string", "x" * 1024),
    ("number", 0),
    ("number", -1.5),
    ("number", 10**12),
    ("number", -1e12),
    ("boolean", False),
    ("instant", "2026-11-01T03:04:05+09:00"),
    ("list", []),
    ("list", ["a"] * 100),
]


@pytest.mark.parametrize(("key", "value"), GOOD)
def test_a_value_of_the_right_type_is_taken_in(key: str, value: object) -> None:
    assert taken_in(raw("typed", properties={key: value})).properties == {key: value}


BAD: list[tuple[str, object, str]] = [
    ("string", 5, "a string of at most 1024 characters; got a int"),
    ("string", "x" * 1025, "a string of at most 1024 characters; got a str"),
    ("string", ["x"], "a string of at most 1024 characters; got a list"),
    ("number", True, "a finite number of at most 1,000,000,000,000; got a bool"),
    ("number", "5", "a finite number of at most 1,000,000,000,000; got a str"),
    ("number", float("nan"), "a finite number of at most 1,000,000,000,000; got a number out of range"),
    ("number", float("inf"), "a finite number of at most 1,000,000,000,000; got a number out of range"),
    ("number", 1e12 + 1, "a finite number of at most 1,000,000,000,000; got a number out of range"),
    ("number", -(10**12) - 1, "a finite number of at most 1,000,000,000,000; got a int"),
    ("number", 10**400, "a finite number of at most 1,000,000,000,000; got a int"),
    ("number", "", "a finite number of at most 1,000,000,000,000; got a str"),
    ("boolean", "", "true or false; got a str"),
    ("instant", "", "an instant such as 2026-11-01T03:04:05Z; got a str"),
    ("list", "", "a list of at most 100 strings; got a str"),
    ("boolean", 1, "true or false; got a int"),
    ("boolean", "true", "true or false; got a str"),
    ("instant", "2026-11-01", "an instant such as 2026-11-01T03:04:05Z; got a str"),
    ("instant", 5, "an instant such as 2026-11-01T03:04:05Z; got a int"),
    ("instant", "9999-12-31T23:59:59-09:00", "an instant such as 2026-11-01T03:04:05Z; got a str"),
    ("list", "a", "a list of at most 100 strings; got a str"),
    ("list", ["a", 5], "a list of at most 100 strings; got a list"),
    ("list", ["a"] * 101, "a list of at most 100 strings; got a list"),
]


@pytest.mark.parametrize(("key", "value", "told"), BAD, ids=lambda value: str(value)[:24])
def test_a_value_of_the_wrong_type_is_told_and_not_shown(key: str, value: object, told: str) -> None:
    assert fault(raw("typed", properties={key: value})) == Fault(
        "wrong_type", f"typed: the property '{key}' must be {told}.", key
    )


def test_a_link_needs_a_line_user() -> None:
    assert fault(raw("line_linked", properties={"line_user_id": ""})).code in (
        "missing_property",
        "wrong_type",
    )


@pytest.mark.parametrize(
    "value",
    [{"a": 1}, [1], float("nan"), float("inf"), 10**400, "x" * 1025],
    ids=["object", "list", "nan", "infinity", "huge", "long"],
)
def test_an_attribute_is_a_bounded_scalar(value: object) -> None:
    assert fault(raw("profile_updated", properties={"favourite": value})).code == "wrong_type"


@pytest.mark.parametrize("value", ["text", 5, 1.5, True])
def test_an_attribute_may_be_any_scalar(value: object) -> None:
    assert taken_in(raw("profile_updated", properties={"favourite": value})).properties == {
        "favourite": value
    }


def test_an_event_that_fits_into_no_row_is_told() -> None:
    found = fault(raw(properties={"order_id": "o1", "unnamed": ["x" * 1000] * 400}))
    assert found.code == "too_large"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_json_has_no_word_for_is_refused_where_no_type_is_named(value: float) -> None:
    assert fault(raw(properties={"order_id": "o1", "unnamed": value})).code == "malformed"


@pytest.mark.parametrize("where", ["event_id", "customer_id", "order_id"])
def test_text_that_cannot_be_written_is_refused(where: str) -> None:
    half = "\ud83d"
    value = raw(properties={"order_id": half}) if where == "order_id" else raw() | {where: half}
    assert fault(value).code in ("malformed", "wrong_type")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(["event_id", "customer_id", "name", "occurred_at", "status", "source", "properties"]),
        json_values,
    )
)
def test_whatever_comes_in_is_an_event_or_a_fault(parts: dict[str, Any]) -> None:
    assert isinstance(check_event(raw("typed") | parts, TYPED, NOON), Event | Fault)


names = st.sampled_from(["purchase"] * 10 + sorted(BUILT_IN))
keys = st.sampled_from(["order_id", "amount", "category", "rank", "purpose", "tag", "case_id", "consent"])
values = st.sampled_from(["", "1", "news", 5, -0.5, True, None]) | json_values


@given(names, st.dictionaries(keys, values), st.sampled_from(["provisional", "confirmed"]))
def test_whatever_is_taken_in_can_be_folded_and_written(
    name: str, properties: dict[str, Any], status: str
) -> None:
    needed = {"order_id": "o", "purpose": "news", "tag": "vip", "line_user_id": "U1"}
    one = check_event(raw(name, properties=needed | properties, status=status), TYPED, NOON)
    if isinstance(one, Event):
        profile = with_provisional(fold_all([one], {**TYPED, **BUILT_IN}), {**TYPED, **BUILT_IN})
        gate = with_facts(Gate("c1"), [one])
        assert msgspec.json.decode(msgspec.json.encode(profile), type=Profile) == profile
        assert msgspec.json.decode(msgspec.json.encode(gate), type=Gate) == gate
        assert profile.zone


@given(st.sampled_from(["string", "number", "boolean", "instant", "list"]), json_values)
def test_whatever_a_property_holds_is_taken_in_or_told(key: str, value: object) -> None:
    assert isinstance(check_event(raw("typed", properties={key: value}), TYPED, NOON), Event | Fault)


def test_an_attribute_of_null_is_kept_for_it_says_that_there_is_none_any_more() -> None:
    assert taken_in(raw("profile_updated", properties={"rank": None, "score": 3})).properties == {
        "rank": None,
        "score": 3,
    }


def test_what_is_older_than_its_kind_is_kept_comes_too_late() -> None:
    kept = {"purchase": 40 * 86_400}
    value = raw(occurred_at="2026-11-20T03:00:00Z")
    taken = check_event(value, TYPED, NOON + dt.timedelta(days=39), kept)
    assert isinstance(taken, Event)
    late = check_event(value, TYPED, NOON + dt.timedelta(days=41), kept)
    assert isinstance(late, Fault)
    assert (late.code, late.column) == ("too_old", "occurred_at")
    assert "40 days" in late.message
    assert isinstance(check_event(value, TYPED, NOON + dt.timedelta(days=41), {"other": 1}), Event)
