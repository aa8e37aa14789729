"""The six tables: what is known, said and due."""

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct


@dataclass(frozen=True, slots=True)
class TableShape:
    """Keys (both strings) and stream of one table."""

    name: str
    sorted: bool
    stream: dynamodb.StreamViewType | None = None


SHAPES = (
    # Facts follow from the streams of what was sent, what happened, and how customers changed (infra/facts.py).
    TableShape("identities", sorted=True),
    TableShape("customers", sorted=False, stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES),
    TableShape("gates", sorted=False),
    TableShape("sends", sorted=True, stream=dynamodb.StreamViewType.NEW_IMAGE),
    TableShape("events", sorted=True, stream=dynamodb.StreamViewType.NEW_IMAGE),
    # Nobody reads this stream on AWS, where an unread stream costs nothing; the local clock learns from it what
    # falls due next without scanning the table after every step.
    TableShape("timers", sorted=True, stream=dynamodb.StreamViewType.NEW_IMAGE),
)


class Tables(Construct):
    """On demand, restorable to any second, encrypted with the deployment's key, `ttl` in wall time."""

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self.by_name = {shape.name: self._define(shape, key) for shape in SHAPES}
        self.identities = self.by_name["identities"]
        self.customers = self.by_name["customers"]
        self.gates = self.by_name["gates"]
        self.sends = self.by_name["sends"]
        self.events = self.by_name["events"]
        self.timers = self.by_name["timers"]

    def _define(self, shape: TableShape, key: kms.IKey) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            shape.name.capitalize(),
            partition_key=_string("pk"),
            sort_key=_string("sk") if shape.sorted else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            time_to_live_attribute="ttl",
            stream=shape.stream,
            deletion_protection=True,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
