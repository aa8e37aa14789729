"""Partitions by the name of their table: what KPIs, results of experiments and reports ask of a lake."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Protocol

import duckdb

from functions.domain.facts import TABLES as FACTS
from functions.domain.lake import Table
from functions.measure.tables import TABLES as DERIVED
from functions.measure.workspace import Workspace


class Views(Protocol):
    """Views over partitions, in one connection."""

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """Where the views are."""

    def view(self, table: str, days: Iterable[dt.date]) -> None:
        """Make a view of exactly these partitions of a table."""

    def days(self, table: str) -> list[dt.date]:
        """The days of which there are partitions, in order."""


class WorkspaceViews:
    """The views of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._tables: Mapping[str, Table] = {**FACTS, **DERIVED}

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The workspace's own."""
        return self._workspace.connection

    def view(self, table: str, days: Iterable[dt.date]) -> None:
        """Make the view `table` over these days. KeyError where there is no such table."""
        self._workspace.view(self._tables[table], days)

    def days(self, table: str) -> list[dt.date]:
        """Every day that has a partition; of snapshots there are few, of what happened as many as there were."""
        return self._workspace.all_days(self._tables[table])
