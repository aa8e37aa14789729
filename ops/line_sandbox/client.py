"""The control API from Python: what a demo or a test asks of a running sandbox."""

from collections.abc import Iterable
from typing import Any, Self, TypeVar
from urllib.parse import urlencode

import msgspec
import urllib3

from ops.line_sandbox.answers import JsonObject
from ops.line_sandbox.browser import Browser
from ops.line_sandbox.faults import FaultRule
from ops.line_sandbox.friends import Friend
from ops.line_sandbox.ledger import Delivery
from ops.line_sandbox.menu_book import RichMenu
from ops.line_sandbox.openings import Opened
from ops.line_sandbox.people import LinkResult
from ops.line_sandbox.phone import Phone
from ops.line_sandbox.settings import Settings
from ops.line_sandbox.webhooks import WebhookOrder, WebhookResult
from ops.line_sandbox.world import Report

Decoded = TypeVar("Decoded")
STATUS_OK = 200


class SandboxError(RuntimeError):
    """The sandbox refused a control request, with its reason."""


class _Deliveries(msgspec.Struct):
    deliveries: list[Delivery]


class _Friends(msgspec.Struct):
    users: list[Friend]


class _Menus(msgspec.Struct):
    linked: dict[str, str]


class SandboxClient:
    """One sandbox by its url. Safe to use from many threads; close it, or use it as a context manager."""

    def __init__(self, url: str, *, timeout_seconds: float = 120.0) -> None:
        self.url = url.rstrip("/")
        self._url = self.url + "/_sandbox/"
        self._timeout_seconds = timeout_seconds
        self._http = urllib3.PoolManager(maxsize=16)
        self._browser = Browser(self._http, timeout_seconds=timeout_seconds)

    def register_friends(self, friends: Iterable[Friend | str]) -> None:
        """Make users known without a webhook; a bare id is a friend."""
        users = [Friend(user_id=one) if isinstance(one, str) else one for one in friends]
        self._call("POST", "friends", {"users": users}, JsonObject)

    def friends(self) -> list[Friend]:
        """All known users."""
        return self._call("GET", "friends", None, _Friends).users

    def follow(self, user_id: str, *, at: str = "", display_name: str = "") -> WebhookResult:
        """The user adds the account, or comes back to it; `at` is an ISO instant."""
        body = {"at": at, "display_name": display_name}
        return self._call("POST", f"friends/{user_id}/follow", body, WebhookResult)

    def unblock(self, user_id: str, *, at: str = "") -> WebhookResult:
        """The user lifts the block: a follow event with `isUnblocked`."""
        return self._call("POST", f"friends/{user_id}/unblock", {"at": at}, WebhookResult)

    def block(self, user_id: str, *, at: str = "") -> WebhookResult:
        """The user blocks the account."""
        return self._call("POST", f"friends/{user_id}/block", {"at": at}, WebhookResult)

    def message(self, user_id: str, text: str, *, at: str = "") -> WebhookResult:
        """The user writes a text."""
        return self.send_events([_described("message", user_id, at, text=text)])

    def postback(self, user_id: str, data: str, *, at: str = "") -> WebhookResult:
        """The user taps a button with postback data."""
        return self.send_events([_described("postback", user_id, at, data=data)])

    def account_link(
        self, link_token: str, nonce: str, *, at: str = "", result: LinkResult = "ok"
    ) -> WebhookResult:
        """The user ends the account-link dialog. A used or expired token, or a bad nonce, sends no event."""
        body = {"link_token": link_token, "nonce": nonce, "at": at, "result": result}
        return self._call("POST", "account-link", body, WebhookResult)

    def phone(self, **changes: Any) -> Phone:
        """The phone that opens LINE's pages, after the changes: user_id, consent, add_friend, cancel_next and so on."""
        return self._call("POST", "phone", changes, Phone)

    def log_in(
        self, authorize_url: str, user_id: str = "", *, allow: bool = True, add_friend: bool = False
    ) -> str:
        """Go through LINE's login pages as this user; the callback with its parameters, not yet called.

        An empty id is the phone's user. SandboxError with LINE's page where there is no callback.
        """
        page = self._browser.open(authorize_url)
        if page.fields:
            fields = {"user_id": user_id or self.phone().user_id, "add_friend": "1" if add_friend else ""}
            page = self._browser.submit(page, decision="allow" if allow else "cancel", **fields)
        if page.fields and page.status == STATUS_OK:
            page = self._browser.submit(page, decision="add" if add_friend else "skip")
        if not page.location:
            raise SandboxError(f"LINE shows a page and no callback: {page.status} {page.text}")
        return page.location

    def answer_dialog(self, dialog_url: str, *, allow: bool = True) -> str:
        """Go through the account-link dialog; `ok`, `failed`, `cancelled`, or `error` where LINE shows an error."""
        page = self._browser.open(dialog_url)
        if page.fields:
            page = self._browser.submit(page, decision="allow" if allow else "cancel")
        return page.outcome or "error"

    def send_events(
        self,
        events: Iterable[JsonObject],
        *,
        url: str = "",
        batch_size: int | None = None,
        redeliveries: int = 0,
        order: str = "given",
        seed: int = 0,
    ) -> WebhookResult:
        """Deliver events (descriptions or whole ones) in batches, again, or out of order; see WebhookOrder."""
        body = {
            "events": list(events),
            "url": url,
            "batch_size": batch_size,
            "redeliveries": redeliveries,
            "order": order,
            "seed": seed,
        }
        return self._call("POST", "webhook", msgspec.convert(body, WebhookOrder), WebhookResult)

    def opened(self, unit: str, impressions: int, **clicks: int) -> Opened:
        """So many people opened what was sent under a unit, and tapped each address."""
        return self._call("POST", "insight", Opened(unit, impressions, clicks), Opened)

    def register_menus(self, *rich_menu_ids: str) -> None:
        """Make rich menus, each with an image."""
        menus = [RichMenu(rich_menu_id=one) for one in rich_menu_ids]
        self._call("POST", "rich-menus", {"menus": menus}, JsonObject)

    def menu_of(self, user_id: str) -> str:
        """The id of the rich menu that is the user's own; empty where it sees the account's default."""
        return self._call("GET", "rich-menus", None, _Menus).linked.get(user_id, "")

    def configure(self, **changes: Any) -> Settings:
        """Change settings by name: webhook_url, accept_any_user, rate_scale, monthly_limit and so on."""
        return self._call("POST", "config", changes, Settings)

    def settings(self) -> Settings:
        """The settings in force."""
        return self._call("GET", "config", None, Settings)

    def faults(self, rules: Iterable[FaultRule]) -> None:
        """Put these fault rules in force instead of all others."""
        self._call("POST", "faults", {"rules": list(rules)}, JsonObject)

    def clear_faults(self) -> None:
        """No more faults."""
        self._call("DELETE", "faults", None, JsonObject)

    def report(self, *, with_users: bool = True) -> Report:
        """What the sandbox has seen, copies above all."""
        return self._call("GET", f"report?users={int(with_users)}", None, Report)

    def deliveries(self, user_id: str = "") -> list[Delivery]:
        """Accepted deliveries, oldest first for each user; of all users without an id."""
        query = urlencode({"user": user_id})
        return self._call("GET", f"deliveries?{query}", None, _Deliveries).deliveries

    def reset(self, *, keep_friends: bool = False) -> None:
        """Forget what happened; the settings stay."""
        self._call("POST", "reset", {"keep_friends": keep_friends}, JsonObject)

    def close(self) -> None:
        """Close the connections."""
        self._http.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(self, method: str, path: str, body: object, shape: type[Decoded]) -> Decoded:
        """The decoded answer; SandboxError for anything but 200."""
        response = self._http.request(
            method,
            self._url + path,
            body=None if body is None else msgspec.json.encode(body),
            headers={"content-type": "application/json"},
            timeout=self._timeout_seconds,
            retries=False,
        )
        if response.status != STATUS_OK:
            raise SandboxError(f"{method} {path}: {response.status} {response.data.decode()}")
        return msgspec.json.decode(response.data, type=shape)


def _described(kind: str, user_id: str, at: str, **more: str) -> JsonObject:
    described: JsonObject = {"type": kind, "user_id": user_id, **more}
    return {**described, "at": at} if at else described
