"""While a key is rotated both are valid: nobody is turned away, and afterwards the old one opens nothing."""

import json

import pytest

from functions.domain.bearer_keys import bears
from functions.webhook.flow import Receive, signature_of
from tests.fakes.playbooks import playbook
from tests.fakes.queues import FakeInbox
from tests.fakes.world import World

BODY = json.dumps({"destination": "U0", "events": []}).encode()


@pytest.mark.parametrize(
    ("secrets", "signed_with", "status"),
    [
        (["old"], "old", 200),
        (["old", "new"], "old", 200),
        (["old", "new"], "new", 200),
        (["new"], "old", 401),
        ([""], "", 401),
        ([], "", 401),
    ],
)
def test_a_webhook_may_be_signed_with_either_of_two_secrets(
    secrets: list[str], signed_with: str, status: int
) -> None:
    world = World(playbook())
    receive = Receive(lambda: secrets, FakeInbox(world.inbox_queue), world.clock)
    assert receive.receive(BODY, signature_of(signed_with, BODY)).status == status


@pytest.mark.parametrize(
    ("authorization", "keys", "opens"),
    [
        ("Bearer new", ["old", "new"], True),
        ("bearer old", ["old", "new"], True),
        ("Bearer old", ["new"], False),
        ("Basic old", ["old"], False),
        ("Bearer ", [""], False),
        ("Bearer ", [], False),
        ("", ["old"], False),
        ("Bearer \udcff", ["old"], False),
    ],
)
def test_a_bearer_key_is_one_of_those_that_are_valid(
    authorization: str, keys: list[str], opens: bool
) -> None:
    assert bears(authorization, keys) is opens
