"""Every kind of thing that outlives a deployment, with a value of it in which each field says something."""

import datetime as dt
import importlib
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

ROWS = {
    "Customer": "customers:Customer",
    "Gate": "gate:Gate",
    "Block": "account:Block",
    "SourceLog": "watermarks:SourceLog",
    "Unit": "aggregation_units:Unit",
    "Event": "events:Event",
    "Base": "bases:Base",
    "Link": "links:Link",
    "AuditEntry": "links:AuditEntry",
    "Review": "links:Review",
    "MergeEntry": "link_changes:MergeEntry",
    "Reward": "link_changes:Reward",
    "Keepsake": "undoing:Keepsake",
    "CustomerPhone": "phones:CustomerPhone",
    "PhoneOwners": "phones:PhoneOwners",
    "Attempt": "linking_attempts:Attempt",
    "Suppression": "erasure:Suppression",
    "SendRecord": "sends:SendRecord",
}
MESSAGES = {
    "LineReceived": "functions.ports.messages:LineReceived",
    "EventsReceived": "functions.ports.messages:EventsReceived",
    "CustomerDue": "functions.ports.messages:CustomerDue",
    "CustomerRefresh": "functions.ports.messages:CustomerRefresh",
    "Intent": "sends:Intent",
    "MenuOrder": "sends:MenuOrder",
    "BatchOrder": "sends:BatchOrder",
    "CampaignRun": "functions.ports.messages:CampaignRun",
    "BackfillSegment": "functions.ports.messages:BackfillSegment",
    "AuditPart": "functions.ports.messages:AuditPart",
    "LoadOrder": "functions.ports.messages:LoadOrder",
    "MeasureDay": "functions.ports.messages:MeasureDay",
}
OBJECTS = {
    "Playbook": "playbook:Playbook",
    "Run": "campaigns:Run",
    "Chunk": "campaigns:Chunk",
    "Awaiting": "approvals:Awaiting",
    "Approval": "approvals:Approval",
    "ContextFact": "context:Fact",
    "Backfill": "backfills:Backfill",
    "ScanProgress": "backfills:ScanProgress",
    "AuditReport": "audits:AuditReport",
    "Sealed": "batches:Sealed",
    "Entry": "batches:Entry",
    "Accepted": "functions.ports.line:Accepted",
    "Load": "loads:Load",
    "ErrorLine": "functions.load.windows:ErrorLine",
    "Snapshot": "snapshots:Snapshot",
    "Redrive": "redrives:Redrive",
    "RedrivePage": "redrives:Page",
    "FailureNote": "dead_letters:FailureNote",
    "InflowSource": "inflow:InflowSource",
    "InsightProgress": "insight:Progress",
    "Version": "ops.versions:Version",
    "Erasure": "erasure:Erasure",
    "AlertNoted": "alerts:Noted",
    "Manifest": "functions.measure.results:Manifest",
    "Fitted": "functions.measure.models.fitted:Fitted",
    "Ready": "functions.measure.drafts:Ready",
}
FACTS = {
    "SendFact": "facts:Send",
    "Click": "facts:Click",
    "Friendship": "facts:Friendship",
    "EventFact": "facts:EventFact",
    "Membership": "facts:Membership",
    "JourneyFact": "facts:JourneyFact",
    "ExposureFact": "facts:ExposureFact",
    "PersonFact": "facts:PersonFact",
    "InsightFact": "facts:Insight",
}
KINDS = {**ROWS, **MESSAGES, **OBJECTS, **FACTS}
MOVED = {"Link": "identity:Link", "AuditEntry": "identity:AuditEntry"}
"""Where code of the first format had them."""

AT = dt.datetime(2026, 11, 20, 3, 0, 0, 250_000, dt.UTC)


def shape_of(kind: str) -> type[msgspec.Struct] | None:
    """The struct of a kind; None where this code has no such kind."""
    for place in filter(None, (KINDS[kind], MOVED.get(kind))):
        module, _, name = place.partition(":")
        try:
            found = importlib.import_module(module if "." in module else f"functions.domain.{module}")
        except ImportError:
            continue
        if hasattr(found, name):
            return getattr(found, name)  # type: ignore[no-any-return]
    return None


def shapes() -> dict[str, type[msgspec.Struct]]:
    """Every kind that this code has."""
    return {kind: shape for kind in KINDS if (shape := shape_of(kind)) is not None}


