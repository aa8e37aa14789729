"""boto3 clients, one a service and process."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

_CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "max_attempts": 4})


@cache
def client(service: str) -> Any:
    """The process's client of an AWS service. AWS_ENDPOINT_URL points it elsewhere."""
    return boto3.client(service, config=_CONFIG)  # type: ignore[call-overload]
