"""A folder of YAML → a draft: every file in its form, with the place of every part, and what has no form."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from functions.playbook import message_models, models, scenario_models, settings_models, survey_models
from functions.playbook.faults import PlaybookFault
from functions.playbook.message_models import MessageForm
from functions.playbook.models import CampaignForm, EventForm, ExperimentForm, SegmentForm
from functions.playbook.scenario_models import ScenarioForm
from functions.playbook.settings_models import SettingsForm
from functions.playbook.sources import Place, Source, read_source
from functions.playbook.survey_models import SurveyForm

M = TypeVar("M", bound=BaseModel)
M_co = TypeVar("M_co", bound=BaseModel, covariant=True)

SETTINGS, EVENTS, SEGMENTS = "playbook.yaml", "events.yaml", "segments.yaml"
EXPERIMENTS = "experiments.yaml"
FOLDERS = ("scenarios", "campaigns", "messages", "surveys")


class Part(NamedTuple, Generic[M_co]):
    """One thing of the playbook in its form, and where it is written."""

    form: M_co
    source: Source
    place: Place = ()

    def fault(self, place: Place, message: str) -> PlaybookFault:
        """A fault about something within this part."""
        return self.source.fault((*self.place, *place), message)


@dataclass
class Draft:
    """All parts that have a form.

    `names`: everything that is written down, also what has no form, by section; a section whose file cannot be
    read is not in it.
    """

    settings: Part[SettingsForm] | None = None
    events: dict[str, Part[EventForm]] = field(default_factory=dict)
    segments: dict[str, Part[SegmentForm]] = field(default_factory=dict)
    scenarios: dict[str, Part[ScenarioForm]] = field(default_factory=dict)
    campaigns: dict[str, Part[CampaignForm]] = field(default_factory=dict)
    messages: dict[str, Part[MessageForm]] = field(default_factory=dict)
    experiments: dict[str, Part[ExperimentForm]] = field(default_factory=dict)
    surveys: dict[str, Part[SurveyForm]] = field(default_factory=dict)
    names: dict[str, set[str]] = field(default_factory=dict)

    def lacks(self, section: str, name: str) -> bool:
        """Whether a section that can be read does not have the name."""
        return section in self.names and name not in self.names[section]

    def sound(self, *sections: str) -> bool:
        """Whether everything that is written in these sections has a form."""
        return all(self.names.get(section) == set(getattr(self, section)) for section in sections)


class _Folder:
    """The walk over one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.faults: list[PlaybookFault] = []

    def shown(self, name: str) -> str:
        return str(self.directory / name)

    def source(self, name: str) -> Source | None:
        path = self.directory / name
        if not path.is_file():
            self.faults.append(
                PlaybookFault(self.shown(name), 1, "the file is missing; every playbook has one, so write it")
            )
            return None
        source, faults = read_source(path, self.shown(name))
        self.faults += faults
        return source

    def form(self, form: type[M], source: Source, place: Place, data: Any) -> Part[M] | None:
        try:
            return Part(form.model_validate(data), source, place)
        except ValidationError as error:
            missing = [str(detail["loc"][-1]) for detail in error.errors() if detail["type"] == "missing"]
            for detail in error.errors():
                inner = tuple(part for part in detail["loc"] if part != "[key]")
                self.faults.append(source.fault((*place, *inner), _explained(detail, inner, missing)))
            return None

    def whole(self, form: type[M], name: str) -> Part[M] | None:
        source = self.source(name)
        return self.form(form, source, (), source.data) if source else None

    def entries(self, form: type[M], section: str, draft: Draft) -> dict[str, Part[M]]:
        """A file of names with a form each."""
        source = self.source(f"{section}.yaml")
        if source is None:
            return {}
        parts = {key: self.form(form, source, (key,), data) for key, data in source.data.items()}
        draft.names[section] = set(parts)
        return {key: part for key, part in parts.items() if part}

    def files(self, form: type[M], section: str, draft: Draft) -> dict[str, Part[M]]:
        """A folder of files with a form each; the file's stem is its name."""
        paths = sorted((self.directory / section).glob("*.yaml"))
        parts = {path.stem: self.whole(form, f"{section}/{path.name}") for path in paths}
        draft.names[section] = set(parts)
        return {key: part for key, part in parts.items() if part}

    def strays(self) -> Iterator[PlaybookFault]:
        """YAML that stands where nobody reads it."""
        read = {self.directory / name for name in (SETTINGS, EVENTS, SEGMENTS, EXPERIMENTS)}
        read |= {path for folder in FOLDERS for path in (self.directory / folder).glob("*.yaml")}
        for path in sorted(self.directory.rglob("*")):
            if path.suffix in (".yaml", ".yml") and path not in read:
                hint = (
                    "end its name in .yaml" if path.suffix == ".yml" else f"move it into {', '.join(FOLDERS)}"
                )
                yield PlaybookFault(str(path), 1, f"nothing reads this file; {hint}, or take it out")


