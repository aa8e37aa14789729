"""Surveys in the chat: what a tap or a text answers, and the events that follow from it.

An answer is checked against the questions in whose words it was asked. What follows are plain events: whose last writer
wins, so that the same taps give the same profile in whatever order, and however often, they come.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

import msgspec

from functions.domain import playbook as pb
from functions.domain.events import Event, is_date
from functions.domain.journeys import Journey

SKIP, DONE, CLEAR = "~skip", "~done", "~clear"
"""Answers that are no option: not to say, to have chosen all, to begin choosing anew. No option's value begins so."""
ANSWER_CHARACTERS_MAX = 500
"""So much of a free text is kept: it stands in the customer's own item."""
_KEYS = {"survey", "v", "q", "a"}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_HASH = re.compile(r"[0-9a-f]{8}")


class Answer(NamedTuple):
    """What somebody says to the question `question` of a survey, as the version `version` of it asks."""

    survey: str
    version: str
    question: str
    value: str


def message_name(survey: str, question: str) -> str:
    """The message that asks a question. A message of a file of its own has no dot in its name."""
    return f"{survey}.{question}"


def answered_mark(survey: str, question: str) -> str:
    """The attribute that is true once a question was answered or skipped."""
    return f"{survey}_{question}_answered"


def data_of(answer: Answer) -> str:
    """The postback data that stands for an answer."""
    said = {"survey": answer.survey, "v": answer.version, "q": answer.question, "a": answer.value}
    return urlencode(said, safe="~")


def answer_in(postback: Mapping[str, Any]) -> Answer | None:
    """The answer that a tap brings; None where the tap is about something else. A date comes beside the data."""
    data = postback.get("data")
    if not isinstance(data, str) or not data.startswith("survey="):
        return None
    pairs = parse_qsl(data, keep_blank_values=True, max_num_fields=None)
    said = dict(pairs)
    if len(pairs) != len(said) or not {"survey", "v", "q"} <= said.keys() <= _KEYS:
        return None
    params = postback.get("params")
    date = params.get("date") if isinstance(params, Mapping) else None
    value = said.get("a") or (date if isinstance(date, str) else "")
    return Answer(said["survey"], said["v"], said["q"], value)


def is_shaped(answer: Answer) -> bool:
    """Whether a survey of any version could have asked so."""
    names = (
        _NAME.fullmatch(answer.survey),
        _NAME.fullmatch(answer.question),
        _HASH.fullmatch(answer.version),
    )
    return all(names) and 0 < len(answer.value) <= ANSWER_CHARACTERS_MAX


def question_of(survey: pb.Survey, answer: Answer) -> pb.Question | None:
    """The question that is answered, where the survey asks it and may be answered so."""
    question = next((one for one in survey.questions if one.key == answer.question), None)
    return question if question is not None and _is_answer(question, answer.value) else None


def _is_answer(question: pb.Question, value: str) -> bool:
    if value == SKIP:
        return question.skip
    match question.kind:
        case "free":
            return 0 < len(value) <= ANSWER_CHARACTERS_MAX
        case "date":
            return is_date(value)
        case "multiple" if value in (DONE, CLEAR):
            return True
        case "multiple" | "choice":
            return any(option.value == value for option in question.options)


def events_of(answer: Answer, question: pb.Question | None, event: Event) -> list[Event]:
    """What follows from an answer that came with LINE's `event`. `question`: None where it is asked no more, so that
    the answer is kept and changes nothing. The ids derive from that of LINE's event: a redelivery is the same events."""
    told = _event(event, "answer", "survey_answered", answer._asdict())
    if question is None:
        return [told]
    attributes, tags = _attributes(answer, question), _tags(question, answer.value)
    return [
        told,
        *([_event(event, "attributes", "profile_updated", attributes)] if attributes else []),
        *(
            _event(event, f"tag:{tag}", "tag_added" if given else "tag_removed", {"tag": tag})
            for tag, given in sorted(tags.items())
        ),
    ]


def _event(line: Event, suffix: str, name: str, properties: dict[str, Any]) -> Event:
    """Like all that is said in the chat it names the LINE user, so that it goes with that one when a merge is undone."""
    said_by = {"line_user_id": line.properties.get("line_user_id", "")}
    return msgspec.structs.replace(
        line,
        event_id=f"{line.event_id}:{suffix}",
        name=name,
        properties={**properties, **said_by},
        imported=False,
    )


def _attributes(answer: Answer, question: pb.Question) -> dict[str, Any]:
    """Answered is answered: choosing anew takes the choice back, and not that somebody was there."""
    said: dict[str, Any] = {}
    value = answer.value
    if question.kind != "multiple" or value in (SKIP, DONE):
        said[answered_mark(answer.survey, question.key)] = True
    if value in (SKIP, DONE):
        return said
    if question.kind != "multiple":
        return {**said, question.attribute: value}
    if value == CLEAR:
        return {attribute_of(question, option.value): False for option in question.options}
    return {attribute_of(question, value): True}


def attribute_of(question: pb.Question, value: str) -> str:
    """The attribute that bears one of several answers."""
    return f"{question.attribute}_{value}"


def _tags(question: pb.Question, value: str) -> dict[str, bool]:
    """The tags that an answer gives and takes: of a single choice those of the other options are taken."""
    if value in (SKIP, DONE):
        return {}
    chosen = {option.tag for option in question.options if option.value == value}
    known = {option.tag for option in question.options if option.tag}
    return {
        tag: tag in chosen for tag in known if tag in chosen or question.kind == "choice" or value == CLEAR
    }


class Open(NamedTuple):
    """A question that waits for a text: which playbook's, of which survey."""

    playbook: str
    survey: str
    question: str


def open_question(journeys: Sequence[Journey], books: Mapping[str, pb.Playbook], event: Event) -> Open | None:
    """The free question that a text answers: of those that somebody is asked, the one asked last. `books`: playbook
    version → playbook."""
    found = sorted(
        (journey.since or journey.entered_at, journey.journey_id, asked)
        for journey in journeys
        for asked in _asked(journey, books, event)
    )
    return found[-1][-1] if found else None


def _asked(journey: Journey, books: Mapping[str, pb.Playbook], event: Event) -> Iterator[Open]:
    """The free question that a journey waits at, where the event does not lie before the wait."""
    book = books.get(journey.version)
    if book is None or not journey.active or event.occurred_at < (journey.since or journey.entered_at):
        return
    match book.scenarios[journey.scenario].steps[max(journey.at - 1, 0) : journey.at + 1]:
        case [pb.Send(message=message), pb.WaitUntil()] if "." in message:
            survey, key = message.split(".")
            if any(one.key == key and one.kind == "free" for one in book.surveys[survey].questions):
                yield Open(book.version, survey, key)
