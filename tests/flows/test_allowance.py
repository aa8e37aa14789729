"""The part of send that reserves messages: who waits, what comes back, and that no interleaving passes a limit."""

import datetime as dt

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from functions.domain.account import UNTIL_LIFTED, Block
from functions.domain.money import TIERS, Tier
from functions.domain.playbook import Kind, Price
from functions.domain.sends import Intent
from functions.send.allowance import ASKED_EVERY, QUOTA_USED, Lease, Lending
from tests.aws.samples import NOW, SECOND, intent
from tests.fakes.allowances import FakeAllowances, FakeLineQuota
from tests.fakes.objects import FakePlaybooks
from tests.fakes.playbooks import campaign, playbook
from tests.fakes.scans import FakeMeasures

MONTH = "month#2026-11"
OCCURRENCE = "2026-11-02T03:00:00Z"
MONTH_END = dt.datetime(2026, 11, 30, 15, 0, tzinfo=dt.UTC)


class Office:
    """One account: its counters, LINE, and the playbook in force."""

    def __init__(self, price: Price, run_yen_max: int | None = None) -> None:
        self.allowances, self.line, self.measures = FakeAllowances(), FakeLineQuota(), FakeMeasures()
        self.playbooks = FakePlaybooks()
        self.reprice(price, run_yen_max)

    def reprice(self, price: Price, run_yen_max: int | None = None) -> None:
        """Another price comes into force."""
        news = msgspec.structs.replace(campaign("news"), yen_max=run_yen_max)
        book = playbook(campaigns={"news": news, "sale": campaign("news")})
        version = f"{price}{run_yen_max}"
        self.playbooks.apply(msgspec.structs.replace(book, price=price, version=version))

    def worker(self) -> Lending:
        """A process of its own."""
        return Lending(self.allowances, self.playbooks, self.line, self.measures)

    @property
    def used(self) -> int:
        return self.allowances.count(MONTH).used


def message(name: object, tier: Tier = "campaign", source: str = "sale", kind: Kind = "promotion") -> Intent:
    one = msgspec.structs.replace(intent(str(name)), holds=[])
    if tier == "campaign":
        return msgspec.structs.replace(
            one, scenario="", campaign=source, source=f"{source}@{OCCURRENCE}", kind=kind
        )
    return msgspec.structs.replace(one, kind="promotion" if tier == "scenario" else "notification")


def messages(number: int, tier: Tier = "campaign", source: str = "sale", first: str = "") -> list[Intent]:
    return [message(f"{first}{tier}{source}{n}", tier, source) for n in range(number)]


def sent(lease: Lease, intents: list[Intent]) -> int:
    """How many of them have a unit."""
    return sum(lease.take(one) is None for one in intents)


def of_waiting(office: Office) -> dict[str, int]:
    """How many wait, by what operators are told of it."""
    return {name: number for name, number in office.measures.last.items() if name != QUOTA_USED}


def test_without_any_limit_everything_goes_and_is_counted() -> None:
    office = Office(Price())
    lease = office.worker().lease(messages(10), NOW)
    assert sent(lease, messages(10)) == 10
    lease.settle()
    assert office.used == 10


def test_when_the_month_runs_out_a_campaign_waits_while_a_notification_goes() -> None:
    office = Office(Price(messages_max=100))
    crowd = messages(200)
    lease = office.worker().lease(crowd, NOW)
    assert sent(lease, crowd) == 90
    assert lease.take(crowd[-1]) == Block("over_quota", MONTH_END)
    lease.settle()
    scenarios = messages(2, "scenario")
    lease = office.worker().lease(scenarios, NOW)
    assert sent(lease, scenarios) == 2
    lease.settle()
    mixed = [*messages(9, "scenario", first="b"), *messages(7, "prompt"), message("last")]
    lease = office.worker().lease(mixed, NOW)
    assert [lease.take(one) is None for one in mixed] == [False] * 9 + [True] * 7 + [False]
    lease.settle()
    assert office.used == 99


def test_operators_are_told_how_many_wait_and_why() -> None:
    office = Office(Price(yen_each=3, yen_max=60, reserve_percent=0), run_yen_max=30)
    crowd = messages(15, source="news")
    lease = office.worker().lease(crowd, NOW)
    assert sent(lease, crowd) == 10
    lease.settle()
    assert of_waiting(office) == {"OverBudget": 5}
    office.reprice(Price(messages_max=12, reserve_percent=0))
    lease = office.worker().lease(messages(5), NOW)
    assert sent(lease, messages(5)) == 2
    lease.settle()
    assert of_waiting(office) == {"OverBudget": 5, "OverQuota": 3}


