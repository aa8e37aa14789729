"""What LINE tells of messages by aggregation unit: how many people opened them, and which links they tapped.

Nobody opens or taps in a sandbox of itself: the control API says how many did (`POST /_sandbox/insight`).
"""

import datetime as dt
import re
from typing import Any
from urllib.parse import parse_qs

from ops.line_sandbox.answers import Answer, JsonObject, refused
from ops.line_sandbox.calls import Call
from ops.line_sandbox.ledger import Delivery
from ops.line_sandbox.openings import Opened
from ops.line_sandbox.quota import JAPAN
from ops.line_sandbox.world import World

PEOPLE_TOLD_MIN = 20
"""Of fewer people LINE tells nothing, so that nobody is singled out."""
DAYS_MAX = 30
LISTED_MAX = 100
_DAY = re.compile(r"\d{8}")


def aggregation(world: World, call: Call) -> Answer:
    """`?customAggregationUnit&from&to`: the figures of one unit over at most 30 days, by Japan's calendar."""
    query = parse_qs(call.request.query, keep_blank_values=True)
    unit = _one(query, "customAggregationUnit")
    first, last = _day(query, "from"), _day(query, "to")
    if first > last or (last - first).days >= DAYS_MAX:
        raise refused(400, "The date range must be between 1 and 30 days")
    with world.lock:
        sent = [
            one
            for one in world.ledger.all()
            if one.unit == unit and first <= one.at.astimezone(JAPAN).date() <= last
        ]
        return Answer(200, _figures(sent, world.opened.get(unit, Opened(unit))))


def _figures(sent: list[Delivery], opened: Opened) -> JsonObject:
    if not sent:
        return {"overview": {}, "messages": [], "clicks": []}
    reached = len({one.user_id for one in sent if one.delivered})
    people, taps = min(opened.impressions, reached), sum(opened.clicks.values())
    return {
        "overview": {
            "uniqueImpression": _told(people),
            "uniqueClick": _told(min(taps, reached)),
            "uniqueMediaPlayed": None,
            "uniqueMediaPlayed100Percent": None,
        },
        "messages": [{"seq": 1, "impression": _told(opened.impressions), "uniqueImpression": _told(people)}],
        "clicks": [
            {"seq": 1, "url": url, "click": _told(count), "uniqueClick": _told(min(count, reached))}
            for url, count in opened.clicks.items()
        ],
    }


def _told(people: int) -> int | None:
    return people if people >= PEOPLE_TOLD_MIN else None


def units_used(world: World, call: Call) -> Answer:
    """`{numOfCustomAggregationUnits}`: names used this month."""
    with world.lock:
        return Answer(200, {"numOfCustomAggregationUnits": len(world.units.names(call.now))})


def units_listed(world: World, call: Call) -> Answer:
    """`{customAggregationUnits, next?}`: names used this month, at most `limit` from `start` on."""
    query = parse_qs(call.request.query)
    limit = min(int((query.get("limit") or [str(LISTED_MAX)])[0]), LISTED_MAX)
    begin = int((query.get("start") or ["0"])[0])
    with world.lock:
        names = sorted(world.units.names(call.now))
    body: dict[str, Any] = {"customAggregationUnits": names[begin : begin + limit]}
    return Answer(200, body | ({"next": str(begin + limit)} if begin + limit < len(names) else {}))


def _one(query: dict[str, list[str]], name: str) -> str:
    values = query.get(name, [""])
    if len(values) != 1 or not values[0]:
        raise refused(400, f"The value for the '{name}' parameter is invalid")
    return values[0]


def _day(query: dict[str, list[str]], name: str) -> dt.date:
    text = _one(query, name)
    try:
        if _DAY.fullmatch(text) is None:
            text = ""
        return dt.datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 — a day has no zone
    except ValueError:
        raise refused(400, f"The value for the '{name}' parameter is invalid") from None
