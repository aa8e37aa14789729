"""The accounts of a deployment, from the first frozen page to the last end, and who was missed."""

import csv
import io
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from moto import mock_aws

from functions.aws.objects import S3Runs
from functions.domain.campaigns import Chunk, Recipient, Run, send_id_in
from functions.domain.instants import format_instant
from functions.domain.sends import SendRecord, record_of
from functions.evaluate.flow import Evaluate
from ops.accounts import Bookkeeper, accounts
from ops.books import Row
from ops.cli import main
from ops.missed import Missed, missed
from tests.fakes.playbooks import QUIET, campaign, days, playbook, scenario, send
from tests.fakes.queues import FakeContinuation, FakeSendQueue
from tests.fakes.world import World, jst
from tests.ops.deployments import REGION, deployed, keep_up

EVENING, NIGHT = jst(11, 4, 19), jst(11, 4, 22)
PEOPLE = 9
PATH = scenario("cart_left", days(1), send("tips"))
EVER = 900.0


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


class Shop:
    """A world whose campaign runs are frozen in a deployment's bucket; its other state follows with `rows`."""

    def __init__(self, at: Any = EVENING) -> None:
        book = playbook(
            scenarios={"path": PATH}, campaigns={"winter": campaign("news", once=at)}, quiet_hours=QUIET
        )
        self.world = World(book)
        for number in range(PEOPLE):
            self.world.customer_with_line(f"c{number}", f"U{number}")
        self.world.now = at
        self.stores = deployed(self.world)
        self.run = Run("winter", at, book.version, at, 4)
        self.source = self.run.source
        self.runs = S3Runs(self.stores.objects)

    def evaluate(self, calls: int = 10_000) -> None:
        """Freeze and enqueue, as far as so many looks at the clock carry."""
        world, left = self.world, itertools.chain(itertools.repeat(EVER, calls), itertools.repeat(0.0))
        Evaluate(
            self.stores.settings.account,
            world.playbooks,
            world.audience,
            self.runs,
            FakeSendQueue(world.send_queue),
            world.schedules,
            FakeContinuation(world.evaluate_queue),
            world.measures,
            world.clock,
        ).run("winter", self.run.occurrence, lambda: next(left))

    def row(self, name: str = "winter") -> Row:
        """The only row of the campaign, as it is now."""
        keep_up(self.stores, self.world)
        (row,) = Bookkeeper(self.stores, name).books().rows
        return row

    def missed(self) -> list[Missed]:
        keep_up(self.stores, self.world)
        return list(missed(self.stores, "winter"))


def lines(row: Row) -> tuple[str, int, int, int]:
    return row.state, row.accounts.targeted, row.accounts.sent, row.accounts.pending


def test_a_run_is_watched_from_freezing_to_finished() -> None:
    shop, seen = Shop(), []
    for calls in range(0, 40, 5):
        shop.evaluate(calls)
        row = shop.row()
        seen.append(row.state)
        assert row.accounts.ended + row.accounts.pending == row.accounts.targeted
        assert not row.is_finished
        assert row.missing
    assert list(dict.fromkeys(seen)) == ["freezing", "enqueueing", "running"]
    assert lines(shop.row()) == ("running", PEOPLE, 0, PEOPLE)
    for ended in range(1, PEOPLE + 1):
        shop.world.step_send()
        row = shop.row()
        assert (row.accounts.sent, row.queued) == (ended, PEOPLE - ended)
    assert lines(row) == ("finished", PEOPLE, PEOPLE, 0)
    assert row.is_finished
    assert row.missing == []


def test_a_list_that_is_not_frozen_to_its_end_is_a_lower_bound_and_says_so() -> None:
    shop = Shop()
    shop.evaluate(3)
    row = shop.row()
    assert row.state == "freezing"
    assert 0 < row.accounts.targeted < PEOPLE
    assert f"are not frozen to their end: {row.accounts.targeted} are targeted at least" in row.missing[0]


def test_a_last_page_does_not_stand_for_one_that_is_lost() -> None:
    shop = Shop()
    shop.evaluate()
    client, bucket = shop.stores.target.client("s3"), shop.stores.settings.bucket
    pages = [
        item["Key"]
        for item in client.list_objects_v2(Bucket=bucket, Prefix="runs/winter/")["Contents"]
        if item["Key"].endswith("-000000.json")
    ]
    later = next(
        key for key in pages if client.list_objects_v2(Bucket=bucket, Prefix=key[:-6] + "1")["KeyCount"]
    )
    client.delete_object(Bucket=bucket, Key=later)
    shop.world.run()
    assert not shop.row().is_finished
    assert "1 of 4 scan segments" in shop.row().missing[0]


