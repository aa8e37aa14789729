"""`musubi stop`, `resume` and `blocks`: what they write, whom they name, and what they bring back."""

import datetime as dt
import json
from collections.abc import Iterator

import pytest

from functions.domain.account import UNTIL_LIFTED, Block
from functions.domain.breaker import WINDOW_MAX, Counts, days_until
from functions.domain.instants import DAY
from functions.domain.sends import Intent
from ops.callers import caller_of
from ops.engine.clients import Clients
from ops.stores import Stores
from ops.target import Target
from ops.versions import Version, keep
from tests.fakes.playbooks import campaign, days, playbook, scenario, send
from tests.fakes.world import World
from tests.ops.stopped import commanded, queued, run, trail

PATH = scenario("cart_left", days(365), send("offer"))
BOOK = playbook(scenarios={"path": PATH, "other": PATH}, campaigns={"winter": campaign("news")})
HOUR = dt.timedelta(hours=1)
ACCOUNT_STOPPED = Block("stopped", UNTIL_LIFTED)


@pytest.fixture
def world() -> World:
    """The account and the scenario `other` are stopped, and what was due is held for that."""
    world = World(BOOK)
    for number in range(4):
        world.customer_with_line(f"c{number}", f"U{number}")
    world.account_state.block(Block("stopped", UNTIL_LIFTED, "scenario:path"))
    world.account_state.block(Block("over_quota", UNTIL_LIFTED, "scenario:other"))
    world.enqueue(
        world.intent("offer", "c0", "U0"),
        world.intent("thanks", "c1", "U1"),
        world.intent("tips", "c2", "U2", source="other"),
    )
    world.run()
    assert len(world.timers.held) == 3
    return world


@pytest.fixture
def stores(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    monkeypatch.setattr("ops.stopping.HEEDED_AFTER_SECONDS", 0)
    with commanded(world, monkeypatch, "stopping") as stores:
        world.now += dt.timedelta(minutes=1)
        yield stores


def blocks_of(stores: Stores) -> list[Block]:
    """As a command that is called now reads them."""
    return Stores(stores.target).account_state.read().blocks


def waiting(stores: Stores) -> list[Intent]:
    return [row.intent for rows in stores.timers.held(0, 1) for row in rows if row.intent]


def test_a_stop_says_what_until_when_why_and_who(
    stores: Stores, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "stop", "--why", "wrong price")
    assert (code, out) == (
        0,
        "Stopped: account, until it is resumed. Workers know within 5 seconds.\n",
    )
    (block,) = blocks_of(stores)
    assert block == Block("stopped", UNTIL_LIFTED, by=block.by, why="wrong price", since=world.now)
    assert block.by.startswith("arn:aws:")
    (entry,) = trail(stores, "blocks")
    assert (entry["did"], entry["by"], entry["why"], entry["block"]["scope"]) == (
        "stop",
        block.by,
        "wrong price",
        "account",
    )


@pytest.mark.parametrize(
    ("options", "scope", "kinds"),
    [
        (["--scenario", "path"], "scenario:path", []),
        (["--campaign", "winter"], "campaign:winter", []),
        (["--segment", "buyers"], "segment:buyers", []),
        (["--kind", "support", "--kind", "promotion"], "account", ["promotion", "support"]),
    ],
)
def test_a_stop_is_of_what_is_named_until_the_instant_that_is_named(
    stores: Stores, capsys: pytest.CaptureFixture[str], options: list[str], scope: str, kinds: list[str]
) -> None:
    code, out, _ = run(capsys, "stop", *options, "--why", "x", "--until", "2027-01-01T09:00:00+09:00")
    assert code == 0
    assert "until 2027-01-01T00:00:00Z" in out
    (block,) = blocks_of(stores)
    assert (block.scope, block.kinds, block.until) == (scope, kinds, dt.datetime(2027, 1, 1, tzinfo=dt.UTC))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--scenario", "pathh"], "There is no scenario 'pathh'; did you mean 'path'?"),
        (["--campaign", "path"], "There is no campaign 'path'; known: winter"),
        (["--scenario", "path", "--campaign", "winter"], "Name one of --scenario, --campaign and --segment"),
        (["--until", "tomorrow"], "'tomorrow' is no instant"),
        (["--until", "2026-11-01T00:00:00Z"], "2026-11-01T00:00:00Z has passed; it is 2026-11-02T03:0"),
    ],
)
def test_a_mistake_stops_nothing_and_is_told_in_a_line(
    stores: Stores, capsys: pytest.CaptureFixture[str], options: list[str], told: str
) -> None:
    code, out, err = run(capsys, "stop", *options, "--why", "x")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert told in err
    assert blocks_of(stores) == []
    assert trail(stores, "blocks") == []


def test_a_stop_needs_its_reason(stores: Stores, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "stop")[0] == 2
    assert blocks_of(stores) == []


