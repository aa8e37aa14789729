"""`python -m ops.bench.sender < ORDER > RESULT`: a process that sends and does nothing else, measured from within.

What it sends with is the production handler, composed by the production wiring, over boto3 and urllib3 with real
bytes. Beside it, in the same process and by turns: the bare push loop and the common design.
"""

import contextlib
import datetime as dt
import io
import json
import logging
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import boto3
import msgspec
import urllib3

from functions import clock
from functions.aws.clients import client
from functions.aws.objects import Objects, S3Playbooks
from functions.settings import read_settings
from ops.bench.common_design import dynamodb, handler_of
from ops.bench.counting import Counter, Counts

Design = Literal["musubi", "multicast", "common", "floor"]
PUSH = "/v2/bot/message/push"
TIMEOUT_MS = 60_000
CACHES_SECONDS_MAX = 60.0
"""Longer than anything is cached that must be seconds old at most."""


class Round(msgspec.Struct):
    """So many orders of one design, in batches of so many. `people`: how many each order reaches; `stale`: what the
    process caches for seconds has grown old before."""

    design: Design
    batch: int
    bodies: list[str]
    warm: bool = False
    people: int = 1
    stale: bool = False


class Order(msgspec.Struct):
    """Rounds to go through, at a virtual instant that goes on as time does. `counted`: count calls, not time; for the
    caches time then stands still, so that a slow machine counts what a fast one does."""

    now: dt.datetime
    token: str
    rounds: list[Round]
    counted: bool = False
    asks: bool = False


class Done(msgspec.Struct):
    """One round: processor seconds, in how many LINE was at work, counted calls, and lines logged with their bytes.

    `messages`: recipients that were reached.
    """

    design: Design
    batch: int
    invocations: int
    messages: int
    cpu_seconds: float
    line_seconds: float
    counts: Counts
    log_lines: int = 0
    log_bytes: int = 0
    warm: bool = False
    stale: bool = False


class _Context:
    """What Lambda tells a handler about its invocation, as far as Powertools asks."""

    function_name = "bench"
    function_version = "$LATEST"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:ap-northeast-1:000000000000:function:bench"
    aws_request_id = str(uuid.UUID(int=0))

    def get_remaining_time_in_millis(self) -> int:
        """Enough."""
        return TIMEOUT_MS


OWN_LINE = '"message":"invocation"'
"""What each invocation of ours writes, however many messages it has: the bill takes it by prices.INVOCATION_LINE_BYTES."""


class _Lines(logging.Handler):
    """Lambda's own handler: what reaches the root at WARNING or above becomes a line."""

    def __init__(self, stream: io.StringIO) -> None:
        super().__init__(logging.WARNING)
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        self._stream.write(self.format(record) + "\n")