def test_a_run_that_waits_for_approval_says_so_until_somebody_approves() -> None:
    shop = Shop()
    shop.evaluate(14)
    prefix = f"runs/winter/{format_instant(EVENING)}"
    shop.stores.objects.write(f"{prefix}/awaiting.json", b"{}")
    assert shop.row().state == "waiting for approval"
    assert "nobody has approved it" in shop.row().missing
    shop.stores.objects.write(f"{prefix}/approval.json", b"{}")
    assert shop.row().state == "enqueueing"


def test_listmonk_2278_a_campaign_is_not_finished_while_anybody_is_unsent_and_says_who() -> None:
    """peers.md 5 and 6: the worker that fetched a batch is gone; 'finished' with people unsent; no list of the missed."""
    shop = Shop()
    shop.evaluate()
    lost = shop.world.send_queue.waiting.pop()  # a queue that loses a message, as none should
    shop.world.run()
    row = shop.row()
    assert lines(row) == ("running", PEOPLE, PEOPLE - 1, 1)
    assert not row.is_finished
    assert row.missing == ["1 on its list have no end"]
    (one,) = shop.missed()
    assert one.customer_id in lost.body
    assert (one.status, one.held_until) == ("queued", "")


def test_a_stranger_with_the_runs_name_does_not_make_up_for_somebody_who_was_left_out() -> None:
    shop = Shop()
    shop.evaluate()
    shop.world.send_queue.waiting.pop()
    shop.world.run()
    of = shop.world.records()[0]
    intent = shop.world.intent("news", "c99", "U99", source=shop.source)
    stranger = _of_campaign(record_of(intent, "sent", "", shop.world.now), of)
    shop.world.sends.record_all([stranger])
    row = shop.row()
    assert row.accounts.pending == 0
    assert not row.is_finished
    assert row.missing == ["the send log has ends of messages that are not on its list"]


def _of_campaign(record: SendRecord, like: SendRecord) -> SendRecord:
    return msgspec.structs.replace(record, campaign=like.campaign, run=like.run, scenario="")


def test_one_message_under_two_ids_of_one_person_counts_once_by_the_likelier_end() -> None:
    """The friend was linked while the list was frozen: both ids are on it, with one LINE user and one message."""
    shop = Shop()
    run = shop.runs.freeze_run(shop.run)
    pages = [["c0", "anon:U0"], [], [], []]
    for segment, names in enumerate(pages):
        shop.runs.freeze_chunk(run, segment, 0, Chunk([Recipient(name, "U0", {}) for name in names]))
        shop.runs.checkpoint(run, segment, 0)
    assert lines(shop.row()) == ("running", 1, 0, 1)
    intent = shop.world.intent("news", source=shop.source)
    for name, status in (("anon:U0", "sent"), ("c0", "suppressed")):
        record = msgspec.structs.replace(
            record_of(intent, status, "capped:x" if status == "suppressed" else "", EVENING),  # type: ignore[arg-type]
            customer_id=name,
            send_id=send_id_in(run, "U0", shop.stores.settings.account),
            made_at=run.made_at,
            campaign="winter",
            run=run.source,
            scenario="",
        )
        shop.world.sends.record_all([record])
    row = shop.row()
    assert lines(row) == ("finished", 1, 1, 0)
    assert row.accounts.suppressed == {}
    assert row.is_finished
    assert shop.missed() == []


@pytest.mark.parametrize("dearer", [True, False])
def test_key_by_key_and_over_the_whole_log_the_accounts_are_the_same(
    monkeypatch: pytest.MonkeyPatch, dearer: bool
) -> None:
    shop = Shop()
    shop.world.ingest(shop.world.event("cart_left", "c1"))
    shop.evaluate()
    for _ in range(4):
        shop.world.step_send()
    monkeypatch.setattr(shop.stores.reports, "is_dearer_than", lambda _: dearer)
    scans: list[int] = []
    scan = shop.stores.reports.scan

    def noted(*texts: str) -> Iterator[SendRecord]:
        scans.append(1)
        return scan(*texts)

    monkeypatch.setattr(shop.stores.reports, "scan", noted)
    assert lines(shop.row()) == ("running", PEOPLE, 4, PEOPLE - 4)
    assert lines(shop.row(shop.source)) == ("running", PEOPLE, 4, PEOPLE - 4)
    assert bool(scans) != dearer


def test_what_waits_is_told_by_reason_and_until_when() -> None:
    shop = Shop(NIGHT)
    shop.evaluate()
    for _ in range(4):
        shop.world.step_send()
    row = shop.row()
    (held,) = row.held
    assert (held.reason, held.messages, row.queued) == ("quiet_hours", 4, PEOPLE - 4)
    assert held.first == held.last == jst(11, 5, 7)
    by_status = sorted((one.status, one.reason, one.held_until) for one in shop.missed())
    until = format_instant(jst(11, 5, 7))
    assert by_status == [("held", "quiet_hours", until)] * 4 + [("queued", "", "")] * (PEOPLE - 4)
    shop.world.advance(to=jst(11, 5, 8))
    assert lines(shop.row()) == ("finished", PEOPLE, PEOPLE, 0)
    assert shop.missed() == []


