"""Facts may come in any order, late, twice and in any parts: what is derived of them in the end is always the same."""

import datetime as dt
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from functions.measure.tables import DAYS, SNAPSHOTS
from functions.measure.workspace import opened
from tests.measure.facts_in_folders import Facts, Row
from tests.measure.playbooks import shop

BEGIN = dt.datetime.combine(dt.date(2026, 4, 27), dt.time())
LAST = dt.date(2026, 5, 9)
MEASURED = [dt.date(2026, 5, 2), dt.date(2026, 5, 6), LAST, LAST]
PEOPLE = ["a", "b", "c", "anon:x"]

Told = tuple[str, Row]
moments = st.integers(0, 12 * 24 * 2).map(lambda half: BEGIN + dt.timedelta(minutes=30 * half))
people = st.sampled_from(PEOPLE)


def event(number: int, who: str, name: str, at: dt.datetime, **properties: Any) -> Told:
    row = {"event_id": f"e{number}", "customer_id": who, "name": name, "at": at, "status": "confirmed"}
    return "events", {**row, "properties": json.dumps(properties)}


@st.composite
def happened(draw: st.DrawFn) -> list[Told]:
    """Orders, and all that may be told beside them; ids are unique, as their sources make them."""
    told: list[Told] = []
    orders = draw(
        st.lists(st.tuples(people, moments, st.integers(1, 30), st.sampled_from(["x", "y", ""])), max_size=8)
    )
    for number, (who, at, amount, category) in enumerate(orders):
        given_up = draw(st.sampled_from(["", "", "", "cancelled", "returned", "provisional"]))
        order = event(
            number, who, "purchase", at, order_id=f"o{number}", amount=amount * 100, category=category
        )
        if given_up == "provisional":
            order[1]["status"] = given_up  # type: ignore[index]
        told.append(order)
        later = at + dt.timedelta(hours=draw(st.integers(-30, 100)))
        if given_up == "cancelled":
            told.append(event(100 + number, who, "order_cancelled", later, order_id=f"o{number}"))
        if given_up == "returned":
            told.append(event(100 + number, who, "item_returned", later, order_id=f"o{number}", amount=50))
        if draw(st.booleans()):
            told.append(event(200 + number, who, "coupon_used", at, coupon_id="k", amount=number + 1))
    for number, (who, at) in enumerate(draw(st.lists(st.tuples(people, moments), max_size=3))):
        told.append(event(300 + number, who, "booking", at, booking_id=f"b{number}"))
        if draw(st.booleans()):
            later = at + dt.timedelta(hours=draw(st.integers(1, 60)))
            told.append(event(400 + number, who, "booking_cancelled", later, booking_id=f"b{number}"))
    told += draw(messages())
    for number, (who, at, change) in enumerate(
        draw(st.lists(st.tuples(people, moments, st.sampled_from(["follow", "block"])), max_size=4))
    ):
        told.append(
            ("friendships", {"event_id": f"f{number}", "customer_id": who, "at": at, "change": change})
        )
    owners = draw(st.lists(st.tuples(people, people, moments), max_size=3, unique_by=lambda one: one[2]))
    told += [
        ("people", {"customer_id": who, "owner": owner, "at": at, "seen_at": at, "linked": who == owner})
        for who, owner, at in owners
        if owner != "anon:x" and (who >= owner or who == "anon:x")
    ]
    return told


@st.composite
def messages(draw: st.DrawFn) -> list[Told]:
    told: list[Told] = []
    sends = draw(st.lists(st.tuples(people, moments, st.sampled_from(["p", "q", "!"])), max_size=7))
    for number, (who, at, source) in enumerate(sends):
        row = {"send_id": f"s{number}", "customer_id": who, "at": at, "kind": "promotion", "seen_at": at}
        where = (
            {"campaign": "weekly_picks", "run": "r"} if source == "!" else {"scenario": source, "step": "one"}
        )
        status = draw(st.sampled_from(["sent", "sent", "sent", "suppressed", "unknown"]))
        told.append(
            ("sends", {**row, **where, "status": status, "reason": "" if status == "sent" else "holdout"})
        )
        if status == "unknown" and draw(st.booleans()):
            told.append(("sends", {**row, **where, "status": "sent", "seen_at": at + dt.timedelta(hours=1)}))
        if draw(st.booleans()):
            clicked = at + dt.timedelta(hours=draw(st.integers(0, 60)))
            click = {"click_id": f"k{number}", "customer_id": who, "at": clicked, "send_id": f"s{number}"}
            told.append(("clicks", {**click, "agent": draw(st.sampled_from(["person", "bot"]))}))
    return told


