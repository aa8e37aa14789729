"""A run leaves nothing behind, however it ends."""

import json
import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ops.engine import processes
from ops.engine.errors import LocalError
from ops.line_sandbox import SandboxClient
from ops.local.down import bring_down
from ops.local.place import Place
from ops.local.up import Wishes, bring_up
from ops.target import Target, local_target

pytestmark = pytest.mark.e2e

CONTRACT = {
    "engine_url", "line_url", "webhook_url", "ingest_url", "click_url", "channel_secret", "ingest_key", "account",
    "clock", "engine_pid", "line_login_url", "line_access_url", "liff_url", "liff_sdk_url", "liff_id",
    "login_channel_id", "login_channel_secret", "link_callback_url", "liff_endpoint_url",
}  # fmt: skip


def processes_of(place: Place) -> list[str]:
    """Command lines of all processes that bear the run's directory, whatever their group."""
    found = processes._listing()
    return [process.command for process in found if str(place.run_dir) in process.command]


def engines_scratch() -> set[str]:
    """What lies in the system's folder for temporary things and is named after the engine."""
    return {path.name for path in Path(tempfile.gettempdir()).iterdir() if path.name.startswith("ministack")}


@pytest.fixture
def nothing_left(
    wishes: Wishes, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The test may do what it likes: afterwards there is no process and no file of its run. What is ours goes into a folder
    of the test's own meanwhile, for other tests put things into the system's beside it."""
    before, ours = engines_scratch(), tmp_path_factory.mktemp("temporary")
    with monkeypatch.context() as here:
        here.setattr(tempfile, "tempdir", str(ours))
        here.setenv("TMPDIR", str(ours))
        yield
    assert processes_of(wishes.place) == []
    assert not wishes.place.run_dir.exists()
    assert not wishes.place.record_path.exists()
    assert list(ours.iterdir()) == []
    assert engines_scratch() <= before


@pytest.mark.usefixtures("nothing_left")
def test_down_stops_all_that_up_started(wishes: Wishes) -> None:
    with_line = replace(wishes, line_api=None)
    target = bring_up(with_line)
    target.client("lambda").invoke(FunctionName=target.output("FunctionWebhook"), Payload="{}")
    record = with_line.place.read_record()
    assert record.keys() >= CONTRACT
    with SandboxClient(record["line_access_url"]) as line:
        settings = line.settings()
    assert settings.login_redirect_uris == (record["link_callback_url"],)
    assert settings.login_channel_secret == record["login_channel_secret"]
    assert record["engine_pid"] in with_line.place.groups().values()
    assert any("_worker.py" in command for command in processes_of(with_line.place))
    assert bring_down(with_line.place)
    assert not bring_down(with_line.place), "a second down finds nothing"


@pytest.mark.usefixtures("nothing_left")
def test_a_failed_up_takes_everything_back(wishes: Wishes) -> None:
    def refuse(target: Target, playbook: Path) -> None:
        assert processes_of(wishes.place)
        raise LocalError("The playbook has a fault.")

    with pytest.raises(LocalError, match=r"The playbook has a fault\."):
        bring_up(wishes, refuse)


@pytest.mark.usefixtures("nothing_left")
def test_down_tidies_up_after_a_killed_engine(wishes: Wishes) -> None:
    target = bring_up(wishes)
    target.client("lambda").invoke(FunctionName=target.output("FunctionWebhook"), Payload="{}")
    os.kill(wishes.place.read_record()["engine_pid"], signal.SIGKILL)
    assert bring_down(wishes.place)


@pytest.mark.usefixtures("nothing_left")
def test_up_is_refused_while_a_run_is_up_and_spares_it(wishes: Wishes) -> None:
    bring_up(wishes)
    with pytest.raises(LocalError, match="up already"):
        bring_up(wishes)
    assert local_target(wishes.place.record_path).client("sqs").list_queues()["QueueUrls"]
    bring_down(wishes.place)


@pytest.mark.usefixtures("nothing_left")
def test_up_replaces_a_run_whose_processes_are_gone(wishes: Wishes) -> None:
    bring_up(wishes)
    processes.end_groups(wishes.place.groups().values(), str(wishes.place.run_dir))
    bring_up(wishes)
    assert local_target(wishes.place.record_path).client("sqs").list_queues()["QueueUrls"]
    bring_down(wishes.place)


@pytest.mark.usefixtures("nothing_left")
def test_a_taken_port_is_named(wishes: Wishes) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LocalError, match=rf"Port {port} is taken"):
            bring_up(replace(wishes, port=port))


@pytest.mark.usefixtures("nothing_left")
def test_the_hosts_environment_reaches_no_function(
    wishes: Wishes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A host's AWS profile, proxy or certificates would make calls fail in ways nobody can explain."""
    for name, value in {
        "AWS_PROFILE": "nobody", "AWS_CA_BUNDLE": "/nowhere", "HTTP_PROXY": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "stranger", "LOG_LEVEL": "CRITICAL",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    target = bring_up(wishes)
    answer = target.client("lambda").invoke(
        FunctionName=target.output("FunctionTick"),
        Payload=json.dumps({"scheduled_at": "2026-11-22T10:00:00Z"}),
    )
    assert "FunctionError" not in answer
    bring_down(wishes.place)
