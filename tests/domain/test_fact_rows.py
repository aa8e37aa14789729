"""Which facts follow from what was written."""

import datetime as dt
import json
from pathlib import Path

import msgspec

from functions.domain.compiled import Compiled
from functions.domain.customers import Customer
from functions.domain.events import Event
from functions.domain.experiments import is_held_out
from functions.domain.fact_rows import CustomerWritten, EventKept, SendWritten, encoded, rows_of
from functions.domain.facts import (
    Click,
    EventFact,
    ExposureFact,
    Friendship,
    JourneyFact,
    Membership,
    PersonFact,
    Send,
)
from functions.domain.journeys import Journey
from functions.domain.profiles import Register
from functions.domain.sends import Resolution, SendRecord
from functions.playbook.checking import load_playbook

NOW = dt.datetime(2026, 11, 2, 3, 4, 5, tzinfo=dt.UTC)
TOLD = dt.datetime(2026, 11, 2, 3, 4, 7, 900_000, tzinfo=dt.UTC)
USER = "U" + "0123456789abcdef" * 2
BOOK = Compiled(load_playbook(Path("playbooks/ec")))
HASHES = {name: segment.hash for name, segment in BOOK.playbook.segments.items()}


def version_of(_version: str) -> Compiled:
    return BOOK


def record(**more: object) -> SendRecord:
    told = SendRecord(
        "s1", "C1", USER, "sent", NOW, NOW, "promotion", "weekly_picks", "h", BOOK.version, "weekly"
    )
    return msgspec.structs.replace(told, campaign="weekly", run="weekly@x", **more)


def send_of(one: SendRecord) -> Send:
    (row,) = rows_of(SendWritten(one, TOLD), version_of)
    assert isinstance(row, Send)
    return row


def test_a_send_is_a_row_without_the_line_user() -> None:
    row = send_of(record(variant="upsell_perk:sample"))
    assert (row.send_id, row.customer_id, row.status) == ("s1", "C1", "sent")
    assert (row.experiment, row.variant) == ("upsell_perk", "sample")
    assert USER not in encoded(row).decode()


def test_the_arm_of_the_holdout_is_by_whom_buckets_know_whatever_became_of_the_message() -> None:
    held = next(n for n in range(1000) if is_held_out(BOOK.playbook, "weekly", "promotion", f"C{n}"))
    free = next(n for n in range(1000) if not is_held_out(BOOK.playbook, "weekly", "promotion", f"C{n}"))
    assert send_of(record(customer_id=f"C{held}", status="suppressed", reason="no_consent")).held_out
    assert not send_of(record(customer_id=f"C{free}")).held_out
    assert send_of(record(customer_id=f"C{free}", unit=f"C{held}")).held_out


def test_a_persons_word_on_an_unknown_end_is_newer_than_it_within_the_same_second() -> None:
    unknown = record(status="unknown", reason="no_answer")
    resolved = record(resolved=Resolution("unknown", "no_answer", "jiro", NOW, "he said so"))
    assert send_of(unknown).seen_at < send_of(resolved).seen_at


def event(name: str, **properties: object) -> Event:
    return Event("e1", "C1", name, NOW, source="shop", properties=properties)


def fact_of(one: Event) -> object:
    (row,) = rows_of(EventKept(one.customer_id, one, TOLD), version_of)
    return row


def test_clicks_and_friendships_have_tables_of_their_own() -> None:
    click = fact_of(
        event("link_clicked", send_id="s1", link="0", variant="upsell_perk:sample", scenario="upsell")
    )
    assert isinstance(click, Click)
    assert (click.agent, click.variant) == ("person", "sample")
    looked = fact_of(event("link_previewed", send_id="s1", link="0", agent="bot"))
    assert isinstance(looked, Click)
    assert looked.agent == "bot"
    followed, blocked = (fact_of(event(name)) for name in ("line_follow", "line_unfollow"))
    assert isinstance(followed, Friendship)
    assert isinstance(blocked, Friendship)
    assert (followed.change, blocked.change) == ("follow", "block")


