"""Lint of surveys/*.yaml: what is asked can be shown, every answer has a place of its own, and nothing lies about."""

from collections.abc import Iterator

from functions.domain.registers import FIRST_WINS
from functions.domain.surveys import answered_mark
from functions.playbook.draft import Draft, Part
from functions.playbook.faults import PlaybookFault
from functions.playbook.message_lint import faults_of
from functions.playbook.message_reading import discount_place
from functions.playbook.references import words_in
from functions.playbook.scenario_models import Block, ScenarioForm, every_step
from functions.playbook.survey_models import QuestionForm, SurveyForm
from functions.playbook.surveys import attribute_name, survey_messages

NAME_CHARACTERS_MAX = 64


def survey_faults(draft: Draft) -> Iterator[PlaybookFault]:
    """What LINE would refuse, attributes that mean two things, and a survey that one scenario asks twice."""
    for _, message in survey_messages(draft):
        yield from faults_of(message)
    marks = {
        answered_mark(name, question.key): name
        for name, part in draft.surveys.items()
        for question in part.form.questions
    }
    for part in draft.surveys.values():
        yield from _names(part, draft, marks)
    for scenario in draft.scenarios.values():
        yield from _asked_twice(scenario)


def _names(part: Part[SurveyForm], draft: Draft, marks: dict[str, str]) -> Iterator[PlaybookFault]:
    """Every answer has an attribute of its own: of the survey, of no event, and none that marks a question."""
    taken: dict[str, str] = {}
    words = words_in(draft)
    for number, question in enumerate(part.form.questions):
        place = ("questions", number)
        for name in (answered_mark(part.form.name, question.key), *_attributes(part.form, question)):
            is_mark = name == answered_mark(part.form.name, question.key)
            if len(name) > NAME_CHARACTERS_MAX:
                yield part.fault(
                    place,
                    f"the attribute {name} has more than {NAME_CHARACTERS_MAX} characters; shorten its parts",
                )
            if name in words or name in FIRST_WINS:
                yield part.fault(
                    place, f"the attribute {name} has a meaning of its own; write another attribute: here"
                )
            if name in taken or (name in marks and not (is_mark and marks[name] == part.form.name)):
                yield part.fault(
                    place,
                    f"the attribute {name} is set by another question too; write another attribute: here",
                )
            taken[name] = question.key


def _attributes(form: SurveyForm, question: QuestionForm) -> list[str]:
    own = attribute_name(form, question)
    return [f"{own}_{one.value}" for one in question.options] if question.kind == "multiple" else [own]


def _asked_twice(part: Part[ScenarioForm]) -> Iterator[PlaybookFault]:
    seen: set[str] = set()
    for place, step in every_step(Block(("steps",), part.form.steps)):
        if step.survey and step.survey in seen:
            yield part.fault(
                (*place, "survey"),
                f"{step.survey} is asked here already, and what was answered is not asked again; take one out",
            )
        seen |= {step.survey} if step.survey else set()


def survey_warnings(draft: Draft) -> Iterator[PlaybookFault]:
    """Surveys that nothing asks, and those that a cap cuts off in the middle."""
    asked = {
        step.survey
        for part in draft.scenarios.values()
        for _, step in every_step(Block(("steps",), part.form.steps))
    }
    for name, part in draft.surveys.items():
        if name not in asked and draft.sound("scenarios"):
            yield part.fault(
                (), f"nothing asks the survey {name}; write the step survey: {name}, or take it out"
            )
        yield from _cut_off(part, draft)
    for _, message in survey_messages(draft):
        place = discount_place(message.form.content)
        if place is not None:
            yield message.fault(
                place,
                "a survey is support, and a discount makes it a promotion; leave the discount out, or send a message for it",
            )


def _cut_off(part: Part[SurveyForm], draft: Draft) -> Iterator[PlaybookFault]:
    """Every question is a support message, and counts as one."""
    most = len(part.form.questions) + 1
    for cap in draft.settings.form.caps if draft.settings else []:
        if "support" in cap.kinds and not cap.categories and cap.limit < most:
            yield part.fault(
                ("questions",),
                f"the cap {cap.id} lets {cap.limit} support messages through, and this asks and thanks {most} times: "
                "who answers at once waits, or is asked no more; ask less, or raise the cap",
            )
