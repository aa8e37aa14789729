"""The identity map as its flow relies on it: the fake and the table alike."""

import datetime as dt

import msgspec
import pytest

from functions.aws.identities import DynamoIdentities
from functions.domain.customers import Customer
from functions.domain.gate import Gate
from functions.domain.identity import Tied
from functions.domain.link_changes import Joining, LinkChange, MergeEntry, Reward
from functions.domain.links import AuditEntry, Link, review_of
from functions.domain.phones import CustomerPhone, PhoneOwners
from functions.domain.undoing import Keepsake
from functions.ports.errors import Conflict
from tests.aws.conftest import Aws, Stores
from tests.fakes.tables import FakeIdentities

NOW = dt.datetime(2026, 11, 20, 3, tzinfo=dt.UTC)
HASH = "ab" * 32


def link(user: str = "U1", customer_id: str = "c1", **more: object) -> Link:
    return msgspec.structs.replace(Link(user, customer_id, "crm", "linked", NOW, NOW, "e1"), **more)


def change(link_: Link, before: Link | None = None, event_id: str = "e1", **more: object) -> LinkChange:
    audit = AuditEntry(link_.line_user_id, NOW, event_id, "crm", before, link_)
    return msgspec.structs.replace(LinkChange(link_, audit, review=review_of(link_)), **more)


def desk(stores: Stores) -> FakeIdentities | DynamoIdentities:
    assert isinstance(stores.identities, FakeIdentities | DynamoIdentities)
    return stores.identities


def saved(stores: Stores, link_: Link, event_id: str = "e1", **more: object) -> Link:
    before = stores.identities.link_of(link_.line_user_id)
    version = before.version if before else 0
    link_ = msgspec.structs.replace(link_, version=version)
    stores.identities.save_tied(change(link_, before, event_id, **more))
    return msgspec.structs.replace(link_, version=version + 1)


def sides(stores: Stores, customer_id: str = "c1", friend_id: str = "anon:U1") -> Tied:
    gate, customer = stores.customers.load_both(customer_id)
    friend_gate, friend = stores.customers.load_both(friend_id)
    return Tied(
        customer or Customer(customer_id),
        friend or Customer(friend_id),
        gate or Gate(customer_id),
        friend_gate or Gate(friend_id),
    )


def test_a_link_is_found_from_its_customer_as_long_as_it_names_it(stores: Stores) -> None:
    first = saved(stores, link())
    assert stores.identities.links_of("c1") == [first]
    moved = saved(stores, link(customer_id="c2"), "e2")
    assert stores.identities.links_of("c1") == []
    assert stores.identities.links_of("c2") == [moved]
    back = saved(stores, link(status="unlinked"), "e3")
    assert stores.identities.links_of("c1") == [back]


def test_a_claimant_finds_the_link_too(stores: Stores) -> None:
    disputed = saved(stores, link(status="conflict", claimed_by="c2", claimed_at=NOW))
    assert stores.identities.links_of("c2") == [disputed]


def test_what_waits_is_listed_until_it_is_decided(stores: Stores) -> None:
    disputed = link(status="conflict", claimed_by="c2", claimed_at=NOW)
    saved(stores, disputed)
    assert [(one.line_user_id, one.candidates) for one in desk(stores).reviews()] == [("U1", ["c1", "c2"])]
    saved(stores, link(), "e2")
    assert desk(stores).reviews() == []


def test_the_audit_keeps_every_change_in_order(stores: Stores) -> None:
    saved(stores, link())
    saved(stores, link(status="unlinked"), "e2")
    assert [(one.event_id, one.after.status) for one in desk(stores).audit_of("U1")] == [
        ("e1", "linked"),
        ("e2", "unlinked"),
    ]


def test_what_was_kept_of_the_last_tie_is_found(stores: Stores) -> None:
    assert stores.identities.keepsake_of("U1") is None
    read = sides(stores)
    kept = Keepsake("U1", "e1", NOW, read.customer, read.friend, read.gate, read.friend_gate)
    saved(stores, link(), sides=read, keepsake=kept)
    assert stores.identities.keepsake_of("U1") == kept
    newer = msgspec.structs.replace(kept, event_id="e2")
    saved(stores, link(), "e2", keepsake=newer)
    assert stores.identities.keepsake_of("U1") == newer


@pytest.mark.parametrize(("user", "customer_id"), [("U1", "c2"), ("U2", "c1"), ("U1", "c1")])
def test_nobody_is_rewarded_twice(stores: Stores, user: str, customer_id: str) -> None:
    assert not stores.identities.is_rewarded("U1", "c1")
    saved(stores, link(), reward=Reward("U1", "c1", NOW, "e1"))
    assert stores.identities.is_rewarded(user, customer_id)
    before = stores.identities.link_of(user)
    with pytest.raises(Conflict):
        saved(stores, link(user, customer_id), "e2", reward=Reward(user, customer_id, NOW, "e2"))
    assert stores.identities.link_of(user) == before


