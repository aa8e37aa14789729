"""EventBridge's own events, as its rule puts them into a queue."""

from typing import Any

import msgspec

from functions.ports.messages import BusEvents


class _Envelope(msgspec.Struct):
    """What is read of one. `detail`: one event of the ingest contract, or `{"events": [...]}`."""

    id: str
    detail: dict[str, Any]


_envelope = msgspec.json.Decoder(_Envelope)


def decode_bus(body: str) -> BusEvents:
    """A message of the bus queue; msgspec.ValidationError where it is none.

    An event without an id of its own gets one of the envelope's, which is the same however often it is delivered.
    """
    told = _envelope.decode(body)
    events = told.detail.get("events")
    raw = events if isinstance(events, list) else [told.detail]
    return BusEvents(told.id, [_named(one, f"bus:{told.id}:{place}") for place, one in enumerate(raw)])


def _named(raw: Any, event_id: str) -> Any:
    return {"event_id": event_id, **raw} if isinstance(raw, dict) else raw
