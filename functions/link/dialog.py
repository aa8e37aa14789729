"""Linking by LINE's account-link dialog: from the chat to the shop's own login, and from there to LINE."""

import datetime as dt
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from functions.domain.linking_attempts import origin_of
from functions.link.answers import Answer, Request, redirect_to
from functions.link.completing import Completing

FRIEND_MAX = dt.timedelta(days=14)
"""A message in the chat is read days later; what it opens is LINE's dialog of that one user, or a page that unties."""


class LinkTokens(Protocol):
    """LINE's link tokens."""

    def issue(self, line_user_id: str) -> str:
        """A fresh token of this LINE user: ten minutes, once. Raises Rejected, AccountRefused or Retryable."""


@dataclass(frozen=True, slots=True)
class DialogWay:
    """The ports of this part."""

    common: Completing
    link_tokens: LinkTokens

    def open(self, request: Request) -> Answer:
        """GET /link/dialog?f=friend: to the shop's login page, which tells us afterwards who logged in (POST /links)."""
        friend = self.common.tokens.read("friend", request.query.get("f", ""), FRIEND_MAX)
        page = self.common.linking().login_page
        if origin_of(page) is None:
            return self.common.trouble(404, "no_login_page", request.lang)
        token = self.common.tokens.sign(
            "return", {"u": friend["u"], "k": self.link_tokens.issue(friend["u"])}
        )
        path, mark, fragment = page.partition("#")
        joint = "&" if "?" in path else "?"
        return redirect_to(f"{path}{joint}musubi={quote(token)}{mark}{fragment}")
