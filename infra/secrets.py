"""The secrets. Their values never stand in the template."""

import json

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.acknowledged import acknowledge

ROTATION = "LINE issues the token and the CRM holds the key: neither can be rotated from here alone (runbook)"


class Secrets(Construct):
    """`line` {"channel_secret", "channel_access_token", "login_channel_id", "login_channel_secret", "liff_id"},
    `ingest` {"ingest_key"}, `erasure` {"erasure_key"} and `link` {"keys": [oldest, …, newest]}, at most two of them.

    Until somebody puts the real values, `line` holds a random channel secret and no token: every webhook is
    refused, nothing is sent and nobody logs in. The ingest key and one key to sign with are generated and stay.
    """

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        of_line = ("channel_access_token", "login_channel_id", "login_channel_secret", "liff_id")
        self.line_arn = self._generate("Line", "channel_secret", dict.fromkeys(of_line, ""))
        self.link_arn = self._generate("Link", "keys", {})
        self.ingest_arn = self._generate("Ingest", "ingest_key", {})
        # Never rotated: what is kept of erased people is a hash under this very key.
        self.erasure_arn = self._generate("Erasure", "erasure_key", {})

    def _generate(self, name: str, generated: str, rest: dict[str, str]) -> str:
        secret = secretsmanager.Secret(
            self,
            name,
            encryption_key=self._key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps(rest),
                generate_string_key=generated,
                password_length=43,
                exclude_punctuation=True,
            ),
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        acknowledge(secret, "SMG4", ROTATION)
        resource = secret.node.default_child
        if not isinstance(resource, secretsmanager.CfnSecret):
            raise TypeError("The secret has no resource to name.")
        # Not Ref: on AWS that is the ARN too, but the embedded engine answers with the bare name.
        return resource.attr_id
