"""A world with the link function in it: its flow over fakes, LINE Login as a person with a browser meets it."""

import datetime as dt
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import msgspec

from functions.domain.instants import Instant
from functions.domain.playbook import ConsentAsked, Linking, Playbook
from functions.line.login import LineLogin, challenge_of
from functions.link.answers import Answer, Request
from functions.link.completing import Completing
from functions.link.dialog import DialogWay
from functions.link.flow import Link
from functions.link.inflow import Arrivals
from functions.link.liff import LiffWay
from functions.link.login import LoginWay
from functions.link.manage import Manage
from functions.link.pages import JinjaPages
from functions.link.preferences import PreferencesPage
from functions.link.shop import ShopDoor
from functions.ports.errors import Rejected
from functions.ports.identities import LoginTokens
from functions.tokens import Tokens
from tests.fakes.inflow import FakeInflowSources
from tests.fakes.linking import FakeOnce
from tests.fakes.playbooks import playbook
from tests.fakes.queues import FakeInbox
from tests.fakes.taps import tapped
from tests.fakes.world import INGEST_KEY, LINK_KEY, LINK_URL, World

BASE = LINK_URL
ACCESS = "https://access.line.example"
SDK = "https://static.line.example/sdk.js"
LOGIN_PAGE = "https://shop.example/login?lang=ja"
KEY = LINK_KEY
LINKING = Linking(
    login_page=LOGIN_PAGE,
    return_to=["https://shop.example"],
    consent=[
        ConsentAsked("marketing", "m-1", "お得な情報を受け取る", "Receive offers"),
        ConsentAsked("news", "n-1", "<b>ニュース</b>を受け取る"),
    ],
    reward=True,
)


def linking_book(**changes: Any) -> Playbook:
    """A playbook that lets people link; `changes` of its linking make it another version."""
    linking = msgspec.structs.replace(LINKING, **changes)
    return msgspec.structs.replace(playbook(), version=f"linking {sorted(changes.items())}", linking=linking)


