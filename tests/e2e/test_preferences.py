"""What somebody chooses on the page behind a message's link, in a real browser; and the word that stops, in the chat."""

import datetime as dt
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.bundle import ROOT
from ops.customer_card import card_of, find_customer
from tests.e2e.browsing import Browser, chromium
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e

MESSAGE = """
name: your_choice
kind: support
removes: tedious
content:
  - type: text
    text: |-
      お届けするお知らせを選べます。

      ▼設定を変える
      {{ preferences_url }}
"""
SCENARIO = """
name: your_choice
desired_action: 受け取るお知らせを選ぶ
target: "設定を開いた割合 0% → 5%"
owner: crm-team
on: true
priority: onboarding
entry: {event: purchase, fresh_for: 2d}
reentry: never
steps:
  - send: {name: choice, message: your_choice, expires_after: 2d, tolerance: 1d}
"""


@pytest.fixture(scope="module")
def in_force(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The ready-made shop playbook, with a message that lets its reader choose."""
    directory = tmp_path_factory.mktemp("playbooks") / "choosing"
    shutil.copytree(ROOT / "playbooks" / "ec", directory)
    Path(directory, "messages", "your_choice.yaml").write_text(MESSAGE, encoding="utf-8")
    Path(directory, "scenarios", "your_choice.yaml").write_text(SCENARIO, encoding="utf-8")
    shop.apply(str(directory))
    yield
    shop.apply("--previous")


@pytest.fixture
def browser() -> Iterator[Browser]:
    with chromium() as window:
        yield window


@pytest.fixture
def reader(shop: Shop, in_force: None) -> tuple[str, str]:
    """A customer who has bought, and the address in the message that followed."""
    customer, user = shop.new_customer()
    shop.link(customer, user)
    shop.clock.settle()
    shop.post(shop.purchase(customer))
    shop.clock.settle()
    texts = [str(one) for one in shop.line.deliveries(user)]
    found = next(
        match for text in texts if (match := re.search(r"https?://\S+/link/preferences\?p=[\w.-]+", text))
    )
    return customer, found[0]


def given(shop: Shop, customer: str) -> dict[str, bool]:
    """Purpose → whether it may be used, as the gate has it."""
    shop.clock.settle()
    gate = shop.stores.customers.load_gate(customer)
    assert gate is not None
    return {purpose: bool(register.value) for purpose, register in gate.consent.items()}


def test_the_reader_of_a_message_stops_a_topic_and_chooses_hours(
    shop: Shop, browser: Browser, reader: tuple[str, str]
) -> None:
    customer, address = reader
    browser.open(address)
    assert not browser.width_overflows
    browser.press("input[value=coupon]")
    browser.press("select[name=start] option:nth-of-type(21)")
    browser.press("select[name=end] option:nth-of-type(23)")
    browser.press("#save")
    browser.waits_for("#saved")
    assert browser.complaints() == []
    assert given(shop, customer) == {"marketing": True, "coupon": False}
    person = find_customer(shop.stores, customer)
    assert person is not None
    card = card_of(shop.stores, person)
    assert (card["attributes"]["receive_from"], card["attributes"]["receive_to"]) == ("19:00", "21:00")
    assert card["consent_records"]["coupon"]["source"] == "preferences"


def test_the_page_shows_what_was_chosen_and_everything_can_be_stopped(
    shop: Shop, browser: Browser, reader: tuple[str, str]
) -> None:
    customer, address = reader
    browser.open(f"{address}&lang=en")
    browser.press("input[name=everything]")
    browser.press("#save")
    browser.waits_for("#saved")
    assert given(shop, customer)["all"] is False
    browser.open(address)
    assert not browser.driver.find_element("css selector", "input[name=everything]").is_selected()


def test_a_word_in_the_chat_stops_promotions(shop: Shop, in_force: None) -> None:
    customer, user = shop.new_customer()
    shop.befriend(customer, user)
    shop.line.message(user, "配信停止")
    assert given(shop, customer)["promotion"] is False
    # At one instant a withdrawal beats the consent.
    shop.clock.advance_to(shop.clock.now + dt.timedelta(minutes=1))
    shop.line.message(user, "配信再開")
    assert given(shop, customer)["promotion"] is True
