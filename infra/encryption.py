"""The one customer-managed key of a deployment."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from constructs import Construct


class Encryption(Construct):
    """Encrypts the tables, the objects and the secrets. Kept when the stack goes: without it they are noise."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.key = kms.Key(
            self,
            "Key",
            description="Musubi: customers' data at rest",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )

    def as_key(self) -> kms.IKey:
        """The key under the interface that other constructs take."""
        return cast("kms.IKey", self.key)
