"""While a release rolls out, code of two formats works on the same items, and after one was taken back, older code works on
newer items. What the newer one has added, and the older one does not know, is still there when that has written."""

import datetime as dt
import zlib
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.aws.account import DynamoAccountState
from functions.aws.context_facts import S3Context
from functions.aws.erasing import DynamoSuppressions
from functions.aws.history import BASE, DynamoEvents
from functions.aws.identities import DynamoIdentities
from functions.aws.inflow_sources import S3InflowSources
from functions.aws.items import RAW_DEFLATE, DynamoCustomers, decode_gate, versioned_put
from functions.aws.loads import S3Loads
from functions.aws.send_reports import SendReports, log_key
from functions.aws.stored import decoded, encoded
from functions.domain.claims import Allow, decide
from functions.domain.context import Fact
from functions.domain.customers import Customer, emptied
from functions.domain.events import Event
from functions.domain.gate import Contact, Gate, with_facts
from functions.domain.identity import Tied, tie, untie
from functions.domain.link_changes import LinkChange
from functions.domain.links import AuditEntry
from functions.domain.registers import Register
from functions.domain.stored import FORMAT, Beyond
from functions.domain.verdicts import Rules, Situation
from functions.domain.watermarks import LoadNote
from functions.ports.errors import Retryable
from ops import versions
from tests.domain.strategies import NOON, intent
from tests.stored.kinds import ADDED, AT, KINDS, grown, shape_of, whole
from tests.stored.places import Places, places

NEWER = FORMAT + 1
CARRIED = [kind for kind in KINDS if "beyond" in shape_of(kind).__struct_fields__ and kind != "AlertNoted"]  # type: ignore[union-attr]
FREE = Rules(caps=[], quiet_hours=None, consent={}, exclusions={})


def json_of(value: Any) -> bytes:
    return msgspec.json.encode(value)


def newer(kind: str, **known: Any) -> tuple[Any, Any]:
    """A value of a kind, and what newer code would have written of it."""
    value = msgspec.structs.replace(whole(shape_of(kind)), **known)
    return value, grown(value)


def read(kind: str, body: Any, written: int = NEWER) -> Any:
    return decoded(msgspec.json.Decoder(shape_of(kind)), json_of(body), written)


def known_of(value: Any) -> Any:
    return msgspec.structs.replace(value, beyond=msgspec.UNSET)


@pytest.mark.parametrize("kind", KINDS)
def test_what_newer_code_adds_to_any_kind_is_no_obstacle(kind: str) -> None:
    value, body = newer(kind)
    assert msgspec.json.decode(json_of(body), type=shape_of(kind)) == value


def test_whatever_is_written_back_whole_carries_what_it_does_not_know() -> None:
    assert set(CARRIED) == {
        "Customer",
        "Gate",
        "Link",
        "Base",
        "MergeEntry",
        "CustomerPhone",
        "PhoneOwners",
        "Suppression",
        "Load",
    }


@pytest.mark.parametrize("kind", CARRIED)
def test_what_older_code_does_not_change_it_writes_as_it_was(kind: str) -> None:
    value, body = newer(kind)
    found = read(kind, body)
    assert known_of(found) == value
    assert msgspec.json.decode(encoded(found)) == body


@pytest.mark.parametrize("kind", CARRIED)
@pytest.mark.parametrize("written", [FORMAT - 1, FORMAT])
def test_what_code_of_its_own_wrote_and_of_before_is_carried_by_nobody(kind: str, written: int) -> None:
    value, _ = newer(kind)
    found = read(kind, msgspec.to_builtins(value), written)
    assert found.beyond is msgspec.UNSET
    assert encoded(found) == json_of(value)


def test_what_an_older_format_said_and_this_one_has_dropped_is_dropped() -> None:
    _, body = newer("Gate")
    assert read("Gate", body, FORMAT - 1).beyond is msgspec.UNSET


def test_an_item_two_formats_ahead_waits_for_newer_code() -> None:
    _, body = newer("Gate")
    with pytest.raises(Retryable, match="deploy a newer release"):
        read("Gate", body, FORMAT + 2)


# --- the money-relevant ones: contacts, claims, consents, opt-outs


