"""A browser without a window: reads the form of a page of LINE's and sends it, as a thumb on a button would."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

import urllib3

from ops.line_sandbox.login.forms import FORM


@dataclass(frozen=True, slots=True)
class Page:
    """What came: a redirect has a `location`; a page with a form its `action` and its hidden `fields`."""

    url: str
    status: int
    text: str
    location: str = ""
    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    outcome: str = ""
    """What the account-link dialog says of itself at its end."""


class Browser:
    """Follows no redirect: where LINE sends one is what a test wants to see."""

    def __init__(self, http: urllib3.PoolManager, *, timeout_seconds: float, language: str = "ja") -> None:
        self._http = http
        self._timeout_seconds = timeout_seconds
        self._language = language

    def open(self, url: str) -> Page:
        """GET."""
        return self._exchange("GET", url, None)

    def submit(self, page: Page, **fields: str) -> Page:
        """The page's form with these fields; an empty one is left out."""
        filled = {**page.fields, **{name: value for name, value in fields.items() if value}}
        return self._exchange("POST", urljoin(page.url, page.action), urlencode(filled))

    def _exchange(self, method: str, url: str, form: str | None) -> Page:
        response = self._http.request(
            method,
            url,
            body=form,
            headers={
                "accept-language": self._language,
                **({"content-type": FORM} if form is not None else {}),
            },
            timeout=self._timeout_seconds,
            redirect=False,
            retries=False,
        )
        return read_page(url, response.status, response.data.decode(), response.headers.get("location", ""))


def read_page(url: str, status: int, text: str, location: str = "") -> Page:
    """The page with what its form holds."""
    reader = _FormReader()
    reader.feed(text)
    return Page(url, status, text, location, reader.action, reader.fields, reader.outcome)


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.outcome = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given.get("action", "")
        if tag == "input" and given.get("type") == "hidden":
            self.fields[given["name"]] = given.get("value", "")
        self.outcome = given.get("data-outcome", self.outcome)
