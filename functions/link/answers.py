"""What comes in at the link function and what goes out, as values; and the headers that every page bears."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Lang = Literal["ja", "en"]
COOKIE_PLAIN = "musubi_link"
COOKIE_HOST = "__Host-musubi_link"
COOKIE_SECONDS = 600
COOKIE_CHARACTERS_MAX = 3_800


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `path` as the HTTP API's routes have it (`/link/start`); fields of a form may be there several times."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, Sequence[str]] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    authorization: str = ""
    accept_language: str = ""

    def field(self, name: str) -> str:
        """A form's field; empty where it is absent or there twice."""
        values = self.form.get(name, ())
        return values[0] if len(values) == 1 else ""

    @property
    def lang(self) -> Lang:
        """The language asked for in the address or the form, else that of the browser; Japanese where neither tells."""
        asked = self.query.get("lang") or self.field("lang")
        if asked in ("ja", "en"):
            return "ja" if asked == "ja" else "en"
        return _preferred(self.accept_language)


def _preferred(accept_language: str) -> Lang:
    """The first of our languages that a browser names; English for those who name others only."""
    named = [part.split(";")[0].strip().lower()[:2] for part in accept_language[:200].split(",")]
    ours = [name for name in named if name in ("ja", "en")]
    if ours:
        return "ja" if ours[0] == "ja" else "en"
    return "en" if any(name.isalpha() for name in named) else "ja"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer with all of its headers; `cookies` are whole Set-Cookie lines."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()


class Pages(Protocol):
    """The pages, in both languages."""

    def page(self, name: str, lang: Lang, values: Mapping[str, Any]) -> str:
        """One page as HTML, every value escaped."""

    def style_hash(self) -> str:
        """The hash by which the policy knows the one style that pages bear."""

    def script(self) -> str:
        """The LIFF page's own script."""


_ALWAYS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
"""For pages and redirects alike: nobody stores, frames or guesses them, and no address with a token in it is told on."""


def json_of(status: int, body: Mapping[str, Any]) -> Answer:
    """An answer to the shop's server."""
    headers = {"content-type": "application/json; charset=utf-8", "cache-control": "no-store"}
    return Answer(status, json.dumps(body, ensure_ascii=False), headers)


def html_of(status: int, html: str, policy: str) -> Answer:
    """A page under its content security policy."""
    headers = {**_ALWAYS, "content-type": "text/html; charset=utf-8", "content-security-policy": policy}
    return Answer(status, html, headers)


def redirect_to(address: str, *cookies: str) -> Answer:
    """303: the browser goes on with GET, whatever it came with."""
    headers = {**_ALWAYS, "location": address, "content-security-policy": "default-src 'none'"}
    return Answer(303, "", headers, cookies)


def script_of(text: str) -> Answer:
    """The one script of ours."""
    headers = {"content-type": "text/javascript; charset=utf-8", "x-content-type-options": "nosniff"}
    return Answer(200, text, {**headers, "cache-control": "no-cache"})


def policy_of(style_hash: str, *, form_to: Sequence[str] = (), script_from: Sequence[str] = ()) -> str:
    """Nothing but our style and our forms; `form_to`: origins a form's redirect may lead to; `script_from`: where LIFF's
    script comes from and speaks to."""
    parts = [
        "default-src 'none'",
        f"style-src 'sha256-{style_hash}'",
        " ".join(["form-action", "'self'", *form_to]),
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
    if script_from:
        parts += [f"script-src 'self' {' '.join(script_from)}", f"connect-src 'self' {' '.join(script_from)}"]
    return "; ".join(parts)


def cookie_name(base_url: str) -> str:
    """With HTTPS the name that no other host of a domain can set; on one machine, where there is none, a plain one."""
    return COOKIE_HOST if base_url.startswith("https://") else COOKIE_PLAIN


def cookie_line(base_url: str, value: str, seconds: int = COOKIE_SECONDS) -> str:
    """Sent back to us only, on navigation only, and no script sees it."""
    if len(value) > COOKIE_CHARACTERS_MAX:
        raise ValueError("a cookie of this length is kept by no browser")
    return f"{cookie_name(base_url)}={value}; Path=/; Max-Age={seconds}; HttpOnly; Secure; SameSite=Lax"