def test_an_empty_id_is_never_rewarded(stores: Stores) -> None:
    read = sides(stores, "c1", "c2")
    entry = MergeEntry("c2", "c1", NOW, "e1", "crm")
    stores.identities.save_joined(Joining(read, entry, reward=Reward("", "c1", NOW, "e1")))
    assert not stores.identities.is_rewarded("", "c2")
    assert stores.identities.is_rewarded("", "c1")


def test_customers_are_joined_with_what_is_kept_of_both_or_not_at_all(stores: Stores) -> None:
    read = sides(stores, "c1", "c2")
    entry = MergeEntry("c2", "c1", NOW, "e2", "crm")
    kept = Keepsake("", "e2", NOW, read.customer, read.friend, read.gate, read.friend_gate)
    stale = msgspec.structs.replace(read, friend=msgspec.structs.replace(read.friend, version=9))
    with pytest.raises(Conflict):
        stores.identities.save_joined(Joining(stale, entry, kept))
    assert stores.identities.merge_of("c2") is None
    assert stores.identities.keepsake_of_merge("c2") is None
    assert stores.customers.load("c1") is None
    stores.identities.save_joined(Joining(read, entry, kept))
    assert stores.identities.merge_of("c2") == entry
    assert stores.identities.keepsake_of_merge("c2") == kept
    undone = msgspec.structs.replace(entry, undone_by="u1", undone_at=NOW)
    stores.identities.save_joined(Joining(sides(stores, "c1", "c2"), undone))
    assert stores.identities.merge_of("c2") == undone
    assert stores.identities.keepsake_of_merge("c2") == kept


def test_a_link_is_found_by_the_customer_whose_it_was_said_to_be(stores: Stores) -> None:
    first = saved(stores, link(customer_id="c2"))
    moved = msgspec.structs.replace(first, customer_id="c1", came_by="c2")
    saved(stores, moved, "e2")
    for name in ("c1", "c2"):
        assert [one.customer_id for one in stores.identities.links_of(name)] == ["c1"]


def test_nobody_becomes_another_customer_twice(stores: Stores) -> None:
    first, second = (
        Joining(sides(stores, into, "c2"), MergeEntry("c2", into, NOW, "e1", "crm")) for into in ("c1", "c3")
    )
    stores.identities.save_joined(first)
    with pytest.raises(Conflict):
        stores.identities.save_joined(second)
    assert stores.customers.load("c3") is None


def test_a_number_has_its_owners_and_a_race_is_refused(stores: Stores) -> None:
    assert stores.identities.phone_owners(HASH) == PhoneOwners(HASH)
    phone, owners = CustomerPhone("c1", HASH, NOW, "e1"), PhoneOwners(HASH, ["c1"])
    stores.identities.save_phone(phone, [owners])
    assert stores.identities.phone_of("c1") == msgspec.structs.replace(phone, version=1)
    assert stores.identities.phone_owners(HASH) == msgspec.structs.replace(owners, version=1)
    with pytest.raises(Conflict):
        stores.identities.save_phone(CustomerPhone("c2", HASH, NOW, "e1"), [owners])
    assert stores.identities.phone_of("c2") is None
    with pytest.raises(Conflict):
        stores.identities.save_phone(phone, [msgspec.structs.replace(owners, version=1)])


def test_accounts_side_by_side_know_nothing_of_each_other(aws: Aws) -> None:
    """Each account is a deployment with tables of its own."""
    names = [aws.tables() for _ in range(2)]
    here, there = (
        DynamoIdentities(aws.client("dynamodb"), one["identities"], one["customers"], one["gates"])
        for one in names
    )
    here.save_tied(change(link()))
    assert here.link_of("U1") is not None
    assert there.link_of("U1") is None
    assert there.links_of("c1") == []


def test_what_was_kept_of_a_tie_ages(aws: Aws) -> None:
    table = aws.tables()
    identities = DynamoIdentities(
        aws.client("dynamodb"), table["identities"], table["customers"], table["gates"]
    )
    kept = Keepsake("U1", "e1", NOW, Customer("c1"), Customer("anon:U1"), Gate("c1"), Gate("anon:U1"))
    identities.save_tied(change(link(), keepsake=kept))
    key = {"pk": {"S": "line#U1"}, "sk": {"S": "tie"}}
    row = aws.client("dynamodb").get_item(TableName=table["identities"], Key=key)["Item"]
    assert int(row["ttl"]["N"]) == int((NOW + dt.timedelta(days=35)).timestamp())