def test_all_of_it_adds_up_over_scenarios_and_runs() -> None:
    shop = Shop()
    shop.world.ingest(shop.world.event("cart_left", "c1"))
    shop.world.advance(days=2)
    shop = _anew(shop)
    books = Bookkeeper(shop.stores).books()
    assert [(row.name, row.state) for row in books.rows] == [("path", "settled"), (shop.source, "finished")]
    assert books.is_finished
    assert books.total == accounts(shop.stores)
    assert books.total.targeted == PEOPLE + 1
    assert accounts(shop.stores, scenario="path").targeted == 1
    assert accounts(shop.stores, "winter", "path") == books.total


def _anew(shop: Shop) -> Shop:
    shop.stores = deployed(shop.world)
    return shop


def test_a_list_that_is_whole_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shop, read = Shop(), list[str]()
    keeper = Bookkeeper(shop.stores, "winter")
    shop.evaluate(3)
    original = shop.stores.objects.read

    def noted(key: str) -> bytes | None:
        read.append(key)
        return original(key)

    monkeypatch.setattr(shop.stores.objects, "read", noted)
    keeper.books()
    shop.evaluate()
    keeper.books()
    assert any("/pages/" in key for key in read)
    read.clear()
    keeper.books()
    assert [key for key in read if "/pages/" in key] == []


# --- the command


Ask = Callable[..., tuple[int, str, str]]


def asking(shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    monkeypatch.setattr("ops.sends.target_of", lambda *_: shop.stores.target)
    monkeypatch.setattr("ops.sends.Stores", lambda _target: shop.stores)
    monkeypatch.setenv("COLUMNS", "200")
    keep_up(shop.stores, shop.world)

    def ask(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(["sends", *arguments])
        out, err = capsys.readouterr()
        assert isinstance(stopped.value.code, int)
        return stopped.value.code, out, err

    return ask


def test_the_contract_has_its_keys_and_the_rows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = Shop(NIGHT)
    shop.evaluate()
    shop.world.run()
    ask = asking(shop, monkeypatch, capsys)
    code, out, _ = ask("--campaign", shop.source, "--format", "json")
    told = json.loads(out)
    assert code == 0
    assert {
        name: told[name] for name in ("targeted", "sent", "suppressed", "failed", "unknown", "pending")
    } == {
        "targeted": PEOPLE,
        "sent": 0,
        "suppressed": {},
        "failed": 0,
        "unknown": 0,
        "pending": PEOPLE,
    }
    assert told["finished"] is False
    (row,) = told["rows"]
    until = format_instant(jst(11, 5, 7))
    assert row["held"] == [{"reason": "quiet_hours", "messages": PEOPLE, "first": until, "last": until}]
    _, out, _ = ask("--campaign", "winter")
    assert f"held {PEOPLE}: quiet_hours, until {until}" in out
    assert f"{shop.source}: {PEOPLE} on its list have no end." in out


def test_the_missed_are_exported(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    shop = Shop()
    shop.evaluate()
    shop.world.ingest(shop.world.event("consent_withdrawn", "c3", purpose="marketing"))
    shop.world.decide_all()
    shop.world.run()
    ask = asking(shop, monkeypatch, capsys)
    _, out, _ = ask("--campaign", "winter", "--missed", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(out))
    assert (row["customer_id"], row["status"], row["reason"]) == ("c3", "suppressed", "no_consent")
    assert row["run"] == shop.source
    _, out, _ = ask("--campaign", shop.source, "--missed", "--format", "json")
    assert json.loads(out) == [row]
    _, out, _ = ask("--campaign", shop.source, "--missed")
    assert out.startswith("suppressed (no_consent): 1\n  c3")


def test_it_watches_until_all_is_finished(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = Shop()
    shop.evaluate()
    looks: list[float] = []

    def pause(seconds: float) -> None:
        looks.append(seconds)
        for _ in range(4):
            shop.world.step_send()
        keep_up(shop.stores, shop.world)

    monkeypatch.setattr("ops.sends.time.sleep", pause)
    code, out, _ = asking(shop, monkeypatch, capsys)("--campaign", "winter", "--watch", "--every", "2")
    assert code == 0
    assert looks == [2.0, 2.0, 2.0]
    assert out.endswith("The accounts close.\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--missed"], "give --campaign"),
        (["--format", "csv"], "--format csv is for --missed"),
        (["--watch", "--format", "json"], "--watch shows a table"),
        (["--campaign", "summer"], "No campaign 'summer' is known"),
        (["--campaign", "winter@2026-01-01T00:00:00Z"], "No run 'winter@2026-01-01T00:00:00Z' is known"),
        (["--campaign", "winter@yesterday"], "'yesterday' is no instant"),
    ],
)
def test_a_mistake_gets_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    code, _, err = asking(Shop(), monkeypatch, capsys)(*arguments)
    assert code == 2
    assert told in err
    assert err.count("\n") == 1
