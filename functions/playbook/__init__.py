"""Playbooks: a folder of YAML that marketers write → faults and warnings, or one compiled playbook."""

from functions.playbook.checking import check_playbook, load_playbook
from functions.playbook.faults import CheckResult, PlaybookFault, PlaybookFaults

__all__ = ["CheckResult", "PlaybookFault", "PlaybookFaults", "check_playbook", "load_playbook"]
