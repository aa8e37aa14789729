"""A real browser for the pages: the system's own Chromium, driven without fetching anything; and the shop's web server."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SECONDS_MAX = 20
WITHOUT = "there is no Chromium with chromedriver here: apt-get install chromium chromium-driver"


class Browser:
    """One window, with cookies of its own, as wide as a phone."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, address: str) -> None:
        """Go there."""
        self.driver.get(address)

    def press(self, css: str) -> None:
        """Press it once it can be pressed."""
        WebDriverWait(self.driver, SECONDS_MAX).until(
            lambda driver: (found := driver.find_elements(By.CSS_SELECTOR, css)) and found[0].is_enabled()
        )
        self.driver.find_element(By.CSS_SELECTOR, css).click()

    def waits_for(self, css: str) -> str:
        """The text of what appears."""
        found = WebDriverWait(self.driver, SECONDS_MAX).until(
            lambda driver: driver.find_elements(By.CSS_SELECTOR, css),
            f"{css} does not appear at {urlsplit(self.driver.current_url).path}",
        )
        return str(found[0].text)

    def type(self, css: str, text: str) -> None:
        """Write into a field."""
        self.waits_for(css)
        self.driver.find_element(By.CSS_SELECTOR, css).send_keys(text)

    def complaints(self) -> list[str]:
        """What the browser says against the page, such as that its policy forbids something."""
        return [
            str(entry["message"])
            for entry in self.driver.get_log("browser")  # type: ignore[no-untyped-call]
            if "favicon" not in entry["message"]
        ]

    @property
    def width_overflows(self) -> bool:
        """Whether one has to scroll sideways."""
        return bool(
            self.driver.execute_script("return document.documentElement.scrollWidth > window.innerWidth")
        )


@contextmanager
def chromium() -> Iterator[Browser]:
    """A new window without a screen; the test is skipped where no browser is installed."""
    binary = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver_path = shutil.which("chromedriver")
    if binary is None or driver_path is None:
        pytest.skip(WITHOUT)
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in (
        "--headless=new",
        "--no-sandbox",  # as root, in a container, there is no other way; only our own pages are opened
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--no-proxy-server",
        "--disable-background-networking",
        "--window-size=390,844",
        "--lang=ja",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver_path))
    try:
        yield Browser(driver)
    finally:
        driver.quit()


class Storefront(ThreadingHTTPServer):
    """The shop: whoever comes to its login page is logged in at once, and sent where `after_login` says."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.after_login: Callable[[str], str] = lambda _token: "/account"

    @property
    def origin(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Storefront

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/login":
            self.send_response(303)
            self.send_header("location", self.server.after_login(parse_qs(parts.query)["musubi"][0]))
            self.end_headers()
            return
        body = b"<!doctype html><title>shop</title><h1 id=account>account</h1>"
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent."""


@contextmanager
def storefront() -> Iterator[Storefront]:
    """The shop's server, while it is needed."""
    with Storefront() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
