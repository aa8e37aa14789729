"""Steps as marketers write them → the flat list that journeys walk, every jump leading ahead."""

from collections.abc import Callable

from functions.domain import playbook as pb
from functions.domain.segments import Tree
from functions.playbook.scenario_models import CaseForm, SendForm, StepForm, WaitForm

Parse = Callable[[str], Tree]


def flat_steps(steps: list[StepForm], parse: Parse) -> list[pb.Step]:
    """The flat list; it closes with an end, so that every jump has somewhere to land."""
    flattening = _Flattening(parse)
    flattening.block(steps)
    return [*flattening.steps, pb.End()]


class _Flattening:
    """The list so far. A jump is written as a placeholder, and filled in once its target is known."""

    def __init__(self, parse: Parse) -> None:
        self.steps: list[pb.Step] = []
        self._parse = parse

    def block(self, steps: list[StepForm]) -> None:
        for step in steps:
            self._step(step)

    def _step(self, step: StepForm) -> None:
        if step.send:
            self.steps.append(_send(step.send))
        elif step.wait:
            self._wait(step.wait)
        elif step.branch:
            self._branch(step.branch)
        elif step.tag:
            self.steps.append(pb.SetTag(step.tag.add or step.tag.remove or "", remove=step.tag.add is None))
        else:
            self.steps.append(pb.End())

    def _wait(self, wait: WaitForm) -> None:
        if wait.duration:
            self.steps.append(pb.WaitFor(wait.duration))
        elif wait.at:
            self.steps.append(pb.WaitUntilLocal(wait.at, wait.day))
        else:
            here = self._placeholder()
            on_event, on_timeout = self._alternatives([wait.then or [], wait.on_timeout or []])
            self.steps[here] = pb.WaitForEvent(wait.event or "", wait.timeout or 0, on_event, on_timeout)

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


def _send(form: SendForm) -> pb.Send:
    return pb.Send(form.step_name, form.message, form.tolerance, form.expires_after, form.hold_up_to)
