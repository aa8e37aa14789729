"""Lint: the account's rules. What protects people is there and counts, and what may be held lives long enough."""

from collections.abc import Iterator

from functions.playbook.draft import Draft, Part
from functions.playbook.faults import PlaybookFault
from functions.playbook.message_models import MessageForm
from functions.playbook.models import Form
from functions.playbook.retention_lint import retention_faults
from functions.playbook.scenario_models import Block, every_step
from functions.playbook.settings_models import CapForm, SettingsForm
from functions.playbook.sources import Place

DAY_SECONDS = 86_400
WEEK_SECONDS = 7 * DAY_SECONDS


def settings_faults(draft: Draft) -> Iterator[PlaybookFault]:
    """Sources that somebody needs and playbook.yaml does not name, and budgets that nothing can be counted against."""
    if draft.settings is None:
        return
    yield from _unpriced(draft, draft.settings.form)
    yield from retention_faults(draft, draft.settings)
    known = draft.settings.form.sources
    needs: list[tuple[Part[Form], list[str]]] = [
        *((part, part.form.needs) for part in draft.scenarios.values()),
        *((part, part.form.needs) for part in draft.campaigns.values()),
    ]
    for part, names in needs:
        for number, name in enumerate(names):
            if name not in known:
                yield part.fault(
                    ("needs", number),
                    f"there is no source {name!r}; write sources: {{{name}: {{fresh_for: 26h}}}} in playbook.yaml",
                )


def _unpriced(draft: Draft, settings: SettingsForm) -> Iterator[PlaybookFault]:
    """Budgets of campaigns without the price of a message, or below it."""
    each = settings.price.yen_each
    for campaign in draft.campaigns.values():
        budget = campaign.form.yen_max
        if budget is None or (each and budget >= each):
            continue
        why = (
            f"{budget} yen do not pay for one message of {each:g} yen; raise it, or take it out"
            if each
            else "what a message costs is not known; write price: {yen_each: 3} in playbook.yaml"
        )
        yield campaign.fault(("yen_max",), why)


def settings_warnings(draft: Draft) -> Iterator[PlaybookFault]:
    """No quiet hours, promotions without a weekly cap, and sends that expire before a cap lets them pass."""
    settings = draft.settings
    if settings is None:
        return
    if settings.form.quiet_hours is None:
        yield settings.fault(
            (), 'there are no quiet hours, so phones ring at night; write quiet_hours: {from: "21:00", …}'
        )
    if _promotes(draft) and not any(_is_weekly(cap) for cap in settings.form.caps):
        yield settings.fault(
            ("caps",),
            "nothing caps promotions by the week; one a rolling week keeps people: {kinds: [promotion], limit: 1, window: 7d}",
        )
    yield from _idle_caps(draft, settings)
    yield from _idle_topics(draft, settings)
    yield from _held_too_long(draft, settings.form)


def _promotes(draft: Draft) -> bool:
    return any(part.form.kind == "promotion" for part in draft.messages.values())


def _is_weekly(cap: CapForm) -> bool:
    """Whether it counts all promotions, over a week or longer than one."""
    over_a_week = cap.calendar == "week" or (cap.window or 0) >= WEEK_SECONDS
    return "promotion" in cap.kinds and not cap.categories and over_a_week


def _idle_caps(draft: Draft, settings: Part[SettingsForm]) -> Iterator[PlaybookFault]:
    """Caps of a category that no message bears, where every message can be read."""
    if not draft.sound("messages"):
        return
    borne = {part.form.category for part in draft.messages.values()}
    for number, cap in enumerate(settings.form.caps):
        for name in sorted(set(cap.categories) - borne):
            yield settings.fault(
                ("caps", number, "categories"),
                f"no message is of the category {name}, so the cap {cap.id} does not count any; write category: {name}",
            )


def _idle_topics(draft: Draft, settings: Part[SettingsForm]) -> Iterator[PlaybookFault]:
    """Topics that people may choose and that stop nothing: no message is of that category, where all can be read."""
    borne = {part.form.category for part in draft.messages.values()}
    for name in settings.form.preferences.topics:
        if draft.sound("messages") and name not in {*borne, "promotion"}:
            yield settings.fault(
                ("preferences", "topics", name),
                f"no message is of the category {name}, so to choose it changes nothing; write category: {name}",
            )


def _held_too_long(draft: Draft, settings: SettingsForm) -> Iterator[PlaybookFault]:
    """A cap may hold a send for longer than it lives: it would be dropped, and not sent when the cap opens."""
    for part, place, message, expires, own in _sends(draft):
        if message not in draft.messages:
            continue
        form = draft.messages[message].form
        patience = max((cap.hold_up_to or 0 for cap in settings.caps if _counts(cap, form)), default=0)
        held = patience if own is None else own
        if held > expires:
            yield part.fault(
                place,
                f"a cap may hold {message} for {_days(held)}, and it expires after {_days(expires)}; "
                "write a longer expires_after, or a shorter hold_up_to",
            )


def _sends(draft: Draft) -> Iterator[tuple[Part[Form], Place, str, int, int | None]]:
    """Every send: where it stands, its message, how many seconds it lives and how long it may be held at most."""
    for scenario in draft.scenarios.values():
        for place, step in every_step(Block(("steps",), scenario.form.steps)):
            if step.send:
                send, at = step.send, (*place, "send")
                yield scenario, (*at, "expires_after"), send.message, send.expires_after, send.hold_up_to
    for campaign in draft.campaigns.values():
        form = campaign.form
        yield campaign, ("expires_after",), form.message, form.expires_after, form.hold_up_to


def _counts(cap: CapForm, message: MessageForm) -> bool:
    return message.kind in cap.kinds and (not cap.categories or message.category in cap.categories)


def _days(seconds: int) -> str:
    return f"{seconds / DAY_SECONDS:g}d"