def said(name: str, event_id: str, at: dt.datetime = NOON, **properties: Any) -> Event:
    return Event(event_id, "c1", name, at, source="crm", properties=properties)


def test_a_claim_of_older_code_loses_nothing_of_the_gate() -> None:
    user = Register("U1", NOON - dt.timedelta(days=2), "e0")
    gate = msgspec.structs.replace(
        Gate("c1", version=3, link=user),
        friends={"U1": Register(True, NOON, "e1")},
        consent={"marketing": Register(False, NOON, "e2")},
        contacts=[Contact("s1", "promotion", NOON - dt.timedelta(days=1), "coupon")],
    )
    body = grown(gate)
    found = read("Gate", body)
    decision = decide(intent(), found, FREE, Situation(eligible=True, zone="Asia/Tokyo"), "c0ffee", NOON)
    assert isinstance(decision.verdict, Allow)
    after = msgspec.json.decode(encoded(decision.gate))
    assert [*after["contacts"][:-1]] == body["contacts"]
    assert (after["consent"], after["friends"], after["link"]) == (
        body["consent"],
        body["friends"],
        body["link"],
    )
    assert after["added"] == ADDED
    assert len(after["claims"]) == 1
    assert after["claims"][0][0] == intent().send_id


def test_a_new_word_takes_over_nothing_of_the_word_before() -> None:
    """What newer code kept of a consent, such as the text that was agreed to, is not said of its withdrawal."""
    gate = Gate("c1", consent={"marketing": Register(True, NOON, "e1"), "stock": Register(True, NOON, "e1")})
    found = read("Gate", grown(gate))
    later = NOON + dt.timedelta(hours=1)
    after = msgspec.json.decode(
        encoded(with_facts(found, [said("consent_withdrawn", "e2", later, purpose="marketing")]))
    )
    assert after["consent"]["marketing"] == [False, "2026-11-20T04:00:00Z", "e2"]
    assert after["consent"]["stock"][3:] == [ADDED]


changes = st.lists(
    st.one_of(
        st.builds(lambda n: ("contact", n), st.integers(0, 3)),
        st.builds(lambda n: ("drop", n), st.integers(0, 3)),
        st.builds(lambda n: ("consent_given", n), st.integers(0, 3)),
        st.builds(lambda n: ("consent_withdrawn", n), st.integers(0, 3)),
        st.builds(lambda n: ("inquiry_opened", n), st.integers(0, 3)),
    ),
    max_size=6,
)


def changed(gate: Gate, what: str, number: int) -> Gate:
    name, at = f"s{number}", AT + dt.timedelta(days=1 + number)
    if what == "contact":
        return msgspec.structs.replace(gate, contacts=[*gate.contacts, Contact(name, "support", at)])
    if what == "drop":
        return msgspec.structs.replace(gate, contacts=gate.contacts[number:])
    properties = {"purpose": f"p{number}"} if what.startswith("consent") else {"case_id": name}
    return with_facts(gate, [said(what, f"e{number}", at, **properties)])


@given(changes)
def test_whatever_older_code_changes_it_says_what_it_means_and_keeps_what_it_does_not_know(
    steps: list[tuple[str, int]],
) -> None:
    start = msgspec.structs.replace(
        whole(Gate), contacts=[Contact(f"s{n}", "promotion", AT) for n in range(3)]
    )
    gate = read("Gate", grown(start))
    for what, number in steps:
        gate = changed(gate, what, number)
    after = msgspec.json.decode(encoded(gate))
    assert known_of(read("Gate", after)) == known_of(gate)
    assert after["added"] == ADDED
    kept = {one.send_id for one in gate.contacts} & {f"s{n}" for n in range(3)}
    assert kept <= {one[0] for one in after.get("contacts", []) if one[-1] == ADDED}


def test_a_customer_goes_on_with_its_journeys_and_outbox_and_keeps_the_rest() -> None:
    value, body = newer("Customer")
    found = read("Customer", body)
    moved = [msgspec.structs.replace(one, at=one.at + 1, status="done") for one in found.journeys]
    after = msgspec.json.decode(
        encoded(emptied(msgspec.structs.replace(found, journeys=moved), ["the send_id"]))
    )
    assert "outbox" not in after
    assert after["journeys"][0]["added"] == ADDED
    assert after["journeys"][0]["at"] == value.journeys[0].at + 1
    assert after["profile"] == body["profile"]
    assert after["added"] == ADDED


