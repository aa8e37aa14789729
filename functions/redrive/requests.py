"""What the redrive function may be asked, as JSON."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from functions.domain.dead_letters import Filters, aged
from functions.ports.errors import MusubiError
from functions.redrive.flow import Replay
from functions.redrive.reports import replay_report, survey_report

ITEMS_MAX = 200
PAYLOADS_MAX = 20
"""Lambda answers with 6 MB at most, and a message may have 256 KB."""


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`action` list only looks. replay puts back what the filters mean, unless `dry_run`; `by`: who asks, for the audit;
    `resume`: go on with the replay of this name. Ages are those of the last failure, in seconds."""

    action: Literal["list", "replay"] = "list"
    queue: str = ""
    cause: str = ""
    customer: str = ""
    scenario: str = ""
    campaign: str = ""
    older_seconds: float | None = None
    newer_seconds: float | None = None
    limit: int | None = None
    dry_run: bool = False
    payload: bool = False
    by: str = ""
    resume: str = ""


def answer(flow: Replay, event: object, time_left: Callable[[], float]) -> dict[str, Any]:
    """The report. A replay that runs out of time is not `finished` and says, under `again`, how to go on."""
    try:
        request = msgspec.convert(event, Request)
        filters = _filters(flow, request)
        if request.action == "replay" and not request.dry_run:
            return _replayed(flow, request, filters, time_left)
    except (msgspec.ValidationError, MusubiError) as mistake:
        return {"error": str(mistake)}
    survey = flow.survey(filters, time_left, foresee=request.action == "replay")
    items_max = PAYLOADS_MAX if request.payload else ITEMS_MAX
    return survey_report(survey, flow.now(), payload=request.payload, items_max=items_max)


def _filters(flow: Replay, request: Request) -> Filters:
    known = flow.letters.queues()
    if request.queue not in ("", *known):
        raise msgspec.ValidationError(f"there is no queue {request.queue!r}; there are {', '.join(known)}")
    if request.limit is not None and request.limit < 1:
        raise msgspec.ValidationError("the limit must be 1 or more")
    filters = Filters(
        request.queue,
        request.cause,
        request.customer,
        request.scenario,
        request.campaign,
        limit=request.limit,
    )
    return aged(filters, flow.now(), request.older_seconds, request.newer_seconds)


def _replayed(
    flow: Replay, request: Request, filters: Filters, time_left: Callable[[], float]
) -> dict[str, Any]:
    if not request.by and not request.resume:
        raise msgspec.ValidationError('a replay needs "by": who asks, for the audit')
    redrive = flow.resumed(request.resume) if request.resume else flow.begin(filters, request.by)
    told = replay_report(flow.run(redrive, time_left))
    if not told["finished"]:
        told["again"] = {"action": "replay", "resume": redrive.redrive_id}
    return told
