"""A compiled playbook: what marketers wrote, validated, as the values that the flows decide with."""

import datetime as dt
from typing import Any, Literal

import msgspec

from functions.domain.events import EventType, Scalar

Kind = Literal["support", "notification", "promotion"]
Change = Literal["frequency", "appeal", "offer", "timing", "preview_text", "format"]
Expression = Any
"""A segment's tree as nested JSON lists; only `segments` looks inside."""


class Cap(msgspec.Struct, frozen=True, omit_defaults=True):
    """At most `limit` messages of these kinds in any rolling window; a refusal is held up to `hold_seconds_max`.

    `calendar`: where set, the window is the customer's own calendar day, ISO week or month instead of a rolling one, and
    `window_seconds` says nothing;
    `categories`: where given, only messages of these categories count and are held back.
    """

    id: str
    kinds: list[Kind]
    limit: int
    window_seconds: int
    hold_seconds_max: int = 0
    calendar: Literal["", "day", "week", "month"] = ""
    categories: list[str] = []


class Exclusion(msgspec.Struct, frozen=True):
    """Customers for whom the expression holds get no message of these kinds: support comes first."""

    when: Expression
    kinds: list[Kind]


class Holdout(msgspec.Struct, frozen=True):
    """So many percent of all people get no message of these kinds, so that the rest can be compared with them."""

    percent: float
    kinds: list[Kind]


class Expect(msgspec.Struct, frozen=True, omit_defaults=True):
    """Files that a source sends: one within every so many seconds, by a local time where one is told, each with about as
    many rows as usual, give or take so many percent."""

    every_seconds: int
    by: dt.time | None = None
    rows_within: float | None = None


class Source(msgspec.Struct, frozen=True, omit_defaults=True):
    """A source of events, and how old its data may be before nothing that rests on it is sent."""

    fresh_seconds: int
    expect: Expect | None = None


class Price(msgspec.Struct, frozen=True, omit_defaults=True):
    """What messages cost: `free_messages` a month are paid with the plan (`plan_yen`), each further one `yen_each`.

    None: no limit of ours on messages or yen a month. `reserve_percent`: so much of the tightest limit each tier of
    messages leaves to every tier that matters more (functions/domain/money.py).
    """

    plan_yen: int = 0
    free_messages: int = 0
    yen_each: float = 0.0
    messages_max: int | None = None
    yen_max: int | None = None
    reserve_percent: int = 5


class Breaker(msgspec.Struct, frozen=True, omit_defaults=True):
    """A campaign, scenario or segment stops where, of at least `sends_min` messages, more than `block_rate_percent` were
    followed by a block within the window."""

    block_rate_percent: float = 2.0
    sends_min: int = 200
    window_seconds: int = 86_400


class ConsentAsked(msgspec.Struct, frozen=True, omit_defaults=True):
    """A purpose that people are asked to agree to where they link, in the words of a version; English where there is any."""

    purpose: str
    version: str
    text: str
    text_en: str = ""


class Linking(msgspec.Struct, frozen=True, omit_defaults=True):
    """`conflict`: of a LINE user whom two customers claim somebody decides, or the first keeps it, or it moves to the last.

    `several_line_users`: of a customer's LINE users all stay linked (messages go to the one linked last), or the newest
    alone does, or somebody decides on each further one.
    `login_page`: the shop's own login, to which the account-link dialog leads; `return_to`: the only origins that pages
    lead back to; `consent`: what people are asked on the page; `reward`: whether the shop may ask for a reward.
    """

    conflict: Literal["review", "keep", "move"] = "review"
    several_line_users: Literal["all", "newest", "review"] = "all"
    login_page: str = ""
    return_to: list[str] = []
    consent: list[ConsentAsked] = []
    reward: bool = False


class QuietHours(msgspec.Struct, frozen=True):
    """Local times between which messages of these kinds wait; the window may pass midnight."""

    start: dt.time
    end: dt.time
    kinds: list[Kind]