def test_ties_by_older_code_leave_what_it_does_not_know_on_both_sides() -> None:
    def side(customer_id: str, user: str) -> tuple[Customer, Gate]:
        register = Register(user, AT, "e0") if user else None
        return (
            read("Customer", grown(Customer(customer_id, link=register))),
            read("Gate", grown(Gate(customer_id, link=register))),
        )

    (customer, gate), (friend, friend_gate) = side("c1", ""), side("anon:U1", "U1")
    event = said("line_linked", "e1", line_user_id="U1")
    tied = tie(Tied(customer, friend, gate, friend_gate), event)
    parted = untie(tied, said("line_unlinked", "e2", NOON + dt.timedelta(days=1), line_user_id="U1"))
    for sides in (tied, parted):
        for one in (sides.customer, sides.friend, sides.gate, sides.friend_gate):
            assert msgspec.json.decode(encoded(one))["added"] == ADDED


# --- through the adapters, in the tables and the bucket


@pytest.fixture(scope="module")
def at() -> Iterator[Places]:
    with places() as made:
        yield made


def put(at: Places, table: str, key: dict[str, str], body: Any, **more: Any) -> None:
    row = {name: {"S": one} for name, one in key.items()}
    at.dynamodb.put_item(
        TableName=table,
        Item={**row, "format": {"N": str(NEWER)}, "version": {"N": "7"}, **_attribute(body), **more},
    )


def _attribute(body: Any) -> dict[str, Any]:
    return {"body": {"S": json_of(body).decode()}}


def row(at: Places, table: str, **key: str) -> dict[str, Any]:
    found: dict[str, Any] = at.dynamodb.get_item(
        TableName=table, Key={name: {"S": one} for name, one in key.items()}
    )["Item"]
    return found


def body_of(found: dict[str, Any], name: str = "body") -> Any:
    return msgspec.json.decode(found[name]["S"])


def test_customers_and_gates_are_written_with_what_newer_code_said_and_its_stamp(at: Places) -> None:
    people = DynamoCustomers(at.dynamodb, "customers", "gates")
    _, customer_body = newer("Customer", customer_id="c1", version=7)
    gate, gate_body = newer("Gate", customer_id="c1", version=7)
    put(at, "customers", {"pk": "c1"}, customer_body)
    put(at, "gates", {"pk": "c1"}, gate_body)
    found_gate, found = people.load_both("c1")
    assert found is not None
    assert found_gate is not None
    people.save(msgspec.structs.replace(found, first_id="c0"))
    people.save_gate(msgspec.structs.replace(found_gate, contacts=[]))
    after = row(at, "customers", pk="c1")
    assert (after["format"], after["version"]) == ({"N": str(NEWER)}, {"N": "8"})
    assert body_of(after) == {**customer_body, "first_id": "c0", "version": 8}
    after = row(at, "gates", pk="c1")
    told = msgspec.json.decode(zlib.decompress(after["body"]["B"], wbits=RAW_DEFLATE))
    assert after["format"] == {"N": str(NEWER)}
    assert told == {name: one for name, one in gate_body.items() if name != "contacts"} | {"version": 8}
    assert known_of(decode_gate(after)) == msgspec.structs.replace(gate, contacts=[], version=8)


def test_a_batch_of_gates_bears_the_stamp_too() -> None:
    statements: list[dict[str, Any]] = []

    class Told:
        def batch_execute_statement(self, *, Statements: list[dict[str, Any]]) -> Any:  # noqa: N803
            statements.extend(Statements)
            return {"Responses": [{} for _ in Statements]}

    gate = read("Gate", newer("Gate")[1])
    DynamoCustomers(Told(), "customers", "gates").save_gates([gate, known_of(gate)])  # type: ignore[arg-type]
    assert '"format" = ?' in statements[0]["Statement"]
    assert [one["Parameters"][2] for one in statements] == [{"N": str(NEWER)}, {"N": str(FORMAT)}]


def test_a_fresh_item_bears_this_codes_stamp() -> None:
    assert versioned_put("gates", Gate("c1"))[0]["Item"]["format"] == {"N": str(FORMAT)}


