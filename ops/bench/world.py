"""A shop in the embedded engine: its tables, queues and playbook, and as many customers alike as a benchmark wants.

One customer comes into being through the production `decide`; the others are copies of its two items under other ids,
so that a thousand stand ready in a second.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from functions.aws.account import DynamoAccountState
from functions.aws.items import DynamoCustomers, versioned_put
from functions.aws.objects import Objects, S3Playbooks, S3Runs
from functions.domain.batches import orders_of_page
from functions.domain.campaigns import Chunk, Recipient, Run, intent_of, recipient_of
from functions.domain.compiled import Compiled
from functions.domain.customers import Customer
from functions.domain.events import Event
from functions.domain.experiments import is_held_out
from functions.domain.gate import Contact, Gate
from functions.domain.playbook import Playbook
from functions.domain.sends import BatchOrder, Intent, send_id_of
from functions.ports.messages import EventsReceived
from ops.bench.composition import compose_decide
from ops.bench.servers import Servers
from ops.check import sound_playbook
from ops.engine.clients import Clients

ACCOUNT = "main"
PLAYBOOK = Path("playbooks/ec")
CAMPAIGN = "weekly"
NOW = dt.datetime(2026, 11, 20, 3, 0, tzinfo=dt.UTC)
"""A Friday at noon in Tokyo, when the shop's weekly campaign runs and nothing is quiet."""
HAD_LATELY = 4
"""Messages that a customer had within the month before: one a week."""
LATELY, CAPPED = dt.timedelta(days=30, seconds=1, microseconds=1), dt.timedelta(days=7)
BATCH = 25
SORTED = {
    "identities": True,
    "customers": False,
    "gates": False,
    "sends": True,
    "events": True,
    "timers": True,
}
QUEUES = ("inbox", "send", "bulk", "evaluate")
BUCKET, SECRET = "musubi-bench", "musubi-bench-line"
TOKEN, CHANNEL_SECRET = "a-channel-access-token-of-the-usual-length-" * 4, "8c570fa6dd201bb328f1c1eac23a96d8"
SECRET_LINK, LINK_KEY = "musubi-bench-link", "a-key-of-the-usual-length-that-links-are-signed-with"
_TEMPLATE_ID, _TEMPLATE_USER = "customer-0000000", "U" + "f" * 32


@dataclass(frozen=True, slots=True)
class World:
    """One shop. `queues`: name → url; `whereabouts`: what a process is told so that it finds the servers."""

    clients: Clients
    queues: Mapping[str, str]
    playbook: Playbook
    whereabouts: Mapping[str, str]

    def environment(self) -> Mapping[str, str]:
        """What a function of this shop is told, whichever it is."""
        return {
            **self.whereabouts,
            "MUSUBI_ACCOUNT": ACCOUNT,
            **{f"TABLE_{name.upper()}": name for name in SORTED},
            **{f"QUEUE_{name.upper()}_URL": url for name, url in self.queues.items()},
            "BUCKET": BUCKET,
            "SECRET_LINE": SECRET,
            "SECRET_LINK": SECRET_LINK,
            "LINK_URL": "https://api.example.com",
            "SECRET_ERASURE": SECRET,
            "SCHEDULE_GROUP": "musubi-bench",
            "POWERTOOLS_SERVICE_NAME": "bench",
        }

    def add_customers(self, numbers: Sequence[int], had_lately: int = HAD_LATELY) -> None:
        """Copies of the first customer: each has its history in its profile, and in its gate so many messages of the
        last 32 days, as far as the gate remembers them."""
        self._remember(had_lately)
        store = DynamoCustomers(self._dynamodb, "customers", "gates")
        for table, value in zip(("gates", "customers"), store.load_both(_TEMPLATE_ID), strict=True):
            if value is None:
                raise RuntimeError("the benchmark's first customer is not there")
            for start in range(0, len(numbers), BATCH):
                puts = [_put(table, value, number) for number in numbers[start : start + BATCH]]
                self._dynamodb.batch_write_item(RequestItems={table: puts})

    def _remember(self, messages: int) -> None:
        """Let the first customer have had so many messages, evenly from a month ago to the end of the weekly cap."""
        store = DynamoCustomers(self._dynamodb, "customers", "gates")
        gate = store.load_gate(_TEMPLATE_ID)
        if gate is None or len(gate.contacts) == messages:
            return
        between = (LATELY - CAPPED) / max(1, messages)
        contacts = [
            Contact(
                send_id_of(ACCOUNT, "before", "", str(number), "", "1"),
                "promotion",
                NOW - LATELY + number * between,
            )
            for number in range(messages)
        ]
        store.save_gate(msgspec.structs.replace(gate, contacts=contacts))

    def customer(self, number: int = 0) -> Customer:
        """One of them as it is."""
        found = DynamoCustomers(self._dynamodb, "customers", "gates").load(customer_id_of(number))
        if found is None:
            raise RuntimeError(f"the benchmark has no customer {number}")
        return found

    def intents(self, numbers: Sequence[int]) -> list[Intent]:
        """The weekly campaign's intents for these customers: promotions, which every rule of the gate is asked about."""
        compiled, run = Compiled(self.playbook), self._run
        return [intent_of(one, run, compiled, ACCOUNT) for one in self._recipients(numbers)]

    def batch_order(self, numbers: Sequence[int]) -> BatchOrder:
        """The campaign's order to tell all of these the same, upon a frozen page of its run."""
        run, page = self._run, numbers[0]
        runs = S3Runs(Objects(self.clients.client("s3"), BUCKET))
        runs.freeze_run(run)
        chunk = runs.freeze_chunk(run, 0, page, Chunk(self._recipients(numbers)))
        [order] = orders_of_page(run, Compiled(self.playbook), ACCOUNT, 0, page, chunk)
        if not isinstance(order, BatchOrder):
            raise TypeError("the benchmark's customers are not told the same")
        return order

    @property
    def _run(self) -> Run:
        return Run(CAMPAIGN, NOW, self.playbook.version, NOW, 1)

    def _recipients(self, numbers: Sequence[int]) -> list[Recipient]:
        first = recipient_of(self.customer(numbers[0]), self._run, Compiled(self.playbook))
        if first is None:
            raise RuntimeError("the benchmark's customers are not in the campaign's segment")
        return [Recipient(customer_id_of(one), line_user_of(one), first.values) for one in numbers]

    def reachable(self, start: int, count: int) -> list[int]:
        """The first so many numbers from `start` on whose customers no holdout keeps back."""
        numbers: list[int] = []
        number = start
        while len(numbers) < count:
            if not is_held_out(self.playbook, CAMPAIGN, "promotion", customer_id_of(number)):
                numbers.append(number)
            number += 1
        return numbers

    @property
    def _dynamodb(self) -> Any:
        return self.clients.client("dynamodb")


