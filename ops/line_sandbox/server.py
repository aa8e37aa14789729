"""HTTP on loopback: reads requests, writes answers, keeps connections alive. It knows nothing of LINE."""

import http
import json
import socket
import socketserver
import sys
import threading
import traceback
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from typing import Any

from ops.line_sandbox.answers import Answer, Content
from ops.line_sandbox.calls import Request

HOST = "127.0.0.1"
LINE_BYTES_MAX = 65_536
HEADERS_MAX = 100
BODY_READ_BYTES_MAX = 64 * 1024 * 1024
POLL_SECONDS = 0.05
REASONS = {status.value: status.phrase for status in http.HTTPStatus}


class MalformedRequestError(Exception):
    """What came is no HTTP/1.x request that this server reads."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class LoopbackServer(ThreadingHTTPServer):
    """One thread a connection; `answer` is called from many at once."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(
        self, port: int, answer: Callable[[Request], Answer], on_failure: Callable[[str], None]
    ) -> None:
        self.answer = answer
        self.on_failure = on_failure
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__((HOST, port), _Connection)

    def server_bind(self) -> None:
        """Bind without looking up the host's name, which may wait for a resolver."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that it can be closed at the end."""
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget and close one connection."""
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Wake the threads that wait for a next request."""
        with self._open_lock:
            connections = list(self._open)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver names them
        """A client that went away is nothing to tell; all else is a failure of the sandbox."""
        if not isinstance(sys.exc_info()[1], OSError):
            self.on_failure(traceback.format_exc())


class _Connection(socketserver.StreamRequestHandler):
    """Requests of one connection, one after another. Reads headers itself: the email parser costs too much."""

    disable_nagle_algorithm = True
    server: LoopbackServer

    def handle(self) -> None:
        keep_alive = True
        while keep_alive:
            try:
                read = self._read()
            except MalformedRequestError as mistake:
                self._write(Answer(mistake.status, {"message": str(mistake)}), keep_alive=False)
                return
            if read is None:
                return
            request, keep_alive = read
            answer = self._answer(request)
            if answer.dropped:
                return
            self._write(answer, keep_alive=keep_alive)

    def _answer(self, request: Request) -> Answer:
        try:
            return self.server.answer(request)
        except Exception as failure:  # noqa: BLE001 - a bug here must not look like a lost connection
            self.server.on_failure(traceback.format_exc())
            return Answer(500, {"message": f"The sandbox itself failed: {failure!r}"})

    def _read(self) -> tuple[Request, bool] | None:
        """The next request and whether the connection goes on; None at its end."""
        line = self.rfile.readline(LINE_BYTES_MAX)
        if not line.strip():
            return None
        words = line.decode("latin-1").split()
        if len(words) != 3 or not words[2].startswith("HTTP/1."):  # noqa: PLR2004 - method, target, version
            raise MalformedRequestError(400, "Bad request line")
        method, target, version = words
        headers = self._read_headers()
        body = self._read_body(headers)
        path, _, query = target.partition("?")
        keep_alive = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
        return Request(method, path, headers, body, query), keep_alive

    def _read_headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for _ in range(HEADERS_MAX + 1):
            line = self.rfile.readline(LINE_BYTES_MAX)
            if line in (b"\r\n", b"\n", b""):
                return headers
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        raise MalformedRequestError(431, "Too many headers")

    def _read_body(self, headers: dict[str, str]) -> bytes:
        if "transfer-encoding" in headers:
            raise MalformedRequestError(411, "The body needs a content-length")
        length = headers.get("content-length", "0")
        if not length.isdecimal():
            raise MalformedRequestError(400, "Bad content-length")
        if int(length) > BODY_READ_BYTES_MAX:
            raise MalformedRequestError(413, "The body is too large")
        if headers.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise ConnectionResetError("the client went away in the middle of its request")
        return body

    def _write(self, answer: Answer, *, keep_alive: bool) -> None:
        """Status line, headers and body in one write: one packet, no waiting for acknowledgements."""
        content = answer.content or Content("application/json", _json(answer))
        head = [
            f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, '')}",
            f"content-type: {content.media_type}",
            f"content-length: {len(content.data)}",
            f"connection: {'keep-alive' if keep_alive else 'close'}",
            *(f"{name}: {value}" for name, value in answer.headers.items()),
        ]
        self.wfile.write("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + content.data)


def _json(answer: Answer) -> bytes:
    return json.dumps(answer.body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
