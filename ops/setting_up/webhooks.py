"""The webhook address of a deployment, where it is deployed."""

from dataclasses import dataclass

from infra.deployments import Deployment
from ops.errors import UserError
from ops.target import aws_target


@dataclass(frozen=True, slots=True)
class Deployed:
    """`webhook_url` to paste into LINE's console; None where it is not deployed or AWS could not be asked, as `why` says."""

    webhook_url: str | None
    why: str = ""


def deployed(one: Deployment) -> Deployed:
    """Ask AWS, under the caller's own credentials."""
    try:
        return Deployed(aws_target(one.stack, one.region).output("WebhookUrl"))
    except UserError as error:
        return Deployed(None, str(error))
