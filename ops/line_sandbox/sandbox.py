"""The sandbox in one piece: a world, LINE's APIs and pages over it, the control API beside it, and the server before both."""

import threading
import time
from collections.abc import Callable
from typing import Self

from functions.clock import Clock, real_clock
from ops.line_sandbox.answers import Answer
from ops.line_sandbox.api import MessagingApi
from ops.line_sandbox.calls import Request
from ops.line_sandbox.control import PREFIX, Control
from ops.line_sandbox.login.site import LoginSite
from ops.line_sandbox.people import People
from ops.line_sandbox.server import HOST, POLL_SECONDS, LoopbackServer
from ops.line_sandbox.settings import Settings
from ops.line_sandbox.webhooks import WebhookSender
from ops.line_sandbox.world import World

# Known to everybody, like the whole sandbox: it listens on loopback alone and guards nothing.
SANDBOX_CHANNEL_SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"  # noqa: S105
SANDBOX_ACCESS_TOKEN = "sandbox-access-token"  # noqa: S105


class LineSandbox:
    """A running sandbox, as a context manager or between `start` and `stop`. Everything in `world` may be used directly."""

    def __init__(
        self,
        *,
        clock: Clock = real_clock,
        channel_secret: str = SANDBOX_CHANNEL_SECRET,
        access_token: str = SANDBOX_ACCESS_TOKEN,
        settings: Settings | None = None,
        port: int = 0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.world = World(clock, settings or Settings(), monotonic)
        self.webhooks = WebhookSender(self.world, channel_secret)
        self.people = People(self.world, self.webhooks)
        self._stopping = threading.Event()
        self._api = MessagingApi(self.world, access_token, self._stopping.wait)
        self._login = LoginSite(self.world, self.people, self._stopping.wait)
        self._control = Control(self.world, self.webhooks)
        self._port = port
        self._server: LoopbackServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Such as http://127.0.0.1:40001, without a slash at the end; only while it runs."""
        if self._server is None:
            raise RuntimeError("The sandbox is not running.")
        return f"http://{HOST}:{self._server.server_port}"

    def answer(self, request: Request) -> Answer:
        """What a request gets, without HTTP."""
        if request.path.startswith(PREFIX):
            return self._control.answer(request)
        return self._login.answer(request) or self._api.answer(request)

    def start(self) -> None:
        """Listen; OSError where the port is taken."""
        self._stopping.clear()
        self._server = LoopbackServer(self._port, self.answer, self._note_failure)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_SECONDS,), name="line-sandbox", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close everything; what is under way ends without an answer."""
        self._stopping.set()
        if self._server and self._thread:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server.close_connections()
        self._server = self._thread = None
        self.webhooks.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _note_failure(self, trace: str) -> None:
        with self.world.lock:
            self.world.sandbox_errors.append(trace)
