"""scenarios/*.yaml as pydantic models: the steps as marketers write them."""

from collections.abc import Iterator
from typing import Any, NamedTuple, Self

from pydantic import Field, model_validator

from functions.playbook.models import DAY_SECONDS, Form
from functions.playbook.quantities import Clock, Duration, Expiry, Name, Reentry, Text
from functions.playbook.sources import Place


class EntryForm(Form):
    """`{event, when, fresh_for}`: what starts a journey, and how old it may be by then."""

    event: str
    fresh_for: Duration
    when: Text | None = None


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
    """`{for}`, `{at}`, `{day, at}` or `{event, timeout, then, on_timeout}`."""

    duration: Duration | None = Field(default=None, alias="for")
    day: int | None = Field(default=None, ge=0, le=400)
    at: Clock | None = None
    event: str | None = None
    timeout: Duration | None = None
    then: list["StepForm"] | None = None
    on_timeout: list["StepForm"] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = self.model_fields_set
        allowed = ({"duration"}, {"at"}, {"day", "at"})
        if given not in allowed and not {"event", "timeout"} <= given <= {
            "event",
            "timeout",
            "then",
            "on_timeout",
        }:
            raise ValueError(
                'write {for: 3h}, {at: "19:00"}, {day: 7, at: "19:00"} or {event: purchase, timeout: 24h}'
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


class StepForm(Form):
    """One step: exactly one of send, wait, branch, tag, or the word end."""

    send: SendForm | None = None
    wait: WaitForm | None = None
    branch: list[CaseForm] | None = Field(default=None, min_length=1)
    tag: TagForm | None = None
    end: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _the_word_end(cls, value: Any) -> Any:
        if isinstance(value, str) and value != "end":
            raise ValueError(f"{value!r} is no step; write end, or one of send:, wait:, branch:, tag:")
        return {"end": True} if value == "end" else value

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if len(self.model_fields_set) != 1 or self.end is False:
            raise ValueError(
                "a step is exactly one of send, wait, branch, tag or end; begin each with its own dash"
            )
        last = [case.otherwise is None for case in self.branch or []][:-1]
        if not all(last):
            raise ValueError("what follows otherwise is never reached; make it the last case")
        return self


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
    steps: list[StepForm] = Field(min_length=1)


class Block(NamedTuple):
    """Steps that follow one another, and where their list stands."""

    place: Place
    steps: list[StepForm]


def inner_blocks(step: StepForm, place: Place) -> Iterator[Block]:
    """The blocks within one step: a branch's cases, and what follows a wait for an event."""
    for number, case in enumerate(step.branch or []):
        key = "steps" if case.otherwise is None else "otherwise"
        yield Block((*place, "branch", number, key), case.steps or case.otherwise or [])
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
