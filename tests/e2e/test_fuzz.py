"""Requests that nobody thought of, over a real HTTP API, to functions that may do no more than their roles allow.

Fewer than `make fuzz` sends in process, for what only a server can show: how a request really becomes an event.
"""

from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

import hypothesis
import pytest
import urllib3
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from functions.webhook.flow import signature_of
from tests.e2e.shop import Shop
from tests.fuzz.bodies import deep, strange
from tests.fuzz.front_door import Asked
from tests.fuzz.proofs import Keys, Proofs
from tests.fuzz.requests import Drawn, asked, drawn_for, operations
from tests.fuzz.wallet import Wallet
from tests.fuzz.watching import INSIDE

pytestmark = pytest.mark.e2e

STEADY = settings(
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
HEADER_CHARACTERS_MAX = 4_000
"""The HTTP API refuses longer ones by itself, and the engine's server drops the connection."""


class Outside:
    """Whoever knows the door's address."""

    def __init__(self, shop: Shop) -> None:
        record = shop.record
        self.keys = Keys(record["channel_secret"], record["ingest_key"], ("x" * 43,))
        self.secrets = [record[name] for name in ("channel_secret", "ingest_key", "login_channel_secret")]
        self.statuses: list[int] = []
        self._http = urllib3.PoolManager(retries=False, timeout=30)
        self._doors = {"/webhook": record["webhook_url"], "/events": record["ingest_url"]}
        self._base = record["link_url"].removesuffix("/link")

    def ask(self, request: Asked) -> None:
        """Send it; and what must hold of whatever comes back."""
        address = self._doors.get(request.path, f"{self._base}{quote(request.path, safe='/%')}")
        headers = urllib3.HTTPHeaderDict()
        for name, value in request.headers:
            if _may_be_sent(name, value):
                headers.add(name, value)
        got = self._http.request(
            request.method,
            f"{address}?{request.query}" if request.query else address,
            body=request.body if request.method == "POST" else None,
            headers=headers,
            redirect=False,
        )
        self.statuses.append(got.status)
        told = got.data.decode("utf-8", "replace") + str(dict(got.headers))
        assert got.status < 500, (request, told)
        assert not INSIDE.search(told), (request, told)
        assert not any(secret in told for secret in self.secrets), (request, told)


def _may_be_sent(name: str, value: str) -> bool:
    """Whether HTTP can say it at all; lengths are the client's own to tell."""
    said = f"{name}{value}"
    plain = said.isascii() and said.isprintable() and len(said) < HEADER_CHARACTERS_MAX
    return bool(plain and name and name.lower() not in ("content-length", "host", "connection"))


def held(shop: Shop) -> dict[str, Any]:
    """How much stands in every table, in the bucket and in the inbox."""
    target, names = shop.stores.target, shop.stores.settings
    tables = (
        names.table_identities,
        names.table_customers,
        names.table_gates,
        names.table_sends,
        names.table_events,
        names.table_timers,
    )
    count = target.client("dynamodb").get_paginator("scan").paginate
    objects = target.client("s3").get_paginator("list_objects_v2").paginate(Bucket=names.bucket)
    waiting = target.client("sqs").get_queue_attributes(
        QueueUrl=names.queue_inbox_url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    return {
        "rows": {
            name: sum(page["Count"] for page in count(TableName=name, Select="COUNT")) for name in tables
        },
        "objects": sum(page.get("KeyCount", 0) for page in objects),
        "waiting": waiting["Attributes"]["ApproximateNumberOfMessages"],
    }


def test_without_a_proof_nothing_comes_of_any_request(shop: Shop) -> None:
    outside = Outside(shop)
    wallet = Wallet(outside.keys)
    proofs = Proofs(replace(outside.keys, link=()))  # what another key has signed proves nothing here
    shop.clock.settle()
    before = held(shop)
    for operation in operations():

        @hypothesis.seed(1)
        @settings(STEADY, max_examples=12)
        @given(drawn_for(operation))
        def holds(drawn: Drawn) -> None:
            # How a body gets into the event is the door's to say here.
            request = replace(asked(drawn, wallet), flag="as it is")
            if not proofs.of(request):
                outside.ask(request)
                assert outside.statuses[-1] >= 400 or request.path == "/link/liff.js", request

        holds()
    shop.clock.settle()
    assert held(shop) == before
    assert len(outside.statuses) > 100


def test_with_a_proof_no_body_makes_a_function_fail(shop: Shop) -> None:
    outside = Outside(shop)
    nested = deep().map(lambda text: f'{{"events": [{text}]}}'.encode())

    @hypothesis.seed(2)
    @settings(STEADY, max_examples=50)
    @given(st.one_of(strange, nested))
    def holds(body: bytes) -> None:
        kind = ("content-type", "application/json")
        signature = ("x-line-signature", signature_of(outside.keys.channel_secret, body))
        outside.ask(Asked("POST", "/webhook", headers=(kind, signature), body=body))
        key = ("authorization", f"Bearer {outside.keys.ingest}")
        outside.ask(Asked("POST", "/events", headers=(kind, key), body=body))
        outside.ask(Asked("POST", "/links", headers=(kind, key), body=body))

    holds()
    assert {200, 202, 400, 413} <= set(outside.statuses)
    shop.clock.settle()


def test_the_door_is_where_the_record_says(shop: Shop) -> None:
    """Else all of the above would have asked somebody else."""
    outside = Outside(shop)
    assert {urlsplit(url).netloc for url in outside._doors.values()} == {urlsplit(outside._base).netloc}