def test_links_numbers_and_suppressions_keep_what_newer_code_said(at: Places) -> None:
    identities = DynamoIdentities(at.dynamodb, "identities", "customers", "gates")
    _, body = newer("Link", line_user_id="U1", customer_id="c1", claimed_by="", came_by="", version=7)
    put(at, "identities", {"pk": "line#U1", "sk": "link"}, body)
    before = identities.link_of("U1")
    assert before is not None
    after = msgspec.structs.replace(before, method="crm")
    identities.save_tied(LinkChange(after, AuditEntry("U1", AT, "e9", "crm", before, after)))
    assert body_of(row(at, "identities", pk="line#U1", sk="link")) == {**body, "method": "crm", "version": 8}
    _, phone_body = newer("CustomerPhone", customer_id="c1", version=7)
    put(at, "identities", {"pk": "customer#c1", "sk": "phone"}, phone_body)
    known = identities.phone_of("c1")
    assert known is not None
    identities.save_phone(known, [])
    assert body_of(row(at, "identities", pk="customer#c1", sk="phone")) == {**phone_body, "version": 8}
    erased = DynamoSuppressions(at.dynamodb, "identities", lambda: "k" * 32)
    erased.put("line#U9", whole(shape_of("Suppression")))
    key = next(
        one["pk"]["S"]
        for one in at.dynamodb.scan(TableName="identities")["Items"]
        if one["sk"]["S"] == "erased"
    )
    put(at, "identities", {"pk": key, "sk": "erased"}, newer("Suppression", lifted_at=None)[1])
    suppression = erased.find("line#U9")
    assert suppression is not None
    erased.lift("line#U9", suppression, AT)
    assert body_of(row(at, "identities", pk=key, sk="erased"))["added"] == ADDED


def test_a_base_keeps_what_newer_code_counted(at: Places) -> None:
    events = DynamoEvents(at.dynamodb, "events")
    body = newer("Base", version=7)[1]
    at.dynamodb.put_item(
        TableName="events",
        Item={
            "pk": {"S": "c1"},
            "sk": {"S": BASE},
            "version": {"N": "7"},
            "format": {"N": str(NEWER)},
            "base": {"S": json_of(body).decode()},
        },
    )
    base = events.kept_of("c1").base
    events.save_base("c1", msgspec.structs.replace(base, settled=["e1", "e2"]))
    after = row(at, "events", pk="c1", sk=BASE)
    assert body_of(after, "base") == {**body, "version": 8, "settled": ["e1", "e2"]}
    assert after["format"] == {"N": str(NEWER)}


def test_the_accounts_row_is_changed_attribute_by_attribute_and_a_log_of_loads_keeps_its_rest(
    at: Places,
) -> None:
    state = DynamoAccountState(at.dynamodb, "gates", "main")
    log = newer("SourceLog")[1]
    at.dynamodb.put_item(
        TableName="gates",
        Item={
            "pk": {"S": "anon:#account#main"},
            "mood": {"S": "new"},
            "loads:shop": {"S": json_of(log).decode()},
        },
    )
    state.heard_from("crm", AT)
    state.note_load("shop", LoadNote("l2", AT + dt.timedelta(days=1), 5), None)
    after = row(at, "gates", pk="anon:#account#main")
    assert after["mood"] == {"S": "new"}
    told = body_of(after, "loads:shop")
    assert told["added"] == ADDED
    assert told["loads"][0]["added"] == ADDED
    assert len(told["loads"]) == 2


