"""LIFF's script as a page runs it, on Node against a running sandbox."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.line_sandbox.client import SandboxClient
from ops.line_sandbox.friends import Friend
from ops.line_sandbox.sandbox import LineSandbox
from tests.ops.line_sandbox.logins import ANNE, CHANNEL, LIFF_ID, LIFF_PAGE, SETTINGS

HARNESS = Path(__file__).with_name("liff_page.mjs")


@pytest.fixture
def client() -> Iterator[SandboxClient]:
    with LineSandbox(settings=SETTINGS) as running, SandboxClient(running.url) as client:
        client.register_friends([Friend(user_id=ANNE, display_name="杏")])
        yield client


def opened(client: SandboxClient, page: str = LIFF_PAGE, **order: Any) -> dict[str, Any]:
    """What the script has made of the page."""
    sdk = f"{client.url}/liff/edge/2/sdk.js"
    whole = {"sdk": sdk, "page": page, "config": {"liffId": LIFF_ID}, **order}
    ran = subprocess.run(
        ["node", str(HARNESS)],
        input=json.dumps(whole),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    result: dict[str, Any] = json.loads(ran.stdout)
    return result


def test_inside_line_the_user_is_logged_in_after_init(client: SandboxClient) -> None:
    client.phone(user_id=ANNE)
    page = opened(client)
    assert (page["loggedIn"], page["inClient"], page["left"]) == (True, True, None)
    assert (page["claims"]["sub"], page["claims"]["aud"], page["claims"]["name"]) == (ANNE, CHANNEL, "杏")
    assert page["friendship"] == {"friendFlag": True}
    assert page["store"] == {}, "another opening, by another user, brings its own tokens"


def test_what_was_added_to_the_liff_address_comes_back_by_a_second_redirect(client: SandboxClient) -> None:
    client.phone(user_id=ANNE)
    page = opened(client, f"{LIFF_PAGE}?a=1&liff.state=%3Ft%3Da%2526b%26u%3D2%23end")
    assert page["left"] == f"{LIFF_PAGE}?a=1&t=a%26b&u=2#end"
    assert page["loggedIn"] is False
    assert opened(client, f"{LIFF_PAGE}?liff.state=%2Fmore%3Ft%3D1")["left"] == f"{LIFF_PAGE}/more?t=1"


def test_outside_of_line_the_login_comes_back_with_a_code_that_init_exchanges(client: SandboxClient) -> None:
    page = f"{LIFF_PAGE}?t=1"
    away = opened(client, page, login={"redirectUri": page})
    assert away["left"].startswith(f"{client.url}/oauth2/v2.1/authorize?")
    callback = client.log_in(away["left"], ANNE)
    back = opened(client, callback, store=away["store"])
    assert (back["loggedIn"], back["inClient"], back["claims"]["sub"]) == (True, False, ANNE)
    assert back["href"] == page
    assert opened(client, page, store=back["store"])["idToken"] == back["idToken"]


def test_a_callback_for_another_state_or_with_a_used_code_logs_nobody_in(client: SandboxClient) -> None:
    away = opened(client, login={})
    callback = client.log_in(away["left"], ANNE)
    store = dict(away["store"])
    forged = opened(client, callback, store={**store, f"LIFF_STORE:{LIFF_ID}:state": "another"})
    assert (forged["loggedIn"], forged["error"]["code"]) == (False, "INIT_FAILED")
    assert opened(client, callback, store=store)["loggedIn"] is True
    again = opened(client, callback, store=store)
    assert (again["loggedIn"], again["error"]["message"]) == (False, "invalid authorization code")


def test_login_on_init_and_a_cancelled_login(client: SandboxClient) -> None:
    config = {"liffId": LIFF_ID, "withLoginOnExternalBrowser": True}
    away = opened(client, config=config)
    assert "/oauth2/v2.1/authorize?" in away["left"]
    assert "error=access_denied" in client.log_in(away["left"], ANNE, allow=False)


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"config": {}}, "INVALID_CONFIG"),
        ({"config": {"liffId": "1-x"}}, "404"),
        ({"page": "https://evil.example/"}, "403"),
    ],
)
def test_another_app_or_page_is_refused(client: SandboxClient, order: dict[str, Any], code: str) -> None:
    client.phone(user_id=ANNE)
    page = opened(client, **order)
    assert (page["error"]["code"], page["loggedIn"]) == (code, False)
