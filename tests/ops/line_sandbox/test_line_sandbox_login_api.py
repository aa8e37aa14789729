"""LINE Login's server side: codes for tokens, ID tokens and their check, profile and friendship."""

import base64
import datetime as dt
import json
from collections.abc import Iterator

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey

from ops.line_sandbox.answers import JsonObject
from ops.line_sandbox.client import SandboxClient, SandboxError
from ops.line_sandbox.faults import FaultRule
from ops.line_sandbox.sandbox import LineSandbox
from ops.line_sandbox.settings import changed
from tests.ops.line_sandbox.logins import (
    ANNE,
    BEN,
    CALLBACK,
    CHANNEL,
    CHIE,
    LIFF_ID,
    LIFF_PAGE,
    SECRET,
    SETTINGS,
    START,
    VERIFIER,
    Line,
    challenge_of,
)

SECOND = dt.timedelta(seconds=1)
START_SECONDS = int(START.timestamp())


@pytest.fixture
def line() -> Line:
    return Line()


def description(body: JsonObject) -> str:
    return f"{body['error']}: {body['error_description']}"


# Codes


def test_a_code_gets_an_access_a_refresh_and_an_id_token(line: Line) -> None:
    tokens = line.tokens()
    assert tokens.keys() == {
        "access_token",
        "expires_in",
        "id_token",
        "refresh_token",
        "scope",
        "token_type",
    }
    assert (tokens["expires_in"], tokens["scope"], tokens["token_type"]) == (
        2_592_000,
        "openid profile",
        "Bearer",
    )


def test_the_id_token_is_hs256_with_the_channel_secret_and_has_lines_claims(line: Line) -> None:
    token = jwt.decode(line.tokens()["id_token"], OctKey.import_key(SECRET), algorithms=["HS256"])
    assert token.header == {"typ": "JWT", "alg": "HS256"}
    assert token.claims == {
        "iss": "https://access.line.me",
        "sub": ANNE,
        "aud": CHANNEL,
        "exp": START_SECONDS + 3600,
        "iat": START_SECONDS,
        "amr": ["linesso"],
        "nonce": "a-nonce",
        "name": "Anne",
    }


def test_claims_follow_the_scopes_and_the_request(line: Line) -> None:
    bare = line.tokens(scope="openid", nonce=None, max_age="60")
    claims = line.verify(bare["id_token"]).body
    assert claims.keys() == {"iss", "sub", "aud", "exp", "iat", "amr", "auth_time"}
    assert "id_token" not in line.tokens(scope="profile")
    assert line.tokens(scope="openid email")["scope"] == "openid"


def test_a_code_works_once(line: Line) -> None:
    code = line.log_in()["code"]
    assert line.exchange(code).status == 200
    again = line.exchange(code)
    assert (again.status, description(again.body)) == (400, "invalid_grant: invalid authorization code")


@pytest.mark.parametrize(
    ("age", "status"), [(dt.timedelta(minutes=10), 200), (dt.timedelta(minutes=10) + SECOND, 400)]
)
def test_a_code_works_for_ten_minutes_of_virtual_time(line: Line, age: dt.timedelta, status: int) -> None:
    code = line.log_in()["code"]
    line.clock.advance(age)
    assert line.exchange(code).status == status


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code": None}, "invalid_request: some parameters missed or invalid"),
        ({"code": "made-up"}, "invalid_grant: invalid authorization code"),
        ({"grant_type": "password"}, "unsupported_grant_type: unsupported grant_type"),
        ({"grant_type": None}, "unsupported_grant_type: unsupported grant_type"),
        ({"client_secret": "wrong"}, "invalid_client: invalid client_secret"),
        ({"client_secret": "あ"}, "invalid_client: invalid client_secret"),
        ({"client_secret": None}, "invalid_client: invalid client_secret"),
        ({"client_id": "1"}, "invalid_client: invalid client_secret"),
        ({"redirect_uri": "https://shop.example/other"}, "invalid_grant: redirect_uri does not match"),
        ({"redirect_uri": CALLBACK + "?a=1"}, "invalid_grant: redirect_uri does not match"),
        ({"redirect_uri": None}, "invalid_request: some parameters missed or invalid"),
        ({"code_verifier": VERIFIER + "x"}, "invalid_grant: invalid code_verifier"),
        ({"code_verifier": challenge_of(VERIFIER)}, "invalid_grant: invalid code_verifier"),
        ({"code_verifier": None}, "invalid_grant: invalid code_verifier"),
    ],
)
def test_a_wrong_exchange_is_refused_and_leaves_the_code(
    line: Line, changes: dict[str, str | None], error: str
) -> None:
    code = line.log_in()["code"]
    answer = line.exchange(**{"code": code, **changes})
    assert (answer.status, description(answer.body)) == (400, error)
    assert line.exchange(code).status == 200


