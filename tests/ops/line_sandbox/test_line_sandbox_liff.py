"""LIFF: the address that opens the app, the session inside LINE, and the login outside of it."""

from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from ops.line_sandbox.settings import changed
from tests.ops.line_sandbox.logins import (
    ANNE,
    CHANNEL,
    CHIE,
    LIFF_ID,
    LIFF_PAGE,
    SETTINGS,
    Line,
    page_of,
    parameters,
)

ORIGIN = "https://shop.example"
SESSION = "/liff/v1/session"


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.mark.parametrize(
    ("path", "query", "state"),
    [
        ("", "t=ab%26c", "?t=ab%26c"),
        ("/", "t=1&u=2", "/?t=1&u=2"),
        ("/more", "", "/more"),
        ("/more/%E3%81%82", "t=%0d%0a", "/more/%E3%81%82?t=%0d%0a"),
    ],
)
def test_the_liff_address_leads_to_the_page_and_keeps_what_was_added(
    line: Line, path: str, query: str, state: str
) -> None:
    page = page_of(line.request("GET", f"/{LIFF_ID}{path}", query))
    assert page.location.startswith(f"{LIFF_PAGE}?liff.state=")
    assert parameters(page) == {"liff.state": state}


def test_without_anything_added_it_leads_to_the_page_itself(line: Line) -> None:
    assert page_of(line.request("GET", f"/{LIFF_ID}")).location == LIFF_PAGE
    assert page_of(line.request("GET", f"/{LIFF_ID}/")).location == LIFF_PAGE


def test_another_liff_id_or_none_at_all_is_not_found(line: Line) -> None:
    assert line.request("GET", f"/{LIFF_ID}x").status == 404
    line.world.change(changed(SETTINGS, {"liff_endpoint_url": ""}))
    assert line.request("GET", f"/{LIFF_ID}").status == 404
    assert line.request("GET", SESSION, f"liffId={LIFF_ID}", origin=ORIGIN).status == 404


def test_inside_line_the_session_has_an_es256_token_of_the_phones_user(line: Line) -> None:
    line.phone(user_id=CHIE)
    session = line.request("GET", SESSION, f"liffId={LIFF_ID}", origin=ORIGIN).body
    assert session["inClient"] is True
    claims = line.verify(session["idToken"], user_id=CHIE)
    assert (claims.status, claims.body["aud"]) == (200, CHANNEL)
    bearer = f"Bearer {session['accessToken']}"
    assert line.request("GET", "/friendship/v1/status", authorization=bearer).body == {"friendFlag": False}


@pytest.mark.parametrize("user_id", ["", ANNE])
def test_outside_of_line_nobody_is_logged_in(line: Line, user_id: str) -> None:
    line.phone(user_id=user_id, external_browser=True)
    body = line.request("GET", SESSION, f"liffId={LIFF_ID}", origin=ORIGIN).body
    assert body == {"inClient": False, "clientId": CHANNEL}


def test_only_the_apps_own_page_gets_a_session(line: Line) -> None:
    line.phone(user_id=ANNE)
    for origin in ("https://evil.example", "http://shop.example", "null", ""):
        answer = line.request("GET", SESSION, f"liffId={LIFF_ID}", origin=origin)
        assert answer.status == 403
        assert "access-control-allow-origin" not in answer.headers
    allowed = line.request("GET", SESSION, f"liffId={LIFF_ID}", origin=ORIGIN)
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert line.request("GET", SESSION, "liffId=1-x", origin=ORIGIN).status == 404


def test_a_preflight_is_answered_to_the_apps_page_alone(line: Line) -> None:
    answer = line.request("OPTIONS", "/v2/profile", origin=ORIGIN)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (204, ORIGIN)
    assert line.request("OPTIONS", "/v2/profile", origin="https://evil.example").status == 405


@pytest.mark.parametrize("page", [LIFF_PAGE, f"{LIFF_PAGE}?t=1", f"{LIFF_PAGE}/more"])
def test_a_login_from_a_liff_page_needs_the_verifier_and_no_secret(line: Line, page: str) -> None:
    given = line.log_in(app_id=LIFF_ID, redirect_uri=page)
    assert (given["liffClientId"], given["liffRedirectUri"]) == (CHANNEL, page)
    wrong = line.exchange(given["code"], redirect_uri=page, client_secret=None, code_verifier="x" * 43)
    assert wrong.body["error_description"] == "invalid code_verifier"
    tokens = line.exchange(given["code"], redirect_uri=page, client_secret=None).body
    assert line.verify(tokens["id_token"], nonce="a-nonce", user_id=ANNE).status == 200
    published = line.request("GET", "/oauth2/v2.1/certs").body
    keys = KeySet.import_key_set({"keys": published["keys"]})
    assert jwt.decode(tokens["id_token"], keys, algorithms=["ES256"]).claims["sub"] == ANNE


@pytest.mark.parametrize(
    "page",
    [
        "https://shop.example/link/callback",
        "https://shop.example/link/liffx",
        "https://evil.example/link/liff",
        "https://shop.example/link/liff/../callback",
        "https://shop.example/link/liff/%2E%2e/callback",
        "https://shop.example/link/liff@evil.example",
    ],
)
def test_a_liff_login_leads_to_the_apps_page_alone(line: Line, page: str) -> None:
    assert line.page(app_id=LIFF_ID, redirect_uri=page).status == 400


def test_a_liff_login_without_a_challenge_is_refused(line: Line) -> None:
    page = line.page(app_id=LIFF_ID, redirect_uri=LIFF_PAGE, code_challenge=None, code_challenge_method=None)
    assert parse_qs(urlsplit(page.location).query)["error"] == ["invalid_request"]
