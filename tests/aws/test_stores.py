"""What the flows rely on, held by the fakes and by the adapters alike."""

import datetime as dt
from typing import Any

import msgspec
import pytest

from functions.domain.account import UNTIL_LIFTED, Account, Block
from functions.domain.approvals import Approval, Awaiting
from functions.domain.audits import AuditReport, Difference
from functions.domain.backfills import Backfill, ScanProgress
from functions.domain.bases import Base, Kept
from functions.domain.batches import Entry, Sealed
from functions.domain.campaigns import Chunk, Recipient, Run
from functions.domain.context import Fact
from functions.domain.customers import Customer
from functions.domain.gate import Gate
from functions.domain.identity import Tied
from functions.domain.link_changes import LinkChange
from functions.domain.links import AuditEntry, Link
from functions.domain.resolutions import resolved
from functions.domain.sends import BatchOrder, MenuOrder, Order, SendRecord, held
from functions.domain.tallies import Tally
from functions.domain.watermarks import LoadNote
from functions.ports.errors import Conflict, Rejected, Retryable
from functions.ports.line import Accepted
from tests.aws.conftest import Stores
from tests.aws.samples import MINUTE, NOW, SECOND, customer, event, gate, intent, record
from tests.fakes.playbooks import ONE_PROMOTION_A_WEEK, QUIET, campaign, days, playbook, scenario, send, when

# --- customers and gates


def test_what_was_never_written_is_not_there(stores: Stores) -> None:
    assert stores.customers.load("c1") is None
    assert stores.customers.load_gate("c1") is None
    assert stores.customers.load_both("c1") == (None, None)


def test_a_customer_and_a_gate_come_back_as_they_were_written(stores: Stores) -> None:
    saved, saved_gate = stores.customers.save(customer()), stores.customers.save_gate(gate())
    assert saved == msgspec.structs.replace(customer(), version=1)
    assert saved_gate == msgspec.structs.replace(gate(), version=1)
    assert stores.customers.load("c1") == saved
    assert stores.customers.load_gate("c1") == saved_gate
    assert stores.customers.load_both("c1") == (saved_gate, saved)


def test_both_are_read_together_where_only_one_is_there(stores: Stores) -> None:
    stores.customers.save(customer("c1"))
    stores.customers.save_gate(gate("c2"))
    assert stores.customers.load_both("c1")[0] is None
    assert stores.customers.load_both("c2")[1] is None
    assert stores.customers.load_both("c1")[1] is not None
    assert stores.customers.load_both("c2")[0] is not None


def test_a_first_write_holds_only_where_nothing_is(stores: Stores) -> None:
    stores.customers.save(customer())
    stores.customers.save_gate(gate())
    with pytest.raises(Conflict):
        stores.customers.save(Customer("c1"))
    with pytest.raises(Conflict):
        stores.customers.save_gate(Gate("c1"))
    assert stores.customers.load("c1") == msgspec.structs.replace(customer(), version=1)


def test_of_two_writes_from_the_same_reading_one_is_refused(stores: Stores) -> None:
    read, read_gate = stores.customers.save(customer()), stores.customers.save_gate(gate())
    again, gate_again = stores.customers.save(read), stores.customers.save_gate(read_gate)
    assert (again.version, gate_again.version) == (2, 2)
    with pytest.raises(Conflict):
        stores.customers.save(read)
    with pytest.raises(Conflict):
        stores.customers.save_gate(read_gate)
    assert (stores.customers.save(again).version, stores.customers.save_gate(gate_again).version) == (3, 3)


def test_a_write_to_something_that_is_gone_is_refused(stores: Stores) -> None:
    with pytest.raises(Conflict):
        stores.customers.save(Customer("c1", version=4))
    with pytest.raises(Conflict):
        stores.customers.save_gate(Gate("c1", version=4))
    assert stores.customers.load_both("c1") == (None, None)


