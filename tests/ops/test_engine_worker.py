"""The engine, as ops/engine/serve.py adjusts it, on its own interpreter."""

import json
import subprocess
from pathlib import Path

from infra.bundle import ENGINE_PYTHON, ROOT

ADJUSTED = """
import sys
sys.path.insert(0, sys.argv[1])
import serve
serve.keep_traces_out_of_libc()
print(serve.lambda_runtime._PYTHON_WORKER_SCRIPT)
"""
HANDLER = """
import ctypes, os
getenv = ctypes.CDLL(None).getenv
getenv.restype = ctypes.c_char_p
def handler(event, context):
    return [os.environ.get("_X_AMZN_TRACE_ID"), getenv(b"_X_AMZN_TRACE_ID")]
"""


def test_code_is_told_of_each_trace_and_libc_of_none(tmp_path: Path) -> None:
    """What libc is told it keeps for good, value by value: a leak of the runtime's that a load would take for ours."""
    (tmp_path / "traced.py").write_text(HANDLER)
    script = subprocess.run(
        [ENGINE_PYTHON, "-P", "-c", ADJUSTED, str(ROOT / "ops" / "engine")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    told = [
        {"code_dir": str(tmp_path), "module": "traced", "handler": "handler"},
        *({"event": {}, "ctx": {"trace_id": trace}} for trace in ("Root=1-a", "Root=1-b", None)),
    ]
    done = subprocess.run(
        [ENGINE_PYTHON, "-P", "-c", script],
        input="".join(json.dumps(line) + "\n" for line in told),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer.get("result") for answer in answers] == [
        None,
        ["Root=1-a", None],
        ["Root=1-b", None],
        [None, None],
    ]


GATHERING = """
import sys
sys.path.insert(0, sys.argv[1])
import serve
waiting = [7]
def since(table, position, most):
    taken = min(most, waiting[0])
    waiting[0] -= taken
    return [None] * taken
handed = []
def poll():
    handed.append(len(serve.dynamodb.stream_records_since("table", 0, 3)))
    return True
serve.dynamodb.stream_records_since = since
serve.lambda_svc._poll_dynamodb_streams = poll
serve.gather_from_streams(3600)
for _ in range(9):
    serve.lambda_svc._poll_dynamodb_streams()
print(handed)
"""


def test_a_full_batch_of_a_stream_waits_for_no_window() -> None:
    """Seven records, three a batch, and a window of an hour: what is no full batch any more waits."""
    done = subprocess.run(
        [ENGINE_PYTHON, "-P", "-c", GATHERING, str(ROOT / "ops" / "engine")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[3, 3, 1]"
