"""`python -m ops.bench.clicks`: a click's processor time, beside checking its signature with itsdangerous and nothing else.

The production handler, in a process of its own, with a token as the sender signs it: once with its message put into the
engine's queue over HTTP, and once into a list, which leaves what is ours.
"""

import dataclasses
import datetime as dt
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from itsdangerous import URLSafeTimedSerializer

from functions.click import handler as module
from functions.click.wiring import follow
from functions.domain.tracked_links import Click, payload_of
from functions.ports.messages import InboxMessage
from functions.settings import read_settings
from functions.tokens import Tokens
from infra.bundle import ROOT
from ops.bench.measure import Measure
from ops.bench.world import LINK_KEY

TAP: Final = Path("events/click/tap.json")
CLICKS_TIMED: Final = 1_000
PUT_TIMED: Final = 200
REPETITIONS: Final = 5
OWN_MS_MAX: Final = 0.1
"""Ours, above the bare check: the request read, who asks told apart, the event written down."""
SECONDS_MAX: Final = 120
FOUND: Final = 302


class Clicked(msgspec.Struct):
    """Processor milliseconds a click: the bare check of the signature, all of ours, and with the queue."""

    bare_ms: float = float("inf")
    own_ms: float = float("inf")
    with_queue_ms: float = float("inf")


class _List:
    """An inbox that costs nothing to put into."""

    def put(self, messages: Sequence[InboxMessage]) -> None:
        """Written down as for the queue, and forgotten."""
        for message in messages:
            msgspec.json.encode(message)


def main() -> None:
    """Measure, and write what was found."""
    settings = read_settings()
    flow = follow()
    token = _token()
    event = _event(token)
    bare = URLSafeTimedSerializer(
        [LINK_KEY],
        salt="musubi:click",
        serializer=json,
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )
    own = dataclasses.replace(flow, inbox=_List())
    if not isinstance(flow.tokens, Tokens) or not settings.secret_link:
        raise RuntimeError("the click function is not wired as it is deployed")
    found = Clicked()
    for _ in range(REPETITIONS):
        found.bare_ms = min(found.bare_ms, _timed(lambda: bare.loads(token, max_age=10**9), CLICKS_TIMED))
        vars(module)["follow"] = lambda: own
        found.own_ms = min(found.own_ms, _timed(lambda: _taken(event), CLICKS_TIMED))
        vars(module)["follow"] = lambda: flow
        found.with_queue_ms = min(found.with_queue_ms, _timed(lambda: _taken(event), PUT_TIMED))
    print(msgspec.json.encode(found).decode())


def _timed(call: Callable[[], object], turns: int) -> float:
    call()
    began = time.process_time()
    for _ in range(turns):
        call()
    return 1000 * (time.process_time() - began) / turns


def _taken(event: dict[str, Any]) -> None:
    if module.handler(event, None)["statusCode"] != FOUND:
        raise RuntimeError("the click led nowhere")


def _token() -> str:
    now = dt.datetime.now(dt.UTC)
    click = Click(
        address="https://shop.example.com/ranking/week?from=line",
        send_id="0b2e6a2e-5a10-5f3c-9c37-1d0a3e5b7c11",
        customer_id="customer-0000001",
        link="1 今週のランキングを見る",
        expires_at=now + dt.timedelta(days=30),
        step="day7_related",
        scenario="second_purchase",
    )
    return Tokens(lambda: [LINK_KEY], lambda: now).sign("click", payload_of(click))


def _event(token: str) -> dict[str, Any]:
    tap: dict[str, Any] = json.loads((ROOT / TAP).read_text(encoding="utf-8"))
    return {**tap, "rawPath": f"/c/{token}"}


def clicked(environment: Mapping[str, str], advance: Callable[[], None]) -> Clicked:
    """What the process measured."""
    done = subprocess.run(
        [sys.executable, "-m", "ops.bench.clicks"], cwd=ROOT, env=dict(environment), capture_output=True,
        check=False, timeout=SECONDS_MAX,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the click's process failed:\n{done.stderr.decode()}")
    advance()
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Clicked)


def rows(found: Clicked) -> list[Measure]:
    """What is ours above the bare check, and what one click takes all told."""
    told = f"the signature alone: {found.bare_ms:.3f} ms; with SQS: {found.with_queue_ms:.3f} ms"
    return [
        Measure("a click, CPU above the signature's check", found.own_ms - found.bare_ms, "ms", OWN_MS_MAX, told),
        Measure("a click, CPU with its message in the queue", found.with_queue_ms, "ms", None, told),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
