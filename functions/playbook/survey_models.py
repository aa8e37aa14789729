"""surveys/*.yaml as pydantic models: what is asked in the chat, and what the answers set."""

import keyword
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, StringConstraints, field_validator, model_validator

from functions.domain.playbook import QuestionKind
from functions.domain.segments.tree import RESERVED
from functions.playbook.message_models import StandIn
from functions.playbook.models import DAY_SECONDS, Form
from functions.playbook.quantities import Duration, Expiry, Name, Text

QUESTIONS_MAX = 10
QUICK_REPLIES_MAX = 13
OWN_BUTTONS = {"choice": 0, "multiple": 2, "free": 0, "date": 1}
"""The buttons of a question beside its options: of several answers, to have chosen all and to begin anew."""


def _as_text(value: Any) -> Any:
    """1 and 1.5 are values as good as words."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


OptionValue = Annotated[str, BeforeValidator(_as_text), StringConstraints(pattern=r"^[A-Za-z0-9_]{1,32}$")]


class OptionForm(Form):
    """`{value, label, tag}`: one answer that may be chosen."""

    value: OptionValue
    """What is kept of the answer: letters, digits and _, at most 32."""
    label: Text
    """What the button says: at most 20 characters."""
    tag: Text | None = None
    """The tag of those who choose it; of a single choice, those of the other options are taken away."""


class SkipForm(Form):
    """`{label}`: the button with which a question is passed over."""

    label: Text = "スキップ"
    """What the button says: at most 20 characters."""


class QuestionForm(Form):
    """One question: what is asked, how it may be answered, and what the answer sets."""

    key: Name
    """The question's name within the survey."""
    text: Text
    """What is asked; a template: {{ family_name }}."""
    kind: QuestionKind
    """choice: one of the options; multiple: several of them; free: in one's own words; date: a day."""
    options: list[OptionForm] = Field(default_factory=list)
    """The answers of choice and multiple, with the buttons that every question of that kind has at most 13."""
    attribute: Name | None = None
    """The attribute that bears the answer, survey_question unless given; of multiple one each, attribute_value."""
    skip: bool | SkipForm = False
    """Whether the question may be passed over, and what the button for it says."""
    when: Text | None = None
    """Whom it is asked: an expression, also over earlier answers. Everybody unless given."""

    @field_validator("attribute")
    @classmethod
    def _readable(cls, name: str | None) -> str | None:
        if name is not None and (name in RESERVED or keyword.iskeyword(name)):
            raise ValueError(f"{name!r} has a meaning of its own in segments; choose another name")
        return name

    @model_validator(mode="after")
    def _fits(self) -> Self:
        chooses = self.kind in ("choice", "multiple")
        if chooses != bool(self.options):
            told = "needs options to choose from; write some" if chooses else "has no options; take them out"
            raise ValueError(f"a question of kind {self.kind} {told}")
        values = [option.value for option in self.options]
        if len(set(values)) < len(values):
            raise ValueError("two options have the same value; give each its own")
        buttons = len(values) + OWN_BUTTONS[self.kind] + bool(self.skip)
        if buttons > QUICK_REPLIES_MAX:
            raise ValueError(
                f"that makes {buttons} buttons, and LINE shows {QUICK_REPLIES_MAX}; ask in two questions"
            )
        return self

    @property
    def skip_label(self) -> str:
        """What the button to pass the question over says; empty where it may not be."""
        form = SkipForm() if self.skip is True else self.skip
        return form.label if form else ""


class SurveyForm(Form):
    """surveys/*.yaml: questions asked in the chat one after the other, by the step `survey` of a scenario."""

    name: Name
    """The survey's name: that of its file."""
    owner: Text
    """The team that answers for it."""
    on: bool
    """Switch: nothing is asked while it is false; answers to what was asked are taken."""
    opens: Text | None = None
    """What is said before the first question, in the same message."""
    questions: list[QuestionForm] = Field(min_length=1, max_length=QUESTIONS_MAX)
    """At most 10, asked in this order; what was answered once is not asked again."""
    thanks: Text
    """What is said after the last answer."""
    done_label: Text = "これで決定"
    """The button that ends a question of kind multiple."""
    clear_label: Text = "選び直す"
    """The button that begins a question of kind multiple anew."""
    date_label: Text = "日付をえらぶ"
    """The button that opens the calendar of a question of kind date."""
    timeout: Duration = 3 * DAY_SECONDS
    """How long an answer is waited for; then nothing more is asked, and what was answered stays."""
    fallbacks: dict[Name, StandIn] = Field(default_factory=dict)
    """Variable → what stands in for it where it is not known. Every variable has one."""
    expires_after: Expiry = DAY_SECONDS
    """After this long a question that still waits to be sent is dropped; at most 8d."""

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        keys = [question.key for question in self.questions]
        if len(set(keys)) < len(keys):
            raise ValueError("two questions have the same key; give each its own")
        if "thanks" in keys:
            raise ValueError("no question may be called thanks, as the last message is; rename it")
        return self
