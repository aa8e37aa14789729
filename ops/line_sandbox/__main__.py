"""`python -m ops.line_sandbox`: the sandbox as a process of its own."""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from functions.clock import clock_of
from ops.line_sandbox.faults import FaultRule
from ops.line_sandbox.friends import Friend
from ops.line_sandbox.sandbox import SANDBOX_ACCESS_TOKEN, SANDBOX_CHANNEL_SECRET, LineSandbox
from ops.line_sandbox.settings import Settings


class StartState(msgspec.Struct, forbid_unknown_fields=True):
    """What a sandbox may start from: the bodies of the control API in one file."""

    config: Settings = msgspec.field(default_factory=Settings)
    friends: list[Friend] = []
    faults: list[FaultRule] = []


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; the one line on standard output says `{"url": …}` once it is ready."""
    options = _parse(arguments)
    try:
        sandbox = _sandbox_of(options)
        sandbox.start()
    except (OSError, OverflowError, msgspec.DecodeError) as mistake:
        print(f"The LINE sandbox cannot start: {mistake}", file=sys.stderr)
        return 2
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    print(json.dumps({"url": sandbox.url}), flush=True)
    stopped.wait()
    sandbox.stop()
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m ops.line_sandbox", description="LINE's Messaging API on loopback."
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--clock-file", default="", help="a file that holds the virtual instant; the real clock otherwise"
    )
    parser.add_argument(
        "--state-json", type=Path, help="a file of {config?, friends?, faults?} to start from"
    )
    parser.add_argument("--channel-secret", default=SANDBOX_CHANNEL_SECRET, help="signs the webhooks")
    parser.add_argument(
        "--access-token", default=SANDBOX_ACCESS_TOKEN, help="the one bearer token that is let in"
    )
    return parser.parse_args(arguments)


def _sandbox_of(options: argparse.Namespace) -> LineSandbox:
    state = StartState()
    if options.state_json:
        state = msgspec.json.decode(options.state_json.read_bytes(), type=StartState)
    sandbox = LineSandbox(
        clock=clock_of(options.clock_file),
        channel_secret=options.channel_secret,
        access_token=options.access_token,
        settings=state.config,
        port=options.port,
    )
    sandbox.world.friends.register(state.friends)
    sandbox.world.faults.replace(state.faults)
    return sandbox


if __name__ == "__main__":
    sys.exit(main())
