"""The accounts of a run: one, as ever, or several side by side on one engine, each with a stack and a LINE of its own."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from infra.deployments import EVERY, Deployments, DeploymentsError, read_deployments
from ops.engine.errors import LocalError
from ops.line_sandbox.settings import BOT_USER_ID, SANDBOX_LIFF_ID, SANDBOX_LOGIN_CHANNEL_ID
from ops.target import STACK_NAME

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
ACCOUNTS_MAX = 8
"""Each is a whole stack, and its workers share this machine's processors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalAccount:
    """One LINE account of a run. `number` tells its channels apart from the others'; the first account's are the sandbox's own."""

    name: str
    stack: str
    playbook: Path
    provider: str = "local"
    number: int = 0

    @property
    def login_channel_id(self) -> str:
        """Its LINE Login channel."""
        return str(int(SANDBOX_LOGIN_CHANNEL_ID) + self.number)

    @property
    def liff_id(self) -> str:
        """Its LIFF app, of the same channel."""
        return SANDBOX_LIFF_ID.replace(SANDBOX_LOGIN_CHANNEL_ID, self.login_channel_id)

    @property
    def bot_user_id(self) -> str:
        """The account itself, as webhooks name it."""
        return BOT_USER_ID if self.number == 0 else f"U{sha256(self.name.encode()).hexdigest()[:32]}"

    @property
    def suffix(self) -> str:
        """What its process, log and notes are told apart by; nothing for the one account."""
        return "" if self.stack == STACK_NAME else f"-{self.name}"


def the_one(playbook: Path) -> LocalAccount:
    """The account of a run that names none."""
    return LocalAccount(name="main", stack=STACK_NAME, playbook=playbook)


def accounts_named(text: str, playbook: Path) -> tuple[LocalAccount, ...]:
    """The accounts of `shop,salon`, or `all` of deployments.yaml, which also knows their playbooks and providers.

    LocalError for a name that is none, that is written twice, or where there are too many.
    """
    try:
        known = read_deployments() or Deployments({}, {}, ())
    except DeploymentsError as error:
        raise LocalError(str(error)) from None
    names = list(known.playbooks) if text == EVERY else [name.strip() for name in text.split(",")]
    _check(names)
    return tuple(
        LocalAccount(
            name=name,
            stack=f"{STACK_NAME}-local-{name}",
            playbook=known.playbooks.get(name, playbook),
            provider=known.providers.get(name, "local"),
            number=number,
        )
        for number, name in enumerate(names)
    )


def _check(names: Sequence[str]) -> None:
    if not names:
        raise LocalError("There is no deployments.yaml whose accounts could all be meant: name them.")
    for name in names:
        if not NAME.fullmatch(name) or len(name) > 24:  # noqa: PLR2004 — as deployments.yaml has it
            raise LocalError(f"{name!r} is no account: small letters and digits, hyphens between them.")
        if names.count(name) > 1:
            raise LocalError(f"The account {name!r} is named twice.")
    if len(names) > ACCOUNTS_MAX:
        raise LocalError(f"{len(names)} accounts are too many for one machine; at most {ACCOUNTS_MAX}.")
