"""LINE's Messaging API through line-bot-sdk: one client a process, a timeout on every call, raw JSON bodies.

The SDK's request models are passed by: they strip messages given as dicts to `{"type": "text"}`.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import urllib3
from linebot.v3.messaging import ApiClient, ApiException, Configuration

from functions.line.access import AccessToken
from functions.line.pacing import Pace
from functions.ports.errors import AccountRefused, OverQuota, RateLimited, Rejected, Unknown
from functions.ports.line import Accepted

CONNECTIONS_MAX = 32
"""More than the threads of a worker: none of them opens a connection for one call alone."""
UNAUTHORIZED = 401
CONFLICT = 409
TOO_MANY = 429
SERVER_ERROR = 500
ACCOUNT_REFUSALS = (401, 403)
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_MONTHLY = "You have reached your monthly limit."
_SAME_USER = "same user"


class LineMessaging:
    """The Messaging API of one channel. The paces: how fast this worker may call; None: as fast as it is asked to."""

    def __init__(
        self,
        api_url: str,
        access_token: AccessToken,
        timeout_seconds: float,
        push_pace: Pace | None = None,
        multicast_pace: Pace | None = None,
    ) -> None:
        self._multicast_pace = multicast_pace
        self._push_pace = push_pace
        self._api_url = api_url.rstrip("/")
        self._access_token = access_token
        self._timeout_seconds = timeout_seconds
        self._client: ApiClient | None = None

    def push(
        self, to: str, messages: Sequence[Mapping[str, Any]], retry_key: str, unit: str = ""
    ) -> Accepted:
        """Push 1–5 message objects. `unit`: what LINE counts them under. Raises Rejected, AccountRefused, OverQuota, RateLimited or Unknown."""
        if self._push_pace is not None:
            self._push_pace.wait()
        body = {"to": to, "messages": list(messages), **_counted_under(unit)}
        return self._call("POST", "/v2/bot/message/push", body, {"X-Line-Retry-Key": retry_key})

    def multicast(
        self, to: Sequence[str], messages: Sequence[Mapping[str, Any]], retry_key: str, unit: str = ""
    ) -> Accepted:
        """Send the same 1–5 message objects to up to 500 users. Raises as `push` does."""
        if self._multicast_pace is not None:
            self._multicast_pace.wait()
        body = {"to": list(to), "messages": list(messages), **_counted_under(unit)}
        return self._call("POST", "/v2/bot/message/multicast", body, {"X-Line-Retry-Key": retry_key})

    def link_menu(self, user: str, rich_menu_id: str) -> None:
        """Show one user this rich menu; any number of times. Raises as `push` does."""
        self._call("POST", f"/v2/bot/user/{quote(user)}/richmenu/{quote(rich_menu_id)}")

    def unlink_menu(self, user: str) -> None:
        """Show one user the account's default again; any number of times. Raises as `push` does."""
        self._call("DELETE", f"/v2/bot/user/{quote(user)}/richmenu")

    def _call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = _NO_HEADERS
    ) -> Accepted:
        """One request, never repeated here; what LINE answers as what it means."""
        try:
            answer = self._api().call_api(
                path,
                method,
                header_params={"Accept": "application/json", "Content-Type": "application/json", **headers},
                body=body,
                response_types_map={},
                auth_settings=["Bearer"],
                _return_http_data_only=False,
                _request_timeout=self._timeout_seconds,
            )
        except ApiException as error:
            if error.status == UNAUTHORIZED:
                self._forget_token()
            return _accepted_before(error)
        except urllib3.exceptions.HTTPError as error:
            raise Unknown(f"no answer from LINE: {type(error).__name__}") from None
        return Accepted(str((answer.headers or {}).get("x-line-request-id", "")))

    def _forget_token(self) -> None:
        """The token may have been rotated: the next push reads the secret again."""
        self._access_token.forget()
        self._client = None

    def _api(self) -> ApiClient:
        if self._client is None:
            configuration = Configuration(host=self._api_url, access_token=self._access_token())
            configuration.connection_pool_maxsize = CONNECTIONS_MAX
            configuration.retries = False  # a repeat is the protocol's decision, never the connection pool's
            self._client = ApiClient(configuration)
        return self._client


def _counted_under(unit: str) -> dict[str, list[str]]:
    return {"customAggregationUnits": [unit]} if unit else {}


def _accepted_before(error: ApiException) -> Accepted:
    """409 says that an earlier attempt was accepted; everything else is raised as what it means."""
    status, headers = int(error.status or 0), error.headers or {}
    if status == CONFLICT:
        return Accepted(str(headers.get("x-line-accepted-request-id", "")))
    message = _message_of(error.body)
    if status in ACCOUNT_REFUSALS:
        raise AccountRefused(f"http_{status}") from None
    if status == TOO_MANY:
        raise _too_many(message) from None
    if status >= SERVER_ERROR or not status:
        raise Unknown(f"LINE answered {status}") from None
    raise Rejected(f"http_{status}") from None


def _too_many(message: str) -> Exception:
    """429 has several meanings, told apart by the text alone; an unknown text is taken for the rate limit."""
    if message == _MONTHLY:
        return OverQuota("monthly_limit")
    if _SAME_USER in message:
        return Rejected("same_user_limit")
    return RateLimited("rate_limit")


def _message_of(body: Any) -> str:
    try:
        return str(json.loads(body)["message"])
    except (TypeError, ValueError, KeyError):
        return ""