def read_draft(directory: Path) -> tuple[Draft, list[PlaybookFault]]:
    """Everything in the folder that has a form, and a fault for everything that has none."""
    if not directory.is_dir():
        return Draft(), [
            PlaybookFault(str(directory), 1, "there is no such directory; name the playbook's folder")
        ]
    folder, draft = _Folder(directory), Draft()
    draft.settings = folder.whole(SettingsForm, SETTINGS)
    draft.events = folder.entries(EventForm, "events", draft)
    draft.segments = folder.entries(SegmentForm, "segments", draft)
    if (directory / EXPERIMENTS).is_file():
        draft.experiments = folder.entries(ExperimentForm, "experiments", draft)
    else:
        draft.names["experiments"] = set()
    draft.scenarios = folder.files(ScenarioForm, "scenarios", draft)
    draft.campaigns = folder.files(CampaignForm, "campaigns", draft)
    draft.messages = folder.files(MessageForm, "messages", draft)
    draft.surveys = folder.files(SurveyForm, "surveys", draft)
    return draft, [*folder.faults, *folder.strays()]


def _known_keys() -> list[str]:
    forms = [
        form
        for module in (models, settings_models, scenario_models, message_models, survey_models)
        for form in vars(module).values()
    ]
    found = {
        info.alias or name
        for form in forms
        if isinstance(form, type) and issubclass(form, models.Form)
        for name, info in form.model_fields.items()
    }
    return sorted(found)


_KNOWN_KEYS = _known_keys()
_PLAIN = {
    "missing": "{key!r} is missing; add it",
    "string_type": "{where} must be a text; put it in quotes",
    "bool_type": "{where} must be true or false",
    "bool_parsing": "{where} must be true or false",
    "int_type": "{where} must be a whole number",
    "float_type": "{where} must be a number",
    "float_parsing": "{where} must be a number",
    "greater_than": "{where} must be more than {gt}",
    "less_than": "{where} must be less than {lt}",
    "greater_than_equal": "{where} must be at least {ge}",
    "less_than_equal": "{where} must be at most {le}",
    "too_long": "{where} must have at most {max_length}",
    "int_parsing": "{where} must be a whole number",
    "int_from_float": "{where} must be a whole number",
    "list_type": "{where} must be a list; begin each item with a dash",
    "dict_type": "{where} must hold names with values (name: value)",
    "model_type": "{where} must hold names with values (name: value)",
    "model_attributes_type": "{where} must hold names with values (name: value)",
    "string_pattern_mismatch": "{where} must begin with a small letter and have only a–z, 0–9 and _, at most 64; rename it",
    "string_too_short": "{where} must not be empty; write it",
    "too_short": "{where} must have at least {min_length}; write them",
}


def _explained(detail: ErrorDetails, inner: Place, missing: list[str]) -> str:
    """A pydantic error in the words of the playbook."""
    where = ".".join(str(part) for part in inner) or "this"
    kind, key = detail["type"], inner[-1] if inner else ""
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(key), missing) or difflib.get_close_matches(
            str(key), [one for one in _KNOWN_KEYS if one != key]
        )
        hint = f"did you mean {near[0]!r}?" if near else "take it out"
        return f"{where} is not known here; {hint}"
    if kind == "literal_error":
        return f"{where} must be one of {detail['ctx']['expected']}"
    if kind == "value_error":
        return f"{where}: {detail['ctx']['error']}" if inner else str(detail["ctx"]["error"])
    template = _PLAIN.get(kind)
    return (
        template.format(key=key, where=where, **detail.get("ctx", {}))
        if template
        else f"{where}: {detail['msg']}; mend it"
    )
