"""deployments.yaml: which LINE accounts there are, and in which environments each is deployed; one stack for each.

Imports no CDK: the `musubi` command reads the same file to find a stack by environment and account.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from yaml import nodes

from infra.bundle import ROOT

DEPLOYMENTS = ROOT / "deployments.yaml"
# All that a function is configured by stands in its version's description, of 256 characters (infra/release.py).
LINK_URL_MAX = 80
EVERY = "all"
"""Names every account where accounts are listed, so that none may bear it."""

Where = tuple[str | int, ...]
# No hyphen in an environment: `Musubi-a-b` says without doubt which account of which environment it is.
Environment = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{0,15}$")]
Account = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=24)]
Stack = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")]
_MEANT = {
    "Environment": "up to 16 small letters and digits, beginning with a letter: dev, staging, prod",
    "Account": "up to 24 small letters and digits, hyphens between them: shop, salon-ginza",
}


class DeploymentsError(Exception):
    """The file cannot be used; one line for each fault, as `file:line: what, and how to mend it`."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Parameters(_Model):
    """What may differ from account to account; infra/parameters.py says what each is, and within which bounds."""

    link_url: (
        Annotated[str, StringConstraints(pattern=r"^https://[!-~]+[^/]$", max_length=LINK_URL_MAX)] | None
    ) = None
    line_push_per_second: Annotated[int, Field(ge=1, le=100_000)] | None = None
    line_multicast_per_second: Annotated[int, Field(ge=1, le=10_000)] | None = None
    send_concurrency: Annotated[int, Field(ge=2, le=1_000)] | None = None
    bulk_concurrency: Annotated[int, Field(ge=2, le=1_000)] | None = None
    timer_shards: Annotated[int, Field(ge=1, le=256)] | None = None
    live_bus: Literal["on", "off"] | None = None
    gradual_release: Literal["on", "off"] | None = None


SETTABLE = {name: "".join(part.capitalize() for part in name.split("_")) for name in _Parameters.model_fields}
"""The file's names of parameters, and the template's."""


class _Account(_Model):
    provider: Account
    playbook: Annotated[str, StringConstraints(min_length=1)]


Dollars = Annotated[int, Field(ge=1, le=1_000_000)]


class _Deployed(_Parameters):
    channel: Annotated[str, StringConstraints(pattern=r"^[0-9]{6,20}$")]
    stack: Stack | None = None
    budget_usd: Dollars | None = None
    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = None


class _Environment(_Model):
    aws_account: Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")] | None = None
    region: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")] | None = None
    company_bus: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._/-]{1,256}$")] | None = None
    budget_usd: Dollars | None = None
    parameters: _Parameters = _Parameters()
    accounts: Annotated[dict[Account, _Deployed], Field(min_length=1)]


