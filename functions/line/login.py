"""LINE Login v2.1: addresses, the exchange of a code, ID tokens checked at LINE, friendship.

A timeout on every call and no repeat within one. What a failure means: Rejected, LINE says no; Retryable, nothing was
changed by asking; Unknown, a code may be used up. No error names a user, a code or a token.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import urllib3

from functions.domain.instants import Instant
from functions.line.http import CONNECT_SECONDS, NOTHING, TOO_MANY, Server
from functions.ports.errors import MusubiError, RateLimited, Rejected, Retryable, Unknown
from functions.ports.identities import LoginTokens

READ_SECONDS = 4.0
"""A person waits: the three calls of a login take 18 seconds at most, and infra/link.py gives the function 25."""
ISSUER = "https://access.line.me"
OK = 200
SCOPES = "openid profile"
_FORM = {"content-type": "application/x-www-form-urlencoded"}


class LineLogin:
    """One LINE Login channel. `api_url`: LINE's API; `access_url`: its pages; `bot_prompt` offers to add the account."""

    def __init__(
        self,
        api_url: str,
        access_url: str,
        channel_id: Callable[[], str],
        channel_secret: Callable[[], str],
        now: Callable[[], Instant],
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self._access_url = access_url.rstrip("/")
        self._channel_id = channel_id
        self._channel_secret = channel_secret
        self._now = now
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds)
        self._server = Server(api_url, timeout, "LINE Login")

    def authorize_url(self, redirect_uri: str, state: str, nonce: str, verifier: str, lang: str) -> str:
        """LINE's login page for this state; the verifier goes as its S256 challenge."""
        query = {
            "response_type": "code",
            "client_id": self._channel_id(),
            "redirect_uri": redirect_uri,
            "state": state,
            "scope": SCOPES,
            "nonce": nonce,
            "bot_prompt": "aggressive",
            "ui_locales": lang,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        return f"{self._access_url}/oauth2/v2.1/authorize?{urlencode(query)}"

    def dialog_url(self, link_token: str, nonce: str) -> str:
        """The account-link dialog."""
        query = urlencode({"linkToken": link_token, "nonce": nonce})
        return f"{self._access_url}/dialog/bot/accountLink?{query}"

    def exchange(self, code: str, verifier: str, redirect_uri: str) -> LoginTokens:
        """Tokens for a code. Raises Unknown where no answer came: the code may be used up."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self._channel_id(),
            "client_secret": self._channel_secret(),
            "code_verifier": verifier,
        }
        answer = self._asked("POST", "/oauth2/v2.1/token", Unknown, form=form)
        return LoginTokens(_text(answer, "access_token"), _text(answer, "id_token"))

    def verified_user(self, id_token: str, nonce: str | None) -> str:
        """The `sub` of an ID token that LINE confirms to be for this channel, and for this nonce where there is one.

        What LINE has checked is checked again: a proxy or a stand-in that lets everything through links nobody.
        """
        if not id_token:
            raise Rejected("there is no ID token")
        form = {"id_token": id_token, "client_id": self._channel_id()}
        claims = self._asked(
            "POST", "/oauth2/v2.1/verify", Retryable, form=form if nonce is None else {**form, "nonce": nonce}
        )
        if claims.get("iss") != ISSUER or claims.get("aud") != self._channel_id():
            raise Rejected("the ID token is for another channel")
        expires_at = claims.get("exp")
        if not isinstance(expires_at, int) or expires_at <= self._now().timestamp():
            raise Rejected("the ID token has expired")
        if nonce is not None and not hmac.compare_digest(
            str(claims.get("nonce", "")).encode(), nonce.encode()
        ):
            raise Rejected("the ID token is another login's")
        return _text(claims, "sub")

    def is_friend(self, access_token: str) -> bool:
        """Whether the user has the account as a friend and does not block it."""
        headers = {"Authorization": f"Bearer {access_token}"}
        return (
            self._asked("GET", "/friendship/v1/status", Retryable, headers=headers).get("friendFlag") is True
        )

    def _asked(
        self,
        method: str,
        path: str,
        unanswered: type[MusubiError],
        *,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """One request. `unanswered`: what no answer, or LINE's own failure, means."""
        form_headers = _FORM if form else NOTHING
        answer = self._server.ask(
            method, path, unanswered, urlencode(form) if form else None, {**form_headers, **(headers or {})}
        )
        if answer.status == TOO_MANY:
            raise RateLimited("rate_limit")
        if answer.status != OK:
            raise Rejected(f"LINE Login answered {answer.status}")
        return _object(answer.body, unanswered)


def challenge_of(verifier: str) -> str:
    """RFC 7636, S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _object(body: bytes, unanswered: type[MusubiError]) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise unanswered("LINE Login answered something that is no JSON object")
    return found


def _text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise Rejected(f"LINE Login answered without {name}")
    return value
