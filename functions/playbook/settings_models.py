"""playbook.yaml as pydantic models: caps, quiet hours, consent, exclusions, holdout, sources, price, breaker, approval,
linking, links."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from functions.domain.events import BUILT_IN, CASE_FLAGS
from functions.domain.line_events import LINE_EVENTS
from functions.domain.linking_attempts import origin_of
from functions.domain.playbook import Kind
from functions.domain.preferences import folded_text
from functions.playbook.alert_models import AlertsForm
from functions.playbook.measure_models import MeasureForm
from functions.playbook.models import DAY_SECONDS, DEFAULT_MENU, Form
from functions.playbook.quantities import Clock, Duration, Name, Percent, Retained, Share, Text, Zone

WINDOW_HOURS_MAX = 72
LINK_DAYS = 30
LINK_DAYS_MAX = 365
RETENTION_DAYS_MIN = 35
"""A message lives for 8 days and a dead letter for 14; a month's caps look back 31."""
FLAGS = frozenset(flag for flag, _ in CASE_FLAGS.values())


class CapForm(Form):
    """`{id, kinds, limit, window, hold_up_to}`: how many of these kinds in any rolling window; `calendar: day`, `week`
    or `month` instead of a window goes by the customer's calendar; `categories` narrows it to messages of these."""

    id: Name
    kinds: list[Kind] = Field(min_length=1)
    categories: list[Name] = Field(default_factory=list)
    limit: int = Field(ge=1, le=1000)
    window: Duration | None = None
    calendar: Literal["day", "week", "month"] | None = None
    hold_up_to: Duration | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.window is None) == (self.calendar is None):
            raise ValueError("write window: 7d for a rolling window, or calendar: week; one of the two")
        return self


class ExclusionForm(Form):
    """`[kinds]` for an open case, or `{when, kinds}`: for whom the expression holds."""

    kinds: list[Kind] = Field(min_length=1)
    when: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"kinds": value} if isinstance(value, list) else value


class HoldoutForm(Form):
    """`{percent, kinds}`: so many of all people get none of these."""

    percent: float = Field(gt=0, lt=100)
    kinds: list[Kind] = Field(min_length=1)


class ExpectForm(Form):
    """`{every: 1d, by: "06:00", rows_within: 50%}`: a file within every so long, by a local time, as long as usual."""

    every: Duration
    by: Clock | None = None
    rows_within: Share | None = None

    @model_validator(mode="after")
    def _days(self) -> Self:
        if self.by is not None and self.every % 86_400:
            raise ValueError(
                "by is a time of the day: write every: 1d, or another number of days, or leave by out"
            )
        return self


class SourceForm(Form):
    """`{fresh_for, expect}`: how old the data of a source may be, and the files that it sends where it sends files."""

    fresh_for: Duration
    expect: ExpectForm | None = None


class PriceForm(Form):
    """LINE's plan (`plan_yen` a month for `free_messages`, each further one `yen_each`) and limits of one's own."""

    plan_yen: int = Field(default=0, ge=0)
    free_messages: int = Field(default=0, ge=0)
    yen_each: float = Field(default=0, ge=0)
    messages_max: int | None = Field(default=None, ge=1)
    yen_max: int | None = Field(default=None, ge=1)
    reserve_percent: int = Field(default=5, ge=0, le=40)

    @model_validator(mode="after")
    def _affordable(self) -> Self:
        if self.yen_max is not None and self.yen_max < self.plan_yen:
            raise ValueError(
                f"yen_max is {self.yen_max}, and the plan alone costs {self.plan_yen}; raise it, or take it out"
            )
        return self


class BreakerForm(Form):
    """`{block_rate_percent, sends_min, window}`: what more people block the account after is stopped until it is resumed."""

    on: bool = True
    block_rate_percent: Percent = 2.0
    sends_min: int = Field(default=200, ge=20)
    window: Duration = 86_400

    @field_validator("window")
    @classmethod
    def _short(cls, seconds: int) -> int:
        if seconds > WINDOW_HOURS_MAX * 3600:
            raise ValueError(f"a block so late says little of a message; write {WINDOW_HOURS_MAX}h or less")
        return seconds


class ApprovalForm(Form):
    """`{above}`: a campaign for more people than these waits until somebody else approves it."""

    above: int = Field(ge=0)


