"""The HTTP API's event as the link function reads it."""

import base64
from typing import Any

import pytest

from functions.http_events import body_of, request_parts
from functions.link.answers import COOKIE_CHARACTERS_MAX, Request, cookie_line, cookie_name


def event(**more: Any) -> dict[str, Any]:
    return {
        "version": "2.0",
        "rawPath": "/link/start",
        "rawQueryString": "t=a.b&lang=en",
        "requestContext": {"http": {"method": "GET"}},
        "headers": {"Accept-Language": "ja"},
        **more,
    }


def test_a_page_is_asked_for() -> None:
    request = Request(**request_parts(event(cookies=["a=1", "b=2=3"])))
    assert (request.method, request.path, dict(request.query)) == (
        "GET",
        "/link/start",
        {"t": "a.b", "lang": "en"},
    )
    assert dict(request.cookies) == {"a": "1", "b": "2=3"}
    assert request.lang == "en"


def test_cookies_that_are_left_in_the_header_are_read() -> None:
    parts = request_parts(event(headers={"cookie": "musubi_link=x; other=y; musubi_link=z"}))
    assert parts["cookies"] == {"musubi_link": "x", "other": "y"}


@pytest.mark.parametrize("encoded", [True, False])
def test_a_form_is_read_whichever_way_it_comes(encoded: bool) -> None:
    text = "t=%E3%81%82&consent=a&consent=b&lang=ja"
    body = base64.b64encode(text.encode()).decode() if encoded else text
    headers = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}
    request = Request(**request_parts(event(body=body, isBase64Encoded=encoded, headers=headers)))
    assert request.field("t") == "あ"
    assert request.form["consent"] == ["a", "b"]
    assert request.field("consent") == ""


@pytest.mark.parametrize("body", ["=", "abcde", "é鍵", "\ud83d"])
def test_what_says_that_it_is_base64_and_is_not_is_no_body(body: str) -> None:
    assert body_of(event(body=body, isBase64Encoded=True)) == b""
    assert isinstance(body_of(event(body=body, isBase64Encoded=False)), bytes)


def test_what_is_no_form_is_none() -> None:
    for kind in ("application/json", "", "multipart/form-data"):
        assert request_parts(event(body="t=1", headers={"content-type": kind}))["form"] == {}


def test_a_name_given_twice_says_nothing() -> None:
    assert request_parts(event(rawQueryString="t=a&t=b&lang=ja"))["query"] == {"lang": "ja"}
    assert request_parts(event(rawQueryString="&".join(f"x{n}=1" for n in range(200))))["query"] == {}


def test_an_empty_event_is_a_request_for_nothing() -> None:
    assert Request(**request_parts({})).path == ""


def test_a_cookie_belongs_to_one_host_where_there_is_https() -> None:
    assert cookie_name("https://id.shop.example").startswith("__Host-")
    assert cookie_name("http://127.0.0.1:80") == "musubi_link"
    with pytest.raises(ValueError, match="no browser"):
        cookie_line("https://id.shop.example", "x" * (COOKIE_CHARACTERS_MAX + 1))
