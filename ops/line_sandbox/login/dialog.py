"""The account-link dialog: the user lets the account know that a customer of the shop is a LINE user."""

from urllib.parse import parse_qsl

from ops.line_sandbox.answers import Answer
from ops.line_sandbox.calls import Request
from ops.line_sandbox.login.forms import FIELDS_MAX, read_form
from ops.line_sandbox.login.pages import Pages
from ops.line_sandbox.login.requests import Lang, language
from ops.line_sandbox.people import LinkResult, People, is_nonce
from ops.line_sandbox.phone import changed_phone
from ops.line_sandbox.world import World

PATH = "/dialog/bot/accountLink"
SPENT = "The link token is wrong, has expired or has been used."
BAD_NONCE = "The nonce must have 10 to 255 characters."


class AccountLinkDialog:
    """A good token and the user's consent send an accountLink event; anything else an error page and no event."""

    def __init__(self, world: World, people: People, pages: Pages) -> None:
        self._world = world
        self._people = people
        self._pages = pages

    def ask(self, request: Request) -> Answer:
        """GET: the page with both buttons. The token is looked at, not used."""
        lang = _language(request)
        try:
            given = dict(parse_qsl(request.query, max_num_fields=FIELDS_MAX))
        except ValueError:
            given = {}
        link_token, nonce = given.get("linkToken", ""), given.get("nonce", "")
        with self._world.lock:
            owner = self._world.link_tokens.owner(link_token, self._world.clock())
        if owner is None or not is_nonce(nonce):
            return self._pages.fault(lang, SPENT if owner is None else BAD_NONCE)
        return self._pages.link(lang, link_token, nonce)

    def answer(self, request: Request) -> Answer:
        """POST: allowed or cancelled. A cancelled dialog leaves the token as it is."""
        lang, form = _language(request), read_form(request) or {}
        if form.get("decision") != "allow":
            return self._pages.link_ended(lang, "cancelled")
        link_token, nonce = form.get("linkToken", ""), form.get("nonce", "")
        result = self._result(link_token)
        if self._people.link_account(link_token, nonce, result=result) is None:
            return self._pages.fault(lang, SPENT if is_nonce(nonce) else BAD_NONCE)
        return self._pages.link_ended(lang, result)

    def _result(self, link_token: str) -> LinkResult:
        """`failed` where the phone is another user's than the token, or is told to fail."""
        with self._world.lock:
            phone = self._world.phone
            owner = self._world.link_tokens.owner(link_token, self._world.clock())
            if phone.fail_next_link and owner:
                self._world.phone = changed_phone(phone, {"fail_next_link": False})
        fails = phone.fail_next_link or phone.user_id not in ("", owner)
        return "failed" if fails else "ok"


def _language(request: Request) -> Lang:
    return language([], request.headers.get("accept-language", ""))
