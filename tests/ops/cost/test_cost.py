"""A month's bill is the measured counts at the one table's prices, and what is shown is what the command tells."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.playbook import Price
from ops.bench import growth, kept, prices
from ops.bench.bill import Work
from ops.bench.report import PAGE
from ops.cost import page
from ops.cost.bill import Cost, Month, cost_of
from tests.ops.stopped import run

COUNTED = kept.Counted(
    Work(write_units=4, read_units=1, http_requests=0.1), Work(write_units=2, invocations=0.1), 24
)
PRICE = Price(plan_yen=15_000, free_messages=30_000, yen_each=3)


def usd(cost: Cost, service: str) -> float:
    (found,) = [one.usd for one in cost.lines if one.service == service]
    return found


def test_writes_are_counted_units_at_their_price() -> None:
    cost = cost_of(Month(1, 1_000_000, 500_000), COUNTED, None)
    assert usd(cost, "DynamoDB writes") == pytest.approx(5 * prices.WRITE_UNITS_MILLION)
    assert usd(cost, "API Gateway") == pytest.approx(0.1 * prices.HTTP_REQUESTS_MILLION)


def test_whoever_sends_nothing_pays_for_what_stands_there() -> None:
    cost = cost_of(Month(1, 0, 0), COUNTED, PRICE)
    assert usd(cost, "DynamoDB writes") == 0
    assert usd(cost, "Secrets Manager") == pytest.approx(1.6)
    assert usd(cost, "KMS") == prices.KMS_KEY_MONTH
    assert 5 < cost.usd < 30


@pytest.mark.parametrize(
    ("messages", "yen"), [(0, 15_000), (30_000, 15_000), (30_001, 15_003), (1_000_000, 2_925_000)]
)
def test_lines_fee_is_the_plan_and_what_goes_beyond(messages: int, yen: int) -> None:
    assert cost_of(Month(1, 0, messages), COUNTED, PRICE).line_yen == yen


def test_without_a_price_lines_fee_is_not_known() -> None:
    assert cost_of(Month(1, 0, 9), COUNTED, Price()).line_yen is None


COUNTS = st.integers(0, 100_000_000)


@given(st.integers(1, 10_000_000), COUNTS, COUNTS, COUNTS)
def test_more_of_anything_never_costs_less(friends: int, events: int, messages: int, more: int) -> None:
    before = cost_of(Month(friends, events, messages), COUNTED, PRICE)
    for other in (
        Month(friends + more, events, messages),
        Month(friends, events + more, messages),
        Month(friends, events, messages + more),
    ):
        after = cost_of(other, COUNTED, PRICE)
        assert all(usd(after, one.service) >= one.usd for one in before.lines)
        assert (after.line_yen or 0) >= (before.line_yen or 0)


def shown_units(name: str) -> list[float]:
    """What the page's measured table says of a row, as often as it has it."""
    rows = re.findall(rf"\| {re.escape(name)} \| ([\d.]+) ", PAGE.read_text(encoding="utf-8"))
    return [float(one) for one in rows]


def test_what_was_measured_is_what_the_page_shows() -> None:
    """One source: the file and the table come from one run. Dollars follow from the price table, which may be newer."""
    counted = kept.read()
    message, event = counted.message, counted.event
    assert [message.write_units] == shown_units("a delivered message: writes")
    assert [message.read_units] == shown_units("a delivered message: reads")
    assert [message.sqs_requests] == shown_units("a delivered message: queue, full batches")
    without, reads = shown_units("CRM event folded, customer of 2 KB")
    with_intent, _ = shown_units("CRM event folded, customer of 2 KB, an intent made")
    assert event.write_units == pytest.approx(without + growth.INTENTS_BY_EVENT * (with_intent - without))
    assert event.read_units == reads
    idle = [units for units in shown_units("idle minute, 50,000 customers") if units < 1_000]
    assert [counted.idle_requests] == idle


def test_the_bills_on_the_page_are_the_commands() -> None:
    shown = PAGE.read_text(encoding="utf-8")
    assert page.written(shown) == shown, "run `python -m ops.cost.page`"


@pytest.mark.parametrize("friends", page.FRIENDS)
def test_the_command_tells_what_the_page_shows(friends: int, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "cost", "--friends", str(friends), "--format", "json")
    told = json.loads(out)
    assert code == 0
    shown = PAGE.read_text(encoding="utf-8")
    assert f"**${told['usd']:,.2f}**" in shown
    assert f"¥{told['line_yen']:,.0f}" in shown
    assert told["usd"] == pytest.approx(sum(one["usd"] for one in told["lines"]))
    assert told["prices"]["as_of"] == prices.AS_OF
    assert all(one["usd"] <= told["lines"][0]["usd"] for one in told["lines"])


def test_a_person_reads_what_dominates(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "cost", "--friends", "700000", "--messages", "0", "--events", "0")
    assert "700,000 friends, 0 events, 0 messages" in out
    assert "CloudWatch is most" in " ".join(out.split())
    assert "¥15,000" in out


def test_a_forecast_says_how_many_and_a_month_has_thirty_days(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forecast = tmp_path / "plan.json"
    days = [
        {"date": "2026-11-02", "sent": {"weekly": 10, "onboarding": 4}},
        {"date": "2026-11-03", "sent": {}},
    ]
    forecast.write_text(json.dumps({"customers": 50, "days": days}), encoding="utf-8")
    _, out, _ = run(capsys, "cost", "--plan", str(forecast), "--format", "json")
    assert json.loads(out)["month"] == {"friends": 50, "events": 400, "messages": 210}


@pytest.mark.parametrize("text", ["no JSON", "{}", '{"customers": 5, "days": []}'])
def test_what_is_no_forecast_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    forecast = tmp_path / "plan.json"
    forecast.write_text(text, encoding="utf-8")
    code, _, err = run(capsys, "cost", "--plan", str(forecast))
    assert (code, err.count("\n")) == (2, 1)


def test_nobody_is_billed_without_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "cost")
    assert (code, "--friends" in err) == (2, True)
