"""The profile is the same whatever the order in which events come, and however often."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.events import Event
from functions.domain.instants import local_day_at
from functions.domain.profiles import (
    Profile,
    Register,
    Seen,
    Tally,
    fold,
    fold_all,
    later,
    profile_union,
    with_provisional,
)
from tests.domain.strategies import (
    DAY,
    DICTIONARY,
    HOUR,
    NOON,
    arrivals,
    confirmed,
    event,
    event_sets,
    split_events,
)


def folded(*events: Event) -> Profile:
    return fold_all(events, DICTIONARY)


def folded_one_by_one(events: list[Event]) -> Profile:
    """As the caller folds: what is in already stays out, and so does a provisional event after its confirmation."""
    profile, known = Profile(), set[str]()
    for one in events:
        superseded = one.status == "provisional" and one.event_id in known
        if one.identity not in known and not superseded:
            profile = fold(profile, one, DICTIONARY)
        known.add(one.identity)
    return profile


@given(st.data())
def test_the_fold_is_the_same_for_every_order_and_repetition(data: st.DataObject) -> None:
    events = data.draw(event_sets())
    assert fold_all(data.draw(arrivals(events)), DICTIONARY) == fold_all(events, DICTIONARY)


@given(st.data())
def test_folding_one_by_one_gives_the_fold_of_the_whole(data: st.DataObject) -> None:
    events = data.draw(event_sets())
    assert folded_one_by_one(data.draw(arrivals(events))) == fold_all(events, DICTIONARY)


@given(split_events())
def test_the_union_of_two_parts_is_the_fold_of_the_whole(parts: tuple[list[Event], list[Event]]) -> None:
    left, right = parts
    whole = fold_all([*left, *right], DICTIONARY)
    assert profile_union(folded(*left), folded(*right)) == whole
    assert profile_union(folded(*right), folded(*left)) == whole


def test_a_union_adds_counts_sums_and_values_of_both_sides() -> None:
    left = [event(at=NOON, amount=5, category="hair"), event(event_id="e2", category="skin")]
    right = [
        event(event_id="e3", at=NOON - DAY, category="hair"),
        event(event_id="e4", at=NOON + DAY, category="skin"),
        event("visit", "e5"),
    ]
    for one, other in ((left, right), (right, left)):
        union = profile_union(folded(*one), folded(*other))
        assert union.tallies["orders"] == Tally(
            4,
            NOON - DAY,
            NOON + DAY,
            {"amount": 5_000_000},
            {"category": {"hair": Seen(2, NOON), "skin": Seen(2, NOON + DAY)}},
        )
        assert union.tallies["visit"].count == 1


@given(event_sets())
def test_what_is_provisional_counts_as_if_it_were_confirmed(events: list[Event]) -> None:
    as_if = with_provisional(fold_all(events, DICTIONARY), DICTIONARY)
    expected = fold_all([confirmed(one) for one in events], DICTIONARY)
    assert msgspec.structs.replace(as_if, provisional={}) == expected


@given(event_sets())
def test_a_profile_survives_writing_and_reading(events: list[Event]) -> None:
    profile = fold_all(events, DICTIONARY)
    assert msgspec.json.decode(msgspec.json.encode(profile), type=Profile) == profile


def test_a_provisional_event_is_set_aside_and_counts_nothing() -> None:
    profile = folded(event(status="provisional", order_id="o", rank="gold"))
    assert profile.tallies == {}
    assert profile.attributes == {}
    assert list(profile.provisional) == ["e1"]


@pytest.mark.parametrize("order", [["provisional", "confirmed"], ["confirmed", "provisional"]])
def test_a_confirmation_takes_the_place_of_its_provisional_event(order: list[str]) -> None:
    both = {"provisional": event(status="provisional"), "confirmed": event()}
    assert folded(*(both[status] for status in order)) == folded(event())


def test_a_confirmation_leaves_the_other_provisional_events() -> None:
    profile = folded(event(status="provisional"), event(event_id="e2", status="provisional"), event())
    assert list(profile.provisional) == ["e2"]


def test_an_event_that_is_not_in_the_dictionary_folds_to_nothing() -> None:
    assert folded(event("unheard_of", x=1)) == Profile()


def test_an_event_is_read_under_its_alias_or_else_its_name() -> None:
    assert set(folded(event(), event("visit", "e2")).tallies) == {"orders", "visit"}


def test_a_tally_counts_and_keeps_the_first_and_the_last() -> None:
    tally = folded(event(at=NOON), event(event_id="e2", at=NOON - DAY), event(event_id="e3", at=NOON - HOUR))
    assert tally.tallies["orders"] == Tally(3, NOON - DAY, NOON)


def test_an_indexed_property_counts_by_value_and_keeps_the_last() -> None:
    profile = folded(
        event(at=NOON, category="hair"),
        event(event_id="e2", at=NOON - DAY, category="hair"),
        event(event_id="e3", at=NOON + DAY, category="skin"),
    )
    assert profile.tallies["orders"].by == {"category": {"hair": Seen(2, NOON), "skin": Seen(1, NOON + DAY)}}


def test_sums_of_tenths_are_exact() -> None:
    profile = folded(*(event(event_id=f"e{number}", amount=0.1) for number in range(10)))
    total = profile.tallies["orders"].sum_of("amount")
    assert total == 1
    assert isinstance(total, int)


def test_a_fraction_is_rounded_to_millionths_and_not_cut() -> None:
    assert folded(event(amount=2.01)).tallies["orders"].sums == {"amount": 2_010_000}
    assert folded(event(amount=-2.01)).tallies["orders"].sums == {"amount": -2_010_000}


def test_a_sum_with_a_rest_keeps_it() -> None:
    assert (
        folded(event(amount=1.5), event(event_id="e2", amount=-4)).tallies["orders"].sum_of("amount") == -2.5
    )


def test_the_sum_of_what_never_occurred_is_unknown() -> None:
    assert folded(event()).tallies["orders"].sum_of("amount") is None


def test_an_attribute_is_the_newest_known() -> None:
    profile = folded(event(at=NOON, rank="gold"), event(event_id="e2", at=NOON - DAY, rank="silver"))
    assert profile.attribute("rank") == "gold"
    assert profile.attribute("age") is None


def test_of_two_writes_at_one_instant_the_greater_id_wins() -> None:
    smaller, greater = Register("a", NOON, "e1"), Register("b", NOON, "e2")
    assert later(smaller, greater) is greater
    assert later(greater, smaller) is greater
    assert later(None, smaller) is smaller


def test_every_property_of_profile_updated_is_an_attribute() -> None:
    profile = folded(event("profile_updated", age=30, city="Kyoto"))
    assert (profile.attribute("age"), profile.attribute("city")) == (30, "Kyoto")


def test_only_attributes_are_kept_of_other_events() -> None:
    assert set(folded(event(order_id="o", category="hair", rank="gold")).attributes) == {"rank"}


def test_a_tag_is_borne_until_it_is_removed() -> None:
    added, removed = event("tag_added", tag="vip"), event("tag_removed", "e2", NOON + DAY, tag="vip")
    assert folded(added).tag_names == ["vip"]
    assert folded(removed, added).tag_names == []
    assert not folded(removed, added).has_tag("vip")


def test_the_zone_is_the_customers_own_or_else_tokyo() -> None:
    assert folded(event("profile_updated", zone="Europe/Berlin")).zone == "Europe/Berlin"
    assert Profile().zone == "Asia/Tokyo"


@pytest.mark.parametrize(
    "zone",
    ["Nowhere/Land", "America", "../../etc/passwd", "", "JST+9", 9, "x" * 300, ["Asia/Tokyo"]],
    ids=["unknown", "folder", "path", "empty", "offset", "number", "long", "list"],
)
def test_a_zone_that_does_not_exist_is_read_as_the_default(zone: object) -> None:
    known = folded(event("profile_updated", zone=zone)).zone
    assert local_day_at(NOON, 1, (NOON + HOUR).time(), known) == local_day_at(
        NOON, 1, (NOON + HOUR).time(), "Asia/Tokyo"
    )
