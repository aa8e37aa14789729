"""Lint: experiments. Each is used, and its arms differ in the one thing that it declares, and in nothing else."""

import difflib
from collections.abc import Iterator
from typing import Any, NamedTuple

from functions.playbook.draft import Draft, Part
from functions.playbook.faults import PlaybookFault
from functions.playbook.message_models import MessageForm
from functions.playbook.models import ExperimentForm
from functions.playbook.scenario_models import Block, ScenarioForm, SplitForm, StepForm, every_step
from functions.playbook.sources import Place

SCHEDULE = ("timing", "frequency")
"""What experiments on the scenario change; all others change what one message says."""


class Written(NamedTuple):
    """A split, and where it stands."""

    part: Part[ScenarioForm]
    place: Place
    split: SplitForm


class Arm(NamedTuple):
    """One arm of a split as it is compared with another: what it sends, when, and what is left beside."""

    messages: list[str]
    skeleton: list[Any]
    beside: list[Any]


def experiment_faults(draft: Draft) -> Iterator[PlaybookFault]:
    """Experiments without a split, splits without an experiment, and arms that compare more than one thing."""
    splits = list(_splits(draft))
    for written in splits:
        yield from _split(written, draft)
    if draft.sound("scenarios"):
        used = {written.split.experiment for written in splits}
        for name, part in draft.experiments.items():
            if name not in used:
                yield part.fault((), f"no split uses the experiment {name}; use it, or take it out")


def _splits(draft: Draft) -> Iterator[Written]:
    for part in draft.scenarios.values():
        for place, step in every_step(Block(("steps",), part.form.steps)):
            if step.split:
                yield Written(part, (*place, "split"), step.split)


def _split(written: Written, draft: Draft) -> Iterator[PlaybookFault]:
    part, place, split = written
    if draft.lacks("experiments", split.experiment):
        near = difflib.get_close_matches(split.experiment, sorted(draft.names["experiments"]), n=1)
        hint = f"did you mean {near[0]!r}?" if near else "write it into experiments.yaml"
        yield part.fault((*place, "experiment"), f"there is no experiment {split.experiment!r}; {hint}")
    experiment = draft.experiments.get(split.experiment)
    if experiment is None:
        return
    missing, more = (
        experiment.form.variants.keys() - split.variants,
        split.variants.keys() - experiment.form.variants,
    )
    if missing or more:
        told = [f"{name} is missing" for name in sorted(missing)] + [
            f"{name} is none" for name in sorted(more)
        ]
        message = (
            f"the arms are not the variants of {split.experiment}: {', '.join(told)}; make them the same"
        )
        yield part.fault((*place, "variants"), message)
        return
    yield from _differences(written, experiment.form, draft)


def _differences(written: Written, experiment: ExperimentForm, draft: Draft) -> Iterator[PlaybookFault]:
    """Every arm is compared with the first."""
    arms = {name: _arm(steps) for name, steps in written.split.variants.items()}
    (first_name, first), *others = arms.items()
    for name, arm in others:
        wrong = _wrong(experiment.changes, first, arm, draft)
        if wrong:
            message = f"{written.split.experiment} changes {experiment.changes}, but {first_name} and {name} {wrong}"
            yield written.part.fault((*written.place, "variants", name), message)


def _wrong(changes: str, first: Arm, other: Arm, draft: Draft) -> str:
    """What two arms must not do where only this may change; empty where they do not."""
    if changes in SCHEDULE:
        return _wrong_schedules(changes, first, other)
    if first.skeleton != other.skeleton:
        return "differ in more than their messages; give them the same steps, waits and settings"
    pairs = [
        (draft.messages[one].form, draft.messages[two].form)
        for one, two in zip(first.messages, other.messages, strict=True)
        if one in draft.messages and two in draft.messages
    ]
    if first.messages == other.messages:
        return "send the same messages; give one of them another"
    return _wrong_messages(changes, pairs)


def _wrong_schedules(changes: str, first: Arm, other: Arm) -> str:
    if set(first.messages) != set(other.messages):
        return "send different messages; let both send the same"
    if first.beside != other.beside:
        return "differ in more than when they send; give them the same steps beside sends and waits"
    same_number = len(first.messages) == len(other.messages)
    if changes == "frequency":
        return "send equally often; let one send more" if same_number else ""
    if not same_number or first.messages != other.messages:
        return "differ in how often, or in which order, they send; let only the waits differ"
    return "wait equally long; let the waits differ" if first.skeleton == other.skeleton else ""


def _wrong_messages(changes: str, pairs: list[tuple[MessageForm, MessageForm]]) -> str:
    for one, two in pairs:
        if one.kind != two.kind:
            return f"compare a {one.kind} with a {two.kind} message; make them of one kind"
        if changes == "preview_text" and _below_preview(one) != _below_preview(two):
            return "differ below the preview (altText, or a text's first line); make the rest the same"
    if changes == "format" and pairs and all(_types(one) == _types(two) for one, two in pairs):
        return "have messages of the same types; give one another format"
    return ""


def _below_preview(form: MessageForm) -> list[dict[str, Any]]:
    """The content without what a chat list shows of it: altText, and the first line of a leading text."""
    rest = [{key: value for key, value in one.items() if key != "altText"} for one in form.content]
    text = rest[0].get("text")
    if isinstance(text, str):
        rest[0]["text"] = text.partition("\n")[2]
    return rest


def _types(form: MessageForm) -> list[Any]:
    return [one.get("type") for one in form.content]


def _arm(steps: list[StepForm]) -> Arm:
    sends = [step.send.message for _, step in every_step(Block((), steps)) if step.send]
    data = [step.model_dump(exclude_unset=True) for step in steps]
    return Arm(sends, _nameless(data), _timeless(data))


def _nameless(data: Any) -> Any:
    """Steps without the names of what they send."""
    if isinstance(data, list):
        return [_nameless(item) for item in data]
    if not isinstance(data, dict):
        return data
    rest = {key: _nameless(value) for key, value in data.items() if key != "send"}
    if "send" in data:
        rest["send"] = {key: value for key, value in data["send"].items() if key not in ("name", "message")}
    return rest


def _timeless(data: Any) -> Any:
    """Steps without plain waits and sends: what two schedules of the same messages must share."""
    if isinstance(data, list):
        return [_timeless(item) for item in data if not _is_of_schedule(item)]
    return {key: _timeless(value) for key, value in data.items()} if isinstance(data, dict) else data


def _is_of_schedule(item: Any) -> bool:
    if not isinstance(item, dict):
        return False
    return "send" in item or ("wait" in item and not item["wait"].keys() & {"event", "until"})
