"""Runs inside the engine's own environment: `python -P serve.py RUN_DIR`. Standard library and ministack only.

RUN_DIR stands in the command line so that the process can be told apart from any other with certainty.
The engine is pinned to one version, so what is adjusted here is what that version has.
"""

import copy
import hashlib
import json
import os
import re
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack import app  # type: ignore[import-not-found]  # it lives in the engine's environment, not in ours
from ministack.core import iam_actions, lambda_runtime  # type: ignore[import-not-found]
from ministack.services import dynamodb, lambda_svc  # type: ignore[import-not-found]

GATHER_SECONDS = "MUSUBI_GATHER_SECONDS"
SQS_BATCHES = {
    f"sqs:{action}Batch": f"sqs:{action}"
    for action in ("SendMessage", "DeleteMessage", "ChangeMessageVisibility")
}

HTTP_OK = 200
STATEMENT = re.compile(r'\s*(UPDATE|INSERT|DELETE|SELECT)\b(?:[^"]*?)"([^"]+)"', re.IGNORECASE)


def shorten_waits() -> None:
    """Take out two fixed waits that this engine puts into every message's way.

    It listens 50 ms for log lines after each silent invocation before it acknowledges the batch, and naps
    50 ms whenever a wake-up found a queue empty. A virtual month is thousands of both.
    """
    lambda_runtime.Worker._drain_stderr_bounded.__defaults__ = (0.002, 0.002, 0.25)  # noqa: SLF001
    lambda_svc._ESM_IDLE_WAKE_GAP_SECONDS = 0.002  # noqa: SLF001


class UnpackedOnce(zipfile.ZipFile):
    """An archive that all workers of a run share: each finds the code where the first unpacked and compiled it.

    On AWS too the code's directory is there before a worker starts, and none writes into it.
    """

    _unpacking = threading.Lock()

    def extractall(self, path: Any = None, *arguments: Any, **named: Any) -> None:
        """Put a link to the unpacked archive in the place of `path`, an empty directory."""
        digest = hashlib.sha256(Path(str(self.filename)).read_bytes()).hexdigest()[:16]
        shared = Path(tempfile.gettempdir()) / f"code-{digest}"
        with self._unpacking:
            if not shared.exists():
                draft = shared.with_suffix(".draft")
                super().extractall(draft, *arguments, **named)
                draft.rename(shared)
        Path(path).rmdir()
        Path(path).symlink_to(shared)


def unpack_code_once() -> None:
    """This engine unpacks the bundle's thousands of files for every worker, and compiles what it imports each time."""
    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": UnpackedOnce})


def keep_traces_out_of_libc() -> None:
    """A worker tells its code of each invocation's trace by an environment variable, and glibc keeps every value that one has ever
    had: 150 bytes an invocation, for good. AWS's runtime does the same; a load that is held to flat memory would take it for ours.
    So only Python's own view of the environment has it, which is all that a function reads."""
    said = 'os.environ["_X_AMZN_TRACE_ID"] = _xray_tid'
    script: str = lambda_runtime._PYTHON_WORKER_SCRIPT  # noqa: SLF001
    if script.count(said) != 1:
        raise RuntimeError(
            "this engine's worker tells of traces in another way: look at keep_traces_out_of_libc"
        )
    kept = 'os.environ._data[os.environ.encodekey("_X_AMZN_TRACE_ID")] = os.environ.encodevalue(_xray_tid)'
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(said, kept)  # noqa: SLF001


def gather_from_streams(seconds: float) -> None:
    """Streams are read once in so many seconds, where AWS gathers for the mapping's window (MaximumBatchingWindowInSeconds),
    which this engine does not know: it calls the function for each few records, and no batch of a queue meanwhile. As on AWS, a
    batch that is full waits for no window."""
    poll, since = lambda_svc._poll_dynamodb_streams, dynamodb.stream_records_since  # noqa: SLF001
    read_at, is_full = -seconds, False

    def found_since(table: Any, position: Any, most: int, **named: Any) -> Any:
        nonlocal is_full
        batch = since(table, position, most, **named)
        is_full = is_full or len(batch) >= most
        return batch

    def polled() -> Any:
        nonlocal read_at, is_full
        if not is_full and time.monotonic() - read_at < seconds:
            return False
        read_at, is_full = time.monotonic(), False
        return poll()

    dynamodb.stream_records_since = found_since
    lambda_svc._poll_dynamodb_streams = polled  # noqa: SLF001


