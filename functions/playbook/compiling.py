"""A sound draft → the compiled playbook that the flows decide with."""

import hashlib
from typing import Any, get_args

import msgspec

from functions.domain import playbook as pb
from functions.domain.addresses import EXAMPLES
from functions.domain.segments import Tree, inlined, parse, segment_hash
from functions.playbook.alert_models import alerts_of
from functions.playbook.draft import Draft
from functions.playbook.expressions import event_type, names_in, segment_trees
from functions.playbook.link_lint import tracked_links
from functions.playbook.measuring import measured_by
from functions.playbook.message_models import MessageForm
from functions.playbook.message_reading import texts_in
from functions.playbook.models import CampaignForm, ExperimentForm, Weekday
from functions.playbook.quantities import instant_in
from functions.playbook.scenario_models import EntryForm, ScenarioForm
from functions.playbook.settings_models import (
    BreakerForm,
    CapForm,
    LinkingForm,
    LinksForm,
    PreferencesForm,
    SettingsForm,
    SourceForm,
)
from functions.playbook.steps import flat_steps
from functions.playbook.surveys import compiled_survey, survey_messages
from functions.rendering import variables_of

_WEEKDAYS: tuple[str, ...] = get_args(Weekday)


def short_hash(value: Any) -> str:
    """16 hex digits that name a value: sha256 of its canonical JSON, whatever the order of keys."""
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()[:16]


def compiled(draft: Draft) -> pb.Playbook:
    """The playbook of a draft that has no faults."""
    assert draft.settings is not None, "a draft without playbook.yaml has faults"
    return _Compiling(draft, draft.settings.form).playbook()


class _Compiling:
    """What the parts need of each other while they are compiled."""

    def __init__(self, draft: Draft, settings: SettingsForm) -> None:
        self._draft, self._settings = draft, settings
        self._names, self._trees = names_in(draft), segment_trees(draft)

    def playbook(self) -> pb.Playbook:
        draft, settings = self._draft, self._settings
        playbook = pb.Playbook(
            version="",
            name=settings.account,
            zone=settings.zone,
            caps=[_cap(form) for form in settings.caps],
            quiet_hours=_quiet_hours(settings),
            consent=_consent(settings),
            exclusions={name: form.kinds for name, form in settings.exclusions.items() if form.when is None},
            events={name: event_type(part.form) for name, part in draft.events.items()},
            segments={name: self._segment(name) for name in draft.segments},
            scenarios={name: self._scenario(part.form) for name, part in draft.scenarios.items()},
            campaigns={name: self._campaign(part.form) for name, part in draft.campaigns.items()},
            messages={
                name: _message(part.form, settings)
                for name, part in (*draft.messages.items(), *survey_messages(draft))
            },
            experiments={name: _experiment(part.form) for name, part in draft.experiments.items()},
            rich_menus=settings.rich_menus,
            exclusion_rules={
                name: pb.Exclusion(self._tree(form.when), form.kinds)
                for name, form in settings.exclusions.items()
                if form.when is not None
            },
            holdout=pb.Holdout(settings.holdout.percent, settings.holdout.kinds)
            if settings.holdout
            else None,
            sources={name: _source(form) for name, form in settings.sources.items()},
            price=pb.Price(**settings.price.model_dump()),
            breaker=_breaker(settings.breaker),
            alerts=alerts_of(settings.alerts),
            approval_above=settings.approval.above if settings.approval else None,
            follow_again=settings.erasure.follow_again,
            retention=pb.Retention(settings.retention.sends, settings.retention.events),
            linking=_linking(settings.linking),
            links=_links(settings.links),
            preferences=_preferences(settings.preferences),
            surveys={name: compiled_survey(part.form) for name, part in draft.surveys.items()},
            measure=measured_by(settings, {name: part.form for name, part in draft.events.items()}),
        )
        return msgspec.structs.replace(playbook, version=short_hash(playbook))

    def _tree(self, text: str) -> Tree:
        return inlined(parse(text, self._names), self._trees)

    def _optional(self, text: str | None) -> Tree | None:
        return None if text is None else self._tree(text)

    def _segment(self, name: str) -> pb.Segment:
        form = self._draft.segments[name].form
        tree = self._tree(form.when)
        return pb.Segment(tree, segment_hash(tree), form.when, form.meaning)

    def _rank(self, priority: str) -> int:
        return self._settings.priorities.index(priority)

    def _scenario(self, form: ScenarioForm) -> pb.Scenario:
        return pb.Scenario(
            entry=self._entry(form.entry),
            steps=flat_steps(
                form.steps, self._tree, {name: part.form for name, part in self._draft.surveys.items()}
            ),
            rank=self._rank(form.priority),
            desired_action=form.desired_action,
            target=form.target,
            owner=form.owner,
            on=form.on,
            reentry_seconds=form.reentry,
            exit=self._optional(form.exit),
            goal=self._optional(form.goal),
            not_with=form.concurrency.not_with,
            replaces=form.concurrency.replaces,
            migrate=form.migrate,
            needs=form.needs,
            holdout_percent=form.holdout or 0.0,
        )

    def _entry(self, form: EntryForm) -> pb.Entry:
        when = self._optional(form.when)
        return pb.Entry(form.event, form.fresh_for, when, form.segment or "", form.on)

    def _campaign(self, form: CampaignForm) -> pb.Campaign:
        schedule = form.schedule
        weekly = (
            pb.Weekly(_WEEKDAYS.index(schedule.every), schedule.at)
            if schedule.every and schedule.at
            else None
        )
        return pb.Campaign(
            segment=form.segment,
            message=form.message,
            rank=self._rank(form.priority),
            expires_seconds=form.expires_after,
            owner=form.owner,
            on=form.on,
            weekly=weekly,
            once=instant_in(schedule.once, self._settings.zone) if schedule.once else None,
            hold_seconds_max=form.hold_up_to,
            needs=form.needs,
            holdout_percent=form.holdout or 0.0,
            yen_max=form.yen_max,
        )


