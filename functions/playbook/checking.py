"""The whole way: read, lint, compile. All faults at once."""

from pathlib import Path

from functions.domain.playbook import Playbook
from functions.playbook.compiling import compiled
from functions.playbook.discount_lint import discount_faults, discount_warnings
from functions.playbook.draft import read_draft
from functions.playbook.experiment_lint import experiment_faults
from functions.playbook.expressions import expression_faults
from functions.playbook.faults import CheckResult, PlaybookFaults
from functions.playbook.link_lint import link_faults, link_warnings
from functions.playbook.measuring import measure_faults, measure_warnings
from functions.playbook.message_lint import message_faults
from functions.playbook.references import reference_faults
from functions.playbook.scenario_lint import scenario_faults
from functions.playbook.settings_lint import settings_faults, settings_warnings
from functions.playbook.style_lint import style_warnings
from functions.playbook.survey_lint import survey_faults, survey_warnings
from functions.playbook.trade_lint import trade_warnings


def check_playbook(directory: Path) -> CheckResult:
    """Everything that is wrong, or doubtful, in a playbook's folder; the compiled playbook where nothing is wrong."""
    draft, faults = read_draft(directory)
    for lint in (
        reference_faults,
        expression_faults,
        message_faults,
        link_faults,
        discount_faults,
        scenario_faults,
        settings_faults,
        experiment_faults,
        measure_faults,
        survey_faults,
    ):
        faults += lint(draft)
    warnings = [
        warning
        for lint in (
            style_warnings,
            discount_warnings,
            settings_warnings,
            trade_warnings,
            survey_warnings,
            measure_warnings,
            link_warnings,
        )
        for warning in lint(draft)
    ]
    playbook = None if faults else compiled(draft)
    return CheckResult(directory, playbook, sorted(set(faults)), sorted(set(warnings)))


def load_playbook(directory: Path) -> Playbook:
    """The compiled playbook of a folder; PlaybookFaults, with every fault, where it has any."""
    result = check_playbook(directory)
    if result.playbook is None:
        raise PlaybookFaults(result.faults)
    return result.playbook
