"""Linking within LINE's own browser: LIFF hands over an ID token, and LINE says whether it is good."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from functions.domain.linking_attempts import WAY_MAX, origin_of
from functions.link.answers import Answer, Request, policy_of, script_of
from functions.link.completing import Completing
from functions.link.login import Login, versions_in


@dataclass(frozen=True, slots=True)
class LiffWay:
    """The ports of this part. `sdk_url`: LIFF's script; `speaks_to`: what hosts it speaks to beside its own."""

    common: Completing
    login: Login
    liff_id: Callable[[], str]
    sdk_url: str
    speaks_to: tuple[str, ...] = ()

    def page(self, request: Request) -> Answer:
        """GET /link/liff?t=ticket. LIFF first opens it with all of that within `liff.state`, and then itself again."""
        token = request.query.get("t", "") or _within(request.query.get("liff.state", ""))
        ticket = self.common.tokens.read("ticket", token, WAY_MAX)
        if not self.liff_id():
            return self.common.trouble(404, "no_liff", request.lang)
        asked = [one for one in self.common.linking().consent if one.purpose not in ticket["c"]]
        sdk = [origin for origin in (origin_of(self.sdk_url),) if origin]
        policy = policy_of(self.common.pages.style_hash(), script_from=[*sdk, *self.speaks_to])
        return self.common.page(
            200,
            "liff",
            request.lang,
            policy,
            ticket=token,
            asked=asked,
            liff_id=self.liff_id(),
            sdk_url=self.sdk_url,
        )

    def script(self, _request: Request) -> Answer:
        """GET /link/liff.js"""
        return script_of(self.common.pages.script())

    def link(self, request: Request) -> Answer:
        """POST /link/liff: the ID token alone says who it is. Whatever else the page may tell is not looked at."""
        ticket = self.common.tokens.read("ticket", request.field("t"), WAY_MAX)
        user = self.login.verified_user(request.field("id_token"), None)
        agreed = self.common.ticked(request.form.get("consent", ()), versions_in(request))
        taken = self.common.complete(ticket["a"], user, "liff", agreed)
        if taken is None:
            return self.common.trouble(410, "over", request.lang)
        return self.common.done(taken, request.lang, is_friend=None)


def _within(state: str) -> str:
    """The ticket in LIFF's `?t=…`."""
    try:
        return dict(parse_qsl(state.partition("?")[2], max_num_fields=10)).get("t", "")
    except ValueError:
        return ""
