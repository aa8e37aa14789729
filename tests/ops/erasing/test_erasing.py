"""A person who has been everywhere is erased: from each table, queue and object version, and nobody else with them."""

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from moto import mock_aws

from functions.aws.dead_letters import SqsDeadLetters
from functions.aws.erasing import DynamoSuppressions
from functions.aws.objects import S3Runs
from functions.domain.campaigns import send_id_in
from functions.domain.erasure import Erasure, Person
from ops.accounts import accounts
from ops.approvals import frozen_list
from ops.cli import main
from ops.erasing.flow import Erase
from ops.erasing.keeping import is_genuine
from ops.erasing.people import person_of
from ops.stores import Stores
from tests.fakes.taps import Crash
from tests.ops.deployments import REGION
from tests.ops.erasing.planted import (
    BOOK,
    FORMER,
    ME,
    NAME,
    OTHER,
    OTHERS,
    RUN,
    SECRETS,
    USER,
    everything,
    mentions,
    planted,
)


def _not_waiting(client: Any, queues: Any, objects: Any, tick: Any, _wait_seconds: int) -> SqsDeadLetters:
    return SqsDeadLetters(client, queues, objects, tick, 0)


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    # moto is one server: it is not asked for a second to look at all of its servers.
    monkeypatch.setattr("ops.dlq.opened.SqsDeadLetters", _not_waiting)
    with mock_aws():
        yield


@pytest.fixture
def stores() -> Stores:
    return planted()


def the_person(stores: Stores, identifier: str = ME) -> Person:
    person = person_of(stores, identifier, "a-token")
    assert person is not None
    return person


def erased(stores: Stores, person: Person | None = None) -> Erasure:
    flow = Erase(stores, 0, pause=lambda _seconds: None)
    begun = flow.begin(person or the_person(stores), "ann", f"the wish of {ME}", "e-1")
    return flow.run(begun, 30)


@pytest.mark.parametrize("identifier", [ME, USER, FORMER, f"anon:{USER}"])
def test_a_person_is_found_whole_by_any_of_the_ids(stores: Stores, identifier: str) -> None:
    person = the_person(stores, identifier)
    assert person.line_users == sorted([USER, FORMER])
    assert person.customer_ids == sorted([ME, f"anon:{USER}", f"anon:{FORMER}"])


def test_an_id_that_is_somebody_elses_is_left_out(stores: Stores) -> None:
    person = person_of(stores, ME, "t", without=[FORMER])
    assert person is not None
    assert person.line_users == [USER]
    assert f"anon:{FORMER}" not in person.customer_ids


def test_nothing_is_left_of_the_person_anywhere(stores: Stores) -> None:
    assert len(mentions(stores)) > 15
    done = erased(stores)
    assert (done.stage, done.waits) == ("done", [])
    assert mentions(stores) == []


def test_an_erasure_waits_for_what_the_streams_still_hold(stores: Stores) -> None:
    """A write of before that is no fact yet would be one after everything was looked through."""
    ages = [3_600.0, 3_600.0]
    flow = Erase(stores, 0, pause=lambda _s: None, behind=lambda: ages.pop() if ages else 0.0)
    begun = flow.begin(the_person(stores), "ann", "asked", "e-1")
    waiting = flow.run(begun, 0)
    assert waiting.stage == "suppressed"
    assert any("streams" in one for one in waiting.waits)
    assert flow.run(waiting, 30).stage == "done"


def test_figures_keep_their_rows_and_the_days_that_rest_on_them_are_measured_anew(stores: Stores) -> None:
    erased(stores)
    texts = dict(everything(stores))
    assert "erased:" in texts["facts/v1/sends/day=2026-11-01/part.parquet"]
    assert OTHER in texts["facts/v1/sends/day=2026-11-01/part.parquet"]
    assert not [key for key in texts if key.startswith("results/")]
    assert [key for key in texts if key.startswith("measure/touched/2026-11-01/")]


