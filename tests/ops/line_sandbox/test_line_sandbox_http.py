"""The sandbox over HTTP: connections, malformed requests, lost answers, and the process."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import urllib3

from ops.line_sandbox.__main__ import main
from ops.line_sandbox.direct import text
from ops.line_sandbox.faults import FaultRule
from ops.line_sandbox.friends import Friend
from ops.line_sandbox.sandbox import SANDBOX_ACCESS_TOKEN, LineSandbox

ANNE = "U" + "1" * 32
KEY = "123e4567-e89b-12d3-a456-426614174000"
AUTHORIZED = {"authorization": f"Bearer {SANDBOX_ACCESS_TOKEN}"}
ROOT = Path(__file__).parents[3]


@pytest.fixture
def sandbox() -> Iterator[LineSandbox]:
    with LineSandbox() as running:
        running.world.friends.register([Friend(user_id=ANNE)])
        yield running


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(maxsize=16) as pool:
        yield pool


def push(
    http: urllib3.PoolManager, sandbox: LineSandbox, *, key: str = KEY, timeout: float = 10
) -> urllib3.BaseHTTPResponse:
    return http.request(
        "POST",
        f"{sandbox.url}/v2/bot/message/push",
        json={"to": ANNE, "messages": [text("こんにちは")]},
        headers={**AUTHORIZED, "X-Line-Retry-Key": key},
        timeout=timeout,
        retries=False,
    )


def raw_exchange(sandbox: LineSandbox, request: bytes) -> bytes:
    """Everything the server sends until it closes the connection."""
    host, port = sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_a_push_goes_over_http_and_keeps_its_text(http: urllib3.PoolManager, sandbox: LineSandbox) -> None:
    response = push(http, sandbox)
    assert response.status == 200
    assert str(uuid.UUID(response.headers["x-line-request-id"])) == response.headers["x-line-request-id"]
    assert response.headers["content-type"] == "application/json"
    assert sandbox.world.ledger.of_user(ANNE)[0].messages == [text("こんにちは")]


def test_the_server_listens_on_loopback_alone(sandbox: LineSandbox) -> None:
    assert sandbox._server
    assert sandbox._server.socket.getsockname()[0] == "127.0.0.1"


def test_one_connection_serves_many_requests(http: urllib3.PoolManager, sandbox: LineSandbox) -> None:
    for _ in range(5):
        push(http, sandbox, key=str(uuid.uuid4()))
    pool = http.connection_from_url(sandbox.url)
    assert isinstance(pool, urllib3.HTTPConnectionPool)
    assert (pool.num_connections, pool.num_requests) == (1, 5)


def test_concurrent_requests_on_one_key_are_accepted_once(
    http: urllib3.PoolManager, sandbox: LineSandbox
) -> None:
    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: push(http, sandbox).status, range(64)))
    assert sorted(statuses) == [200] + [409] * 63
    assert sandbox.world.report().delivered == 1


def test_every_answer_names_its_request(http: urllib3.PoolManager, sandbox: LineSandbox) -> None:
    for method, path in (("GET", "/nowhere"), ("GET", "/v2/bot/info"), ("GET", "/v2/bot/message/push")):
        assert "x-line-request-id" in http.request(method, sandbox.url + path, retries=False).headers


def test_without_a_bearer_token_it_is_401(http: urllib3.PoolManager, sandbox: LineSandbox) -> None:
    response = http.request("GET", f"{sandbox.url}/v2/bot/info")
    assert response.status == 401
    assert response.json()["message"].startswith("Authentication failed.")


def test_a_body_over_2_mb_is_413(http: urllib3.PoolManager, sandbox: LineSandbox) -> None:
    url = f"{sandbox.url}/v2/bot/message/push"
    response = http.request("POST", url, body=b" " * (2 * 1024 * 1024 + 1), headers=AUTHORIZED)
    assert response.status == 413


def test_an_accepted_then_dropped_push_is_a_lost_connection_and_then_409(
    http: urllib3.PoolManager, sandbox: LineSandbox
) -> None:
    sandbox.world.faults.replace([FaultRule(kind="accept_then_drop", times=1)])
    with pytest.raises(urllib3.exceptions.ProtocolError):
        push(http, sandbox)
    assert push(http, sandbox).status == 409
    assert sandbox.world.report().answers == {"push": {"dropped": 1, "409": 1}}


def test_an_answer_that_comes_too_late_is_a_timeout_and_then_409(
    http: urllib3.PoolManager, sandbox: LineSandbox
) -> None:
    sandbox.world.faults.replace([FaultRule(kind="accept_then_slow", seconds=60, times=1)])
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        push(http, sandbox, timeout=0.1)
    assert push(http, sandbox).status == 409


def test_stopping_does_not_wait_for_slow_answers(http: urllib3.PoolManager) -> None:
    with LineSandbox() as sandbox:
        sandbox.world.faults.replace([FaultRule(kind="slow", seconds=60)])
        with pytest.raises(urllib3.exceptions.ReadTimeoutError):
            push(http, sandbox, timeout=0.05)
        began = time.monotonic()
    assert time.monotonic() - began < 2


def test_a_stopped_sandbox_has_no_url(sandbox: LineSandbox) -> None:
    sandbox.stop()
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.url


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n", 411),
        (b"POST / HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 101 + b"\r\n", 431),
        (b"GET / HTTP/1.0\r\n\r\n", 404),
    ],
)
def test_a_malformed_request_is_answered_and_its_connection_closed(
    sandbox: LineSandbox, request_bytes: bytes, status: int
) -> None:
    assert raw_exchange(sandbox, request_bytes).startswith(b"HTTP/1.1 %d " % status)


def test_a_client_that_is_gone_in_the_middle_of_its_request_has_asked_for_nothing(
    sandbox: LineSandbox,
) -> None:
    host, port = sandbox.url.removeprefix("http://").split(":")
    head = b"POST /v2/bot/message/push HTTP/1.1\r\nauthorization: Bearer sandbox-access-token\r\n"
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(head + b'content-length: 100\r\n\r\n{"to":')
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(65_536) == b""
    report = sandbox.world.report()
    assert (report.answers, report.sandbox_errors) == ({}, [])


def test_a_client_that_waits_to_continue_is_told_to(sandbox: LineSandbox) -> None:
    request = b"POST /_sandbox/reset HTTP/1.1\r\nexpect: 100-continue\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}"
    assert raw_exchange(sandbox, request).startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_a_failure_of_the_sandbox_is_reported_as_its_own(
    http: urllib3.PoolManager, sandbox: LineSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox.world, "clock", lambda: 1 / 0)
    response = push(http, sandbox)
    assert response.status == 500
    assert response.json()["message"].startswith("The sandbox itself failed")
    assert "ZeroDivisionError" in sandbox.world.report().sandbox_errors[0]


def test_the_process_says_its_url_follows_the_clock_file_and_ends_at_sigterm(
    http: urllib3.PoolManager, tmp_path: Path
) -> None:
    clock_file = tmp_path / "clock"
    clock_file.write_text("2026-11-01T03:00:00+00:00")
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"config": {"monthly_limit": 7}, "friends": [{"user_id": ANNE}]}))
    command = [
        sys.executable,
        "-m",
        "ops.line_sandbox",
        "--clock-file",
        str(clock_file),
        "--state-json",
        str(state),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        url = json.loads(process.stdout.readline())["url"]
        quota = http.request("GET", f"{url}/v2/bot/message/quota", headers=AUTHORIZED).json()
        now = http.request("GET", f"{url}/_sandbox/health").json()["now"]
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(timeout=5) == 0
        assert process.stderr.read() == ""
    assert quota == {"type": "limited", "value": 7}
    assert now == "2026-11-01T03:00:00+00:00"


def test_a_start_that_fails_says_why_in_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text('{"config": {"gravity": 9.8}}')
    for arguments in (
        ["--port", "99999"],
        ["--state-json", str(tmp_path / "none")],
        ["--state-json", str(state)],
    ):
        assert main(arguments) == 2
        assert capsys.readouterr().err.count("\n") == 1
