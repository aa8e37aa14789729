"""Bringing a run up: engine, sandbox, deployment, playbook; all of it or nothing."""

import datetime as dt
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.bundle import ROOT
from ops.engine.clients import Clients
from ops.engine.deploy import deploy
from ops.engine.errors import LocalError
from ops.engine.processes import free_port, require_port_free
from ops.engine.server import REGION, Engine, start_engine, wait_until_healthy
from ops.engine.synth import local_assembly
from ops.line_sandbox import SandboxClient
from ops.local.accounts import LocalAccount, the_one
from ops.local.down import bring_down, is_up
from ops.local.instants import text_of
from ops.local.place import Place, replace_text
from ops.local.sandbox import Credentials, start_sandbox, wait_for_url
from ops.target import Target

PLAYBOOK = ROOT / "playbooks" / "ec"
SHORT_WAITS = {
    "WorkerTimeoutSeconds": "10",
    "QueueVisibilitySeconds": "12",
    "EvaluateTimeoutSeconds": "10",
    "EvaluateVisibilitySeconds": "12",
    "MeasureTimeoutSeconds": "30",
    "MeasureVisibilitySeconds": "32",
}
"""A worker that was killed gives its batch back after twelve seconds instead of three minutes."""

Say = Callable[[str], None]
AfterDeploy = Callable[[Target, Path], None]


def unsaid(_text: str) -> None:
    """Progress that nobody watches."""


def nothing_more(_target: Target, _playbook: Path) -> None:
    """A deployment without a playbook."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a run shall be.

    `line_api`: where to send instead of to a sandbox of ours. `at`: the virtual instant to start from; now
    where None. `port`: the engine's; a free one where None. `functions`: the package to bundle.
    `line_push_per_second`: what all send workers of an account together may push. `live_bus`: whether
    what happens is told on a bus, too. `short_waits`: whether a worker has seconds for a batch, so that one that was killed
    gives its batch back soon; else it has what AWS gives. `gather_seconds`: how long the engine gathers what streams tell
    before it calls a function; AWS does so for two minutes (infra/facts.py). `accounts`: several side by side; the
    one account where there are none. `assembly`: a synthesized app instead of this checkout's.
    """

    place: Place = field(default_factory=Place)
    line_api: str | None = None
    at: dt.datetime | None = None
    port: int | None = None
    playbook: Path = PLAYBOOK
    functions: Path = ROOT / "functions"
    accept_any_user: bool = True
    auth: bool = True
    send_concurrency: int = 2
    bulk_concurrency: int = 2
    line_push_per_second: int = 2_000
    live_bus: bool = False
    short_waits: bool = True
    gather_seconds: float = 0.0
    accounts: tuple[LocalAccount, ...] = ()
    assembly: Path | None = None

    @property
    def every(self) -> tuple[LocalAccount, ...]:
        """The accounts that shall stand."""
        return self.accounts or (the_one(self.playbook),)


def bring_up(wishes: Wishes, after_deploy: AfterDeploy = nothing_more, say: Say = unsaid) -> Target:
    """Start everything, deploy, then hand each target and its playbook's directory to `after_deploy`; the first target.

    LocalError, with nothing left behind, where any of it fails or a run is up already.
    """
    place = wishes.place
    if is_up(place):
        raise LocalError("A local Musubi is up already: use it, or stop it with `musubi local down`.")
    if wishes.port is not None:
        require_port_free(wishes.port)
    say("Synthesizing the stack")
    assembly = wishes.assembly or local_assembly(wishes.functions)
    bring_down(place)
    place.make()
    try:
        targets = _start(wishes, assembly, say)
        for account, target in zip(wishes.every, targets, strict=True):
            say(f"Applying {account.playbook}")
            after_deploy(target, account.playbook)
    except BaseException:
        bring_down(place)
        raise
    return targets[0]


def _start(wishes: Wishes, assembly: Path, say: Say) -> list[Target]:
    place = wishes.place
    replace_text(place.clock_file, text_of(wishes.at or dt.datetime.now(dt.UTC).replace(microsecond=0)))
    say("Starting the embedded engine and LINE")
    engine = start_engine(
        place.run_dir, wishes.port or free_port(), auth=wishes.auth, gather_seconds=wishes.gather_seconds
    )
    place.remember_group("engine", engine.pid)
    lines = _start_lines(wishes)
    wait_until_healthy(engine)
    clients = Clients(engine.url, REGION)
    targets, records = [], {}
    for line in lines:
        say(f"Deploying {line.account.stack}")
        given = local_parameters(wishes, line.url, engine.url, line.account.name)
        deployed = deploy(clients, assembly, given, line.account.stack)
        targets.append(Target(deployed.outputs, deployed.parameters, clients))
        records[line.account.name] = _record(wishes, engine, targets[-1], line) | _line_record(line)
        if line.pid is not None:
            _configure_sandbox(wishes, line.account, records[line.account.name])
    if wishes.accounts:
        place.write_records(records)
    else:
        place.write_record(next(iter(records.values())))
    return targets


@dataclass(frozen=True, slots=True)
class _Line:
    """LINE, as one account meets it: a sandbox of its own, or (`pid` None) whatever answers elsewhere."""

    account: LocalAccount
    credentials: Credentials
    url: str
    pid: int | None


def _start_lines(wishes: Wishes) -> list[_Line]:
    place, started = wishes.place, []
    for account in wishes.every:
        credentials = Credentials(secrets.token_hex(16), secrets.token_urlsafe(48), secrets.token_hex(16))
        pid = None
        if wishes.line_api is None:
            pid = start_sandbox(place, credentials, account.suffix)
            place.remember_group(f"sandbox{account.suffix}", pid)
        started.append((account, credentials, pid))
    return [
        _Line(account, credentials, _url_of(wishes, account, pid), pid)
        for account, credentials, pid in started
    ]


