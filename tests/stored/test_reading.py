"""Today's code reads what code of the format before, and of its own, has stored: each kind, and through its adapters."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from functions.aws.account import DynamoAccountState
from functions.aws.aggregation_units import DynamoAggregationUnits
from functions.aws.allowances import DynamoAllowances
from functions.aws.batches import S3Batches
from functions.aws.context_facts import S3Context
from functions.aws.erasing import DynamoSuppressions
from functions.aws.failure_notes import notes_of
from functions.aws.history import DynamoEvents
from functions.aws.identities import DynamoIdentities
from functions.aws.inflow_sources import S3InflowSources
from functions.aws.items import DynamoCustomers, decode_gate, versioned_put
from functions.aws.link_attempts import DynamoLinkAttempts
from functions.aws.loads import S3Loads, S3Snapshots
from functions.aws.measuring import decode_measure
from functions.aws.objects import S3Playbooks, S3Runs
from functions.aws.queues import decode_evaluation, decode_inbox, decode_load, decode_order
from functions.aws.reactions import DynamoReactions
from functions.aws.scans import S3Audits, S3Backfills
from functions.aws.send_log import DynamoSends
from functions.aws.timers import DynamoTimers
from functions.domain.breaker import day_of
from functions.domain.stored import FORMAT, says_more
from functions.domain.tracked_links import click_of
from functions.tokens import Tokens
from tests.stored.kinds import AT, MESSAGES, shape_of
from tests.stored.names import KEY
from tests.stored.places import Places, places, row_of
from tests.stored.shapes import recorded

FORMATS = (FORMAT - 1, FORMAT)
WITH_ALL = FORMATS[1]
DAY = dt.timedelta(days=1)


def body(format_number: int, kind: str) -> bytes:
    return msgspec.json.encode(recorded(format_number, "values")[kind])


def value(format_number: int, kind: str) -> Any:
    shape = shape_of(kind)
    assert shape is not None, f"{kind} was stored by format {format_number}, and this code has no such kind"
    return msgspec.json.decode(body(format_number, kind), type=shape)


@pytest.mark.parametrize(
    ("format_number", "kind"), [(one, kind) for one in FORMATS for kind in recorded(one, "values")]
)
def test_every_word_of_every_kind_is_read(format_number: int, kind: str) -> None:
    said = recorded(format_number, "values")[kind]
    again = msgspec.json.decode(msgspec.json.encode(value(format_number, kind)))
    assert not says_more(said, again), f"something that {kind} said is lost"
    assert _of_what_was_said(again, said) == said


def _of_what_was_said(again: Any, said: Any) -> Any:
    """What was read, without fields that were not there yet."""
    if isinstance(said, dict):
        return {key: _of_what_was_said(again[key], one) for key, one in said.items()}
    if isinstance(said, list):
        return [_of_what_was_said(one, before) for one, before in zip(again, said, strict=False)]
    return again


@pytest.mark.parametrize(
    ("format_number", "kind"),
    [(one, kind) for one in FORMATS for kind in MESSAGES if kind in recorded(one, "values")],
)
def test_every_message_in_flight_is_read_by_its_worker(format_number: int, kind: str) -> None:
    text, expected = body(format_number, kind).decode(), value(format_number, kind)
    readers: dict[str, Any] = {
        "MeasureDay": decode_measure,
        "LoadOrder": lambda told: decode_load(told)[0],
        **dict.fromkeys(("Intent", "MenuOrder", "BatchOrder"), decode_order),
        **dict.fromkeys(("CampaignRun", "BackfillSegment", "AuditPart"), decode_evaluation),
    }
    assert readers.get(kind, decode_inbox)(text) == expected


@pytest.fixture(scope="module", params=FORMATS)
def stored(request: pytest.FixtureRequest) -> Iterator[tuple[int, Places]]:
    """A deployment that code of a format has left behind."""
    with places() as at:
        at.fill(recorded(request.param, "places"))
        yield request.param, at


def test_people_are_read(stored: tuple[int, Places]) -> None:
    """Also gates of the first format, whose bodies were not deflated yet."""
    format_number, at = stored
    people = DynamoCustomers(at.dynamodb, "customers", "gates")
    gate, customer = people.load_both("the customer_id")
    assert gate == msgspec.structs.replace(value(format_number, "Gate"), version=1)
    assert customer == msgspec.structs.replace(value(format_number, "Customer"), version=1)
    assert gate is not None
    assert (gate.contacts, gate.consent, gate.claims) != ([], {}, [])


@pytest.mark.parametrize("format_number", FORMATS)
def test_what_was_read_of_before_is_written_as_now(format_number: int) -> None:
    """Each item is brought along when it is next written; nothing else has to run over the tables."""
    gate = decode_gate(gates_row(format_number))
    put, written = versioned_put("gates", gate)
    assert (put["Item"]["format"], set(put["Item"]["body"])) == ({"N": str(FORMAT)}, {"B"})
    assert decode_gate(put["Item"]) == written == msgspec.structs.replace(gate, version=gate.version + 1)


def test_histories_sends_and_timers_are_read(stored: tuple[int, Places]) -> None:
    format_number, at = stored
    event, record = value(format_number, "Event"), value(format_number, "SendRecord")
    assert DynamoEvents(at.dynamodb, "events").all_of("the customer_id") == [event]
    sends = DynamoSends(at.dynamodb, "sends")
    assert sends.of_customer("the customer_id") == [record]
    assert sends.find("the customer_id", record.made_at, "the send_id") == record
    rows = list(DynamoTimers(at.dynamodb, "timers", 1).due_in(AT.replace(second=0, microsecond=0), AT))
    waiting = [value(format_number, kind) for kind in ("BatchOrder", "Intent")]
    assert [row.order for row in rows if row.order and row.order in waiting] == waiting
    assert [row.customer_id for row in rows if row.customer_id] == ["the customer_id"]


def test_the_accounts_state_and_its_counters_are_read(stored: tuple[int, Places]) -> None:
    format_number, at = stored
    state = DynamoAccountState(at.dynamodb, "gates", "main").read()
    assert state.blocks == [value(format_number, "Block")]
    assert state.heard == {"shop": AT}
    count = DynamoAllowances(at.dynamodb, "gates", "main").count("month#2026-11")
    assert (count.used, count.line_total, count.line_limit) == (5, 40, 1_000)
    counts = DynamoReactions(at.dynamodb, "gates", "main").counts(["campaign:a"], [day_of(AT)])
    assert (counts["campaign:a"].sent, counts["campaign:a"].blocked) == (3, 1)


def test_runs_scans_batches_and_notes_are_read(stored: tuple[int, Places]) -> None:
    n, at = stored
    runs, run = S3Runs(at.objects()), value(n, "Run")
    assert runs.find(run.campaign, run.occurrence) == run
    assert runs.chunk(run, 0, 1) == value(n, "Chunk")
    assert (runs.awaiting(run), runs.approval(run)) == (value(n, "Awaiting"), value(n, "Approval"))
    assert runs.is_enqueued(run, 0, 1)
    backfill, report = value(n, "Backfill"), value(n, "AuditReport")
    assert S3Backfills(at.objects()).find(backfill.backfill_id) == backfill
    assert S3Backfills(at.objects()).progress(backfill.backfill_id, 0) == value(n, "ScanProgress")
    assert S3Audits(at.objects()).report(report.audit_id, report.part) == report
    batches = S3Batches(at.objects())
    assert (batches.sealed("b1"), batches.accepted("b1")) == (value(n, "Sealed"), value(n, "Accepted"))
    assert len(batches.journal("b1")) == 1
    note = notes_of(at.objects(), ["the message_id"])["the message_id"]
    assert note == msgspec.structs.replace(value(n, "FailureNote"), function="send", failed_at=AT)


def test_playbooks_and_the_facts_beside_them_are_read(stored: tuple[int, Places]) -> None:
    n, at = stored
    assert S3Playbooks(at.objects()).in_force().playbook == value(n, "Playbook")
    assert S3Context(at.objects()).read() == {"weather": {"Tokyo": value(n, "ContextFact")}}


def test_links_are_read(stored: tuple[int, Places]) -> None:
    format_number, at = stored
    identities = DynamoIdentities(at.dynamodb, "identities", "customers", "gates")
    link = msgspec.structs.replace(value(format_number, "Link"), version=1)
    assert identities.link_of("the line_user_id") == link
    assert identities.links_of("the customer_id") == [link]
    assert identities.audit_of("the line_user_id") == [value(format_number, "AuditEntry")]


@pytest.mark.parametrize("stored", [WITH_ALL], indirect=True)
def test_what_the_first_format_did_not_have_is_read(stored: tuple[int, Places]) -> None:
    _, at = stored
    identities = DynamoIdentities(at.dynamodb, "identities", "customers", "gates")
    assert identities.keepsake_of("the line_user_id") == value(WITH_ALL, "Keepsake")
    assert identities.reviews() == [value(WITH_ALL, "Review")]
    assert identities.is_rewarded("the line_user_id", "")
    assert identities.phone_of("the customer_id").at == value(WITH_ALL, "CustomerPhone").at  # type: ignore[union-attr]
    assert identities.phone_owners("the phone_hash").customers == ["the customers"]
    attempts = DynamoLinkAttempts(at.dynamodb, "identities")
    assert attempts.named("code", "ABCD2345") == "the attempt_id"
    assert attempts.find("the attempt_id") == value(WITH_ALL, "Attempt")
    erased = DynamoSuppressions(at.dynamodb, "identities", lambda: "k" * 32)
    assert erased.known("customer#gone") == value(WITH_ALL, "Suppression")
    assert DynamoEvents(at.dynamodb, "events").kept_of("the customer_id").base.version == 1
    units = DynamoAggregationUnits(at.dynamodb, "gates", "main")
    assert value(WITH_ALL, "Unit") in [one for month in units_of(at) for one in units.of_month(month)]
    assert S3Loads(at.objects()).find("the load_id")[0] == value(WITH_ALL, "Load")  # type: ignore[index]
    assert S3Snapshots(at.objects()).last("shop") == value(WITH_ALL, "Snapshot")
    assert S3InflowSources(at.objects()).by_digest("the digest") == value(WITH_ALL, "InflowSource")
    loads = DynamoAccountState(at.dynamodb, "gates", "main").read().loads
    assert len(loads["shop"].loads) == 1


def units_of(at: Places) -> list[str]:
    keys = [row["pk"]["S"] for row in at.dynamodb.scan(TableName="gates")["Items"]]
    return [key.rpartition("#")[2] for key in keys if "#units#" in key]


def test_tokens_that_people_hold_are_read() -> None:
    tokens = Tokens(lambda: [KEY], lambda: AT + DAY)
    told = recorded(WITH_ALL, "names")
    assert tokens.read("preferences", told["token"], 2 * DAY) == {"u": "U1"}
    click = click_of(tokens.read("click", told["click"].rpartition("/")[2], 2 * DAY))
    assert (click.address, click.send_id) == (
        "https://shop.example/new",
        "00000000-0000-0000-0000-000000000007",
    )


def gates_row(format_number: int) -> dict[str, Any]:
    rows = recorded(format_number, "places")["tables"]["gates"]
    return row_of(next(row for row in rows if row["pk"]["S"] == "the customer_id"))


def test_gates_of_the_first_format_are_plain_and_of_this_one_deflated() -> None:
    assert [set(gates_row(format_number)["body"]) for format_number in (1, 2)] == [{"S"}, {"B"}]
