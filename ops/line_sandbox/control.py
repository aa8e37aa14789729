"""The control API under `/_sandbox/`: friends, faults, reports, settings and webhooks. Not part of LINE."""

import re
from collections.abc import Callable
from typing import Annotated, TypeVar
from urllib.parse import parse_qs

import msgspec

from ops.line_sandbox.answers import Answer, JsonObject
from ops.line_sandbox.calls import Request
from ops.line_sandbox.events import EventError
from ops.line_sandbox.faults import FaultRule
from ops.line_sandbox.friends import Friend
from ops.line_sandbox.menu_book import RichMenu
from ops.line_sandbox.openings import Opened
from ops.line_sandbox.people import LinkResult, People
from ops.line_sandbox.phone import changed_phone
from ops.line_sandbox.settings import changed
from ops.line_sandbox.webhooks import WebhookOrder, WebhookResult, WebhookSender
from ops.line_sandbox.world import World

PREFIX = "/_sandbox/"
Decoded = TypeVar("Decoded")
Handler = Callable[["Control", Request, str], object]


class FriendsBody(msgspec.Struct, forbid_unknown_fields=True):
    """`{users: [{user_id, display_name?, state?}]}`."""

    users: list[Friend]


class RichMenusBody(msgspec.Struct, forbid_unknown_fields=True):
    """`{menus: [{rich_menu_id, has_image?}]}`."""

    menus: list[RichMenu]


class FaultsBody(msgspec.Struct, forbid_unknown_fields=True):
    """`{rules: [{kind, endpoint?, probability?, times?, user?, seconds?, seed?}]}`."""

    rules: list[FaultRule]


class ActBody(msgspec.Struct, forbid_unknown_fields=True):
    """`{at?, display_name?}` of what a user does."""

    at: str = ""
    display_name: str = ""


class LinkBody(msgspec.Struct, forbid_unknown_fields=True):
    """`{link_token, nonce, at?, result?}` as the account-link dialog gets them."""

    link_token: str
    nonce: Annotated[str, msgspec.Meta(min_length=1)]
    at: str = ""
    result: LinkResult = "ok"


class ResetBody(msgspec.Struct, forbid_unknown_fields=True):
    """`{keep_friends?}`."""

    keep_friends: bool = False