class ConsentAskedForm(Form):
    """`{purpose, version, text, text_en}`: a check box of the linking page. Other words are another version."""

    purpose: Name
    version: Annotated[str, Field(min_length=1, max_length=64)]
    text: Text
    text_en: str = ""


class LinkingForm(Form):
    """`{conflict, several_line_users}`: what becomes of a LINE user whom two customers claim (`review`: somebody decides;
    `keep`: the first; `move`: the last), and of a customer's second LINE user (`all` stay linked, and messages go to the
    one linked last; `newest`: the others are unlinked; `review`: somebody decides).

    `login_page`: the shop's own login page; `return_to`: origins that pages lead back to; `consent`: what people are
    asked to agree to on the page; `reward`: whether the shop's server may ask for a reward."""

    conflict: Literal["review", "keep", "move"] = "review"
    several_line_users: Literal["all", "newest", "review"] = "all"
    login_page: str = ""
    return_to: list[Text] = Field(default_factory=list, max_length=20)
    consent: list[ConsentAskedForm] = Field(default_factory=list, max_length=10)
    reward: bool = False

    @field_validator("login_page")
    @classmethod
    def _is_page(cls, address: str) -> str:
        if address and origin_of(address) is None:
            raise ValueError("this is no address of a page; write it like https://shop.example/login")
        return address

    @field_validator("return_to")
    @classmethod
    def _are_origins(cls, addresses: list[str]) -> list[str]:
        return _origins(addresses)

    @field_validator("consent")
    @classmethod
    def _purposes_once(cls, consent: list[ConsentAskedForm]) -> list[ConsentAskedForm]:
        _once("purpose", [one.purpose for one in consent])
        return consent


class LinksForm(Form):
    """`{track, expires, to, in_text, insight}`: whether links are tracked, for how long they are good, and the origins
    that they may lead to; `in_text`: also those that stand in texts; `insight`: whether LINE counts what was opened."""

    track: bool = False
    expires: Duration = LINK_DAYS * DAY_SECONDS
    to: list[Text] = Field(default_factory=list, max_length=20)
    in_text: bool = False
    insight: bool = False

    @field_validator("expires")
    @classmethod
    def _bounded(cls, seconds: int) -> int:
        if not DAY_SECONDS <= seconds <= LINK_DAYS_MAX * DAY_SECONDS:
            raise ValueError(
                f"a link is good for a day at least and for {LINK_DAYS_MAX} at most; write expires: {LINK_DAYS}d"
            )
        return seconds

    @field_validator("to")
    @classmethod
    def _are_origins(cls, addresses: list[str]) -> list[str]:
        return _origins(addresses)

    @model_validator(mode="after")
    def _lead_somewhere(self) -> Self:
        if self.track and not self.to:
            raise ValueError(
                "tracked links lead to named origins alone; write to: [https://shop.example], or track: false"
            )
        return self


class ErasureForm(Form):
    """`{follow_again}`: whether an erased LINE user who follows again is a new, anonymous person, or stays unknown."""

    follow_again: Literal["stay_out", "new_person"] = "stay_out"


class RetentionForm(Form):
    """`{sends, events}`: how long the send log, and each kind of event, are kept."""

    sends: Retained | None = None
    events: dict[Name, Retained] = Field(default_factory=dict)

    @field_validator("sends")
    @classmethod
    def _outlives_copies(cls, seconds: int | None) -> int | None:
        if seconds is not None:
            _long_enough(seconds)
        return seconds

    @field_validator("events")
    @classmethod
    def _may_go(cls, kinds: dict[str, int]) -> dict[str, int]:
        for name, seconds in kinds.items():
            _long_enough(seconds)
            if name in BUILT_IN or name in LINE_EVENTS:
                raise ValueError(
                    f"{name} says how things stand, who is who or what was agreed to, and an undo reads it again, "
                    "so it is kept for good; take it out"
                )
        return kinds


def _long_enough(seconds: int) -> None:
    if seconds < RETENTION_DAYS_MIN * 86_400:
        raise ValueError(
            f"a dead letter may bring a copy back after weeks, and is known by what is kept; write {RETENTION_DAYS_MIN}d or more"
        )