def main() -> None:
    """Read the order, go through its rounds, write what they came to."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    offset = order.now - dt.datetime.now(dt.UTC)
    clock.real_clock = lambda: dt.datetime.now(dt.UTC) + offset
    result = sys.stdout
    with contextlib.redirect_stdout(io.StringIO()) as lines:
        logging.getLogger().addHandler(_Lines(lines))
        try:
            done = list(_rounds(order, lines))
        except BaseException:
            sys.stderr.write(lines.getvalue())  # what was logged says why
            raise
    result.write(msgspec.json.encode(done).decode())


def _rounds(order: Order, lines: io.StringIO) -> Iterator[Done]:
    counter = _counter(order)
    senders = {name: _sender(name, order.token) for name in {one.design for one in order.rounds}}
    still = _stopped_caches() if order.counted else _Still()
    for one in order.rounds:
        still.elapsed += CACHES_SECONDS_MAX if one.stale else 0.0
        lines.seek(0)
        lines.truncate()
        counter.taken()
        line_seconds = _line_seconds()
        cpu = time.process_time()
        for start in range(0, len(one.bodies), one.batch):
            senders[one.design](one.bodies[start : start + one.batch])
        cpu = time.process_time() - cpu
        line_seconds = _line_seconds() - line_seconds
        told = "".join(line for line in lines.getvalue().splitlines(keepends=True) if OWN_LINE not in line)
        logged = (told.count("\n"), len(told.encode()))
        reached, invocations = len(one.bodies) * one.people, -(-len(one.bodies) // one.batch)
        yield Done(
            one.design,
            one.batch,
            invocations,
            reached,
            cpu,
            line_seconds,
            counter.taken(),
            *logged,
            one.warm,
            one.stale,
        )


class _Still:
    """The `time` that the caches go by: it stands still but for what is added to it."""

    def __init__(self) -> None:
        self.elapsed = time.monotonic()

    def monotonic(self) -> float:
        """Seconds, as `time.monotonic` has them."""
        return self.elapsed

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def _stopped_caches() -> _Still:
    """Let time stand still for every adapter that asks how old what it keeps is."""
    still = _Still()
    for name, module in list(sys.modules.items()):
        if name.startswith("functions.aws.") and getattr(module, "time", None) is time:
            vars(module)["time"] = still
    return still


def _line_seconds() -> float:
    """In how many seconds the benchmark's LINE was at work so far."""
    answer = urllib3.request("GET", f"{read_settings().line_api_url}/_taken", retries=False)
    return float(json.loads(answer.data)["busy_seconds"])


def _counter(order: Order) -> Counter:
    """A counter over all clients of the process, where calls are to be counted; else one that watches nothing."""
    counter = Counter(boto3.client("dynamodb"), asks=order.asks)
    if order.counted:
        for each in (*map(client, ("dynamodb", "sqs", "s3", "secretsmanager")), dynamodb()):
            counter.watch(each)
    return counter


def _sender(design: Design, token: str) -> Callable[[Sequence[str]], None]:
    if design == "floor":
        return _floor(token)
    from functions.send.handler import handler  # noqa: PLC0415 — after the clock is set

    settings = read_settings()
    if design in ("musubi", "multicast"):
        return lambda bodies: _must_succeed(handler(_event(bodies), _Context()))
    playbooks = S3Playbooks(Objects(client("s3"), settings.bucket))
    common = handler_of(settings.line_api_url, token, playbooks.in_force())
    return lambda bodies: _must_be_sent(common(_event(bodies), _Context()))


def _floor(token: str) -> Callable[[Sequence[str]], None]:
    """The same push with nothing around it: urllib3 on one kept connection, one call after the other."""
    pool, url = urllib3.PoolManager(), read_settings().line_api_url + PUSH
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}

    def push(bodies: Sequence[str]) -> None:
        for body in bodies:
            own = {**headers, "x-line-retry-key": str(uuid.UUID(int=1))}
            answer = pool.request("POST", url, body=body.encode(), headers=own)
            if not json.loads(answer.data)["sentMessages"]:
                raise RuntimeError("LINE did not accept the push")

    return push


def _event(bodies: Sequence[str]) -> dict[str, Any]:
    """An SQS event as Lambda gets it."""
    return {"Records": [_record(number, body) for number, body in enumerate(bodies)]}


def _record(number: int, body: str) -> dict[str, Any]:
    return {
        "messageId": str(uuid.UUID(int=number)),
        "receiptHandle": "AQEB" * 100,
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1795143600000", "SenderId": "AROA"},
        "messageAttributes": {},
        "md5OfBody": "d41d8cd98f00b204e9800998ecf8427e",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:ap-northeast-1:000000000000:send",
        "awsRegion": "ap-northeast-1",
    }


def _must_succeed(answer: dict[str, Any]) -> None:
    if answer.get("batchItemFailures"):
        raise RuntimeError(f"the sender failed {len(answer['batchItemFailures'])} messages of a batch")


def _must_be_sent(answer: dict[str, Any]) -> None:
    if answer.get("status") != "sent":
        raise RuntimeError(f"the common design did not send: {answer}")


if __name__ == "__main__":
    main()
