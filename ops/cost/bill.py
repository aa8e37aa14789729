"""A month's bill: so many friends, events and messages, part by part."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

import msgspec

from functions.domain.money import yen_of
from functions.domain.playbook import Price
from ops.bench import prices
from ops.bench.bill import Bill, Work, bill_of
from ops.bench.growth import (
    CAMPAIGNS_A_MONTH,
    CUSTOMER_KB,
    EVENTS_A_MONTH,
    KEPT_KB,
    MESSAGES_A_MONTH,
    MINUTES_A_MONTH,
    minute_work,
)
from ops.bench.kept import Counted
from ops.cost import standing

YEN_A_DOLLAR: Final = 150.0
"""To hold LINE's yen beside AWS's dollars: assumed; `--yen-a-dollar` says another."""
KB_A_GB: Final = 1024 * 1024


class Month(msgspec.Struct, frozen=True):
    """What is to be billed."""

    friends: int
    events: int
    messages: int

    @classmethod
    def usual(cls, friends: int, events: int | None = None, messages: int | None = None) -> "Month":
        """With what a shop's customer does where it is not said (ops/bench/growth.py)."""
        return cls(
            friends,
            friends * EVENTS_A_MONTH if events is None else events,
            friends * MESSAGES_A_MONTH if messages is None else messages,
        )


class Line(msgspec.Struct, frozen=True):
    """One service of AWS: dollars a month, and of what."""

    service: str
    usd: float
    of: str


class Cost(msgspec.Struct, frozen=True):
    """The whole bill. `line_yen`: LINE's fee by the playbook's price, None where it has none."""

    month: Month
    lines: list[Line]
    line_yen: float | None
    yen_a_dollar: float

    @property
    def usd(self) -> float:
        """AWS's part."""
        return sum(one.usd for one in self.lines)

    @property
    def line_usd(self) -> float:
        """LINE's part, in dollars."""
        return (self.line_yen or 0.0) / self.yen_a_dollar

    @property
    def dominant(self) -> Line:
        """The dearest of AWS's services."""
        return max(self.lines, key=lambda one: one.usd)


def cost_of(month: Month, counted: Counted, price: Price | None, yen_a_dollar: float = YEN_A_DOLLAR) -> Cost:
    """Everything, dearest first."""
    lines = sorted(_lines(month, counted), key=lambda one: -one.usd)
    yen: Decimal | None = yen_of(month.messages, price) if price and price != Price() else None
    return Cost(month, lines, None if yen is None else float(yen), yen_a_dollar)


def _lines(month: Month, counted: Counted) -> Iterable[Line]:
    bill = _bill(month, counted)
    kept_gb = month.friends * KEPT_KB / KB_A_GB
    facts_gb = standing.YEAR_MONTHS * standing.FACT_BYTES * _changes(month) / 1e9
    nights = standing.nights_gb_seconds(month.messages) * prices.LAMBDA_GB_SECOND
    polls = standing.EMPTY_RECEIVES / prices.MILLION * prices.SQS_REQUESTS_MILLION
    puts = standing.NIGHTS * standing.NIGHT_PUTS / prices.MILLION * prices.S3_PUTS_MILLION
    watch = _watched()
    yield Line("DynamoDB writes", bill.writes, "events, messages")
    yield Line("DynamoDB reads", bill.reads, "events, messages, campaigns' scans, idle minutes")
    yield Line(
        "DynamoDB storage",
        kept_gb * (prices.STORAGE_GB_MONTH + prices.BACKUP_GB_MONTH),
        "kept, and backed up",
    )
    yield Line("Lambda", bill.requests + bill.duration + nights, "functions, facts and the night's measuring")
    yield Line("SQS", bill.queue + polls, "messages, and asking empty queues")
    yield Line("API Gateway", bill.http, "events that are posted")
    yield Line(
        "S3", bill.objects + puts + facts_gb * prices.S3_GB_MONTH, "facts of a year, figures, playbooks"
    )
    yield Line("CloudWatch", bill.logs + watch, "logs, alarms, measures, the dashboard")
    traced = standing.traces(bill.requests / prices.LAMBDA_REQUESTS_MILLION * prices.MILLION)
    yield Line("X-Ray", traced / prices.MILLION * prices.TRACES_MILLION, "traces")
    yield Line("KMS", standing.KEYS * prices.KMS_KEY_MONTH, "the key")
    yield Line("Secrets Manager", standing.SECRETS * prices.SECRET_MONTH, "four secrets")


def _watched() -> float:
    """Dollars for looking at it."""
    return (
        standing.ALARMS * prices.ALARM_MONTH
        + standing.METRICS * prices.METRIC_MONTH
        + standing.DASHBOARDS * prices.DASHBOARD_MONTH
    )


def _changes(month: Month) -> float:
    """Rows that the streams tell of: an event and its customer, and a message's end."""
    return 2.0 * month.events + month.messages


def _bill(month: Month, counted: Counted) -> Bill:
    """Of everything that is counted, in dollars."""
    scanned = month.friends * CAMPAIGNS_A_MONTH * CUSTOMER_KB / 4 / 2
    parts = (
        (counted.event, month.events),
        (counted.message, month.messages),
        (minute_work(counted.idle_requests), MINUTES_A_MONTH),
        (Work(read_units=scanned), 1),
        (standing.facts_work(_changes(month)), 1),
    )
    bills = [msgspec.structs.asdict(bill_of(work)) for work, _ in parts]
    return Bill(**{
        name: sum(bill[name] * times for bill, (_, times) in zip(bills, parts, strict=True)) / prices.MILLION
        for name in Bill.__struct_fields__
    })  # fmt: skip


def as_json(cost: Cost) -> dict[str, Any]:
    """For `--format json`."""
    told: dict[str, Any] = msgspec.to_builtins(cost)
    return told | {
        "usd": cost.usd,
        "usd_per_friend": cost.usd / cost.month.friends if cost.month.friends else None,
        "dominant": cost.dominant.service,
        "prices": {"region": prices.REGION_NAME, "as_of": prices.AS_OF, "source": prices.SOURCE},
    }
