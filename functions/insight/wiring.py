"""What the insight function is made of."""

from functools import cache

from functions.aws.aggregation_units import DynamoAggregationUnits
from functions.aws.clients import client
from functions.aws.insight_facts import S3InsightFacts
from functions.aws.objects import Objects
from functions.aws.secrets import SecretField
from functions.clock import clock_of
from functions.insight.flow import Gather
from functions.line.insight import LineUnitInsight
from functions.settings import read_settings, required


@cache
def gather() -> Gather:
    """The flow of this process."""
    settings = read_settings()
    token = SecretField(
        client("secretsmanager"), required(settings.secret_line, "SECRET_LINE"), "channel_access_token"
    )
    return Gather(
        units=DynamoAggregationUnits(
            client("dynamodb"), required(settings.table_gates, "TABLE_GATES"), settings.account
        ),
        line=LineUnitInsight(settings.line_api_url, token),
        facts=S3InsightFacts(Objects(client("s3"), required(settings.bucket, "BUCKET"))),
        now=clock_of(settings.clock_file),
    )
