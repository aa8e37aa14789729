"""What the playbooks of one world share: caps, quiet hours, consent, holdout, sources, the dictionary, the messages.

A next playbook keeps most of them, and redraws some: what is in force counts, whatever a message was made with.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping
from random import Random

import msgspec

from functions.domain import playbook as pb
from functions.domain.caps import Period
from functions.domain.events import BUILT_IN, Amendment, EventType, PropertyType
from functions.domain.line_events import LINE_EVENTS
from functions.domain.segments import inlined, names_of, parse, segment_hash
from tests.fakes import playbooks as fakes
from tests.fakes.playbooks import DAY_SECONDS, QUIET, playbook

HOUR_SECONDS = 3600
SOURCE = "shop"
WEATHER = "weather"
AREA = "tokyo"
EXPERIMENTS = ({"a": 1, "b": 1}, {"a": 9, "b": 1}, {"a": 1, "b": 9})
MENUS = {"vip": "richmenu-vip"}
WORDS = pb.Preferences(stop_words=["停止"], resume_words=["再開"])
_REDRAWN = 0.25
FEW = (1, 3, 6)
LIMITED_WORLDS = 0.2
"""In so many worlds our own budget limits the month's messages, or a campaign run's."""
BREAKING_WORLDS = 0.25
APPROVING_WORLDS = 0.15

_CANCELLED = EventType(
    "an order was taken back",
    alias="cancellations",
    properties={"order_id": PropertyType("string", required=True)},
    amends=Amendment("purchase", "order_id"),
)
_PURCHASE = fakes.EVENTS["purchase"]
_EVENTS: dict[str, EventType] = {**fakes.EVENTS, "order_cancelled": _CANCELLED}
_UNSUMMED = {"order_id": PropertyType("string", required=True), "category": PropertyType("string")}
DICTIONARIES: tuple[dict[str, EventType], ...] = (
    _EVENTS,
    {**_EVENTS, "purchase": msgspec.structs.replace(_PURCHASE, properties=_UNSUMMED)},
    {**_EVENTS, "purchase": msgspec.structs.replace(_PURCHASE, keep_days=4)},
    {**_EVENTS, "order_cancelled": msgspec.structs.replace(_CANCELLED, amends=None)},
    {**_EVENTS, "visited": EventType("was in the shop", alias="visits", keep_days=2)},
)
"""Without sums and index, with a memory of single orders, with a correction that corrects nothing, with a word more."""
_NAMES = names_of({**BUILT_IN, **LINE_EVENTS, **DICTIONARIES[2]})

MESSAGES: dict[str, pb.Message] = {
    **fakes.MESSAGES,
    "coupon": msgspec.structs.replace(fakes.MESSAGES["coupon"], category="coupons"),
    "news": msgspec.structs.replace(fakes.MESSAGES["news"], category="news"),
    "umbrella": pb.Message(
        "promotion",
        "hash-umbrella",
        [{"type": "text", "text": "umbrella {{ weather }}"}],
        {"weather": "unknown"},
        category="coupons",
        slots={"weather": pb.Slot(WEATHER, key=AREA)},
    ),
}
_RAINY = f'context("{WEATHER}", "{AREA}") == "rain"'
_CONDITIONS = (
    "orders.count >= 2",
    '"vip" in tags',
    "days_since(orders.last_at) > 1",
    "carts.count >= 1",
    _RAINY,
)
_SEGMENTS = (
    {"lapsed": "orders.count >= 1 and days_since(orders.last_at) > 1", "vips": '"vip" in tags'},
    {"lapsed": "orders.count >= 1 and days_since(orders.last_at) > 2", "vips": "orders.count >= 2"},
)
_BUSY = "orders.count_in(days=2) >= 2"


def when(source: str) -> pb.Expression:
    """An expression's tree, under the richest of the dictionaries."""
    return inlined(parse(source, _NAMES), {})


class Rules(msgspec.Struct, frozen=True):
    """What stays the same in a world's playbooks, but for what the next one redraws."""

    caps: list[pb.Cap]
    quiet_hours: pb.QuietHours | None
    consent: dict[pb.Kind, list[str]]
    holdout: pb.Holdout | None
    sources: dict[str, pb.Source]
    exclusion_rules: dict[str, pb.Exclusion]
    events: dict[str, EventType]
    experiments: dict[str, pb.Experiment]
    segments: dict[str, str]
    price: pb.Price
    breaker: pb.Breaker | None
    approval_above: int | None

    @property
    def conditions(self) -> list[str]:
        """Expressions that the dictionary can answer."""
        return [*_CONDITIONS, *([_BUSY] if self.events["purchase"].keep_days else [])]


def random_rules(random: Random) -> Rules:
    """A world's rules."""
    return Rules(
        caps=_caps(random),
        quiet_hours=_quiet_hours(random),
        consent=_consent(random),
        holdout=_holdout(random),
        sources=_sources(random),
        exclusion_rules=_exclusion_rules(random),
        events=random.choice(DICTIONARIES),
        experiments=_experiments(random),
        segments=random.choice(_SEGMENTS),
        price=_price(random),
        breaker=_breaker(random),
        approval_above=random.choice((0, 0, 1)) if random.random() < APPROVING_WORLDS else None,
    )


