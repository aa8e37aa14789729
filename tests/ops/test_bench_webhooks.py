"""What the benchmark of the webhook reads of its process."""

import subprocess
from typing import Any

import msgspec
import pytest

from ops.bench import webhooks
from ops.bench.webhooks import Taken


def test_the_handlers_log_lines_stand_before_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """One structured line an invocation, on standard output, as Lambda takes them."""
    found = [Taken(10, 1.0, 200.0, 0.5)]
    said = b'{"level":"INFO","message":"invocation"}\n' * 3 + msgspec.json.encode(found) + b"\n"
    monkeypatch.setattr(
        subprocess, "run", lambda *_, **__: subprocess.CompletedProcess[Any]([], 0, stdout=said, stderr=b"")
    )
    assert webhooks.taken({}, lambda: None) == found
