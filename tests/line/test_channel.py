"""What LINE's answers mean, whatever was asked, and what becomes of the token."""

import pytest
import urllib3

from functions.line.bot import LineBot
from functions.line.channel import Channel
from functions.line.http import NOT_FOUND
from functions.line.messaging import LineMessaging
from functions.line.quota import LineMonthlyQuota
from functions.ports.errors import (
    AccountRefused,
    MusubiError,
    OverQuota,
    RateLimited,
    Rejected,
    Retryable,
    Unknown,
)
from tests.line.answering import Answers
from tests.line.test_messaging import Token

TIMEOUT_SECONDS = 2.0


def channel(server: Answers, token: Token) -> Channel:
    return Channel(server.url, token, urllib3.Timeout(total=TIMEOUT_SECONDS))


@pytest.mark.parametrize("unanswered", [Unknown, Retryable])
@pytest.mark.parametrize(
    ("status", "body", "error", "fetches"),
    [
        (301, {}, Rejected, 1),
        (400, {}, Rejected, 1),
        (401, {}, AccountRefused, 2),
        (403, {}, AccountRefused, 2),
        (404, {}, Rejected, 1),
        (409, {}, Rejected, 1),
        (429, {"message": "You have reached your monthly limit."}, OverQuota, 1),
        (429, {"message": "The API rate limit has been exceeded. Try again later."}, RateLimited, 1),
        (500, {}, None, 1),
        (503, b"<html>", None, 1),
    ],
)
def test_each_answer_is_what_it_means_and_a_token_that_is_refused_is_fetched_anew(
    answers: Answers,
    unanswered: type[MusubiError],
    status: int,
    body: object,
    error: type[MusubiError] | None,
    fetches: int,
) -> None:
    token = Token("token")
    asking = channel(answers, token)
    answers.say(status, body, {"location": "/elsewhere"})
    with pytest.raises(MusubiError) as raised:
        asking.ask("GET", "/v2/bot/info", unanswered)
    assert type(raised.value) is (error or unanswered)
    assert len(answers.asked) == 1, "no redirect is followed, and nothing is repeated"
    answers.say(200)
    asking.ask("GET", "/v2/bot/info", unanswered)
    assert token.fetched == fetches


@pytest.mark.parametrize("status", [200, 202, NOT_FOUND])
def test_a_success_and_what_is_asked_for_besides_is_an_answer(answers: Answers, status: int) -> None:
    answers.say(status, {"a": 1}, {"X-Line-Request-Id": "r1"})
    answer = channel(answers, Token("token")).ask("GET", "/v2/bot/info", Retryable, also=(NOT_FOUND,))
    assert (answer.status, answer.read(), answer.headers["x-line-request-id"]) == (status, {"a": 1}, "r1")


@pytest.mark.parametrize("token", ["secret\n", "secret two", "sécret", "", "\r\nX-Other: secret"])
def test_a_token_that_no_header_bears_refuses_the_account_unsaid(answers: Answers, token: str) -> None:
    """`http.client` would say the whole header in its error."""
    held = Token(token)
    with pytest.raises(AccountRefused, match="no_token"):
        LineMessaging(answers.url, held, TIMEOUT_SECONDS).push("U1", [], "key")
    with pytest.raises(Retryable, match="LINE tells no quota: no_token"):
        LineMonthlyQuota(answers.url, held).usage()
    with pytest.raises(AccountRefused, match="no_token"):
        LineBot(answers.url, held).info()
    assert answers.asked == []


def test_what_no_header_bears_is_not_repeated_in_an_error(answers: Answers) -> None:
    with pytest.raises(Unknown) as raised:
        LineMessaging(answers.url, Token("token"), TIMEOUT_SECONDS).push("U1", [], "key\nsecret")
    assert str(raised.value) == "no answer from LINE: ValueError"


@pytest.mark.parametrize(
    "body", [b"{}", b"<html>", {"displayName": "Shop"}, {"displayName": 1, "basicId": "@s"}]
)
def test_a_bot_without_a_name_is_asked_again(answers: Answers, body: object) -> None:
    answers.say(200, body)
    with pytest.raises(Retryable, match="LINE answered without"):
        LineBot(answers.url, Token("token")).info()


@pytest.mark.parametrize("body", [b"{}", b"<html>", {"endpoint": "https://a.example", "active": "yes"}])
def test_a_webhook_that_is_not_told_is_none_that_was_never_set(answers: Answers, body: object) -> None:
    answers.say(200, body)
    with pytest.raises(Retryable, match="LINE answered without"):
        LineBot(answers.url, Token("token")).webhook()


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        {"totalUsage": 5},
        {"type": "many", "value": 5, "totalUsage": 5},
        {"type": "limited", "totalUsage": 5},
        {"type": "none"},
    ],
)
def test_what_does_not_tell_the_quota_whole_tells_none(answers: Answers, body: object) -> None:
    """Above all it is not taken for an account without a limit."""
    answers.say(200, body)
    with pytest.raises(Retryable, match="LINE tells no quota"):
        LineMonthlyQuota(answers.url, Token("token")).usage()