def redrawn(random: Random, rules: Rules) -> Rules:
    """The rules of the next playbook: each may be another one."""
    fresh = random_rules(random)
    changed = {name: getattr(fresh, name) for name in Rules.__struct_fields__ if random.random() < _REDRAWN}
    for name in ("segments", "experiments"):
        if random.random() < 0.5:
            changed[name] = getattr(fresh, name)
    return msgspec.structs.replace(rules, **changed)


def _caps(random: Random) -> list[pb.Cap]:
    seconds = random.choice((6 * HOUR_SECONDS, DAY_SECONDS, 3 * DAY_SECONDS))
    caps = [pb.Cap("promotions", ["promotion"], random.choice((1, 1, 2)), seconds, _patience(random))]
    kinds: list[pb.Kind] = ["promotion", "notification"]
    if random.random() < 0.4:
        caps.append(pb.Cap("all", kinds, random.choice((1, 2, 3)), DAY_SECONDS, _patience(random)))
    if random.random() < 0.3:
        periods: tuple[Period, ...] = ("day", "day", "week")
        period = random.choice(periods)
        limit = random.choice((1, 1, 2))
        caps.append(pb.Cap(f"per_{period}", kinds, limit, 0, _patience(random), calendar=period))
    if random.random() < 0.3:
        kept = pb.Cap("coupons", ["promotion"], 1, 2 * DAY_SECONDS, _patience(random), categories=["coupons"])
        caps = [msgspec.structs.replace(caps[0], limit=3), *caps[1:], kept]
    return caps


def _patience(random: Random) -> int:
    return random.choice((0, DAY_SECONDS, 3 * DAY_SECONDS))


def _quiet_hours(random: Random) -> pb.QuietHours | None:
    return random.choice((None, QUIET, pb.QuietHours(dt.time(12, 0), dt.time(15, 0), ["promotion"])))


def _consent(random: Random) -> dict[pb.Kind, list[str]]:
    choices: list[dict[pb.Kind, list[str]]] = [
        {"promotion": ["marketing"]},
        {},
        {"promotion": ["marketing", "line"], "notification": ["service"]},
    ]
    return random.choice(choices)


def _holdout(random: Random) -> pb.Holdout | None:
    return random.choice(
        (None, None, None, pb.Holdout(50, ["promotion"]), pb.Holdout(40, ["notification", "promotion"]))
    )


def _sources(random: Random) -> dict[str, pb.Source]:
    if random.random() < 0.6:
        return {}
    return {SOURCE: pb.Source(random.choice((3 * HOUR_SECONDS, DAY_SECONDS, 2 * DAY_SECONDS)))}


def _exclusion_rules(random: Random) -> dict[str, pb.Exclusion]:
    return {"rest": pb.Exclusion(when("carts.count >= 2"), ["promotion"])} if random.random() < 0.2 else {}


def _experiments(random: Random) -> dict[str, pb.Experiment]:
    return {"first": pb.Experiment("appeal", random.choice(EXPERIMENTS))}


def _price(random: Random) -> pb.Price:
    """Mostly there is no limit of ours; else of messages or of yen, each message beyond the free ones at one yen."""
    drawn = random.random()
    if drawn < LIMITED_WORLDS / 3:
        return pb.Price(messages_max=random.choice(FEW), reserve_percent=random.choice((0, 5, 40)))
    if drawn < LIMITED_WORLDS:
        free, yen_max = random.choice((0, 2)), random.choice((None, *FEW))
        return pb.Price(
            yen_each=1, free_messages=free, yen_max=yen_max, reserve_percent=random.choice((0, 40))
        )
    return pb.Price()


def _breaker(random: Random) -> pb.Breaker | None:
    if random.random() >= BREAKING_WORLDS:
        return None
    return pb.Breaker(
        random.choice((30, 60)), random.choice((1, 2)), random.choice((DAY_SECONDS, 3 * DAY_SECONDS))
    )


def bound(
    rules: Rules, scenarios: Mapping[str, pb.Scenario], campaigns: Mapping[str, pb.Campaign]
) -> pb.Playbook:
    """A playbook of these rules, with the version that its content gives it."""
    sources = {"rainy": _RAINY, **rules.segments}
    segments = {
        name: pb.Segment(when(text), segment_hash(when(text)), text) for name, text in sources.items()
    }
    book = playbook(
        scenarios=scenarios,
        campaigns=campaigns,
        messages=MESSAGES,
        caps=rules.caps,
        quiet_hours=rules.quiet_hours,
        consent=rules.consent,
        experiments=rules.experiments,
        rich_menus=MENUS,
        holdout=rules.holdout,
    )
    book = msgspec.structs.replace(
        book,
        version="",
        segments={**book.segments, **segments},
        events=rules.events,
        sources=rules.sources,
        exclusion_rules=rules.exclusion_rules,
        links=pb.Links(insight=True),
        preferences=WORDS,
        price=rules.price,
        breaker=rules.breaker,
        approval_above=rules.approval_above,
    )
    return msgspec.structs.replace(book, version=hashlib.sha256(msgspec.json.encode(book)).hexdigest()[:16])
