"""The registers of aggregation units: what the sender relies on, held by the fake and by the table alike."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest

from functions.aws.aggregation_units import DynamoAggregationUnits
from functions.domain import aggregation_units
from functions.domain.aggregation_units import Unit
from functions.ports.line import AggregationUnits
from tests.aws.conftest import Aws
from tests.fakes.aggregation_units import FakeAggregationUnits

NOW = dt.datetime(2026, 11, 20, 3, 0, tzinfo=dt.UTC)
DECEMBER = dt.datetime(2026, 12, 1, 3, 0, tzinfo=dt.UTC)
NEW_MAX, MAX = 6, 8


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aggregation_units, "NEW_NAMES_A_MONTH_MAX", NEW_MAX)
    monkeypatch.setattr(aggregation_units, "NAMES_A_MONTH_MAX", MAX)


@pytest.fixture(params=["fake", "aws"])
def units(request: pytest.FixtureRequest) -> AggregationUnits:
    if request.param == "fake":
        return FakeAggregationUnits()
    aws = request.getfixturevalue("aws")
    return of(aws, aws.tables()["gates"])


def of(aws: Aws, gates: str) -> DynamoAggregationUnits:
    return DynamoAggregationUnits(aws.client("dynamodb"), gates, "main")


def unit(number: int, made_at: dt.datetime = NOW) -> Unit:
    return Unit(f"m202611_{number:020}", made_at, scenario="path", step=f"step{number}", variant="b")


def test_a_name_is_taken_once_and_stays(units: AggregationUnits) -> None:
    assert [units.take(unit(1), NOW) for _ in range(3)] == [unit(1).name] * 3
    assert units.of_month("2026-11") == [unit(1)]
    assert units.of_month("2026-12") == []


def test_a_full_month_refuses_new_names_for_good_and_keeps_the_old(units: AggregationUnits) -> None:
    assert all(units.take(unit(one), NOW) for one in range(NEW_MAX))
    assert [units.take(unit(NEW_MAX), NOW) for _ in range(2)] == ["", ""]
    assert units.take(unit(0), NOW)
    assert len(units.of_month("2026-11")) == NEW_MAX


def test_a_name_of_last_month_counts_in_this_month_and_finds_room_that_new_ones_do_not(
    units: AggregationUnits,
) -> None:
    december = [unit(one, DECEMBER) for one in range(100, 100 + NEW_MAX)]
    assert all(units.take(one, DECEMBER) for one in december)
    late = [unit(one) for one in range(MAX - NEW_MAX + 1)]
    assert [bool(units.take(one, DECEMBER)) for one in late] == [True, True, False]
    assert len(units.of_month("2026-12")) == MAX


def test_workers_that_know_nothing_of_each_other_never_take_one_too_many(aws: Aws) -> None:
    gates = aws.tables()["gates"]
    workers = [of(aws, gates) for _ in range(4)]
    for worker in workers:  # each has read the empty register before anybody writes
        worker.take(unit(0), NOW)
    wanted = [(worker, unit(one)) for one in range(1, 12) for worker in workers]
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda pair: pair[0].take(pair[1], NOW), wanted))
    names = {one.name for one in of(aws, gates).of_month("2026-11")}
    assert len(names) == NEW_MAX
    assert {name for name in taken if name} <= names
    for number in range(12):  # whoever asks gets the same answer
        assert len({worker.take(unit(number), NOW) for worker in workers}) == 1


def test_a_name_that_is_known_costs_no_request(aws: Aws) -> None:
    gates = aws.tables()["gates"]
    client = Counting(aws.client("dynamodb"))
    units = DynamoAggregationUnits(client, gates, "main")  # type: ignore[arg-type]
    units.take(unit(1), NOW)
    before = client.calls
    units.take(unit(1), NOW)
    assert client.calls == before == 2


class Counting:
    """A client that counts what it is asked."""

    def __init__(self, client: object) -> None:
        self._client = client
        self.calls = 0

    def __getattr__(self, name: str) -> object:
        self.calls += 1
        return getattr(self._client, name)
