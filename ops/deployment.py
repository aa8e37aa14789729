"""The options by which a command is told which deployment it works on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

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
    return stack(state(command))


def target_of(stack: str | None, state: Path) -> Target:
    """The deployment that these options mean. LocalError where there is none."""
    return aws_target(stack) if stack else local_target(state)