class Control:
    """Answers control requests: 200 with JSON, 400 with `{message}` for a wrong body, 404, 405."""

    def __init__(self, world: World, webhooks: WebhookSender) -> None:
        self._world = world
        self._webhooks = webhooks
        self._people = People(world, webhooks)

    def answer(self, request: Request) -> Answer:
        """One control request's answer."""
        found = [(route, match) for route in ROUTES if (match := route[1].fullmatch(request.path))]
        if not found:
            return Answer(404, {"message": "The sandbox has no such control path."})
        fitting = [(route[2], match) for route, match in found if route[0] == request.method]
        if not fitting:
            return Answer(405, {"message": "The control path has other methods."})
        handle, match = fitting[0]
        try:
            result = handle(self, request, match.groupdict().get("user", ""))
        except (msgspec.DecodeError, EventError) as mistake:
            return Answer(400, {"message": str(mistake)})
        return Answer(200, msgspec.to_builtins(result))

    def _friends(self, request: Request, _user: str) -> object:
        friends = _decode(request, FriendsBody).users
        with self._world.lock:
            self._world.friends.register(friends)
        return {"registered": len(friends)}

    def _list_friends(self, _request: Request, _user: str) -> object:
        with self._world.lock:
            return {"users": self._world.friends.everybody()}

    def _rich_menus(self, request: Request, _user: str) -> object:
        menus = _decode(request, RichMenusBody).menus
        with self._world.lock:
            self._world.rich_menus.register(menus)
        return {"registered": len(menus)}

    def _list_rich_menus(self, _request: Request, _user: str) -> object:
        with self._world.lock:
            book = self._world.rich_menus
            return {"menus": book.everything(), "linked": dict(book.linked)}

    def _faults(self, request: Request, _user: str) -> object:
        rules = _decode(request, FaultsBody).rules
        self._world.faults.replace(rules)
        return {"rules": rules}

    def _no_faults(self, _request: Request, _user: str) -> object:
        self._world.faults.replace(())
        return {"rules": []}

    def _opened(self, request: Request, _user: str) -> object:
        opened = _decode(request, Opened)
        with self._world.lock:
            self._world.opened[opened.unit] = opened
        return opened

    def _report(self, request: Request, _user: str) -> object:
        return self._world.report(with_users=_query(request, "users") != "0")

    def _deliveries(self, request: Request, _user: str) -> object:
        user_id = _query(request, "user")
        with self._world.lock:
            ledger = self._world.ledger
            return {"deliveries": ledger.of_user(user_id) if user_id else ledger.all()}

    def _reset(self, request: Request, _user: str) -> object:
        self._world.reset(keep_friends=_decode(request, ResetBody).keep_friends)
        return {}

    def _settings(self, _request: Request, _user: str) -> object:
        return self._world.settings

    def _change_settings(self, request: Request, _user: str) -> object:
        changes = msgspec.json.decode(request.body or b"{}", type=dict[str, object])
        self._world.change(changed(self._world.settings, changes))
        return self._world.settings

    def _webhook(self, request: Request, _user: str) -> object:
        return self._webhooks.send(_decode(request, WebhookOrder))

    def _follow(self, request: Request, user: str) -> object:
        act = _decode(request, ActBody)
        return self._people.follow(user, at=act.at, display_name=act.display_name)

    def _block(self, request: Request, user: str) -> object:
        return self._people.block(user, at=_decode(request, ActBody).at)

    def _link_account(self, request: Request, _user: str) -> object:
        body = _decode(request, LinkBody)
        told = self._people.link_account(body.link_token, body.nonce, at=body.at, result=body.result)
        return told or WebhookResult(events=[], posts=[])

    def _phone(self, _request: Request, _user: str) -> object:
        return self._world.phone

    def _change_phone(self, request: Request, _user: str) -> object:
        changes = msgspec.json.decode(request.body or b"{}", type=dict[str, object])
        with self._world.lock:
            self._world.phone = changed_phone(self._world.phone, changes)
            return self._world.phone

    def _health(self, _request: Request, _user: str) -> object:
        health: JsonObject = {"now": self._world.clock().isoformat()}
        return health

    ROUTE_TABLE: tuple[tuple[str, str, Handler], ...] = (
        ("GET", "health", _health),
        ("GET", "config", _settings),
        ("POST", "config", _change_settings),
        ("GET", "friends", _list_friends),
        ("POST", "friends", _friends),
        ("POST", r"friends/(?P<user>[UCR][0-9a-f]{32})/follow", _follow),
        ("POST", r"friends/(?P<user>[UCR][0-9a-f]{32})/unblock", _follow),
        ("POST", r"friends/(?P<user>[UCR][0-9a-f]{32})/block", _block),
        ("GET", "rich-menus", _list_rich_menus),
        ("POST", "rich-menus", _rich_menus),
        ("POST", "account-link", _link_account),
        ("GET", "phone", _phone),
        ("POST", "phone", _change_phone),
        ("POST", "webhook", _webhook),
        ("POST", "faults", _faults),
        ("DELETE", "faults", _no_faults),
        ("POST", "insight", _opened),
        ("GET", "report", _report),
        ("GET", "deliveries", _deliveries),
        ("POST", "reset", _reset),
    )


ROUTES = tuple(
    (method, re.compile(re.escape(PREFIX) + path), handle) for method, path, handle in Control.ROUTE_TABLE
)


def _decode(request: Request, shape: type[Decoded]) -> Decoded:
    """The body as `shape`; an empty body is `{}`. msgspec.DecodeError where it does not fit."""
    return msgspec.json.decode(request.body or b"{}", type=shape)


def _query(request: Request, name: str) -> str:
    return parse_qs(request.query).get(name, [""])[0]
