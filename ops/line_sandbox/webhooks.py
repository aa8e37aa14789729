"""Delivering webhooks as LINE does: signed, in batches, more than once, out of order."""

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

import msgspec
import urllib3

from ops.line_sandbox.answers import JsonObject
from ops.line_sandbox.events import EventError, build_event, redelivered
from ops.line_sandbox.world import World

BODY_KEPT_LENGTH = 1000


class WebhookOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to deliver and how. Without `url` the one of the settings is used."""

    events: list[dict[str, Any]] = []
    """Descriptions or whole events; none is LINE's connectivity check."""
    url: str = ""
    batch_size: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Events in one body; None: all of them."""
    redeliveries: Annotated[int, msgspec.Meta(ge=0, le=10)] = 0
    """How often each body comes again, after all have come once, with isRedelivery true."""
    order: Literal["given", "reversed", "shuffled"] = "given"
    """The order of arrival; the events' timestamps stay as they are."""
    seed: int = 0


class WebhookPost(msgspec.Struct, kw_only=True):
    """One body delivered. `status` is 0 where nobody answered, and `answer` then says why."""

    status: int
    event_ids: list[str]
    redelivery: bool
    answer: str


class WebhookResult(msgspec.Struct, kw_only=True):
    """The events as they were sent first, in the order of sending, and every body posted."""

    events: list[dict[str, Any]]
    posts: list[WebhookPost]


class WebhookSender:
    """Posts the events of one channel, signed with its secret."""

    def __init__(self, world: World, channel_secret: str) -> None:
        self._world = world
        self._secret = channel_secret
        self._http = urllib3.PoolManager(maxsize=32)

    def send(self, order: WebhookOrder) -> WebhookResult:
        """Deliver; EventError where an event or the address is missing."""
        url = order.url or self._world.settings.webhook_url
        if not url:
            raise EventError("There is no webhook_url: set one with /_sandbox/config, or name a url.")
        events = _arrange([build_event(self._world, one) for one in order.events], order)
        batches = list(_batches(events, order.batch_size))
        posts = [post for batch in batches for post in self._deliver(url, batch)]
        for _ in range(order.redeliveries):
            posts += [self._post(url, batch, redelivery=True) for batch in batches]
        return WebhookResult(events=events, posts=posts)

    def close(self) -> None:
        """Close the connections."""
        self._http.clear()

    def _deliver(self, url: str, batch: Sequence[JsonObject]) -> Iterator[WebhookPost]:
        """The first delivery and, where redelivery is on, those that follow anything but a 2xx."""
        post = self._post(url, batch, redelivery=False)
        yield post
        for _ in range(self._world.settings.webhook_redeliveries_max):
            if 200 <= post.status < 300:  # noqa: PLR2004 - the range of success
                return
            post = self._post(url, batch, redelivery=True)
            yield post

    def _post(self, url: str, batch: Sequence[JsonObject], *, redelivery: bool) -> WebhookPost:
        events = [redelivered(event) for event in batch] if redelivery else list(batch)
        body = webhook_body(self._world.settings.destination, events)
        status, answer = self._exchange(url, body)
        return WebhookPost(
            status=status,
            event_ids=[str(event.get("webhookEventId", "")) for event in batch],
            redelivery=redelivery,
            answer=answer[:BODY_KEPT_LENGTH],
        )

    def _exchange(self, url: str, body: bytes) -> tuple[int, str]:
        headers = {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "LineBotWebhook/2.0",
            "x-line-signature": signature(self._secret, body),
        }
        timeout = self._world.settings.webhook_timeout_seconds
        try:
            response = self._http.request(
                "POST", url, body=body, headers=headers, timeout=timeout, retries=False
            )
        except urllib3.exceptions.HTTPError as failure:
            return 0, f"{type(failure).__name__}: {failure}"
        return response.status, response.data.decode("utf-8", "replace")


def webhook_body(destination: str, events: Sequence[JsonObject]) -> bytes:
    """The raw body `{destination, events}`, exactly as it is signed."""
    body = {"destination": destination, "events": list(events)}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def signature(channel_secret: str, body: bytes) -> str:
    """`x-line-signature`: base64 of HMAC-SHA256 of the raw body under the channel secret."""
    return base64.b64encode(hmac.digest(channel_secret.encode(), body, hashlib.sha256)).decode()


def _arrange(events: list[JsonObject], order: WebhookOrder) -> list[JsonObject]:
    if order.order == "reversed":
        return events[::-1]
    if order.order == "shuffled":
        random.Random(order.seed).shuffle(events)  # noqa: S311 - a replayable order is the point
    return events


def _batches(events: list[JsonObject], size: int | None) -> Iterator[list[JsonObject]]:
    """The events in bodies; no events still make one body, the connectivity check."""
    step = size or max(len(events), 1)
    for start in range(0, max(len(events), 1), step):
        yield events[start : start + step]
