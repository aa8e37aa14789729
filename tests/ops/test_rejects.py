"""`musubi rejects`: by cause, mended after a look, and put in once under their own ids."""

import collections
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from functions.aws.queues import decode_inbox
from functions.aws.rejects import S3RejectedEvents
from functions.domain.rejects import Wanted
from functions.ports.messages import EventsReceived
from ops.cli import main
from ops.rejects.repair import Repair
from ops.stores import Stores
from tests.fakes.playbooks import playbook
from tests.fakes.taps import Crash
from tests.fakes.world import World
from tests.ops.deployments import REGION, deployed

NAME = "山田花子"
_numbers = itertools.count()


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        world = World(playbook())
        found = deployed(world)
        outputs: Any = found.target.outputs
        sqs = found.target.client("sqs")
        outputs["QueueInboxUrl"] = sqs.create_queue(QueueName=f"rejects-{next(_numbers)}")["QueueUrl"]
        vars(found).pop("settings", None)
        world.rejected = Kept(found)  # type: ignore[assignment]
        world._wire()
        world.ingest(
            *(world.event("purchase", f"c{n}", event_id=f"e{n}", order_id=str(n), amount="4,800", who=NAME) for n in range(3)),
            world.event("purchase", "c9", event_id="e9", orderId="9"),
            world.event("teleported", "c1", event_id="t1"),
        )  # fmt: skip
        world.ingest(world.event("purchase", "c4", event_id="e4", order_id="4", amount="much"))
        monkeypatch.setattr("ops.rejects.command.target_of", lambda *_: found.target)
        monkeypatch.setattr("ops.rejects.command.Stores", lambda _target: found)
        monkeypatch.setattr("ops.rejects.command.caller_of", lambda _target: "ann")
        yield found


class Kept:
    """What ingest rejects goes where it goes in production."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def keep(self, rejected: list[dict[str, Any]], received_at: Any) -> None:
        S3RejectedEvents(self._stores.objects).keep(rejected, received_at)


class Asked:
    """The command, and what it answers."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str, code: int = 0) -> str:
        with pytest.raises(SystemExit) as stopped:
            main(["rejects", *arguments])
        out, err = self._capsys.readouterr()
        assert stopped.value.code == code, err
        return err if code else out

    def groups(self) -> dict[str, int]:
        return {one["cause"]: one["count"] for one in json.loads(self("list", "--format", "json"))}


@pytest.fixture
def ask(stores: Stores, capsys: pytest.CaptureFixture[str]) -> Asked:
    return Asked(capsys)


def inbox(stores: Stores) -> collections.Counter[str]:
    """How often each event id is in the inbox."""
    sqs, found = stores.target.client("sqs"), collections.Counter[str]()
    url = stores.settings.queue_inbox_url
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        for one in messages:
            message = decode_inbox(one["Body"])
            assert isinstance(message, EventsReceived)
            found.update(event.event_id for event in message.events)
    return found


AMOUNT, MISSING = "wrong_type purchase.amount", "missing_property purchase.order_id"


def test_they_are_listed_by_cause_without_names(ask: Asked) -> None:
    assert ask.groups() == {AMOUNT: 4, MISSING: 1, "unknown_event teleported": 1}
    told = ask("list", "--format", "json")
    assert NAME not in told
    assert NAME not in ask("list")
    assert NAME in ask("list", "--payload")
    (group,) = json.loads(ask("list", "--format", "json", "--property", "order_id"))
    assert group["example"]["properties"] == {"orderId": "string"}


def test_a_fix_shows_first_and_changes_what_was_meant_only(stores: Stores, ask: Asked) -> None:
    arguments = ("fix", "--property", "amount", "--convert", "amount=number")
    out = ask(*arguments, "--dry-run")
    assert "Of 4 events: 3 would be right; 1 stay: not_mended purchase.amount." in out
    assert out.endswith("Nothing was changed.\n")
    assert NAME not in out
    assert ask.groups()[AMOUNT] == 4
    assert "3 are right now" in ask(*arguments, "--yes")
    assert inbox(stores) == {}
    (audit,) = stores.objects.keys("audits/rejects/")
    trail = stores.objects.read(audit) or b""
    assert NAME not in trail.decode()
    assert json.loads(trail)["mend"] == {"convert": {"amount": "number"}}


def test_a_replay_puts_in_what_is_right_and_says_what_is_not(stores: Stores, ask: Asked) -> None:
    ask("fix", "--property", "amount", "--convert", "amount=number", "--yes")
    ask("fix", "--property", "order_id", "--rename-property", "orderId=order_id", "--yes")
    told = json.loads(ask("replay", "--dry-run", "--format", "json"))
    assert (told["would_put_in"], inbox(stores)) == (4, {})
    told = json.loads(ask("replay", "--yes", "--format", "json"))
    assert told["put_in"] == 4
    assert told["still_rejected"] == {AMOUNT: 1, "unknown_event teleported": 1}
    assert inbox(stores) == {"e0": 1, "e1": 1, "e2": 1, "e9": 1}
    assert ask.groups() == {AMOUNT: 1, "unknown_event teleported": 1}
    assert "Nothing was put in." in ask("replay", "--yes")
    assert inbox(stores) == {}


