"""scenarios/*.yaml as pydantic models: the steps as marketers write them."""

import keyword
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, Self

from pydantic import Field, field_validator, model_validator

from functions.domain.segments.tree import RESERVED
from functions.playbook.models import DAY_SECONDS, Form
from functions.playbook.quantities import Clock, Duration, Expiry, Name, Percent, Reentry, Text
from functions.playbook.sources import Place


class EntryForm(Form):
    """`{event, when, fresh_for}` or `{segment, on, fresh_for}`: what starts a journey, and how old it may be by then."""

    event: str = ""
    segment: Name | None = None
    on: Literal["entered", "left"] = "entered"
    fresh_for: Duration
    when: Text | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if bool(self.event) == bool(self.segment) or (self.event and "on" in self.model_fields_set):
            raise ValueError(
                "write {event: purchase, fresh_for: 2d}, or {segment: dormant, on: entered, fresh_for: 2d}"
            )
        return self


class ConcurrencyForm(Form):
    """`{not_with, replaces}`: journeys beside which none begins here, and those that end when one does."""

    not_with: list[Name] = Field(default_factory=list)
    replaces: list[Name] = Field(default_factory=list)


class SendForm(Form):
    """`{name, message, expires_after, tolerance, hold_up_to}`; the name is the message's where none is given."""

    message: Name
    name: Name = ""
    expires_after: Expiry = 2 * DAY_SECONDS
    tolerance: Duration = DAY_SECONDS
    hold_up_to: Duration | None = None

    @property
    def step_name(self) -> str:
        """What the step is called in the send log."""
        return self.name or self.message


class WaitForm(Form):
    """`{for}`, `{at}`, `{day, at}`, `{event, timeout, then, on_timeout}` or `{until, timeout, then, on_timeout}`."""

    duration: Duration | None = Field(default=None, alias="for")
    day: int | None = Field(default=None, ge=0, le=400)
    at: Clock | None = None
    event: str | None = None
    until: Text | None = None
    timeout: Duration | None = None
    then: list["StepForm"] | None = None
    on_timeout: list["StepForm"] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = self.model_fields_set - {"then", "on_timeout"}
        plain = self.then is None and self.on_timeout is None
        simple = given in ({"duration"}, {"at"}, {"day", "at"}) and plain
        if not simple and given not in ({"event", "timeout"}, {"until", "timeout"}):
            raise ValueError(
                'write {for: 3h}, {at: "19:00"}, {day: 7, at: "19:00"}, {event: purchase, timeout: 24h} '
                'or {until: "orders.count >= 2", timeout: 3d}'
            )
        return self


class CaseForm(Form):
    """`{when, steps}`, or `{otherwise}` as the last."""

    when: Text | None = None
    steps: list["StepForm"] | None = None
    otherwise: list["StepForm"] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.model_fields_set not in ({"when", "steps"}, {"otherwise"}):
            raise ValueError("write {when: …, steps: […]}, or {otherwise: […]} as the last case")
        return self


class TagForm(Form):
    """`{add}` or `{remove}`."""

    add: Text | None = None
    remove: Text | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("write {add: a_tag} or {remove: a_tag}")
        return self


class SplitForm(Form):
    """`{experiment, variants}`: the steps of each variant of an experiment."""

    experiment: Name
    variants: dict[Name, list["StepForm"]]


STEPS = ("send", "survey", "wait", "branch", "split", "tag", "set", "rich_menu")


class StepForm(Form):
    """One step: exactly one of send, survey, wait, branch, split, tag, set, rich_menu, or the word end."""

    send: SendForm | None = None
    survey: Name | None = None
    wait: WaitForm | None = None
    branch: list[CaseForm] | None = Field(default=None, min_length=1)
    split: SplitForm | None = None
    tag: TagForm | None = None
    attribute: dict[Name, Any] | None = Field(default=None, alias="set", min_length=1, max_length=1)
    rich_menu: Name | None = None
    end: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _the_word_end(cls, value: Any) -> Any:
        if isinstance(value, str) and value != "end":
            raise ValueError(
                f"{value!r} is no step; write end, or one of {', '.join(f'{step}:' for step in STEPS)}"
            )
        return {"end": True} if value == "end" else value

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if len(self.model_fields_set) != 1 or self.end is False:
            raise ValueError(
                f"a step is exactly one of {', '.join(STEPS)} or end; begin each with its own dash"
            )
        last = [case.otherwise is None for case in self.branch or []][:-1]
        if not all(last):
            raise ValueError("what follows otherwise is never reached; make it the last case")
        return self

    @field_validator("attribute")
    @classmethod
    def _one_scalar(cls, attribute: dict[str, Any] | None) -> dict[str, Any] | None:
        for name, value in (attribute or {}).items():
            if name in RESERVED or keyword.iskeyword(name):
                raise ValueError(f"{name!r} has a meaning of its own in segments; choose another name")
            scalar = isinstance(value, str | int | float)
            if not scalar:
                raise ValueError(f"{name} must be a text, a number, true or false; write one")
        return attribute


class ScenarioForm(Form):
    """A whole scenario."""

    name: Name
    desired_action: Text
    target: Text
    owner: Text
    on: bool
    priority: Name
    entry: EntryForm
    reentry: Reentry
    exit: Text | None = None
    goal: Text | None = None
    concurrency: ConcurrencyForm = ConcurrencyForm()
    holdout: Percent | None = None
    needs: list[Name] = Field(default_factory=list)
    migrate: dict[Name, Name] | None = None
    steps: list[StepForm] = Field(min_length=1)


class Block(NamedTuple):
    """Steps that follow one another, and where their list stands."""

    place: Place
    steps: list[StepForm]


def inner_blocks(step: StepForm, place: Place) -> Iterator[Block]:
    """The blocks within one step: a branch's cases, a split's arms, and what follows a wait with two ways on."""
    for number, case in enumerate(step.branch or []):
        key = "steps" if case.otherwise is None else "otherwise"
        yield Block((*place, "branch", number, key), case.steps or case.otherwise or [])
    for name, arm in step.split.variants.items() if step.split else ():
        yield Block((*place, "split", "variants", name), arm)
    if step.wait:
        for key, steps in (("then", step.wait.then), ("on_timeout", step.wait.on_timeout)):
            if steps:
                yield Block((*place, "wait", key), steps)


def every_step(block: Block) -> Iterator[tuple[Place, StepForm]]:
    """Every step of a block and of the blocks in it, in the order in which they are written."""
    for number, step in enumerate(block.steps):
        place = (*block.place, number)
        yield place, step
        for inner in inner_blocks(step, place):
            yield from every_step(inner)