def test_a_code_of_another_channel_is_refused(line: Line) -> None:
    code = line.log_in()["code"]
    line.world.change(changed(SETTINGS, {"login_channel_id": "999"}))
    answer = line.exchange(code, client_id="999")
    assert description(answer.body) == "invalid_grant: invalid authorization code"


def test_without_a_challenge_there_is_no_verifier(line: Line) -> None:
    code = line.log_in(code_challenge=None, code_challenge_method=None)["code"]
    assert line.exchange(code).body["error_description"] == "invalid code_verifier"
    assert line.exchange(code, code_verifier=None).status == 200


@given(verifier=st.text("ABCDEFabcdef0123456789-._~", min_size=43, max_size=128), wrong=st.text(max_size=128))
def test_only_the_verifier_behind_the_challenge_is_taken(verifier: str, wrong: str) -> None:
    line = Line()
    code = line.log_in(code_challenge=challenge_of(verifier))["code"]
    if wrong.strip() != verifier:
        assert line.exchange(code, code_verifier=wrong).status == 400
    assert line.exchange(code, code_verifier=verifier).status == 200


def test_a_body_that_is_no_form_is_refused(line: Line) -> None:
    for path in ("/oauth2/v2.1/token", "/oauth2/v2.1/verify", "/oauth2/v2.1/revoke"):
        assert line.request("POST", path, form={"a": "1"}, content_type="application/json").status == 400
        assert line.request("POST", path).status == 400


def test_an_answer_may_be_lost_after_the_code_was_used(line: Line) -> None:
    code = line.log_in()["code"]
    line.world.faults.replace([FaultRule(kind="accept_then_drop", endpoint="login/token", times=1)])
    assert line.exchange(code).dropped
    assert line.exchange(code).body["error"] == "invalid_grant"
    assert line.world.report().answers["login/token"] == {"dropped": 1, "400": 1}


def test_a_fault_before_leaves_the_code(line: Line) -> None:
    code = line.log_in()["code"]
    line.world.faults.replace([FaultRule(kind="error_500", endpoint="login/token", times=1)])
    assert line.exchange(code).status == 500
    assert line.exchange(code).status == 200


# Checking ID tokens


def test_a_good_id_token_gets_its_claims(line: Line) -> None:
    answer = line.verify(line.tokens()["id_token"], nonce="a-nonce", user_id=ANNE)
    assert answer.status == 200
    assert (answer.body["sub"], answer.body["name"], answer.body["exp"]) == (
        ANNE,
        "Anne",
        START_SECONDS + 3600,
    )


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "999"}, "Invalid IdToken Audience."),
        ({"nonce": "another"}, "Invalid IdToken Nonce."),
        ({"user_id": BEN}, "Invalid IdToken Subject Identifier."),
        ({"client_id": "999", "nonce": "another", "user_id": BEN}, "Invalid IdToken Audience."),
        ({"nonce": "another", "user_id": BEN}, "Invalid IdToken Nonce."),
    ],
)
def test_a_token_for_somebody_else_is_refused_in_lines_order(
    line: Line, changes: dict[str, str], error: str
) -> None:
    answer = line.verify(line.tokens()["id_token"], **changes)
    assert (answer.status, answer.body) == (400, {"error": "invalid_request", "error_description": error})


def test_a_nonce_that_was_never_given_cannot_be_matched(line: Line) -> None:
    token = line.tokens(nonce=None)["id_token"]
    assert line.verify(token).status == 200
    assert line.verify(token, nonce="a-nonce").body["error_description"] == "Invalid IdToken Nonce."


@pytest.mark.parametrize(("age", "status"), [(3599, 200), (3600, 400)])
def test_an_id_token_is_good_for_an_hour_of_virtual_time(line: Line, age: int, status: int) -> None:
    token = line.tokens()["id_token"]
    line.clock.advance(dt.timedelta(seconds=age))
    answer = line.verify(token)
    assert answer.status == status
    assert answer.body.get("error_description", "") == ("" if status == 200 else "IdToken expired.")


def _signed(line: Line, header: JsonObject, key: OctKey | ECKey, **claims: object) -> str:
    good = line.verify(line.tokens()["id_token"]).body
    return jwt.encode(header, {**good, **claims}, key)


