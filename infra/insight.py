"""LINE's own figures by aggregation unit, once a day into the facts."""

import aws_cdk as cdk
from constructs import Construct

from infra.function import Function, Surroundings
from infra.memory import MEMORY_MB
from infra.objects import Objects
from infra.secrets import Secrets
from infra.tables import Tables

# Fifty calls of LINE, seven seconds each at most.
TIMEOUT_SECONDS = 360


def insight_function(
    scope: Construct, around: Surroundings, tables: Tables, secrets: Secrets, objects: Objects
) -> Function:
    """Called each hour, for LINE tells no more than 60 figures an hour."""
    parameters = around.parameters
    function = Function(
        scope,
        "insight",
        around=around,
        memory_mb=MEMORY_MB["insight"],
        timeout=cdk.Duration.seconds(TIMEOUT_SECONDS),
        environment={
            "TABLE_GATES": tables.gates.table_name,
            "SECRET_LINE": secrets.line_arn,
            "LINE_API_URL": parameters.line_api_url.value_as_string,
            "BUCKET": objects.bucket.bucket_name,
        },
    )
    rows = f"anon:#units#{parameters.account.value_as_string}#*"
    only = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [rows]}}
    function.allow(["dynamodb:GetItem"], [tables.gates.table_arn], only)
    function.may_use_tables()
    function.may_read_secret(secrets.line_arn)
    function.may_use_objects(objects.bucket, read=["insight/"], write=["insight/", "facts/raw/insight/"])
    return function
