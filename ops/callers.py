"""Who is at the keyboard: the name under which a stop, a resume or an approval is kept."""

import getpass
import os

from botocore.exceptions import BotoCoreError, ClientError

from ops.errors import UserError
from ops.target import Target


def caller_of(target: Target, name: str | None = None) -> str:
    """On AWS the ARN of the caller's credentials, which nobody can choose; on this machine the user's name, or `name`."""
    if target.engine_url is not None:
        return name or _user()
    if name is not None:
        raise UserError("On AWS nobody chooses a name: leave --as out, and use your own credentials.")
    try:
        return str(target.client("sts").get_caller_identity()["Arn"])
    except (BotoCoreError, ClientError) as error:
        raise UserError(f"AWS does not say who you are: {error}") from None


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return f"user {os.getuid()}"
