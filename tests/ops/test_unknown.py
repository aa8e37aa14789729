"""Unknown ends: listed with what is known of them, and resolved by a person, once, safely, and without a message."""

import datetime as dt
import functools
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from moto import mock_aws
from rich.console import Console

from functions.domain.resolutions import Said
from functions.domain.sends import SendRecord
from ops.cli import main
from ops.customer_card import card_of
from ops.explain.cards import explanation_of
from ops.explain.known import Archive
from ops.explain.text import show
from ops.stores import Stores
from ops.unknown.resolving import Resolve, Resolved
from tests.fakes.crashes import crash_everywhere
from tests.fakes.taps import Crash, tapped
from tests.fakes.world import World
from tests.flows.sending import fresh
from tests.ops.deployments import REGION, deployed, keep_up
from tests.ops.explaining import explained_in

WHY = "the customer says so"


def with_an_unknown(user: str = "U1") -> World:
    """An offer of which LINE never said a word until its key was too old."""
    world = fresh()
    world.line.always = "timeout"
    world.enqueue(world.intent("offer"))
    world.advance(days=2)
    world.line.always = "ok"
    assert [(one.status, one.reason) for one in world.records()] == [("unknown", "key_expired")]
    return world


def say(world: World, said: Said, records: list[SendRecord] | None = None) -> list[Resolved]:
    resolving = Resolve(
        said,
        "ann",
        WHY,
        tapped(world.customers, world.tap, "customers"),
        tapped(world.sends, world.tap, "sends"),
        world.clock,
    )
    return [resolving.one(record) for record in (records if records is not None else world.records())]


def test_what_failed_gives_its_slot_back_so_that_the_next_offer_goes() -> None:
    world = with_an_unknown()
    world.enqueue(world.intent("offer", step="second", hold_days=0))
    world.run()
    assert world.ends()[0] == ("offer", "suppressed", "capped:promotion_weekly")
    assert [one.came for one in say(world, "failed", world.records()[:1])] == ["resolved"]
    assert world.gate().contacts == []
    world.enqueue(world.intent("offer", step="third", hold_days=0))
    world.run()
    assert world.records()[-1].status == "sent"


def test_what_was_sent_keeps_its_slot() -> None:
    world = with_an_unknown()
    before = world.gate()
    (one,) = say(world, "sent")
    assert (one.came, one.gate) == ("resolved", False)
    assert world.gate() == before
    assert world.records()[0].status == "sent"


@pytest.mark.parametrize("said", ["sent", "failed"])
def test_nothing_is_sent_then_or_when_the_intent_comes_up_once_more(said: Said) -> None:
    world = with_an_unknown()
    intent = world.intent("offer")
    calls = len(world.line.calls)
    say(world, said)
    (record,) = world.records()
    again = msgspec.structs.replace(
        intent, made_at=record.made_at, expires_at=record.made_at + dt.timedelta(days=8)
    )
    world.enqueue(again)
    world.advance(days=9)
    assert len(world.line.calls) == calls
    assert [one.status for one in world.records()] == [said]


def test_an_interruption_at_any_call_is_made_good_by_the_same_order() -> None:
    def act(world: World) -> None:
        try:
            say(world, "failed")
        except Crash:
            world.tap.watch(None)
            say(world, "failed")

    def check(world: World) -> None:
        assert [one.status for one in world.records()] == ["failed"]
        assert world.gate().contacts == []
        assert [claim.state for claim in world.gate().claims] == ["failed"]

    assert crash_everywhere(with_an_unknown, act, check) >= 6


def _say_sent(world: World) -> None:
    say(world, "sent")


def test_of_two_who_say_different_things_at_once_one_is_heard_and_the_gate_agrees() -> None:
    for point in range(8):
        world = with_an_unknown()
        seen = world.records()
        world.tap.once(point, functools.partial(_say_sent, world))
        say(world, "failed", seen)
        world.tap.watch(None)
        counts = {"sent": 1, "failed": 0}[world.records()[0].status]
        assert len(world.gate().contacts) == counts, f"at point {point}"