def test_customers_and_gates_do_not_touch_each_other(stores: Stores) -> None:
    stores.customers.save(customer())
    assert stores.customers.load_gate("c1") is None


@pytest.mark.parametrize(
    "customer_id", ["会員-1", "a b", "anon:U1", "a#b", "x" * 128, "account#main", "line:unattributed"]
)
def test_any_id_of_a_customer_may_be_kept(stores: Stores, customer_id: str) -> None:
    stores.account_state.block(Block("stopped", NOW))
    saved = stores.customers.save_gate(Gate(customer_id))
    assert stores.customers.load_gate(customer_id) == saved
    assert stores.account_state.read().blocks == [Block("stopped", NOW)]


# --- identities


LINK = Link("U1", "c1", "crm", "linked", NOW, NOW, "e1")
AUDIT = AuditEntry("U1", NOW, "e1", "crm", None, LINK)


def sides(stores: Stores) -> Tied:
    gate_, customer_ = stores.customers.load_both("c1")
    friend_gate, friend = stores.customers.load_both("anon:U1")
    return Tied(
        customer_ or Customer("c1"),
        friend or Customer("anon:U1"),
        gate_ or Gate("c1"),
        friend_gate or Gate("anon:U1"),
    )


def test_a_link_is_written_with_both_sides(stores: Stores) -> None:
    stores.customers.save(customer())
    stores.identities.save_tied(LinkChange(LINK, AUDIT, sides(stores)))
    assert stores.identities.link_of("U1") == msgspec.structs.replace(LINK, version=1)
    versions = [one.version for one in map(stores.customers.load, ("c1", "anon:U1")) if one]
    assert versions == [2, 1]
    assert all(stores.customers.load_gate(one) for one in ("c1", "anon:U1"))


def test_a_link_may_change_alone(stores: Stores) -> None:
    stores.identities.save_tied(LinkChange(LINK, AUDIT))
    found = stores.identities.link_of("U1")
    assert found is not None
    later = msgspec.structs.replace(AUDIT, at=NOW + SECOND, event_id="e2")
    stores.identities.save_tied(LinkChange(msgspec.structs.replace(found, status="conflict"), later))
    assert stores.identities.link_of("U1") == msgspec.structs.replace(LINK, status="conflict", version=2)
    assert stores.customers.load("c1") is None


def test_a_user_without_a_link_has_none(stores: Stores) -> None:
    assert stores.identities.link_of("U1") is None


@pytest.mark.parametrize("changed", ["customer", "friend", "gate", "friend_gate", "link", "audit"])
def test_a_change_of_any_side_meanwhile_refuses_all(stores: Stores, changed: str) -> None:
    read = sides(stores)
    match changed:
        case "customer":
            stores.customers.save(read.customer)
        case "friend":
            stores.customers.save(read.friend)
        case "gate":
            stores.customers.save_gate(read.gate)
        case "friend_gate":
            stores.customers.save_gate(read.friend_gate)
        case "link":
            stores.identities.save_tied(LinkChange(LINK, msgspec.structs.replace(AUDIT, event_id="e0")))
        case _:
            other = msgspec.structs.replace(LINK, line_user_id="U1")
            stores.identities.save_tied(LinkChange(other, AUDIT))
    before = [stores.customers.load_both(one) for one in ("c1", "anon:U1")]
    link = stores.identities.link_of("U1")
    with pytest.raises(Conflict):
        stores.identities.save_tied(LinkChange(LINK, AUDIT, read))
    assert [stores.customers.load_both(one) for one in ("c1", "anon:U1")] == before
    assert stores.identities.link_of("U1") == link


# --- events


def test_an_event_is_new_once(stores: Stores) -> None:
    assert stores.events.put_new(event())
    assert not stores.events.put_new(event())
    assert not stores.events.put_new(event(amount=9))
    assert stores.events.put_new(event(customer_id="c2"))
    assert stores.events.all_of("c1") == [event()]


