"""One request to a server of LINE's, over urllib3: a timeout, no redirect, never repeated here.

A repeat is the send protocol's decision, or that of whoever put the work into a queue.
"""

import json
import ssl
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

import certifi
import urllib3

from functions.ports.errors import MusubiError

CONNECT_SECONDS = 2.0
SUCCESSES = range(200, 300)
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT, TOO_MANY, SERVER_ERROR = 401, 403, 404, 409, 429, 500
NOTHING: Mapping[str, str] = MappingProxyType({})
_AGENT = {"User-Agent": "musubi"}


class Answer(NamedTuple):
    """What came back. `headers` are found whatever the case of their letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def read(self) -> dict[str, Any]:
        """The body as a JSON object; an empty one where it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class Server:
    """One of LINE's servers, which errors call by its `name`. `connections` are kept open: as many as call at once."""

    def __init__(self, url: str, timeout: urllib3.Timeout, name: str = "LINE", connections: int = 1) -> None:
        self._url = url.rstrip("/")
        self._name = name
        self._pool = urllib3.PoolManager(
            timeout=timeout, retries=False, maxsize=connections, ssl_context=_trusting()
        )

    def ask(
        self,
        method: str,
        path: str,
        unanswered: type[MusubiError],
        body: bytes | str | None = None,
        headers: Mapping[str, str] = NOTHING,
    ) -> Answer:
        """What it answers below 500. Raises `unanswered` where no answer came, or where the server itself failed."""
        # A ValueError is a header that is none: its text is that of the header, which may be a token.
        try:
            answer = self._pool.request(
                method, f"{self._url}{path}", body=body, headers={**_AGENT, **headers}, redirect=False
            )
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise unanswered(f"no answer from {self._name}: {type(error).__name__}") from None
        if answer.status >= SERVER_ERROR:
            raise unanswered(f"{self._name} answered {answer.status}")
        return Answer(answer.status, answer.headers, answer.data)


@cache
def _trusting() -> ssl.SSLContext:
    """Who is trusted: Mozilla's authorities, as certifi has them. Once a process: to read the list takes 15 ms, and each
    connection would."""
    return ssl.create_default_context(cafile=certifi.where())