def test_a_campaigns_own_budget_ends_one_run_and_nothing_else() -> None:
    office = Office(Price(yen_each=3, free_messages=1_000), run_yen_max=30)
    worker = office.worker()
    crowd = [*messages(20, source="news"), *messages(20)]
    lease = worker.lease(crowd, NOW)
    assert sent(lease, crowd[:20]) == 10
    assert sent(lease, crowd[20:]) == 20
    lease.settle()
    assert (office.used, office.allowances.count(f"run#news@{OCCURRENCE}").used) == (30, 10)
    block = worker.lease(crowd[:1], NOW).take(crowd[0])
    assert block == Block("over_budget", UNTIL_LIFTED)


def test_a_run_takes_no_more_of_the_month_than_its_budget_pays_for() -> None:
    office = Office(Price(yen_each=3), run_yen_max=30)
    lease = office.worker().lease(messages(20, source="news"), NOW)
    assert office.used == 10
    lease.settle()
    assert (office.used, office.allowances.count(f"run#news@{OCCURRENCE}").used) == (0, 0)


def test_where_the_month_is_short_the_runs_units_come_back() -> None:
    office = Office(Price(yen_each=3, messages_max=6, reserve_percent=0), run_yen_max=30)
    crowd = messages(10, source="news")
    lease = office.worker().lease(crowd, NOW)
    assert sent(lease, crowd) == 6
    assert of_waiting(office) == {}
    lease.settle()
    assert (office.used, office.allowances.count(f"run#news@{OCCURRENCE}").used) == (6, 6)
    assert of_waiting(office) == {"OverQuota": 4}


def test_a_definite_refusal_gives_its_unit_back_and_another_worker_gets_it() -> None:
    office = Office(Price(messages_max=2, reserve_percent=0))
    one, two, three = messages(3)
    lease = office.worker().lease([one, two], NOW)
    assert sent(lease, [one, two]) == 2
    other = office.worker()
    assert other.lease([three], NOW).take(three) is not None
    lease.give_back(two)
    lease.settle()
    assert other.lease([three], NOW).take(three) is None


def test_what_was_not_taken_is_not_given_back_and_nothing_twice() -> None:
    office = Office(Price(messages_max=10))
    one, two = messages(2)
    lease = office.worker().lease([one], NOW)
    lease.give_back(two)
    assert lease.take(one) is None
    lease.give_back(one)
    lease.give_back(one)
    lease.settle()
    lease.settle()
    assert office.used == 0


def test_a_message_that_took_its_unit_keeps_it() -> None:
    office = Office(Price(messages_max=1, reserve_percent=0))
    [one] = messages(1)
    lease = office.worker().lease([one], NOW)
    assert (lease.take(one), lease.take(one)) == (None, None)
    lease.settle()
    assert office.used == 1


def test_who_was_not_counted_before_gets_a_unit_where_there_is_one() -> None:
    office = Office(Price(messages_max=2, yen_each=3, reserve_percent=0), run_yen_max=30)
    lease = office.worker().lease([], NOW)
    assert sent(lease, messages(3, source="news")) == 2
    lease.settle()
    assert office.used == 2


def test_a_worker_that_remembers_an_older_count_passes_no_limit_and_refuses_nothing_by_it() -> None:
    office = Office(Price(messages_max=20, reserve_percent=0))
    slow, quick = office.worker(), office.worker()
    slow.lease([], NOW)
    lease = quick.lease(messages(18), NOW)
    assert sent(slow.lease(messages(10, first="s"), NOW), messages(10, first="s")) == 2
    assert slow.lease(messages(1), NOW).take(message("x")) is not None
    lease.settle()
    assert sent(slow.lease(messages(10, first="t"), NOW), messages(10, first="t")) == 10


def test_a_batch_of_several_tiers_is_one_write_where_all_of_it_fits() -> None:
    office = Office(Price(messages_max=1_000))
    worker, mixed = office.worker(), [*messages(5, "scenario"), *messages(5)]
    worker.lease([], NOW)
    before = office.allowances.writes
    lease = worker.lease(mixed, NOW)
    assert sent(lease, mixed) == 10
    lease.settle()
    assert office.allowances.writes == before + 1


