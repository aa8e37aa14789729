"""A wiring only puts things together: it speaks to nobody, so that it may be built at any time, before a snapshot too."""

import os
import subprocess
import sys

import pytest

SETTINGS = {
    name: "https://sqs.ap-northeast-1.amazonaws.com/000000000000/queue" if name.startswith("QUEUE") else "name"
    for name in (
        "TABLE_IDENTITIES", "TABLE_CUSTOMERS", "TABLE_TIMERS", "QUEUE_INBOX_URL", "BUCKET", "SECRET_LINE", "SECRET_INGEST",
        "SECRET_LINK", "LINK_URL", "SCHEDULE_GROUP",
    )
}  # fmt: skip
ALONE = """
import sys
def watch(event, _):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen"):
        raise SystemExit(f"{event} while it was wired")
sys.addaudithook(watch)
import functions.WHICH.handler
from functions.WHICH import wiring
wiring.MADE()
"""


@pytest.mark.parametrize(
    ("function", "made"), [("webhook", "receive"), ("link", "link"), ("click", "follow")]
)
def test_wiring_opens_no_connection_and_so_holds_no_secret(function: str, made: str) -> None:
    keys = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "ap-northeast-1",
    }
    done = subprocess.run(
        [sys.executable, "-c", ALONE.replace("WHICH", function).replace("MADE", made)],
        env={"PYTHONPATH": os.pathsep.join(sys.path), **keys, **SETTINGS}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
