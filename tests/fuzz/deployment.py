"""One deployment as its four HTTP functions see it: the production wiring and adapters, AWS in process (moto), and LINE as a
stand-in. Every call that changes something is noted, with what it was given."""

import hashlib
import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import boto3
import msgspec
import pytest
from moto import mock_aws

from functions.aws import clients
from functions.aws.identities import DynamoIdentities
from functions.aws.inflow_sources import S3InflowSources
from functions.aws.items import DynamoCustomers
from functions.aws.objects import Objects, S3Playbooks
from functions.click import wiring as click_wiring
from functions.clock import real_clock
from functions.domain.inflow import InflowSource, token_digest
from functions.domain.playbook import Links, Playbook, Preferences
from functions.ingest import wiring as ingest_wiring
from functions.line.login import LineLogin
from functions.link import wiring as link_wiring
from functions.ports.errors import Rejected
from functions.ports.identities import LoginTokens
from functions.tokens import Tokens
from functions.webhook import wiring as webhook_wiring
from tests.fakes.link_world import ACCESS, LinkWorld, linking_book
from tests.fuzz.changes import Change, watch
from tests.fuzz.front_door import HOST
from tests.fuzz.proofs import Keys, Proofs

REGION: Final = "ap-northeast-1"
SHOP = "https://shop.example"
USER, CUSTOMER = "Uf00dfeedf00dfeedf00dfeedf00dfeed", "C-linked-4711"
LOOSE_USER, LOOSE_CUSTOMER = "Ucafe0000cafe0000cafe0000cafe0000", "C-loose-0815"
PEOPLE = (USER, CUSTOMER, LOOSE_USER, LOOSE_CUSTOMER)


def _made_up(name: str) -> str:
    """What stands for a secret: long, and nowhere else."""
    return hashlib.sha256(f"fuzz {name}".encode()).hexdigest()[:40]


CHANNEL_SECRET, INGEST_KEY = _made_up("channel"), _made_up("ingest")
LINK_KEYS = [_made_up("older link"), _made_up("newer link")]
KEYS = Keys(CHANNEL_SECRET, INGEST_KEY, tuple(LINK_KEYS))
OTHERS_KEY = _made_up("another account's link")
ACCESS_TOKEN, LOGIN_SECRET = _made_up("access token"), _made_up("login")
ERASURE_KEY, AWS_SECRET = _made_up("erasure"), _made_up("aws")
SECRETS = (
    CHANNEL_SECRET,
    INGEST_KEY,
    *LINK_KEYS,
    ACCESS_TOKEN,
    LOGIN_SECRET,
    ERASURE_KEY,
    AWS_SECRET,
)
WIRINGS = (webhook_wiring.receive, ingest_wiring.ingest, link_wiring.link, click_wiring.follow)


def book() -> Playbook:
    """Everything that pages offer."""
    offered = Preferences(topics={"coupon": "クーポン<b>", "promotion": "おすすめ"}, hours=True)
    links = Links(track=True, expires_seconds=30 * 86_400, to=[SHOP])
    return msgspec.structs.replace(linking_book(), version="fuzz", preferences=offered, links=links)


class StandInForLine:
    """LINE Login and the Messaging API's link tokens: a code and an ID token are good where they say so."""

    def __init__(self, real: LineLogin) -> None:
        self.authorize_url = real.authorize_url
        self.dialog_url = real.dialog_url

    def exchange(self, code: str, verifier: str, redirect_uri: str) -> LoginTokens:
        """Every code that begins so."""
        if not code.startswith("good-"):
            raise Rejected("LINE Login answered 400")
        return LoginTokens(ACCESS_TOKEN, f"id:{LOOSE_USER}")

    def verified_user(self, id_token: str, nonce: str | None) -> str:
        """The user of a good ID token."""
        if id_token not in (f"id:{LOOSE_USER}", f"id:{USER}"):
            raise Rejected("LINE Login answered 400")
        return id_token.removeprefix("id:")

    def is_friend(self, access_token: str) -> bool:
        """Not yet."""
        return False

    def issue(self, line_user_id: str) -> str:
        """A link token."""
        return f"link-token-{uuid.uuid5(uuid.NAMESPACE_URL, line_user_id).hex}"

    def add_friend_url(self) -> str:
        """LINE's page."""
        return "https://line.example/R/ti/p/%40shop"


@dataclass
class Deployment:
    """What a fuzzer holds in its hands."""

    keys: Keys
    proofs: Proofs
    poster: str
    changes: list[Change] = field(default_factory=list)

    def kept(self) -> dict[str, Any]:
        """What no request may touch: every row and object that is not of a kind that the edges write."""
        dynamodb, s3 = boto3.client("dynamodb", REGION), boto3.client("s3", REGION)
        rows = {
            f"{table}/{json.dumps(row, sort_keys=True, default=str)}"
            for table in TABLES
            for row in dynamodb.scan(TableName=table)["Items"]
            if not row["pk"]["S"].startswith(WRITTEN_ROWS[table])
        }
        objects = {
            f"{one['Key']} {one['ETag']}"
            for one in s3.list_objects_v2(Bucket="bucket")["Contents"]
            if not one["Key"].startswith("rejected/")
        }
        return {"rows": rows, "objects": objects}


