"""link: the shop says who, LINE says who, and the two become one. Which request goes where, and what goes wrong."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from functions.link.answers import Answer, Request, json_of
from functions.link.completing import Completing
from functions.link.dialog import DialogWay
from functions.link.liff import LiffWay
from functions.link.login import LoginWay
from functions.link.manage import Manage
from functions.link.preferences import PreferencesPage
from functions.link.shop import ShopDoor
from functions.ports.errors import MusubiError, Rejected, Retryable, TokenExpired, TokenInvalid, Unknown

BODY_BYTES_MAX = 16 * 1024
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Link:
    """All ways to link."""

    common: Completing
    shop: ShopDoor
    login: LoginWay
    dialog: DialogWay
    liff: LiffWay
    manage: Manage
    preferences: PreferencesPage

    def answer(self, request: Request) -> Answer:
        """Every request has an answer: what goes wrong becomes a page that says how to go on."""
        if request.path == "/links":
            return self._to_the_shop(request)
        page = self._routes().get((request.method, request.path))
        if page is None:
            return self.common.trouble(404, "nothing_here", request.lang)
        if len(request.body) > BODY_BYTES_MAX:
            return self.common.trouble(413, "refused", request.lang)
        try:
            return page(request)
        except MusubiError as error:
            logger.info("%s was not answered: %s", request.path, error)
            status, what = _trouble(error)
            return self.common.trouble(status, what, request.lang)

    def _to_the_shop(self, request: Request) -> Answer:
        if request.method != "POST":
            return json_of(405, {"message": "POST a customer to /links."})
        try:
            return self.shop.links(request.body, request.authorization)
        except MusubiError as error:
            logger.warning("no link was begun: %s", error)
            return json_of(503, {"message": "Not begun; send the same request again."})

    def _routes(self) -> dict[tuple[str, str], Callable[[Request], Answer]]:
        return {
            ("GET", "/link/start"): self.login.start,
            ("POST", "/link/login"): self.login.begin,
            ("GET", "/link/callback"): self.login.callback,
            ("GET", "/link/in"): self.login.arrive,
            ("GET", "/link/dialog"): self.dialog.open,
            ("GET", "/link/liff"): self.liff.page,
            ("GET", "/link/liff.js"): self.liff.script,
            ("POST", "/link/liff"): self.liff.link,
            ("GET", "/link/manage"): self.manage.show,
            ("POST", "/link/unlink"): self.manage.unlink,
            ("GET", "/link/preferences"): self.preferences.show,
            ("POST", "/link/preferences"): self.preferences.choose,
        }


def _trouble(error: MusubiError) -> tuple[int, str]:
    """Status and page. What may or may not have happened is begun anew: nothing is linked twice."""
    match error:
        case TokenExpired():
            return 410, "over"
        case TokenInvalid():
            return 400, "broken"
        case Retryable() | Unknown():
            return 503, "later"
        case Rejected():
            return 400, "refused"
        case _:
            return 503, "later"