def test_forged_and_broken_tokens_are_refused(line: Line) -> None:
    hs256, es256 = {"alg": "HS256"}, {"alg": "ES256"}
    good = line.tokens()["id_token"]
    head, payload, seal = good.split(".")
    other = base64.urlsafe_b64encode(json.dumps({"sub": BEN}).encode()).decode().rstrip("=")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    public = json.dumps(line.request("GET", "/oauth2/v2.1/certs").body["keys"][0])
    forged = {
        "another secret": _signed(line, hs256, OctKey.import_key("another-secret-of-32-characters!")),
        "the public key as secret": _signed(line, hs256, OctKey.import_key(public)),
        "another key pair": _signed(line, es256, ECKey.generate_key("P-256")),
        "no signature": f"{none}.{payload}.",
        "other claims": f"{head}.{other}.{seal}",
        "two parts": f"{head}.{payload}",
        "nothing": "x",
        "dots": "..",
        "unicode": "あ.い.う",
    }
    for name, token in forged.items():
        answer = line.verify(token)
        assert (answer.status, answer.body["error_description"]) == (400, "Invalid IdToken."), name
    assert line.world.sandbox_errors == []


def test_a_token_of_another_issuer_or_without_an_end_is_refused(line: Line) -> None:
    key = OctKey.import_key(SECRET)
    issued = _signed(line, {"alg": "HS256"}, key, iss="https://evil.example")
    endless = _signed(line, {"alg": "HS256"}, key, exp="never")
    assert line.verify(issued).body["error_description"] == "Invalid IdToken Issuer."
    assert line.verify(endless).body["error_description"] == "IdToken expired."


@given(noise=st.text(max_size=200))
def test_any_text_that_is_no_token_gets_an_answer(noise: str) -> None:
    line = Line()
    assert line.verify(noise).status == 400
    assert line.world.sandbox_errors == []


def test_without_token_or_channel_there_is_nothing_to_check(line: Line) -> None:
    for form in ({"id_token": "x"}, {"client_id": CHANNEL}):
        answer = line.request("POST", "/oauth2/v2.1/verify", form=form)
        assert description(answer.body) == "invalid_request: some parameters missed or invalid"


def test_the_published_keys_check_a_liff_token_and_hold_nothing_private(line: Line) -> None:
    line.phone(user_id=BEN)
    session = line.request("GET", "/liff/v1/session", f"liffId={LIFF_ID}", origin="https://shop.example").body
    published = line.request("GET", "/oauth2/v2.1/certs").body
    assert "d" not in published["keys"][0]
    token = jwt.decode(
        session["idToken"], KeySet.import_key_set({"keys": published["keys"]}), algorithms=["ES256"]
    )
    assert token.header["kid"] == published["keys"][0]["kid"]
    assert line.verify(session["idToken"]).body["sub"] == BEN


# Access tokens


@pytest.mark.parametrize(("user_id", "flag"), [(ANNE, True), (BEN, False), (CHIE, False)])
def test_friendship_is_true_for_who_has_added_and_does_not_block(
    line: Line, user_id: str, flag: bool
) -> None:
    page = line.submit(line.page(), user_id=user_id, decision="allow")
    code = page.location.partition("code=")[2].partition("&")[0]
    bearer = f"Bearer {line.exchange(code).body['access_token']}"
    assert line.request("GET", "/friendship/v1/status", authorization=bearer).body == {"friendFlag": flag}


def test_profile_and_user_information_tell_who_it_is(line: Line) -> None:
    bearer = f"Bearer {line.tokens()['access_token']}"
    assert line.request("GET", "/v2/profile", authorization=bearer).body == {
        "userId": ANNE,
        "displayName": "Anne",
    }
    assert line.request("GET", "/oauth2/v2.1/userinfo", authorization=bearer).body == {
        "sub": ANNE,
        "name": "Anne",
    }


def test_a_scope_that_was_not_granted_is_403_and_a_wrong_token_401(line: Line) -> None:
    bare = f"Bearer {line.tokens(scope='openid')['access_token']}"
    only_profile = f"Bearer {line.tokens(scope='profile')['access_token']}"
    for path in ("/v2/profile", "/friendship/v1/status"):
        assert line.request("GET", path, authorization=bare).status == 403
        for wrong in ("Bearer made-up", bare.replace("Bearer", "Basic"), ""):
            assert line.request("GET", path, authorization=wrong).status == 401
    assert line.request("GET", "/oauth2/v2.1/userinfo", authorization=bare).body == {"sub": ANNE}
    assert line.request("GET", "/oauth2/v2.1/userinfo", authorization=only_profile).status == 403


