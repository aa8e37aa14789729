"""Each check of a deployment where it is well, and where it is not."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops.doctor import command, machine
from ops.doctor.visit import Visit, asked
from ops.engine.deploy import BOOTSTRAP_PARAMETER
from tests.fakes.playbooks import playbook
from tests.ops.doctor.clinic import SECRETS, TOKEN, Clinic, clinic, table
from tests.ops.stopped import run

BOOK = playbook(caps=[])
Break = Callable[[Clinic], Any]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clinic]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with clinic(BOOK) as found:
        yield found


def test_where_all_is_well_every_check_says_so(made: Clinic) -> None:
    assert [(one.check, one.status) for one in made.found()] == [(check, "ok") for check in command.LOOKS]


def put(secret: str, **changes: Any) -> Break:
    return lambda made: made.put_secret(secret, SECRETS[secret] | changes)


def without_stream(made: Clinic) -> None:
    made.client("dynamodb").delete_table(TableName="Sends")
    table(made, "Sends", streamed=False)


def dead(made: Clinic) -> None:
    made.client("sqs").send_message(QueueUrl=made.target.output("DeadSendUrl"), MessageBody="{}")


def subscribe_nobody(made: Clinic) -> None:
    sns = made.client("sns")
    for one in sns.list_subscriptions()["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])


def ring(made: Clinic) -> None:
    made.client("cloudwatch").set_alarm_state(AlarmName="InboxDead", StateValue="ALARM", StateReason="test")


def no_bootstrap(made: Clinic) -> None:
    made.client("ssm").delete_parameter(Name=BOOTSTRAP_PARAMETER)


def old_bootstrap(made: Clinic) -> None:
    made.client("ssm").put_parameter(Name=BOOTSTRAP_PARAMETER, Value="5", Type="String", Overwrite=True)


def no_playbook(made: Clinic) -> None:
    s3 = made.client("s3")
    for one in s3.list_objects_v2(Bucket="the-bucket")["Contents"]:
        s3.delete_object(Bucket="the-bucket", Key=one["Key"])


BREAKS: list[tuple[str, str, Break]] = [
    ("credentials", "the deployment is of 111122223333", lambda made: setattr(made, "aws_account", "111122223333")),
    ("bootstrap", "has not been bootstrapped", no_bootstrap),
    ("bootstrap", "version 5; 6 is needed", old_bootstrap),
    ("stack", "ROLLBACK_FAILED", lambda made: setattr(made.formation, "status", "UPDATE_ROLLBACK_FAILED")),
    ("resources", "TableGates is gone", lambda made: made.client("dynamodb").delete_table(TableName="Gates")),
    ("resources", "FunctionDecide is FAILED", lambda made: made.functions.states.update(decide="Failed")),
    ("streams", "no stream on Sends", without_stream),
    ("streams", "facts does not read of-facts (Disabled)", lambda made: made.functions.mappings.update(facts="Disabled")),
    ("dead letters", "1 in send", dead),
    ("alarms", "InboxDead", ring),
    ("subscribers", "nobody hears the alarms", subscribe_nobody),
    ("secrets", "channel_secret is none of LINE's", put("SecretLine", channel_secret="generated, not LINE's")),
    ("secrets", "ingest_key needs keys of 32", put("SecretIngest", ingest_key="short")),
    ("secrets", "keys holds 3 keys", put("SecretLink", keys=["a" * 40, "b" * 40, "c" * 40])),
    ("secrets", "the same key twice", put("SecretLink", keys=["a" * 40, "a" * 40])),
    ("secrets", "erasure_key needs keys", lambda made: made.put_secret("SecretErasure", "no JSON at all")),
    ("webhook", "LINE has no webhook address", lambda made: made.tell_line(webhook_url="")),
    ("webhook", "LINE posts to https://old.example/hook", lambda made: made.tell_line(webhook_url="https://old.example/hook")),
    ("webhook", "switched off at LINE", lambda made: made.tell_line(webhook_active=False)),
    ("quota", "0 of 0 messages are used", lambda made: made.tell_line(monthly_limit=0)),
    ("playbook", "no playbook is in force", no_playbook),
]  # fmt: skip


@pytest.mark.parametrize(("check", "told", "break_it"), BREAKS, ids=[f"{c}: {t}" for c, t, _ in BREAKS])
def test_what_is_broken_is_found_and_nothing_else_is(
    made: Clinic, check: str, told: str, break_it: Break
) -> None:
    break_it(made)
    broken = made.broken()
    assert list(broken) == [check]
    assert told in broken[check]


def test_another_stacks_alarm_is_not_ours(made: Clinic) -> None:
    made.client("cloudwatch").set_alarm_state(
        AlarmName="of-another-stack", StateValue="ALARM", StateReason="test"
    )
    assert made.broken() == {}


def test_an_older_stack_is_told_by_what_it_lacks(made: Clinic) -> None:
    del made.target.parameters["LiffUrl"]  # type: ignore[attr-defined]
    broken = made.broken()
    assert list(broken) == ["stack", "playbook"]
    assert all("has no parameter LiffUrl: deploy this version first" in one for one in broken.values())


def test_every_check_has_a_break() -> None:
    assert {check for check, *_ in BREAKS} == command.LOOKS.keys() - {"line token"}


def test_two_valid_versions_of_a_key_are_well_and_are_told(made: Clinic) -> None:
    put("SecretLine", channel_secret=["0" * 32, "1" * 32])(made)
    put("SecretIngest", ingest_key=["a" * 40, "b" * 40])(made)
    (found,) = [one for one in made.found() if one.check == "secrets"]
    assert found.status == "ok"
    assert found.told.endswith("two keys are valid in SecretLine, SecretIngest, SecretLink")


def test_a_token_that_line_refuses_is_to_be_issued_anew_and_what_hangs_on_it_cannot_be_asked(
    made: Clinic,
) -> None:
    made.put_secret("SecretLine", SECRETS["SecretLine"] | {"channel_access_token": "x" * len(TOKEN)})
    broken = made.broken()
    assert list(broken) == ["line token", "webhook", "quota"]
    assert broken["line token"] == "LINE refuses the channel access token"


def test_a_token_that_was_pasted_with_the_end_of_its_line_is_told_of_and_not_shown(made: Clinic) -> None:
    made.put_secret("SecretLine", SECRETS["SecretLine"] | {"channel_access_token": TOKEN + "\n"})
    broken = made.broken()
    assert list(broken) == ["secrets", "line token", "webhook", "quota"]
    assert "the end of a line" in broken["secrets"]
    assert not any(TOKEN in told for told in broken.values())


def test_a_month_that_is_nearly_used_up_is_a_note(made: Clinic) -> None:
    world = made.line.world
    world.quota.count(world.clock(), 800)
    (found,) = [one for one in made.found() if one.check == "quota"]
    assert (found.status, found.told) == ("note", "800 of 1,000 messages are used")


def test_an_unconfirmed_subscription_is_told_apart(made: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    subscribe_nobody(made)
    pending = {"Subscriptions": [{"SubscriptionArn": "PendingConfirmation"}]}
    sns = made.client("sns")
    monkeypatch.setattr(sns, "get_paginator", lambda _name: Pages([pending]))
    assert made.broken() == {"subscribers": "the subscription is not confirmed: nobody hears the alarms"}


class Pages:
    def __init__(self, pages: list[Any]) -> None:
        self._pages = pages

    def paginate(self, **_asked: Any) -> list[Any]:
        return self._pages


def test_a_right_that_lacks_is_named(made: Clinic) -> None:
    def refused(_visit: Visit) -> Iterator[Any]:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeAlarms")

    (found,) = asked("alarms", refused, Visit(made.target, "Musubi"))
    assert (found.status, found.how) == ("mend", "ask an administrator for the right to DescribeAlarms")


def test_no_secret_is_ever_shown(made: Clinic) -> None:
    for secret, field in (("SecretIngest", "ingest_key"), ("SecretLine", "channel_secret")):
        put(secret, **{field: "shown-if-wrong"})(made)
    told = json.dumps([(one.told, one.how) for one in made.found()])
    assert "shown-if-wrong" not in told
    assert TOKEN not in told


@pytest.mark.parametrize(("break_it", "code"), [(lambda _made: None, 0), (ring, 1)])
def test_the_command_ends_with_1_where_something_is_to_mend(
    made: Clinic,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    break_it: Break,
    code: int,
) -> None:
    monkeypatch.setattr(command, "target_of", lambda _stack, _state: made.target)
    monkeypatch.setattr(machine, "findings", lambda _seen: iter(()))
    break_it(made)
    ended, out, _ = run(capsys, "doctor", "--stack", "Musubi", "--format", "json")
    told = json.loads(out)
    assert (ended, told["well"]) == (code, code == 0)
    assert {one["check"] for one in told["findings"]} == command.LOOKS.keys()
    ended, out, _ = run(capsys, "doctor", "--stack", "Musubi")
    assert (ended, ("All is well" in out), ("1 to mend" in out)) == (code, code == 0, code == 1)


def test_without_a_deployment_the_machine_alone_is_looked_at(
    capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    _, out, _ = run(capsys, "doctor", "--local", str(tmp_path / "none.json"), "--format", "json")
    last = json.loads(out)["findings"][-1]
    assert (last["check"], last["status"]) == ("deployment", "note")