TABLES = {
    "identities": True,
    "customers": False,
    "gates": False,
    "sends": True,
    "events": True,
    "timers": True,
}
NOTHING = ("\0",)
WRITTEN_ROWS: dict[str, tuple[str, ...]] = {
    "identities": ("attempt#", "code#", "nonce#", "once#"),
    "customers": NOTHING,
    "gates": ("anon:#account#main",),
    "sends": NOTHING,
    "events": NOTHING,
    "timers": ("",),
}


@contextmanager
def deployed() -> Iterator[Deployment]:
    """A deployment, from its tables to the caches of its functions; nothing of it is left."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        _environment(patch)
        stack.enter_context(mock_aws())
        _forget()
        stack.callback(_forget)
        queue = _made()
        patch.setenv("QUEUE_INBOX_URL", queue)
        line = StandInForLine(_line_login())
        patch.setattr(link_wiring, "LineLogin", lambda *_: line)
        patch.setattr(link_wiring, "LineLinkTokens", lambda *_: line)
        tokens = Tokens(lambda: LINK_KEYS, real_clock)
        deployment = Deployment(KEYS, Proofs(KEYS), tokens.sign("inflow", {"n": "till"}))
        _lived_in(deployment.poster)
        for service in ("dynamodb", "s3", "sqs", "secretsmanager"):
            watch(clients.client(service), deployment.changes)
        watch(clients.quick_client("sqs"), deployment.changes)
        yield deployment


def _line_login() -> LineLogin:
    return LineLogin(
        "https://api.line.example", ACCESS, lambda: "2000000001", lambda: LOGIN_SECRET, real_clock
    )


def _environment(patch: pytest.MonkeyPatch) -> None:
    settings = {f"TABLE_{name.upper()}": name for name in TABLES}
    settings |= {f"SECRET_{name.upper()}": name for name in ("line", "ingest", "erasure", "link")}
    settings |= {
        "BUCKET": "bucket",
        "SCHEDULE_GROUP": "musubi",
        "MUSUBI_ACCOUNT": "main",
        "LINK_URL": f"https://{HOST}",
        "LINE_ACCESS_URL": ACCESS,
        "LIFF_URL": "https://liff.example",
        "LIFF_SDK_URL": "https://static.line.example/sdk.js",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": AWS_SECRET,
        "AWS_DEFAULT_REGION": REGION,
        "POWERTOOLS_METRICS_NAMESPACE": "Musubi",
    }
    for name, value in settings.items():
        patch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL", "CLOCK_FILE", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        patch.delenv(name, raising=False)


def _forget() -> None:
    clients.client.cache_clear()
    clients.quick_client.cache_clear()
    link_wiring._of_line.cache_clear()
    for wired in WIRINGS:
        wired.cache_clear()


def _made() -> str:
    """Tables, bucket, secrets; the inbox's address."""
    dynamodb, s3 = boto3.client("dynamodb", REGION), boto3.client("s3", REGION)
    for name, is_sorted in TABLES.items():
        keys = ["pk", "sk"] if is_sorted else ["pk"]
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[
                {"AttributeName": key, "KeyType": kind}  # type: ignore[typeddict-item]
                for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
        )
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    secrets = boto3.client("secretsmanager", REGION)
    line = {
        "channel_secret": CHANNEL_SECRET,
        "channel_access_token": ACCESS_TOKEN,
        "login_channel_id": "2000000001",
        "login_channel_secret": LOGIN_SECRET,
        "liff_id": "2000000001-app",
    }
    for name, held in {
        "line": line,
        "ingest": {"ingest_key": INGEST_KEY},
        "erasure": {"erasure_key": ERASURE_KEY},
        "link": {"keys": LINK_KEYS},
    }.items():
        secrets.create_secret(Name=name, SecretString=json.dumps(held))
    return boto3.client("sqs", REGION).create_queue(QueueName="inbox")["QueueUrl"]


def _lived_in(poster: str) -> None:
    """A playbook in force, one linked customer, one poster."""
    world = LinkWorld(book())
    world.customer_with_line(CUSTOMER, USER)
    dynamodb, objects = clients.client("dynamodb"), Objects(clients.client("s3"), "bucket")
    S3Playbooks(objects).apply(book())
    customer, link = world.customer(CUSTOMER), world.identities.link_of(USER)
    assert link is not None
    DynamoCustomers(dynamodb, "customers", "gates").save(msgspec.structs.replace(customer, version=0))
    row = DynamoIdentities(dynamodb, "identities", "", "")._row(f"line#{USER}", "link", link)
    dynamodb.put_item(**row)
    S3InflowSources(objects).create(InflowSource("till", token_digest(poster), world.now, "ann"))
