"""Requests as they go out: the CRM's over HTTP with its key, LINE's through the sandbox, which signs them."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

import urllib3

from functions.domain.line_events import event_id_of
from ops.errors import UserError
from ops.line_sandbox import SandboxClient
from ops.line_sandbox.webhooks import WebhookResult
from ops.soak.steady.crowd import Deed, Deeds
from ops.soak.steady.pacing import TOGETHER_MAX, Request

STATUS_ACCEPTED, STATUS_OK = 202, 200
ANSWER_SECONDS_MAX = 30.0

Follow = Callable[[str, str], None]
"""Told of an event of the CRM's that was taken in: whose it is, and its id."""


def customer_of(who: int) -> str:
    """The customer with this number, as the CRM calls it."""
    return f"person-{who}"


class Actors:
    """The CRM and the people in LINE. `taken_in`: the ids of all events that were answered with 202 or 200."""

    def __init__(self, record: dict[str, Any], now: Callable[[], str], follow: Follow) -> None:
        self._record, self._now, self._follow = record, now, follow
        self._http = urllib3.PoolManager(maxsize=TOGETHER_MAX, timeout=ANSWER_SECONDS_MAX, retries=False)
        self._line = SandboxClient(record["line_url"], timeout_seconds=ANSWER_SECONDS_MAX)
        self._lock = threading.Lock()
        self.taken_in: list[str] = []

    def post(self, request: Request) -> str:
        """Send one request; why it was refused, empty where it was taken in."""
        assert isinstance(request, Deeds)
        return self._tell(request) if request.act == "crm" else self._act(request)

    def knock(self) -> None:
        """A request of the CRM without events, and LINE's own check of whether anybody answers. UserError where nobody does."""
        answer, [post] = self._post_events([]), self._line.send_events([]).posts
        if (answer.status, post.status) != (STATUS_ACCEPTED, STATUS_OK):
            raise UserError(
                f"the doors do not open: events {answer.status}, webhook {post.status} {post.answer[:200]}"
            )

    def _tell(self, request: Deeds) -> str:
        at = self._now()
        events = [
            {
                "event_id": deed.id,
                "customer_id": customer_of(deed.who),
                "name": deed.name,
                "occurred_at": at,
                "source": "shop",
                "properties": deed.properties,
            }
            for deed in request.deeds
        ]
        answer = self._post_events(events)
        if answer.status != STATUS_ACCEPTED:
            return f"events: {answer.status} {answer.data.decode(errors='replace')[:200]}"
        told = answer.json()
        if told["rejected"]:
            return f"events: rejected {told['rejected'][0]}"
        self._take(deed.id for deed in request.deeds)
        last = request.deeds[-1]
        self._follow(customer_of(last.who), last.id)
        return ""

    def _post_events(self, events: list[dict[str, Any]]) -> urllib3.BaseHTTPResponse:
        headers = {"authorization": f"Bearer {self._record['ingest_key']}"}
        return self._http.request(
            "POST", self._record["ingest_url"], json={"events": events}, headers=headers
        )

    def _act(self, request: Deeds) -> str:
        [*_, deed] = request.deeds
        match request.act:
            case "follow":
                done = self._line.follow(user_of(deed.who))
            case "block":
                done = self._line.block(user_of(deed.who))
            case _:
                done = self._line.send_events([_described(one) for one in request.deeds])
        return self._answered(done)

    def _answered(self, done: WebhookResult) -> str:
        failed = [post for post in done.posts if post.status != STATUS_OK]
        if failed:
            return f"webhook: {failed[0].status} {failed[0].answer[:200]}"
        self._take(event_id_of(event) for event in done.events)
        return ""

    def _take(self, ids: Iterable[str]) -> None:
        with self._lock:
            self.taken_in += ids


def _described(deed: Deed) -> dict[str, Any]:
    return {"type": deed.name, "user_id": user_of(deed.who), **deed.properties}


def user_of(who: int) -> str:
    """A well-formed LINE user id."""
    return f"U{who:032x}"
