"""Least privilege on the running engine: each role for people may run its commands and no other; no function may do what is
not its own.

The engine knows no condition on a row's key and none on the key's way: tests/infra/test_people.py evaluates those.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from functions.ports.messages import CampaignRun
from infra.rights import command_of
from infra.roles import COMMANDS, ROLES, roles_of
from ops.cli import main
from ops.target import STACK_NAME
from tests.e2e.roles import Probe, is_refused, probes_of, session_of_function, session_of_role, signed_in
from tests.e2e.shop import Shop
from tests.e2e.test_accounts import begun_early
from tests.ops.recorded import Recorder

pytestmark = pytest.mark.e2e

# Each command once, by the first role that may: what another role may is made of the same list.
LINES = """
measure --no-wait
alerts
approvals
apply playbooks/ec
versions
audit
backups create
backups list
backups restore latest --dry-run
stop --scenario second_purchase --why x
blocks
resume --scenario second_purchase
context set weather rain
context list
context remove weather
customer {customer}
dlq list
dlq replay --dry-run
dlq replay --cause nothing --yes
dlq replays
doctor
erase {customer}
explain {customer}
explain --all
export {customer} --output {folder}/export.json
import {folder}/history.csv
links list
links show {user}
links undo {shared} --why x --yes
links source create counter --out {folder}
links source list
links source close counter
plan playbooks/ec --days 1 --workers 1
quota
quota --recount
rejects list
rejects fix --name teleported --drop note --yes
rejects replay --yes
rejects discard --name teleported --why x --yes
report daily --out {folder}/report.html
sends --campaign weekly
sources
tag add {customer} vip
tag list {customer}
tag remove {customer} vip
unknown list
unknown resolve --all --reason x --as sent --why x --dry-run
"""
# Their rights are tried by moto's tests of the commands, or by nothing but the policy's own: they take long, or a state of
# the deployment that others of this file would meet.
NOT_HERE = {"approve", "context import", "links review", "models fit", "models show", "sources --accept"}
# Of these some rights are asked for only where something waits, is dead, was measured, or goes on for longer.
RARELY = {
    "alerts",
    "backups restore",
    "apply",
    "approvals",
    "dlq list",
    "dlq replay",
    "doctor",
    "erase",
    "links list",
    "links undo",
    "measure",
    "plan",
    "quota --recount",
    "rejects replay",
    "report",
    "resume",
    "sends",
    "unknown list",
    "unknown resolve",
}
# The list tells S3 that an object is not there; nobody calls for it.
UNTOLD = {"s3:ListBucket"}
SECRET = {"secretsmanager:GetSecretValue"}
# What a deployment has that was just begun, or is just sending.
UNREADY = ("Messages were reserved at", "Nothing was measured yet")


@pytest.fixture(scope="module")
def sessions(shop: Shop) -> dict[str, Any]:
    return {role: session_of_role(shop.stores.target, role) for role in ROLES}


@pytest.fixture(scope="module")
def told(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Somebody to whom much has happened."""
    folder = tmp_path_factory.mktemp("people")
    customer, user = shop.new_customer()
    other, shared = shop.new_customer()
    shop.link(customer, user)
    shop.link(other, shared)
    shop.post(shop.purchase(customer), shop.event(customer, "teleported", note="x"))
    begun = begun_early(shop, shop.clock.now)
    shop.stores.evaluation.again(CampaignRun(begun.campaign, begun.occurrence))
    shop.clock.settle()
    letter = {"customer_id": customer, "to": user}
    sqs, outputs = shop.stores.target.client("sqs"), shop.stores.target.outputs
    sqs.send_message(QueueUrl=outputs["DeadSendUrl"], MessageBody=json.dumps(letter))
    (folder / "history.csv").write_text(
        "event_id,customer_id,name,occurred_at,order_id,amount\n"
        f"h1,{customer},purchase,2026-01-01T00:00:00Z,order-of-old,100\n"
    )
    return {"customer": customer, "user": user, "shared": shared, "folder": str(folder)}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for what the engine alone has: how far the streams are read, and caches of a few seconds."""
    monkeypatch.setattr("ops.measuring.WaitingFacts.settle", lambda _self: None)
    monkeypatch.setattr("ops.stopping.HEEDED_AFTER_SECONDS", 0)


def run(shop: Shop, capsys: pytest.CaptureFixture[str], line: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    with pytest.raises(SystemExit) as ended:
        main([*line.split(), "--local", str(Path(shop.record["run_dir"]).parent / "local.json")])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_every_role_may_run_its_commands(
    shop: Shop, sessions: dict[str, Any], told: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    recorder, seen = Recorder(), set()
    for line in LINES.strip().splitlines():
        command = command_of(line.split())
        assert command is not None, line
        seen.add(command)
        with recorder.listening(), signed_in(sessions[roles_of(command)[0]]):
            code, out, err = run(shop, capsys, line.format(**told))
        if (
            command == "doctor"
        ):  # a dead letter lies about, and what the secrets hold is not told to an operator
            assert set(re.findall(r"the right to (\w+)", out)) == {"GetSecretValue"}
        else:
            assert code == 0 or any(why in err for why in UNREADY), (line, err)
    # What the secrets hold, doctor says only to those who may read them.
    beyond = [
        (command, right)
        for command, right in recorder.beyond()
        if command != "doctor" or right.action not in SECRET
    ]
    assert beyond == []
    idle = {
        command: {one for one in recorder.unasked(command) if one.action not in UNTOLD}
        for command in seen - RARELY
    }
    assert {command: rights for command, rights in idle.items() if rights} == {}
    assert seen == {command for role in ROLES for command in COMMANDS[role]} - NOT_HERE


FORBIDDEN = {
    "marketer": ("stop --why x", "customer {customer}", "explain {customer}", "export {customer}", "erase {customer}", "dlq list", "rejects list", "links undo {user} --why x --yes", "links source create mine", "audit"),
    "analyst": ("customer {customer}", "sends", "plan playbooks/ec", "apply playbooks/ec", "stop --why x", "audit", "dlq list", "context set weather rain", "tag add {customer} gold", "links list", "blocks"),
    "support": ("apply playbooks/ec", "erase {customer}", "stop --why x", "links source create mine", "audit", "unknown list", "dlq list", "sends", "tag add {customer} gold", "context set weather rain"),
    "operator": ("apply playbooks/ec", "backups create", "backups restore latest --dry-run", "erase {customer}", "export {customer}", "explain {customer}", "links source create mine", "links show {user}", "tag add {customer} gold", "context set weather rain"),
}  # fmt: skip


@pytest.mark.parametrize("role", FORBIDDEN)
def test_no_role_may_run_anothers_commands_and_is_told_whose_they_are(
    shop: Shop, sessions: dict[str, Any], told: dict[str, str], capsys: pytest.CaptureFixture[str], role: str
) -> None:
    for line in FORBIDDEN[role]:
        command = command_of(line.split())
        assert command is not None, line
        assert role not in roles_of(command)
        with signed_in(sessions[role]):
            code, _, err = run(shop, capsys, line.format(**told))
        assert code == 2, line
        (said,) = [one for one in err.splitlines() if one.startswith("musubi: ")]
        assert said.startswith("musubi: AWS refused "), (line, err)
        assert f": 'musubi {command}' is for the role {' or '.join(roles_of(command))} (" in said


NOBODYS = ("dynamodb put_item customers", "dynamodb delete_item gates", "s3 get_object erasures/open/x.json", "s3 put_object erasures/proofs/x.json", "s3 delete_object facts/v1/x", "sqs purge_queue inbox")  # fmt: skip
NOT_EVEN_THE_ADMINISTRATORS = ("iam create_user", "iam attach_user_policy", "iam put_role_policy", "dynamodb delete_table customers", "dynamodb update_item customers", "cloudformation delete_stack", "lambda update_function_code send", "sqs purge_queue inbox", "s3 delete_bucket", "s3 put_bucket_policy", "kms schedule_key_deletion", "secretsmanager delete_secret line")  # fmt: skip
NO_RIGHT = {
    "marketer": (*NOBODYS, *(f"secretsmanager get_secret_value {name}" for name in ("line", "ingest", "link", "erasure")), "dynamodb scan identities", "dynamodb scan gates", "sqs send_message send", "sqs receive_message dead/send", "s3 get_object rejected/x.json"),
    "analyst": (*NOBODYS, *(f"dynamodb {call} {table}" for call in ("scan", "query", "get_item") for table in ("customers", "events", "gates", "identities", "sends", "timers")), *(f"secretsmanager get_secret_value {name}" for name in ("line", "ingest", "link", "erasure")), "s3 get_object runs/x", "s3 list_objects_v2 runs/", "s3 put_object playbooks/x", "sqs send_message inbox"),
    "support": (*NOBODYS, *(f"secretsmanager get_secret_value {name}" for name in ("line", "ingest", "link")), "dynamodb update_item gates", "dynamodb scan events", "sqs send_message send", "s3 put_object playbooks/x", "s3 get_object facts/v1/x"),
    "operator": (*NOBODYS, *(f"secretsmanager get_secret_value {name}" for name in ("line", "ingest", "link", "erasure")), "secretsmanager list_secret_version_ids line", "dynamodb delete_item sends", "dynamodb scan events", "s3 put_object playbooks/x", "lambda invoke send"),
    "administrator": (),
}  # fmt: skip


@pytest.mark.parametrize("role", NO_RIGHT)
def test_no_role_may_ask_aws_itself_for_more(shop: Shop, sessions: dict[str, Any], role: str) -> None:
    target = shop.stores.target
    for asked in (*NO_RIGHT[role], *NOT_EVEN_THE_ADMINISTRATORS):
        assert is_refused(target, sessions[role], Probe(*asked.split())), (role, asked)


def test_every_role_finds_its_deployment_and_no_other(shop: Shop, sessions: dict[str, Any]) -> None:
    """As each command does where it is told a stack."""
    target = shop.stores.target
    for role, session in sessions.items():
        own, other = (
            Probe("cloudformation", "describe_stacks", name) for name in (STACK_NAME, f"{STACK_NAME}-2")
        )
        assert not is_refused(target, session, own), role
        assert is_refused(target, session, other), role


def test_analysts_ask_athena_in_the_workgroup_of_the_stack(shop: Shop, sessions: dict[str, Any]) -> None:
    target = shop.stores.target
    for role, refused in (("analyst", False), ("marketer", True)):
        assert is_refused(target, sessions[role], Probe("athena", "start_query_execution")) is refused
    assert is_refused(target, sessions["analyst"], Probe("athena", "start_query_execution", "primary"))


def test_administrators_rotate_secrets_and_read_logs(shop: Shop, sessions: dict[str, Any]) -> None:
    target = shop.stores.target
    for asked in ("secretsmanager get_secret_value line", "secretsmanager describe_secret link"):
        assert not is_refused(target, sessions["administrator"], Probe(*asked.split()))


MAY = {
    "click": "inbox link:secret",
    "decide": "get:identities put:identities update:identities query:identities delete:identities get:customers put:customers get:gates put:gates update:gates get:events put:events query:events put:timers send bulk erasure:secret line:secret link:secret read:playbooks",
    "evaluate": "scan:customers inbox send bulk evaluate read:playbooks read:runs write:runs",
    "facts": "read:playbooks",
    "ingest": "update:gates get:identities inbox ingest:secret erasure:secret read:playbooks",
    "insight": "get:gates line:secret",
    "link": "get:identities put:identities update:identities get:customers put:timers inbox line:secret ingest:secret link:secret read:playbooks",
    "load": "update:gates get:gates get:identities inbox load erasure:secret read:playbooks read:incoming",
    "measure": "measure read:playbooks read:facts write:facts",
    "redrive": "get:gates get:sends bulk bus evaluate inbox load measure send read:playbooks",
    "send": "get:gates update:gates get:sends put:timers send bulk line:secret link:secret read:playbooks read:runs",
    "tick": "query:timers get:gates inbox send bulk read:playbooks",
    "webhook": "inbox line:secret",
}  # fmt: skip
"""Function → all that it may, of what is probed. `link` as a queue does not exist, so secrets say what they are."""


@pytest.fixture(scope="module")
def functions(shop: Shop) -> dict[str, Any]:
    return {function: session_of_function(shop.stores.target, function) for function in MAY}


@pytest.mark.parametrize("function", sorted(MAY))
def test_no_function_may_do_what_is_not_its_own(shop: Shop, functions: dict[str, Any], function: str) -> None:
    """Every table, queue, secret and a few prefixes, in every way that anybody uses them: all but its own is refused."""
    target, session = shop.stores.target, functions[function]
    may, probes = set(MAY[function].split()), probes_of()
    assert may <= probes.keys()
    let_in = [
        name for name, probe in probes.items() if name not in may and not is_refused(target, session, probe)
    ]
    assert let_in == []


def test_the_probes_find_what_is_allowed(shop: Shop, functions: dict[str, Any]) -> None:
    """Else the test above would find everything refused, whatever the policies say."""
    target, session = shop.stores.target, functions["tick"]
    probes = probes_of()
    assert [
        name
        for name in ("query:timers", "get:gates", "read:playbooks")
        if is_refused(target, session, probes[name])
    ] == []


def test_every_function_of_the_deployment_is_probed(shop: Shop) -> None:
    names = {
        name.removeprefix("Function").lower()
        for name in shop.stores.target.outputs
        if name.startswith("Function")
    }
    assert names == set(MAY)
