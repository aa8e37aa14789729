"""`musubi links`: what waits is listed, every change is shown, and a decision is looked at twice before it is on its way."""

import datetime as dt
import json
from types import SimpleNamespace
from typing import Any, get_args

import pytest

from functions.domain.erasure import Erasure, Person, suppressed
from functions.domain.links import State
from ops.cli import main
from tests.fakes.queues import FakeInbox
from tests.fakes.world import World
from tests.flows.test_link_life import has_phone, phone_known, tied
from tests.flows.test_linking import fresh, link, link_of


class Desk:
    """The command over a world of fakes: what it answers, and what it puts on its way."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = World(fresh().book)
        self.trail: list[dict[str, Any]] = []
        self._capsys = capsys
        monkeypatch.setattr("ops.links.command.target_of", lambda *_: SimpleNamespace(engine_url="here"))
        monkeypatch.setattr("ops.links.command.Stores", lambda _target: self._stores())

    def _stores(self) -> SimpleNamespace:
        world = self.world
        return SimpleNamespace(
            target=SimpleNamespace(engine_url="here"),
            settings=SimpleNamespace(account="shop"),
            identities=world.identities,
            customers=world.customers,
            suppressions=world.suppressions,
            audience=world.audience,
            events=world.events,
            now=world.clock,
            inbox=FakeInbox(world.inbox_queue),
            objects=SimpleNamespace(write_new=self._write_new),
        )

    def _write_new(self, _key: str, body: bytes) -> bool:
        self.trail.append(json.loads(body))
        return True

    def __call__(self, *arguments: str, code: int = 0) -> str:
        with pytest.raises(SystemExit) as stopped:
            main(["links", *arguments])
        out, err = self._capsys.readouterr()
        assert stopped.value.code == code, err
        self.world.run()
        return err if code else out


@pytest.fixture
def desk(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(capsys, monkeypatch)


def disputed() -> World:
    world = fresh()
    link(world, "c1")
    world.run()
    link(world, "c2", event_id="link-2", minutes=1)
    world.run()
    world.now += dt.timedelta(minutes=5)
    return world


SURE = ("--why", "they called us", "--as", "ann", "--yes")


def test_what_waits_for_a_decision_is_listed(desk: Desk) -> None:
    assert desk("list") == "Nothing waits for a decision.\n"
    desk.world = disputed()
    assert "U1  since 2026-11-03T03:01:00Z: two customers say that it is theirs (c1 or c2)" in desk("list")
    (told,) = json.loads(desk("list", "--format", "json"))
    assert (told["line_user_id"], told["reason"], told["candidates"]) == ("U1", "two_customers", ["c1", "c2"])


def test_a_link_is_shown_with_every_change(desk: Desk) -> None:
    desk.world = disputed()
    for identifier in ("U1", "c1", "c2"):
        (told,) = json.loads(desk("show", identifier, "--format", "json"))
        assert (told["customer_id"], told["status"], told["claimed_by"]) == ("c1", "conflict", "c2")
        assert told["account"] == "shop", "the same LINE user may be somebody else elsewhere"
        assert [(one["before"]["status"], one["after"]["status"]) for one in told["audit"]] == [
            ("anonymous", "linked"),
            ("linked", "conflict"),
        ]
    assert "linked (c1) → conflict (c1)" in desk("show", "U1")


def test_a_friend_without_a_link_is_anonymous(desk: Desk) -> None:
    desk.world = fresh()
    (told,) = json.loads(desk("show", "U1", "--format", "json"))
    assert (told["status"], told["audit"]) == ("anonymous", [])
    assert desk("show", "U1") == "U1 in shop: anonymous\n"


def erased(world: World, *identities: str, before: State, by: str = "ann") -> None:
    """What an erasure leaves behind: the suppression."""
    erasure = Erasure("e-7", world.now, by, "they asked", Person([], [], ""))
    for identity in identities:
        world.suppressions.put(
            identity, suppressed(world.suppressions.known(identity), erasure, before, world.now)
        )


def test_who_was_erased_is_shown_so_with_who_did_it_when_and_what_was_before(desk: Desk) -> None:
    erased(desk.world, "line#U1", "customer#c1", before="linked")
    for identifier in ("U1", "c1"):
        (told,) = json.loads(desk("show", identifier, "--format", "json"))
        assert told["status"] == "erased"
        (entry,) = told["audit"]
        assert (entry["source"], entry["event_id"], entry["method"]) == ("ann", "e-7", "erasure")
        assert (entry["before"], entry["after"]) == ({"status": "linked"}, {"status": "erased"})
    assert "linked → erased  erasure by ann: e-7" in desk("show", "U1")


def test_an_erasure_that_goes_on_after_a_crash_is_noted_once_and_a_return_too(desk: Desk) -> None:
    world = desk.world
    erased(world, "line#U1", before="linked")
    erased(world, "line#U1", before="anonymous")
    suppression = world.suppressions.find("line#U1")
    assert suppression is not None
    world.suppressions.lift("line#U1", suppression, world.now)
    (told,) = json.loads(desk("show", "U1", "--format", "json"))
    assert told["status"] == "anonymous"
    states = [(one["before"]["status"], one["after"]["status"]) for one in told["audit"]]
    assert states == [("linked", "erased"), ("erased", "anonymous")]
    link(world, "c2")
    world.run()
    after, again = json.loads(desk("show", "U1", "--format", "json"))
    assert (after["status"], again["status"], again["customer_id"]) == ("linked", "linked", "c2")


@pytest.mark.parametrize("status", get_args(State))
def test_all_of_one_status_are_listed_and_who_was_erased_by_hash_alone(desk: Desk, status: str) -> None:
    world = desk.world = disputed()
    link(world, "c3", "U3", event_id="link-3")
    link(world, "c4", "U4", event_id="link-4")
    world.run()
    world.now += dt.timedelta(minutes=1)
    world.ingest(world.event("line_unlinked", "c4", line_user_id="U4"))
    world.webhook(world.line_event("follow", "U5"))
    world.run()
    erased(world, "line#U6", before="linked")
    found = json.loads(desk("list", "--status", status, "--format", "json"))
    names = {"anonymous": "U5", "linked": "U3", "conflict": "U1", "unlinked": "U4"}
    assert [one["status"] for one in found] == [status]
    if status != "erased":
        assert found[0]["line_user_id"] == names[status]
    assert "U6" not in desk("list", "--status", status)
    assert desk("list", "--status", status).endswith("1 in all.\n")


def test_who_is_linked_to_nobody_is_said_to_be_unknown(desk: Desk) -> None:
    assert "Nobody is linked as 'U9'" in desk("show", "U9", code=2)


def test_a_decision_gives_the_line_user_to_a_customer_and_says_who_decided(desk: Desk) -> None:
    desk.world = disputed()
    told = desk("review", "U1", "--give", "c2", *SURE)
    assert "what happened so far stays with c1" in told
    assert (link_of(desk.world).customer_id, link_of(desk.world).status) == ("c2", "linked")
    (shown,) = json.loads(desk("show", "U1", "--format", "json"))
    last = shown["audit"][-1]
    assert (last["source"], last["method"], last["why"]) == ("operator:ann", "review", "they called us")
    assert desk.trail[0]["by"] == "ann"
    assert "U1" not in json.dumps(desk.trail)


def test_a_decision_to_keep_ends_the_claim(desk: Desk) -> None:
    desk.world = disputed()
    assert "stays c1's; the claim of c2 comes to nothing" in desk("review", "U1", "--keep", *SURE)
    found = link_of(desk.world)
    assert (found.customer_id, found.status, found.method) == ("c1", "linked", "crm")


def test_nothing_is_done_that_was_not_looked_at(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.world = disputed()
    monkeypatch.setattr("click.confirm", lambda *_a, **_k: (_ for _ in ()).throw(SystemExit(3)))
    desk("review", "U1", "--give", "c2", "--why", "they called us", code=3)
    assert link_of(desk.world).status == "conflict"
    assert desk.trail == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("U1", *SURE), "Say --give CUSTOMER, or --keep"),
        (("U1", "--give", "c2", "--keep", *SURE), "Say --give CUSTOMER, or --keep"),
        (("U9", "--keep", *SURE), "Nothing waits for a decision on 'U9'"),
        (("U1", "--give", "c2", "--why", " ", "--yes"), "--why"),
    ],
)
def test_a_mistake_is_told_and_changes_nothing(desk: Desk, arguments: tuple[str, ...], told: str) -> None:
    desk.world = disputed()
    assert told in desk("review", *arguments, code=2)
    assert link_of(desk.world).status == "conflict"


def test_whose_number_several_have_is_given_to_one(desk: Desk) -> None:
    desk.world = fresh()
    has_phone(desk.world, "c1")
    has_phone(desk.world, "c2")
    desk.world.run()
    phone_known(desk.world)
    desk.world.run()
    assert "several customers have its phone number (c1 or c2)" in desk("list")
    assert "say --give CUSTOMER" in desk("review", "U1", "--keep", *SURE, code=2)
    desk("review", "U1", "--give", "c2", *SURE)
    assert (link_of(desk.world).customer_id, link_of(desk.world).status) == ("c2", "linked")


def test_an_undo_says_what_goes_back_and_undoes(desk: Desk) -> None:
    desk.world = tied()
    told = desk("undo", "U1", *SURE)
    assert "3 events of LINE go back to the friend" in told
    assert "1 journeys that came with the friend go back" in told
    assert desk.world.customer("anon:U1").profile.tallies["line_message"].count == 2
    assert "is linked to nobody" in desk("undo", "U1", *SURE, code=2)


def test_after_thirty_days_an_undo_is_refused_with_what_to_do_instead(desk: Desk) -> None:
    desk.world = tied()
    desk.world.advance(days=31)
    told = desk("undo", "U1", *SURE, code=2)
    assert "could be undone until 2026-12-03T03:00:00Z" in told
    assert "send line_unlinked" in told
    assert link_of(desk.world).status == "linked"


def merged() -> World:
    """c2 was merged into c1, and something is told of each since."""
    world = fresh()
    link(world, "c2")
    world.run()
    world.advance(minutes=5)
    world.ingest(world.event("customers_merged", "c2", into="c1"))
    world.advance(minutes=5)
    world.ingest(world.purchase("c2"), world.purchase("c1"))
    world.advance(minutes=5)
    return world


def test_an_undo_of_a_merge_says_what_goes_back_and_undoes(desk: Desk) -> None:
    desk.world = merged()
    told = desk("undo", "--customers", "c2", *SURE)
    assert "c2 is a customer of its own again, with U1 and the 2 events told of it since" in told
    assert "1 journeys that it brought go back" in told
    assert desk.world.customer("c2").profile.tallies["orders"].count == 1
    assert link_of(desk.world).customer_id == "c2"
    last = json.loads(desk("show", "U1", "--format", "json"))[0]["audit"][-1]
    assert (last["source"], last["method"], last["why"]) == (
        "operator:ann",
        "customers_parted",
        "they called us",
    )
    assert "merged into nobody" in desk("undo", "--customers", "c2", *SURE, code=2)


@pytest.mark.parametrize("arguments", [("undo",), ("undo", "U1", "--customers", "c2")])
def test_an_undo_is_of_a_link_or_of_a_merge(desk: Desk, arguments: tuple[str, ...]) -> None:
    assert "Name a LINE user, or --customers" in desk(*arguments, *SURE, code=2)


def test_a_merge_is_not_undone_after_thirty_days_nor_before_what_came_after_it(desk: Desk) -> None:
    desk.world = merged()
    desk.world.ingest(desk.world.event("customers_merged", "c1", into="c9"))
    desk.world.run()
    assert "undo that first, with --customers c1" in desk("undo", "--customers", "c2", *SURE, code=2)
    desk("undo", "--customers", "c1", *SURE)
    desk.world.advance(days=31)
    assert "could be undone until 2026-12-03" in desk("undo", "--customers", "c2", *SURE, code=2)
