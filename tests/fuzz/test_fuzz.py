"""A small part of `make fuzz`: of one seed, and so the same requests wherever the same tests run."""

import base64
import datetime as dt
from collections.abc import Iterator

import pytest

from functions.tokens import Tokens
from tests.fuzz.deployment import KEYS, OTHERS_KEY, Deployment, deployed
from tests.fuzz.front_door import Asked, event_of, function_of
from tests.fuzz.fuzzing import Findings, fuzz
from tests.fuzz.proofs import Keys, Proofs

SEED = 20261126
REQUESTS = 170
NOW = dt.datetime.now(dt.UTC)


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    with deployed() as made:
        yield made


def test_whatever_comes_nothing_comes_of_it_that_should_not(deployment: Deployment) -> None:
    last = Findings()
    for last in fuzz(deployment, requests_min=REQUESTS, seed=SEED):
        assert last.faults == {}
    assert last.requests >= REQUESTS
    assert len(last.by_operation) == 17
    assert last.proven > REQUESTS / 4
    assert {200, 302, 400, 401} <= set(last.by_status)


def test_a_webhook_is_proven_as_lines_own_example_is() -> None:
    """Whoever judges requests must be right itself."""
    body = b'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}'
    proofs = Proofs(Keys("8c570fa6dd201bb328f1c1eac23a96d8", "", ()))
    right = "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs="  # pragma: allowlist secret
    headers = (("X-Line-Signature", right),)
    assert proofs.of(Asked("POST", "/webhook", headers=headers, body=body))
    assert not proofs.of(Asked("POST", "/webhook", headers=headers, body=body + b" "))
    assert not proofs.of(Asked("POST", "/webhook", body=body))


@pytest.mark.parametrize(
    ("purpose", "key", "made_days_ago", "good"),
    [
        ("friend", KEYS.link[0], 0, True),
        ("friend", KEYS.link[1], 13, True),
        ("friend", KEYS.link[1], 15, False),
        ("friend", OTHERS_KEY, 0, False),
        ("ticket", KEYS.link[1], 0, False),
    ],
)
def test_a_signed_text_is_told_from_others(purpose: str, key: str, made_days_ago: int, good: bool) -> None:
    at = NOW - dt.timedelta(days=made_days_ago)
    token = Tokens(lambda: [key], lambda: at).sign(purpose, {"u": "x" * 200})  # type: ignore[arg-type]
    proofs = Proofs(KEYS)
    assert proofs.of(Asked("GET", "/link/manage", f"f={token}")) is good
    assert not proofs.of(Asked("GET", "/link/manage", f"f={token[:-5]}"))
    assert not proofs.of(Asked("GET", "/link/start", f"f={token}"))


def test_a_request_becomes_the_event_that_the_http_api_makes_of_it() -> None:
    headers = (("X-A", "1"), ("x-a", "2"), ("Cookie", "a=1; b=2"), ("Content-Type", "text/plain"))
    asked = Asked("POST", "/link/%E3%81%82", "t=%20", headers, "あ".encode())
    event = event_of(asked, 1)
    assert function_of(asked) == "link"
    assert (event["rawPath"], event["rawQueryString"]) == ("/link/あ", "t=%20")
    assert (event["headers"]["x-a"], event["cookies"]) == ("1,2", ["a=1", "b=2"])
    assert (event["body"], event["isBase64Encoded"]) == ("あ", False)
    binary = event_of(Asked("POST", "/webhook", body=b"\xff"), 1)
    assert (base64.b64decode(binary["body"]), binary["isBase64Encoded"]) == (b"\xff", True)
    assert function_of(Asked("GET", "/webhook")) is None
