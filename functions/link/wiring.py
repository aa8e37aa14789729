"""What the link function is made of."""

import secrets
from functools import cache

from functions.aws.clients import client
from functions.aws.identities import DynamoIdentities
from functions.aws.inflow_sources import S3InflowSources
from functions.aws.items import DynamoCustomers
from functions.aws.link_attempts import DynamoLinkAttempts
from functions.aws.objects import Objects, S3Playbooks
from functions.aws.once import Once
from functions.aws.queues import Queue, SqsInbox
from functions.aws.secrets import SecretField, SecretKeys
from functions.aws.timers import DynamoTimers
from functions.clock import Clock, clock_of
from functions.line.link_tokens import LineLinkTokens
from functions.line.login import LineLogin
from functions.link.completing import Completing
from functions.link.dialog import DialogWay
from functions.link.flow import Link
from functions.link.inflow import Arrivals
from functions.link.liff import LiffWay
from functions.link.login import LoginWay
from functions.link.manage import Manage
from functions.link.pages import JinjaPages
from functions.link.preferences import PreferencesPage
from functions.link.shop import ShopDoor
from functions.settings import Settings, read_settings, required
from functions.tokens import Tokens

# What LIFF's script speaks to, beside the host that it comes from.
LIFF_HOSTS = (
    "https://api.line.me",
    "https://access.line.me",
    "https://liff.line.me",
    "https://liffsdk.line-scdn.net",
)


class _Random:
    """The system's own randomness."""

    def token(self, size_bytes: int) -> str:
        """So many random bytes, URL-safe."""
        return secrets.token_urlsafe(size_bytes)

    def pick(self, alphabet: str) -> str:
        """One sign of an alphabet."""
        return secrets.choice(alphabet)


@cache
def link() -> Link:
    """The flow of this process."""
    settings = read_settings()
    now, random = clock_of(settings.clock_file), _Random()
    common, login, link_tokens = _shared(settings, now)
    once = Once(client("dynamodb"), settings.table_identities)

    def has_login() -> bool:
        return bool(_of_line(settings, "login_channel_id", "")())

    liff_id = _of_line(settings, "liff_id", "")
    arrivals = Arrivals(
        common,
        S3InflowSources(Objects(client("s3"), required(settings.bucket, "BUCKET"))),
        has_login,
    )
    return Link(
        common=common,
        shop=ShopDoor(
            ingest_keys=SecretKeys(
                client("secretsmanager"), required(settings.secret_ingest, "SECRET_INGEST"), "ingest_key"
            ),
            common=common,
            timers=DynamoTimers(
                client("dynamodb"), required(settings.table_timers, "TABLE_TIMERS"), settings.timer_shards
            ),
            random=random,
            addresses=login,
            has_login=has_login,
            liff_url=lambda ticket: f"{settings.liff_url}/{liff_id()}?t={ticket}" if liff_id() else "",
        ),
        login=LoginWay(common, login, once, random, settings.line_access_url, arrivals),
        dialog=DialogWay(common, link_tokens),
        liff=LiffWay(common, login, liff_id, settings.liff_sdk_url, LIFF_HOSTS),
        manage=Manage(common, once, random),
        preferences=PreferencesPage(
            common,
            _identities(settings),
            # Only read here: what is chosen becomes events, and `decide` writes it.
            DynamoCustomers(
                client("dynamodb"), required(settings.table_customers, "TABLE_CUSTOMERS"), "no gates here"
            ),
            once,
            random,
        ),
    )


def _shared(settings: Settings, now: Clock) -> tuple[Completing, LineLogin, LineLinkTokens]:
    link_tokens = LineLinkTokens(
        settings.line_api_url, settings.line_friend_url, _of_line(settings, "channel_access_token")
    )
    login = LineLogin(
        settings.line_login_url,
        settings.line_access_url,
        _of_line(settings, "login_channel_id", ""),
        _of_line(settings, "login_channel_secret", ""),
        now,
    )
    common = Completing(
        attempts=DynamoLinkAttempts(
            client("dynamodb"), required(settings.table_identities, "TABLE_IDENTITIES")
        ),
        identities=_identities(settings),
        inbox=SqsInbox(Queue(client("sqs"), required(settings.queue_inbox_url, "QUEUE_INBOX_URL"))),
        playbooks=S3Playbooks(Objects(client("s3"), required(settings.bucket, "BUCKET"))),
        tokens=Tokens(
            SecretKeys(client("secretsmanager"), required(settings.secret_link, "SECRET_LINK")), now
        ),
        pages=JinjaPages(),
        add_friend=link_tokens,
        base_url=required(settings.link_url, "LINK_URL"),
        now=now,
    )
    return common, login, link_tokens


def _identities(settings: Settings) -> DynamoIdentities:
    """Only read here: the tables that a link changes are none of this function's."""
    return DynamoIdentities(client("dynamodb"), settings.table_identities, "", "")


@cache
def _of_line(settings: Settings, field: str, default: str | None = None) -> SecretField:
    return SecretField(
        client("secretsmanager"), required(settings.secret_line, "SECRET_LINE"), field, default
    )
