"""Intents, and what becomes of them: the life of one message to one recipient."""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Sequence
from typing import Any, Literal, TypeVar

import msgspec

from functions.domain.instants import Instant
from functions.domain.playbook import Kind

Outcome = Literal["sent", "suppressed", "failed", "unknown"]

_NAMESPACE = uuid.UUID("6d757375-6269-5000-8000-6c696e650001")
EXPIRES_MAX = dt.timedelta(days=8)
KEY_LIFE = dt.timedelta(hours=23)
"""LINE forgets a retry key after 24 hours, and then the same key is a new send. An hour is kept in hand."""
CLAIM_OUTLIVES = dt.timedelta(hours=1)
HOLDS_KEPT = 8


class HoldNote(msgspec.Struct, frozen=True, array_like=True):
    """Since `at` it has waited for `reason`; it comes up again at `until`."""

    at: Instant
    reason: str
    until: Instant


class Intent(msgspec.Struct, frozen=True, omit_defaults=True):
    """A decision to send, whole: every attempt finds all it needs in here, so that every attempt is the same.

    `source` is the scenario, or the campaign run (`campaign@occurrence`); `occurrence` tells apart repeated
    passages of one customer through one source; `line_user_id` is empty where no LINE user is known. `due_at` is when
    its step was due, which a late look leaves as it was; `overtaken`: a later step of the passage was due by then too;
    `called_off`: its campaign run was rejected, and it only comes to its end; `unit`: what experiments and holdouts know
    the person by, where that is another id than the customer's.
    """

    send_id: str
    customer_id: str
    line_user_id: str
    kind: Kind
    source: str
    journey: str
    step: str
    occurrence: str
    message: str
    message_hash: str
    playbook: str
    rank: int
    made_at: Instant
    expires_at: Instant
    values: dict[str, Any] = {}
    scenario: str = ""
    campaign: str = ""
    variant: str = ""
    hold_seconds_max: int | None = None
    category: str = ""
    due_at: Instant | None = None
    overtaken: bool = False
    called_off: bool = False
    holds: list[HoldNote] = []
    unit: str = ""

    @property
    def passage(self) -> str:
        """The source and occurrence, whoever's journey it is: two customers that were merged share it."""
        return f"{self.source}/{self.occurrence}"


class MenuOrder(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="order", tag="rich_menu"):
    """An order to show a customer one of the playbook's rich menus (empty: the account's default).

    `send_id` names the wish that it comes from; an order whose wish is no longer the customer's latest is void. It may
    be carried out any number of times. `attempt` counts how often it was tried.
    """

    send_id: str
    customer_id: str
    line_user_id: str
    menu: str
    attempt: int = 1


class BatchOrder(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="order", tag="batch"):
    """An order to say the same to several people at once: those at these positions of a campaign run's frozen page.

    `send_id` names the batch, and is its retry key; `source` the run (`campaign@occurrence`), `segment` and `number` the
    page.
    """

    send_id: str
    source: str
    segment: int
    number: int
    members: list[int]
    holds: list[HoldNote] = []


Order = Intent | MenuOrder | BatchOrder
"""What the send queues carry."""

Lane = Literal["prompt", "bulk"]


def lane_of(order: Order) -> Lane:
    """The queue in which an order waits: promotions never stand before what a person waits for."""
    is_bulk = isinstance(order, BatchOrder) or (isinstance(order, Intent) and order.kind == "promotion")
    return "bulk" if is_bulk else "prompt"


class Resolution(msgspec.Struct, frozen=True):
    """A person's word on an unknown end: what the record said before, who says otherwise, when and why."""

    status: Outcome
    reason: str
    by: str
    at: Instant
    why: str


class SendRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the send log: when, to whom, which step and text version, and why."""

    send_id: str
    customer_id: str
    line_user_id: str
    status: Outcome
    at: Instant
    made_at: Instant
    kind: Kind
    message: str
    message_hash: str
    playbook: str
    step: str
    reason: str = ""
    scenario: str = ""
    campaign: str = ""
    run: str = ""
    variant: str = ""
    request_id: str = ""
    holds: list[HoldNote] = []
    facts: dict[str, Any] = {}
    resolved: Resolution | None = None
    unit: str = ""


def send_id_of(account: str, source: str, journey: str, step: str, line_user_id: str, occurrence: str) -> str:
    """The name of one logical message (uuid5): the same for every attempt. It is LINE's retry key as well."""
    return str(
        uuid.uuid5(_NAMESPACE, "\x1f".join((account, source, journey, step, line_user_id, occurrence)))
    )


def content_hash(content: list[dict[str, Any]]) -> str:
    """16 hex digits of what is said, independent of the order of keys."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


_Held = TypeVar("_Held", bound=Intent | BatchOrder)


def held(order: _Held, reason: str, until: Instant, now: Instant) -> _Held:
    """The order with a note of one more hold. Holds for the same reason, one after the other, are one."""
    notes = order.holds
    begun = now
    if notes and notes[-1].reason == reason:
        begun, notes = notes[-1].at, notes[:-1]
    notes = [*notes, HoldNote(begun, reason, until)][-HOLDS_KEPT:]
    return msgspec.structs.replace(order, holds=notes)


def with_overtaken(intents: Sequence[Intent]) -> list[Intent]:
    """The same intents. Of several steps of one passage that one look made at once, all but those due last are marked:
    nobody gets two reminders together because somebody looked late. Steps due at the same instant belong together."""
    last: dict[tuple[str, Instant], Instant] = {}
    for one in intents:
        if one.due_at is not None:
            made = (one.passage, one.made_at)
            last[made] = max(last.get(made, one.due_at), one.due_at)
    return [
        msgspec.structs.replace(one, overtaken=True)
        if one.due_at is not None and one.due_at < last[one.passage, one.made_at]
        else one
        for one in intents
    ]


def record_of(
    intent: Intent,
    status: Outcome,
    reason: str,
    at: Instant,
    request_id: str = "",
    facts: dict[str, Any] | None = None,
) -> SendRecord:
    """The line that the send log gets when an intent has ended. `facts`: what the decision rested on."""
    return SendRecord(
        send_id=intent.send_id,
        customer_id=intent.customer_id,
        line_user_id=intent.line_user_id,
        status=status,
        at=at,
        made_at=intent.made_at,
        kind=intent.kind,
        message=intent.message,
        message_hash=intent.message_hash,
        playbook=intent.playbook,
        step=intent.step,
        reason=reason,
        scenario=intent.scenario,
        campaign=intent.campaign,
        run=intent.source if intent.campaign else "",
        variant=intent.variant,
        request_id=request_id,
        holds=intent.holds,
        facts=facts or {},
        unit=intent.unit,
    )