def test_what_is_others_stays(stores: Stores) -> None:
    erased(stores)
    other, gate = stores.customers.load(OTHER), stores.customers.load_gate(OTHER)
    assert other is not None
    assert gate is not None
    assert [alias.customer_id for alias in other.aliases] == ["anon:U9"]
    assert gate.line_user_id == OTHERS
    assert gate.reaches(OTHERS)
    assert [event.event_id for event in stores.events.all_of(OTHER)] == ["e6", "e7"]
    assert {one.send_id for one in stores.sends.of_customer(OTHER)} >= {send_id_in(RUN, OTHERS, "main")}
    assert len(stores.sends.of_customer(OTHER)) == 2
    link = stores.identities.link_of(OTHERS)
    assert link is not None
    assert link.customer_id == OTHER
    contested = stores.identities.link_of("U9")
    assert contested is not None
    assert (contested.status, contested.claimed_by) == ("linked", "")
    texts = dict(everything(stores))
    assert "太郎" in texts["loads/l1/part.csv"]
    assert OTHER in texts["loads/l1/part.jsonl.gz"]
    assert texts["loads/keys/l1/1/000001.json"].endswith(f'["{OTHER}"]')
    assert {key for key in texts if key.startswith("incoming/")} == {"incoming/shop/other.csv"}
    letters = [json.loads(text) for where, text in everything(stores) if where == "DeadInboxUrl"]
    assert [[event["event_id"] for event in letter["events"]] for letter in letters] == [["e9"]]
    phones = [text for where, text in everything(stores) if where == "identities" and "phone#" in text]
    assert len(phones) == 1


def test_the_accounts_of_a_campaign_close_as_before(stores: Stores) -> None:
    before = accounts(stores, "winter")
    assert (before.targeted, before.sent, before.unknown, before.pending) == (3, 2, 1, 0)
    erased(stores)
    assert accounts(stores, "winter") == before


def test_an_approved_list_stays_approved_without_the_person(stores: Stores) -> None:
    erased(stores)
    runs = S3Runs(stores.objects)
    approval, awaiting = runs.approval(RUN), runs.awaiting(RUN)
    assert approval is not None
    assert awaiting is not None
    now = frozen_list(runs, RUN, stores.playbooks.version(BOOK.version))
    assert approval.holds_for(now.hash)
    assert awaiting.hash == now.hash
    assert not approval.holds_for("another")


def test_what_stays_is_a_hash_under_which_the_ids_are_suppressed(stores: Stores) -> None:
    erased(stores)
    table, dynamodb = stores.settings.table_identities, stores.target.client("dynamodb")
    suppressions = DynamoSuppressions(dynamodb, table, lambda: "a-key")
    for identity in (f"customer#{ME}", f"line#{USER}", f"line#{FORMER}"):
        found = suppressions.find(identity)
        assert found is not None
        assert [(one.after, one.how) for one in found.changes] == [("erased", found.erasure_id)]
    assert suppressions.find(f"customer#{OTHER}") is None


def test_nothing_can_be_sent_from_the_first_moment_on(stores: Stores) -> None:
    """The gates are gone and the hashes kept before anything else is looked at."""
    calls: list[str] = []
    client = stores.target.client("dynamodb")
    client.meta.events.register(
        "before-call.dynamodb",
        lambda model, params, **_: calls.append(model.name + " " + str(params["body"])),
    )
    erased(stores)
    first_scan = next(n for n, call in enumerate(calls) if call.startswith("Scan"))
    before = [call for call in calls[:first_scan] if call.startswith(("PutItem", "DeleteItem"))]
    assert [call.split()[0] for call in before] == ["PutItem"] * 3 + ["DeleteItem"] * 6


def test_the_proof_names_nobody_is_signed_and_tells_of_any_change(stores: Stores) -> None:
    erased(stores)
    flow = Erase(stores, 0)
    proof = flow.kept.proof("e-1")
    assert proof is not None
    assert is_genuine(proof, "a-key")
    assert not is_genuine({**proof, "by": "bob"}, "a-key")
    assert not is_genuine(proof, "another-key")
    assert (proof["why"], len(proof["ids"])) == ("the wish of erased", 3)
    assert proof["removed"]["table:events"] == 5
    assert flow.kept.open() == []


