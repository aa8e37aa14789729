"""A deployment that is looked at: its names, its resources by kind, and what it must be."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from ops.doctor.findings import Finding, mend
from ops.errors import UserError
from ops.stores import Stores
from ops.target import Target

DENIED: Final = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")


@dataclass(frozen=True)
class Visit:
    """One deployment under the caller's own rights. `aws_account`: the only one it may stand in, or None."""

    target: Target
    stack: str
    aws_account: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether it is this machine's."""
        return self.target.engine_url is not None

    @cached_property
    def stores(self) -> Stores:
        """Its tables and objects."""
        return Stores(self.target)

    @cached_property
    def resources(self) -> dict[str, list[str]]:
        """CloudFormation's type → the physical ids of the stack's resources of it."""
        found: dict[str, list[str]] = {}
        pages = self.client("cloudformation").get_paginator("list_stack_resources")
        for page in pages.paginate(StackName=self.stack):
            for one in page["StackResourceSummaries"]:
                found.setdefault(one["ResourceType"], []).append(one.get("PhysicalResourceId", ""))
        return found

    @property
    def webhook_url(self) -> str:
        """The address that LINE has to post to."""
        if self.target.engine_url is None:
            return self.target.output("WebhookUrl")
        return f"{self.target.engine_url}/_aws/execute-api/{self.target.output('ApiId')}/$default/webhook"

    def client(self, service: str) -> Any:
        """The boto3 client of a service."""
        return self.target.client(service)

    def named(self, beginning: str, end: str = "") -> dict[str, str]:
        """Outputs such as QueueInboxUrl by what they name (Inbox)."""
        return {
            name[len(beginning) : len(name) - len(end)]: value
            for name, value in sorted(self.target.outputs.items())
            if name.startswith(beginning) and name.endswith(end)
        }


Look = Callable[[Visit], Iterator[Finding]]


def asked(check: str, look: Look, visit: Visit) -> Iterator[Finding]:
    """What a look finds; a finding of its own where AWS refuses to be asked or cannot be."""
    try:
        yield from look(visit)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in DENIED:
            how = f"ask an administrator for the right to {error.operation_name}"
        else:
            how = f"AWS answered {code} to {error.operation_name}: deploy the stack again, or ask later"
        yield mend(check, "could not be looked at", how)
    except UserError as error:
        yield mend(check, f"could not be looked at: {error}", "npx cdk deploy")
    except BotoCoreError as error:
        yield mend(
            check, f"could not be looked at: {error}", "set credentials and region (AWS_PROFILE, AWS_REGION)"
        )
