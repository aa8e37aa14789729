"""`musubi backups`: kept whole, put back where it lacks, refused where it would do harm."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest

from functions.aws.items import decode_gate, put_new
from functions.aws.objects import S3Runs
from functions.aws.raw_facts import S3RawFacts
from functions.aws.statements import Statement
from functions.domain.account import UNTIL_LIFTED, Block
from functions.domain.campaigns import Chunk, Recipient, Run
from functions.domain.customers import Customer
from functions.domain.erasure import Suppression, hashed, identity_of
from functions.domain.events import Event
from functions.domain.fact_rows import EventKept, SendWritten, rows_of
from functions.domain.facts import TABLE_OF
from functions.ports.customers import Written
from functions.ports.errors import Conflict
from functions.ports.messages import EventsReceived
from ops.backups.keeping import TABLES, line_of, row_of, table_name
from ops.backups.rows import PutBack
from ops.backups.sources import point_in_time
from ops.stores import Stores
from tests.aws.samples import MINUTE, record
from tests.fakes.playbooks import playbook, scenario, send
from tests.fakes.world import World
from tests.ops.stopped import commanded, messages, run

BOOK = playbook(scenarios={"path": scenario("cart_left", send("thanks"))}, caps=[])
NAME = re.compile(r"'(\w+)': \?")


def one_by_one(client: Any, statements: Sequence[Statement]) -> list[Written]:
    """The inserts of a batch as conditional puts: moto does not understand the statements (tests/e2e/test_restore.py does)."""
    found: list[Written] = []
    for one in statements:
        row = dict(zip(NAME.findall(one.text), one.parameters, strict=True))
        table = one.text.split('"')[1]
        found.append("written" if put_new(client, table, row) else "overtaken")
    return found


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    """One customer who was sent something, and whose cart was left."""
    world = World(BOOK)
    world.customer_with_line()
    world.ingest(world.event("cart_left", "c1"))
    world.run()
    monkeypatch.setattr("ops.backups.rows.execute", one_by_one)
    monkeypatch.setattr("ops.backups.command.HEEDED_AFTER_SECONDS", 0)
    monkeypatch.setattr("ops.backups.afterwards.PAUSE_SECONDS", 0)
    with commanded(world, monkeypatch, "backups.command") as found:
        outputs: Any = found.target.outputs
        outputs["QueueInboxUrl"] = found.target.client("sqs").create_queue(
            QueueName=f"inbox-{outputs['Bucket']}"
        )["QueueUrl"]
        outputs["SecretErasure"] = found.target.client("secretsmanager").create_secret(
            Name=f"erasure-{outputs['Bucket']}",
            SecretString='{"erasure_key": "a-key"}',  # pragma: allowlist secret
        )["ARN"]
        yield Stores(found.target)


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    code, out, err = run(capsys, "backups", *words, "--format", "json")
    assert code == 0, err
    return json.loads(out)


def everything(stores: Stores) -> dict[str, list[str]]:
    client = stores.target.client("dynamodb")
    return {
        table: sorted(row["pk"]["S"] for row in client.scan(TableName=table_name(stores, table))["Items"])
        for table in TABLES
    }


def wipe(stores: Stores, *tables: str) -> None:
    client = stores.target.client("dynamodb")
    for table in tables or TABLES:
        name = table_name(stores, table)
        for row in client.scan(TableName=name)["Items"]:
            client.delete_item(TableName=name, Key={key: row[key] for key in ("pk", "sk") if key in row})


def stop(stores: Stores) -> None:
    stores.account_state.block(Block("stopped", UNTIL_LIFTED, by="me", why="restoring"))


def drop(stores: Stores, *written: Any) -> None:
    """What the streams' function would have kept."""
    for one in written:
        for row in rows_of(one, stores.playbooks.version):
            S3RawFacts(stores.objects).drop(TABLE_OF[type(row)], [row])


def told_again(stores: Stores) -> list[str]:
    bodies = messages(stores, stores.settings.queue_inbox_url)
    return [
        event.event_id for body in bodies for event in msgspec.json.decode(body, type=EventsReceived).events
    ]


def test_what_was_wiped_comes_back_row_by_row(stores: Stores, capsys: pytest.CaptureFixture[str]) -> None:
    before = everything(stores)
    made = asked(capsys, "create", "--why", "before the migration")
    assert made["rows"]["customers"] == len(before["customers"])
    wipe(stores)
    stop(stores)
    done = asked(capsys, "restore", made["backup"], "--wait", "0.2")
    after = everything(stores)
    assert {table: after[table] for table in ("customers", "events", "identities", "sends")} == {
        table: before[table] for table in ("customers", "events", "identities", "sends")
    }
    assert set(before["gates"]) <= set(after["gates"])
    customer = stores.customers.load("c1")
    assert customer is not None
    assert customer.refold, "it folds anew from its history"
    assert done["written"]["customers"] == len(before["customers"])
    assert [one["backup"] for one in asked(capsys, "list")] == [made["backup"]]