def test_a_new_word_of_the_dictionary_is_mend_enough(stores: Stores, ask: Asked) -> None:
    book = stores.playbooks.in_force().playbook
    ask("fix", "--name", "teleported", "--rename", "purchase", "--set", "order_id='7'", "--yes")
    assert book.events
    assert json.loads(ask("replay", "--yes", "--format", "json"))["put_in"] == 1
    assert inbox(stores) == {"t1": 1}


def test_a_mend_from_a_file(ask: Asked, tmp_path: Path) -> None:
    file = tmp_path / "mend.yaml"
    file.write_text(
        "convert: {amount: number}\nvalues: {amount: {much: '100'}}\ndrop: [who]\n", encoding="utf-8"
    )
    assert "4 would be right" in ask("fix", "--property", "amount", "--mend", str(file), "--dry-run")
    file.write_text("convert: {amount: money}\n", encoding="utf-8")
    assert "Invalid enum value" in ask("fix", "--property", "amount", "--mend", str(file), code=2)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--name", "purchase"], "Say what to mend"),
        (["--name", "purchase", "--drop", "x"], "A mend is for one cause, and these are 2"),
        (["--property", "amount", "--convert", "amount"], "write it like name=value"),
        (["--property", "amount", "--convert", "amount=money"], "a string, a number or a boolean"),
        (["--property", "amount", "--drop", "x", "--older", "soon"], "--older"),
    ],
)
def test_a_mistake_gets_one_line(ask: Asked, arguments: list[str], told: str) -> None:
    err = ask("fix", *arguments, code=2)
    assert told in err
    assert err.count("\n") == 1


def test_interrupted_at_any_call_and_said_again_nothing_is_lost(stores: Stores, ask: Asked) -> None:
    """What is put in twice has the same id, and counts once."""
    ask("fix", "--property", "amount", "--convert", "amount=number", "--yes")
    keys = {key: stores.objects.read(key) or b"" for key in stores.objects.keys("rejected/")}
    points = _replayed(stores, None)
    assert points >= 10
    assert set(inbox(stores)) == {"e0", "e1", "e2"}
    for point in range(points):
        for key, body in keys.items():
            stores.objects.write(key, body)
        _replayed(stores, point)
        Repair(stores, Wanted()).replay(dry=False, history=True)
        assert set(inbox(stores)) == {"e0", "e1", "e2"}, point
        assert ask.groups()[AMOUNT] == 1, point


def _replayed(stores: Stores, point: int | None) -> int:
    seen = itertools.count()
    passed: list[int] = []

    def hook(**_: Any) -> None:
        passed.append(number := next(seen))
        if number == point:
            raise Crash

    clients = [stores.target.client(service) for service in ("s3", "sqs")]
    for client in clients:
        client.meta.events.register("before-call", hook)
        client.meta.events.register("after-call", hook)
    try:
        Repair(stores, Wanted()).replay(dry=False, history=True)
    except Crash:
        pass
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", hook)
            client.meta.events.unregister("after-call", hook)
    return len(passed)


def test_what_somebody_else_changed_meanwhile_is_left_to_them(stores: Stores) -> None:
    rejected = S3RejectedEvents(stores.objects)
    batch = next(iter(rejected.all()))
    assert rejected.replace(batch, batch.entries[:1])
    assert not rejected.replace(batch, [])
    again = rejected.read(batch.key)
    assert again is not None
    assert len(again.entries) == 1


def test_what_nobody_will_mend_is_given_up_with_a_reason(stores: Stores, ask: Asked) -> None:
    before = list(Repair(stores, Wanted()).found())
    meant = ("discard", "--code", "unknown_event", "--why", "no such event")
    assert ask(*meant, "--dry-run").splitlines()[-1] == "Nothing was changed."
    assert list(Repair(stores, Wanted()).found()) == before
    assert ask(*meant, "--yes").splitlines()[-1] == "1 events were given up."
    left = [one.code for one in Repair(stores, Wanted()).found()]
    assert left == [one.code for one in before if one.code != "unknown_event"]
    (key,) = stores.objects.keys("audits/rejects/")
    trail = json.loads(stores.objects.read(key) or b"")
    assert (trail["did"], trail["by"], trail["why"]) == ("discard", "ann", "no such event")
    assert trail["causes"] == {"unknown_event teleported": 1}


def test_without_a_filter_nothing_is_given_up(stores: Stores, ask: Asked) -> None:
    before = list(Repair(stores, Wanted()).found())
    assert "Say which" in ask("discard", "--why", "tired", "--yes", code=2)
    assert list(Repair(stores, Wanted()).found()) == before