class _File(_Model):
    accounts: Annotated[dict[Account, _Account], Field(min_length=1)]
    environments: Annotated[dict[Environment, _Environment], Field(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One LINE account in one environment: one stack.

    `account_id` goes into every send id, so that it never changes once messages were sent. `parameters`: all that this
    file decides of the template's, by the template's names; None where the template's default holds. `budget_usd`: a
    month's, None where nobody is to be told.
    """

    environment: str
    account: str
    provider: str
    channel: str
    playbook: Path
    aws_account: str | None
    region: str | None
    company_bus: str | None
    stack: str
    account_id: str
    parameters: Mapping[str, str | None]
    budget_usd: int | None = None

    @property
    def name(self) -> str:
        """As people name it: prod/shop."""
        return f"{self.environment}/{self.account}"


@dataclass(frozen=True, slots=True)
class Deployments:
    """Everything in the file."""

    playbooks: Mapping[str, Path]
    providers: Mapping[str, str]
    every: tuple[Deployment, ...]

    def named(self, name: str) -> Deployment:
        """The deployment `prod/shop`. DeploymentsError where there is none."""
        for one in self.every:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self.every)
        raise DeploymentsError(f"deployments.yaml deploys no {name}; it deploys {known}.")


def read_deployments(path: Path = DEPLOYMENTS) -> Deployments | None:
    """The file, checked; None where there is none, and the one stack `Musubi` is all. DeploymentsError otherwise."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise DeploymentsError(f"{path.name}:1: cannot be read: {error}") from None
    reading = _Reading(path)
    read = reading.file(text)
    found = _deployments(read, path)
    reading.stop_at([*_faults_of(read, found, path)])
    return found


class _Reading:
    """One file as plain text values, and the line of each: no octals, no dates, no `on` that turns into true."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._lines: dict[Where, int] = {}
        self._faults: list[tuple[Where, str]] = []

    def file(self, text: str) -> _File:
        try:
            root = yaml.compose(text, Loader=yaml.BaseLoader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise DeploymentsError(f"{self._name}:{line}: this is no YAML: {error.problem}") from None
        data = self._value(root, ()) if root else {}
        self.stop_at(self._faults)
        try:
            return _File.model_validate(data)
        except ValidationError as error:
            self.stop_at([_told(one) for one in error.errors()])
            raise

    def stop_at(self, faults: list[tuple[Where, str]]) -> None:
        """DeploymentsError with all of them, in the order of their lines; nothing where there are none."""
        if faults:
            lines = sorted((self._line(where), told) for where, told in faults)
            raise DeploymentsError("\n".join(f"{self._name}:{line}: {told}" for line, told in lines))

    def _line(self, where: Where) -> int:
        while where and where not in self._lines:
            where = where[:-1]
        return self._lines.get(where, 1)

    def _value(self, node: nodes.Node, where: Where) -> Any:
        self._lines.setdefault(where, node.start_mark.line + 1)
        if isinstance(node, nodes.SequenceNode):
            return [self._value(one, (*where, number)) for number, one in enumerate(node.value)]
        if not isinstance(node, nodes.MappingNode):
            return node.value
        data: dict[str, Any] = {}
        for key, value in node.value:
            place = (*where, str(key.value))
            if key.value in data:
                again = (*where, f"{key.value} again")
                self._lines[again] = key.start_mark.line + 1
                told = f"{key.value!r} is written twice, first on line {self._line(place)}; take one out"
                self._faults.append((again, told))
                continue
            self._lines[place] = key.start_mark.line + 1
            data[str(key.value)] = self._value(value, place)
        return data


def _told(error: Any) -> tuple[Where, str]:
    """A fault of pydantic's in our words: what stands there, and what should."""
    where: Where = tuple(part for part in error["loc"] if part != "[key]")
    name = where[-1] if where else "the file"
    match error["type"]:
        case "model_type" | "dict_type" | "model_attributes_type":
            return (
                where,
                f"{name!r} is {error['input']!r}; names with values belong here, as in deployments.example.yaml",
            )
        case "extra_forbidden":
            return where, f"{name!r} is no word of this file here; docs/operations.md lists them"
        case "missing":
            return where[:-1], f"{name!r} is missing"
        case "string_pattern_mismatch" | "string_too_long":
            return where, f"{name!r} is {error['input']!r}; {_wanted(where, is_key='[key]' in error['loc'])}"
        case _:
            return where, f"{name!r} is {error['input']!r}: {error['msg']}"


_WANTED = {
    "aws_account": "it takes the twelve digits of an AWS account",
    "region": "it takes a region such as ap-northeast-1",
    "channel": "it takes the channel id of LINE's console, digits alone",
    "link_url": "it takes an address such as https://id.shop.example, without a slash at its end",
    "company_bus": "it takes the name of an EventBridge bus of the same AWS account and region",
    "stack": "it takes the name of a stack: letters, digits and hyphens",
    "id": "it takes letters, digits, dots, hyphens and underlines",
    "provider": f"it takes {_MEANT['Account']}",
}


def _wanted(where: Where, *, is_key: bool) -> str:
    if is_key:
        return f"a name takes {_MEANT['Environment' if where[:-1] == ('environments',) else 'Account']}"
    return _WANTED.get(str(where[-1]), "write it otherwise")


def _deployments(read: _File, path: Path) -> Deployments:
    playbooks = {name: path.parent / one.playbook for name, one in read.accounts.items()}
    every = tuple(
        _deployment(read, environment, account, playbooks)
        for environment, one in read.environments.items()
        for account in one.accounts
        if account in read.accounts
    )
    return Deployments(playbooks, {name: one.provider for name, one in read.accounts.items()}, every)


def _deployment(read: _File, environment: str, account: str, playbooks: Mapping[str, Path]) -> Deployment:
    around = read.environments[environment]
    here = around.accounts[account]
    account_id = here.id or f"{environment}-{account}"
    given = {name: _first_given(name, here, around.parameters) for name in SETTABLE}
    return Deployment(
        environment=environment,
        account=account,
        provider=read.accounts[account].provider,
        channel=here.channel,
        playbook=playbooks[account],
        aws_account=around.aws_account,
        region=around.region,
        company_bus=around.company_bus,
        stack=here.stack or f"Musubi-{environment}-{account}",
        account_id=account_id,
        parameters={SETTABLE[name]: value for name, value in given.items()} | {"Account": account_id},
        budget_usd=around.budget_usd if here.budget_usd is None else here.budget_usd,
    )


def _first_given(name: str, *places: _Parameters) -> str | None:
    found = (getattr(place, name) for place in places)
    return next((str(value) for value in found if value is not None), None)


def _faults_of(read: _File, found: Deployments, path: Path) -> Iterator[tuple[Where, str]]:
    """What no value says of itself."""
    for account, playbook in found.playbooks.items():
        if account == EVERY:
            yield ("accounts", account), f"{EVERY!r} stands for every account; choose another name"
        if not (playbook / "playbook.yaml").is_file():
            shown = read.accounts[account].playbook
            yield (
                ("accounts", account, "playbook"),
                f"there is no playbook.yaml in {shown!r} beside {path.name}",
            )
    for environment, one in read.environments.items():
        for account in one.accounts.keys() - read.accounts.keys():
            known = ", ".join(read.accounts)
            yield (
                ("environments", environment, "accounts", account),
                f"'accounts' has no {account!r}; it has {known}",
            )
    for field, why in (
        ("channel", "both would answer the same people; a channel belongs to one deployment"),
        ("stack", "one would replace the other"),
        ("account_id", "their messages would bear the same ids"),
    ):
        yield from _twice(found, field, why)


def _twice(found: Deployments, field: str, why: str) -> Iterator[tuple[Where, str]]:
    first: dict[str, Deployment] = {}
    for one in found.every:
        value = getattr(one, field)
        before = first.setdefault(value, one)
        if before is not one:
            key = "id" if field == "account_id" else field
            place = ("environments", one.environment, "accounts", one.account, key)
            yield place, f"{key} {value!r} is that of {before.name} as well: {why}"