# --- what LINE says


def test_lines_limit_and_what_it_counts_beyond_ours_hold_from_the_first_message_of_a_month() -> None:
    office = Office(Price(reserve_percent=0))
    office.line.limit, office.line.used = 200, 195
    lease = office.worker().lease(messages(10), NOW)
    assert sent(lease, messages(10)) == 5


def test_how_much_of_the_month_is_used_is_told_when_line_was_asked() -> None:
    """The tightest limit counts, and what others sent."""
    office = Office(Price(messages_max=100, reserve_percent=0))
    office.line.limit, office.line.used = 200, 30
    office.worker().lease(messages(10), NOW).settle()
    assert office.measures.last[QUOTA_USED] == 30
    lease = office.worker().lease(messages(51), NOW + ASKED_EVERY)
    assert sent(lease, messages(51)) == 51
    lease.settle()
    assert office.measures.last[QUOTA_USED] == 81
    unlimited = Office(Price())
    unlimited.worker().lease(messages(1), NOW).settle()
    assert QUOTA_USED not in unlimited.measures.last


def test_line_is_asked_every_ten_minutes_by_one_worker_and_after_its_batch() -> None:
    office = Office(Price())
    first, second = office.worker(), office.worker()
    for worker in (first, second, first):
        worker.lease(messages(1), NOW).settle()
    assert office.line.asked == 1
    lease = second.lease(messages(1), NOW + ASKED_EVERY)
    assert office.line.asked == 1
    lease.settle()
    first.lease(messages(1), NOW + ASKED_EVERY + SECOND).settle()
    assert office.line.asked == 2


def test_where_line_does_not_tell_its_last_word_holds_and_messages_go() -> None:
    office = Office(Price(reserve_percent=0))
    office.line.limit = 8
    worker = office.worker()
    worker.lease([], NOW).settle()
    office.line.fail()
    lease = worker.lease(messages(10), NOW + ASKED_EVERY)
    assert sent(lease, messages(10)) == 8
    lease.settle()
    assert office.line.asked == 2
    assert office.allowances.count(MONTH).line_limit == 8


def test_where_line_never_told_messages_go_and_it_is_not_asked_all_the_time() -> None:
    office = Office(Price())
    office.line.fail()
    worker = office.worker()
    for batch in range(5):
        lease = worker.lease(messages(10, first=str(batch)), NOW)
        assert sent(lease, messages(10, first=str(batch))) == 10
        lease.settle()
    assert (office.line.asked, office.used) == (1, 50)
    assert office.allowances.writes == 1 + 5


def test_messages_bought_from_line_are_known_after_ten_minutes() -> None:
    office = Office(Price(reserve_percent=0))
    office.line.limit = 5
    worker = office.worker()
    lease = worker.lease(messages(9), NOW)
    assert sent(lease, messages(9)) == 5
    lease.settle()
    office.line.limit, office.line.used = 100, 5
    worker.lease([], NOW + ASKED_EVERY).settle()
    assert sent(worker.lease(messages(9, first="b"), NOW + ASKED_EVERY), messages(9, first="b")) == 9


def test_what_others_sent_is_not_forgotten_while_lines_figure_is_late() -> None:
    """30 were sent by hand. In the midst of a campaign of ours LINE has counted 40 of 60, and says 70."""
    office = Office(Price(messages_max=100, reserve_percent=0))
    office.line.used = 30
    worker = office.worker()
    lease = worker.lease(messages(60), NOW)
    assert sent(lease, messages(60)) == 60
    office.line.used = 30 + 40
    lease.settle()
    later = NOW + ASKED_EVERY
    worker.lease([], later).settle()
    assert sent(worker.lease(messages(30, first="b"), later), messages(30, first="b")) == 10


def test_what_is_sent_while_line_is_asked_is_not_taken_for_somebody_elses_for_good() -> None:
    """Eight workers' messages go while one asks: LINE's figure has them already, and the count that it is held against not."""
    office = Office(Price(messages_max=100, reserve_percent=0))
    worker = office.worker()
    worker.lease([], NOW).settle()
    office.line.meanwhile = lambda: office.allowances.reserve(MONTH, 50, None, NOW, NOW)
    office.line.used = 50
    worker.lease([], NOW + ASKED_EVERY).settle()
    assert (office.allowances.count(MONTH).beyond, office.used) == (0, 50)
    office.line.meanwhile = lambda: None
    worker.lease([], NOW + 2 * ASKED_EVERY).settle()
    assert sent(worker.lease(messages(60), NOW + 2 * ASKED_EVERY), messages(60)) == 50


