"""Secrets, read when first needed."""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient


class SecretField:
    """One field of a JSON secret, fetched at its first call and kept until it is forgotten."""

    def __init__(self, client: "SecretsManagerClient", secret: str, field: str) -> None:
        self._client = client
        self._secret = secret
        self._field = field
        self._value: str | None = None

    def __call__(self) -> str:
        """The field's value."""
        if self._value is None:
            text = self._client.get_secret_value(SecretId=self._secret)["SecretString"]
            self._value = str(json.loads(text)[self._field])
        return self._value

    def forget(self) -> None:
        """Fetch it anew at the next call: it may have been rotated."""
        self._value = None
