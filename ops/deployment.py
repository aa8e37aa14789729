"""The options by which a command is told which deployment it works on."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from infra.deployments import DEPLOYMENTS, DeploymentsError, read_deployments
from ops.errors import UserError
from ops.target import Target, aws_target, local_target

STATE = Path("build/local.json")
FORMAT = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
_Command = TypeVar("_Command", bound=Callable[..., Any])


def deployment_options(command: _Command) -> _Command:
    """The options that say which deployment is meant: `stack` and `state`."""
    stack = click.option("--stack", metavar="NAME", help="A stack on AWS, under your own credentials.")
    state = click.option(
        "--local", "state", type=click.Path(path_type=Path), default=STATE, show_default=True,
        help="The local deployment's state file; used where no --stack is given.",
    )  # fmt: skip
    return stack(state(account_option(command)))


def account_option(command: _Command) -> _Command:
    """`--account`, which names a stack or a state file: the command sees but `stack` and `state`."""

    @functools.wraps(command)
    def told(*arguments: Any, account: str | None, stack: str | None, state: Path, **named: Any) -> Any:
        if account is not None:
            stack, state = chosen(account, stack, state)
        return command(*arguments, stack=stack, state=state, **named)

    option = click.option(
        "--account",
        metavar="NAME",
        help="One of several accounts: prod/shop of deployments.yaml on AWS, or shop of the local ones.",
    )
    return option(told)  # type: ignore[return-value]


def chosen(account: str, stack: str | None, state: Path, file: Path = DEPLOYMENTS) -> tuple[str | None, Path]:
    """The stack, or the state file, of an account. UserError where there is none, or two are named."""
    if stack is not None:
        raise UserError("Say --account or --stack; both name a deployment.")
    if "/" in account:
        return _stack_named(account, file), state
    try:
        accounts = json.loads(state.read_text(encoding="utf-8")).get("accounts", {})
    except FileNotFoundError:
        raise UserError(
            "Nothing is up on this machine; an account on AWS is named as in prod/shop."
        ) from None
    if account not in accounts:
        known = ", ".join(accounts) or "one account alone; leave --account out"
        raise UserError(f"No account {account!r} is up on this machine: it has {known}.")
    return None, Path(accounts[account]["state"])


def _stack_named(name: str, file: Path) -> str:
    try:
        found = read_deployments(file)
        if found is None:
            raise UserError(f"There is no {file.name}; name the stack by --stack.")
        return found.named(name).stack
    except DeploymentsError as error:
        raise UserError(str(error)) from None


def region_of(stack: str, file: Path = DEPLOYMENTS) -> str | None:
    """Where deployments.yaml puts a stack; None where it does not say: wherever the caller's settings point."""
    try:
        found = read_deployments(file)
    except DeploymentsError as error:
        raise UserError(str(error)) from None
    return next((one.region for one in found.every if one.stack == stack), None) if found else None


def target_of(stack: str | None, state: Path) -> Target:
    """The deployment that these options mean. LocalError where there is none."""
    return aws_target(stack, region_of(stack)) if stack else local_target(state)
