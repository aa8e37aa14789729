"""Compiled playbooks."""

from typing import Protocol

from functions.domain.compiled import Compiled


class Playbooks(Protocol):
    """Compiled playbooks, by version and in force."""

    def in_force(self) -> Compiled:
        """The playbook applied last with the context facts, seconds old at most. Raises Retryable where none was applied."""

    def version(self, version: str) -> Compiled:
        """One version, for good, with the context facts known. Raises Rejected where it does not exist."""


class PlaybooksNow(Playbooks, Protocol):
    """Playbooks for whoever has to know of a change at once."""

    def in_force_now(self) -> Compiled:
        """As `in_force`, read anew: whatever was applied before this call is seen."""
