"""Five months of a shop with messages, clicks, blocks, an experiment and a holdout: small, made by a seed, and lively
enough that every block of every report has something to say."""

import datetime as dt
import json
import random
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import pandas as pd

from functions.domain import playbook as pb
from functions.domain.alerts import Alert
from functions.domain.experiments import is_held_out
from functions.domain.facts import TABLES
from functions.measure.deriving import derive
from functions.measure.flow import Measured
from functions.measure.folder_lake import FolderLake
from functions.measure.workspace import opened
from functions.playbook import load_playbook
from ops.recount.happened import Happened
from ops.reports.source import Surroundings
from ops.versions import Version

ZONE = ZoneInfo("Asia/Tokyo")
FIRST, LAST = dt.date(2026, 2, 1), dt.date(2026, 5, 31)
MEASURED = (dt.date(2026, 4, 30), LAST)
PEOPLE = 1_500
CATEGORIES = ("スキンケア", "ヘアケア", "食品", "日用品")
SOURCES = {
    "onboarding": ("support", ("welcome", "first_success")),
    "second_purchase": ("notification", ("day1_support", "day7_related", "day14_coupon")),
    "churn_prevention": ("promotion", ("check", "news")),
    "win_back": ("promotion", ("help", "coupon")),
    "upsell": ("promotion", ("perk",)),
}
REASONS = (
    "capped:promotion_weekly",
    "quiet_hours",
    "no_consent",
    "outranked",
    "unreachable",
    "excluded:inquiry",
)
EXPERIMENT = "upsell_perk"
HELD_OUT_PERCENT = 20.0
_NOTHING: dict[str, Any] = {
    "VARCHAR": "",
    "BOOLEAN": False,
    "BIGINT": 0,
    "TIMESTAMP": pd.Timestamp("2026-01-01"),
    "VARCHAR[]": [],
}


class Facts(NamedTuple):
    """Frames by table; `at` is UTC without a zone."""

    tables: dict[str, pd.DataFrame]

    def happened(self) -> Happened:
        """The same, for a recount: with properties as they are, not as JSON."""
        events = self.tables["events"]
        told = {name: self.tables[name] for name in Happened._fields}
        return Happened(**told | {"events": events.assign(properties=events["properties"].map(json.loads))})


@cache
def book() -> pb.Playbook:
    """The shop's playbook, with a budget and limits."""
    found = load_playbook(Path(__file__).parents[3] / "playbooks" / "ec")
    return msgspec.structs.replace(
        found,
        holdout=pb.Holdout(HELD_OUT_PERCENT, ["promotion"]),
        price=pb.Price(plan_yen=15_000, free_messages=2_000, yen_each=3, messages_max=12_000, yen_max=20_000),
    )


@cache
def earlier_book() -> pb.Playbook:
    """What was in force before the last week."""
    now = book()
    upsell = msgspec.structs.replace(now.scenarios["upsell"], on=False)
    caps = [
        msgspec.structs.replace(cap, limit=2) if cap.id == "promotion_weekly" else cap for cap in now.caps
    ]
    picks = now.messages["weekly_picks"]
    content = json.loads(json.dumps(picks.content, ensure_ascii=False).replace("今週", "先週"))
    return msgspec.structs.replace(
        now,
        version="0" * 12,
        scenarios={**now.scenarios, "upsell": upsell},
        caps=caps,
        messages={
            **now.messages,
            "weekly_picks": msgspec.structs.replace(picks, content=content, hash="old"),
        },
    )


def never_promoted(who: str) -> bool:
    """Whether the whole account's holdout has this person."""
    return is_held_out(book(), "", "promotion", who)