def test_an_access_token_ends_by_revocation_or_after_thirty_days(line: Line) -> None:
    tokens, others = line.tokens(), line.tokens()
    form = {"client_id": CHANNEL, "client_secret": SECRET, "access_token": tokens["access_token"]}
    assert line.request("POST", "/oauth2/v2.1/revoke", form={**form, "client_secret": "x"}).status == 400
    assert _left(line, tokens) == 2_592_000
    assert line.request("POST", "/oauth2/v2.1/revoke", form=form).status == 200
    assert _left(line, tokens) is None
    line.clock.advance(dt.timedelta(days=30))
    assert _left(line, others) == 0
    line.clock.advance(SECOND)
    assert _left(line, others) is None


def test_a_refresh_token_gets_a_new_access_token_for_ninety_days(line: Line) -> None:
    tokens = line.tokens()
    form = {
        "grant_type": "refresh_token",
        "refresh_token": tokens["refresh_token"],
        "client_id": CHANNEL,
        "client_secret": SECRET,
    }
    line.clock.advance(dt.timedelta(days=40))
    renewed = line.request("POST", "/oauth2/v2.1/token", form=form).body
    assert renewed["access_token"] != tokens["access_token"]
    assert _left(line, renewed) == 2_592_000
    assert "id_token" not in renewed
    wrong = line.request("POST", "/oauth2/v2.1/token", form={**form, "client_secret": "x"})
    assert wrong.body["error"] == "invalid_client"
    line.clock.advance(dt.timedelta(days=50, seconds=1))
    answer = line.request("POST", "/oauth2/v2.1/token", form=form)
    assert description(answer.body) == "invalid_grant: invalid refresh token"


def test_another_method_is_405_and_every_answer_names_its_request(line: Line) -> None:
    answer = line.request("GET", "/oauth2/v2.1/token")
    assert answer.status == 405
    assert answer.headers["x-line-request-id"]


def _left(line: Line, tokens: JsonObject) -> int | None:
    answer = line.request("GET", "/oauth2/v2.1/verify", f"access_token={tokens['access_token']}")
    return answer.body.get("expires_in")


# Over HTTP, through the client


@pytest.fixture
def client() -> Iterator[SandboxClient]:
    with LineSandbox(settings=SETTINGS) as running, SandboxClient(running.url) as client:
        client.register_friends([ANNE])
        yield client


def _authorize_url(client: SandboxClient, **changes: str | None) -> str:
    return f"{client.url}/oauth2/v2.1/authorize?{Line().wish(**changes)}"


def test_the_client_goes_through_the_pages(client: SandboxClient) -> None:
    assert "code=" in client.log_in(_authorize_url(client), ANNE)
    offered = _authorize_url(client, bot_prompt="aggressive")
    assert "friendship_status_changed=true" in client.log_in(offered, CHIE, add_friend=True)
    assert "friendship_status_changed=false" in client.log_in(offered, BEN)
    assert "error=access_denied" in client.log_in(offered, BEN, allow=False)
    client.phone(user_id=BEN)
    assert "code=" in client.log_in(_authorize_url(client))


def test_the_client_says_where_there_is_no_callback(client: SandboxClient) -> None:
    with pytest.raises(SandboxError, match="Invalid redirect_uri"):
        client.log_in(_authorize_url(client, redirect_uri="https://evil.example/"), ANNE)
    with pytest.raises(SandboxError, match="no callback"):
        client.log_in(_authorize_url(client), "nobody")


def test_the_phone_changes_by_name(client: SandboxClient) -> None:
    client.phone(user_id=ANNE, cancel_next=True)
    assert (client.phone().user_id, client.phone().cancel_next) == (ANNE, True)
    for wrong in ({"user_id": "anne"}, {"consent": "maybe"}, {"colour": "red"}):
        with pytest.raises(SandboxError):
            client.phone(**wrong)


def test_pages_and_redirects_go_over_http_as_they_are(client: SandboxClient) -> None:
    page = urllib3.request("GET", _authorize_url(client))
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.data.startswith(b"<!doctype html>")
    sent = urllib3.request("GET", _authorize_url(client, scope="no"), redirect=False)
    assert (sent.status, sent.data) == (302, b"")
    script = urllib3.request("GET", f"{client.url}/liff/edge/2/sdk.js")
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"


def test_no_setting_can_break_the_header_lines(client: SandboxClient) -> None:
    for name in ("login_redirect_uris", "liff_endpoint_url"):
        for address in ("https://a.example/\r\nx: y", "javascript:alert(1)", "https://a.example/あ"):
            with pytest.raises(SandboxError):
                client.configure(**{name: [address] if name.endswith("s") else address})
    assert client.settings().liff_endpoint_url == LIFF_PAGE
