"""Campaigns: when they run, and the frozen list of whom a run is for."""

import datetime as dt
import hashlib
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from functions.domain import playbook as pb
from functions.domain.compiled import Compiled
from functions.domain.customers import Customer
from functions.domain.instants import Instant, format_instant, local_day_at, parse_instant
from functions.domain.intents import frozen_values
from functions.domain.sends import EXPIRES_MAX, Intent, send_id_of

WEEK_DAYS = 7


class Run(msgspec.Struct, frozen=True):
    """One occurrence of a campaign, frozen when it began: later attempts use this version and this instant."""

    campaign: str
    occurrence: Instant
    playbook: str
    made_at: Instant
    scan_segments: int

    @property
    def source(self) -> str:
        """What the accounts call this run."""
        return f"{self.campaign}@{format_instant(self.occurrence)}"


def run_of_source(source: str) -> tuple[str, Instant]:
    """Campaign and occurrence of a run's source. Raises InstantError where it is none."""
    campaign, _, occurrence = source.rpartition("@")
    return campaign, parse_instant(occurrence)


class Recipient(msgspec.Struct, frozen=True, array_like=True):
    """One person whom the run is for. `unit`: as in an intent."""

    customer_id: str
    line_user_id: str
    values: dict[str, Any]
    unit: str = ""


class Chunk(msgspec.Struct, frozen=True):
    """One page of the scan, frozen. `next_key` is where the following page starts; empty at the end."""

    recipients: list[Recipient]
    next_key: str = ""


def next_occurrence(campaign: pb.Campaign, zone: str, after: Instant) -> Instant | None:
    """The first instant after `after` at which the campaign runs; None where it never does again."""
    if not campaign.on:
        return None
    if campaign.once is not None:
        return campaign.once if campaign.once > after else None
    if campaign.weekly is None:
        return None
    return _next_week_day(campaign.weekly, zone, after)


def is_occurrence(campaign: pb.Campaign, zone: str, at: Instant) -> bool:
    """Whether the campaign runs at exactly this instant."""
    return next_occurrence(campaign, zone, at - dt.timedelta(microseconds=1)) == at


def _next_week_day(weekly: pb.Weekly, zone: str, after: Instant) -> Instant:
    today = after.astimezone(ZoneInfo(zone)).weekday()
    ahead = (weekly.weekday - today) % WEEK_DAYS
    candidates = (local_day_at(after, ahead + weeks * WEEK_DAYS, weekly.at, zone) for weeks in (-1, 0, 1))
    return next(at for at in candidates if at > after)


def recipient_of(customer: Customer, run: Run, compiled: Compiled) -> Recipient | None:
    """The customer as a recipient; None where it is not in the segment or has no LINE user to send to."""
    campaign = compiled.playbook.campaigns[run.campaign]
    if customer.merged_into or not customer.line_user_id:
        return None
    if not compiled.remains(compiled.playbook.segments[campaign.segment].when, customer.profile, run.made_at):
        return None
    message = compiled.playbook.messages[campaign.message]
    values = frozen_values(message, customer.profile, compiled.context, run.made_at)
    return Recipient(customer.customer_id, customer.line_user_id, values, customer.own_unit)


def number_of_user(line_user_id: str) -> int:
    """A LINE user in 96 bits: what a list of ten million has room for while it is made."""
    return int.from_bytes(hashlib.blake2b(line_user_id.encode(), digest_size=12).digest())


def send_id_in(run: Run, line_user_id: str, account: str) -> str:
    """The name of this run's message to this LINE user, by whichever customer id the list has it."""
    return send_id_of(account, run.source, "", run.campaign, line_user_id, "1")


def run_expires_at(run: Run, compiled: Compiled) -> Instant:
    """When every message of the run expires."""
    campaign = compiled.playbook.campaigns[run.campaign]
    return run.made_at + min(EXPIRES_MAX, dt.timedelta(seconds=campaign.expires_seconds))


def intent_of(
    recipient: Recipient, run: Run, compiled: Compiled, account: str, *, called_off: bool = False
) -> Intent:
    """The intent of one recipient: the same whenever, and however often, it is made. `called_off`: the run was rejected."""
    campaign = compiled.playbook.campaigns[run.campaign]
    message = compiled.playbook.messages[campaign.message]
    return Intent(
        send_id=send_id_in(run, recipient.line_user_id, account),
        customer_id=recipient.customer_id,
        line_user_id=recipient.line_user_id,
        kind=message.kind,
        source=run.source,
        journey="",
        step=run.campaign,
        occurrence="1",
        message=campaign.message,
        message_hash=message.hash,
        playbook=run.playbook,
        rank=campaign.rank,
        made_at=run.made_at,
        expires_at=run_expires_at(run, compiled),
        values=recipient.values,
        campaign=run.campaign,
        hold_seconds_max=campaign.hold_seconds_max,
        category=message.category,
        called_off=called_off,
        unit=recipient.unit,
    )