def test_it_is_not_done_while_a_queue_may_hold_a_message_of_before(stores: Stores) -> None:
    sqs, url = stores.target.client("sqs"), stores.target.outputs["QueueSendUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="what a worker is to take")
    flow = Erase(stores, 0, pause=lambda _seconds: None)
    waiting = flow.run(flow.begin(the_person(stores), "ann", "a wish", "e-1"), 4)
    assert waiting.stage == "suppressed"
    assert waiting.waits == ["queue send: messages of before may be in it"]
    sqs.purge_queue(QueueUrl=url)
    assert flow.run(waiting, 30).stage == "done"


@pytest.mark.parametrize(
    ("hours", "age", "stage"),
    [(1, 0.0, "suppressed"), (9, 7 * 3600.0, "done"), (9, 9 * 3600.0, "suppressed"), (9, None, "suppressed")],
)
def test_a_queue_that_is_never_empty_has_let_go_of_what_is_younger_than_the_suppression(
    stores: Stores, hours: int, age: float | None, stage: str
) -> None:
    url = stores.target.outputs["QueueInboxUrl"]
    stores.target.client("sqs").send_message(QueueUrl=url, MessageBody="somebody else's")
    flow = Erase(stores, 0, pause=lambda _seconds: None, age_of=lambda _url: age)
    begun = flow.run(flow.begin(the_person(stores), "ann", "a wish", "e-1"), 0)
    earlier = msgspec.structs.replace(begun, suppressed_wall=begun.suppressed_wall - hours * 3600)
    assert flow.run(earlier, 3).stage == stage


def test_it_is_not_done_while_a_worker_of_before_may_write(stores: Stores) -> None:
    flow = Erase(stores, 900, pause=lambda _seconds: None)
    waiting = flow.run(flow.begin(the_person(stores), "ann", "a wish", "e-1"), 0.5)
    assert waiting.stage == "suppressed"
    assert waiting.waits[0].startswith("workers of before")


def test_what_a_worker_of_before_wrote_meanwhile_is_found(stores: Stores) -> None:
    person, looks = the_person(stores), list[int]()
    late = stores.customers.load(ME)
    assert late is not None

    def write_late(_erasure: Erasure) -> None:
        if not looks:
            stores.events.put_all(ME, [])
            stores.timers.arm(ME, RUN.made_at, RUN.made_at)
        looks.append(1)

    flow = Erase(stores, 0, pause=lambda _seconds: None, on_step=write_late)
    assert flow.run(flow.begin(person, "ann", "a wish", "e-1"), 30).stage == "done"
    assert mentions(stores) == []


# --- killed anywhere


class Killer:
    """Lets the process die before or after one call of AWS."""

    def __init__(self, stores: Stores, point: int | None) -> None:
        self.points = 0
        self._point = point
        for service in ("dynamodb", "s3", "sqs", "secretsmanager"):
            client = stores.target.client(service)
            client.meta.events.register("before-call", self._pass)
            client.meta.events.register("after-call", self._pass)

    def _pass(self, **_: Any) -> None:
        number, self.points = self.points, self.points + 1
        if number == self._point:
            raise Crash(f"at point {number}")


def _killed(point: int | None) -> tuple[Stores, int]:
    stores = planted()
    flow = Erase(stores, 0, pause=lambda _seconds: None)
    begun = flow.begin(the_person(stores), "ann", "a wish", "e-1")
    killer = Killer(stores, point)
    try:
        flow.run(begun, 30)
    except Crash:
        found = flow.kept.find("e-1")
        if found is not None:
            flow.run(found, 30)
    return stores, killer.points


@functools.cache
def _points() -> int:
    return _killed(None)[1]


KILLS = 20
"""So many points of some five hundred: each costs seconds. The stride is no divisor of what a sweep repeats."""


@pytest.mark.parametrize("part", range(4))
def test_killed_at_any_call_and_resumed_it_ends_the_same(part: int) -> None:
    points = _points()
    assert points > 200
    stride = max(1, points // KILLS) | 1
    for point in range(part * stride, points, 4 * stride):
        stores, _ = _killed(point)
        assert mentions(stores) == [], point
        flow = Erase(stores, 0)
        assert flow.kept.open() == []
        proof = flow.kept.proof("e-1")
        assert proof is not None
        assert is_genuine(proof, "a-key")
        total = accounts(stores, "winter")
        assert (total.targeted, total.sent, total.unknown, total.pending) == (3, 2, 1, 0), point


# --- the command


class Asked:
    """The command, and what it answers."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str, code: int = 0) -> str:
        with pytest.raises(SystemExit) as stopped:
            main(["erase", *arguments])
        out, err = self._capsys.readouterr()
        assert stopped.value.code == code, err + out
        return err if code == 2 else out


@pytest.fixture
def ask(stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Asked:
    monkeypatch.setattr("ops.erasing.command.target_of", lambda *_: stores.target)
    monkeypatch.setattr("ops.erasing.command.Stores", lambda _target: stores)
    monkeypatch.setattr("ops.erasing.command.settle_seconds_of", lambda _stores: 0.0)
    monkeypatch.setattr("ops.erasing.command.caller_of", lambda _target: "ann")
    monkeypatch.setattr("ops.erasing.flow.PAUSE_SECONDS", 0.0)
    return Asked(capsys)


def test_the_first_look_changes_nothing_and_gives_the_code(stores: Stores, ask: Asked) -> None:
    before = sorted(everything(stores))
    told = json.loads(ask(ME, "--format", "json"))
    assert sorted(everything(stores)) == before
    assert told["would_remove"]["table:customers"] == 4
    assert {ME, USER, FORMER} <= set(told["ids"])
    assert told["code"] in ask(USER)


def test_it_takes_the_code_and_a_reason(stores: Stores, ask: Asked, tmp_path: Path) -> None:
    code = json.loads(ask(ME, "--format", "json"))["code"]
    assert "is not the code" in ask(ME, "--confirm", "00000000", "--why", "x", code=2)
    assert "is not the code" in ask(ME, "--without", FORMER, "--confirm", code, "--why", "x", code=2)
    assert "--why" in ask(ME, "--confirm", code, code=2)
    told = json.loads(ask(ME, "--confirm", code, "--why", "asked by mail", "--format", "json"))
    assert told["stage"] == "done"
    assert mentions(stores) == []
    assert "Nobody is known" in ask(ME, code=2)
    (row,) = json.loads(ask("--status", "--format", "json"))
    assert (row["erasure"], row["stage"]) == (told["erasure"], "done")
    proof = tmp_path / "proof.json"
    proof.write_text(ask("--proof", told["erasure"]), encoding="utf-8")
    assert "Genuine" in ask("--verify", str(proof))
    proof.write_text(proof.read_text(encoding="utf-8").replace("ann", "bob"), encoding="utf-8")
    assert "not signed" in ask("--verify", str(proof), code=2)
    assert not [name for name in SECRETS if name in json.dumps(row)]


def test_what_waits_is_told_and_goes_on(stores: Stores, ask: Asked) -> None:
    sqs, url = stores.target.client("sqs"), stores.target.outputs["QueueBulkUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="something")
    code = json.loads(ask(ME, "--format", "json"))["code"]
    out = ask(ME, "--confirm", code, "--why", "a wish", "--wait", "4", code=1)
    assert "queue bulk" in out
    (row,) = json.loads(ask("--status", "--format", "json"))
    assert row["stage"] == "suppressed"
    sqs.purge_queue(QueueUrl=url)
    assert "Erased" in ask("--resume", row["erasure"])
    assert "is done" in ask("--resume", row["erasure"], code=2)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [([], "Say one of"), ([ME, "--status"], "Say one of"), (["--status", "--why", "x"], "go with CUSTOMER"),
     (["--resume", "e-9"], "there is no such erasure"), (["--proof", "e-9"], "has no proof"),
     (["nobody"], "Nobody is known")],
)  # fmt: skip
def test_a_mistake_gets_one_line(ask: Asked, arguments: list[str], told: str) -> None:
    err = ask(*arguments, code=2)
    assert told in err
    assert err.count("\n") == 1


def test_a_persons_name_is_no_id(stores: Stores) -> None:
    assert person_of(stores, NAME, "t") is None
