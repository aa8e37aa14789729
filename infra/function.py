"""What every function has: its own role, its own log group, its own grants, and the version of it that is live."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.acknowledged import acknowledge, acknowledge_star
from infra.parameters import Parameters

RUNTIME = lambda_.Runtime.PYTHON_3_13
LIVE = "live"
EDGE_TIMEOUT_SECONDS = 10
LOGS_KEPT = logs.RetentionDays.ONE_MONTH
# What DynamoDB asks of a key on a caller's behalf, spelled out where its manual writes ReEncrypt* and GenerateDataKey*.
TABLE_KEY_ACTIONS = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every function is built from."""

    code: lambda_.Code
    parameters: Parameters
    key: kms.IKey


class Function(Construct):
    """`functions/<name>/handler.py` as a Lambda that may do nothing but what it is then allowed."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        around: Surroundings,
        environment: Mapping[str, str],
        memory_mb: int,
        timeout: cdk.Duration | None = None,
        storage: cdk.Size | None = None,
    ) -> None:
        super().__init__(scope, f"{name.capitalize()}Function")
        self.name = name
        self._key = around.key
        timeout = timeout or around.parameters.worker_timeout()
        self.log_group = logs.LogGroup(
            self, "Logs", retention=LOGS_KEPT, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        self.role = iam.Role(
            self, "Role", assumed_by=cast("iam.IPrincipal", iam.ServicePrincipal("lambda.amazonaws.com"))
        )
        self.allow(["logs:CreateLogStream", "logs:PutLogEvents"], [self.log_group.log_group_arn])
        self.resource = lambda_.Function(
            self,
            "Resource",
            description=f"Musubi: {name}",
            runtime=RUNTIME,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"functions.{name}.handler.handler",
            code=around.code,
            memory_size=memory_mb,
            ephemeral_storage_size=storage,
            timeout=timeout,
            role=cast("iam.IRole", self.role),
            log_group=cast("logs.ILogGroup", self.log_group),
            # One line an invocation is ours (functions/invocation.py); what Lambda would say beside it, it says too.
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
            tracing=lambda_.Tracing.ACTIVE,
        )
        self.configured_by: list[Any] = [timeout.to_seconds()]
        for variable, value in {**_shared_environment(name, around.parameters), **environment}.items():
            self.tell(variable, value)
        # Whatever calls the function calls this: a new version becomes live as a whole, or not at all (infra/release.py).
        self.live = lambda_.Alias(self, "Live", alias_name=LIVE, version=self.resource.current_version)

        acknowledge_star(self.role, "*", "X-Ray knows no resource that a trace could be held against")
        acknowledge(
            self.resource,
            "L1",
            "the version that the bundle is resolved and tested for; newer ones follow it",
        )

    @property
    def version(self) -> lambda_.CfnVersion:
        """What CloudFormation publishes: the code and configuration that are live from then on."""
        return cast("lambda_.CfnVersion", self.resource.current_version.node.default_child)

    def tell(self, variable: str, value: str) -> None:
        """Set one variable of its environment."""
        self.resource.add_environment(variable, value)
        self.configured_by.append(value)

    def allow(
        self, actions: Sequence[str], resources: Sequence[str], conditions: Mapping[str, Any] | None = None
    ) -> None:
        """Add one statement to the function's own policy."""
        self.role.add_to_policy(
            iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=conditions)
        )

    def may_use_tables(self) -> None:
        """DynamoDB reads and writes under the caller's right to the table's key."""
        self._may_use_key(TABLE_KEY_ACTIONS, "dynamodb")

    def may_send(self, *queues: sqs.Queue) -> None:
        """Put messages on the queues, nothing else."""
        self.allow(["sqs:SendMessage"], [queue.queue_arn for queue in queues])

    def may_read_secret(self, secret_arn: str) -> None:
        """Read the secret's present value."""
        self.allow(["secretsmanager:GetSecretValue"], [secret_arn])
        self._may_use_key(["kms:Decrypt"], "secretsmanager")

    def may_use_objects(
        self,
        bucket: s3.Bucket,
        *,
        read: Sequence[str] = (),
        write: Sequence[str] = (),
        remove: Sequence[str] = (),
    ) -> None:
        """Read, write and take away under prefixes such as `playbooks/`.

        Reading includes listing the prefix: without it S3 answers 403, not 404, for a key that is not there. Getting
        an object brings no prefix to hold the condition against, so it counts only where there is one.
        """
        for prefix in {*read, *write, *remove}:
            self.acknowledge_star(bucket.arn_for_objects(f"{prefix}*"), "keys under it are made at run time")
        if read:
            self.allow(["s3:GetObject"], [bucket.arn_for_objects(f"{prefix}*") for prefix in read])
            within = {"StringLikeIfExists": {"s3:prefix": [f"{prefix}*" for prefix in read]}}
            self.allow(["s3:ListBucket"], [bucket.bucket_arn], within)
            self._may_use_key(["kms:Decrypt"], "s3")
        if write:
            self.allow(["s3:PutObject"], [bucket.arn_for_objects(f"{prefix}*") for prefix in write])
            self._may_use_key(["kms:Decrypt", "kms:GenerateDataKey"], "s3")
        if remove:
            self.allow(["s3:DeleteObject"], [bucket.arn_for_objects(f"{prefix}*") for prefix in remove])

    def acknowledge_star(self, arn: str, reason: str) -> None:
        """Say why a grant of this function ends in a star."""
        acknowledge_star(self.role, arn, reason)

    def _may_use_key(self, actions: Sequence[str], service: str) -> None:
        """The deployment's key, and only on its way through `service`."""
        through = {"StringEquals": {"kms:ViaService": f"{service}.{cdk.Aws.REGION}.amazonaws.com"}}
        self.allow(actions, [self._key.key_arn], through)


def edge_timeout() -> cdk.Duration:
    """LINE and a CRM wait for these functions: they answer in a moment or not at all."""
    return cdk.Duration.seconds(EDGE_TIMEOUT_SECONDS)


def _shared_environment(name: str, parameters: Parameters) -> dict[str, str]:
    return {
        "MUSUBI_ACCOUNT": parameters.account.value_as_string,
        "CLOCK_FILE": parameters.clock_file.value_as_string,
        "POWERTOOLS_SERVICE_NAME": name,
        # Named here so that no LOG_LEVEL of a host that runs the engine ever silences a function.
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }
