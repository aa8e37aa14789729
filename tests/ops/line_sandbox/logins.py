"""A LINE Login channel and a browser before one sandbox, without HTTP and in virtual time."""

import base64
import datetime as dt
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from ops.line_sandbox.answers import Answer
from ops.line_sandbox.browser import Page, read_page
from ops.line_sandbox.calls import Request
from ops.line_sandbox.direct import SteppedClock
from ops.line_sandbox.friends import Friend
from ops.line_sandbox.login.forms import FORM
from ops.line_sandbox.phone import changed_phone
from ops.line_sandbox.sandbox import LineSandbox
from ops.line_sandbox.settings import Settings

ANNE, BEN, CHIE = "U" + "1" * 32, "U" + "2" * 32, "U" + "3" * 32
START = dt.datetime(2026, 11, 26, 3, 0, tzinfo=dt.UTC)
CHANNEL, SECRET = "1234567890", "a-login-channel-secret-of-32-sig"
CALLBACK = "https://shop.example/link/callback"
LIFF_ID, LIFF_PAGE = "1234567890-AbCdEfGh", "https://shop.example/link/liff"
VERIFIER = "wJKN8qz5t8SSI9lMFhBB6qwNkQBkuPZoCxzRhwLRUo1"


def challenge_of(verifier: str) -> str:
    """RFC 7636, S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class Line:
    """One sandbox with Anne (a friend), Ben (who blocks) and, unknown yet, Chie."""

    def __init__(self) -> None:
        self.clock = SteppedClock(START)
        self.sandbox = LineSandbox(clock=self.clock, settings=SETTINGS)
        self.world = self.sandbox.world
        self.world.friends.register(
            [
                Friend(user_id=ANNE, display_name="Anne"),
                Friend(user_id=BEN, display_name="Ben", state="blocked"),
            ]
        )

    def phone(self, **changes: Any) -> None:
        self.world.phone = changed_phone(self.world.phone, changes)

    def request(
        self, method: str, path: str, query: str = "", form: dict[str, str] | None = None, **headers: str
    ) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        body = b"" if form is None else urlencode(form).encode()
        if form is not None:
            named.setdefault("content-type", FORM)
        return self.sandbox.answer(Request(method, path, named, body, query))

    def wish(self, **changes: str | None) -> str:
        """The query of an authorization request; None leaves a parameter out."""
        wanted: dict[str, str | None] = {
            "response_type": "code",
            "client_id": CHANNEL,
            "redirect_uri": CALLBACK,
            "state": "a-state",
            "scope": "openid profile",
            "nonce": "a-nonce",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
            **changes,
        }
        return urlencode({name: value for name, value in wanted.items() if value is not None})

    def page(self, **changes: str | None) -> Page:
        return page_of(self.request("GET", "/oauth2/v2.1/authorize", self.wish(**changes)))

    def submit(self, page: Page, **fields: str) -> Page:
        return page_of(self.request("POST", page.action, form={**page.fields, **fields}))

    def log_in(self, user_id: str = ANNE, **changes: str | None) -> dict[str, str]:
        """The callback's parameters after the user has allowed, without adding the account."""
        return parameters(self.submit(self.page(**changes), user=user_id, decision="allow"))

    def exchange(self, code: str | None, **changes: str | None) -> Answer:
        given: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "client_id": CHANNEL,
            "client_secret": SECRET,
            "code_verifier": VERIFIER,
            **changes,
        }
        form = {name: value for name, value in given.items() if value is not None}
        return self.request("POST", "/oauth2/v2.1/token", form=form)

    def tokens(self, user_id: str = ANNE, **changes: str | None) -> dict[str, Any]:
        answer = self.exchange(self.log_in(user_id, **changes)["code"])
        assert answer.status == 200, answer.body
        return answer.body

    def verify(self, id_token: str, **changes: str) -> Answer:
        form = {"id_token": id_token, "client_id": CHANNEL, **changes}
        return self.request("POST", "/oauth2/v2.1/verify", form=form)


SETTINGS = Settings(
    login_channel_id=CHANNEL,
    login_channel_secret=SECRET,
    login_redirect_uris=(CALLBACK, "https://shop.example/other"),
    liff_id=LIFF_ID,
    liff_endpoint_url=LIFF_PAGE,
)


def page_of(answer: Answer) -> Page:
    text = answer.content.data.decode() if answer.content else ""
    return read_page("", answer.status, text, answer.headers.get("location", ""))


def parameters(page: Page) -> dict[str, str]:
    """The query of the address LINE sends the browser to, each once."""
    assert page.status == 302, page.text
    found = parse_qs(urlsplit(page.location).query, keep_blank_values=True, strict_parsing=True)
    assert all(len(values) == 1 for values in found.values())
    return {name: values[0] for name, values in found.items()}
