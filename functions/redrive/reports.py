"""What a look and a replay say of themselves, as JSON: the same for the function and for the command."""

from collections.abc import Sequence
from typing import Any

import msgspec

from functions.domain.dead_letters import Group, Seen, counted, grouped
from functions.domain.instants import Instant, format_instant
from functions.redrive.flow import Report, Survey


def survey_report(
    survey: Survey, now: Instant, *, payload: bool = False, items_max: int | None = None
) -> dict[str, Any]:
    """The letters by queue and cause. `items_max`: so many letters are told one by one, a group's oldest first; with
    `payload` each bears its whole body, which may hold personal data."""
    groups, left = [], len(survey.seen) if items_max is None else items_max
    for group in grouped(survey.seen):
        shown = group.seen[:left]
        left -= len(shown)
        groups.append(_group(group, shown, now, payload=payload))
    told: dict[str, Any] = {"letters": len(survey.seen), "complete": survey.complete}
    predictions = counted(survey.seen)
    return told | ({"would": predictions} if predictions else {}) | {"groups": groups}


def _group(group: Group, shown: Sequence[Seen], now: Instant, *, payload: bool) -> dict[str, Any]:
    predictions = counted(group.seen)
    return {
        "queue": group.queue,
        "cause": group.cause,
        "letters": len(group.seen),
        "oldest": format_instant(group.oldest),
        "newest": format_instant(group.newest),
        "oldest_age_seconds": age_seconds(group.oldest, now),
        **({"would": predictions} if predictions else {}),
        "items": [_item(one, now, payload=payload) for one in shown],
    }


def _item(one: Seen, now: Instant, *, payload: bool) -> dict[str, Any]:
    letter = one.letter
    told: dict[str, Any] = {
        "message_id": letter.message_id,
        "since": format_instant(letter.since),
        "age_seconds": age_seconds(letter.since, now),
        "sent_at": format_instant(letter.sent_at),
        **msgspec.to_builtins(one.subject),
        "error": msgspec.to_builtins(letter.note) if letter.note else None,
    }
    if one.prediction is not None:
        told["would"] = msgspec.to_builtins(one.prediction)
    return told | ({"payload": letter.body} if payload else {})


def age_seconds(since: Instant, now: Instant) -> int:
    """Whole seconds; none where clocks differ the other way."""
    return max(0, int((now - since).total_seconds()))


def replay_report(report: Report) -> dict[str, Any]:
    """What was done under which name, and whether anything is left to do."""
    tally = report.tally
    return {
        "replay": report.redrive.redrive_id,
        "put_back": tally.put_back,
        "cleared": tally.cleared,
        "refused": tally.refused,
        "unreadable": tally.unreadable,
        "finished": report.finished,
    }
