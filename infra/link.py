"""The ways to link: the shop's door and the pages."""

import aws_cdk as cdk
from constructs import Construct

from infra.function import Function, Surroundings
from infra.memory import MEMORY_MB
from infra.objects import Objects
from infra.queues import Queues
from infra.secrets import Secrets
from infra.tables import Tables

# What the function may write, by the beginnings of its rows: attempts and what is used up, never a link or an audit.
ROWS = ("attempt#*", "code#*", "nonce#*", "once#*")
# The end of a login asks LINE three times, six seconds each at most (functions/line/login.py), and the API waits for 30.
TIMEOUT_SECONDS = 25


def link_function(
    scope: Construct,
    around: Surroundings,
    tables: Tables,
    queues: Queues,
    secrets: Secrets,
    objects: Objects,
) -> Function:
    """POST /links, and the pages under /link/. LINK_URL and API_ID come with the door."""
    parameters = around.parameters
    function = Function(
        scope,
        "link",
        around=around,
        memory_mb=MEMORY_MB["link"],
        timeout=cdk.Duration.seconds(TIMEOUT_SECONDS),
        environment={
            "TABLE_IDENTITIES": tables.identities.table_name,
            "TABLE_CUSTOMERS": tables.customers.table_name,
            "TABLE_TIMERS": tables.timers.table_name,
            "TIMER_SHARDS": parameters.timer_shards.value_as_string,
            "QUEUE_INBOX_URL": queues.inbox.queue.queue_url,
            "SECRET_LINE": secrets.line_arn,
            "SECRET_INGEST": secrets.ingest_arn,
            "SECRET_LINK": secrets.link_arn,
            "BUCKET": objects.bucket.bucket_name,
            "LINE_API_URL": parameters.line_api_url.value_as_string,
            "LINE_LOGIN_URL": parameters.line_login_url.value_as_string,
            "LINE_ACCESS_URL": parameters.line_access_url.value_as_string,
            "LINE_FRIEND_URL": parameters.line_friend_url.value_as_string,
            "LIFF_URL": parameters.liff_url.value_as_string,
            "LIFF_SDK_URL": parameters.liff_sdk_url.value_as_string,
        },
    )
    _allow_tables(function, tables)
    function.may_send(queues.inbox.queue)
    for secret in (secrets.line_arn, secrets.ingest_arn, secrets.link_arn):
        function.may_read_secret(secret)
    function.may_use_objects(objects.bucket, read=["playbooks/", "inflow/"])
    return function


def _allow_tables(function: Function, tables: Tables) -> None:
    only = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(ROWS)}}
    read = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [*ROWS, "line#*"]}}
    function.allow(["dynamodb:GetItem"], [tables.identities.table_arn], read)
    function.allow(["dynamodb:PutItem", "dynamodb:UpdateItem"], [tables.identities.table_arn], only)
    function.allow(["dynamodb:GetItem"], [tables.customers.table_arn])
    function.allow(["dynamodb:PutItem"], [tables.timers.table_arn])
    function.may_use_tables()
