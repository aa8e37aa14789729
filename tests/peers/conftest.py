"""Fixtures that other rooms of the tests have already."""

from tests.aws.conftest import aws
from tests.infra.conftest import template

__all__ = ["aws", "template"]