class _Maker:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
        self.number = 0

    def make(self) -> Facts:
        for place in range(PEOPLE):
            self._person(f"c{place:04}", place)
        self._insight()
        frames = {name: pd.DataFrame(rows) for name, rows in self.rows.items() if rows}
        end = (
            dt.datetime.combine(LAST + dt.timedelta(days=1), dt.time(), ZONE)
            .astimezone(dt.UTC)
            .replace(tzinfo=None)
        )
        return Facts(
            {name: frame[frame["at"] < end].reset_index(drop=True) for name, frame in frames.items()}
        )

    def _next(self) -> str:
        self.number += 1
        return f"{self.number:06}"

    def _at(self, day: dt.date, hour: int = 12) -> dt.datetime:
        local = dt.datetime.combine(day, dt.time(hour, self.random.randrange(60)), ZONE)
        return local.astimezone(dt.UTC).replace(tzinfo=None)

    def _person(self, who: str, place: int) -> None:
        draw = self.random
        begin = FIRST + dt.timedelta(days=draw.randrange(115))
        held_out = never_promoted(who)
        self._row(
            "people", customer_id=who, owner=who, unit=who, linked=place % 4 != 3, at=self._at(begin, 9)
        )
        self._row(
            "friendships", event_id=self._next(), customer_id=who, at=self._at(begin, 10), change="follow"
        )
        keen = draw.random()
        day = begin + dt.timedelta(days=draw.randrange(1, 6))
        buys = 0
        while day <= LAST:
            self._order(who, day, buys)
            buys += 1
            chance = 0.35 + 0.45 * keen + (0.0 if held_out else 0.08)
            if draw.random() > chance:
                break
            day += dt.timedelta(days=int(draw.expovariate(1 / 26)) + 3)
        self._messages(who, place, begin, held_out=held_out)
        if place % 5 == 0:
            self._row(
                "memberships",
                customer_id=who,
                segment="vip" if keen > 0.6 else "repeat",
                change="entered",
                at=self._at(begin, 13),
            )

    def _order(self, who: str, day: dt.date, number: int) -> None:
        draw = self.random
        order = f"o{self._next()}"
        amount = int(draw.lognormvariate(8.4, 0.45) * (1 + 0.06 * number))
        self._event(who, "purchase", day, 20, order_id=order, amount=amount, category=draw.choice(CATEGORIES))
        if draw.random() < 0.03:
            self._event(who, "order_cancelled", day + dt.timedelta(days=1), 9, order_id=order)
        if draw.random() < 0.15:
            self._event(who, "coupon_used", day, 20, coupon_id=f"k{order}", amount=300)

    def _event(self, who: str, name: str, day: dt.date, hour: int, **properties: Any) -> None:
        self._row(
            "events", event_id=self._next(), customer_id=who, name=name, at=self._at(day, hour), status="confirmed",
            source="shop", imported=False, properties=json.dumps(properties, ensure_ascii=False),
        )  # fmt: skip

    def _messages(self, who: str, place: int, begin: dt.date, *, held_out: bool) -> None:
        draw = self.random
        day, offset = begin, 0
        names = list(SOURCES)
        while day <= LAST:
            weekly = day.weekday() == 4 and day.day <= 7
            name = names[offset % len(names)] if not weekly else "weekly"
            kind, steps = SOURCES.get(name, ("promotion", ("weekly",)))
            self._message(who, place, day, name, kind, steps[offset // 5 % len(steps)], held_out=held_out)
            offset += 1
            day += dt.timedelta(days=draw.randrange(5, 16))

    def _message(
        self, who: str, place: int, day: dt.date, name: str, kind: str, step: str, *, held_out: bool
    ) -> None:
        draw = self.random
        send, at = f"s{self._next()}", self._at(day, draw.choice([7, 12, 20]))
        out = held_out and kind == "promotion"
        if out:
            status, reason = "suppressed", "holdout"
        else:
            status = draw.choices(["sent", "suppressed", "failed", "unknown"], [83, 15, 1, 1])[0]
            reason = draw.choices(REASONS, [40, 20, 12, 12, 10, 6])[0] if status == "suppressed" else ""
        variant = ""
        if name == "upsell":
            variant = "sample" if place % 2 else "free_shipping"
            self._row(
                "exposures",
                unit=who,
                experiment=EXPERIMENT,
                customer_id=who,
                variant=variant,
                at=at,
                playbook="p",
            )
        is_campaign = name == "weekly"
        self._row(
            "sends", send_id=send, customer_id=who, unit=who, at=at, made_at=at, status=status, reason=reason, kind=kind,
            category="coupon" if "coupon" in step else "", scenario="" if is_campaign else name,
            campaign="weekly" if is_campaign else "", run=f"weekly@{day}" if is_campaign else "", step=step,
            experiment=EXPERIMENT if variant else "", variant=variant, message=step, message_hash="h", playbook="p",
            held_out=out, holds=0,
        )  # fmt: skip
        if status != "sent":
            return
        clicks = {"churn_prevention": 0.03, "onboarding": 0.28}.get(name, 0.16)
        if draw.random() < clicks:
            self._row(
                "clicks", click_id=self._next(), customer_id=who, at=at + dt.timedelta(minutes=draw.randrange(1, 900)),
                send_id=send, link="main", variant=variant, scenario="" if is_campaign else name,
                campaign="weekly" if is_campaign else "", step=step, agent="person",
            )  # fmt: skip
        if draw.random() < (0.02 if name == "win_back" else 0.004):
            self._row(
                "friendships",
                event_id=self._next(),
                customer_id=who,
                at=at + dt.timedelta(hours=2),
                change="block",
            )

    def _insight(self) -> None:
        sent = pd.DataFrame(self.rows["sends"])
        sent = sent[sent["status"] == "sent"]
        for (scenario, campaign, day), group in sent.groupby(["scenario", "campaign", sent["at"].dt.date]):
            opened = len(group) * (0.22 if scenario == "win_back" else 0.6)
            self._row(
                "insight", unit=f"u{scenario}{campaign}", scenario=scenario, campaign=campaign, step="", run="",
                day_of=f"{day}", delivered=len(group), opened=int(opened), clicked=None, at=pd.Timestamp(f"{day}T03:00"),
            )  # fmt: skip

    def _row(self, table: str, **values: Any) -> None:
        self.rows[table].append({**values, "seen_at": values["at"]})


@cache
def facts(seed: int = 7) -> Facts:
    """The whole of it."""
    return _Maker(seed).make()


def local_days(frame: pd.DataFrame) -> pd.Series:
    """The local day of each row's `at`."""
    return frame["at"].dt.tz_localize("UTC").dt.tz_convert(ZONE).dt.date  # type: ignore[no-any-return]


def fill(root: Path, made: Facts) -> FolderLake:
    """A lake with the facts in it, measured on the days of MEASURED as the nights would have."""
    lake = FolderLake(root)
    with opened(lake) as workspace:
        for name, frame in made.tables.items():
            table = TABLES[name]
            for day, group in frame.groupby(local_days(frame)):
                full = group.drop_duplicates(list(table.key))
                for column in table.columns:
                    if column.name not in full and not column.nullable:
                        full = full.assign(**{column.name: _NOTHING[column.type]})
                workspace.connection.register("frame_of_rows", full)
                workspace.publish(table, day, "SELECT * FROM frame_of_rows")
                workspace.connection.unregister("frame_of_rows")
    touched: frozenset[dt.date] = frozenset()
    for day in MEASURED:
        with opened(lake) as workspace:
            now = dt.datetime.combine(day, dt.time(19), dt.UTC)
            derive(Measured(day, touched, workspace, book(), "Asia/Tokyo", now, lake))
    return lake


def around(alerts: list[Alert] | None = None) -> Surroundings:
    """Two versions: the first long ago, the second in the last week, with a reason."""
    books = {book().version: book(), earlier_book().version: earlier_book()}
    return Surroundings(
        playbook=book(),
        now=dt.datetime(2026, 5, 31, 19, tzinfo=dt.UTC),
        versions=[
            Version(
                earlier_book().version,
                "ec",
                dt.datetime(2025, 12, 20, 3, tzinfo=dt.UTC),
                by="arn:aws:iam::1:user/hanako",
            ),
            Version(
                book().version,
                "ec",
                dt.datetime(2026, 5, 27, 2, tzinfo=dt.UTC),
                by="arn:aws:iam::1:user/hanako",
                why="アップセルを試し、週2通は多いという声に応える",
            ),
        ],
        playbook_of=books.get,
        dead_letters={"inbox": 0, "send": 2},
        alerts=alerts
        if alerts is not None
        else [
            Alert(
                "block_rate",
                dt.date(2026, 5, 31),
                "scenario",
                "win_back",
                0.034,
                0.02,
                118,
                "limit",
                dt.datetime(2026, 5, 31, 19, tzinfo=dt.UTC),
            ),
            Alert(
                "stale",
                dt.date(2026, 5, 29),
                "source",
                "shop",
                31.0,
                26.0,
                0,
                "limit",
                dt.datetime(2026, 5, 29, 19, tzinfo=dt.UTC),
            ),
        ],
    )