def test_a_gate_that_somebody_else_changes_is_read_again() -> None:
    for point in range(8):
        world = with_an_unknown()
        world.tap.once(point, lambda world=world: world.customers.save_gate(world.gate()))  # type: ignore[misc]
        say(world, "failed")
        world.tap.watch(None)
        assert world.gate().contacts == []


def test_the_gate_of_whoever_the_customer_was_merged_into_is_the_one_that_changes() -> None:
    world = fresh()
    world.befriend("U2")
    world.webhook(world.line_event("follow", "U2"))
    world.run()
    world.line.always = "timeout"
    world.enqueue(world.intent("offer", "anon:U2", "U2"))
    world.ingest(world.linked("c2", "U2"))
    world.advance(days=2)
    (record,) = [one for one in world.records() if one.status == "unknown"]
    assert record.customer_id == "anon:U2"
    contacts = len(world.gate("c2").contacts)
    say(world, "failed", [record])
    assert len(world.gate("c2").contacts) == contacts - 1


def test_explain_tells_who_said_what() -> None:
    world = with_an_unknown()
    say(world, "failed")
    (send,) = explained_in(world)["sends"]
    assert send["resolved"] == {
        "was": "unknown",
        "reason": "key_expired",
        "by": "ann",
        "at": send["resolved"]["at"],
        "why": WHY,
    }


# --- the commands


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        world = with_an_unknown()
        world.enqueue(world.intent("thanks"))
        world.run()
        found = deployed(world)
        keep_up(found, world)
        monkeypatch.setattr("ops.unknown.command.target_of", lambda *_: found.target)
        monkeypatch.setattr("ops.unknown.command.Stores", lambda _target: found)
        yield found


