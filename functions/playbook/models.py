"""The files of a playbook as pydantic models: their form alone. What they refer to is the lint's matter."""

import keyword
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from functions.domain.events import PropertyKind
from functions.domain.playbook import Change
from functions.domain.segments.tree import OWN_FIELDS, RESERVED
from functions.playbook.quantities import Clock, Duration, Expiry, Moment, Name, Percent, Text

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAY_SECONDS = 86_400
DEFAULT_MENU = "default"


class Form(BaseModel):
    """What all of them are: frozen, and nothing in them that is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


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
    yen_max: int | None = Field(default=None, ge=1)


class ExperimentForm(Form):
    """One entry of experiments.yaml: what its variants differ in, and how many people each gets, as weights."""

    changes: Change
    variants: dict[Name, Annotated[int, Field(ge=1, le=10_000)]] = Field(min_length=2, max_length=6)
    goal: str = ""
    measures: Name | None = None
    owner: str = ""
