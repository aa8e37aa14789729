"""Linking by LINE Login: our page, LINE's login, and back to us with a code."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from functions.domain.linking_attempts import WAY_MAX, Agreed, origin_of
from functions.link.answers import Answer, Lang, Request, cookie_line, cookie_name, policy_of, redirect_to
from functions.link.completing import Completing
from functions.link.inflow import Arrivals
from functions.link.shop import Randomness
from functions.ports.errors import MusubiError, Rejected
from functions.ports.identities import LoginTokens
from functions.ports.tokens import SingleUse

CANCELLED = "access_denied"


class Login(Protocol):
    """LINE Login. Every call raises Rejected, Retryable or Unknown."""

    def authorize_url(self, redirect_uri: str, state: str, nonce: str, verifier: str, lang: str) -> str:
        """LINE's login page."""

    def exchange(self, code: str, verifier: str, redirect_uri: str) -> LoginTokens:
        """Tokens for a code, which is used up."""

    def verified_user(self, id_token: str, nonce: str | None) -> str:
        """The LINE user an ID token is about, as LINE itself confirms."""

    def is_friend(self, access_token: str) -> bool:
        """Whether the user has the account as a friend."""


@dataclass(frozen=True, slots=True)
class LoginWay:
    """The ports of this part. `line_pages`: the address under which LINE's login pages are."""

    common: Completing
    login: Login
    once: SingleUse
    random: Randomness
    line_pages: str
    arrivals: Arrivals

    def start(self, request: Request) -> Answer:
        """GET /link/start?t=ticket: what linking means, what one may agree to, and the button."""
        token = request.query.get("t", "")
        ticket = self.common.tokens.read("ticket", token, WAY_MAX)
        asked = [one for one in self.common.linking().consent if one.purpose not in ticket["c"]]
        form_to = [origin for origin in (origin_of(self.line_pages),) if origin]
        policy = policy_of(self.common.pages.style_hash(), form_to=form_to)
        return self.common.page(200, "start", request.lang, policy, ticket=token, asked=asked)

    def begin(self, request: Request) -> Answer:
        """POST /link/login: on to LINE. The secrets of this login go into a cookie, and only its name into the address."""
        ticket = self.common.tokens.read("ticket", request.field("t"), WAY_MAX)
        agreed = self.common.ticked(request.form.get("consent", ()), versions_in(request))
        return self._to_line(
            request.lang, {"a": ticket["a"], "c": [[one.purpose, one.version] for one in agreed]}
        )

    def arrive(self, request: Request) -> Answer:
        """GET /link/in?s=source: on to LINE, to hear who comes; where nobody asks, straight to the account."""
        source = self.arrivals.source_of(request.query.get("s", ""))
        if not self.arrivals.counts(source):
            return self.arrivals.to_the_account()
        return self._to_line(request.lang, {"i": source.name})

    def _to_line(self, lang: Lang, wish: Mapping[str, Any]) -> Answer:
        """LINE's login page. `wish`: what the login is for; the cookie keeps it beside the login's secrets."""
        state, nonce, verifier = self.random.token(32), self.random.token(32), self.random.token(48)
        secrets = {"s": state, "n": nonce, "v": verifier, "l": lang, **wish}
        cookie = cookie_line(self.common.base_url, self.common.tokens.sign("state", secrets))
        address = self.login.authorize_url(self._callback, state, nonce, verifier, lang)
        return redirect_to(address, cookie)

    def callback(self, request: Request) -> Answer:
        """GET /link/callback: only with the state of this very browser's login, and only once."""
        login = self._of_this_browser(request)
        lang: Lang = "en" if login["l"] == "en" else "ja"
        if not self.once.use("state", login["s"], self.common.now() + WAY_MAX):
            return self.common.trouble(409, "used", lang)
        if error := request.query.get("error", ""):
            if "i" in login:  # who does not say who they are may come all the same
                return self._forgetting(self.common.welcome(lang, is_friend=None))
            what = "cancelled" if error.lower() == CANCELLED else "refused"
            return self._forgetting(self.common.trouble(200 if what == "cancelled" else 400, what, lang))
        return self._forgetting(self._ended(request.query.get("code", ""), login, lang))

    @property
    def _callback(self) -> str:
        return f"{self.common.base_url}/link/callback"

    def _of_this_browser(self, request: Request) -> Mapping[str, Any]:
        """What the cookie says of the login that the state names. Raises TokenInvalid or TokenExpired, as Rejected."""
        cookie = request.cookies.get(cookie_name(self.common.base_url), "")
        login = self.common.tokens.read("state", cookie, WAY_MAX)
        given = request.query.get("state", "").encode("utf-8", "replace")
        if not hmac.compare_digest(login["s"].encode(), given):
            raise Rejected("the state is not this browser's")
        return login

    def _ended(self, code: str, login: Mapping[str, Any], lang: Lang) -> Answer:
        tokens = self.login.exchange(code, login["v"], self._callback)
        user = self.login.verified_user(tokens.id_token, login["n"])
        if "i" in login:
            is_friend = self._is_friend(tokens.access_token)
            return self.arrivals.arrived(login["i"], user, lang, is_friend=is_friend)
        agreed = [Agreed(purpose, version) for purpose, version in login["c"]]
        taken = self.common.complete(login["a"], user, "login", agreed)
        if taken is None:
            return self.common.trouble(410, "over", lang)
        return self.common.done(taken, lang, is_friend=self._is_friend(tokens.access_token))

    def _is_friend(self, access_token: str) -> bool | None:
        """None where LINE does not tell: the link does not depend on it."""
        try:
            return self.login.is_friend(access_token)
        except MusubiError:
            return None

    def _forgetting(self, answer: Answer) -> Answer:
        """The answer, after which the browser keeps nothing of this login."""
        cookie = cookie_line(self.common.base_url, "", seconds=0)
        return Answer(answer.status, answer.body, answer.headers, (cookie,))


def versions_in(request: Request) -> dict[str, str]:
    """The version of each purpose's words, as the form shows them."""
    prefix = "version."
    return {
        name.removeprefix(prefix): request.field(name) for name in request.form if name.startswith(prefix)
    }