def whole(shape: Any) -> Any:
    """A value of a type with something in every field, the same each time."""
    return _whole(shape, "x", ())


def _whole(hint: Any, name: str, within: tuple[Any, ...]) -> Any:
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if hint in _PLAIN:
        return _PLAIN[hint](name)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _struct(hint, within)
    return _generic(hint, name, within)


def _struct(shape: type[msgspec.Struct], within: tuple[Any, ...]) -> Any:
    hints = get_type_hints(shape, include_extras=True)
    inner = (*within, shape)
    fields = [field for field in msgspec.structs.fields(shape) if field.default is not msgspec.UNSET]
    return shape(**{one.name: _unlike(one.default, hints[one.name], one.name, inner) for one in fields})


def _unlike(default: Any, hint: Any, name: str, within: tuple[Any, ...]) -> Any:
    """A value that is not the default, which would not be written."""
    value = _whole(hint, name, within)
    if value == default and isinstance(value, bool):
        return not value
    if value == default and get_origin(hint) is Literal:
        return next(one for one in get_args(hint) if one != default)
    return value


def _generic(hint: Any, name: str, within: tuple[Any, ...]) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return inner[-1]
    if origin in (Union, types.UnionType):
        told = [one for one in inner if one is not type(None)]
        return None if told[0] in within else _whole(told[0], name, within)
    if origin is list:
        variants = get_args(inner[0]) if get_origin(inner[0]) in (Union, types.UnionType) else (inner[0],)
        structs = [one for one in variants if isinstance(one, type) and issubclass(one, msgspec.Struct)]
        return [_whole(one, name, within) for one in structs or variants[:1]]
    if origin is tuple:
        return tuple(_whole(one, name, within) for one in inner if one is not ...)
    if origin in (frozenset, set):
        return origin([_whole(inner[0], name, within)])
    if origin is dict or getattr(origin, "__name__", "") == "Mapping":
        return {_whole(inner[0], f"{name}'s key", within): _whole(inner[1], name, within)}
    raise AssertionError(f"{name}: {hint} is of no kind that tests/stored/kinds.py can fill; teach it")


_PLAIN: dict[Any, Any] = {
    str: lambda name: f"the {name}",
    int: lambda name: 2 if name == "format" else len(name),
    float: lambda name: len(name) + 0.5,
    bool: lambda _name: True,
    Any: lambda _name: ["const", True],
    object: lambda _name: "anything",
    dict: lambda name: {name: name},
    dt.datetime: lambda name: AT + dt.timedelta(minutes=len(name)),
    dt.date: lambda _name: AT.date(),
    dt.time: lambda _name: dt.time(19, 30),
}


def schemas() -> dict[str, Any]:
    """What this code reads and writes of each kind, as JSON Schema, without the words for people."""
    told: dict[str, Any] = {"kinds": {}, "$defs": {}}
    for apart, kinds in {"": {**ROWS, **MESSAGES, **OBJECTS}, "facts.": FACTS}.items():
        known = {kind: shape for kind, shape in shapes().items() if kind in kinds}
        place = f"#/$defs/{apart}{{name}}"
        tops, parts = msgspec.json.schema_components(list(known.values()), ref_template=place)
        told["kinds"] |= dict(zip(known, map(_plain, tops), strict=True))
        told["$defs"] |= {f"{apart}{name}": one for name, one in _plain(parts).items()}
    return told


def _plain(told: Any) -> Any:
    if isinstance(told, dict):
        return {
            key: _plain(one)
            for key, one in told.items()
            if key != "Beyond" and not (key in ("description", "title") and isinstance(one, str))
            # what is carried of newer code is no part of what is stored
            if not (isinstance(one, dict) and one.get("$ref") == "#/$defs/Beyond")
        }
    return [_plain(one) for one in told] if isinstance(told, list) else told


ADDED = ["what newer code has added"]


def grown(value: Any) -> Any:
    """The value as JSON, as newer code would have written it that knows one more field of each struct in it."""
    if isinstance(value, msgspec.Struct):
        config = value.__struct_config__
        known = {
            name: grown(one)
            for name in value.__struct_fields__
            if (one := getattr(value, name)) is not msgspec.UNSET
        }
        if config.array_like:
            return [*known.values(), ADDED]
        tag = {config.tag_field: config.tag} if config.tag_field else {}
        return {**tag, **known, "added": ADDED}
    if isinstance(value, dict):
        return {key: grown(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [grown(one) for one in value]
    return msgspec.to_builtins(value)
