"""The control API through its client."""

import datetime as dt
from collections.abc import Iterator

import pytest
import urllib3

from ops.line_sandbox.client import SandboxClient, SandboxError
from ops.line_sandbox.direct import DirectLine, SteppedClock, text
from ops.line_sandbox.faults import FaultRule
from ops.line_sandbox.friends import Friend
from ops.line_sandbox.sandbox import LineSandbox
from ops.line_sandbox.settings import Settings

ANNE, BEN = "U" + "1" * 32, "U" + "2" * 32
KEY = "123e4567-e89b-12d3-a456-426614174000"
START = dt.datetime(2026, 11, 1, 3, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[LineSandbox]:
    with LineSandbox(clock=SteppedClock(START)) as running:
        yield running


@pytest.fixture
def client(sandbox: LineSandbox) -> Iterator[SandboxClient]:
    sandbox.world.reset()
    sandbox.world.change(Settings())
    with SandboxClient(sandbox.url) as client:
        yield client


def test_friends_are_registered_in_their_state(client: SandboxClient) -> None:
    blocked = Friend(user_id=BEN, display_name="Ben", state="blocked")
    client.register_friends([ANNE, blocked])
    assert client.friends() == [Friend(user_id=ANNE), blocked]


def test_a_report_tells_accepted_delivered_copies_answers_and_faults(
    client: SandboxClient, sandbox: LineSandbox
) -> None:
    client.register_friends([ANNE, Friend(user_id=BEN, state="blocked")])
    client.faults([FaultRule(kind="error_500", times=1)])
    line = DirectLine(sandbox)
    for user in (ANNE, ANNE, ANNE, BEN):
        line.push(user, text("Hello"))
    report = client.report()
    assert (report.requests_accepted, report.accepted, report.delivered, report.not_delivered) == (3, 3, 2, 1)
    assert (report.key_repeats, report.content_repeats, report.duplicates) == (0, 1, 1)
    assert [(count.user_id, count.accepted, count.delivered, count.duplicates) for count in report.users] == [
        (ANNE, 2, 2, 1),
        (BEN, 1, 0, 0),
    ]
    assert report.answers == {"push": {"500": 1, "200": 3}}
    assert report.faults == {"error_500": 1}
    assert report.sandbox_errors == []


def test_a_report_may_leave_the_users_out(client: SandboxClient, sandbox: LineSandbox) -> None:
    client.register_friends([ANNE])
    DirectLine(sandbox).push(ANNE, text("Hello"))
    report = client.report(with_users=False)
    assert (report.users, report.delivered) == ([], 1)


def test_deliveries_are_listed_by_user_or_for_all(client: SandboxClient, sandbox: LineSandbox) -> None:
    client.register_friends([ANNE, BEN])
    DirectLine(sandbox).multicast([ANNE, BEN], text("Hello"), key=KEY, customAggregationUnits=["u1"])
    (delivery,) = client.deliveries(BEN)
    assert (delivery.user_id, delivery.endpoint, delivery.retry_key, delivery.unit) == (
        BEN,
        "multicast",
        KEY,
        "u1",
    )
    assert (delivery.messages, delivery.at) == ([text("Hello")], START)
    assert len(client.deliveries()) == 2
    assert client.deliveries("U" + "9" * 32) == []


def test_faults_can_be_set_and_cleared(client: SandboxClient, sandbox: LineSandbox) -> None:
    client.register_friends([ANNE])
    line = DirectLine(sandbox)
    client.faults([FaultRule(kind="error_500")])
    assert line.push(ANNE, text("Hello")).status == 500
    client.clear_faults()
    assert line.push(ANNE, text("Hello")).status == 200


def test_settings_change_by_name_and_keep_the_rest(client: SandboxClient) -> None:
    client.configure(monthly_limit=200, rate_scale=0.5)
    client.configure(monthly_limit=None)
    assert client.settings() == Settings(rate_scale=0.5)


def test_a_reset_forgets_and_may_keep_the_friends(client: SandboxClient, sandbox: LineSandbox) -> None:
    client.register_friends([ANNE])
    DirectLine(sandbox).push(ANNE, text("Hello"))
    client.reset(keep_friends=True)
    assert (client.report().accepted, len(client.friends())) == (0, 1)
    client.reset()
    assert client.friends() == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("friends", {"users": [{"user_id": "anne"}]}),
        ("friends", {"users": [{"user_id": ANNE, "state": "lover"}]}),
        ("friends", {}),
        ("faults", {"rules": [{"kind": "earthquake"}]}),
        ("faults", {"rules": [{"kind": "slow", "probability": 2}]}),
        ("config", {"rate_scale": 0}),
        ("config", {"channel_secret": "x"}),
        ("reset", {"everything": True}),
    ],
)
def test_a_wrong_control_body_is_refused_with_its_reason(
    client: SandboxClient, sandbox: LineSandbox, path: str, body: object
) -> None:
    response = urllib3.request("POST", f"{sandbox.url}/_sandbox/{path}", json=body)
    assert response.status == 400
    assert response.json()["message"]


def test_an_unknown_setting_is_an_error_of_the_client(client: SandboxClient) -> None:
    with pytest.raises(SandboxError, match="gravity"):
        client.configure(gravity=9.8)


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "nothing", 404), ("DELETE", "report", 405)])
def test_an_unknown_control_path_or_method_is_told_apart(
    sandbox: LineSandbox, method: str, path: str, status: int
) -> None:
    assert urllib3.request(method, f"{sandbox.url}/_sandbox/{path}").status == status
