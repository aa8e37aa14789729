"""AWS with the tables, the bucket and the queues of one deployment: the tables on the embedded engine, for moto lets a
batch's statements ignore their conditions; all else in process (moto)."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import boto3
import pytest
from moto import mock_aws

from functions.aws.account import DynamoAccountState
from functions.aws.batches import S3Batches
from functions.aws.context_facts import S3Context
from functions.aws.history import DynamoEvents
from functions.aws.identities import DynamoIdentities
from functions.aws.items import DynamoCustomers
from functions.aws.objects import Objects, S3Playbooks, S3Runs
from functions.aws.reactions import DynamoReactions
from functions.aws.scans import S3Audits, S3Backfills
from functions.aws.send_log import DynamoSends
from functions.aws.send_reports import SendReports
from functions.aws.timers import DynamoTimers
from functions.domain.context import Context
from functions.domain.playbook import Playbook
from functions.ports.account import Reactions
from functions.ports.campaigns import Audits, Runs
from functions.ports.customers import Customers, Events
from functions.ports.identities import Identities
from functions.ports.playbooks import Playbooks
from functions.ports.sending import Batches, Reconciled, Sends
from functions.ports.timers import Timers
from ops.engine.clients import Clients
from ops.engine.processes import end_groups, free_port
from ops.engine.server import Engine, start_engine, wait_until_healthy
from tests.fakes.objects import FakeBatches, FakePlaybooks, FakeRuns
from tests.fakes.scans import FakeAudits, FakeBackfills
from tests.fakes.tables import (
    FakeAccountState,
    FakeCustomers,
    FakeEvents,
    FakeIdentities,
    FakeReactions,
    FakeSends,
    FakeTimers,
)

REGION = "ap-northeast-1"
SORTED = {
    "identities": True,
    "customers": False,
    "gates": False,
    "sends": True,
    "events": True,
    "timers": True,
}
SHARDS = 2
Kind = Literal["fake", "aws"]
_numbers = itertools.count()


class Aws:
    """An account: clients are made once, tables, buckets and queues anew for each test, under names of their own."""

    def __init__(self, engine: Engine) -> None:
        self._clients: dict[str, Any] = {"dynamodb": Clients(engine.url, REGION).client("dynamodb")}

    def client(self, service: str) -> Any:
        """A boto3 client."""
        if service not in self._clients:
            self._clients[service] = boto3.client(service, region_name=REGION)  # type: ignore[call-overload]
        return self._clients[service]

    def name(self, name: str) -> str:
        """A name that no other test uses."""
        return f"{name}-{next(_numbers)}"

    def tables(self) -> dict[str, str]:
        """All six tables by their role, keyed by `pk` and, where sorted, `sk`."""
        return {
            role: self._table(role, ["pk", "sk"] if is_sorted else ["pk"])
            for role, is_sorted in SORTED.items()
        }

    def _table(self, role: str, keys: list[str]) -> str:
        name = self.name(role)
        self.client("dynamodb").create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[
                {"AttributeName": key, "KeyType": kind}
                for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
        )
        return name

    def objects(self) -> Objects:
        """A bucket."""
        name = self.name("musubi")
        self.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        return Objects(self.client("s3"), name)

    def queue(self) -> str:
        """The url of a queue."""
        return str(self.client("sqs").create_queue(QueueName=self.name("queue"))["QueueUrl"])

    def messages(self, url: str) -> list[str]:
        """The bodies of all that is in a queue."""
        found: list[str] = []
        while True:
            batch = (
                self.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            )
            if not batch:
                return found
            found += [message["Body"] for message in batch]


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The embedded engine, with no rights asked: these tests are about what the calls do."""
    started = start_engine(tmp_path_factory.mktemp("engine"), free_port(), auth=False)
    try:
        wait_until_healthy(started)
        yield started
    finally:
        end_groups([started.pid], str(started.run_dir))


@pytest.fixture(scope="package")
def aws(engine: Engine) -> Iterator[Aws]:
    """An account. It ends with these tests: in one that stays open, others would find what a test before them made."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        with mock_aws():
            yield Aws(engine)


@dataclass(frozen=True)
class Stores:
    """Every port that keeps something, of one kind."""

    kind: Kind
    customers: Customers
    identities: Identities
    events: Events
    sends: Sends
    log: Reconciled
    timers: Timers
    account_state: FakeAccountState | DynamoAccountState
    reactions: Reactions
    playbooks: Playbooks
    runs: Runs
    batches: Batches
    backfills: FakeBackfills | S3Backfills
    audits: Audits
    put_in_force: Callable[[Playbook], None]
    put_context: Callable[[Context], None]


@pytest.fixture(params=["fake", "aws"])
def stores(request: pytest.FixtureRequest) -> Stores:
    """The fakes, and the adapters: every test that takes these holds for both."""
    return _fakes() if request.param == "fake" else _adapters(request.getfixturevalue("aws"))


def _fakes() -> Stores:
    customers, playbooks, sends = FakeCustomers(), FakePlaybooks(), FakeSends()
    return Stores(
        "fake",
        customers,
        FakeIdentities(customers),
        FakeEvents(),
        sends,
        sends,
        FakeTimers(SHARDS),
        FakeAccountState(),
        FakeReactions(),
        playbooks,
        FakeRuns(),
        FakeBatches(),
        FakeBackfills(),
        FakeAudits(),
        playbooks.apply,
        playbooks.put_context,
    )


def _adapters(aws: Aws) -> Stores:
    dynamodb, objects, tables = aws.client("dynamodb"), aws.objects(), aws.tables()
    customers, gates = tables["customers"], tables["gates"]
    playbooks = S3Playbooks(objects)
    return Stores(
        "aws",
        DynamoCustomers(dynamodb, customers, gates),
        DynamoIdentities(dynamodb, tables["identities"], customers, gates),
        DynamoEvents(dynamodb, tables["events"]),
        DynamoSends(dynamodb, tables["sends"]),
        SendReports(dynamodb, tables["sends"]),
        DynamoTimers(dynamodb, tables["timers"], SHARDS),
        DynamoAccountState(dynamodb, gates, "main"),
        DynamoReactions(dynamodb, gates, "main"),
        playbooks,
        S3Runs(objects),
        S3Batches(objects),
        S3Backfills(objects),
        S3Audits(objects),
        playbooks.apply,
        lambda context: _let_be(S3Context(objects), context),
    )


def _let_be(facts: S3Context, context: Context) -> None:
    facts.change(lambda _: context)