class Preferences(msgspec.Struct, frozen=True, omit_defaults=True):
    """What people may choose for themselves. `stop_words` and `resume_words`, typed in the chat, withdraw and give consent
    to the purpose `stops`; `topics`: categories of messages with the names that the page shows; `hours`: whether the page
    offers hours."""

    stop_words: list[str] = []
    resume_words: list[str] = []
    stops: Literal["promotion", "all"] = "promotion"
    topics: dict[str, str] = {}
    hours: bool = False


class Segment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A named predicate. `hash` names its meaning: a changed expression is another segment."""

    when: Expression
    hash: str
    source: str
    meaning: str = ""


class Slot(msgspec.Struct, frozen=True, omit_defaults=True):
    """A variable filled from a context fact: fact `context` under the key that the attribute `by` holds, or `key`."""

    context: str
    by: str = ""
    key: str = ""


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is said: LINE message objects whose texts are templates, and the values they fall back to.

    `slots` are variables that come from context facts; each has its fallback in `fallbacks` too. `addresses` are variables
    that are made for each reader (functions/domain/addresses.py); `tracked`: so are its links (functions/domain/tracked_links.py).
    Such a message is told to nobody together with others.
    """

    kind: Kind
    hash: str
    content: list[dict[str, Any]]
    fallbacks: dict[str, Any] = {}
    removes: str = ""
    discount_reason: str = ""
    category: str = ""
    slots: dict[str, Slot] = {}
    addresses: list[str] = []
    tracked: bool = False

    @property
    def is_personal(self) -> bool:
        """Whether every reader's is another one, whatever their values are."""
        return self.tracked or bool(self.addresses)


class Option(msgspec.Struct, frozen=True, omit_defaults=True):
    """One answer that may be chosen, what the button says, and the tag of those who choose it."""

    value: str
    label: str
    tag: str = ""


QuestionKind = Literal["choice", "multiple", "free", "date"]


class Question(msgspec.Struct, frozen=True, omit_defaults=True):
    """One question of a survey. `attribute` bears the answer; of several answers at once, one each: attribute_value."""

    key: str
    kind: QuestionKind
    attribute: str
    options: list[Option] = []
    skip: bool = False


class Survey(msgspec.Struct, frozen=True):
    """Questions asked in the chat. `hash`: 8 hex digits that name these very questions; their texts are messages."""

    hash: str
    questions: list[Question]


class Send(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="op", tag="send"):
    """Intend one message. `tolerance_seconds`: how overdue the step may be; after `expires_seconds` it is never pushed."""

    name: str
    message: str
    tolerance_seconds: int
    expires_seconds: int
    hold_seconds_max: int | None = None


class WaitFor(msgspec.Struct, frozen=True, tag_field="op", tag="wait_for"):
    """Wait for a duration from the moment at which the journey got here."""

    seconds: int


class WaitUntilLocal(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="op", tag="wait_until_local"):
    """Wait for a local time: on the `day`-th calendar day after entry, or (day null) its next occurrence."""

    at: dt.time
    day: int | None = None


class WaitForEvent(msgspec.Struct, frozen=True, tag_field="op", tag="wait_for_event"):
    """Wait for an event; on with `on_event` when it comes, with `on_timeout` when it does not."""

    event: str
    timeout_seconds: int
    on_event: int
    on_timeout: int


class WaitUntil(msgspec.Struct, frozen=True, tag_field="op", tag="wait_until"):
    """Wait until the expression holds, by an event or by time; on with `on_true`, or with `on_timeout` if it never does."""

    until: Expression
    timeout_seconds: int
    on_true: int
    on_timeout: int


class Branch(msgspec.Struct, frozen=True, tag_field="op", tag="branch"):
    """Go to the first case whose expression holds, else to `otherwise`. Targets are step numbers, always ahead."""

    cases: list[tuple[Expression, int]]
    otherwise: int


class Goto(msgspec.Struct, frozen=True, tag_field="op", tag="goto"):
    """Go on at a step ahead."""

    to: int


class SetTag(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="op", tag="set_tag"):
    """Add a tag to the customer, or take it away."""

    tag: str
    remove: bool = False


