"""`decide` as its own wiring composes it, in this process, for a shop of the embedded engine."""

import datetime as dt
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import boto3

from functions import clock
from functions.aws.clients import client
from functions.decide import wiring
from functions.decide.erased import ForTheLiving

SERVICES = ("dynamodb", "sqs", "s3")


class Composed(NamedTuple):
    """The flow, and the boto3 clients that its adapters use, by service."""

    flow: ForTheLiving
    clients: Mapping[str, Any]


def compose_decide(variables: Mapping[str, str], now: dt.datetime) -> Composed:
    """A flow of its own, with clients that no other has, at an instant that stands still."""
    with _told(variables, now):
        return Composed(wiring.decide(), {service: client(service) for service in SERVICES})


@contextmanager
def _told(variables: Mapping[str, str], now: dt.datetime) -> Iterator[None]:
    """The process's environment and clock as a function of the shop has them; what they were afterwards."""
    environment, real = dict(os.environ), clock.real_clock
    for made in (client, wiring.decide):
        made.cache_clear()
    os.environ.update(variables)
    clock.real_clock = lambda: now
    boto3.setup_default_session()
    try:
        yield
    finally:
        clock.real_clock = real
        os.environ.clear()
        os.environ.update(environment)
        boto3.DEFAULT_SESSION = None