class WordsForm(Form):
    """Words that, typed in the chat as a whole message, stop promotions or let them come again."""

    stop: list[Text] = Field(default_factory=list)
    resume: list[Text] = Field(default_factory=list)


class PreferencesForm(Form):
    """`{words, stops, topics, hours}`: what people may choose for themselves, by a word or on their page."""

    words: WordsForm = WordsForm()
    stops: Literal["promotion", "all"] = "promotion"
    topics: dict[Name, Text] = Field(default_factory=dict)
    hours: bool = False

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        both = {folded_text(word) for word in self.words.stop} & {
            folded_text(word) for word in self.words.resume
        }
        if both:
            raise ValueError(
                f"{', '.join(sorted(both))} both stops and resumes; take it out of one of the two"
            )
        if self.words.stop and not self.words.resume:
            raise ValueError(
                "there is no way back; write the words that let messages come again: words: {resume: [配信再開]}"
            )
        return self


class QuietForm(Form):
    """`{from, to, kinds}`: local times between which these kinds wait."""

    start: Clock = Field(alias="from")
    end: Clock = Field(alias="to")
    kinds: list[Kind] = Field(min_length=1)

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.start == self.end:
            raise ValueError(
                "quiet hours begin and end at the same time, so there are none; take them out or mend them"
            )
        return self


class ConsentForm(Form):
    """Which purposes allow each kind; an empty list needs none. All three are said, so that none is forgotten."""

    promotion: list[Name]
    notification: list[Name]
    support: list[Name]


class SettingsForm(Form):
    """playbook.yaml."""

    account: Name
    zone: Zone = "Asia/Tokyo"
    caps: list[CapForm] = Field(default_factory=list)
    quiet_hours: QuietForm | None = None
    consent: ConsentForm
    exclusions: dict[Name, ExclusionForm] = Field(default_factory=dict)
    holdout: HoldoutForm | None = None
    sources: dict[Name, SourceForm] = Field(default_factory=dict)
    rich_menus: dict[Name, Text] = Field(default_factory=dict)
    price: PriceForm = PriceForm()
    breaker: BreakerForm = BreakerForm()
    approval: ApprovalForm | None = None
    erasure: ErasureForm = ErasureForm()
    retention: RetentionForm = RetentionForm()
    linking: LinkingForm = LinkingForm()
    links: LinksForm = LinksForm()
    preferences: PreferencesForm = PreferencesForm()
    measure: MeasureForm | None = None
    alerts: AlertsForm = AlertsForm()
    priorities: list[Name] = Field(min_length=1)

    @field_validator("caps")
    @classmethod
    def _caps_once(cls, caps: list[CapForm]) -> list[CapForm]:
        _once("cap", [cap.id for cap in caps])
        return caps

    @field_validator("rich_menus")
    @classmethod
    def _no_default(cls, rich_menus: dict[str, str]) -> dict[str, str]:
        if DEFAULT_MENU in rich_menus:
            raise ValueError(f"{DEFAULT_MENU} is the account's own menu; choose another name")
        return rich_menus

    @field_validator("priorities")
    @classmethod
    def _priorities_once(cls, priorities: list[str]) -> list[str]:
        _once("priority", priorities)
        return priorities

    @field_validator("exclusions")
    @classmethod
    def _flags_or_expressions(cls, exclusions: dict[str, ExclusionForm]) -> dict[str, ExclusionForm]:
        for name, form in exclusions.items():
            if name in FLAGS and form.when is not None:
                raise ValueError(f"{name} is what open cases set; give the expression a name of its own")
            if name not in FLAGS and form.when is None:
                raise ValueError(
                    f"no event sets {name}; known: {', '.join(sorted(FLAGS))}; or say for whom: {{when: …, kinds: […]}}"
                )
        return exclusions

    @field_validator("sources")
    @classmethod
    def _of_the_crm(cls, sources: dict[str, SourceForm]) -> dict[str, SourceForm]:
        if "line" in sources:
            raise ValueError("line is LINE itself, which speaks when people do; take it out")
        return sources


def _origins(addresses: list[str]) -> list[str]:
    for address in addresses:
        if origin_of(address) != address:
            raise ValueError(
                f"{address} is no origin; write scheme and host alone, such as https://shop.example"
            )
    return addresses


def _once(what: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"the {what} {', '.join(twice)} is there twice; name each once")