def test_what_a_playbook_had_before_can_be_stopped_too(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(stores.objects, [Version(BOOK.version, "test", stores.now())])
    stores.playbooks.apply(playbook())
    assert run(capsys, "stop", "--scenario", "path", "--why", "x")[0] == 0
    assert run(capsys, "stop", "--scenario", "never", "--why", "x")[0] == 2


def test_the_longer_of_two_stops_stays_and_is_told(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "stop", "--why", "first")
    _, out, _ = run(capsys, "stop", "--why", "second", "--until", "2027-01-01T00:00:00Z")
    assert "until it is resumed" in out
    assert "stopped it before, and for longer" in out
    assert [block.why for block in blocks_of(stores)] == ["first"]


def test_a_resume_lifts_what_is_named_and_brings_back_what_waited_for_it(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    stores.account_state.block(Block("stopped", UNTIL_LIFTED, "scenario:path", by="hana"))
    stores.account_state.block(Block("breaker_open", UNTIL_LIFTED, "scenario:path", ["promotion"]))
    stores.account_state.block(Block("over_quota", UNTIL_LIFTED, "scenario:other"))
    code, out, _ = run(capsys, "resume", "--scenario", "path", "--why", "mended")
    assert code == 0
    assert "Resumed: scenario:path, which hana stopped (stopped)." in out
    assert "Resumed: scenario:path (promotion), which Musubi itself stopped (breaker_open)." in out
    assert "2 messages that waited are back in the queue." in out
    assert sorted(intent.message for intent in queued(stores)) == ["offer", "thanks"]
    assert [intent.message for intent in waiting(stores)] == ["tips"]
    assert [block.scope for block in blocks_of(stores)] == ["scenario:other"]
    assert sorted((entry["did"], entry["block"]["reason"]) for entry in trail(stores, "blocks")) == [
        ("resume", "breaker_open"),
        ("resume", "stopped"),
    ]


def test_a_breaker_that_is_lifted_begins_to_count_anew(
    stores: Stores, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    days_ = days_until(world.now, WINDOW_MAX)
    for at in (world.now, world.now - 2 * DAY):
        stores.reactions.count_sent({"campaign:winter": 1_000, "segment:everybody": 1_000}, at)
        stores.reactions.count_block(f"line:{at}", {"campaign:winter": at})
    stores.account_state.block(Block("breaker_open", UNTIL_LIFTED, "campaign:winter", by="the breaker"))
    code, out, _ = run(capsys, "resume", "--campaign", "winter")
    assert (code, blocks_of(stores)) == (0, [])
    assert "Resumed: campaign:winter, which the breaker stopped (breaker_open)." in out
    assert stores.reactions.counts(["campaign:winter", "segment:everybody"], days_) == {
        "campaign:winter": Counts(0, 0, world.now),
        "segment:everybody": Counts(2_000, 0),
    }


def test_a_resume_that_was_interrupted_is_simply_said_again(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    """The block was lifted before the crash; the messages are still in their timers."""
    code, out, _ = run(capsys, "resume", "--scenario", "path")
    assert code == 0
    assert "Nothing stops scenario:path" in out
    assert "2 messages that waited are back" in out
    assert "0 messages that waited are back" in run(capsys, "resume", "--scenario", "path")[1]


def test_what_another_block_stops_as_well_stays_where_it_is(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    stores.account_state.block(Block("stopped", UNTIL_LIFTED, kinds=["promotion"]))
    run(capsys, "resume", "--scenario", "path")
    assert [intent.message for intent in queued(stores)] == ["thanks"]
    assert sorted(intent.message for intent in waiting(stores)) == ["offer", "tips"]


def test_a_resume_of_one_kind_leaves_the_stop_of_all(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    stores.account_state.block(ACCOUNT_STOPPED)
    stores.account_state.block(Block("stopped", UNTIL_LIFTED, kinds=["promotion"]))
    run(capsys, "resume", "--kind", "promotion")
    assert blocks_of(stores) == [ACCOUNT_STOPPED]
    assert queued(stores) == []


def test_a_quota_is_lifted_only_where_it_is_named(stores: Stores, capsys: pytest.CaptureFixture[str]) -> None:
    stores.account_state.block(Block("over_quota", UNTIL_LIFTED, "scenario:other"))
    run(capsys, "resume", "--scenario", "other")
    assert len(blocks_of(stores)) == 1
    run(capsys, "resume", "--scenario", "other", "--reason", "over_quota")
    assert blocks_of(stores) == []
    assert [intent.message for intent in queued(stores)] == ["tips"]


def test_a_resume_of_what_does_not_exist_is_a_mistake(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "resume", "--scenario", "pathh")[0] == 2


def test_what_the_queue_does_not_take_stays_in_its_timer_and_is_told(
    stores: Stores, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.aws.queues.SqsSendQueue.put", lambda _self, orders: [])
    code, _, err = run(capsys, "resume", "--scenario", "path")
    assert code == 2
    assert "2 messages were not taken by the queue; run the same command again." in err
    assert len(waiting(stores)) == 3


def test_what_is_stopped_is_listed(stores: Stores, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "blocks")[1] == "Nothing is stopped.\n"
    assert json.loads(run(capsys, "blocks", "--format", "json")[1]) == []
    run(capsys, "stop", "--scenario", "path", "--kind", "promotion", "--why", "誤植")
    stores.account_state.block(Block("over_quota", world.now + HOUR))
    stores.account_state.block(Block("over_budget", world.now))
    first, second = json.loads(run(capsys, "blocks", "--format", "json")[1])
    assert (first["scope"], first["reason"], first["until"], first["by"]) == (
        "account",
        "over_quota",
        "2026-11-02T04:01:00Z",
        None,
    )
    assert (second["scope"], second["kinds"], second["why"], second["until"]) == (
        "scenario:path",
        ["promotion"],
        "誤植",
        None,
    )
    assert second["since"] == "2026-11-02T03:01:00Z"
    table = run(capsys, "blocks")[1]
    assert "scenario:path" in table
    assert "over_budget" not in table


def test_on_this_machine_the_name_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "hana")
    assert caller_of(Target({}, {}, Clients("http://127.0.0.1:1"))) == "hana"