class FakeRandom:
    """Numbers, so that nothing comes twice."""

    def __init__(self) -> None:
        self.number = 0
        self.codes: list[str] = []

    def token(self, size_bytes: int) -> str:
        """As long as so many random bytes."""
        self.number += 1
        return f"r{self.number}".ljust(-(-size_bytes * 4 // 3), "-")

    def pick(self, alphabet: str) -> str:
        """The signs of `codes` first, then letters and digits in turn."""
        if self.codes:
            sign, self.codes[0] = self.codes[0][0], self.codes[0][1:]
            self.codes = [code for code in self.codes if code]
            return sign
        self.number += 7
        letters, digits = alphabet[:23], alphabet[23:]
        return (digits if self.number % 2 else letters)[self.number % 8]


@dataclass
class FakeLogin:
    """LINE Login: codes that count once, ID tokens bound to a nonce, and what goes wrong on demand."""

    real: LineLogin
    friends: set[str] = field(default_factory=set)
    raises: Exception | None = None
    other_nonce: str | None = None
    _codes: dict[str, tuple[str, str, str, str]] = field(default_factory=dict)
    _issued: int = 0

    def authorize_url(self, redirect_uri: str, state: str, nonce: str, verifier: str, lang: str) -> str:
        """As the adapter does."""
        return self.real.authorize_url(redirect_uri, state, nonce, verifier, lang)

    def dialog_url(self, link_token: str, nonce: str) -> str:
        """As the adapter does."""
        return self.real.dialog_url(link_token, nonce)

    def consented(self, authorize_url: str, user: str) -> dict[str, str]:
        """The person allows it: the callback's query."""
        query = dict(parse_qsl(urlsplit(authorize_url).query))
        self._issued += 1
        code = f"code-{self._issued}"
        self._codes[code] = (user, query["code_challenge"], query["nonce"], query["redirect_uri"])
        return {"code": code, "state": query["state"]}

    def exchange(self, code: str, verifier: str, redirect_uri: str) -> LoginTokens:
        """Once, with the right verifier, from where it went to."""
        if self.raises:
            raise self.raises
        user, challenge, nonce, went_to = self._codes.get(code, ("", "", "", ""))
        if not user or challenge_of(verifier) != challenge or redirect_uri != went_to:
            raise Rejected("LINE Login answered 400")
        del self._codes[code]
        return LoginTokens(user, f"id:{user}:{nonce if self.other_nonce is None else self.other_nonce}")

    def verified_user(self, id_token: str, nonce: str | None) -> str:
        """`id:USER:NONCE`; a LIFF token has no nonce."""
        if self.raises:
            raise self.raises
        kind, _, rest = id_token.partition(":")
        user, _, its_nonce = rest.partition(":")
        if kind != "id" or not user or (nonce is not None and its_nonce != nonce):
            raise Rejected("LINE Login answered 400")
        return user

    def is_friend(self, access_token: str) -> bool:
        """The access token is the user, here."""
        return access_token in self.friends


@dataclass
class FakeLinkTokens:
    """LINE's link tokens."""

    issued: list[str] = field(default_factory=list)
    raises: Exception | None = None

    def issue(self, line_user_id: str) -> str:
        """A fresh one."""
        if self.raises:
            raise self.raises
        self.issued.append(line_user_id)
        return f"link-token-{len(self.issued)}"

    def add_friend_url(self) -> str:
        """LINE's page."""
        if self.raises:
            raise self.raises
        return "https://line.example/R/ti/p/%40shop"


class Browser:
    """Somebody's browser: it keeps cookies, follows forms, and stops where a redirect leads away."""

    def __init__(self, world: "LinkWorld", language: str = "ja") -> None:
        self._world = world
        self._language = language
        self.cookies: dict[str, str] = {}

    def get(self, address: str) -> Answer:
        """A page of ours by its address."""
        parts = urlsplit(address)
        query = dict(parse_qsl(parts.query))
        return self._asked(Request("GET", parts.path, query, accept_language=self._language))

    def post(self, path: str, **fields: Any) -> Answer:
        """A form."""
        form = {
            name.replace("version_", "version."): value if isinstance(value, list) else [value]
            for name, value in fields.items()
        }
        return self._asked(Request("POST", path, form=form, accept_language=self._language))

    def _asked(self, request: Request) -> Answer:
        answer = self._world.link.answer(
            Request(
                request.method,
                request.path,
                request.query,
                request.form,
                dict(self.cookies),
                accept_language=request.accept_language,
            )
        )
        for line in answer.cookies:
            name, _, rest = line.partition("=")
            value, _, attributes = rest.partition(";")
            if "Max-Age=0" in attributes:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return answer


class LinkWorld(World):
    """The world of the main job, and the ways to link."""

    def __init__(self, book: Playbook | None = None, **more: Any) -> None:
        super().__init__(book or linking_book(), **more)
        self.keys = [KEY]
        self.tokens = Tokens(lambda: self.keys, self.clock)
        self.once = FakeOnce()
        self.inflow_sources = FakeInflowSources()
        self.random = FakeRandom()
        self.link_tokens = FakeLinkTokens()
        self.login = FakeLogin(
            LineLogin("https://api.line.example", ACCESS, lambda: "2000000001", lambda: "secret", self.clock)
        )
        self.channels = {"login": True, "liff": "2000000001-app"}
        self.link = self._link()

    def _link(self) -> Link:
        common = Completing(
            tapped(self.link_attempts, self.tap, "link_attempts"),
            self.identities,
            tapped(FakeInbox(self.inbox_queue), self.tap, "inbox"),
            self.playbooks,
            self.tokens,
            JinjaPages(),
            self.link_tokens,
            BASE,
            self.clock,
        )
        once = tapped(self.once, self.tap, "once")
        return Link(
            common,
            ShopDoor(
                lambda: [INGEST_KEY],
                common,
                tapped(self.timers, self.tap, "timers"),
                self.random,
                self.login,
                lambda: bool(self.channels["login"]),
                lambda ticket: f"https://liff.example/app?t={ticket}" if self.channels["liff"] else "",
            ),
            LoginWay(
                common,
                self.login,
                once,
                self.random,
                ACCESS,
                Arrivals(common, self.inflow_sources, lambda: bool(self.channels["login"])),
            ),
            DialogWay(common, self.link_tokens),
            LiffWay(
                common, self.login, lambda: str(self.channels["liff"]), SDK, ("https://api.line.example",)
            ),
            Manage(common, once, self.random),
            PreferencesPage(common, self.identities, self.customers, once, self.random),
        )

    # --- the shop

    def asked(self, authorization: str = f"Bearer {INGEST_KEY}", **body: Any) -> Answer:
        """POST /links."""
        request = Request("POST", "/links", body=json.dumps(body).encode(), authorization=authorization)
        return self.link.answer(request)

    def ways(self, customer_id: str = "c1", **more: Any) -> dict[str, Any]:
        """Every way to link this customer."""
        answer = self.asked(customer_id=customer_id, **more)
        assert answer.status == 201, answer.body
        found: dict[str, Any] = json.loads(answer.body)
        return found

    # --- a person

    def friend_token(self, user: str) -> str:
        """What a message in the chat carries."""
        return self.tokens.sign("friend", {"u": user})

    def to_line(self, browser: Browser, ticket: str, **more: Any) -> str:
        """Press the button of the start page: LINE's address."""
        answer = browser.post("/link/login", t=ticket, **more)
        assert answer.status == 303, answer.body
        return answer.headers["location"]

    def login_link(self, user: str, browser: Browser | None = None, **more: Any) -> Answer:
        """The whole Login flow of one person."""
        browser = browser or Browser(self)
        address = self.to_line(browser, self.ways(**more)["ticket"])
        return self.back(browser, self.login.consented(address, user))

    def back(self, browser: Browser, query: dict[str, str]) -> Answer:
        """LINE's callback in this browser."""
        return browser._asked(Request("GET", "/link/callback", query))

    def linked_to(self, user: str) -> str:
        """The customer a LINE user is linked to, all queues being done; empty where there is none."""
        self.run()
        assert self.dead() == []
        link = self.identities.link_of(user)
        return link.customer_id if link is not None and link.status == "linked" else ""

    def later(self, **time: float) -> Instant:
        """Let time pass."""
        self.now += dt.timedelta(**time)
        return self.now


def shown(answer: Answer) -> str:
    """The id of what a page shows: `done`, `over`, `used`, …"""
    found = re.search(r'<h1 id="(\w+)"', answer.body)
    return found[1] if found else ""


def query_of(address: str) -> dict[str, str]:
    """An address's query; each name once."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
