"""Plain HTTP refused on AWS, allowed where the engine of one machine speaks nothing else."""

import aws_cdk as cdk
from constructs import Construct


def only_where(condition: cdk.CfnCondition, policy: Construct | None) -> None:
    """Create a resource policy only where `condition` holds. `policy` is an L2 policy construct of its own."""
    resource = policy.node.default_child if policy is not None else None
    if not isinstance(resource, cdk.CfnResource):
        raise TypeError("The construct made no policy resource: was enforce_ssl left out?")
    resource.cfn_options.condition = condition
