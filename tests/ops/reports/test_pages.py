"""Each page, as a browser shows it on a phone, on a desktop and on paper: nothing cut off, nothing empty, nothing fetched."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.reports.content import PeriodKind, Report
from ops.reports.page import page_of
from tests.e2e.browsing import Browser, chromium

KINDS: tuple[PeriodKind, ...] = ("daily", "weekly", "monthly")
PHONE, DESKTOP, PAPER = 390, 1280, 703
"""CSS pixels; paper: A4 less the margins of the page's own style (186 mm)."""
SHAPES = [("screen", PHONE), ("screen", DESKTOP), ("print", PAPER)]

_LOOK = """
const seen = e => e.getClientRects().length > 0 && getComputedStyle(e).visibility !== 'hidden';
const clipped = [...document.querySelectorAll('main *')].filter(e => !e.closest('svg') && seen(e)
  && getComputedStyle(e).display !== 'inline' && e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1)
  .map(e => e.tagName + ' ' + e.textContent.trim().slice(0, 40));
const charts = [...document.querySelectorAll('[data-chart]')].map(f => {
  const svgs = [...f.querySelectorAll('svg')].filter(seen);
  const told = f.querySelector('.empty');
  const box = svgs.length ? svgs[0].getBoundingClientRect() : {left: 0, right: 0, top: 0, bottom: 0, width: 0};
  const outside = svgs.flatMap(s => [...s.querySelectorAll('text')]).filter(t => {
    const r = t.getBoundingClientRect();
    return t.textContent && (r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 1 || r.bottom > box.bottom + 1);
  }).map(t => t.textContent);
  const texts = svgs.flatMap(s => [...s.querySelectorAll('text')]).filter(t => t.textContent.trim());
  const over = [];
  for (const [n, one] of texts.entries()) for (const other of texts.slice(n + 1)) {
    const a = one.getBoundingClientRect(), b = other.getBoundingClientRect();
    if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3)
      over.push(one.textContent + ' | ' + other.textContent);
  }
  return {id: f.dataset.chart, pictures: svgs.length, told: told ? told.textContent : '', width: box.width,
    marks: svgs.flatMap(s => [...s.querySelectorAll('.role-mark path, .role-mark line, .role-mark rect')]).length, outside, over};
});
return {wide: document.documentElement.scrollWidth, room: window.innerWidth, clipped, charts,
  fetched: performance.getEntriesByType('resource').map(r => r.name)};
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def pages(reports: dict[PeriodKind, Report], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    found: dict[str, Path] = {kind: folder / f"{kind}.html" for kind in KINDS}
    for kind in KINDS:
        found[kind].write_text(page_of(reports[kind]), encoding="utf-8")
    return found


def look_at(browser: Browser, page: Path, medium: str, width: int) -> Any:
    """What the page is like in a window of this width."""
    driver = browser.driver
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": medium})
    shape = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", shape)
    browser.open(page.as_uri())
    return driver.execute_script(_LOOK)


@pytest.mark.parametrize(("medium", "width"), SHAPES, ids=["phone", "desktop", "paper"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_whole(
    browser: Browser, pages: dict[str, Path], kind: PeriodKind, medium: str, width: int
) -> None:
    seen = look_at(browser, pages[kind], medium, width)
    assert seen["wide"] <= width
    assert seen["clipped"] == []
    assert seen["charts"]
    for chart in seen["charts"]:
        assert chart["pictures"] == 1, chart["id"]
        assert chart["marks"] > 0, chart["id"]
        assert (chart["outside"], chart["over"]) == ([], []), chart["id"]
    assert seen["fetched"] == []
    assert browser.complaints() == []


def test_definitions_are_at_hand_on_screen_and_all_together_on_paper(
    browser: Browser, pages: dict[str, Path]
) -> None:
    look_at(browser, pages["daily"], "screen", PHONE)
    opened = browser.driver.execute_script(
        "const d = document.querySelector('details'); d.open = true; return d.innerText.length"
    )
    assert opened > len("定義")
    look_at(browser, pages["daily"], "print", PAPER)
    shown = "return getComputedStyle(document.querySelector(arguments[0])).display"
    assert browser.driver.execute_script(shown, "details") == "none"
    assert browser.driver.execute_script(shown, "#definitions") == "block"
