"""A new entry in the text of deployments.yaml: lines are put in, and nothing that stands there is touched."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml
from yaml import nodes

from ops.errors import UserError

HEADER: Final = "# LINE accounts and the environments they are deployed in; docs/operations.md says what each word means.\n"
STEP: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """What `musubi init` was told; an account or environment that the file has already keeps what it says."""

    environment: str
    account: str
    channel: str
    provider: str
    playbook: str
    aws_account: str | None
    region: str | None

    @property
    def name(self) -> str:
        """As people name it: prod/shop."""
        return f"{self.environment}/{self.account}"


def with_entry(text: str, new: NewAccount) -> str:
    """The file's text with the account, its environment and its deployment, where they lack.

    UserError where the deployment is there already, or where the file writes braces that no line fits into.
    """
    if not text.strip():
        return _put(HEADER + "accounts:\n  {}\n\nenvironments:\n  {}\n".format(*_first(new)), [], {})
    read = yaml.load(text, Loader=yaml.BaseLoader) or {}  # noqa: S506 — plain texts alone
    around = (read.get("environments") or {}).get(new.environment)
    if new.account in ((around or {}).get("accounts") or {}):
        raise UserError(f"{new.name} is in the file already, and stays as it is: musubi accounts")
    if new.account not in (read.get("accounts") or {}):
        text = _put(text, ["accounts"], {new.account: _account(new)})
    if around is None:
        return _put(text, ["environments"], {new.environment: _environment(new)})
    return _put(text, ["environments", new.environment, "accounts"], {new.account: _deployed(new)})


def _first(new: NewAccount) -> tuple[str, str]:
    both = ({new.account: _account(new)}, {new.environment: _environment(new)})
    return tuple("\n".join(_lines(one, STEP)).strip() for one in both)  # type: ignore[return-value]


def _account(new: NewAccount) -> str:
    return f"{{provider: {new.provider}, playbook: {new.playbook}}}"


def _environment(new: NewAccount) -> dict[str, Any]:
    where = {"aws_account": f'"{new.aws_account}"' if new.aws_account else None, "region": new.region}
    given = {name: value for name, value in where.items() if value}
    return {**given, "accounts": {new.account: _deployed(new)}}


def _deployed(new: NewAccount) -> str:
    return f'{{channel: "{new.channel}"}}'


def _lines(told: Mapping[str, Any], indent: int) -> list[str]:
    found = []
    for name, value in told.items():
        if isinstance(value, Mapping):
            found += [f"{' ' * indent}{name}:", *_lines(value, indent + STEP)]
        else:
            found.append(f"{' ' * indent}{name}: {value}")
    return found


def _put(text: str, path: list[str], told: Mapping[str, Any]) -> str:
    """The text with lines after the last one of the mapping at `path`, at its own indent."""
    if not told:
        return text
    node = yaml.compose(text, Loader=yaml.BaseLoader)
    for name in path:
        node = _value(node, name)
    if not isinstance(node, nodes.MappingNode) or node.flow_style or not node.value:
        entry = "\n".join(_lines(told, 0))
        raise UserError(
            f"Nothing can be put into {'.'.join(path)} as it is written; write it there yourself:\n{entry}"
        )
    lines = text.splitlines()
    at = _last_line(node) + 1
    return "\n".join([*lines[:at], *_lines(told, node.start_mark.column), *lines[at:]]) + "\n"


def _value(node: nodes.Node | None, name: str) -> nodes.Node | None:
    if isinstance(node, nodes.MappingNode):
        return next((value for key, value in node.value if key.value == name), None)
    return None


def _last_line(node: nodes.Node) -> int:
    """The line on which a node's own text ends; a block's end mark stands behind the comments that follow it."""
    if isinstance(node, nodes.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.line) - (node.end_mark.column == 0 and node.end_mark.line > node.start_mark.line)
