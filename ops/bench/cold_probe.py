"""One cold start, seen from within: `python -P cold_probe.py FUNCTION < ORDER > FOUND`, both JSON.

It runs on the interpreter that the bundle is built for, out of the unpacked bundle and nothing else of ours: standard
library only. What it does in turn is what Lambda does: boto3 (which comes with Lambda's runtime), the handler's module, the
wiring at the first call, that call; then, while the worker lives, more calls. Processor milliseconds, and MB in memory.
"""

import functools
import importlib
import json
import logging
import re
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")
NEVER_THERE = "/nonexistent"


class Context:
    """What Lambda tells a handler of its invocation."""

    function_name = "bench"
    function_version = "1"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:ap-northeast-1:000000000000:function:bench"
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """Enough."""
        return 60_000


def memory_mb(name: str) -> float:
    """`VmRSS` (now) or `VmHWM` (at most so far), which no parent's size is part of; 0 where the system does not tell."""
    told = re.search(rf"{name}:\s+(\d+)", STATUS.read_text(encoding="ascii")) if STATUS.exists() else None
    return int(told.group(1)) / 1024 if told else 0.0


def main() -> None:
    """Read the order, start cold, write what was found."""
    found: dict[str, Any] = {"bare_ms": time.process_time() * 1000, "bare_mb": memory_mb("VmRSS")}
    order: dict[str, Any] = json.load(sys.stdin)
    for name in order["before"]:
        _phase(found, name, lambda name=name: importlib.import_module(name))
    before = set(sys.modules)
    if not order["compiled"]:
        sys.pycache_prefix = NEVER_THERE
    function = order["function"]
    if function:
        _phase(found, "import", lambda: importlib.import_module(f"functions.{function}.handler"))
        loaded = sys.modules
        found |= {
            "modules": len(set(loaded) - before),
            "packages": sorted({one.split(".")[0] for one in loaded}),
        }
    if order["events"]:
        _invoked(found, function, order["events"], order["line_port"])
    json.dump({**found, "peak_mb": memory_mb("VmHWM")}, sys.stdout)


def _phase(found: dict[str, Any], name: str, do: Any) -> Any:
    began = time.process_time()
    answer = do()
    found[f"{name}_ms"] = (time.process_time() - began) * 1000
    found[f"{name}_mb"] = memory_mb("VmRSS")
    return answer


def _invoked(found: dict[str, Any], function: str, events: list[Any], line_port: int) -> None:
    """The wiring, the first call, and the others. What they log goes to stderr, which is shown where something fails."""
    logging.getLogger().addHandler(logging.StreamHandler(sys.stderr))
    handler = sys.modules[f"functions.{function}.handler"].handler
    told, sys.stdout = sys.stdout, sys.stderr
    calls = _counted(line_port)
    _phase(found, "wiring", lambda: _wire(f"functions.{function}.wiring"))
    answers = [_phase(found, "first", lambda: handler(events[0], Context()))]
    found["first_calls"] = dict(calls)
    calls.clear()
    began = time.process_time()
    answers += [handler(event, Context()) for event in events[1:]]
    took = (time.process_time() - began) * 1000
    sys.stdout = told
    found["answers"] = answers
    if warm := len(events) - 1:
        found |= {
            "warm_ms": took / warm,
            "warm_calls": {name: number / warm for name, number in calls.items()},
        }


def _wire(module: str) -> None:
    """Everything that the wiring makes once a process."""
    wiring = importlib.import_module(module)
    for name, made in vars(wiring).copy().items():
        own = isinstance(made, functools._lru_cache_wrapper) and made.__module__ == module  # noqa: SLF001
        if own and not name.startswith("_"):
            made()


def _counted(line_port: int) -> "Counter[str]":
    """Count every HTTP request from now on by the service that it goes to."""
    from urllib3.connectionpool import HTTPConnectionPool  # noqa: PLC0415 — the bundle's own

    calls: Counter[str] = Counter()
    real = HTTPConnectionPool.urlopen

    def urlopen(self: Any, method: str, url: str, *args: Any, **named: Any) -> Any:
        calls["line" if self.port == line_port else _service(named.get("headers") or {})] += 1
        return real(self, method, url, *args, **named)

    HTTPConnectionPool.urlopen = urlopen  # type: ignore[method-assign]
    return calls


def _service(headers: Any) -> str:
    target = headers.get("X-Amz-Target", b"")
    target = target.decode() if isinstance(target, bytes) else target
    name = target.partition(".")[0].partition("_")[0].lower()
    return {"dynamodb": "dynamodb", "amazonsqs": "sqs", "secretsmanager": "secrets"}.get(name, "s3")


if __name__ == "__main__":
    main()