def test_a_new_month_begins_at_nothing() -> None:
    office = Office(Price(messages_max=5, reserve_percent=0))
    worker = office.worker()
    assert sent(worker.lease(messages(9), NOW), messages(9)) == 5
    assert sent(worker.lease(messages(9, first="d"), MONTH_END), messages(9, first="d")) == 5


# --- whatever happens, in whatever order


class Workers(RuleBasedStateMachine):
    """Three workers lease, claim, fail, settle and vanish; LINE counts others' messages; prices change upwards."""

    @initialize(
        messages_max=st.integers(1, 60), percent=st.sampled_from([0, 5, 20]), run_units=st.integers(1, 20)
    )
    def begin(self, messages_max: int, percent: int, run_units: int) -> None:
        self.price = Price(messages_max=messages_max, yen_each=2, reserve_percent=percent)
        self.run_units, self.run_taken = run_units, 0
        self.office = Office(self.price, run_units * 2)
        self.workers = [self.office.worker() for _ in range(3)]
        self.leases: dict[int, tuple[Lease, list[Intent]]] = {}
        self.claimed: set[str] = set()
        self.by_tier = dict.fromkeys(TIERS, 0)
        self.now, self.names, self.external = NOW, 0, 0

    @rule(worker=st.integers(0, 2), tiers=st.lists(st.sampled_from([*TIERS, "run"]), max_size=12))
    def lease(self, worker: int, tiers: list[str]) -> None:
        intents = []
        for tier in tiers:
            self.names += 1
            intents.append(
                message(self.names, "campaign", "news") if tier == "run" else message(self.names, tier)  # type: ignore[arg-type]
            )
        # A lease that is still open is that of a worker that vanished.
        self.leases[worker] = (self.workers[worker].lease(intents, self.now), intents)

    @rule(worker=st.integers(0, 2), which=st.integers(0, 11))
    def claim(self, worker: int, which: int) -> None:
        if worker in self.leases and which < len(self.leases[worker][1]):
            lease, intents = self.leases[worker]
            if lease.take(intents[which]) is None:
                self.claimed.add(intents[which].send_id)

    @rule(worker=st.integers(0, 2), which=st.integers(0, 11))
    def fail(self, worker: int, which: int) -> None:
        if worker in self.leases and which < len(self.leases[worker][1]):
            lease, intents = self.leases[worker]
            lease.give_back(intents[which])
            self.claimed.discard(intents[which].send_id)

    @rule(worker=st.integers(0, 2))
    def settle(self, worker: int) -> None:
        if worker in self.leases:
            self.leases.pop(worker)[0].settle()

    @rule(others=st.integers(0, 5))
    def line_tells(self, others: int) -> None:
        self.now += ASKED_EVERY
        used = self.office.used
        room = (self.price.messages_max or 0) - used - self.external
        self.external += min(others, max(0, room))
        self.office.line.used = used + self.external

    @rule(more=st.integers(0, 5))
    def raise_the_limit(self, more: int) -> None:
        self.price = msgspec.structs.replace(self.price, messages_max=(self.price.messages_max or 0) + more)
        self.office.reprice(self.price, self.run_units * 2)

    @invariant()
    def no_limit_is_passed(self) -> None:
        if hasattr(self, "price"):
            count = self.office.allowances.count(MONTH)
            assert len(self.claimed) <= count.used <= (self.price.messages_max or 0)
            assert self.office.allowances.count(f"run#news@{OCCURRENCE}").used <= self.run_units


Workers.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestWorkers = Workers.TestCase


@pytest.mark.parametrize("tier", TIERS)
def test_each_tier_ends_where_the_forecast_says(tier: Tier) -> None:
    office = Office(Price(messages_max=200, reserve_percent=10))
    crowd = messages(300, tier)
    assert (
        sent(office.worker().lease(crowd, NOW), crowd)
        == {"prompt": 200, "scenario": 180, "campaign": 160}[tier]
    )