def tell_how_far_streams_are_read() -> None:
    """A mapping of a stream says how many records it is behind, where AWS has a metric (IteratorAge) that this engine lacks."""
    respond = lambda_svc._esm_response  # noqa: SLF001

    def told(mapping: Any) -> Any:
        answer = respond(mapping)
        place, stream, _ = mapping.get("EventSourceArn", "").partition("/stream/")
        if stream:
            table = place.rpartition("/")[2]
            read = lambda_svc._dynamodb_stream_positions.get(mapping["UUID"])  # noqa: SLF001
            begin = dynamodb.stream_start_position(table) if read is None else read
            answer["LastProcessingResult"] = f"{dynamodb.stream_end_position(table) - begin} records behind"
        return answer

    lambda_svc._esm_response = told  # noqa: SLF001


def tell_streams_of_statements() -> None:
    """A stream tells of what statements write too, as on AWS; this engine tells of the other writes alone."""
    insert, update = dynamodb._partiql_insert, dynamodb._partiql_update  # noqa: SLF001

    def inserted(table: Any, parsed: Any) -> Any:
        answer = insert(table, parsed)
        if answer[0] == HTTP_OK:
            item = parsed["item"]
            item = item["M"] if set(item) == {"M"} else item
            dynamodb._emit_stream_event(parsed["table"], "INSERT", None, item)  # noqa: SLF001
        return answer

    def updated(table: Any, parsed: Any, data: Any = None) -> Any:
        partition, row, _, refused = dynamodb._partiql_key_target(table, parsed)  # noqa: SLF001
        old = None if refused else table["items"].get(partition, {}).get(row)
        before = copy.deepcopy(old)
        answer = update(table, parsed, data)
        if answer[0] == HTTP_OK:
            new = table["items"][partition][row]
            dynamodb._emit_stream_event(parsed["table"], "MODIFY", before, new)  # noqa: SLF001
        return answer

    dynamodb._partiql_insert, dynamodb._partiql_update = inserted, updated  # noqa: SLF001


def authorize_batches_as_singles() -> None:
    """SQS batch calls need the right to the single action, as on AWS, where the batch has no action of its own."""
    extract = iam_actions.extract_iam_action

    def as_single(*arguments: Any, **named: Any) -> Any:
        action = extract(*arguments, **named)
        return SQS_BATCHES.get(action, action)

    iam_actions.extract_iam_action = as_single


def authorize_statements_on_their_tables() -> None:
    """Each statement of a batch needs the right to its kind on its own table, as on AWS, where the batch is no action."""
    check = iam_actions.dynamodb_transaction_checks

    def statement_by_statement(action: str, body: bytes, region: str, account_id: str) -> Any:
        if action != "dynamodb:BatchExecuteStatement":
            return check(action, body, region, account_id)
        statements = [str(one.get("Statement", "")) for one in json.loads(body).get("Statements", [])]
        found = [STATEMENT.match(one) for one in statements]
        return [
            (
                f"dynamodb:PartiQL{one[1].capitalize()}",
                f"arn:aws:dynamodb:{region}:{account_id}:table/{one[2]}",
            )
            if one
            else ("dynamodb:PartiQLUnread", "*")
            for one in found
        ]

    iam_actions.dynamodb_transaction_checks = statement_by_statement


def name_schedules_by_group() -> None:
    """A schedule is authorized under its own group, as on AWS; this engine takes every one for the default group's."""
    extract = iam_actions.extract_resource_arn

    def in_its_group(service: str, *arguments: Any, **named: Any) -> Any:
        arn = extract(service, *arguments, **named)
        if service != "scheduler" or ":schedule/default/" not in arn:
            return arn
        _method, _path, _headers, body, query = arguments[:5]
        group = _group_of(body) or next(iter(query.get("groupName", [])), "")
        return arn.replace(":schedule/default/", f":schedule/{group}/") if group else arn

    iam_actions.extract_resource_arn = in_its_group


def _group_of(body: bytes) -> str:
    try:
        return str(json.loads(body or b"{}").get("GroupName", ""))
    except (ValueError, AttributeError):
        return ""


if __name__ == "__main__":
    shorten_waits()
    unpack_code_once()
    keep_traces_out_of_libc()
    gather_from_streams(float(os.environ[GATHER_SECONDS]))
    tell_how_far_streams_are_read()
    tell_streams_of_statements()
    authorize_batches_as_singles()
    authorize_statements_on_their_tables()
    name_schedules_by_group()
    sys.argv = sys.argv[:1]
    app.main()