def newest_of(told: list[Told], batches: list[int]) -> list[list[Told]]:
    """Facts by the batch that they come in; what a row said before comes no later than what it says in the end."""
    parts: list[list[Told]] = [[] for _ in MEASURED]
    reached: dict[Any, int] = {}
    for (table, row), batch in zip(told, batches, strict=True):
        key = (table, row.get("send_id", id(row)))
        reached[key] = max(batch, reached.get(key, 0))
        parts[reached[key]].append((table, row))
    return parts


def derived(root: Path) -> dict[str, list[Any]]:
    with opened(Facts(root).lake) as workspace:
        tables = {}
        for table in (*DAYS, *SNAPSHOTS):
            days = workspace.all_days(table) if table in DAYS else [LAST]
            workspace.view(table, days, "looked_at")
            tables[table.name] = sorted(workspace.connection.execute("FROM looked_at").fetchall(), key=repr)
        return tables


def measure_in_parts(root: Path, parts: list[list[Told]]) -> None:
    facts = Facts(root)
    waiting: set[dt.date] = set()
    for day, part in zip(MEASURED[-len(parts) :], parts, strict=True):
        for table in sorted({name for name, _ in part}):
            waiting |= facts.add(table, [row for name, row in part if name == table])
        facts.measure(day, waiting, shop())
        waiting = set()


ORDER = event(1, "a", "purchase", BEGIN + dt.timedelta(days=3), order_id="o1", amount=500, category="x")
LATE = event(2, "a", "purchase", BEGIN + dt.timedelta(days=1), order_id="o2", amount=100, category="x")
BACK = event(3, "a", "order_cancelled", BEGIN + dt.timedelta(days=9), order_id="o1")
MERGED = ("people", {"customer_id": "b", "owner": "a", "at": BEGIN, "seen_at": BEGIN})
OTHERS = event(4, "b", "purchase", BEGIN + dt.timedelta(days=2), order_id="o4", amount=300, category="y")

SENT = BEGIN + dt.timedelta(days=1)
TO_FRIEND: Told = (
    "sends",
    {
        "send_id": "s1",
        "customer_id": "anon:x",
        "at": SENT,
        "seen_at": SENT,
        "status": "sent",
        "scenario": "p",
        "step": "one",
    },
)
LINKED: Told = ("people", {"customer_id": "anon:x", "owner": "a", "at": BEGIN, "seen_at": BEGIN})
CLICK: Told = (
    "clicks",
    {
        "click_id": "k1",
        "customer_id": "anon:x",
        "at": SENT + dt.timedelta(days=2),
        "send_id": "s1",
        "agent": "person",
    },
)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(told=happened(), data=st.data())
@example(told=[ORDER, LATE, BACK, OTHERS, MERGED], data=[0, 1, 2, 0, 2])
@example(told=[ORDER, TO_FRIEND, LINKED], data=[0, 0, 2])
@example(told=[CLICK, TO_FRIEND], data=[0, 2])
def test_what_is_derived_does_not_depend_on_how_facts_came(told: list[Told], data: Any) -> None:
    if isinstance(data, list):
        batches, again = data, [len(told) - 1]
    else:
        batches = [data.draw(st.integers(0, len(MEASURED) - 1)) for _ in told]
        again = data.draw(st.lists(st.integers(0, max(0, len(told) - 1)), max_size=3)) if told else []
    parts = newest_of(told, batches)
    # What comes twice comes again at the very end, where nothing may have been said of it since.
    parts[-1] += [told[number] for number in again if told[number][0] != "sends"]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        measure_in_parts(root / "parts", parts)
        measure_in_parts(root / "whole", [[one for part in parts for one in part]])
        in_parts, whole = derived(root / "parts"), derived(root / "whole")
    for name, rows in whole.items():
        assert in_parts[name] == rows, name
