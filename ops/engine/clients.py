"""boto3 clients of one place: the engine of this machine, or AWS."""

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from ops.engine.server import ACCESS_KEY, REGION

CALL_SECONDS_MAX = 120
CONNECTIONS_MAX = 50
# Where the host's own AWS configuration would speak: named so that a local client never hears it.
UNHEARD = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}

_making = threading.Lock()


@dataclass(slots=True)
class Clients:
    """Clients made once each. `endpoint_url` None means AWS, under the caller's own credentials; `elsewhere` names the
    services that another engine serves, and where."""

    endpoint_url: str | None = None
    region: str | None = None
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    _made: dict[str, Any] = field(default_factory=dict, repr=False)
    _session: Any = field(default=None, repr=False)

    def client(self, service: str) -> Any:
        """The client of `service`, e.g. dynamodb; annotate the variable that takes it."""
        if service not in self._made:
            self._made[service] = self._make(service)
        return self._made[service]

    def another(self, service: str) -> Any:
        """A client of `service` that nobody else has: what is registered with it stays with it."""
        return self._make(service)

    def _make(self, service: str) -> Any:
        if self.endpoint_url is None:
            return boto3.client(service, region_name=self.region)  # type: ignore[call-overload]
        self._session = self._session or local_session()
        url = self.elsewhere.get(service, self.endpoint_url)
        with _making:  # a session makes one client after the other, whatever threads ask
            return self._session.client(service, endpoint_url=url, config=_local_config())


@cache
def local_session() -> boto3.session.Session:
    """The engine's root caller, deaf to the host's profiles and configuration files. One a process: what a session has read
    of a service once, the next client of it need not read."""
    return boto3.session.Session(
        botocore_session=botocore.session.Session(session_vars=UNHEARD),
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=ACCESS_KEY,
        region_name=REGION,
    )


def _local_config() -> Config:
    # No proxy stands between this machine and itself, and no call is repeated behind our back.
    return Config(
        proxies={},
        retries={"total_max_attempts": 1},
        read_timeout=CALL_SECONDS_MAX,
        max_pool_connections=CONNECTIONS_MAX,
        s3={"addressing_style": "path"},
    )
