"""LINE Login and link tokens, asked of the sandbox; and of a server that answers whatever it is told."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import urllib3

from functions.clock import real_clock
from functions.line.link_tokens import LineLinkTokens
from functions.line.login import LineLogin
from functions.line.replies import LineReplies
from functions.ports.errors import AccountRefused, MusubiError, RateLimited, Rejected, Retryable, Unknown
from ops.line_sandbox import SANDBOX_ACCESS_TOKEN, Friend, LineSandbox, SandboxClient
from ops.line_sandbox.settings import (
    SANDBOX_LOGIN_CHANNEL_ID,
    SANDBOX_LOGIN_CHANNEL_SECRET,
    Settings,
)
from tests.line.answering import Answers
from tests.line.test_messaging import Token

ANNE, BEN = "U" + "1" * 32, "U" + "2" * 32
CALLBACK = "https://shop.example/link/callback"
VERIFIER = "wJKN8qz5t8SSI9lMFhBB6qwNkQBkuPZoCxzRhwLRUo1"


@pytest.fixture
def sandbox(running: LineSandbox) -> LineSandbox:
    running.world.reset()
    running.world.change(Settings(login_redirect_uris=(CALLBACK,)))
    running.world.friends.register([Friend(user_id=ANNE), Friend(user_id=BEN, state="blocked")])
    return running


def login_of(
    sandbox: LineSandbox, channel: str = SANDBOX_LOGIN_CHANNEL_ID, secret: str = SANDBOX_LOGIN_CHANNEL_SECRET
) -> LineLogin:
    return LineLogin(sandbox.url, sandbox.url, lambda: channel, lambda: secret, real_clock)


def code_of(sandbox: LineSandbox, user: str = ANNE, nonce: str = "nonce-1234567890") -> str:
    """The code with which LINE sends a browser back."""
    with SandboxClient(sandbox.url) as client:
        client.phone(user_id=user, consent="allow")
        address = login_of(sandbox).authorize_url(CALLBACK, "state-1", nonce, VERIFIER, "ja")
        answer = urllib3.request("GET", address, redirect=False)
    query = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    assert query["state"] == "state-1"
    return query["code"]


def test_a_code_becomes_the_user_that_line_confirms(sandbox: LineSandbox) -> None:
    login = login_of(sandbox)
    for user, is_friend in ((ANNE, True), (BEN, False)):
        tokens = login.exchange(code_of(sandbox, user), VERIFIER, CALLBACK)
        assert login.verified_user(tokens.id_token, "nonce-1234567890") == user
        assert login.is_friend(tokens.access_token) is is_friend


def test_a_code_counts_once_and_with_its_own_verifier_and_address(sandbox: LineSandbox) -> None:
    login, code = login_of(sandbox), code_of(sandbox)
    for verifier, callback in ((VERIFIER + "x", CALLBACK), (VERIFIER, CALLBACK + "x"), ("", CALLBACK)):
        with pytest.raises(Rejected):
            login.exchange(code, verifier, callback)
    login.exchange(code, VERIFIER, CALLBACK)
    with pytest.raises(Rejected):
        login.exchange(code, VERIFIER, CALLBACK)


def test_an_id_token_of_another_login_channel_or_hand_is_refused(sandbox: LineSandbox) -> None:
    login = login_of(sandbox)
    token = login.exchange(code_of(sandbox), VERIFIER, CALLBACK).id_token
    head, body, signature = token.split(".")
    for wrong, nonce, asked in (
        (token, "another-nonce", login),
        (token, "nonce-1234567890", login_of(sandbox, channel="1234567890")),
        (f"{head}.{body}.{signature[::-1]}", "nonce-1234567890", login),
        ("", "nonce-1234567890", login),
        ("a.b.c", None, login),
    ):
        with pytest.raises(Rejected):
            asked.verified_user(wrong, nonce)
    assert login.verified_user(token, None) == ANNE


def test_a_channel_with_the_wrong_secret_gets_nothing(sandbox: LineSandbox) -> None:
    with pytest.raises(Rejected):
        login_of(sandbox, secret="x" * 32).exchange(code_of(sandbox), VERIFIER, CALLBACK)


def test_a_link_token_is_fresh_each_time(sandbox: LineSandbox) -> None:
    tokens = LineLinkTokens(sandbox.url, "https://line.example/R/ti/p", Token(SANDBOX_ACCESS_TOKEN))
    assert tokens.issue(ANNE) != tokens.issue(ANNE)
    with pytest.raises(Rejected):
        tokens.issue("../../info")
    assert tokens.add_friend_url() == "https://line.example/R/ti/p/%40sandbox"


def calls(url: str) -> dict[str, Callable[[], Any]]:
    """Every call there is, with hardly any patience."""
    login = LineLogin(url, url, lambda: "1", lambda: "s", real_clock, read_seconds=0.2)
    tokens = LineLinkTokens(url, url, Token("t"), read_seconds=0.2)
    return {
        "exchange": lambda: login.exchange("code", VERIFIER, CALLBACK),
        "verify": lambda: login.verified_user("token", "nonce"),
        "friend": lambda: login.is_friend("access"),
        "issue": lambda: tokens.issue(ANNE),
        "info": tokens.add_friend_url,
        "reply": lambda: LineReplies(url, Token("t"), read_seconds=0.2).reply("reply-token", []),
    }


NO_ANSWER: dict[str, type[MusubiError]] = {
    "exchange": Unknown,
    "verify": Retryable,
    "friend": Retryable,
    "issue": Retryable,
    "info": Retryable,
    "reply": Unknown,
}
"""A code may be used up by an exchange that nobody heard of, and a reply be said; everything else changes nothing."""
READ = {"exchange", "verify", "friend", "issue", "info"}
"""What says something that is read."""


@pytest.mark.parametrize("call", NO_ANSWER)
def test_no_answer_is_what_it_means(answers: Answers, call: str) -> None:
    expected = NO_ANSWER[call]
    strange = ((200, b"<html>"), (200, b"[]"), (200, b"\xff")) if call in READ else ()
    for status, body in ((500, {}), (503, b"<html>"), *strange):
        answers.say(status, body)
        with pytest.raises(expected):
            calls(answers.url)[call]()
    answers.wait_seconds = 0.5
    answers.say(200)
    with pytest.raises(expected):
        calls(answers.url)[call]()
    with pytest.raises(expected):
        calls("http://127.0.0.1:9")[call]()


@pytest.mark.parametrize("call", sorted(READ))
def test_a_no_is_a_no_and_too_many_is_later(answers: Answers, call: str) -> None:
    answers.say(429)
    with pytest.raises(RateLimited):
        calls(answers.url)[call]()
    for status in (302, 400, 404):
        answers.say(status)
        with pytest.raises(Rejected):
            calls(answers.url)[call]()
    answers.say(401)
    with pytest.raises(AccountRefused if call in ("issue", "info") else Rejected):
        calls(answers.url)[call]()


def test_a_reply_is_said_once_and_refused_afterwards(answers: Answers) -> None:
    reply = calls(answers.url)["reply"]
    answers.say(200)
    reply()
    for status, error in ((400, Rejected), (429, Rejected), (401, AccountRefused), (403, AccountRefused)):
        answers.say(status)
        with pytest.raises(error):
            reply()


def test_what_line_lets_through_is_checked_again(answers: Answers) -> None:
    good = {
        "iss": "https://access.line.me",
        "sub": ANNE,
        "aud": "1",
        "exp": int(real_clock().timestamp()) + 60,
        "nonce": "nonce",
    }
    answers.say(200, good)
    assert calls(answers.url)["verify"]() == ANNE
    for wrong in (
        {"iss": "https://evil.example"},
        {"aud": "2"},
        {"aud": None},
        {"exp": int(real_clock().timestamp()) - 1},
        {"exp": "soon"},
        {"nonce": "other"},
        {"nonce": None},
        {"sub": ""},
        {"sub": 7},
    ):
        answers.say(200, {**good, **wrong})
        with pytest.raises(Rejected):
            calls(answers.url)["verify"]()


def test_no_error_names_a_user_a_code_or_a_token(answers: Answers) -> None:
    answers.say(400, {"error_description": ANNE})
    for call in calls(answers.url).values():
        with pytest.raises(MusubiError) as caught:
            call()
        for secret in (ANNE, "code", "access", VERIFIER):
            assert secret not in str(caught.value)
