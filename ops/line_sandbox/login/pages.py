"""LINE's pages in Japanese and English: one language each, no script, for a phone first."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ops.line_sandbox.answers import Answer, Content
from ops.line_sandbox.friends import Friend
from ops.line_sandbox.login.requests import AuthorizationRequest, Lang
from ops.line_sandbox.login.texts import TEXTS
from ops.line_sandbox.people import LinkResult

PLACE = Path(__file__).parent / "pages"
STYLE = (PLACE / "style.css").read_text(encoding="utf-8")
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
FRIENDS_SHOWN_MAX = 200
SAFE_HEADERS: Mapping[str, str] = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Pages:
    """Renders them with everything escaped."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(PLACE), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )

    def consent(
        self,
        wanted: AuthorizationRequest,
        ticket: str,
        callback: str,
        friends: Sequence[Friend],
        chosen: str,
        *,
        wrong_user: bool = False,
    ) -> Answer:
        """Who one is, what the channel asks for, and the buttons. `callback` is the origin the answer leads to."""
        users = [friend for friend in friends if friend.user_id.startswith("U")][:FRIENDS_SHOWN_MAX]
        asks = wanted.bot_prompt == "normal" and not _is_friend(users, chosen)
        values = {
            "ticket": ticket,
            "users": users,
            "chosen": chosen,
            "scopes": wanted.scopes,
            "asks_to_add": asks,
            "wrong_user": wrong_user,
        }
        return self._page("consent.html", wanted.lang, values, 400 if wrong_user else 200, callback)

    def offer(self, lang: Lang, ticket: str, callback: str) -> Answer:
        """The offer to add the account, on a page of its own."""
        return self._page("offer.html", lang, {"ticket": ticket}, 200, callback)

    def link(self, lang: Lang, link_token: str, nonce: str) -> Answer:
        """The account-link dialog."""
        return self._page("link.html", lang, {"link_token": link_token, "nonce": nonce}, 200)

    def link_ended(self, lang: Lang, outcome: LinkResult | str) -> Answer:
        """What became of the dialog: ok, failed or cancelled."""
        return self._page("link_ended.html", lang, {"outcome": outcome}, 200)

    def fault(self, lang: Lang, reason: str) -> Answer:
        """400 with the reason, which is for developers and in English."""
        return self._page("fault.html", lang, {"reason": reason}, 400)

    def _page(
        self, name: str, lang: Lang, values: Mapping[str, Any], status: int, callback: str = ""
    ) -> Answer:
        texts = TEXTS[lang]
        # The style is ours and has its hash in the policy: escaping would change it.
        style = Markup(STYLE)  # noqa: S704
        page = self._templates.get_template(name).render(lang=lang, t=texts, style=style, **values)
        headers = {**SAFE_HEADERS, "content-security-policy": _policy(callback), "content-language": lang}
        return Answer(
            status,
            headers=headers,
            content=Content("text/html; charset=utf-8", page.encode("utf-8", "replace")),
        )


def _policy(callback: str) -> str:
    """Nothing but the page's own style. Browsers apply form-action to the redirect after a form, too."""
    return (
        f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action 'self' {callback}".rstrip()
        + "; frame-ancestors 'none'; base-uri 'none'"
    )


def _is_friend(users: Sequence[Friend], user_id: str) -> bool:
    return any(user.user_id == user_id and user.state == "friend" for user in users)
