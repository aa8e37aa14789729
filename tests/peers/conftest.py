"""Fixtures that other rooms of the tests have already."""

from tests.aws.conftest import aws, engine
from tests.infra.conftest import template

__all__ = ["aws", "engine", "template"]
