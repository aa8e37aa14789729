"""`musubi dlq`: what died is told by cause, and put back only when it was asked for, under a name."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import boto3
import click
import msgspec
import pytest

from functions.aws.dead_letters import SqsDeadLetters
from functions.aws.failure_notes import S3FailureNotes
from functions.aws.redrives import S3Redrives
from functions.domain.dead_letters import FailureNote
from functions.domain.sends import Intent
from functions.redrive.flow import Replay
from ops.dlq.opened import replay_of
from ops.stores import Stores
from tests.fakes.world import World
from tests.flows.sending import cut_off_after_claim, fresh
from tests.ops.deployments import REGION
from tests.ops.stopped import commanded, queued, run


@pytest.fixture
def world() -> World:
    world = fresh()
    intent = world.intent("thanks")
    cut_off_after_claim(world, intent)
    return world


@pytest.fixture
def stores(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    """A deployment with the dead letters of two queues, in which one message is claimed and was perhaps pushed."""
    monkeypatch.setattr("ops.dlq.opened.SqsDeadLetters", _impatient)
    with commanded(world, monkeypatch, "dlq.command") as stores:
        outputs: Any = stores.target.outputs
        for name in ("DeadSendUrl", "DeadSchedulesUrl"):
            queue = stores.target.client("sqs").create_queue(QueueName=f"{outputs['Bucket']}-{name}")
            outputs[name] = queue["QueueUrl"]
        yield Stores(stores.target)


def _impatient(client: Any, queues: Any, objects: Any, tick: Any, _wait_seconds: int) -> SqsDeadLetters:
    """Moto is one server, too."""
    return SqsDeadLetters(client, queues, objects, tick, 0)


def bury(stores: Stores, *intents: Intent, note: FailureNote | None = None) -> list[str]:
    return [bury_body(stores, msgspec.json.encode(intent).decode(), note=note) for intent in intents]


def bury_body(stores: Stores, body: str, queue: str = "Send", note: FailureNote | None = None) -> str:
    sent = stores.target.client("sqs").send_message(
        QueueUrl=stores.target.output(f"Dead{queue}Url"), MessageBody=body
    )
    if note is not None:
        keep = S3FailureNotes(stores.objects, "send", stores.now).keep
        keep(msgspec.structs.replace(note, message_id=sent["MessageId"]))
    return str(sent["MessageId"])


NOTE = FailureNote(
    "", "Rejected", "there is no playbook version v9", "functions/aws/objects.py:120", "send", 5
)


def test_the_list_tells_cause_age_and_whom_it_concerns_and_no_payload(
    stores: Stores, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    names = bury(stores, world.intent("thanks"), world.intent("tips"), note=NOTE)
    unreadable = bury_body(stores, '{"secret": "花子"}')
    code, out, _ = run(capsys, "dlq", "list")
    assert code == 0
    assert "send: 2 × Rejected: there is no playbook version v… (functions/aws/objects.py:120)" in out
    assert "send: 1 × unknown cause" in out
    assert "3 dead letters." in out
    assert "花子" not in out
    told = json.loads(run(capsys, "dlq", "list", "--format", "json")[1])
    items = [item for group in told["groups"] for item in group["items"]]
    assert {item["message_id"] for item in items} == {*names, unreadable}
    assert {(item["kind"], item.get("customer_id", ""), item.get("step", "")) for item in items} == {
        ("intent", "c1", "thanks"), ("intent", "c1", "tips"), ("unreadable", "", ""),
    }  # fmt: skip
    assert not [item for item in items if "payload" in item]


def test_ids_are_shown_as_they_are_whatever_they_look_like(
    stores: Stores, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    bury(stores, world.intent("thanks", customer_id="[/b]c[red]"))
    assert "[/b]c[red]" in run(capsys, "dlq", "list")[1]
    assert run(capsys, "dlq", "replay", "--cause", "[/b]", "--yes")[0] == 0
    assert "[/b]" in run(capsys, "dlq", "replays")[1]


def test_payloads_are_shown_when_they_are_asked_for(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    bury_body(stores, '{"secret": "[花子]"}')
    assert '{"secret": "[花子]"}' in run(capsys, "dlq", "list", "--payload")[1]
    told = json.loads(run(capsys, "dlq", "list", "--payload", "--format", "json")[1])
    assert told["groups"][0]["items"][0]["payload"] == '{"secret": "[花子]"}'


def test_a_dry_run_foretells_and_changes_nothing(
    stores: Stores, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    bury(stores, world.intent("thanks"), world.intent("tips"))
    bury_body(stores, "no json")
    world.now += dt.timedelta(days=1)
    code, out, _ = run(capsys, "dlq", "replay", "--dry-run")
    assert code == 0
    assert "will end as unknown, and is not sent (key_expired)" in out
    assert "Nothing was put back." in out
    told = json.loads(run(capsys, "dlq", "replay", "--dry-run", "--format", "json")[1])
    assert told["would"] == {"push": 1, "stays: unreadable": 1, "unknown: key_expired": 1}
    assert (queued(stores), S3Redrives(stores.objects).begun(world.now)) == ([], [])


def test_a_replay_asks_puts_back_and_keeps_who_did(
    stores: Stores, world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bury(stores, world.intent("tips"), note=NOTE)
    bury_body(stores, "no json")
    monkeypatch.setattr("click.confirm", _refuse)
    code, _, err = run(capsys, "dlq", "replay")
    assert (code, queued(stores)) == (2, [])
    assert "stopped" in err
    code, out, _ = run(capsys, "dlq", "replay", "--cause", "playbook version", "--yes")
    assert (code, out.split(" Replay ")[0]) == (0, "1 put back.")
    assert [intent.step for intent in queued(stores)] == ["tips"]
    (told,) = json.loads(run(capsys, "dlq", "replays", "--format", "json")[1])
    identity = boto3.client("sts", region_name=REGION).get_caller_identity()
    assert (told["by"], told["filters"], told["put_back"], told["finished"]) == (
        identity["Arn"], {"cause": "playbook version"}, 1, True,
    )  # fmt: skip
    assert told["replay"] in out
    left = json.loads(run(capsys, "dlq", "list", "--format", "json")[1])
    assert left["letters"] == 1


def _refuse(*_arguments: Any, **_named: Any) -> None:
    raise click.Abort


def test_a_replay_that_was_interrupted_says_how_to_go_on_and_goes_on(
    stores: Stores, world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bury(stores, world.intent("tips"), world.intent("reminder"))
    with monkeypatch.context() as patch:
        patch.setattr(Replay, "_delete", _interrupted)
        code, _, err = run(capsys, "dlq", "replay", "--yes", "--scenario", "path")
    assert code == 2
    assert err.startswith("musubi: Interrupted; nothing is lost, and 'musubi dlq replay --resume ")
    name = err.split("--resume ")[1].split("'")[0]
    assert json.loads(run(capsys, "dlq", "list", "--format", "json")[1])["letters"] == 2
    code, out, _ = run(capsys, "dlq", "replay", "--resume", name, "--format", "json")
    assert (code, json.loads(out)["put_back"], json.loads(out)["finished"]) == (0, 2, True)
    assert len(queued(stores)) == 2, "what was back already was put back again"
    code, _, err = run(capsys, "dlq", "replay", "--resume", name)
    assert (code, "is finished" in err) == (2, True)


def _interrupted(*_arguments: Any) -> None:
    raise KeyboardInterrupt


def test_what_stays_makes_the_exit_code_1(
    stores: Stores, world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bury(stores, world.intent("tips"))
    letters = type(replay_of(stores).letters)
    monkeypatch.setattr(letters, "put_back", lambda _self, _letters: {})
    code, out, err = run(capsys, "dlq", "replay", "--yes")
    assert code == 1
    assert "0 put back, 1 not taken in by their queue." in out
    assert "Some are left: 'musubi dlq replay --resume " in err


def test_nothing_dead_is_nothing_to_ask_about(stores: Stores, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "dlq", "replay")[:2] == (0, "Nothing to put back.\n")
    assert run(capsys, "dlq", "list")[:2] == (0, "0 dead letters.\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["list", "--queue", "sent"], "There is no queue 'sent'; there are send, schedules."),
        (["replay", "--older", "2 days"], "--older: '2 days' is no duration"),
        (
            ["replay", "--resume", "x"],
            "Nothing was put back: there is no replay x; see 'musubi dlq replays'.",
        ),
        (["replay", "--resume", "x", "--queue", "send"], "--resume goes on with the filters"),
    ],
)
def test_a_mistake_is_one_line_and_puts_nothing_back(
    stores: Stores, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    code, out, err = run(capsys, "dlq", *arguments)
    assert (code, out, len(err.strip().splitlines())) == (2, "", 1)
    assert told in err
