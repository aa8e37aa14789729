"""The files of a playbook as pydantic models: their form alone. What they refer to is the lint's matter."""

import keyword
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from functions.domain.events import CASE_FLAGS, PropertyKind
from functions.domain.playbook import Change, Kind
from functions.domain.segments.tree import OWN_FIELDS, RESERVED
from functions.playbook.quantities import Clock, Duration, Expiry, Moment, Name, Percent, Text, Zone

FLAGS = frozenset(flag for flag, _ in CASE_FLAGS.values())
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAY_SECONDS = 86_400
DEFAULT_MENU = "default"


class Form(BaseModel):
    """What all of them are: frozen, and nothing in them that is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class CapForm(Form):
    """`{id, kinds, limit, window, hold_up_to}`: how many of these kinds in any rolling window; `calendar: day`, `week`
    or `month` instead of a window goes by the customer's calendar; `categories` narrows it to messages of these."""

    id: Name
    kinds: list[Kind] = Field(min_length=1)
    categories: list[Name] = []
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


class SourceForm(Form):
    """`{fresh_for}`: how old the newest word of a source of events may be."""

    fresh_for: Duration


class PriceForm(Form):
    """LINE's plan (`plan_yen` a month for `free_messages`, each further one `yen_each`) and limits of one's own."""

    plan_yen: int = Field(default=0, ge=0)
    free_messages: int = Field(default=0, ge=0)
    yen_each: float = Field(default=0, ge=0)
    messages_max: int | None = Field(default=None, ge=1)
    yen_max: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _affordable(self) -> Self:
        if self.yen_max is not None and self.yen_max < self.plan_yen:
            raise ValueError(
                f"yen_max is {self.yen_max}, and the plan alone costs {self.plan_yen}; raise it, or take it out"
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
    caps: list[CapForm] = []
    quiet_hours: QuietForm | None = None
    consent: ConsentForm
    exclusions: dict[Name, ExclusionForm] = {}
    holdout: HoldoutForm | None = None
    sources: dict[Name, SourceForm] = {}
    rich_menus: dict[Name, Text] = {}
    price: PriceForm = PriceForm()
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


def _once(what: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"the {what} {', '.join(twice)} is there twice; name each once")


class PropertyForm(Form):
    """One property of an event: its type, and what is kept of it."""

    type: PropertyKind
    required: bool = False
    sum: bool = False
    index: bool = False
    attribute: bool = False
    unit: str = ""
    meaning: str = ""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.sum and self.type != "number":
            raise ValueError(f"only a number can be summed, and this is a {self.type}; take sum out")
        if self.index and self.type != "string":
            raise ValueError(f"only a string can be indexed, and this is a {self.type}; take index out")
        return self


class AmendsForm(Form):
    """`{event, by}`: takes the event with the same value of a property back; with `less` it lessens its sums."""

    event: Name
    by: Name
    less: dict[Name, Name] = {}


class EventForm(Form):
    """One word of events.yaml.

    `verb` asks for indexed values, as in bought("skincare"); `keep`: how long single occurrences are remembered, for
    windows; `amends`: which earlier event this one corrects.
    """

    meaning: Text
    read_as: Name = Field(default="", alias="as")
    verb: Name = ""
    keep: Duration = 0
    amends: AmendsForm | None = None
    properties: dict[Name, PropertyForm] = {}

    @field_validator("keep")
    @classmethod
    def _whole_days(cls, seconds: int) -> int:
        if seconds % DAY_SECONDS:
            raise ValueError("single occurrences are kept for whole days; write keep: 90d")
        return seconds

    @field_validator("read_as", "verb")
    @classmethod
    def _readable(cls, word: str) -> str:
        if keyword.iskeyword(word) or word in RESERVED:
            raise ValueError(f"{word!r} has a meaning of its own in segments; choose another word")
        return word

    @field_validator("properties")
    @classmethod
    def _readable_properties(cls, properties: dict[str, PropertyForm]) -> dict[str, PropertyForm]:
        for name, kind in properties.items():
            taken = OWN_FIELDS if kind.sum or kind.index else RESERVED if kind.attribute else ()
            if name in taken or (keyword.iskeyword(name) and (kind.sum or kind.index or kind.attribute)):
                raise ValueError(f"{name!r} has a meaning of its own in segments; choose another name")
        return properties


class SegmentForm(Form):
    """An expression, or `{when, meaning, report}`; `report`: kept to be looked at, though nothing sends by it."""

    when: Text
    meaning: str = ""
    report: bool = False

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"when": value} if isinstance(value, str) else value


class ScheduleForm(Form):
    """`{every: friday, at: "12:00"}` or `{once: "2026-11-27 12:00"}`, on the playbook's clock."""

    every: Weekday | None = None
    at: Clock | None = None
    once: Moment | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        weekly = self.every is not None and self.at is not None and self.once is None
        if not weekly and not (self.once is not None and self.every is None and self.at is None):
            raise ValueError('write {every: friday, at: "12:00"} or {once: "2026-11-27 12:00"}')
        return self


class CampaignForm(Form):
    """campaigns/*.yaml."""

    name: Name
    segment: Name
    message: Name
    owner: Text
    on: bool
    schedule: ScheduleForm
    priority: Name = "campaign"
    expires_after: Expiry = DAY_SECONDS
    hold_up_to: Duration | None = None
    needs: list[Name] = []
    holdout: Percent | None = None


class ExperimentForm(Form):
    """One entry of experiments.yaml: what its variants differ in, and how many people each gets, as weights."""

    changes: Change
    variants: dict[Name, Annotated[int, Field(ge=1, le=10_000)]] = Field(min_length=2, max_length=6)
    goal: str = ""
    owner: str = ""
