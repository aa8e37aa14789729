"""Counters of reserved messages: what the sender relies on, held by the fake and by the table alike."""

import datetime as dt
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from botocore.endpoint import Endpoint
from botocore.exceptions import ClientError, ReadTimeoutError

from functions.aws.allowances import DynamoAllowances
from functions.aws.clients import client, quick_client
from functions.aws.items import DynamoCustomers
from functions.domain.money import Count, LineUsage
from functions.domain.playbook import Price
from functions.ports.account import Allowances
from functions.send import wiring
from functions.send.allowance import Lending
from tests.aws.conftest import Aws
from tests.aws.samples import MINUTE, NOW, SECOND, gate, intent
from tests.fakes.allowances import FakeAllowances, FakeLineQuota
from tests.fakes.objects import FakePlaybooks
from tests.fakes.playbooks import playbook
from tests.fakes.scans import FakeMeasures

MONTH, RUN = "month#2026-11", "run#news@2026-11-02T03:00:00Z"
EVERY = 10 * MINUTE


class OneByOne:
    """A client that counts what it is asked, and may fail. It lets one call through at a time, as DynamoDB does for one
    item: moto checks a condition and writes in two steps."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()
        self.calls: Counter[str] = Counter()
        self.failing = False

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            with self._lock:
                self.calls[name] += 1
                if self.failing:
                    raise ClientError({"Error": {"Code": "ThrottlingException"}}, name)
                return getattr(self._client, name)(**arguments)

        return call


@pytest.fixture(params=["fake", "aws"])
def allowances(request: pytest.FixtureRequest) -> Iterator[Allowances]:
    if request.param == "fake":
        yield FakeAllowances()
        return
    yield _on_moto(request.getfixturevalue("aws"))


def _on_moto(aws: Aws) -> DynamoAllowances:
    return DynamoAllowances(OneByOne(aws.client("dynamodb")), aws.tables()["gates"], "main")  # type: ignore[arg-type]


def test_what_nobody_has_counted_is_nothing(allowances: Allowances) -> None:
    assert allowances.count(MONTH) == Count()


def test_units_are_reserved_up_to_the_bound_and_not_beyond(allowances: Allowances) -> None:
    assert allowances.reserve(MONTH, 7, 10, None, NOW) == (True, Count(used=7, reserved_at=NOW))
    assert allowances.reserve(MONTH, 4, 10, None, NOW + SECOND) == (False, Count(used=7, reserved_at=NOW))
    assert allowances.reserve(MONTH, 3, 10, None, NOW + SECOND)[0]
    assert allowances.count(MONTH) == Count(used=10, reserved_at=NOW + SECOND)


def test_more_than_all_is_refused_where_nothing_is_counted_yet(allowances: Allowances) -> None:
    assert allowances.reserve(MONTH, 11, 10, None, NOW) == (False, Count())
    assert allowances.reserve(MONTH, 1, -5, None, NOW) == (False, Count())
    assert allowances.count(MONTH) == Count()


def test_without_a_bound_everything_is_counted(allowances: Allowances) -> None:
    for _ in range(3):
        assert allowances.reserve(MONTH, 500, None, None, NOW)[0]
    assert allowances.count(MONTH).used == 1_500


def test_counters_do_not_know_each_other(allowances: Allowances) -> None:
    allowances.reserve(MONTH, 7, 10, None, NOW)
    assert allowances.reserve(RUN, 10, 10, None, NOW)[0]
    assert (allowances.count(MONTH).used, allowances.count(RUN).used) == (7, 10)


def test_units_come_back_and_never_more_than_are_counted(allowances: Allowances) -> None:
    allowances.reserve(MONTH, 7, 10, None, NOW)
    allowances.release(MONTH, 3)
    assert allowances.count(MONTH).used == 4
    allowances.release(MONTH, 5)
    assert allowances.count(MONTH).used == 4
    allowances.release("month#2026-12", 1)
    assert allowances.count("month#2026-12").used == 0


def test_a_bound_that_rests_on_an_older_word_of_lines_reserves_nothing(allowances: Allowances) -> None:
    allowances.note(MONTH, LineUsage(200, 40), Count(), NOW)
    done, count = allowances.reserve(MONTH, 1, 10, None, NOW)
    assert (done, count) == (False, Count(line_total=40, line_limit=200, told_at=NOW))
    assert allowances.reserve(MONTH, 1, 10, NOW - SECOND, NOW)[0] is False
    assert allowances.reserve(MONTH, 1, 10, NOW, NOW)[0] is True


def test_one_asks_line_for_all_and_another_only_later(allowances: Allowances) -> None:
    allowances.reserve(MONTH, 7, None, None, NOW)
    assert allowances.begin_asking(MONTH, NOW, EVERY) == Count(used=7, reserved_at=NOW)
    assert allowances.begin_asking(MONTH, NOW + EVERY - SECOND, EVERY) is None
    assert allowances.begin_asking(MONTH, NOW + EVERY, EVERY) is not None


def test_lines_word_is_kept_with_what_was_counted_when_it_was_asked(allowances: Allowances) -> None:
    allowances.reserve(MONTH, 7, None, None, NOW)
    asked = allowances.begin_asking(MONTH, NOW, EVERY)
    assert asked is not None
    allowances.reserve(MONTH, 2, None, None, NOW)
    allowances.note(MONTH, LineUsage(200, 10), asked, NOW + SECOND)
    assert allowances.count(MONTH) == Count(9, 10, 7, 200, NOW + SECOND, NOW)
    assert allowances.count(MONTH).taken == 12


def test_a_newer_word_stays_and_a_limit_may_go(allowances: Allowances) -> None:
    allowances.note(MONTH, LineUsage(200, 10), Count(), NOW + SECOND)
    allowances.note(MONTH, LineUsage(100, 5), Count(), NOW)
    assert allowances.count(MONTH) == Count(0, 10, 0, 200, NOW + SECOND)
    allowances.note(MONTH, LineUsage(None, 20), Count(3, beyond=2), NOW + MINUTE)
    assert allowances.count(MONTH) == Count(0, 20, 3, None, NOW + MINUTE, beyond=2)


def test_a_count_is_set_right_where_nobody_reserved_meanwhile(allowances: Allowances) -> None:
    allowances.reserve(MONTH, 9, None, None, NOW)
    allowances.note(MONTH, LineUsage(200, 12), Count(9), NOW)
    seen = allowances.count(MONTH)
    allowances.reserve(MONTH, 1, None, NOW, NOW + SECOND)
    allowances.release(MONTH, 1)
    assert not allowances.correct(MONTH, seen, 5), "as many as before, and yet not the same ones"
    assert allowances.correct(MONTH, allowances.count(MONTH), 5)
    assert allowances.count(MONTH) == Count(5, 12, 5, 200, NOW, NOW + SECOND)
    assert allowances.count(MONTH).taken == 12, "what leaked had hidden what LINE counts beyond our own"


def test_a_count_is_set_right_where_nothing_was_reserved_at_all(allowances: Allowances) -> None:
    assert allowances.correct(MONTH, Count(), 5)
    assert allowances.correct(MONTH, allowances.count(MONTH), 6)
    assert not allowances.correct(MONTH, Count(), 7)
    assert allowances.count(MONTH).used == 6


@pytest.mark.parametrize("workers", [8])
def test_workers_side_by_side_never_reserve_more_than_there_is(allowances: Allowances, workers: int) -> None:
    """Eight workers want 8 × 12 × 10 messages of 333: all of these are taken, and not one more."""
    lendings = [_lending(allowances, Price(messages_max=333, reserve_percent=0)) for _ in range(workers)]
    begin, taken = threading.Barrier(workers), Counter[int]()

    def work(number: int) -> None:
        begin.wait()
        for batch in range(12):
            intents = [intent(f"{number}-{batch}-{n}") for n in range(10)]
            lease = lendings[number].lease(intents, NOW)
            got = [one for one in intents if lease.take(one) is None]
            for one in got[:2]:
                lease.give_back(one)
            taken[number] += len(got[2:])
            lease.settle()
            assert allowances.count(MONTH).used <= 333

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    assert taken.total() == allowances.count(MONTH).used <= 333
    assert taken.total() > 320


def _lending(allowances: Allowances, price: Price) -> Lending:
    playbooks = FakePlaybooks()
    playbooks.apply(msgspec.structs.replace(playbook(), price=price, version="priced"))
    return Lending(allowances, playbooks, FakeLineQuota(), FakeMeasures())


# --- what only the table does


def test_a_steady_full_batch_costs_one_write(aws: Aws) -> None:
    client = OneByOne(aws.client("dynamodb"))
    allowances = DynamoAllowances(client, aws.tables()["gates"], "main")  # type: ignore[arg-type]
    lending = _lending(allowances, Price(messages_max=10_000))
    _spent(lending, "first")
    client.calls.clear()
    for batch in range(5):
        _spent(lending, str(batch))
    assert client.calls == {"update_item": 5}
    assert allowances.count(MONTH).used == 60


def _spent(lending: Lending, name: str) -> None:
    intents = [intent(f"{name}-{n}") for n in range(10)]
    lease = lending.lease(intents, NOW)
    assert [lease.take(one) for one in intents] == [None] * 10
    lease.settle()


def test_a_table_that_refuses_to_take_units_back_or_to_let_ask_stops_nothing(aws: Aws) -> None:
    client = OneByOne(aws.client("dynamodb"))
    allowances = DynamoAllowances(client, aws.tables()["gates"], "main")  # type: ignore[arg-type]
    allowances.reserve(MONTH, 7, None, None, NOW)
    client.failing = True
    allowances.release(MONTH, 3)
    assert allowances.begin_asking(MONTH, NOW, EVERY) is None
    allowances.note(MONTH, LineUsage(1, 1), Count(), NOW)
    client.failing = False
    assert allowances.count(MONTH) == Count(used=7, reserved_at=NOW)


@pytest.fixture
def senders_allowances(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Allowances]:
    """As the sender is made of them, with its own clients."""
    environment = {
        "TABLE_GATES": aws.tables()["gates"],
        "AWS_ENDPOINT_URL_DYNAMODB": aws.client("dynamodb").meta.endpoint_url,
        "SECRET_LINE": "line",
        "SCHEDULE_GROUP": "group",
        "BUCKET": "bucket",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    cached = (client, quick_client, wiring.lending, wiring.playbooks, wiring.objects)
    for made in cached:
        made.cache_clear()
    yield wiring.lending().allowances
    for made in cached:
        made.cache_clear()


def test_a_release_that_is_not_answered_is_not_repeated(
    senders_allowances: Allowances, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is done, and the answer is lost: once more would be twice."""
    allowances = senders_allowances
    allowances.reserve(MONTH, 7, None, None, NOW)
    answer_of: Any = vars(Endpoint)["_get_response"]

    def lost(endpoint: Endpoint, request: Any, model: Any, context: Any) -> Any:
        answer = answer_of(endpoint, request, model, context)
        is_release = model.name == "UpdateItem" and b":minus" in request.body
        return (None, ReadTimeoutError(endpoint_url=request.url)) if is_release else answer

    monkeypatch.setattr(Endpoint, "_get_response", lost)
    allowances.release(MONTH, 2)
    assert allowances.count(MONTH).used == 5


