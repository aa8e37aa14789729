"""A small survey as marketers write it, compiled as the playbook compiles it, and the taps that answer it."""

from typing import Any

import msgspec

from functions.domain import playbook as pb
from functions.domain.surveys import Answer, data_of, message_name
from functions.playbook.survey_models import SurveyForm
from functions.playbook.surveys import compiled_survey, survey_steps
from tests.fakes.playbooks import playbook, scenario, when
from tests.fakes.world import World

WRITTEN: dict[str, Any] = {
    "name": "welcome",
    "owner": "crm",
    "on": True,
    "questions": [
        {
            "key": "style",
            "text": "Which?",
            "kind": "choice",
            "attribute": "style",
            "skip": True,
            "options": [
                {"value": "dry", "label": "Dry", "tag": "dry"},
                {"value": "oily", "label": "Oily", "tag": "oily"},
                {"value": "none", "label": "None"},
            ],
        },
        {
            "key": "items",
            "text": "Which of these?",
            "kind": "multiple",
            "options": [
                {"value": "toner", "label": "Toner", "tag": "toner"},
                {"value": "cream", "label": "Cream"},
            ],
        },
        {"key": "words", "text": "Why?", "kind": "free", "when": 'style == "dry"'},
        {"key": "day", "text": "Since?", "kind": "date", "attribute": "since"},
    ],
    "thanks": "Thank you",
}
FORM = SurveyForm.model_validate(WRITTEN)
SURVEY = compiled_survey(FORM)
KEYS = [question.key for question in SURVEY.questions]


def book(written: dict[str, Any] = WRITTEN) -> pb.Playbook:
    """A playbook that asks the survey of whoever follows."""
    form = SurveyForm.model_validate(written)
    names = [message_name(form.name, key) for key in (*(one.key for one in form.questions), "thanks")]
    says = {name: pb.Message("support", f"hash-{name}", [{"type": "text", "text": name}]) for name in names}
    asks = scenario("line_follow", *survey_steps(form, 0, when), pb.End())
    made = playbook(scenarios={"hello": asks}, messages=says)
    version = f"{made.version}{compiled_survey(form).hash}"
    return msgspec.structs.replace(made, version=version, surveys={form.name: compiled_survey(form)})


def tap(
    world: World, question: str, value: str, *, event_id: str = "", user: str = "U1", **more: Any
) -> None:
    """A tap on a button of the survey's card."""
    data = data_of(Answer("welcome", SURVEY.hash, question, value))
    said = {"data": data.removesuffix("&a="), **more.pop("postback", {})}
    world.webhook(world.line_event("postback", user, event_id=event_id, postback=said, **more))
    world.run()


def write(world: World, text: str, *, event_id: str = "", user: str = "U1", **more: Any) -> None:
    """A text in the chat."""
    said = {"type": "text", "id": "1", "text": text}
    world.webhook(world.line_event("message", user, event_id=event_id, message=said, **more))
    world.run()