class SetAttribute(msgspec.Struct, frozen=True, tag_field="op", tag="set_attribute"):
    """Set an attribute of the customer."""

    name: str
    value: Scalar


class Split(msgspec.Struct, frozen=True, tag_field="op", tag="split"):
    """Go the way of the customer's variant of an experiment: `arms` are (variant, step number), always ahead."""

    experiment: str
    arms: list[tuple[str, int]]


class RichMenu(msgspec.Struct, frozen=True, tag_field="op", tag="rich_menu"):
    """Show the customer one of the playbook's rich menus; empty: the account's default again."""

    menu: str


class End(msgspec.Struct, frozen=True, tag_field="op", tag="end"):
    """The journey ends here."""


Wait = WaitFor | WaitUntilLocal | WaitForEvent | WaitUntil
Step = Send | Wait | Branch | Split | Goto | SetTag | SetAttribute | RichMenu | End


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """What starts a journey: an event, or entering (`on` = "entered") or leaving a segment.

    It is no older than `fresh_seconds`, and `when` must hold then. Exactly one of `event` and `segment` is set.
    """

    event: str
    fresh_seconds: int
    when: Expression | None = None
    segment: str = ""
    on: Literal["entered", "left"] = "entered"


class Scenario(msgspec.Struct, frozen=True, omit_defaults=True):
    """Steps with jumps resolved to step numbers, all ahead: a journey that does not wait comes to its end.

    `reentry_seconds`: None is once ever; else how long after the last entry the next is allowed. `not_with`: no entry
    while a journey through one of these scenarios goes on; `replaces`: journeys through these end when one begins here.
    `migrate`: what becomes of running journeys of older versions (None: they stay): old step name → the step name here
    at which they go on; steps that are not named go on at the step of the same name. `needs`: sources that must be
    fresh; `holdout_percent`: so many percent of people go through it without getting its messages.
    """

    entry: Entry
    steps: list[Step]
    rank: int
    desired_action: str
    target: str
    owner: str
    on: bool = True
    reentry_seconds: int | None = None
    exit: Expression | None = None
    goal: Expression | None = None
    not_with: list[str] = []
    replaces: list[str] = []
    migrate: dict[str, str] | None = None
    needs: list[str] = []
    holdout_percent: float = 0.0


class Experiment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A comparison of variants that differ in exactly one thing. `variants`: name → weight; buckets are stable.

    `goal` says for people what decides; `measures` names the goal of `Measure` that is counted, empty for its first.
    """

    changes: Change
    variants: dict[str, int]
    goal: str = ""
    owner: str = ""
    measures: str = ""


class Goal(msgspec.Struct, frozen=True, omit_defaults=True):
    """What messages are sent for: an event within so long after one. `when_number`: only somebody's so-manieth order."""

    event: str
    within_seconds: int
    when_number: int | None = None


