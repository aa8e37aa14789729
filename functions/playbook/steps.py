"""Steps as marketers write them → the flat list that journeys walk, every jump leading ahead."""

from collections.abc import Callable, Mapping

from functions.domain import playbook as pb
from functions.domain.segments import Tree
from functions.playbook.models import DEFAULT_MENU
from functions.playbook.scenario_models import CaseForm, SendForm, SplitForm, StepForm, WaitForm
from functions.playbook.survey_models import SurveyForm
from functions.playbook.surveys import survey_steps

Parse = Callable[[str], Tree]


def flat_steps(
    steps: list[StepForm], parse: Parse, surveys: Mapping[str, SurveyForm] | None = None
) -> list[pb.Step]:
    """The flat list; it closes with an end, so that every jump has somewhere to land."""
    flattening = _Flattening(parse, surveys or {})
    flattening.block(steps)
    return [*flattening.steps, pb.End()]


class _Flattening:
    """The list so far. A jump is written as a placeholder, and filled in once its target is known."""

    def __init__(self, parse: Parse, surveys: Mapping[str, SurveyForm]) -> None:
        self.steps: list[pb.Step] = []
        self._parse = parse
        self._surveys = surveys

    def block(self, steps: list[StepForm]) -> None:
        for step in steps:
            self._step(step)

    def _step(self, step: StepForm) -> None:
        if step.wait:
            self._wait(step.wait)
        elif step.branch:
            self._branch(step.branch)
        elif step.split:
            self._split(step.split)
        elif step.survey:
            self.steps += survey_steps(self._surveys[step.survey], len(self.steps), self._parse)
        else:
            self.steps.append(_plain(step))

    def _wait(self, wait: WaitForm) -> None:
        if wait.duration:
            self.steps.append(pb.WaitFor(wait.duration))
        elif wait.at:
            self.steps.append(pb.WaitUntilLocal(wait.at, wait.day))
        else:
            self._wait_with_two_ways(wait)

    def _wait_with_two_ways(self, wait: WaitForm) -> None:
        here, timeout = self._placeholder(), wait.timeout or 0
        then, on_timeout = self._alternatives([wait.then or [], wait.on_timeout or []])
        if wait.until:
            self.steps[here] = pb.WaitUntil(self._parse(wait.until), timeout, then, on_timeout)
        else:
            self.steps[here] = pb.WaitForEvent(wait.event or "", timeout, then, on_timeout)

    def _split(self, split: SplitForm) -> None:
        here = self._placeholder()
        starts = self._alternatives(list(split.variants.values()))
        self.steps[here] = pb.Split(split.experiment, list(zip(split.variants, starts, strict=True)))

    def _branch(self, cases: list[CaseForm]) -> None:
        here = self._placeholder()
        starts = self._alternatives([case.steps or case.otherwise or [] for case in cases])
        conditions = [
            (self._parse(case.when), start) for case, start in zip(cases, starts, strict=True) if case.when
        ]
        otherwise = starts[-1] if cases[-1].otherwise is not None else len(self.steps)
        self.steps[here] = pb.Branch(conditions, otherwise)

    def _alternatives(self, blocks: list[list[StepForm]]) -> list[int]:
        """The blocks one after the other, each leading on behind the last; where each begins."""
        starts, exits = [], []
        for block in blocks:
            starts.append(len(self.steps))
            self.block(block)
            exits.append(self._placeholder())
        for place in exits:
            self.steps[place] = pb.Goto(len(self.steps))
        return starts

    def _placeholder(self) -> int:
        self.steps.append(pb.End())
        return len(self.steps) - 1


def _plain(step: StepForm) -> pb.Step:
    """The step of a form that holds no other steps."""
    if step.send:
        return _send(step.send)
    if step.tag:
        return pb.SetTag(step.tag.add or step.tag.remove or "", remove=step.tag.add is None)
    if step.attribute:
        ((name, value),) = step.attribute.items()
        return pb.SetAttribute(name, value)
    if step.rich_menu:
        return pb.RichMenu("" if step.rich_menu == DEFAULT_MENU else step.rich_menu)
    return pb.End()


def _send(form: SendForm) -> pb.Send:
    return pb.Send(form.step_name, form.message, form.tolerance, form.expires_after, form.hold_up_to)