def test_objects_that_are_written_over_keep_what_newer_code_said(at: Places) -> None:
    objects = at.objects()
    fact = newer("ContextFact")[1]
    objects.write("playbooks/context.json", json_of({"weather": {"Tokyo": fact, "Osaka": fact}}))
    changed_fact = whole(Fact)
    S3Context(objects).change(
        lambda old: {"weather": {"Tokyo": old["weather"]["Tokyo"], "Nara": changed_fact}}
    )
    after = msgspec.json.decode(objects.read("playbooks/context.json"))
    assert after["weather"] == {"Tokyo": fact, "Nara": msgspec.to_builtins(changed_fact)}
    source, source_body = newer("InflowSource")
    objects.write("inflow/sources/the name.json", json_of(source_body))
    sources = S3InflowSources(objects)
    sources.replace(source, msgspec.structs.replace(source, label="店"))
    after = msgspec.json.decode(objects.read("inflow/sources/the name.json"))
    assert after == {**source_body, "label": "店"}
    version, version_body = newer("Version")
    objects.write(versions.HISTORY, json_of([version_body]))
    versions.keep(objects, [*versions.history(objects), msgspec.structs.replace(version, version="v2")])
    assert msgspec.json.decode(objects.read(versions.HISTORY))[0] == version_body
    load_body = newer("Load")[1]
    objects.write("loads/state/the load_id.json", json_of(load_body))
    load, tag = S3Loads(objects).find("the load_id")  # type: ignore[misc]
    S3Loads(objects).checkpoint(msgspec.structs.replace(load, rows=load.rows + 1), tag)
    told = msgspec.json.decode(objects.read("loads/state/the load_id.json"))
    assert (told["added"], told["rows"]) == (ADDED, load.rows + 1)


def test_a_persons_word_on_an_unknown_end_keeps_the_rest_of_the_record(at: Places) -> None:
    record, body = newer("SendRecord", status="unknown")
    pk, sk = log_key(record.customer_id, record.made_at, record.send_id)
    put(at, "sends", {"pk": pk, "sk": sk}, body)
    assert SendReports(at.dynamodb, "sends").resolve(record, msgspec.structs.replace(record, status="sent"))
    assert body_of(row(at, "sends", pk=pk, sk=sk)) == {**body, "status": "sent"}


# --- two codes side by side


class NewerContact(Contact, frozen=True, array_like=True):
    """A contact of a code that counts yen."""

    yen: int = 0


class NewerGate(Gate, msgspec.Struct, frozen=True, omit_defaults=True):
    """The gate of that code."""

    contacts: list[NewerContact] = []  # type: ignore[assignment]
    stops: dict[str, Register] = {}


def test_two_codes_that_take_turns_lose_neither_what_they_know_nor_what_the_other_knows(at: Places) -> None:
    older = DynamoCustomers(at.dynamodb, "customers", "gates")
    user = Register("U1", NOON - dt.timedelta(days=2), "e0")
    written = NewerGate("c7", link=user, contacts=[NewerContact("s0", "promotion", NOON, "", 300)])
    put(at, "gates", {"pk": "c7"}, msgspec.to_builtins(msgspec.structs.replace(written, version=7)))
    for turn in range(3):
        gate = older.load_gate("c7")
        assert gate is not None
        now = NOON + dt.timedelta(days=1 + turn)
        sent = intent(step=f"step{turn}", made_at=now)
        claimed = decide(sent, gate, FREE, Situation(eligible=True, zone="Asia/Tokyo"), "c0ffee", now)
        older.save_gate(with_facts(claimed.gate, [said("consent_withdrawn", f"w{turn}", now, purpose="ads")]))
        found = row(at, "gates", pk="c7")
        theirs = msgspec.json.decode(zlib.decompress(found["body"]["B"], wbits=RAW_DEFLATE), type=NewerGate)
        assert len(theirs.contacts) == len(theirs.claims) + 1 + turn
        assert theirs.consent["ads"].value is False
        stop = Register(True, now, f"x{turn}")
        theirs = msgspec.structs.replace(
            theirs,
            version=theirs.version + 1,
            stops={**theirs.stops, f"t{turn}": stop},
            contacts=[*theirs.contacts, NewerContact(f"n{turn}", "support", now, "", 100 + turn)],
        )
        put(
            at,
            "gates",
            {"pk": "c7"},
            msgspec.to_builtins(theirs),
            version={"N": str(theirs.version)},
        )
    assert [(one.send_id, one.yen) for one in theirs.contacts if one.yen] == [
        ("s0", 300),
        ("n0", 100),
        ("n1", 101),
        ("n2", 102),
    ]
    assert set(theirs.stops) == {"t0", "t1", "t2"}


def test_what_is_carried_is_of_nobody_elses_business() -> None:
    """It is no part of what is stored, and goes with the value."""
    gate = read("Gate", newer("Gate")[1])
    assert isinstance(gate.beyond, Beyond)
    assert b"beyond" not in encoded(gate)
    assert msgspec.structs.replace(gate, contacts=[]).beyond is gate.beyond
