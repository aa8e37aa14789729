"""Who is at the keyboard: the name under which a stop, a resume or an approval is kept."""

import getpass

from botocore.exceptions import BotoCoreError, ClientError

from ops.errors import UserError
from ops.target import Target


def caller_of(target: Target) -> str:
    """On AWS the ARN of the caller's credentials, which nobody can choose; on this machine the user's name."""
    if target.engine_url is not None:
        return getpass.getuser()
    try:
        return str(target.client("sts").get_caller_identity()["Arn"])
    except (BotoCoreError, ClientError) as error:
        raise UserError(f"AWS does not say who you are: {error}") from None