def _url_of(wishes: Wishes, account: LocalAccount, pid: int | None) -> str:
    if pid is None:
        return str(wishes.line_api)
    return wait_for_url(wishes.place, pid, account.suffix)


def local_parameters(
    wishes: Wishes, line_url: str, engine_url: str = "", account: str = "main"
) -> Mapping[str, str]:
    """The one template's parameters on one machine.

    The local clock fires schedules and timers, so nothing waits in a queue for real seconds.
    """
    return {
        "Account": account,
        "LineApiUrl": line_url,
        "LineLoginUrl": line_url,
        "LineAccessUrl": line_url,
        "LineFriendUrl": f"{line_url}/R/ti/p",
        "LiffUrl": line_url,
        "LiffSdkUrl": f"{line_url}/liff/edge/2/sdk.js",
        # The API has no id yet: the function fills it in.
        "LinkUrl": _door(engine_url, "{api}"),
        "ClockFile": str(wishes.place.clock_file),
        "SchedulesState": "DISABLED",
        "EnforceTls": "false",
        "GradualRelease": "off",  # the engine knows no CodeDeploy
        "LiveBus": "on" if wishes.live_bus else "off",
        "HoldInQueueSecondsMax": "0",
        "TimerShards": "1",
        "SendConcurrency": str(wishes.send_concurrency),
        "BulkConcurrency": str(wishes.bulk_concurrency),
        "LinePushPerSecond": str(wishes.line_push_per_second),
        **(SHORT_WAITS if wishes.short_waits else {}),
    }


def _door(engine_url: str, api_id: str) -> str:
    """Where the engine answers for the default stage of an HTTP API."""
    return f"{engine_url}/_aws/execute-api/{api_id}/$default"


def _record(wishes: Wishes, engine: Engine, target: Target, line: _Line) -> dict[str, Any]:
    """The record's contents, the secrets put into the deployment on the way."""
    door = _door(engine.url, target.output("ApiId"))
    account, credentials = line.account, line.credentials
    return {
        "engine_url": engine.url,
        "webhook_url": f"{door}/webhook",
        "ingest_url": f"{door}/events",
        "click_url": f"{door}/c",
        "link_url": f"{door}/link",
        "links_url": f"{door}/links",
        "link_callback_url": f"{door}/link/callback",
        "liff_endpoint_url": f"{door}/link/liff",
        "channel_secret": credentials.channel_secret,
        "login_channel_id": account.login_channel_id,
        "login_channel_secret": credentials.login_channel_secret,
        "liff_id": account.liff_id,
        "ingest_key": _put_secrets(target, account, credentials),
        "account": account.name,
        "clock": wishes.place.clock_file.read_text(encoding="ascii"),
        "engine_pid": engine.pid,
        "access_token": credentials.access_token,
        "clock_file": str(wishes.place.clock_file),
        "run_dir": str(wishes.place.run_dir),
        "playbook": str(account.playbook),
        "stack_outputs": dict(target.outputs),
        "stack_parameters": dict(target.parameters),
        "sandbox_pid": line.pid,
    }


def _line_record(line: _Line) -> dict[str, Any]:
    """Where LINE's hosts are: one stands for api.line.me, access.line.me, liff.line.me and the script's."""
    line_url = line.url
    return {
        "line_url": line_url,
        "line_login_url": line_url,
        "line_access_url": line_url,
        "liff_url": f"{line_url}/{line.account.liff_id}",
        "liff_sdk_url": f"{line_url}/liff/edge/2/sdk.js",
    }


def _put_secrets(target: Target, account: LocalAccount, credentials: Credentials) -> str:
    """Tell the functions how to speak to LINE and what a CRM must show; the latter's key.

    The engine generates secrets with any sign in them, whatever the template asks for: one that stands in a
    header is better made here.
    """
    manager = target.client("secretsmanager")
    line = {
        "channel_secret": credentials.channel_secret,
        "channel_access_token": credentials.access_token,
        "login_channel_id": account.login_channel_id,
        "login_channel_secret": credentials.login_channel_secret,
        "liff_id": account.liff_id,
    }
    manager.put_secret_value(SecretId=target.output("SecretLine"), SecretString=json.dumps(line))
    keys = {"keys": [secrets.token_urlsafe(32)]}
    manager.put_secret_value(SecretId=target.output("SecretLink"), SecretString=json.dumps(keys))
    ingest_key = secrets.token_urlsafe(32)
    manager.put_secret_value(
        SecretId=target.output("SecretIngest"), SecretString=json.dumps({"ingest_key": ingest_key})
    )
    return ingest_key


def _configure_sandbox(wishes: Wishes, account: LocalAccount, record: Mapping[str, Any]) -> None:
    """Where several providers are up, each knows its own users alone, and refuses any other id, as LINE does."""
    one_provider = len({one.provider for one in wishes.every}) == 1
    with SandboxClient(record["line_url"]) as sandbox:
        sandbox.configure(
            webhook_url=record["webhook_url"],
            accept_any_user=wishes.accept_any_user and one_provider,
            destination=account.bot_user_id,
            login_channel_id=account.login_channel_id,
            liff_id=account.liff_id,
            login_channel_secret=record["login_channel_secret"],
            login_redirect_uris=[record["link_callback_url"]],
            liff_endpoint_url=record["liff_endpoint_url"],
        )