class Asked:
    """The command, and what it answers."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str, code: int = 0) -> str:
        with pytest.raises(SystemExit) as stopped:
            main(["unknown", *arguments])
        out, err = self._capsys.readouterr()
        assert stopped.value.code == code, err
        return err if code else out


@pytest.fixture
def ask(stores: Stores, capsys: pytest.CaptureFixture[str]) -> Asked:
    return Asked(capsys)


def the_record(stores: Stores) -> SendRecord:
    return next(record for record in stores.sends.of_customer("c1") if record.message == "offer")


def audits(stores: Stores) -> list[dict[str, Any]]:
    client, bucket = stores.target.client("s3"), stores.settings.bucket
    keys = [
        i["Key"] for i in client.list_objects_v2(Bucket=bucket, Prefix="audits/unknown/").get("Contents", [])
    ]
    return [json.loads(stores.objects.read(key) or b"") for key in keys]


def test_the_unknown_are_listed_with_reason_and_age(stores: Stores, ask: Asked) -> None:
    (row,) = json.loads(ask("list", "--format", "json"))
    assert (row["customer_id"], row["message"], row["reason"]) == ("c1", "offer", "key_expired")
    assert 23 * 3600 <= row["key_age_seconds"] <= 25 * 3600
    assert row["line"] == "nothing any more: the key is older than 24 hours"
    told = ask("list")
    assert row["send_id"] in told
    assert told.endswith("1 unknown: key_expired 1.\n")


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        (["--scenario", "path"], 1),
        (["--scenario", "other"], 0),
        (["--reason", "key_expired"], 1),
        (["--reason", "no_consent"], 0),
        (["--campaign", "winter"], 0),
        (["--since", "2026-11-03T00:00:00Z"], 1),
        (["--since", "2026-12-03T00:00:00Z"], 0),
        (["--customer", "c1"], 1),
        (["--customer", "c2"], 0),
    ],
)
def test_filters_leave_what_they_say(ask: Asked, filters: list[str], count: int) -> None:
    assert len(json.loads(ask("list", "--format", "json", *filters))) == count


def test_a_resolution_is_in_the_record_the_gate_the_audit_and_the_cards(stores: Stores, ask: Asked) -> None:
    send_id = the_record(stores).send_id
    out = ask("resolve", send_id, "--as", "failed", "--why", WHY)
    assert out == "1 resolved as failed, 1 gates given their slot back.\n"
    record = the_record(stores)
    assert (record.status, record.resolved and record.resolved.why) == ("failed", WHY)
    gate = stores.customers.load_gate("c1")
    assert gate is not None
    assert send_id not in [contact.send_id for contact in gate.contacts]
    (audit,) = audits(stores)
    assert (audit["did"], audit["send_ids"], audit["why"]) == ("resolve as failed", [send_id], WHY)
    customer = stores.customers.load("c1")
    assert customer is not None
    (card,) = [one for one in card_of(stores, customer)["sends"] if one["send_id"] == send_id]
    assert card["resolved"]["reason"] == "key_expired"
    assert json.loads(ask("list", "--format", "json")) == []


def test_explain_shows_it_on_the_terminal(
    stores: Stores, ask: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    ask("resolve", the_record(stores).send_id, "--as", "sent", "--why", WHY)
    customer = stores.customers.load("c1")
    assert customer is not None
    show(explanation_of(Archive(stores).one(customer)), Console())
    said = the_record(stores).resolved
    assert said is not None
    assert f"was unknown (key_expired); {said.by} said otherwise" in capsys.readouterr().out


def test_to_say_it_again_changes_nothing_and_leaves_no_second_audit(stores: Stores, ask: Asked) -> None:
    arguments = ("resolve", "--all", "--reason", "key_expired", "--as", "failed", "--why", WHY)
    ask(*arguments)
    record = the_record(stores)
    assert ask(*arguments) == "0 resolved as failed, 1 was resolved so, 0 gates given their slot back.\n"
    assert the_record(stores) == record
    assert len(audits(stores)) == 1


def test_a_dry_run_changes_nothing(stores: Stores, ask: Asked) -> None:
    out = ask("resolve", "--all", "--scenario", "path", "--as", "sent", "--why", WHY, "--dry-run")
    assert out.endswith("1 would be resolved as sent; nothing was changed.\n")
    assert the_record(stores).status == "unknown"
    assert audits(stores) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Name the send ids"),
        (["--all"], "--all needs a filter"),
        (["x", "--all"], "Name the send ids"),
        (["--all", "--since", "noon"], "'noon' is no instant"),
        (["6d757375-6269-5000-8000-6c696e650001"], "no unknown message has this id; nothing was changed"),
    ],
)
def test_a_mistake_gets_one_line_and_exit_code_2(ask: Asked, arguments: list[str], told: str) -> None:
    err = ask("resolve", *arguments, "--as", "sent", "--why", WHY, code=2)
    assert told in err
    assert err.count("\n") == 1


def test_a_reason_must_be_given(ask: Asked) -> None:
    assert "--why" in ask("resolve", "--all", "--scenario", "path", "--as", "sent", "--why", " ", code=2)
    assert "--why" in ask("resolve", "--all", "--scenario", "path", "--as", "sent", code=2)


def test_what_was_sent_cannot_be_resolved(stores: Stores, ask: Asked) -> None:
    sent = next(record for record in stores.sends.of_customer("c1") if record.status == "sent")
    ask("resolve", sent.send_id, "--as", "failed", "--why", WHY, code=2)
    ask("resolve", sent.send_id, "--customer", "c1", "--as", "failed", "--why", WHY, code=2)
    assert sent in stores.sends.of_customer("c1")


def test_what_was_resolved_cannot_be_taken_back(stores: Stores, ask: Asked) -> None:
    send_id = the_record(stores).send_id
    ask("resolve", send_id, "--as", "sent", "--why", WHY)
    assert send_id in ask("resolve", send_id, "--as", "failed", "--why", WHY, code=2)
    assert the_record(stores).status == "sent"