def customer_id_of(number: int) -> str:
    """As long as an id of a shop usually is."""
    return f"customer-{number:07}"


def line_user_of(number: int) -> str:
    """Of the form that LINE gives its users: as hard to compress, too."""
    return f"U{hashlib.blake2b(str(number).encode(), digest_size=16).hexdigest()}"


def build(servers: Servers) -> World:
    """The shop with its playbook in force and the customer that the others are copies of."""
    clients = servers.clients()
    for name, is_sorted in SORTED.items():
        make_table(clients.client("dynamodb"), name, ["pk", "sk"] if is_sorted else ["pk"])
    sqs: Any = clients.client("sqs")
    queues = {name: str(sqs.create_queue(QueueName=f"bench-{name}")["QueueUrl"]) for name in QUEUES}
    s3: Any = clients.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"})
    secret = json.dumps(
        {"channel_access_token": TOKEN, "channel_secret": CHANNEL_SECRET, "erasure_key": "of-the-bench"}
    )
    secrets: Any = clients.client("secretsmanager")
    secrets.create_secret(Name=SECRET, SecretString=secret)
    secrets.create_secret(Name=SECRET_LINK, SecretString=json.dumps({"keys": [LINK_KEY]}))
    playbook = sound_playbook(PLAYBOOK)
    S3Playbooks(Objects(s3, BUCKET)).apply(playbook)
    DynamoAccountState(clients.client("dynamodb"), "gates", ACCOUNT).heard_from("shop", NOW)
    world = World(clients, queues, playbook, servers.environment())
    decide = compose_decide(world.environment(), NOW).flow
    for message in _life(_TEMPLATE_ID, _TEMPLATE_USER):
        decide.handle(message)
    return world


def make_table(dynamodb: Any, name: str, keys: Sequence[str]) -> None:
    """A table on demand with one or two keys, which are strings."""
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[
            {"AttributeName": key, "KeyType": kind}
            for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
        ],
    )


def _life(customer_id: str, user: str) -> Iterator[EventsReceived]:
    """A customer of half a year: three purchases, an attribute or two, the link with its consent."""
    day = dt.timedelta(days=1)
    purchases = [
        Event(
            f"order-{number}",
            customer_id,
            "purchase",
            NOW - days * day,
            source="shop",
            properties={"order_id": f"order-{number}", "amount": 3_980 + 100 * number, "category": category},
        )
        for number, (days, category) in enumerate([(170, "skincare"), (75, "hair"), (12, "skincare")])
    ]
    profile = {"gender": "female", "age": 34, "birthday": "1992-04-03", "area": "tokyo"}
    told = Event(
        "profile", customer_id, "profile_updated", NOW - 170 * day, source="shop", properties=profile
    )
    linked = Event(
        "linked",
        customer_id,
        "line_linked",
        NOW - 60 * day,
        source="shop",
        properties={"line_user_id": user, "method": "login", "consent": ["marketing"]},
    )
    yield EventsReceived(customer_id, [told, *purchases, linked], history=True)


def _put(table: str, value: Customer | Gate, number: int) -> dict[str, Any]:
    text = msgspec.json.encode(value).decode()
    own = text.replace(_TEMPLATE_ID, customer_id_of(number)).replace(_TEMPLATE_USER, line_user_of(number))
    put, _ = versioned_put(table, msgspec.json.decode(own, type=type(value)))
    return {"PutRequest": {"Item": put["Item"]}}
