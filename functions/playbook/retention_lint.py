"""Lint: what is folded away must not be needed one by one, by a window or by a correction."""

from collections.abc import Iterator

from functions.playbook.draft import Draft, Part
from functions.playbook.faults import PlaybookFault
from functions.playbook.settings_models import SettingsForm

DAY_SECONDS = 86_400


def retention_faults(draft: Draft, settings: Part[SettingsForm]) -> Iterator[PlaybookFault]:
    """Windows that reach further back than their events are kept, and corrections that go before what they correct."""
    kept = settings.form.retention.events
    for name in sorted(kept.keys() & draft.events.keys()):
        event = draft.events[name]
        if event.form.keep > kept[name]:
            yield event.fault(
                ("keep",),
                f"windows look {_days(event.form.keep)} back at {name}, which playbook.yaml keeps for {_days(kept[name])}; "
                f"write keep: {_days(kept[name])} or less, or retention: {{events: {{{name}: {_days(event.form.keep)}}}}}",
            )
        corrected = event.form.amends.event if event.form.amends else ""
        if not corrected:
            continue
        theirs = kept.get(corrected)
        if theirs is None or theirs > kept[name]:
            longest = "for good" if theirs is None else f"for {_days(theirs)}"
            yield settings.fault(
                ("retention", "events", name),
                f"{name} corrects {corrected}, which is kept {longest}, and would be folded away before it; "
                f"write the same for both, or a longer one for {name}",
            )


def _days(seconds: int) -> str:
    return f"{seconds // DAY_SECONDS}d"