def test_an_event_keeps_what_may_be_analysed_and_nothing_that_names_or_quotes_anybody() -> None:
    bought = fact_of(event("purchase", order_id="o1", amount=4800, note=f"for {USER}", phone="090"))
    assert isinstance(bought, EventFact)
    told = json.loads(bought.properties)
    assert (told["order_id"], told["amount"]) == ("o1", 4800)
    assert USER not in bought.properties
    assert "phone" not in told
    for private in (event("line_message", text="秘密"), event("profile_updated", first_name="花子")):
        row = fact_of(private)
        assert isinstance(row, EventFact)
        assert row.properties == "{}"


def test_what_is_handed_back_where_a_merge_is_undone_is_the_same_fact() -> None:
    """While "old" was part of "c1" its event was kept there; then both histories have it."""
    told = msgspec.structs.replace(event("purchase", order_id="o1"), customer_id="old").of("c1")
    handed_back = msgspec.structs.replace(told, customer_id="old").of("old")
    (kept,) = rows_of(EventKept("c1", told, TOLD), version_of)
    (back,) = rows_of(EventKept("old", handed_back, TOLD), version_of)
    assert isinstance(kept, EventFact)
    assert kept.customer_id == "old"
    assert kept == back


def test_what_changed_of_a_customer_and_nothing_else_becomes_rows() -> None:
    buyers = HASHES["buyers"]
    before = Customer("C1", version=3, segments_of=BOOK.version, evaluated_at=NOW)
    journey = Journey("j1", "onboarding", BOOK.version, 1, NOW, "t")
    after = msgspec.structs.replace(
        before,
        version=4,
        segments=[buyers],
        journeys=[journey],
        assignments={"upsell_perk": "sample"},
        link=Register(USER, NOW, "e"),
    )
    rows = rows_of(CustomerWritten(before, after, TOLD), version_of)
    kinds = {type(row): row for row in rows}
    assert set(kinds) == {Membership, JourneyFact, ExposureFact, PersonFact}
    assert kinds[Membership].segment == "buyers"  # type: ignore[union-attr]
    assert kinds[PersonFact].linked  # type: ignore[union-attr]
    assert rows_of(CustomerWritten(after, msgspec.structs.replace(after, version=5), TOLD), version_of) == []
    left = msgspec.structs.replace(
        after,
        version=5,
        segments=[],
        journeys=[msgspec.structs.replace(journey, status="goal", ended_at=NOW)],
        merged_into="C2",
    )
    told = [
        (type(row), getattr(row, "change", getattr(row, "owner", "")))
        for row in rows_of(CustomerWritten(after, left, TOLD), version_of)
    ]
    assert told == [(Membership, "left"), (JourneyFact, "goal"), (PersonFact, "C2")]


def test_two_changes_within_a_second_are_told_apart_by_the_customers_version() -> None:
    first = Customer("C1", version=1, evaluated_at=NOW)
    second = msgspec.structs.replace(first, version=2, merged_into="C2")
    (one,) = rows_of(CustomerWritten(None, first, TOLD), version_of)
    (two,) = rows_of(CustomerWritten(first, second, TOLD), version_of)
    assert isinstance(one, PersonFact)
    assert isinstance(two, PersonFact)
    assert one.seen_at < two.seen_at


def test_a_friend_who_is_not_linked_has_a_pseudonym_in_every_row() -> None:
    friend = Customer(f"anon:{USER}", version=1, link=Register(USER, NOW, "e"), evaluated_at=NOW)
    (row,) = rows_of(CustomerWritten(None, friend, TOLD), version_of)
    assert isinstance(row, PersonFact)
    assert not row.linked
    assert USER not in encoded(row).decode()


def test_a_tie_happened_by_the_clock_of_events_and_not_by_the_streams() -> None:
    """It leaves but a name of the friend, and makes a customer whom nobody has evaluated yet."""
    later = NOW + dt.timedelta(minutes=5)
    friend = Customer(f"anon:{USER}", version=1, link=Register(USER, NOW, "e"), evaluated_at=later)
    gone = Customer(f"anon:{USER}", version=2, merged_into="C1")
    new = Customer("C1", version=1, link=Register(USER, later, "e2"))
    for before, after in ((friend, gone), (None, new)):
        (row,) = rows_of(CustomerWritten(before, after, TOLD + dt.timedelta(days=9)), version_of)
        assert isinstance(row, PersonFact)
        assert (row.owner, row.at) == ("C1", later)
