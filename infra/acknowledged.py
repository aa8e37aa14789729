"""Rules of cdk-nag that we break knowingly, each with its reason beside the construct that breaks it."""

from typing import Any

import aws_cdk as cdk
from constructs import Construct


def acknowledge(construct: Construct, rule: str, reason: str) -> None:
    """Answer a finding of AwsSolutions, e.g. rule SQS3, on `construct` and what is in it."""
    finding = cdk.Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason)
    cdk.Validations.of(construct).acknowledge(finding)


def acknowledge_star(construct: Construct, arn: str, reason: str) -> None:
    """Say why a grant of `construct` may reach all that `arn`, which ends in a star, covers; and nothing wider."""
    acknowledge(construct, f"IAM5[Resource::{_readable(cdk.Stack.of(construct).resolve(arn))}]", reason)


def _readable(resolved: Any) -> str:
    """An ARN as cdk-nag writes it: each reference in angle brackets, e.g. `<Bucket.Arn>/runs/*`."""
    if isinstance(resolved, str):
        return resolved
    ((function, argument),) = resolved.items()
    if function == "Fn::Join":
        return str(argument[0]).join(_readable(part) for part in argument[1])
    return f"<{argument if function == 'Ref' else '.'.join(argument)}>"
