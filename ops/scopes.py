"""What a stop or a resume is of: the account, or one scenario, campaign or segment by its name."""

import difflib
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import click

from functions.domain.account import ACCOUNT_SCOPE
from functions.domain.playbook import Playbook
from functions.ports.errors import Retryable
from ops.errors import UserError
from ops.stores import Stores
from ops.versions import history

VERSIONS_READ_MAX = 20
_Command = TypeVar("_Command", bound=Callable[..., Any])


class Named(NamedTuple):
    """At most one of the three names is set; none: the whole account."""

    scenario: str = ""
    campaign: str = ""
    segment: str = ""

    @property
    def scope(self) -> str:
        """As blocks have it. UserError where more than one name is set."""
        given = [f"{kind}:{name}" for kind, name in self._asdict().items() if name]
        if len(given) > 1:
            raise UserError(
                "Name one of --scenario, --campaign and --segment, or none for the whole account."
            )
        return given[0] if given else ACCOUNT_SCOPE


def scope_options(command: _Command) -> _Command:
    """The options `--scenario`, `--campaign`, `--segment` and `--kind`."""
    for kind in ("segment", "campaign", "scenario"):
        command = click.option(f"--{kind}", metavar="NAME", default="", help=f"Only this {kind}.")(command)
    kinds = click.Choice(["promotion", "notification", "support"])
    return click.option("--kind", "kinds", type=kinds, multiple=True, help="Only messages of this kind.")(
        command
    )


def must_exist(stores: Stores, named: Named) -> None:
    """UserError where no playbook that was lately in force has such a name: the message may still be on its way."""
    for kind, name in named._asdict().items():
        known = _known(stores, f"{kind}s") if name else {name}
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known)) or 'none'}"
            raise UserError(f"There is no {kind} {name!r}; {hint}")


def _known(stores: Stores, part: str) -> set[str]:
    return {name for playbook in _playbooks(stores) for name in getattr(playbook, part)}


def _playbooks(stores: Stores) -> list[Playbook]:
    """The one in force, and those before it that its messages may still come from."""
    try:
        current = stores.playbooks.in_force()
    except Retryable:
        raise UserError("No playbook is in force; run 'musubi apply DIR' first.") from None
    versions = dict.fromkeys(entry.version for entry in history(stores.objects)[-VERSIONS_READ_MAX:])
    return [current.playbook, *(stores.playbooks.version(version).playbook for version in versions)]
