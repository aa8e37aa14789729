"""How the bill of a month grows with the number of customers: the counted work, times what a shop's customer does."""

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from ops.bench import prices
from ops.bench.bill import Bill, Work, bill_of, billed_ms
from ops.bench.folding import Figures, Folded
from ops.bench.lanes import BATCH, BULK_WORKERS, PUSHES_SECOND, RECIPIENTS_SECOND, WORKERS
from ops.bench.measure import Measure

CUSTOMERS: Final = (10_000, 100_000, 1_000_000, 10_000_000)
EVENTS_A_MONTH, MESSAGES_A_MONTH, CAMPAIGNS_A_MONTH = 8, 4, 4
INTENTS_BY_EVENT: Final = 0.25
"""Of the events so many make an intent at once; the other intents come of timers and campaigns."""
CUSTOMER_KB, KEPT_KB = 2, 8
"""A customer's item, and all that is kept of one: gate, a year of events and sends."""
MINUTES_A_MONTH: Final = 30 * 24 * 60
EVENTS_A_REQUEST: Final = 10
INBOX_REQUESTS: Final = 3 / BATCH
"""Put, received and deleted in full batches, as the send queue's messages are counted to be."""
INGEST_MS: Final = 60.0
"""Billed for a request of `ingest`: assumed."""


class Month(msgspec.Struct, frozen=True):
    """Dollars of a month: what stays the same, what events, messages and campaigns' scans cost, and what is kept."""

    customers: int
    idle: float
    events: float
    messages: float
    scans: float
    storage: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.idle + self.events + self.messages + self.scans + self.storage


def event_bill(found: Figures) -> Bill:
    """A million CRM events."""
    return bill_of(event_work(found))


def event_work(found: Figures) -> Work:
    """A CRM event, some of them with an intent: by the inbox queue, in full batches, through `decide`."""
    mean = _mixed([one for one in found.folded if one.size_kb == CUSTOMER_KB])
    decided_ms = billed_ms(found.cpu_ms, 0, mean["requests"])
    return Work(
        write_units=mean["write_units"],
        read_units=mean["read_units"],
        sqs_requests=INBOX_REQUESTS + mean["queue"],
        invocations=1 / BATCH + 1 / EVENTS_A_REQUEST,
        billed_ms=decided_ms + INGEST_MS / EVENTS_A_REQUEST,
        http_requests=1 / EVENTS_A_REQUEST,
    )


def _mixed(pair: Sequence[Folded]) -> dict[str, float]:
    """What an event takes on average: some make an intent, and most do not."""

    def totals(one: Folded) -> dict[str, float]:
        counts = one.counts
        return {
            "write_units": counts.total("write_units"),
            "read_units": counts.total("read_units"),
            "requests": counts.total("requests", "dynamodb"),
            "queue": counts.total("charged", "sqs"),
        }

    [without], [having] = (
        [totals(one) for one in pair if bool(one.intents) is made] for made in (False, True)
    )
    return {name: value + INTENTS_BY_EVENT * (having[name] - value) for name, value in without.items()}


def rows(event: Bill, message: Bill, common: Bill) -> list[Measure]:
    """What the bills rest on beside the messages' own."""
    told = f"{EVENTS_A_REQUEST} events a request, customer of {CUSTOMER_KB} KB, {INTENTS_BY_EVENT:.0%} make an intent"
    month = month_of(prices.MILLION, event, message, 0)
    other = month_of(prices.MILLION, event, common, 0)
    return [
        Measure("CRM events, a million", event.total, "$", None, told),
        Measure("a month of 1,000,000 customers", month.total, "$", None, f"with the common design's sends: ${other.total:,.2f}"),
    ]  # fmt: skip


def month_of(customers: int, event: Bill, message: Bill, idle_requests: int) -> Month:
    """A month of so many customers. `idle_requests`: queries of a minute in which nothing is due."""
    events = customers * EVENTS_A_MONTH / prices.MILLION
    messages = customers * MESSAGES_A_MONTH / prices.MILLION
    scanned = customers * CAMPAIGNS_A_MONTH * CUSTOMER_KB / 4 / 2 / prices.MILLION
    kept = customers * KEPT_KB / 1024 / 1024
    return Month(
        customers=customers,
        idle=MINUTES_A_MONTH * minute_bill(idle_requests).total / prices.MILLION,
        events=events * event.total,
        messages=messages * message.total,
        scans=scanned * prices.READ_UNITS_MILLION,
        storage=kept * (prices.STORAGE_GB_MONTH + prices.BACKUP_GB_MONTH),
    )


