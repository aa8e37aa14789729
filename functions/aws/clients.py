"""boto3 clients, one a service and process."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

# Named once: botocore otherwise puts its name together anew for each request, at a fifth of the request's CPU.
_CONFIG = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "max_attempts": 4},
    user_agent="musubi",
    max_pool_connections=32,
)
# Where somebody waits in a browser: what is not taken in a second is given up.
_QUICK = _CONFIG.merge(
    Config(connect_timeout=0.5, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 1})
)


@cache
def client(service: str) -> Any:
    """The process's client of an AWS service. AWS_ENDPOINT_URL points it elsewhere."""
    return boto3.client(service, config=_CONFIG)  # type: ignore[call-overload]


@cache
def quick_client(service: str) -> Any:
    """As `client`, for calls that are not worth waiting for."""
    return boto3.client(service, config=_QUICK)  # type: ignore[call-overload]
