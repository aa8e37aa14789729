"""One request on its way through the sandbox."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import parse_qs

from ops.line_sandbox.answers import JsonObject, RefusedError
from ops.line_sandbox.bodies import parse_body


@dataclass(frozen=True, slots=True)
class Request:
    """What came over HTTP. Header names are in lower case; `query` is what follows the question mark."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    query: str = ""


@dataclass(frozen=True)
class Call:
    """A request with the id it is answered under, the instant it is judged at, and the user in its path."""

    request: Request
    request_id: str
    now: dt.datetime
    user_id: str = ""

    @cached_property
    def body(self) -> JsonObject:
        """The body; RefusedError with 400 where it is no JSON object."""
        return parse_body(self.request.body)

    @property
    def retry_key(self) -> str:
        """The retry key as sent, "" without one."""
        return self.request.headers.get("x-line-retry-key", "")

    def query(self, name: str) -> str:
        """The first value of a query parameter, "" without one."""
        return parse_qs(self.request.query).get(name, [""])[0]

    def users_named(self) -> frozenset[str]:
        """The users in the path or in `to`, whatever else the body holds."""
        if self.user_id or not self.request.body:
            return frozenset({self.user_id})
        try:
            to = self.body.get("to")
        except RefusedError:
            return frozenset()
        return frozenset(one for one in (to if isinstance(to, list) else [to]) if isinstance(one, str))
