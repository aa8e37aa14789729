"""The part of decide that hears answers to surveys: taps on what a question offers, and texts where one waits for words.

To do it twice does no harm: the events that follow have their ids from LINE's event, so that the first reading stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.decide.owners import standing
from functions.domain import playbook as pb
from functions.domain.customers import Customer, pinned_versions
from functions.domain.events import Event
from functions.domain.surveys import (
    ANSWER_CHARACTERS_MAX,
    Answer,
    answer_in,
    events_of,
    is_shaped,
    open_question,
    question_of,
)
from functions.ports.account import Measures
from functions.ports.customers import Customers
from functions.ports.playbooks import Playbooks

REFUSED = "SurveyAnswersRefused"


@dataclass(frozen=True, slots=True)
class HearAnswers:
    """The ports of this part."""

    customers: Customers
    playbooks: Playbooks
    measures: Measures

    def said(self, event: Event) -> list[Event]:
        """The events that follow from what a LINE user did; none where it answers nothing."""
        match event.name:
            case "line_postback":
                return self._tapped(event)
            case "line_message":
                return self._wrote(event)
        return []

    def _tapped(self, event: Event) -> list[Event]:
        """Only what was offered counts. What an older version offered is kept, and changes nothing."""
        answer = answer_in(_part(event, "postback"))
        if answer is None:
            return []
        survey = self._asked(event.customer_id, answer)
        question = question_of(survey, answer) if survey else None
        is_old = survey is None and answer.survey in self.playbooks.in_force().playbook.surveys
        if question is None and not (is_old and is_shaped(answer)):
            self.measures.count(REFUSED, 1)
            return []
        return events_of(answer, question, event)

    def _asked(self, customer_id: str, answer: Answer) -> pb.Survey | None:
        """The survey in the very words that were answered: of the playbook in force, or of one that a journey goes by."""
        current = self.playbooks.in_force().playbook.surveys.get(answer.survey)
        if current is not None and current.hash == answer.version:
            return current
        books = self._books(self._customer(customer_id))
        found = (book.surveys.get(answer.survey) for book in books.values())
        return next((one for one in found if one is not None and one.hash == answer.version), None)

    def _wrote(self, event: Event) -> list[Event]:
        """A text is read as an answer only while a question waits for words; the customer is not read where none can."""
        message = _part(event, "message")
        text = message.get("text") if message.get("type") == "text" else None
        if not isinstance(text, str) or not text.strip() or not self._asks_for_words():
            return []
        customer = self._customer(event.customer_id)
        books = self._books(customer)
        asked = open_question(customer.journeys if customer else [], books, event)
        if asked is None:
            return []
        survey = books[asked.playbook].surveys[asked.survey]
        value = text.strip()[:ANSWER_CHARACTERS_MAX]
        answer = Answer(asked.survey, survey.hash, asked.question, value)
        return events_of(answer, question_of(survey, answer), event)

    def _asks_for_words(self) -> bool:
        surveys = self.playbooks.in_force().playbook.surveys.values()
        return any(one.kind == "free" for survey in surveys for one in survey.questions)

    def _customer(self, customer_id: str) -> Customer | None:
        return self.customers.load(standing(self.customers, customer_id))

    def _books(self, customer: Customer | None) -> Mapping[str, pb.Playbook]:
        """The playbooks that the customer's journeys go by, by version."""
        pinned = pinned_versions(customer) if customer else ()
        return {version: self.playbooks.version(version).playbook for version in sorted(pinned)}


def _part(event: Event, name: str) -> Mapping[str, Any]:
    """A part of the raw webhook event; empty where it is no object."""
    part = event.properties["raw"].get(name)
    return part if isinstance(part, Mapping) else {}
