"""Every way to link, in a real browser, on the embedded engine under least privilege, against the sandbox's LINE."""

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from functions.aws.secrets import SecretKeys
from functions.domain.line_events import anonymous_id
from functions.tokens import Tokens
from infra.bundle import ROOT
from tests.e2e.browsing import Browser, Storefront, chromium, storefront
from tests.e2e.conftest import Local
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e

LINKING = """
linking:
  login_page: {origin}/login
  return_to: ["{origin}"]
  reward: true
  consent:
    - {{purpose: marketing, version: "2026-11", text: お得な情報を LINE で受け取る, text_en: Receive offers}}
"""
ALLOW, CANCEL = "button[value=allow]", "button[value=cancel]"


class Linker:
    """The shop's server and a person with a browser."""

    def __init__(self, local: Local, shop: Shop, browser: Browser, front: Storefront) -> None:
        self.record, self.shop, self.browser, self.front = local.record, shop, browser, front
        keys = SecretKeys(local.target.client("secretsmanager"), local.target.output("SecretLink"))
        self._tokens = Tokens(keys, lambda: shop.clock.now)

    def person(self, *, is_friend: bool = True) -> tuple[str, str]:
        """A customer and a LINE user with LINE open on the phone."""
        customer, user = self.shop.new_customer()
        if is_friend:
            self.shop.line.follow(user)
        self.shop.line.phone(
            user_id=user, consent="ask", add_friend=False, cancel_next=False, external_browser=False
        )
        self.shop.clock.settle()
        return customer, user

    def ways(self, customer: str, **more: Any) -> dict[str, Any]:
        """POST /links."""
        answer = urllib3.request(
            "POST",
            self.record["links_url"],
            json={"customer_id": customer, **more},
            headers={"authorization": f"Bearer {self.record['ingest_key']}"},
        )
        assert answer.status == 201, answer.data
        found: dict[str, Any] = answer.json()
        return found

    def chat(self, page: str, user: str) -> str:
        """The address that a message in the chat carries."""
        return f"{self.record['link_url']}/{page}?f={self._tokens.sign('friend', {'u': user})}"

    def linked_to(self, user: str) -> tuple[str, str]:
        """Customer and method; empty where there is no tie."""
        self.shop.clock.settle()
        link = self.shop.stores.identities.link_of(user)
        return (link.customer_id, link.method) if link is not None and link.status == "linked" else ("", "")

    def consents(self, customer: str) -> dict[str, bool]:
        """What a customer agreed to."""
        gate = self.shop.stores.customers.load_gate(customer)
        assert gate is not None
        return {purpose: bool(register.value) for purpose, register in gate.consent.items()}

    def told(self, customer: str, name: str) -> int:
        """How often a customer's history has an event."""
        return sum(event.name == name for event in self.shop.stores.events.all_of(customer))

    def later(self, **time: float) -> None:
        """Let virtual time pass."""
        self.shop.clock.advance_to(self.shop.clock.now + dt.timedelta(**time))


@pytest.fixture(scope="module")
def front() -> Iterator[Storefront]:
    with storefront() as server:
        yield server


