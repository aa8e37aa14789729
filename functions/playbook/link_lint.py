"""Lint: tracked links. They lead to the origins of playbook.yaml alone, and fit into what LINE takes."""

import datetime as dt
import json
import math
import uuid
from collections.abc import Iterator

from functions.domain.addresses import EXAMPLES
from functions.domain.message_limits.actions import URI_CHARACTERS_MAX
from functions.domain.tracked_links import (
    LABEL_CHARACTERS_MAX,
    Click,
    FoundLink,
    links_in,
    may_track,
    payload_of,
)
from functions.playbook.draft import Draft, Part
from functions.playbook.faults import PlaybookFault
from functions.playbook.message_lint import filled_in
from functions.playbook.message_models import MessageForm
from functions.playbook.settings_models import SettingsForm
from functions.playbook.surveys import survey_messages

SIGNED_CHARACTERS = 52
"""What a token has beside its payload: two dots, when it was made, and an HMAC-SHA-256."""
BASE_CHARACTERS = 80
"""As long as the address of an API of AWS is, or one's own."""


def tracked_links(form: MessageForm, settings: SettingsForm) -> list[FoundLink]:
    """The links of a message that are tracked, or would be if they led to a known origin; our own pages are none."""
    if not (settings.links.track and form.track):
        return []
    found = links_in(filled_in(form) or [], in_text=settings.links.in_text)
    return [one for one in found if not one.address.startswith(tuple(EXAMPLES.values()))]


def link_faults(draft: Draft) -> Iterator[PlaybookFault]:
    """Tracked links that lead elsewhere than playbook.yaml says."""
    for part, link in _every_link(draft):
        if draft.settings and not may_track(link.address, draft.settings.form.links.to):
            yield part.fault(
                ("content", *link.place),
                f"tracked links lead to the origins under links of playbook.yaml alone, and {_shown(link)} is under none; "
                "add its origin to links: {to: […]}, or write track: false",
            )


def link_warnings(draft: Draft) -> Iterator[PlaybookFault]:
    """Links whose tracked address LINE would not take: they are left as they are, and not counted."""
    for part, link in _every_link(draft):
        length = longest(link)
        if length > URI_CHARACTERS_MAX:
            yield part.fault(
                ("content", *link.place),
                f"the tracked address of this link may come to {length} characters, and LINE takes {URI_CHARACTERS_MAX}: "
                "it would not be counted; write a shorter address",
            )


def _every_link(draft: Draft) -> Iterator[tuple[Part[MessageForm], FoundLink]]:
    if draft.settings is None:
        return
    for _, part in (*draft.messages.items(), *survey_messages(draft)):
        for link in tracked_links(part.form, draft.settings.form):
            yield part, link


def longest(link: FoundLink) -> int:
    """How many characters the tracked address of a link has where ids and names are long."""
    name, label = "n" * 32, link.label[:LABEL_CHARACTERS_MAX]
    at = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
    click = Click(link.address, str(uuid.UUID(int=0)), "c" * 64, f"99 {label}", at, name, name, "", name)
    said = json.dumps(payload_of(click), separators=(",", ":"))
    return BASE_CHARACTERS + len("/c/") + math.ceil(len(said) * 4 / 3) + SIGNED_CHARACTERS


def _shown(link: FoundLink) -> str:
    return link.address if len(link.address) <= 100 else f"{link.address[:99]}…"  # noqa: PLR2004 — a line of text
