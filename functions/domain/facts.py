"""The facts: what happened, as rows that are measured. Published as docs/facts.schema.json; columns only get added.

No row names a LINE user: who is known by nothing else bears a pseudonym (`person`). Of two rows with the same key the one
with the newest `seen_at` counts: the second at which a table's stream told of it, and in its microseconds how often the
row had changed by then, so that a row's own versions never tie.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from functions.domain.instants import Instant
from functions.domain.lake import Table, table_of
from functions.domain.line_events import ANONYMOUS, is_anonymous

VERSION = 1


def _says(meaning: str) -> Any:
    return msgspec.Meta(description=meaning)


_Person = Annotated[str, _says("the customer the row was written for; whose it is now, `people` says")]
_At = Annotated[Instant, _says("when it happened (UTC); its local day is the partition")]
_Seen = Annotated[Instant, _says("which of two rows with one key is the newer")]
_Playbook = Annotated[str, _says("the playbook's version")]
_Scenario = Annotated[str, _says("the scenario; empty where it is none's")]
_Campaign = Annotated[str, _says("the campaign; empty where it is none's")]
_Step = Annotated[str, _says("the step of the scenario; of a campaign, its name")]
_Unit = Annotated[
    str, _says("the id that experiments and holdouts know the person by, before and after linking")
]


class Send(msgspec.Struct, frozen=True):
    """One row an intent that has ended, whatever its end: sent, suppressed, failed or unknown."""

    send_id: Annotated[str, _says("the name of the message; LINE's retry key")]
    customer_id: _Person
    unit: _Unit
    at: _At
    made_at: Annotated[Instant, _says("when it was decided to send")]
    status: Annotated[str, _says("sent, suppressed, failed or unknown")]
    reason: Annotated[str, _says("why it was not sent; empty where it was")]
    kind: Annotated[str, _says("support, notification or promotion")]
    category: Annotated[str, _says("the message's category in the playbook")]
    scenario: _Scenario
    campaign: _Campaign
    run: Annotated[str, _says("the campaign's run (campaign@occurrence)")]
    step: _Step
    experiment: Annotated[str, _says("the experiment whose split the journey passed last")]
    variant: Annotated[str, _says("its arm")]
    message: Annotated[str, _says("the message's name")]
    message_hash: Annotated[str, _says("what was said, by hash")]
    playbook: _Playbook
    held_out: Annotated[
        bool, _says("whether the person is of the holdout for this source and kind: the arm, by intent")
    ]
    holds: Annotated[int, _says("how often it was held back before it ended")]
    seen_at: _Seen


class Click(msgspec.Struct, frozen=True):
    """One row a click on a link of a message."""

    click_id: Annotated[str, _says("the event's identity")]
    customer_id: _Person
    at: _At
    send_id: Annotated[str, _says("the message that the link stood in")]
    link: Annotated[str, _says("the link's name")]
    variant: Annotated[str, _says("the arm that the message was sent under")]
    scenario: _Scenario
    campaign: _Campaign
    step: _Step
    agent: Annotated[str, _says("person, preview or bot")]
    seen_at: _Seen


class Friendship(msgspec.Struct, frozen=True):
    """One row a follow or a block of the account."""

    event_id: Annotated[str, _says("the event's identity")]
    customer_id: _Person
    at: _At
    change: Annotated[str, _says("follow or block")]
    seen_at: _Seen


class EventFact(msgspec.Struct, frozen=True):
    """One row an event that is neither click nor friendship, as the CRM or the person said it."""

    event_id: Annotated[str, _says("the event's identity: of a provisional one not that of its confirmation")]
    customer_id: _Person
    name: Annotated[str, _says("its name in the dictionary")]
    at: _At
    status: Annotated[str, _says("confirmed or provisional")]
    source: Annotated[str, _says("who told of it")]
    imported: Annotated[bool, _says("whether it came as history, and started nothing")]
    properties: Annotated[str, _says("its properties as JSON, without what names a LINE user or a phone")]
    seen_at: _Seen


class Membership(msgspec.Struct, frozen=True):
    """One row an entering or a leaving of a segment."""

    customer_id: _Person
    segment: Annotated[str, _says("the segment's name")]
    change: Annotated[str, _says("entered or left")]
    at: _At
    playbook: _Playbook
    seen_at: _Seen


class JourneyFact(msgspec.Struct, frozen=True):
    """One row a beginning or an end of a customer's passage through a scenario."""

    journey_id: Annotated[str, _says("the passage")]
    customer_id: _Person
    scenario: _Scenario
    playbook: _Playbook
    occurrence: Annotated[int, _says("the customer's n-th passage")]
    change: Annotated[str, _says("entered, done, exited, goal or expired")]
    at: _At
    variant: Annotated[str, _says("the arm of the split that it passed last, as experiment:variant")]
    seen_at: _Seen