def _cap(form: CapForm) -> pb.Cap:
    return pb.Cap(
        id=form.id,
        kinds=form.kinds,
        limit=form.limit,
        window_seconds=form.window or 0,
        hold_seconds_max=form.hold_up_to or 0,
        calendar=form.calendar or "",
        categories=form.categories,
    )


def _breaker(form: BreakerForm) -> pb.Breaker | None:
    return pb.Breaker(form.block_rate_percent, form.sends_min, form.window) if form.on else None


def _linking(form: LinkingForm) -> pb.Linking:
    consent = [pb.ConsentAsked(**one.model_dump()) for one in form.consent]
    return pb.Linking(**{**form.model_dump(), "consent": consent})


def _links(form: LinksForm) -> pb.Links:
    return pb.Links(form.track, form.expires, form.to, form.in_text, form.insight)


def _preferences(form: PreferencesForm) -> pb.Preferences:
    words = form.words
    return pb.Preferences(words.stop, words.resume, form.stops, form.topics, form.hours)


def _quiet_hours(settings: SettingsForm) -> pb.QuietHours | None:
    quiet = settings.quiet_hours
    return pb.QuietHours(quiet.start, quiet.end, quiet.kinds) if quiet else None


def _consent(settings: SettingsForm) -> dict[pb.Kind, list[str]]:
    consent = settings.consent
    return {"promotion": consent.promotion, "notification": consent.notification, "support": consent.support}


def _experiment(form: ExperimentForm) -> pb.Experiment:
    return pb.Experiment(form.changes, form.variants, form.goal, form.owner, form.measures or "")


def _message(form: MessageForm, settings: SettingsForm) -> pb.Message:
    slots = {name: pb.Slot(slot.context, slot.by or "", slot.key or "") for name, slot in form.slots.items()}
    return pb.Message(
        kind=form.kind,
        hash=short_hash([form.kind, form.content, form.fallbacks, form.category, slots]),
        content=form.content,
        fallbacks=form.fallbacks,
        removes=form.removes or "",
        discount_reason=form.discount_reason or "",
        category=form.category or "",
        slots=slots,
        addresses=sorted(EXAMPLES.keys() & _asked_for(form)),
        tracked=any(tracked_links(form, settings)),
    )


def _asked_for(form: MessageForm) -> set[str]:
    """The variables of all of a message's texts."""
    return {name for _, text in texts_in(form.content) for name in variables_of(text)}


def _source(form: SourceForm) -> pb.Source:
    told = form.expect
    return pb.Source(
        form.fresh_for, None if told is None else pb.Expect(told.every, told.by, told.rows_within)
    )
