"""Secrets, read when first needed."""

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient


KEYS_SECONDS = 60.0
"""For so long a function may sign with the keys of before: whoever rotates waits longer between two steps."""


class SecretField:
    """One field of a JSON secret, fetched at its first call and kept until it is forgotten.

    `default`: what a secret that lacks the field stands for; without one that is an error.
    """

    def __init__(
        self, client: "SecretsManagerClient", secret: str, field: str, default: str | None = None
    ) -> None:
        self._client = client
        self._default = default
        self._secret = secret
        self._field = field
        self._value: str | None = None

    def __call__(self) -> str:
        """The field's value."""
        value = self._value
        if value is None:  # what another thread forgets meanwhile is still the value of this call
            value = self._value = self._fetched()
        return value

    def _fetched(self) -> str:
        known = json.loads(self._client.get_secret_value(SecretId=self._secret)["SecretString"])
        return str(known[self._field] if self._default is None else known.get(self._field, self._default))

    def forget(self) -> None:
        """Fetch it anew at the next call: it may have been rotated."""
        self._value = None


class SecretKeys:
    """The keys in one field of a JSON secret, oldest first, fetched anew each minute: they are rotated.

    A text is one key; while a key is being rotated the field is a list of two, both of which are valid.
    """

    def __init__(
        self,
        client: "SecretsManagerClient",
        secret: str,
        field: str = "keys",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._secret = secret
        self._field = field
        self._monotonic = monotonic
        self._keys: list[str] = []
        self._until = 0.0

    def __call__(self) -> list[str]:
        """The keys that are valid now."""
        if not self._keys or self._monotonic() >= self._until:
            found = json.loads(self._client.get_secret_value(SecretId=self._secret)["SecretString"])[
                self._field
            ]
            self._keys = [found] if isinstance(found, str) else [str(key) for key in found]
            self._until = self._monotonic() + KEYS_SECONDS
        return self._keys
