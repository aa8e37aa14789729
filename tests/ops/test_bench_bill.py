"""From counted work to dollars and to months."""

import itertools
import re

import pytest

from ops.bench import growth, lanes, prices
from ops.bench.bill import Work, bill_of, billed_ms
from ops.bench.counting import Counts, Tally
from ops.bench.folding import Figures, Folded
from ops.bench.measure import Measure
from ops.bench.report import page_with

MESSAGE = Work(write_units=2, read_units=2, sqs_requests=0.3, invocations=0.1, billed_ms=20)


def folded(intents: int) -> Folded:
    by_operation = {
        "dynamodb.PutItem": Tally(3 + intents, 3 + intents, 0, 0, 0.0, 4.0 + 2 * intents),
        "dynamodb.GetItem": Tally(1, 1, 0, 0, 1.0),
        **({"sqs.SendMessageBatch": Tally(1, 1)} if intents else {}),
    }
    return Folded(2, intents, Counts(by_operation))


FIGURES = Figures([folded(0), folded(1)], cpu_ms=2.0)


def test_a_million_messages_cost_their_units_at_the_prices_of_tokyo() -> None:
    bill = bill_of(MESSAGE)
    assert bill.writes == pytest.approx(1.43)
    assert bill.reads == pytest.approx(0.285)
    assert bill.queue == pytest.approx(0.12)
    assert bill.duration == pytest.approx(0.5 * 0.020 * 13.3334)
    assert bill.total == pytest.approx(sum((1.43, 0.285, 0.12, 0.02, bill.duration, bill.logs)))


def test_processor_time_is_stretched_by_the_share_of_a_vcpu_and_waits_are_not() -> None:
    stretch = prices.MEMORY_MB_OF_ONE_VCPU / prices.MEMORY_MB
    assert billed_ms(10, line_waits=1, dynamodb_calls=3) == pytest.approx(10 * stretch + 100 + 15)


def test_the_customers_cost_grows_with_their_number_and_the_idle_minutes_do_not() -> None:
    event, message = growth.event_bill(FIGURES), bill_of(MESSAGE)
    few, *_, many = growth.months(event, message, idle_requests=24)
    assert many.customers == 1000 * few.customers
    assert many.idle == few.idle > 0
    assert many.total - many.idle == pytest.approx(1000 * (few.total - few.idle))


def test_some_events_make_an_intent_and_cost_that_much_more() -> None:
    bill = growth.event_bill(FIGURES)
    assert bill.writes == pytest.approx(prices.WRITE_UNITS_MILLION * (4 + growth.INTENTS_BY_EVENT * 2))


def test_the_chart_shows_every_size_and_no_label_stands_on_another() -> None:
    drawn = growth.chart(growth.months(growth.event_bill(FIGURES), bill_of(MESSAGE), 24))
    assert all(f"{customers:,}" in drawn for customers in growth.CUSTOMERS)
    labels = sorted(float(y) for y in re.findall(r'y="([\d.]+)" fill=', drawn))
    assert len(labels) == len(growth._SERIES)
    assert min(below - above for above, below in itertools.pairwise(labels)) >= 14


def test_the_page_gets_both_tables_and_keeps_what_is_written_by_hand() -> None:
    def place(name: str) -> str:
        return f"<!-- {name}: begin, written by python -m ops.bench --write-docs -->\nearlier\n<!-- {name}: end -->"

    page = f"# Title\n{place('measured')}\nby hand\n{place('growth')}\nend\n"
    months = growth.months(growth.event_bill(FIGURES), bill_of(MESSAGE), 24)
    kept, broken = Measure("a", 1, "ms", 2, "b"), Measure("c", 3, "ms", 2, "d")
    written = page_with(page, [kept, broken], months, 20.0)
    assert "earlier" not in written
    assert "by hand" in written
    assert "| a | 1 ms | b | ≤ 2 | yes |" in written
    assert "| c | 3 ms | d | ≤ 2 | **no** |" in written
    assert page_with(written, [kept, broken], months, 20.0) == written


def test_a_figure_without_a_budget_is_told_and_not_judged() -> None:
    assert Measure("a", 10**9, "ms", None, "").ok


def test_a_campaign_is_bounded_by_its_workers_their_share_of_the_rate_and_the_rate_itself() -> None:
    slow, fast = (growth.campaign_seconds(prices.MILLION, message_ms) for message_ms in (50.0, 1.0))
    share = lanes.PUSHES_SECOND / lanes.WORKERS
    assert slow.by_workers == pytest.approx(prices.MILLION / (lanes.BULK_WORKERS * 20))
    assert fast.by_workers == pytest.approx(prices.MILLION / (lanes.BULK_WORKERS * share))
    assert fast.pushed == 500
    assert fast.multicast == 10


def test_a_bill_of_a_campaign_pays_for_the_time_in_which_a_worker_keeps_to_its_share() -> None:
    assert lanes.paced_ms(lanes.BATCH, lanes.PUSHES_SECOND) == pytest.approx(1000 * 10 / 40)
    assert lanes.paced_ms(500, lanes.RECIPIENTS_SECOND) == pytest.approx(1000 / 4)


def test_objects_are_billed_by_their_requests() -> None:
    bill = bill_of(Work(s3_puts=0.006, s3_gets=0.01))
    assert bill.objects == bill.total == pytest.approx(0.006 * 4.7 + 0.01 * 0.37)
