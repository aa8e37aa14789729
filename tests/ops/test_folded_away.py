"""What tools read of a customer whose old events are folded away: the base counts, and is nobody's event."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from functions.domain.compiled import Compiled
from functions.domain.erasure import Person as Erased
from functions.domain.events import Event
from functions.domain.instants import format_instant
from functions.domain.profiles import fold_all
from functions.ports.messages import EventsReceived
from ops.cli import main
from ops.erasing.rows import Rows
from ops.explain.entries import profile_at
from ops.explain.known import Archive
from ops.exporting.gathering import export_of
from ops.plan import deployed as people
from ops.plan.basis import basis_of_deployment
from ops.plan.course import Course
from ops.plan.lives import begun
from ops.stores import Stores
from tests.fakes.queues import FakeInbox
from tests.fakes.world import ACCOUNT, World
from tests.flows.test_folding_away import CHANGED, DAY, book, bought, tell, visit
from tests.ops.deployments import REGION, deployed


@pytest.fixture
def world() -> World:
    """c1 bought twice, long ago, and once lately; so did c2, who became c1 thereafter."""
    world = World(book())
    tell(world, bought(world, "o1"), bought(world, "o2"), bought(world, "p1", customer_id="c2"))
    world.advance(days=100)
    tell(world, bought(world, "o3"))
    visit(world, "c1", "c2")
    merge = Event("m1", "c2", "customers_merged", world.now, source="crm", properties={"into": "c1"})
    FakeInbox(world.inbox_queue).put([EventsReceived("c2", [merge])])
    world.run()
    assert world.events.kept_of("c1").base.tallies["purchase"].count == 2
    return world


@pytest.fixture
def stores(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield deployed(world)


def test_a_forecast_by_another_dictionary_starts_at_the_base(stores: Stores, world: World) -> None:
    changed = book(CHANGED)
    basis = basis_of_deployment(stores, changed, None, 14, 0, eventful=False)
    (person,) = [one for one in basis.people if one.customer_id == "c1"]
    customer, _ = begun(person, Course(Compiled(changed), {}, ACCOUNT, basis.start, basis.start))
    world.apply(changed)
    visit(world, "c1")
    assert customer.profile == world.customer("c1").profile
    assert customer.profile.tallies["buys"].count == 4


def test_every_history_is_read_with_its_base(stores: Stores) -> None:
    found = people.histories(stores)
    assert {event.event_id for event in found.kept_of("c1").events} == {"o3", "m1"}
    assert (found.kept_of("c1").base.version, found.kept_of("c9").base.version) == (1, 0)


def test_what_is_explained_starts_at_the_base(stores: Stores, world: World) -> None:
    known = Archive(stores).one(world.customer("c1"))
    assert profile_at(known, world.now).tallies == world.customer("c1").profile.tallies
    assert fold_all(known.events, known.current.dictionary).tallies["orders"].count == 1


def test_an_instant_before_the_base_is_explained_with_a_word_of_caution(
    stores: Stores, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ops.explain.command.target_of", lambda *_: stores.target)
    monkeypatch.setattr("ops.explain.command.Stores", lambda _target: stores)
    early = format_instant(world.now - 95 * DAY)
    told = []
    for at in ([], ["--at", early]):
        with pytest.raises(SystemExit):
            main(["explain", "c1", "--format", "json", *at])
        told.append("folded away" in capsys.readouterr().err)
    assert told == [False, True]


def test_an_export_has_what_was_counted_before(stores: Stores) -> None:
    told = export_of(stores, Erased(["c1", "c2"], [], "token"))
    assert {one["customer_id"]: one["tallies"]["purchase"]["count"] for one in told["counted_before"]} == {
        "c1": 2,
        "c2": 1,
    }


def test_an_erasure_takes_the_base_out(stores: Stores) -> None:
    assert Rows(stores, Erased(["c1", "c2"], [], "token")).sweep()["table:events"] >= 4
    assert stores.events.kept_of("c1") == stores.events.kept_of("nobody")
    assert stores.events.kept_of("c2") == stores.events.kept_of("nobody")


def test_an_erasure_of_one_leaves_the_base_of_another(stores: Stores) -> None:
    before = stores.events.kept_of("c1")
    Rows(stores, Erased(["c9"], ["U9"], "token")).sweep()
    assert stores.events.kept_of("c1") == before
