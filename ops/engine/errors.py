"""What can go wrong on one machine, in words for the person at the keyboard."""

from ops.errors import UserError


class LocalError(UserError):
    """The message is one clear line that says what to do; commands print it and exit with 2."""


class DeployError(LocalError):
    """The stack could not be made; the message names the resource that failed and why."""


class StalledError(LocalError):
    """The queues hold work that nobody finishes; the message says which and how much."""
