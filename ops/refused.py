"""What a person is told when AWS refuses a call: which command it was, and whose it is."""

from collections.abc import Sequence

from botocore.exceptions import ClientError

from infra.rights import command_of
from infra.roles import roles_of

_CODES = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "403"}
WHERE = "docs/operations.md, Who may do what"


def refusal_of(error: BaseException | None, words: Sequence[str]) -> str | None:
    """One line where AWS refused what the command line `words` needs; None where something else went wrong."""
    while error is not None:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] in _CODES:
            return _told(error.operation_name, command_of(list(words)))
        error = error.__cause__
    return None


def _told(call: str, command: str | None) -> str:
    if command is None:
        return f"AWS refused {call} ({WHERE})."
    whose = " or ".join(roles_of(command))
    return f"AWS refused {call}: 'musubi {command}' is for the role {whose} ({WHERE})."
