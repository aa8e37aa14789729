"""A deployment on moto to which every command speaks, with a send queue whose messages a test reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from moto import mock_aws

from functions.domain.sends import Intent
from ops.cli import main
from ops.stores import Stores
from tests.fakes.world import World
from tests.ops.deployments import REGION, deployed


@contextmanager
def commanded(world: World, monkeypatch: pytest.MonkeyPatch, *modules: str) -> Iterator[Stores]:
    """What the world has come to, on moto; the commands of these modules of `ops` speak to it, at the world's time."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        stores = deployed(world)
        outputs: Any = stores.target.outputs
        for name in ("QueueSendUrl", "QueueBulkUrl", "QueueEvaluateUrl"):
            queue = stores.target.client("sqs").create_queue(QueueName=f"{outputs['Bucket']}-{name}")
            outputs[name] = queue["QueueUrl"]
        for module in modules:
            monkeypatch.setattr(f"ops.{module}.target_of", lambda _stack, _state: stores.target)
        monkeypatch.setattr(Stores, "now", property(lambda _self: world.clock))
        yield Stores(stores.target)  # the settings that the first one read name no queue


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error of `musubi …`."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def queued(stores: Stores) -> list[Intent]:
    """The intents in the send queues, which are taken out of it."""
    urls = (stores.settings.queue_send_url, stores.settings.queue_bulk_url)
    bodies = [body for url in urls for body in messages(stores, url)]
    return [msgspec.json.decode(body, type=Intent) for body in bodies]


def messages(stores: Stores, url: str) -> list[str]:
    """The bodies of all that is in a queue, which are taken out of it."""
    found: list[str] = []
    while True:
        answer = stores.target.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        if not answer.get("Messages"):
            return found
        found += [message["Body"] for message in answer["Messages"]]


def trail(stores: Stores, kind: str) -> list[dict[str, Any]]:
    """What people did, oldest first."""
    listed = stores.target.client("s3").list_objects_v2(
        Bucket=stores.settings.bucket, Prefix=f"audits/{kind}/"
    )
    bodies = [stores.objects.read(item["Key"]) or b"" for item in listed.get("Contents", [])]
    return [msgspec.json.decode(body) for body in bodies]
