"""A server that behaves as LINE's Messaging API, Login and LIFF do, for demos, tests and the simulator."""

from ops.line_sandbox.client import SandboxClient, SandboxError
from ops.line_sandbox.faults import FaultRule
from ops.line_sandbox.friends import Friend
from ops.line_sandbox.sandbox import SANDBOX_ACCESS_TOKEN, SANDBOX_CHANNEL_SECRET, LineSandbox
from ops.line_sandbox.settings import Settings

__all__ = [
    "SANDBOX_ACCESS_TOKEN",
    "SANDBOX_CHANNEL_SECRET",
    "FaultRule",
    "Friend",
    "LineSandbox",
    "SandboxClient",
    "SandboxError",
    "Settings",
]