def test_the_claims_of_all_gates_are_read_and_counters_are_no_gates(aws: Aws) -> None:
    tables = aws.tables()
    allowances = DynamoAllowances(aws.client("dynamodb"), tables["gates"], "main")
    DynamoCustomers(aws.client("dynamodb"), tables["customers"], tables["gates"]).save_gate(gate())
    allowances.reserve(MONTH, 7, None, None, NOW)
    assert [claim.send_id for claim in allowances.claims()] == ["s1"]


def test_accounts_and_months_have_counters_of_their_own(aws: Aws) -> None:
    table = aws.tables()["gates"]
    main, other = (DynamoAllowances(aws.client("dynamodb"), table, name) for name in ("main", "other"))
    main.reserve(MONTH, 7, None, None, NOW)
    assert other.count(MONTH) == Count()
    item = aws.client("dynamodb").get_item(TableName=table, Key={"pk": {"S": "anon:#month#main#2026-11"}})
    assert item["Item"]["used"] == {"N": "7"}


def test_instants_of_whole_seconds_compare_as_well(allowances: Allowances) -> None:
    later = NOW + dt.timedelta(microseconds=5)
    allowances.note(MONTH, LineUsage(None, 1), Count(), NOW)
    allowances.note(MONTH, LineUsage(None, 2), Count(), later)
    assert allowances.count(MONTH).line_total == 2
    assert allowances.reserve(MONTH, 1, None, later, NOW)[0]
