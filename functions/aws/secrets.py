"""Secrets, read when first needed and kept for the life of the process."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient


def secret_field(client: "SecretsManagerClient", secret: str, field: str) -> Callable[[], str]:
    """A function that gives one field of a JSON secret; the secret is fetched at its first call."""
    known: list[str] = []

    def read() -> str:
        if not known:
            text = client.get_secret_value(SecretId=secret)["SecretString"]
            known.append(str(json.loads(text)[field]))
        return known[0]

    return read
