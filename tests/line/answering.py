"""A server that answers one thing, and notes what it was asked."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit


class Asked(NamedTuple):
    """One request; the names of its headers in small letters."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes


class Answers(ThreadingHTTPServer):
    """Says what it is told to say, after `wait_seconds`."""

    daemon_threads = True

    def __init__(self) -> None:
        self.status, self.body, self.headers = 200, b"{}", dict[str, str]()
        self.wait_seconds = 0.0
        self.asked: list[Asked] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def say(self, status: int, body: Any = None, headers: dict[str, str] | None = None) -> None:
        """Answer so from now on, and forget what was asked. A body that is no bytes goes as JSON."""
        self.status, self.headers, self.asked = status, headers or {}, []
        self.body = body if isinstance(body, bytes) else json.dumps(body or {}).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Answers

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        path = urlsplit(self.path)
        headers = {key.lower(): value for key, value in self.headers.items()}
        self.server.asked.append(Asked(self.command, path.path, sorted(parse_qsl(path.query)), headers, body))
        threading.Event().wait(self.server.wait_seconds)
        self.send_response(self.server.status)
        for name, value in {**self.server.headers, "content-length": str(len(self.server.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 (the names that http.server looks for)

    def log_message(self, *_: Any) -> None:
        """Quiet."""