def test_said_again_it_changes_nothing(stores: Stores, capsys: pytest.CaptureFixture[str]) -> None:
    made = asked(capsys, "create")
    wipe(stores)
    stop(stores)
    asked(capsys, "restore", made["backup"])
    before = stores.customers.load("c1"), stores.customers.load_gate("c1"), everything(stores)
    done = asked(capsys, "restore", made["backup"])
    assert (stores.customers.load("c1"), stores.customers.load_gate("c1"), everything(stores)) == before
    assert "customers" not in done["written"]


def test_ends_and_opt_outs_since_are_in_the_gate_before_anything_may_be_sent(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    made, now = asked(capsys, "create"), stores.now()
    sent = msgspec.structs.replace(
        record("offer", made_at=now + MINUTE), customer_id="c1", line_user_id="U1", playbook=BOOK.version
    )
    withdrawn = Event(
        "w1", "c1", "consent_withdrawn", now + MINUTE, source="shop", properties={"purpose": "marketing"}
    )
    secret = Event(
        "a1", "c1", "profile_updated", now + MINUTE, source="shop", properties={"first_name": "花"}
    )
    drop(
        stores,
        SendWritten(sent, _wall()),
        EventKept("c1", withdrawn, _wall()),
        EventKept("c1", secret, _wall()),
    )
    wipe(stores)
    stop(stores)
    seen = asked(capsys, "restore", "latest", "--dry-run")
    assert (seen["sends_since"], seen["events_since"], seen["to_be_told_anew"]) == (
        1,
        1,
        {"profile_updated": 1},
    )
    assert everything(stores)["customers"] == []
    done = _restored(capsys, made["backup"])
    gate = stores.customers.load_gate("c1")
    assert gate is not None
    claim = gate.claim(sent.send_id)
    assert claim is not None
    assert (claim.recorded, claim.to) == ("sent", "U1")
    assert sent.send_id in {one.send_id for one in gate.contacts}
    assert gate.consent["marketing"].value is False
    assert stores.sends.find("c1", sent.made_at, sent.send_id) is not None
    assert told_again(stores) == ["w1"]
    assert done["to_be_told_anew"] == {"profile_updated": 1}


def _restored(capsys: pytest.CaptureFixture[str], backup: str) -> Any:
    """Nobody works on the inbox here, so that it is never empty."""
    code, out, _ = run(capsys, "backups", "restore", backup, "--wait", "0", "--format", "json")
    assert code == 1
    return json.loads(out)


def _wall() -> Any:
    import datetime as dt  # noqa: PLC0415
    import time  # noqa: PLC0415

    return dt.datetime.fromtimestamp(time.time(), dt.UTC)


def test_whoever_was_erased_since_is_not_put_back_and_stays_known_as_erased(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    made = asked(capsys, "create")
    ids = [hashed("a-key", identity) for identity in (identity_of("c1"), "line#U1")]
    proof = {"erasure": "x1", "asked_at": "2026-11-03T00:00:00Z", "ids": ids}
    stores.objects.write("erasures/proofs/x1.json", json.dumps(proof).encode())
    wipe(stores)
    stop(stores)
    done = asked(capsys, "restore", made["backup"])
    assert done["erased_kept_out"] == 2
    assert "rows without the erased" not in done["written"], "nobody is put back and taken out again"
    assert stores.customers.load("c1") is None
    assert stores.customers.load_gate("c1") is None
    assert stores.sends.of_customer("c1") == []
    assert stores.identities.link_of("U1") is None
    told = stores.suppressions.find(identity_of("c1"))
    assert isinstance(told, Suppression)
    assert told.erasure_id == "x1"


def test_whoever_is_heard_of_after_the_loss_becomes_one_with_whoever_they_were(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    before = stores.customers.load("c1")
    assert before is not None
    made = asked(capsys, "create")
    wipe(stores)
    stores.customers.save(Customer("c1", seen=["new"]))
    stop(stores)
    asked(capsys, "restore", made["backup"])
    found = stores.customers.load("c1")
    assert found is not None
    assert (found.line_user_id, found.profile, found.journeys) == ("U1", before.profile, before.journeys)


def test_a_row_that_went_on_since_stays_as_it_is_unless_it_is_corrupt(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    made = asked(capsys, "create")
    customer = stores.customers.load("c1")
    assert customer is not None
    newer = stores.customers.save(msgspec.structs.replace(customer, intended={"path": 7}))
    wipe(stores, "gates")
    stop(stores)
    asked(capsys, "restore", made["backup"])
    assert stores.customers.load("c1") == newer
    asked(capsys, "restore", made["backup"], "--over")
    found = stores.customers.load("c1")
    assert found is not None
    assert found.intended == customer.intended


class OvertakenAfterReads:
    """Somebody writes the row that was read, so many times, before it is put: its body, or the `name` of one more attribute."""

    def __init__(self, client: Any, times: int, name: str = "body") -> None:
        self._client, self.times, self._name = client, times, name
        self.put_item = client.put_item

    def get_item(self, **asked: Any) -> Any:
        found = self._client.get_item(**asked)
        if self.times:
            self.times -= 1
            row = {**found.get("Item", asked["Key"]), self._name: {"S": f"newer {self.times}"}}
            self._client.put_item(TableName=asked["TableName"], Item=row)
        return found


@pytest.mark.parametrize("is_there", [True, False])
def test_what_was_written_after_it_was_read_is_read_again_before_a_row_is_put_over_it(
    stores: Stores, is_there: bool
) -> None:
    client, table = stores.target.client("dynamodb"), stores.settings.table_identities
    row = {"pk": {"S": "line#U9"}, "sk": {"S": "link"}, "body": {"S": "as it was"}}
    if is_there:
        client.put_item(TableName=table, Item={**row, "body": {"S": "corrupt"}})
    overtaken = OvertakenAfterReads(client, times=2)
    assert PutBack(overtaken, table, lambda count: None).over(row)
    assert overtaken.times == 0
    assert client.get_item(TableName=table, Key={"pk": row["pk"], "sk": row["sk"]})["Item"] == row
    assert not PutBack(client, table, lambda count: None).over(row), "it stands already"


def test_an_attempt_that_is_taken_up_meanwhile_is_read_again(stores: Stores) -> None:
    client, table = stores.target.client("dynamodb"), stores.settings.table_identities
    row = {"pk": {"S": "attempt#1"}, "sk": {"S": "attempt"}, "body": {"S": "as it was"}}
    client.put_item(TableName=table, Item={**row, "body": {"S": "corrupt"}})
    overtaken = OvertakenAfterReads(client, times=99, name="taken_by")
    with pytest.raises(Conflict):
        PutBack(overtaken, table, lambda count: None).over(row)
    assert "taken_by" in client.get_item(TableName=table, Key={"pk": row["pk"], "sk": row["sk"]})["Item"]


def test_a_row_that_is_written_all_the_time_is_left_to_whoever_writes_it(stores: Stores) -> None:
    client, table = stores.target.client("dynamodb"), stores.settings.table_identities
    row = {"pk": {"S": "line#U9"}, "sk": {"S": "link"}, "body": {"S": "as it was"}}
    with pytest.raises(Conflict, match="stop what writes it"):
        PutBack(OvertakenAfterReads(client, times=99), table, lambda count: None).over(row)
    assert client.get_item(TableName=table, Key={"pk": row["pk"], "sk": row["sk"]})["Item"] != row


def test_identities_go_back_over_what_became_of_them_where_that_is_asked_for(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    client, table = stores.target.client("dynamodb"), stores.settings.table_identities
    row = {"pk": {"S": "line#U1"}, "sk": {"S": "link"}, "body": {"S": "as it was"}}
    client.put_item(TableName=table, Item=row)
    made = asked(capsys, "create")
    client.put_item(TableName=table, Item={**row, "body": {"S": "corrupt"}})
    wipe(stores, "gates")
    stop(stores)
    done = asked(capsys, "restore", made["backup"], "--over")
    assert done["written"]["identities"] == 1, "the others stand as they were"
    assert client.get_item(TableName=table, Key={"pk": row["pk"], "sk": row["sk"]})["Item"] == row


def test_ends_of_messages_whose_gate_was_gone_are_taken_back(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    made = asked(capsys, "create")
    end = msgspec.structs.replace(
        record("offer", "suppressed", made_at=stores.now()),
        customer_id="c1",
        reason="erased",
        playbook=BOOK.version,
    )
    body = {"S": msgspec.json.encode(end).decode()}
    put = stores.target.client("dynamodb").put_item
    put(TableName=stores.settings.table_sends, Item={"pk": {"S": "c1"}, "sk": {"S": "x#y"}, "body": body})
    drop(stores, SendWritten(end, _wall()))
    stop(stores)
    done = asked(capsys, "restore", made["backup"])
    assert done["written"]["ends taken back"] == 1
    assert [one for one in stores.sends.of_customer("c1") if one.reason == "erased"] == []
    gate = stores.customers.load_gate("c1")
    assert gate is not None
    assert gate.claim(end.send_id) is None


def test_a_campaign_run_that_somebody_has_no_end_in_goes_on_from_its_frozen_list(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    made, runs = asked(capsys, "create"), S3Runs(stores.objects)
    frozen = runs.freeze_run(Run("news", stores.now(), BOOK.version, stores.now(), 1))
    runs.freeze_chunk(frozen, 0, 0, Chunk([Recipient("c1", "U1", {})]))
    runs.checkpoint(frozen, 0, 0)
    wipe(stores)
    stop(stores)
    done = asked(capsys, "restore", made["backup"])
    assert done["runs"] == [frozen.source]
    assert not runs.is_enqueued(frozen, 0, 0), "its pages are looked at again"
    (body,) = messages(stores, stores.settings.queue_evaluate_url)
    assert json.loads(body)["campaign"] == "news"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("restore", "latest"), "Sending is not stopped"),
        (("restore",), "Say which BACKUP"),
        (("restore", "nothing"), "There is no backup 'nothing'"),
        (("restore", "--at", "yesterday"), "--at yesterday"),
    ],
)
def test_what_would_do_harm_is_refused_in_one_line(
    stores: Stores, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], why: str
) -> None:
    asked(capsys, "create")
    code, _, err = run(capsys, "backups", *words)
    assert (code, err.count("\n")) == (2, 1)
    assert why in err


def test_a_backup_that_is_too_old_for_lines_memory_takes_a_word(
    stores: Stores, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, then = asked(capsys, "create"), stores.now()
    stop(stores)
    monkeypatch.setattr(Stores, "now", property(lambda _self: lambda: then + 24 * 60 * MINUTE))
    code, _, err = run(capsys, "backups", "restore", made["backup"])
    assert code == 2
    assert "24 hours old" in err
    assert asked(capsys, "restore", made["backup"], "--late")["settled"]


def test_an_object_of_a_backup_that_was_changed_is_refused(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    made = asked(capsys, "create")
    (key,) = (key for key in stores.objects.keys(f"backups/{made['backup']}/") if "gates" in key)
    stores.objects.write(key, b"{}")
    stop(stores)
    code, _, err = run(capsys, "backups", "restore", made["backup"])
    assert code == 2
    assert "missing or was changed" in err


def recoverable(stores: Stores) -> Any:
    client = stores.target.client("dynamodb")
    for table in TABLES:
        client.update_continuous_backups(
            TableName=table_name(stores, table),
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
    return client


def test_the_tables_of_an_instant_come_back_by_the_same_way(
    stores: Stores, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moto keeps no past: the tables of an instant are made while they stand, and read once these are wiped."""
    client, at = recoverable(stores), _wall()
    before = everything(stores)
    monkeypatch.setattr("ops.backups.sources.window_of", lambda _stores, _table: (at, at))
    point_in_time(stores, at).prepare()
    wipe(stores)
    stop(stores)
    # Virtual time is earlier here than the machine's.
    code, _, err = run(capsys, "backups", "restore", "--at", at.isoformat(), "--late")
    assert code == 0, err
    assert everything(stores)["customers"] == before["customers"]
    assert not [name for name in client.list_tables()["TableNames"] if "-at-" in name], (
        "what was made is gone"
    )


def test_an_instant_that_aws_does_not_have_is_refused(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "is not on" in run(capsys, "backups", "restore", "--at", "2026-11-01T00:00:00Z")[2]
    recoverable(stores)
    assert "can be restored from" in run(capsys, "backups", "restore", "--at", "2026-11-01T00:00:00Z")[2]
    assert "can be restored up to" in run(capsys, "backups", "restore", "--at", "2036-11-01T00:00:00Z")[2]


def test_a_row_is_a_line_and_a_line_is_the_row(stores: Stores) -> None:
    client = stores.target.client("dynamodb")
    rows = [row for table in TABLES for row in client.scan(TableName=table_name(stores, table))["Items"]]
    rows.append(
        {"pk": {"S": "x"}, "m": {"M": {"a": {"L": [{"N": "1"}, {"B": b"\x00\xff"}]}}}, "n": {"NULL": True}}
    )
    assert [row_of(line_of(row)) for row in rows] == rows
    gate = next(row for row in rows if row["pk"]["S"] == "c1" and "B" in row.get("body", {}))
    assert decode_gate(row_of(line_of(gate))).customer_id == "c1"