def test_a_confirmation_is_an_event_of_its_own(stores: Stores) -> None:
    provisional = msgspec.structs.replace(event(), status="provisional")
    assert stores.events.put_new(provisional)
    assert not stores.events.has("c1", "e1")
    assert stores.events.put_new(event())
    assert stores.events.has("c1", "e1")
    assert stores.events.identities_of("c1") == {"e1", "e1~provisional"}


def test_an_event_comes_back_as_it_was(stores: Stores) -> None:
    whole = event(amount=0.1, note="円", nested={"a": [1, None, True]}, big=10**30)
    stores.events.put_new(whole)
    assert stores.events.all_of("c1") == [whole]


@pytest.mark.parametrize("count", [0, 1, 25, 26, 60])
def test_many_events_are_kept_and_may_be_kept_again(stores: Stores, count: int) -> None:
    events = [event(f"e{number}", at=NOW + number * SECOND) for number in range(count)]
    stores.events.put_all("c1", events)
    stores.events.put_all("c1", events[: count // 2])
    assert sorted(stores.events.all_of("c1"), key=lambda one: one.occurred_at) == events
    assert stores.events.identities_of("c1") == {one.event_id for one in events}
    assert stores.events.identities_of("c2") == set()


def test_an_event_of_nobody_is_kept_once_and_is_nobodys(stores: Stores) -> None:
    stores.events.keep_unattributed(event(customer_id=""))
    stores.events.keep_unattributed(event(customer_id=""))
    assert stores.events.all_of("c1") == []


# --- many at once


def test_many_gates_and_customers_are_read_at_once(stores: Stores) -> None:
    saved = {f"c{n}": stores.customers.save(customer(f"c{n}")) for n in range(120)}
    gates = {f"c{n}": stores.customers.save_gate(Gate(f"c{n}")) for n in range(60)}
    read = stores.customers.load_many([*saved, "nobody"])
    assert read == {one: (gates.get(one), saved.get(one)) for one in [*saved, "nobody"]}


def test_each_gate_of_a_batch_is_written_on_its_own_condition(stores: Stores) -> None:
    gates = [stores.customers.save_gate(Gate(f"c{number}")) for number in range(30)]
    stores.customers.save_gate(msgspec.structs.replace(gates[7], merged_into="c8"))
    changed = [msgspec.structs.replace(gate, merged_into="c9") for gate in gates]
    became = stores.customers.save_gates(changed)
    assert became == ["overtaken" if number == 7 else "written" for number in range(30)]
    read = stores.customers.load_gate("c7")
    assert read is not None
    assert (read.merged_into, read.version) == ("c8", 2)
    read = stores.customers.load_gate("c29")
    assert read is not None
    assert (read.merged_into, read.version) == ("c9", 2)


def test_a_gate_that_is_gone_is_not_written_anew_by_a_batch(stores: Stores) -> None:
    if stores.kind == "aws":
        assert stores.customers.save_gates([Gate("c1", version=3)]) == ["overtaken"]
        assert stores.customers.load_gate("c1") is None


# --- sends


def test_the_first_record_of_a_send_stays(stores: Stores) -> None:
    assert stores.sends.record_all([record(status="sent")]) == ["written"]
    assert stores.sends.record_all([record("coupon"), record(status="unknown")]) == ["written", "overtaken"]
    assert stores.sends.find("c1", NOW, intent().send_id) == record(status="sent")


def test_more_records_than_one_request_takes_are_all_written_and_each_once(stores: Stores) -> None:
    many = [record(f"m{number}") for number in range(60)]
    assert stores.sends.record_all(many[:30]) == ["written"] * 30
    assert stores.sends.record_all(many) == ["overtaken"] * 30 + ["written"] * 30


def test_records_of_other_sends_are_not_found(stores: Stores) -> None:
    stores.sends.record_all([record()])
    assert stores.sends.find("c1", NOW, intent("coupon").send_id) is None
    assert stores.sends.find("c2", NOW, intent().send_id) is None
    assert stores.sends.find("c1", NOW + SECOND, intent().send_id) is None


def test_a_record_whose_instant_has_microseconds_is_found(stores: Stores) -> None:
    made_at = NOW + dt.timedelta(microseconds=1)
    stores.sends.record_all([record(made_at=made_at)])
    assert stores.sends.find("c1", made_at, intent().send_id) is not None


def said(before: SendRecord, why: str = "asked them") -> SendRecord:
    return resolved(before, "failed", "ann", why, NOW + MINUTE)


def kept_record(stores: Stores) -> SendRecord | None:
    return stores.sends.find("c1", NOW, intent().send_id)


def test_an_unknown_record_is_overwritten_by_what_a_person_says(stores: Stores) -> None:
    before = record(status="unknown")
    stores.sends.record_all([before])
    assert stores.log.resolve(before, said(before))
    assert kept_record(stores) == said(before)


def test_of_two_who_say_different_things_the_first_is_heard(stores: Stores) -> None:
    before = record(status="unknown")
    stores.sends.record_all([before])
    assert stores.log.resolve(before, said(before))
    assert not stores.log.resolve(before, resolved(before, "sent", "ben", "it came", NOW))
    assert kept_record(stores) == said(before)


def test_to_say_the_same_again_after_a_lost_answer_is_no_refusal(stores: Stores) -> None:
    before = record(status="unknown")
    stores.sends.record_all([before])
    assert stores.log.resolve(before, said(before))
    assert stores.log.resolve(before, said(before))


def test_a_record_with_a_known_end_is_never_overwritten(stores: Stores) -> None:
    stores.sends.record_all([record(status="sent")])
    before = record(status="unknown")
    assert not stores.log.resolve(before, said(before))
    sent = record(status="sent")
    assert not stores.log.resolve(sent, said(before))
    assert kept_record(stores) == sent


def test_where_there_is_no_record_none_is_made(stores: Stores) -> None:
    before = record(status="unknown")
    assert not stores.log.resolve(before, said(before))
    assert kept_record(stores) is None


# --- batches


BATCH = BatchOrder("b1", "mail@2026-11-02T03:00:00Z", 0, 3, [1, 2, 5])


def test_what_was_sealed_first_stays(stores: Stores) -> None:
    first, second = (Sealed([1, 2], [{"type": "text", "text": text}], NOW) for text in ("円", "other"))
    assert stores.batches.sealed("b1") is None
    assert stores.batches.seal("b1", first) == first
    assert stores.batches.seal("b1", second) == first
    assert stores.batches.sealed("b1") == first


def test_each_place_of_a_journal_is_taken_once_and_a_refusal_is_noted_at_its_place(stores: Stores) -> None:
    assert stores.batches.journal("b1") == []
    call = Entry("call", NOW)
    assert stores.batches.enter("b1", 1, call)
    assert not stores.batches.enter("b1", 1, Entry("again", NOW))
    stores.batches.refuse("b1", 1)
    assert stores.batches.enter("b1", 2, call)
    refused = msgspec.structs.replace(call, refused=True)
    assert stores.batches.journal("b1") == [refused, call]
    assert stores.batches.journal("b2") == []


def test_that_line_has_taken_a_batch_is_known_from_then_on(stores: Stores) -> None:
    assert stores.batches.accepted("b1") is None
    stores.batches.accept("b1", Accepted("request-1"))
    assert stores.batches.accepted("b1") == Accepted("request-1")


@pytest.mark.parametrize("order", [BATCH, MenuOrder("menu:1", "c1", "U1", "vip", attempt=3)])
def test_a_batch_or_menu_that_is_held_comes_up_as_it_was(stores: Stores, order: Order) -> None:
    stores.timers.hold(order, NOW, NOW)
    (row,) = stores.timers.due_in(NOW.replace(second=0), NOW)
    assert (row.order, row.intent, row.customer_id) == (order, None, "")
    stores.timers.done([row])
    assert list(stores.timers.due_in(NOW.replace(second=0), NOW)) == []


# --- timers


def due(stores: Stores, minute: dt.datetime, now: dt.datetime | None = None) -> list[str]:
    rows = list(stores.timers.due_in(minute, now or minute + MINUTE))
    return sorted(row.intent.step if row.intent else row.customer_id for row in rows)


def test_a_row_comes_up_in_the_bucket_of_its_minute(stores: Stores) -> None:
    stores.timers.arm("c1", NOW + 30 * SECOND, NOW)
    stores.timers.arm("c2", NOW + MINUTE, NOW)
    assert due(stores, NOW) == ["c1"]
    assert due(stores, NOW + MINUTE) == ["c2"]
    assert due(stores, NOW - MINUTE) == []


def test_a_row_is_due_from_its_own_second_on(stores: Stores) -> None:
    stores.timers.arm("c1", NOW + 30 * SECOND, NOW)
    assert due(stores, NOW, NOW + 29 * SECOND) == []
    assert due(stores, NOW, NOW + 30 * SECOND) == ["c1"]


def test_what_is_overdue_when_it_is_written_goes_into_the_present_minute(stores: Stores) -> None:
    stores.timers.arm("c1", NOW - 3 * MINUTE, NOW)
    stores.timers.hold(intent(), NOW - 3 * MINUTE, NOW)
    assert due(stores, NOW - 3 * MINUTE) == []
    assert due(stores, NOW) == ["c1", "offer"]


def test_a_held_intent_comes_back_whole(stores: Stores) -> None:
    stores.timers.hold(intent(), NOW + SECOND, NOW)
    (row,) = stores.timers.due_in(NOW, NOW + MINUTE)
    assert (row.intent, row.customer_id) == (intent(), "")


def test_the_same_order_twice_is_one_row(stores: Stores) -> None:
    for _ in range(2):
        stores.timers.arm("c1", NOW, NOW)
        stores.timers.hold(intent(), NOW, NOW)
    assert due(stores, NOW) == ["c1", "offer"]


def test_what_waits_for_the_same_instant_is_one_row_whenever_it_was_held(stores: Stores) -> None:
    stores.timers.hold(intent(), NOW + 5 * MINUTE, NOW)
    stores.timers.hold(intent(), NOW + 5 * MINUTE, NOW + MINUTE)
    assert due(stores, NOW + 5 * MINUTE, NOW + 5 * MINUTE) == ["offer"]


def test_a_row_taken_out_early_is_left_where_its_order_waits_again_meanwhile(stores: Stores) -> None:
    until = NOW + 5 * MINUTE
    stores.timers.hold(held(intent(), "stopped", until, NOW), until, NOW)
    (row,) = stores.timers.due_in(until, until)
    stores.timers.hold(held(intent(), "quiet_hours", until, NOW + MINUTE), until, NOW + MINUTE)
    stores.timers.taken(row)
    (again,) = stores.timers.due_in(until, until)
    stores.timers.taken(again)
    assert list(stores.timers.due_in(until, until)) == []


def test_the_rows_of_all_shards_are_found(stores: Stores) -> None:
    for number in range(40):
        stores.timers.arm(f"c{number}", NOW, NOW)
    assert len(due(stores, NOW)) == 40


def test_rows_that_are_done_are_gone_and_the_others_stay(stores: Stores) -> None:
    for number in range(60):
        stores.timers.arm(f"c{number}", NOW, NOW)
    rows = list(stores.timers.due_in(NOW, NOW))
    stores.timers.done(rows[:55])
    stores.timers.done(rows[:55])
    stores.timers.done([])
    assert len(due(stores, NOW)) == 5


def test_a_row_armed_anew_between_reading_and_deleting_stays(stores: Stores) -> None:
    stores.timers.arm("c1", NOW, NOW)
    stores.timers.hold(intent(), NOW, NOW)
    rows = list(stores.timers.due_in(NOW, NOW))
    stores.timers.arm("c1", NOW + SECOND, NOW)
    stores.timers.hold(intent(), NOW + SECOND, NOW)
    stores.timers.done(rows)
    assert due(stores, NOW) == ["c1", "offer"]


# --- account


def test_of_an_account_nothing_is_blocked_nor_heard_at_first(stores: Stores) -> None:
    assert stores.account_state.read() == Account()


def test_of_two_blocks_of_one_kind_the_longer_stays(stores: Stores) -> None:
    stores.account_state.block(Block("stopped", NOW + MINUTE))
    stores.account_state.block(Block("stopped", NOW))
    assert stores.account_state.read().blocks == [Block("stopped", NOW + MINUTE)]
    longer = Block("stopped", NOW + MINUTE + dt.timedelta(microseconds=1))
    stores.account_state.block(longer)
    assert stores.account_state.read().blocks == [longer]


def test_blocks_of_other_reasons_scopes_and_kinds_stand_side_by_side(stores: Stores) -> None:
    blocks = [
        Block("stopped", NOW),
        Block("breaker_open", NOW, "scenario:path", ["promotion"]),
        Block("breaker_open", NOW, "scenario:path", ["promotion", "notification"]),
        Block("breaker_open", NOW, "campaign:weekly"),
    ]
    for block in blocks:
        stores.account_state.block(block)
    found = stores.account_state.read().blocks
    assert sorted(found, key=repr) == sorted(blocks, key=repr)


def test_a_block_is_read_as_it_was_written(stores: Stores) -> None:
    block = Block(
        "stopped", UNTIL_LIFTED, "campaign:weekly", ["promotion"], "arn:aws:iam::1:user/花", "誤植", NOW
    )
    stores.account_state.block(block)
    assert stores.account_state.read().blocks == [block]
    assert block.is_open_ended
    assert not Block("stopped", NOW + MINUTE).is_open_ended


def test_a_block_is_lifted_alone_and_once(stores: Stores) -> None:
    block, other = Block("stopped", UNTIL_LIFTED, why="a"), Block("stopped", UNTIL_LIFTED, "scenario:path")
    assert not stores.account_state.lift(block)
    stores.account_state.block(block)
    stores.account_state.block(other)
    assert stores.account_state.lift(msgspec.structs.replace(block, why="told otherwise"))
    assert stores.account_state.read().blocks == [other]
    assert not stores.account_state.lift(block)
    stores.account_state.block(Block("stopped", NOW))
    assert Block("stopped", NOW) in stores.account_state.read().blocks


def test_a_block_that_was_renewed_meanwhile_is_not_lifted(stores: Stores) -> None:
    read = Block("breaker_open", NOW + MINUTE)
    stores.account_state.block(read)
    stores.account_state.block(Block("breaker_open", NOW + 2 * MINUTE))
    assert not stores.account_state.lift(read)
    assert stores.account_state.read().blocks == [Block("breaker_open", NOW + 2 * MINUTE)]


def test_a_source_is_noted_once_a_minute_and_never_back_in_time(stores: Stores) -> None:
    for at in (NOW, NOW + MINUTE - SECOND, NOW - MINUTE):
        stores.account_state.heard_from("shop", at)
    assert stores.account_state.read().heard == {"shop": NOW}
    stores.account_state.heard_from("店", NOW + SECOND)
    stores.account_state.heard_from("shop", NOW + MINUTE)
    assert stores.account_state.read().heard == {"shop": NOW + MINUTE, "店": NOW + SECOND}


def test_a_load_is_noted_once_and_a_short_one_counts_when_somebody_says_so(stores: Stores) -> None:
    for number in range(4):
        note = LoadNote(
            f"load{number}", NOW + number * MINUTE, 1000 if number < 3 else 1, NOW + number * MINUTE
        )
        stores.account_state.note_load("shop", note, 50)
        stores.account_state.note_load("shop", note, 50)
    log = stores.account_state.read().loads["shop"]
    assert [note.short for note in log.loads] == [False, False, False, True]
    assert log.watermark == NOW + 2 * MINUTE
    assert stores.account_state.accept_loads("shop")
    assert stores.account_state.read().loads["shop"].watermark == NOW + 3 * MINUTE
    assert not stores.account_state.accept_loads("shop")
    assert not stores.account_state.accept_loads("crm")


# --- playbooks


BOOK = playbook(
    scenarios={
        "s": scenario("purchase", send("thanks"), days(1), send("tips"), exit_when="orders.count >= 2")
    },
    campaigns={"c": campaign("news", once=NOW)},
    quiet_hours=QUIET,
    caps=[ONE_PROMOTION_A_WEEK],
)


def test_a_playbook_comes_back_as_it_was_applied(stores: Stores) -> None:
    stores.put_in_force(BOOK)
    assert stores.playbooks.in_force().playbook == BOOK
    assert stores.playbooks.version(BOOK.version).playbook == BOOK


def test_an_older_version_stays_readable_when_another_is_in_force(stores: Stores) -> None:
    stores.put_in_force(BOOK)
    stores.put_in_force(playbook())
    assert stores.playbooks.in_force().version == playbook().version
    assert stores.playbooks.version(BOOK.version).playbook == BOOK


def test_the_expressions_of_a_playbook_that_was_kept_still_hold(stores: Stores) -> None:
    stores.put_in_force(BOOK)
    compiled = stores.playbooks.in_force()
    assert compiled.playbook.scenarios["s"].exit == when("orders.count >= 2")
    assert compiled.holds(compiled.playbook.scenarios["s"].exit, customer().profile, NOW)
    assert compiled.holds(compiled.playbook.segments["buyers"].when, customer().profile, NOW)


def test_without_a_playbook_in_force_work_comes_again(stores: Stores) -> None:
    with pytest.raises(Retryable):
        stores.playbooks.in_force()


RAIN = {"weather": {"tokyo": Fact("rain", NOW, NOW + dt.timedelta(hours=6)), "": Fact(3, NOW)}}


def test_a_playbook_in_force_and_every_older_version_know_the_context_facts(stores: Stores) -> None:
    stores.put_in_force(BOOK)
    stores.put_in_force(playbook())
    stores.put_context(RAIN)
    assert stores.playbooks.in_force().context == RAIN
    assert stores.playbooks.version(BOOK.version).context == RAIN


def test_without_context_facts_a_playbook_knows_none(stores: Stores) -> None:
    stores.put_in_force(BOOK)
    assert stores.playbooks.in_force().context == {}


def test_a_version_that_never_was_is_refused(stores: Stores) -> None:
    with pytest.raises(Rejected):
        stores.playbooks.version("0" * 16)


# --- runs


RUN = Run("winter", NOW, "v1", NOW + SECOND, 4)
CHUNK = Chunk([Recipient("c1", "U1", {"first_name": "花", "orders": 3})], "c1")


def test_the_run_that_was_frozen_first_stays(stores: Stores) -> None:
    assert stores.runs.freeze_run(RUN) == RUN
    assert stores.runs.freeze_run(Run("winter", NOW, "v2", NOW + MINUTE, 8)) == RUN
    other = Run("winter", NOW + MINUTE, "v2", NOW + MINUTE, 8)
    assert stores.runs.freeze_run(other) == other


def test_a_run_waits_since_it_was_first_said_and_one_word_on_it_is_for_good(stores: Stores) -> None:
    runs: Any = stores.runs  # what only people read and write is no part of the port
    assert (runs.awaiting(RUN), runs.approval(RUN)) == (None, None)
    first = Awaiting(7, "a" * 64, NOW)
    runs.await_approval(RUN, first)
    runs.await_approval(RUN, Awaiting(7, "a" * 64, NOW + MINUTE))
    assert runs.awaiting(RUN) == first
    word = Approval("approved", "a" * 64, "hana", NOW, "looks right")
    assert runs.decide(RUN, word) == word
    assert runs.decide(RUN, Approval("rejected", "a" * 64, "taro", NOW + MINUTE)) == word
    assert runs.approval(RUN) == word
    other = Run("winter", NOW + MINUTE, "v1", NOW, 4)
    assert (runs.awaiting(other), runs.approval(other)) == (None, None)


def test_the_page_that_was_frozen_first_stays(stores: Stores) -> None:
    assert stores.runs.chunk(RUN, 0, 0) is None
    assert stores.runs.freeze_chunk(RUN, 0, 0, CHUNK) == CHUNK
    assert stores.runs.freeze_chunk(RUN, 0, 0, Chunk([])) == CHUNK
    assert stores.runs.chunk(RUN, 0, 0) == CHUNK
    assert stores.runs.chunk(RUN, 0, 1) is None
    assert stores.runs.chunk(RUN, 1, 0) is None


def test_a_page_is_enqueued_when_it_is_checkpointed(stores: Stores) -> None:
    assert not stores.runs.is_enqueued(RUN, 0, 0)
    stores.runs.checkpoint(RUN, 0, 0)
    assert stores.runs.is_enqueued(RUN, 0, 0)
    assert not stores.runs.is_enqueued(RUN, 0, 1)
    stores.runs.finish(RUN, 7)


# --- scans


def test_a_back_fill_and_how_far_it_has_come_are_kept_segment_by_segment(stores: Stores) -> None:
    backfill = Backfill("v2@now", "v2", NOW, 2, ["hash"])
    assert stores.backfills.find("v2@now") is None
    stores.backfills.begin(backfill)
    assert stores.backfills.find("v2@now") == backfill
    assert stores.backfills.progress("v2@now", 0) == ScanProgress()
    stores.backfills.checkpoint("v2@now", 0, ScanProgress("c9", 10, 3))
    stores.backfills.checkpoint("v2@now", 0, ScanProgress("", 20, 4, done=True))
    assert stores.backfills.progress("v2@now", 0) == ScanProgress("", 20, 4, done=True)
    assert stores.backfills.progress("v2@now", 1) == ScanProgress()


def test_an_audits_report_is_kept_part_by_part(stores: Stores) -> None:
    report = AuditReport("2026-11-02", 3, 16, "v1", NOW, "c9", 7, found=[Difference("c1", ["hash"])])
    assert stores.audits.report("2026-11-02", 3) is None
    stores.audits.keep(report)
    stores.audits.keep(msgspec.structs.replace(report, done=True))
    assert stores.audits.report("2026-11-02", 3) == msgspec.structs.replace(report, done=True)
    assert stores.audits.report("2026-11-02", 4) is None


def test_a_base_stands_for_the_rows_behind_its_lines_whether_they_are_gone_or_not(stores: Stores) -> None:
    whole = event("e1")
    stores.events.put_all("c1", [whole, event("e2", at=NOW + MINUTE)])
    base = Base(until={"purchase": NOW}, tallies={"purchase": Tally(1, NOW, NOW)})
    stores.events.save_base("c1", base)
    kept = stores.events.kept_of("c1")
    assert [one.event_id for one in kept.events] == ["e2"]
    assert (kept.base, kept.over) == (msgspec.structs.replace(base, version=1), ["e1"])
    assert stores.events.identities_of("c1") == {"e1", "e2"}
    stores.events.remove("c1", ["e1", "never there"])
    assert stores.events.kept_of("c1") == Kept(kept.events, kept.base, [])
    assert stores.events.all_of("c1") == kept.events
    assert stores.events.kept_of("c2") == Kept([])


def test_a_base_is_written_by_one_of_two(stores: Stores) -> None:
    stores.events.save_base("c1", Base(settled=["one"]))
    with pytest.raises(Conflict):
        stores.events.save_base("c1", Base(settled=["other"]))
    stores.events.save_base("c1", stores.events.kept_of("c1").base)
    assert stores.events.kept_of("c1").base == Base(2, settled=["one"])
