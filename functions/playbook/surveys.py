"""Surveys as marketers write them → what is checked, what is said and the steps that ask it.

A question is a message with buttons, a send step and a wait for its mark: journeys, intents and the gate treat it as
they treat everything else that is sent.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from functions.domain import playbook as pb
from functions.domain.segments import Tree
from functions.domain.surveys import CLEAR, DONE, SKIP, Answer, answered_mark, data_of, message_name
from functions.playbook.draft import Draft, Part
from functions.playbook.message_models import MessageForm
from functions.playbook.models import DAY_SECONDS
from functions.playbook.survey_models import QuestionForm, SurveyForm

Parse = Callable[[str], Tree]
THANKS = "thanks"
ALT_TEXT_CHARACTERS_MAX = 60


def attribute_name(survey: SurveyForm, question: QuestionForm) -> str:
    """The attribute that bears the answer to a question."""
    return question.attribute or f"{survey.name}_{question.key}"


def survey_hash(form: SurveyForm) -> str:
    """8 hex digits that name the questions and what may be answered; switches and owners are left out."""
    told = [one.model_dump(mode="json") for one in form.questions]
    written = msgspec.json.encode([form.name, told], order="deterministic")
    return hashlib.sha256(written).hexdigest()[:8]


def compiled_survey(form: SurveyForm) -> pb.Survey:
    """What an answer is checked against."""
    return pb.Survey(
        survey_hash(form),
        [
            pb.Question(
                key=one.key,
                kind=one.kind,
                attribute=attribute_name(form, one),
                options=[pb.Option(option.value, option.label, option.tag or "") for option in one.options],
                skip=bool(one.skip),
            )
            for one in form.questions
        ],
    )


def survey_messages(draft: Draft) -> Iterator[tuple[str, Part[MessageForm]]]:
    """The messages of all surveys, by name, each where its words are written."""
    for name, part in draft.surveys.items():
        for number, question in enumerate(part.form.questions):
            form = _message(part.form, _asking(part.form, question, is_first=number == 0))
            yield (
                message_name(name, question.key),
                Part(form, part.source, (*part.place, "questions", number)),
            )
        thanks = _message(part.form, {"type": "text", "text": part.form.thanks})
        yield message_name(name, THANKS), Part(thanks, part.source, (*part.place, "thanks"))


def _message(form: SurveyForm, content: dict[str, Any]) -> MessageForm:
    return MessageForm(kind="support", content=[content], fallbacks=form.fallbacks, removes="unclear")


def _asking(form: SurveyForm, question: QuestionForm, *, is_first: bool) -> dict[str, Any]:
    text = f"{form.opens}\n\n{question.text}" if is_first and form.opens else question.text
    if question.kind == "multiple":
        return _card(form, question, text)
    actions = [_button(form, question, one.label, one.value) for one in question.options]
    if question.kind == "date":
        data = data_of(Answer(form.name, survey_hash(form), question.key, "")).removesuffix("&a=")
        actions.append({"type": "datetimepicker", "label": form.date_label, "data": data, "mode": "date"})
    if question.skip_label:
        actions.append(_button(form, question, question.skip_label, SKIP))
    items = [{"type": "action", "action": action} for action in actions]
    return {"type": "text", "text": text, **({"quickReply": {"items": items}} if items else {})}


def _card(form: SurveyForm, question: QuestionForm, text: str) -> dict[str, Any]:
    """Quick replies are gone after one tap: several answers are tapped on a card, which stays."""
    answers = [(one.label, one.value, "secondary") for one in question.options]
    answers += [(form.done_label, DONE, "primary"), (form.clear_label, CLEAR, "link")]
    if question.skip_label:
        answers.append((question.skip_label, SKIP, "link"))
    buttons = [
        {"type": "button", "style": style, "height": "sm", "action": _button(form, question, label, value)}
        for label, value, style in answers
    ]
    body = {"type": "box", "layout": "vertical", "contents": [{"type": "text", "text": text, "wrap": True}]}
    footer = {"type": "box", "layout": "vertical", "spacing": "sm", "contents": buttons}
    return {
        "type": "flex",
        "altText": question.text[:ALT_TEXT_CHARACTERS_MAX] if "{" not in question.text else question.text,
        "contents": {"type": "bubble", "body": body, "footer": footer},
    }


def _button(form: SurveyForm, question: QuestionForm, label: str, value: str) -> dict[str, Any]:
    data = data_of(Answer(form.name, survey_hash(form), question.key, value))
    return {"type": "postback", "label": label, "data": data, "displayText": label}


def survey_steps(form: SurveyForm, begin: int, parse: Parse) -> list[pb.Step]:
    """The steps that ask what is not answered yet, one question after the other, the first of them as number `begin`.

    Whoever does not answer in time is asked nothing more: all waits time out behind the thanks. Who has nothing left
    to answer is not thanked again.
    """
    if not form.on:
        return []
    needs = [_needs(form, question) for question in form.questions]
    end = begin + 1 + 3 * len(needs) + 1
    steps: list[pb.Step] = [pb.Branch([(parse(" or ".join(f"({one})" for one in needs)), begin + 1)], end)]
    for question, need in zip(form.questions, needs, strict=True):
        here = begin + len(steps)
        mark = f"{answered_mark(form.name, question.key)} == True"
        steps += [
            pb.Branch([(parse(need), here + 1)], here + 3),
            _send(form, question.key),
            pb.WaitUntil(parse(mark), form.timeout, here + 3, end),
        ]
    return [*steps, _send(form, THANKS)]


def _needs(form: SurveyForm, question: QuestionForm) -> str:
    """The expression that holds of whom the question is to be asked."""
    unanswered = f"not ({answered_mark(form.name, question.key)} == True)"
    return f"({question.when}) and {unanswered}" if question.when else unanswered


def _send(form: SurveyForm, key: str) -> pb.Send:
    name = message_name(form.name, key)
    return pb.Send(name, name, DAY_SECONDS, form.expires_after)