def minute_bill(requests: int) -> Bill:
    """A million idle minutes: one invocation, each query one read unit."""
    return bill_of(minute_work(requests))


def minute_work(requests: int) -> Work:
    """An idle minute, of so many queries."""
    return Work(read_units=requests, invocations=1, billed_ms=billed_ms(requests * 1.0, 0, requests))


def months(event: Bill, message: Bill, idle_requests: int) -> list[Month]:
    """From ten thousand customers to ten million."""
    return [month_of(customers, event, message, idle_requests) for customers in CUSTOMERS]


class Duration(msgspec.Struct, frozen=True):
    """Seconds of a campaign to so many people: by the bulk lane's workers, by LINE's limit, and multicast at its limit."""

    by_workers: float
    pushed: float
    multicast: float


def campaign_seconds(customers: int, message_ms: float) -> Duration:
    """`message_ms`: how long a worker of the bulk lane takes over a message, a tenth of a batch."""
    worker_second = min(1000 / message_ms, PUSHES_SECOND / WORKERS)
    return Duration(
        by_workers=customers / (BULK_WORKERS * worker_second),
        pushed=customers / PUSHES_SECOND,
        multicast=customers / RECIPIENTS_SECOND,
    )


_SERIES: Final = (
    ("events", "events folded", "#1f6feb"),
    ("messages", "messages delivered", "#06a77d"),
    ("storage", "kept and backed up", "#8250df"),
    ("scans", "campaigns' scans", "#f0a202"),
    ("idle", "idle minutes", "#8b949e"),
    ("total", "all", "#24292f"),
)
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 760, 360, 70, 170, 20, 40
_LABEL_HEIGHT: Final = 15
_LEAST_DECADE: Final = -2


def chart(rows: Sequence[Month]) -> str:
    """Dollars a month by customers, both logarithmic, as an SVG of a few kB."""
    most = math.ceil(math.log10(max(row.total for row in rows)))
    frame = _Frame(len(rows), most)
    lines = [*_grid(rows, frame)]
    ends = []
    for name, label, colour in _SERIES:
        points = [(frame.x(number), frame.y(getattr(row, name))) for number, row in enumerate(rows)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        width = 2.5 if name == "total" else 1.5
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>')
        ends.append((points[-1][1], label, colour))
    lines += _labels(ends, frame.x(len(rows) - 1) + 8)
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        'font-size="12" role="img" aria-label="Dollars a month by number of customers">'
    )
    return "\n".join([opening, '<rect width="100%" height="100%" fill="#fff"/>', *lines, "</svg>\n"])


class _Frame(msgspec.Struct, frozen=True):
    """Where the numbers stand: so many columns, and decades of dollars up to `most`."""

    columns: int
    most: int

    def x(self, number: int) -> float:
        return _LEFT + 20 + number * (_WIDTH - _LEFT - _RIGHT - 40) / (self.columns - 1)

    def y(self, dollars: float) -> float:
        decade = max(math.log10(dollars), _LEAST_DECADE) if dollars > 0 else _LEAST_DECADE
        share = (decade - _LEAST_DECADE) / (self.most - _LEAST_DECADE)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def _labels(ends: Sequence[tuple[float, str, str]], x: float) -> list[str]:
    """Each beside the end of its line, moved down where it would stand on the one above."""
    lines, free = [], 0.0
    for y, label, colour in sorted(ends):
        at = max(y, free)
        free = at + _LABEL_HEIGHT
        lines.append(f'<text x="{x:.1f}" y="{at + 4:.1f}" fill="{colour}">{label}</text>')
    return lines


def _grid(rows: Sequence[Month], frame: _Frame) -> list[str]:
    lines = []
    for decade in range(_LEAST_DECADE, frame.most + 1):
        y = frame.y(10.0**decade)
        lines.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#d8dee4"/>'
        )
        lines.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">${10.0**decade:,g}</text>')
    for number, row in enumerate(rows):
        x = frame.x(number)
        lines.append(f'<text x="{x:.1f}" y="{_HEIGHT - 14}" text-anchor="middle">{row.customers:,}</text>')
    return lines