class Measure(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an order is, and what it brings. `order`: the event (empty: there are no orders), `id`, `value`, `category` and
    `item` its properties (empty: it has none).

    Gross profit is `margin_percent` of the amount, or the property `profit`; all of the amount where neither is given.
    `coupon_value` of `coupon_event` is what a coupon cost; who has not ordered for longer than `dormant_seconds` is
    dormant; the first of `goals` is what KPIs mean where they name none. `view_item` of `view_event` is what was looked at.
    """

    order: str = ""
    id: str = ""
    value: str = ""
    category: str = ""
    item: str = ""
    margin_percent: float | None = None
    profit: str = ""
    coupon_event: str = ""
    coupon_value: str = ""
    dormant_seconds: int = 180 * 86_400
    goals: dict[str, Goal] = {}
    view_event: str = ""
    view_item: str = ""


class Alerts(msgspec.Struct, frozen=True, omit_defaults=True):
    """From where on somebody is told (functions/measure/alerts.py); less than `messages_min` messages say nothing.

    `silent_seconds`: how long people who have bought may stay away as a day's buyers usually do; coupons that are `issued`
    and not `used` (events, tied by the property `coupon_id`) within `coupon_seconds`; so many steps of a scenario without
    a single click.
    """

    on: bool = True
    block_rate_percent: float = 2.0
    failures_percent: float = 2.0
    silent_seconds: int = 30 * 86_400
    coupon_issued: str = "coupon_issued"
    coupon_used: str = "coupon_used"
    coupon_id: str = "coupon_id"
    coupon_seconds: int = 14 * 86_400
    coupon_unused_percent: float = 95.0
    steps_unclicked: int = 3
    messages_min: int = 50


class Weekly(msgspec.Struct, frozen=True):
    """Every week on a day (0 is Monday) at a local time of the playbook's zone."""

    weekday: int
    at: dt.time


class Campaign(msgspec.Struct, frozen=True, omit_defaults=True):
    """A scheduled send of one message to a segment. `once` is a UTC instant; otherwise `weekly` says when.

    `yen_max`: what one run may cost, each message at the price's `yen_each`.
    """

    segment: str
    message: str
    rank: int
    expires_seconds: int
    owner: str
    on: bool = True
    weekly: Weekly | None = None
    once: dt.datetime | None = None
    hold_seconds_max: int | None = None
    needs: list[str] = []
    holdout_percent: float = 0.0
    yen_max: int | None = None


class Links(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tracked links: where they may lead (origins), for how long they are good, and whether those in texts are tracked too.

    `insight`: whether sends bear LINE's aggregation units, so that LINE tells how often they were opened.
    """

    track: bool = False
    expires_seconds: int = 30 * 86_400
    to: list[str] = []
    in_text: bool = False
    insight: bool = False


class Retention(msgspec.Struct, frozen=True, omit_defaults=True):
    """How long rows are kept, in seconds; None: for good. Of `events` by name, those of the playbook's own dictionary are
    folded into a base by the time they happened; others end by wall time after they were kept."""

    sends_seconds: int | None = None
    events: dict[str, int] = {}


class Playbook(msgspec.Struct, frozen=True, omit_defaults=True):
    """The whole of it. `version` is the hash of everything else; `consent` maps a kind to the purposes that allow it.

    A lower `rank` goes first. An empty list of purposes needs no consent; a withdrawal always counts. `exclusions` maps
    a case flag to the kinds that an open case stops, `exclusion_rules` a name to an expression that does; `rich_menus`
    maps the playbook's names to LINE's menu ids; a campaign run for more than `approval_above` people waits for approval.
    `follow_again`: what becomes of an erased LINE user who follows again. `format`: the first stored format whose code heeds
    all that this very playbook says (functions/domain/stored.py); who compiles a word of a newer one raises it.
    """

    version: str
    name: str
    zone: str
    caps: list[Cap]
    quiet_hours: QuietHours | None
    consent: dict[Kind, list[str]]
    exclusions: dict[str, list[Kind]]
    events: dict[str, EventType]
    segments: dict[str, Segment]
    scenarios: dict[str, Scenario]
    campaigns: dict[str, Campaign]
    messages: dict[str, Message]
    exclusion_rules: dict[str, Exclusion] = {}
    holdout: Holdout | None = None
    sources: dict[str, Source] = {}
    price: Price = Price()
    experiments: dict[str, Experiment] = {}
    rich_menus: dict[str, str] = {}
    breaker: Breaker | None = Breaker()
    approval_above: int | None = None
    follow_again: Literal["stay_out", "new_person"] = "stay_out"
    retention: Retention = Retention()
    preferences: Preferences = Preferences()
    linking: Linking = Linking()
    surveys: dict[str, Survey] = {}
    measure: Measure = Measure()
    links: Links = Links()
    alerts: Alerts = Alerts()
    format: int = 1

    @property
    def folded_away(self) -> dict[str, int]:
        """For how many seconds counted events are kept, of those that have a retention."""
        return {name: seconds for name, seconds in self.retention.events.items() if name in self.events}

    def ends_after(self, name: str) -> int | None:
        """After how many seconds the row of an event that no profile counts ends by itself; None: never."""
        return None if name in self.events else self.retention.events.get(name)