class ExposureFact(msgspec.Struct, frozen=True):
    """One row a person's assignment to a variant. A later day may repeat one (a linking does): the first row counts."""

    unit: _Unit
    customer_id: _Person
    experiment: Annotated[str, _says("the experiment")]
    variant: Annotated[str, _says("the arm that the person was assigned to for good")]
    at: _At
    playbook: _Playbook
    seen_at: _Seen


class PersonFact(msgspec.Struct, frozen=True):
    """One row a change of who somebody is. The latest row of a customer says whose it is now; owners form chains."""

    customer_id: Annotated[str, _says("an id of the person")]
    owner: Annotated[str, _says("the customer that it was merged into; itself where it was not")]
    unit: _Unit
    linked: Annotated[bool, _says("whether a LINE user is tied to a customer of the CRM")]
    at: _At
    seen_at: _Seen


class Insight(msgspec.Struct, frozen=True):
    """One row a day and aggregation unit of LINE's own figures. Null is what LINE does not tell (fewer than 20 people)."""

    unit: Annotated[str, _says("LINE's aggregation unit")]
    scenario: _Scenario
    campaign: _Campaign
    step: _Step
    variant: Annotated[str, _says("the arm that its messages were sent under")]
    run: Annotated[str, _says("the campaign's run")]
    day_of: Annotated[str, _says("the day, in Japan, up to which the figures are counted, as YYYY-MM-DD")]
    delivered: Annotated[int | None, _says("messages delivered; null, for LINE does not tell it by unit")]
    opened: Annotated[int | None, _says("people who opened one")]
    clicked: Annotated[int | None, _says("people who clicked one")]
    at: _At
    seen_at: _Seen


Fact = Send | Click | Friendship | EventFact | Membership | JourneyFact | ExposureFact | PersonFact | Insight

SENDS = table_of(Send, "sends", ("send_id",))
CLICKS = table_of(Click, "clicks", ("click_id",))
FRIENDSHIPS = table_of(Friendship, "friendships", ("customer_id", "event_id"))
EVENTS = table_of(EventFact, "events", ("customer_id", "event_id"))
MEMBERSHIPS = table_of(Membership, "memberships", ("customer_id", "segment", "at"))
JOURNEYS = table_of(JourneyFact, "journeys", ("journey_id", "change"))
EXPOSURES = table_of(ExposureFact, "exposures", ("unit", "experiment"))
PEOPLE = table_of(PersonFact, "people", ("customer_id", "at"))
INSIGHT = table_of(Insight, "insight", ("unit", "day_of"))

TABLE_OF: Mapping[type[msgspec.Struct], Table] = {
    Send: SENDS,
    Click: CLICKS,
    Friendship: FRIENDSHIPS,
    EventFact: EVENTS,
    Membership: MEMBERSHIPS,
    JourneyFact: JOURNEYS,
    ExposureFact: EXPOSURES,
    PersonFact: PEOPLE,
    Insight: INSIGHT,
}
TABLES: Mapping[str, Table] = {table.name: table for table in TABLE_OF.values()}
"""Every table of facts, by name."""

FriendChange = Literal["follow", "block"]
_LINE_USER = re.compile(r"U[0-9a-f]{32}")
_PSEUDONYM_DIGITS = 32


def person(customer_id: str) -> str:
    """The id as facts have it: a CRM's as it is, a friend's who is not linked by a pseudonym that stays the same."""
    if not is_anonymous(customer_id):
        return customer_id
    return f"{ANONYMOUS}{_pseudonym(customer_id.removeprefix(ANONYMOUS))}"


def _pseudonym(line_user_id: str) -> str:
    """LINE's ids are 128 random bits: nobody finds one from its hash, and who has one learns only that it is known."""
    return hashlib.sha256(f"facts\x1f{line_user_id}".encode()).hexdigest()[:_PSEUDONYM_DIGITS]


def without_line_users(value: Any) -> Any:
    """A value as JSON has it, each LINE user id in its texts replaced by the pseudonym."""
    if isinstance(value, str):
        return _LINE_USER.sub(lambda found: _pseudonym(found[0]), value)
    if isinstance(value, list):
        return [without_line_users(item) for item in value]
    if isinstance(value, dict):
        return {str(key): without_line_users(item) for key, item in value.items()}
    return value
