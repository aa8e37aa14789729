"""`python -m ops.bench.webhooks`: the webhook's work an event, for bodies of few and of many events.

The production handler, in a process of its own, with signed bodies as LINE sends them.
"""

import base64
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from functions.aws.clients import client
from functions.webhook.flow import signature_of
from functions.webhook.handler import handler
from infra.bundle import ROOT
from ops.bench.counting import Counter
from ops.bench.measure import Measure
from ops.bench.world import CHANNEL_SECRET

MESSAGE: Final = Path("events/webhook/message.json")
EVENTS: Final = (1, 10, 100)
EVENTS_TIMED: Final = 400
REPETITIONS: Final = 5
GROWTH_MAX: Final = 1.1
SECONDS_MAX: Final = 120


class Taken(msgspec.Struct):
    """One event out of a body of `events`: its share of SQS requests and of bytes put, and processor milliseconds."""

    events: int
    sqs_requests: float
    bytes_put: float
    cpu_ms: float


def main() -> None:
    """Measure, and write what was found."""
    counter = Counter()
    counter.watch(client("sqs"))
    bodies = {count: _event(count) for count in EVENTS}
    for event in bodies.values():
        _take(event)
    found = {count: _counted(counter, count, event) for count, event in bodies.items()}
    for _ in range(REPETITIONS):
        for count, event in bodies.items():
            found[count].cpu_ms = min(found[count].cpu_ms, _timed(count, event))
    print(msgspec.json.encode(list(found.values())).decode())


def _counted(counter: Counter, count: int, event: dict[str, Any]) -> Taken:
    counter.taken()
    _take(event)
    counts = counter.taken()
    charged, size = counts.total("charged", "sqs"), counts.total("request_bytes", "sqs")
    return Taken(count, charged / count, size / count, float("inf"))


def _timed(count: int, event: dict[str, Any]) -> float:
    turns = EVENTS_TIMED // count
    began = time.process_time()
    for _ in range(turns):
        _take(event)
    return 1000 * (time.process_time() - began) / (turns * count)


def _take(event: dict[str, Any]) -> None:
    if handler(event, None)["statusCode"] != 200:  # noqa: PLR2004
        raise RuntimeError("the webhook did not take its events in")


def _event(count: int) -> dict[str, Any]:
    """An HTTP API event whose body carries so many messages of users."""
    payload = json.loads((ROOT / MESSAGE).read_text(encoding="utf-8"))
    [first, *_] = payload["events"]
    body = json.dumps({**payload, "events": [first] * count}, ensure_ascii=False).encode()
    return {
        "headers": {"x-line-signature": signature_of(CHANNEL_SECRET, body)},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def taken(environment: Mapping[str, str], advance: Callable[[], None]) -> list[Taken]:
    """What the process measured."""
    done = subprocess.run(
        [sys.executable, "-m", "ops.bench.webhooks"], cwd=ROOT, env=dict(environment), capture_output=True,
        check=False, timeout=SECONDS_MAX,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the webhook's process failed:\n{done.stderr.decode()}")
    advance()
    # Before it stand the log lines of the handler, one an invocation.
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=list[Taken])


def rows(found: list[Taken]) -> list[Measure]:
    """Constant work an event: a body of a hundred takes no more of anything, event by event, than a body of ten."""
    one, ten, hundred = found
    told = "; ".join(
        f"{each.events}: {each.sqs_requests:.2f} requests, {each.bytes_put:,.0f} bytes, {each.cpu_ms:.3f} ms"
        for each in (one, ten, hundred)
    )
    growth = max(hundred.cpu_ms / ten.cpu_ms, hundred.bytes_put / ten.bytes_put)
    return [
        Measure("webhook, an event: SQS requests in a body of 100", hundred.sqs_requests, "requests", ten.sqs_requests, told),
        Measure("webhook, an event: bytes and CPU, body of 100 ÷ body of 10", growth, "×", GROWTH_MAX, told),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
