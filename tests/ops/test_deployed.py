"""plan and explain on a deployment: what they read there is what the world came to."""

import datetime as dt
import json
import random
from collections.abc import Iterator

import pytest
from moto import mock_aws

from functions.domain.instants import parse_instant
from functions.domain.sends import BatchOrder, MenuOrder
from ops.cli import main
from ops.explain.cards import explanation_of
from ops.explain.known import Archive
from ops.plan import deployed as people
from ops.plan.basis import basis_of_deployment
from ops.plan.course import Terms
from ops.stores import Stores
from tests.fakes.world import ACCOUNT, World
from tests.ops.deployments import REGION, deployed
from tests.ops.explaining import known_in
from tests.ops.plan.worlds import PEOPLE, busy_book, counted, lived, people_in, terms_in


@pytest.fixture(scope="module")
def world() -> World:
    """Three busy weeks, with something held at their end."""
    found = World(busy_book())
    lived(found, random.Random(2), days_back=21)
    while not found.timers.held:
        found.advance(hours=1)
        found.ingest(found.event("cart_left", "c3"))
        found.run()
    return found


@pytest.fixture(scope="module")
def stores(world: World) -> Iterator[Stores]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        with mock_aws():
            yield deployed(world)


def test_the_forecast_of_a_deployment_is_that_of_the_world_it_is_in(stores: Stores, world: World) -> None:
    basis = basis_of_deployment(stores, world.book, None, 14, 0, eventful=False)
    terms = Terms(
        world.book, basis.versions, {}, ACCOUNT, basis.start, terms_in(world, world.book, days_ahead=14).end
    )
    assert counted(list(basis.people), terms) == counted(people_in(world), terms)
    assert basis.in_force == world.book


def test_held_messages_are_read_with_their_instant(stores: Stores, world: World) -> None:
    for other in (
        BatchOrder("b1", "mail@2026-11-02T03:00:00Z", 0, 0, [1]),
        MenuOrder("menu:1", "c1", "U1", "vip"),
    ):
        stores.timers.hold(other, world.now, world.now)
    held = [(one.until, one.intent) for mine in people.held_messages(stores).values() for one in mine]
    assert sorted(held, key=lambda pair: pair[1].send_id) == sorted(
        world.timers.held, key=lambda pair: pair[1].send_id
    )


def test_replayed_days_bring_the_events_of_the_deployment_again(stores: Stores, world: World) -> None:
    plain = list(basis_of_deployment(stores, world.book, None, 7, 0, eventful=False).people)
    again = list(basis_of_deployment(stores, world.book, None, 7, 7, eventful=False).people)
    assert sum(len(person.ahead) for person in again) > PEOPLE / 3
    assert len(again) >= len(plain)


def test_everybody_is_explained_as_the_world_has_it(stores: Stores, world: World) -> None:
    cards = {known.customer.customer_id: explanation_of(known) for known in Archive(stores).everybody()}
    assert len(cards) >= PEOPLE - 4
    for customer_id, card in cards.items():
        assert card == explanation_of(known_in(world, customer_id))


def test_what_came_later_than_the_instant_asked_for_is_left_out(stores: Stores, world: World) -> None:
    at = world.now - dt.timedelta(days=9)
    for known in Archive(stores, at).everybody():
        card = explanation_of(known)
        told = [
            *(send["at"] for send in card["sends"]),
            *(j["entered_at"] for s in card["scenarios"] for j in s["journeys"]),
        ]
        assert all(parse_instant(instant) <= at for instant in told)
        assert sum(t.count for t in known.customer.profile.tallies.values()) == len(known.events)
        assert card["unexplained"] == []


def test_all_is_one_line_each_and_fails_where_anything_is_unexplained(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ops.explain.command.target_of", lambda *_: stores.target)
    monkeypatch.setattr("ops.explain.command.Stores", lambda _target: stores)
    with pytest.raises(SystemExit) as stopped:
        main(["explain", "--all"])
    out, err = capsys.readouterr()
    cards = [json.loads(line) for line in out.splitlines()]
    assert stopped.value.code == 0
    assert len(cards) >= PEOPLE - 4
    assert "unexplained: 0" in err
    monkeypatch.setattr("ops.explain.cards.unexplained", lambda *_: ["1 of path"])
    with pytest.raises(SystemExit) as stopped:
        main(["explain", "--all"])
    assert stopped.value.code == 1


def test_one_customer_is_shown_on_the_terminal(
    stores: Stores, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = next(record for record in world.records() if record.facts)
    monkeypatch.setattr("ops.explain.command.target_of", lambda *_: stores.target)
    monkeypatch.setattr("ops.explain.command.Stores", lambda _target: stores)
    with pytest.raises(SystemExit):
        main(["explain", record.customer_id])
    out, _ = capsys.readouterr()
    assert record.customer_id in out
    assert record.message in out
    assert "the gate saw" in out