@pytest.fixture(scope="module")
def in_force(shop: Shop, front: Storefront, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The ready-made shop playbook, in which people may link."""
    directory: Path = tmp_path_factory.mktemp("playbooks") / "linking"
    shutil.copytree(ROOT / "playbooks" / "ec", directory)
    settings = directory / "playbook.yaml"
    written = settings.read_text(encoding="utf-8")
    assert "linking:" not in written
    settings.write_text(written + LINKING.format(origin=front.origin), encoding="utf-8")
    shop.apply(str(directory))
    yield
    shop.apply("--previous")


@pytest.fixture
def browser() -> Iterator[Browser]:
    with chromium() as window:
        yield window


@pytest.fixture
def linker(local: Local, shop: Shop, browser: Browser, front: Storefront, in_force: None) -> Linker:
    return Linker(local, shop, browser, front)


def test_line_login_links_who_agrees_and_offers_the_account(linker: Linker) -> None:
    customer, user = linker.person(is_friend=False)
    browser = linker.browser
    browser.open(linker.ways(customer, return_url=f"{linker.front.origin}/account")["login_url"])
    assert not browser.width_overflows
    browser.press("input[value=marketing]")
    browser.press("#link")
    browser.press(ALLOW)
    browser.press("button[value=skip]")  # LINE's own offer, shown to who is no friend
    browser.waits_for("#done")
    browser.waits_for("#add-friend")
    assert browser.driver.get_cookies() == []
    browser.press("#back")
    browser.waits_for("#account")
    assert browser.complaints() == []
    assert linker.linked_to(user) == (customer, "login")
    assert linker.consents(customer)["marketing"] is True
    link = linker.shop.stores.identities.link_of(user)
    assert link is not None


def test_a_ticket_that_was_used_links_nobody_else(linker: Linker) -> None:
    customer, user = linker.person()
    address = linker.ways(customer)["login_url"]
    for shown, expected in (("#done", customer), ("#over", "")):
        linker.browser.open(address)
        linker.browser.press("#link")
        linker.browser.press(ALLOW)
        linker.browser.waits_for(shown)
        assert linker.linked_to(user)[0] == expected
        _, user = linker.person()


def test_a_consent_cancelled_at_line_links_nobody(linker: Linker) -> None:
    customer, user = linker.person()
    linker.browser.open(linker.ways(customer, lang="en")["login_url"])
    linker.browser.press("#link")
    linker.browser.press(CANCEL)
    assert linker.browser.waits_for("#cancelled") == "Nothing was linked"
    assert linker.linked_to(user) == ("", "")


def test_a_callback_played_again_or_in_another_browser_links_nobody(linker: Linker) -> None:
    customer, user = linker.person()
    linker.browser.open(linker.ways(customer)["login_url"])
    linker.browser.press("#link")
    linker.browser.waits_for(ALLOW)
    authorize = linker.browser.driver.current_url
    callback = linker.shop.line.log_in(authorize, user)
    with chromium() as other:
        other.open(callback)
        other.waits_for("#broken")
    assert linker.linked_to(user) == ("", "")
    linker.browser.open(callback)
    linker.browser.waits_for("#done")
    linker.browser.open(callback)
    linker.browser.waits_for("#broken")
    assert linker.linked_to(user) == (customer, "login")


def test_the_dialog_links_who_logs_in_at_the_shop(linker: Linker) -> None:
    customer, user = linker.person()
    linker.front.after_login = lambda token: str(
        linker.ways(customer, **{"return": token, "consent": ["marketing"]})["dialog_url"]
    )
    linker.browser.open(linker.chat("dialog", user))
    linker.browser.press(ALLOW)
    linker.browser.waits_for("[data-outcome=ok]")
    assert linker.linked_to(user) == (customer, "dialog")
    assert linker.consents(customer)["marketing"] is True
    linker.later(minutes=12)
    assert linker.told(anonymous_id(user), "link_attempt_expired") == 0


def test_a_dialog_that_nobody_ends_is_noticed_eleven_minutes_later(linker: Linker) -> None:
    customer, user = linker.person()
    linker.front.after_login = lambda token: str(linker.ways(customer, **{"return": token})["dialog_url"])
    linker.browser.open(linker.chat("dialog", user))
    linker.browser.press(CANCEL)
    linker.browser.waits_for("[data-outcome=cancelled]")
    linker.later(minutes=10)
    assert linker.told(anonymous_id(user), "link_attempt_expired") == 0
    linker.later(minutes=2)
    assert linker.told(anonymous_id(user), "link_attempt_expired") == 1
    assert linker.linked_to(user) == ("", "")


def test_a_page_within_line_links_who_opened_it(linker: Linker) -> None:
    customer, user = linker.person()
    linker.browser.open(linker.ways(customer)["liff_url"])
    linker.browser.press("#link")
    linker.browser.waits_for("#done")
    assert linker.browser.complaints() == []
    assert linker.linked_to(user) == (customer, "liff")


def test_a_page_of_liffs_in_another_browser_lets_people_log_in_first(linker: Linker) -> None:
    customer, user = linker.person()
    linker.shop.line.phone(external_browser=True)
    linker.browser.open(linker.ways(customer)["liff_url"])
    linker.browser.press(ALLOW)
    linker.browser.press("#link")
    linker.browser.waits_for("#done")
    assert linker.linked_to(user) == (customer, "liff")


def test_a_code_typed_in_the_chat_links_once(linker: Linker) -> None:
    customer, user = linker.person()
    code = linker.ways(customer)["code"]
    linker.shop.line.message(user, f"{code[:4]} {code[4:]}".lower())
    assert linker.linked_to(user) == (customer, "code")
    other = linker.person()[1]
    linker.shop.line.message(other, code)
    assert linker.linked_to(other) == ("", "")


def test_a_button_in_the_chat_is_answered_with_the_way_to_link(linker: Linker) -> None:
    customer, user = linker.person()
    linker.front.after_login = lambda token: str(linker.ways(customer, **{"return": token})["dialog_url"])
    linker.shop.line.postback(user, "musubi:link")
    linker.shop.clock.settle()
    (said,) = (
        message
        for delivery in linker.shop.line.deliveries(user)
        if delivery.endpoint == "reply"
        for message in delivery.messages
    )
    linker.browser.open(said["template"]["actions"][0]["uri"])
    linker.browser.press(ALLOW)
    linker.browser.waits_for("[data-outcome=ok]")
    assert linker.linked_to(user) == (customer, "dialog")


def test_whoever_is_linked_sees_it_and_unties_it(linker: Linker) -> None:
    customer, user = linker.person()
    linker.shop.line.message(user, linker.ways(customer)["code"])
    assert linker.linked_to(user)[0] == customer
    linker.browser.open(linker.chat("manage", user))
    assert linker.browser.waits_for("#customer").startswith(customer[:2])
    assert customer not in linker.browser.driver.page_source
    linker.later(minutes=1)
    linker.browser.press("#unlink")
    linker.browser.waits_for("#unlinked")
    assert linker.linked_to(user) == ("", "")
    linker.browser.driver.back()
    linker.browser.open(linker.chat("manage", user))
    linker.browser.waits_for("#none")


def test_a_page_that_frames_ours_shows_nothing(linker: Linker) -> None:
    answer = urllib3.request("GET", linker.ways(linker.person()[0])["login_url"])
    assert answer.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
